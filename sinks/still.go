package sinks

import (
	"context"
	"time"

	"makegood/reconcile"
)

// Still asks about each event right before it is sent, after all waiting for
// the pace, a repeat or the fuse: fit gives the reason why it must not go any
// more, or "". Such an event is Unsent with that reason.
func Still(s reconcile.Sink, fit func(reconcile.Event) reconcile.Reason) reconcile.Sink {
	return &still{s, fit}
}

// InTime is a question for Still: is the event older by now than it may be?
func InTime(clock func() time.Time) func(reconcile.Event) reconcile.Reason {
	return func(e reconcile.Event) reconcile.Reason {
		now := clock()
		for _, end := range []time.Time{e.Expiry, e.Cart.Before} {
			if !end.IsZero() && !now.Before(end) {
				return reconcile.ReasonTooOld
			}
		}
		return ""
	}
}

type still struct {
	reconcile.Sink
	fit func(reconcile.Event) reconcile.Reason
}

// Unwrap gives what it wears, so that it can be asked.
func (s *still) Unwrap() reconcile.Sink { return s.Sink }

func (s *still) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := unsent(batch, "")
	var fit []reconcile.Event
	var places []int
	for i, e := range batch {
		if outcomes[i].Reason = s.fit(e); outcomes[i].Reason == "" {
			fit, places = append(fit, e), append(places, i)
		}
	}
	if len(fit) == 0 {
		return outcomes
	}
	for i, o := range s.Sink.Send(ctx, fit) {
		outcomes[places[i]] = o
	}
	return outcomes
}
