package sinks

import (
	"context"
	"math"

	"golang.org/x/time/rate"

	"makegood/reconcile"
)

// Pace is a number of events per second, shared by all that send to one target.
// It is safe for concurrent use.
type Pace struct{ limiter *rate.Limiter }

// NewPace allows so many events per second, and the worth of one second at
// once; 0 is no limit.
func NewPace(perSecond float64) *Pace {
	if perSecond <= 0 {
		return &Pace{rate.NewLimiter(rate.Inf, math.MaxInt)}
	}
	return &Pace{rate.NewLimiter(rate.Limit(perSecond), max(1, int(math.Ceil(perSecond))))}
}

// Wait returns when so many more events may go, or with an error when the
// context ends before that.
func (p *Pace) Wait(ctx context.Context, events int) error {
	for events > 0 {
		n := min(events, p.limiter.Burst()) // WaitN refuses more than the burst
		if err := p.limiter.WaitN(ctx, n); err != nil {
			return err
		}
		events -= n
	}
	return ctx.Err()
}

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
		n := min(len(batch), l.pace.limiter.Burst())
		if l.pace.Wait(ctx, n) != nil {
			return append(outcomes, unsent(batch, reconcile.ReasonInterrupted)...)
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
