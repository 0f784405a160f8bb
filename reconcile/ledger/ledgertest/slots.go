package ledgertest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
)

// slots: of many runs that begin for one moment of the schedule one does; when it
// dies, the next one may; when it ends, one that names it alone.
func slots(t *testing.T, p Place) {
	hands := make([]reconcile.Ledger, 4)
	for i := range hands {
		hands[i] = p.Open(t)
	}
	instead := func(led reconcile.Ledger, slot time.Time, of reconcile.RunID) (reconcile.RunID, error) {
		run := nextRun()
		return run, led.Begin(t.Context(), reconcile.RunRecord{Run: run, Command: "run", Started: noon, Schedule: "nightly", Slot: slot, InsteadOf: of})
	}
	begins := func(led reconcile.Ledger, slot time.Time) (reconcile.RunID, error) { return instead(led, slot, "") }
	var wg sync.WaitGroup
	var mu sync.Mutex
	winner, first := -1, reconcile.RunID("")
	for i, led := range hands {
		wg.Go(func() {
			run, err := begins(led, noon)
			mu.Lock()
			defer mu.Unlock()
			var taken *reconcile.SlotTaken
			switch {
			case err == nil && winner < 0:
				winner, first = i, run
			case !errors.As(err, &taken) || taken.Ended:
				t.Errorf("hand %d got %v", i, err)
			}
		})
	}
	wg.Wait()
	if winner < 0 {
		t.Fatal("nobody began")
	}
	other := hands[(winner+1)%len(hands)]
	if _, err := begins(other, noon.Add(time.Minute)); err != nil {
		t.Errorf("another moment: %v", err)
	}
	if err := hands[winner].Close(); err != nil { // it dies
		t.Fatal(err)
	}
	second, err := begins(other, noon)
	if err != nil {
		t.Fatalf("after a death: %v", err)
	}
	if err := other.End(t.Context(), reconcile.RunEnd{Run: second, Finished: noon, Exit: 3}); err != nil {
		t.Fatal(err)
	}
	var taken *reconcile.SlotTaken
	if _, err := begins(other, noon); !errors.As(err, &taken) || !taken.Ended || taken.Run != second || second == first {
		t.Errorf("after an end: %v", err)
	}
	if _, err := instead(other, noon, first); !errors.As(err, &taken) {
		t.Errorf("in place of a run that has it no more: %v", err)
	}
	third, err := instead(other, noon, second)
	if err != nil {
		t.Fatalf("in place of the one that ended: %v", err)
	}
	if _, err := instead(other, noon, second); !errors.As(err, &taken) || taken.Ended || taken.Run != third {
		t.Errorf("in place of the one that ended, once more: %v", err)
	}
	for i, led := range hands {
		if i != winner {
			if err := led.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
