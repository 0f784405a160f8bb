package reconcile

import (
	"context"
	"fmt"
	"time"
)

// window works out the period of a run. What a person gave stands; otherwise
// it starts, over all pairs of source and target, at the earliest of
// coverage less lookback and the oldest order that a run can still finish, at
// most ReachBack ago; a pair that was never covered starts at the target's
// since. It ends now.
func (r *Runner) window(ctx context.Context, led Reader, req Request, now time.Time) (Window, error) {
	w := Window{From: req.From, To: req.To}
	if w.To.IsZero() {
		w.To = now
	}
	if !w.From.IsZero() {
		return w, w.Check()
	}
	for _, t := range r.Targets {
		from, err := r.targetStart(ctx, led, t, now)
		if err != nil {
			return w, err
		}
		if !from.IsZero() && (w.From.IsZero() || from.Before(w.From)) {
			w.From = from
		}
	}
	if w.From.IsZero() {
		return w, fmt.Errorf("work out the period: give a destination a since, or the command a --from")
	}
	return w, w.Check()
}

func (r *Runner) targetStart(ctx context.Context, led Reader, t *Target, now time.Time) (time.Time, error) {
	covered, err := led.Covered(ctx, t.Name(), t.Mode)
	if err != nil {
		return time.Time{}, fmt.Errorf("read what is covered for %s: %w", t.Name(), err)
	}
	open, err := led.OldestOpen(ctx, t.Name(), r.finishable(t))
	if err != nil {
		return time.Time{}, fmt.Errorf("read what is unfinished at %s: %w", t.Name(), err)
	}
	var start time.Time
	for _, source := range t.From {
		from := t.Since
		if to, ok := covered[source]; ok {
			from = r.daysBefore(to, r.Lookback)
			if oldest, ok := open[source]; ok && oldest.Before(from) {
				from = oldest
			}
			if reach := r.daysBefore(now, r.ReachBack); from.Before(reach) {
				from = reach
			}
			if from.Before(t.Since) {
				from = t.Since
			}
		}
		if start.IsZero() || from.Before(start) {
			start = from
		}
	}
	return start, nil
}

// finishable lists the states that a run of its own can end at this target.
func (r *Runner) finishable(t *Target) []State {
	states := []State{StateOpen, StateClaimed}
	for _, traits := range t.Traits() {
		if traits.MergesRepeats {
			return append(states, StateDoubtful)
		}
	}
	return states
}

func (r *Runner) daysBefore(t time.Time, days int) time.Time {
	return t.In(r.Zone).AddDate(0, 0, -days).UTC()
}
