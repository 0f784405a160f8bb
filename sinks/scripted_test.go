package sinks

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
)

// scripted is a sink that answers as answer says and remembers what it was
// asked. It is safe for concurrent use.
type scripted struct {
	answer func(n int, e reconcile.Event) reconcile.Outcome // n counts attempts of all events from 1
	merges bool
	takes  time.Duration // for one Send

	mu      sync.Mutex
	tries   []reconcile.EventID
	batches []int
	at      []time.Time
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {MaxBatch: 10, MergesRepeats: s.merges}}
}

func (s *scripted) Expect(reconcile.Head, time.Time) []reconcile.Want { return nil }

func (s *scripted) Compose(reconcile.Order, []reconcile.Want, reconcile.Carts, time.Time) ([]reconcile.Event, error) {
	return nil, nil
}

func (s *scripted) Send(_ context.Context, batch []reconcile.Event) []reconcile.Outcome {
	time.Sleep(s.takes) // under synctest: how long the platform takes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(batch))
	s.at = append(s.at, time.Now())
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		s.tries = append(s.tries, e.ID)
		o := s.answer(len(s.tries), e)
		o.ID = e.ID
		if o.Verdict != reconcile.Unsent {
			o.Attempts = []reconcile.Attempt{{At: time.Now(), Verdict: o.Verdict}}
		}
		outcomes[i] = o
	}
	return outcomes
}

// tried counts the events that had at least one attempt.
func (s *scripted) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[reconcile.EventID]bool{}
	for _, id := range s.tries {
		ids[id] = true
	}
	return len(ids)
}

func always(o reconcile.Outcome) func(int, reconcile.Event) reconcile.Outcome {
	return func(int, reconcile.Event) reconcile.Outcome { return o }
}

// events makes n purchases.
func events(n int) []reconcile.Event {
	list := make([]reconcile.Event, n)
	for i := range list {
		key := reconcile.OrderKey{Shop: "main", Order: fmt.Sprint(i)}
		list[i] = reconcile.Event{ID: reconcile.NewEventID(reconcile.KindPurchase, key), Kind: reconcile.KindPurchase}
	}
	return list
}

// matching fails the test unless the outcomes are those of the batch, in order.
func matching(t *testing.T, batch []reconcile.Event, outcomes []reconcile.Outcome) {
	t.Helper()
	if len(outcomes) != len(batch) {
		t.Fatalf("%d events, %d outcomes", len(batch), len(outcomes))
	}
	for i, o := range outcomes {
		if o.ID != batch[i].ID {
			t.Fatalf("outcome %d is of %s, want %s", i, o.ID, batch[i].ID)
		}
	}
}

// tally counts outcomes by verdict, and by reason for those unsent.
func tally(outcomes []reconcile.Outcome) map[string]int {
	counts := map[string]int{}
	for _, o := range outcomes {
		name := o.Verdict.String()
		if o.Verdict == reconcile.Unsent {
			name = string(o.Reason)
		}
		counts[name]++
	}
	return counts
}

var (
	accepted    = reconcile.Outcome{Verdict: reconcile.Sent}
	refused     = reconcile.Outcome{Verdict: reconcile.Rejected, Why: "400: refused"}
	doubtful    = reconcile.Outcome{Verdict: reconcile.InDoubt, Why: "500: the platform failed"}
	unreachable = reconcile.Outcome{Verdict: reconcile.Retryable, Why: "not sent: no connection"}
	wrongLogin  = reconcile.Outcome{Verdict: reconcile.Retryable, Stop: true, Why: "401: login refused"}
)
