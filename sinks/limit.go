package sinks

import (
	"context"

	"makegood/reconcile"
)

// Limit sends no faster than the pace. A batch worth more than a second is sent
// in parts, for otherwise it would have to come at once. What a context that ends
// keeps from being sent is Unsent.
func Limit(s reconcile.Sink, p *Pace) reconcile.Sink { return &limited{s, p} }

type limited struct {
	reconcile.Sink
	pace *Pace
}

// Unwrap gives what it wears, so that it can be asked.
func (l *limited) Unwrap() reconcile.Sink { return l.Sink }

func (l *limited) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, 0, len(batch))
	for len(batch) > 0 {
		n := min(len(batch), l.pace.most())
		if l.pace.Wait(ctx, n) != nil {
			reason := reconcile.ReasonInterrupted
			if ctx.Err() == nil { // the ledger sells no pace
				reason = reconcile.ReasonLedgerFailed
			}
			return append(outcomes, unsent(batch, reason)...)
		}
		outcomes = append(outcomes, l.Sink.Send(ctx, batch[:n])...)
		batch = batch[n:]
	}
	return outcomes
}

func unsent(batch []reconcile.Event, reason reconcile.Reason) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		outcomes[i] = reconcile.Outcome{ID: e.ID, Verdict: reconcile.Unsent, Reason: reason}
	}
	return outcomes
}
