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
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	line := NewTimeline(zone)
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
			if _, _, day := s.Begin.In(zone).Date(); day != 1 || s.Begin.In(zone).Hour() != 0 {
				t.Errorf("a month begins at %s", s.Begin.In(zone))
			}
		}
		if len(slots) > maxSlots || sum.Events != events || sum.Money["EUR"].Trim(0).String() != "6000" || line.Unit() != Months {
			t.Errorf("%d slots of unit %d hold %+v", len(slots), line.Unit(), sum)
		}
		if first := slots[0].Begin; first.After(begin) || first.AddDate(0, 1, 1).Before(begin) {
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
	read.zone = zone
	check(read)
	var merged Timeline
	if err := merged.merge(line, BucketLeft); err != nil {
		t.Fatal(err)
	}
	check(merged)
}
