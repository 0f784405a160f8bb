package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// window works out the period of a run. What a person gave stands; otherwise
// it starts, over all pairs of source and target, at the earliest of
// coverage less lookback and the oldest order that a run can still finish, at
// most ReachBack ago; a pair that was never covered starts at the target's
// since. It ends now. begins tells where each pair alone would start, nothing
// when a person gave the beginning.
func (r *Runner) window(ctx context.Context, led Reader, req Request, now time.Time) (w Window, begins map[pair]beginning, err error) {
	w = Window{From: req.From, To: req.To}
	if w.To.IsZero() {
		w.To = now
	}
	if !w.From.IsZero() {
		return w, nil, w.Check()
	}
	begins = map[pair]beginning{}
	for _, t := range r.Targets {
		if err := r.begins(ctx, led, t, now, begins); err != nil {
			return w, nil, err
		}
	}
	for _, b := range begins {
		if !b.from.IsZero() && (w.From.IsZero() || b.from.Before(w.From)) {
			w.From = b.from
		}
	}
	if w.From.IsZero() {
		return w, nil, errors.New("work out the period: give a destination a since, or the command a --from")
	}
	if !w.From.Before(w.To) {
		return w, nil, fmt.Errorf("work out the period: every destination begins later, the first with since: %s",
			w.From.In(r.Zone).Format("2006-01-02 15:04 MST"))
	}
	return w, begins, w.Check()
}

// pair is a source and a target that reads it.
type pair struct{ source, target string }

// beginning is where a pair's period starts: from is what it reads, lookback
// is what it would read if nothing older were unfinished, covered up to when
// earlier runs have read.
type beginning struct {
	from, lookback, covered time.Time
	fallen                  Window // not done, and further back than runs reach
}

func (r *Runner) begins(ctx context.Context, led Reader, t *Target, now time.Time, begins map[pair]beginning) error {
	covered, err := led.Covered(ctx, t.Name(), r.covers(t.Mode))
	if err != nil {
		return fmt.Errorf("read what is covered for %s: %w", t.Name(), err)
	}
	open, err := led.OldestOpen(ctx, t.Name(), r.finishable(t))
	if err != nil {
		return fmt.Errorf("read what is unfinished at %s: %w", t.Name(), err)
	}
	for _, source := range t.From {
		from, lookback, fallen := t.Since, t.Since, Window{}
		if to, ok := covered[source]; ok {
			if to.After(now.Add(clockSlack)) { // a clock was wrong: up to when orders were read is not known
				to = time.Time{}
			}
			from = r.lookBack(to)
			lookback = from
			if oldest, ok := open[source]; ok && oldest.Before(from) {
				from = oldest
			}
			if reach := r.daysBefore(now, r.ReachBack); from.Before(reach) {
				if undone := earlier(to, open[source]); undone.Before(reach) && !to.IsZero() && t.live() {
					fallen = Window{From: later(undone, t.Since), To: reach}
				}
				from = reach
			}
			if from.Before(t.Since) {
				from = t.Since
			}
		}
		begins[pair{source, t.Name()}] = beginning{from, lookback, covered[source], fallen}
	}
	return nil
}

// earlier is the earlier of two times, of which a zero one counts nothing.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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

// ShopRenamed says that the configuration names a numbering that the ledger
// does not know, and no longer names one that it does: under the new name
// every order would be unsent.
type ShopRenamed struct{ Known, New string }

// Error names both and the ways out.
func (e *ShopRenamed) Error() string {
	return fmt.Sprintf("shop %q is new, and no source names shop %q any more, whose orders the ledger knows: "+
		"under another name they would be sent again; give it its old name, or keep a source of shop %q in the configuration",
		e.New, e.Known, e.Known)
}

// checkShops refuses a numbering that was renamed (CONTRACTS 6).
func (r *Runner) checkShops(ctx context.Context, led Reader) error {
	known, err := led.Shops(ctx)
	if err != nil {
		return fmt.Errorf("read the shops that the ledger knows: %w", err)
	}
	gone := slices.DeleteFunc(slices.Clone(known), func(s string) bool { return slices.Contains(r.Shops, s) })
	added := slices.DeleteFunc(slices.Clone(r.Shops), func(s string) bool { return slices.Contains(known, s) })
	if len(r.Shops) == 0 || len(gone) == 0 || len(added) == 0 {
		return nil
	}
	return &ShopRenamed{Known: gone[0], New: added[0]}
}
