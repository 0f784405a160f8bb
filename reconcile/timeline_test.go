package reconcile

import (
	"encoding/json"
	"testing"
	"time"
)

// However long it is, a timeline stays small, keeps every event, and reads back
// from a plan file as it was.
func TestTimelineStaysSmall(t *testing.T) {
	begin := time.Date(1900, 1, 1, 0, 30, 0, 0, time.UTC)
	amount, err := ParseDecimal("0.10")
	if err != nil {
		t.Fatal(err)
	}
	var line Timeline
	const events = 60_000
	for i := range events {
		if err := line.add(begin.Add(time.Duration(i)*31*time.Hour), BucketSent, Value{Amount: &amount, Currency: "EUR"}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(line Timeline) {
		t.Helper()
		sum := Count{}
		slots := line.Slots()
		for i, s := range slots {
			if err := sum.Add(Count{Events: s.Events, Money: s.Money}); err != nil {
				t.Fatal(err)
			}
			if i > 0 && !s.Begin.After(slots[i-1].Begin) {
				t.Errorf("slot %d begins at %s, the one before at %s", i, s.Begin, slots[i-1].Begin)
			}
		}
		if len(slots) > maxSlots || sum.Events != events || sum.Money["EUR"].Trim(0).String() != "6000" {
			t.Errorf("%d slots of %d hours hold %+v", len(slots), line.Hours(), sum)
		}
		if first := slots[0].Begin; first.After(begin) || first.Add(time.Duration(line.Hours())*time.Hour).Before(begin) {
			t.Errorf("the first slot begins at %s", first)
		}
	}
	check(line)
	data, err := json.Marshal(line.line())
	if err != nil {
		t.Fatal(err)
	}
	var back *timelineLine
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	read, err := back.timeline()
	if err != nil {
		t.Fatal(err)
	}
	check(read)
	var merged Timeline
	if err := merged.merge(line, BucketLeft); err != nil {
		t.Fatal(err)
	}
	check(merged)
	if merged.Hours() != line.Hours() {
		t.Errorf("a slot has %d hours", merged.Hours())
	}
}
