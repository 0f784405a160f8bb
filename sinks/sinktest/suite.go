// Package sinktest is what every sink must pass: the contract of
// reconcile.Sink, and contract 12 at a platform that answers everything there
// is.
package sinktest

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"makegood/reconcile"
)

// Canary must be part of every secret that Suite.New configures, and of the
// addresses in Suite.Orders: it may turn up in no text for people.
const Canary = "canary3f9a"

// Suite describes a kind of sink.
type Suite struct {
	// New opens a sink without decorators whose platform is at url.
	New func(t *testing.T, url string) reconcile.Sink
	// Orders makes orders, the same in every call, that give events at AsOf,
	// with distinct keys and addresses that hold Canary.
	Orders func() []reconcile.Order
	Known  reconcile.Carts
	AsOf   time.Time
	// Accepted is the body of an answer that accepts; "" where that has none.
	Accepted string
	// AcceptedStatus is its status; 0 is 200.
	AcceptedStatus int
	// Batch is set where several events share a request.
	Batch *Batch
}

func (s Suite) acceptedStatus() int { return cmp.Or(s.AcceptedStatus, http.StatusOK) }

// Run runs all of it.
func Run(t *testing.T, s Suite) {
	t.Run("expect", s.expect)
	t.Run("compose", s.compose)
	t.Run("held", s.held)
	t.Run("answers", s.answers)
	t.Run("accepted", s.accepted)
	t.Run("no answer", s.noAnswer)
	t.Run("interrupted", s.interrupted)
	t.Run("secrets", s.secrets)
	if s.Batch != nil {
		t.Run("batch", s.batchCases)
	}
}

// events composes all orders, and fails the test when there are none.
func (s Suite) events(t *testing.T, sink reconcile.Sink) []reconcile.Event {
	t.Helper()
	var events []reconcile.Event
	for _, o := range s.Orders() {
		got, err := sink.Compose(o, sink.Expect(o.Head, s.AsOf), s.Known, s.AsOf)
		if _, ok := reconcile.HeldIn(err); !ok {
			t.Fatalf("order %s: an error that is not a hold: %v", o.Key.Order, err)
		}
		events = append(events, got...)
	}
	if len(events) < 2 {
		t.Fatalf("the orders give %d events, want at least 2", len(events))
	}
	return events
}

// batches cuts events as the sink's traits allow.
func batches(sink reconcile.Sink, events []reconcile.Event) [][]reconcile.Event {
	var all [][]reconcile.Event
	for len(events) > 0 {
		n := min(len(events), sink.Traits()[events[0].Kind].MaxBatch)
		all = append(all, events[:n])
		events = events[n:]
	}
	return all
}

// inOrder checks that each event has its outcome.
func inOrder(t *testing.T, batch []reconcile.Event, outcomes []reconcile.Outcome) {
	t.Helper()
	if len(outcomes) != len(batch) {
		t.Fatalf("%d events gave %d outcomes", len(batch), len(outcomes))
	}
	for i, o := range outcomes {
		if o.ID != batch[i].ID {
			t.Fatalf("outcome %d is of %s, want %s", i, o.ID, batch[i].ID)
		}
	}
}
