package reconcile_test

import (
	"context"
	"errors"
	"testing"

	"makegood/reconcile"
)

// cutOff is a ledger whose run is cut off before it can end.
type cutOff struct{ reconcile.Ledger }

var errCutOff = errors.New("the power is gone")

func (cutOff) End(context.Context, reconcile.RunEnd) error { return errCutOff }

// What a run wrote down that was cut off before anybody heard of it is new to
// the next one, and known only to the run after that.
func TestWhatACutOffRunKnewIsNew(t *testing.T) {
	h := newHouse(t, order("1", oneTea, func(o *reconcile.Order) { o.Hold = reconcile.ReasonStatusUnknown }), order("2", oneTea))
	if _, err := h.attempt(t.Context(), cutOff{h.ledger()}, reconcile.Request{}); !errors.Is(err, errCutOff) {
		t.Fatal(err)
	}
	h.close()
	for night, known := range []int{0, 1, 1} {
		res := h.run()
		needs := res.Needs()
		if len(needs) != 1 || needs[0].What != string(reconcile.ReasonStatusUnknown) || needs[0].Known != known || res.Urgent(needs[0]) != (known == 0) {
			t.Errorf("night %d: %+v", night, needs)
		}
	}
}

// A run that ends with an error says so in the report that the ledger keeps.
func TestTheKeptReportKnowsWhatEndedTheRun(t *testing.T) {
	h := newHouse(t, many(3)...)
	var kept error
	h.Summarize = func(r reconcile.Result) ([]byte, int) { kept = r.Err; return []byte("{}"), 3 }
	broken := errors.New("write: disk full")
	led := &watched{Ledger: h.ledger(), claim: func([]reconcile.Ticket) error { return broken }}
	if _, err := h.attempt(t.Context(), led, reconcile.Request{}); !errors.Is(err, broken) || !errors.Is(kept, broken) {
		t.Errorf("the run ended with %v, its report keeps %v", err, kept)
	}
}
