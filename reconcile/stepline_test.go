package reconcile

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nastySteps are steps whose texts look like the parts of a line.
func nastySteps() []PlannedStep {
	at := time.Date(2026, 11, 2, 10, 0, 0, 123, time.UTC)
	amount, _ := ParseDecimal("-12.340")
	var steps []PlannedStep
	for _, body := range []string{`{}`, `{"a":"}{\"\\","body":{"b":[{"c":"\\\\\""}]}}`, `{"a":",\"body\":{"}`, ``} {
		for _, id := range []EventID{"purchase/main/1", `purchase/main/","body":{"a":1},"`} {
			e := Event{Action: ActionPurchase, ID: id, Kind: KindPurchase, Customer: `x","body":{`,
				After: []EventID{`a","body":{}`}, Facts: Facts{Source: `s","seen":1`, CompletedAt: at}}
			if body != "" {
				e.Value = Value{Amount: &amount, Currency: "EUR", Of: AmountOfTotal}
				e.Body = json.RawMessage(body)
			}
			steps = append(steps,
				PlannedStep{Do: DoSend, Event: e, Mates: 1, Seen: 3, Target: `t","who":"`, Origin: &Origin{File: `","seen":0`, Rows: []RowRange{{1, 2}}}},
				PlannedStep{Do: DoAdopt, Event: e, Who: "log", Target: "t", Beside: &Place{BucketLeft, ReasonTooYoung}})
		}
	}
	return steps
}

// TestStepLine: a line that was made once is the line that encoding/json makes,
// without its origin the canonical one, and read back it is the step.
func TestStepLine(t *testing.T) {
	for _, s := range nastySteps() {
		sorted, err := newSortedStep(s)
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := canonicalJSON(s)
		if got := string(sorted.line); got != string(whole)+"\n" {
			t.Errorf("the line is\n%swant\n%s", got, whole)
		}
		canonical, _ := canonicalStep(s)
		if got := string(sorted.line[:sorted.origin]) + string(sorted.line[sorted.rest:]); got != string(canonical)+"\n" {
			t.Errorf("the canonical line is\n%swant\n%s", got, canonical)
		}
		again, err := sortedStepOf(record{[]byte(s.Target + "\x00" + string(s.Event.ID)), sorted.record()})
		if err != nil || !cmp.Equal(again, sorted, cmp.AllowUnexported(sortedStep{}), cmp.Comparer(func(a, b Decimal) bool { return a.Cmp(b) == 0 })) {
			t.Errorf("the record gives %v", err)
		}
		if origin, err := again.originOf(); err != nil || !cmp.Equal(origin, s.Origin) {
			t.Errorf("the origin is %v (%v)", origin, err)
		}
		same := cmp.Comparer(func(a, b Decimal) bool { return a.Cmp(b) == 0 })
		read, err := readStep(sorted.line)
		if err != nil || !cmp.Equal(read, s, same) {
			t.Errorf("read back (%v): %s", err, cmp.Diff(s, read, same))
		}
	}
}

// TestDamagedRecord: a record that was cut is an error, never a shorter step.
func TestDamagedRecord(t *testing.T) {
	sorted, err := newSortedStep(nastySteps()[0])
	if err != nil {
		t.Fatal(err)
	}
	whole := sorted.record()
	for n := range len(whole) - len(sorted.line) {
		if _, err := sortedStepOf(record{[]byte("t\x00id"), whole[:n]}); err == nil {
			t.Errorf("%d bytes of it passed", n)
		}
	}
}
