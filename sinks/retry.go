package sinks

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"makegood/reconcile"
)

// RetryOptions bound how long Retry tries. The zero value has the bounds of
// contract 2.
type RetryOptions struct {
	Attempts int           // per event; 0: 3
	Within   time.Duration // from the first attempt to the beginning of the last; 0: 30 s
	// Random spreads the pauses: from 0 up to 1; nil is math/rand.
	Random func() float64
}

// Retry repeats what was surely not accepted and may be later: outcomes that are
// Retryable without Stop, at most RetryOptions.Attempts times and within
// RetryOptions.Within. It waits as long as the target asked, else with a growing
// and jittered pause; a target that asks for more than is left gets it: the
// outcome stays Retryable with its NotBefore. Each outcome carries all its
// attempts. When the context ends, what is known so far is returned.
func Retry(s reconcile.Sink, o RetryOptions) reconcile.Sink {
	o.Attempts, o.Within = cmp.Or(o.Attempts, 3), cmp.Or(o.Within, 30*time.Second)
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return &retrying{s, o}
}

type retrying struct {
	reconcile.Sink
	options RetryOptions
}

// Unwrap gives what it wears, so that it can be asked.
func (r *retrying) Unwrap() reconcile.Sink { return r.Sink }

func (r *retrying) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	end := time.Now().Add(r.options.Within)
	outcomes := r.Sink.Send(ctx, batch)
	pause := &backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, Multiplier: 3, MaxInterval: 10 * time.Second}
	pause.Reset()
	for range r.options.Attempts - 1 {
		places := repeatable(outcomes)
		if len(places) == 0 {
			break
		}
		spread := 0.5 + r.options.Random()
		at := time.Now().Add(time.Duration(spread * float64(pause.NextBackOff())))
		for _, i := range places {
			at = latest(at, outcomes[i].NotBefore)
		}
		if at.After(end) || wait(ctx, time.Until(at), nil) != nil {
			break
		}
		r.again(ctx, batch, outcomes, places)
	}
	return outcomes
}

// repeatable lists the outcomes to try again: none when one of them says that
// the target itself is wrong.
func repeatable(outcomes []reconcile.Outcome) (places []int) {
	if slices.ContainsFunc(outcomes, func(o reconcile.Outcome) bool { return o.Stop }) {
		return nil
	}
	for i, o := range outcomes {
		if o.Verdict == reconcile.Retryable {
			places = append(places, i)
		}
	}
	return places
}

// again sends the events at the places once more and puts the newer outcomes in
// the place of the older ones, with the attempts of both. An event that was not
// sent again keeps what is known of it.
func (r *retrying) again(ctx context.Context, batch []reconcile.Event, outcomes []reconcile.Outcome, places []int) {
	part := make([]reconcile.Event, len(places))
	for i, place := range places {
		part[i] = batch[place]
	}
	for i, o := range r.Sink.Send(ctx, part) {
		if o.Verdict == reconcile.Unsent {
			continue
		}
		place := places[i]
		o.Attempts = append(slices.Clip(outcomes[place].Attempts), o.Attempts...)
		outcomes[place] = o
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wait returns after d or as soon as changed is closed, and with an error when
// the context ends first.
func wait(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-timer.C:
	}
	return ctx.Err()
}
