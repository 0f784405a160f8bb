package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// chargedSince reads the evidence of the targets that charge customers again, up
// to now: until a person has approved a plan, the shop's own integration goes
// on. What that has charged by now is moved; evidence that cannot be read, or
// trusted, refuses the plan.
func (r *Runner) chargedSince(ctx context.Context, led Ledger, plan *Plan, moved *movedSteps) error {
	for _, pt := range plan.Targets {
		t := r.target(pt.Target)
		if !t.NeedsApproval || !t.live() || len(t.Evidence) == 0 {
			continue
		}
		known, err := r.recordsNow(ctx, led, plan, pt)
		if err != nil {
			return err
		}
		told, err := toldBy(known, plan, t)
		if err != nil {
			return err
		}
		if err := ownWord(ctx, led, t, told); err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(told)) {
			moved.add(t.Name(), id, "by now "+told[id]+" says that it was charged")
		}
	}
	return nil
}

// recordsNow reads what others charge at a target to which the plan sends, and
// looks whether it can be trusted, as planning does.
func (r *Runner) recordsNow(ctx context.Context, led Ledger, plan *Plan, pt PlannedTarget) ([]*known, error) {
	charges, newest, err := plan.charges(pt.Target)
	if err != nil || charges == 0 {
		return nil, err
	}
	var all []*known
	for _, name := range r.target(pt.Target).Evidence {
		k, err := r.readOne(ctx, name, plan.Window)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, evidenceRefused(pt.Target, err.Error())
		}
		all = append(all, k)
		if _, accepted := r.Accepted[name]; accepted || newest.Before(k.CoversFrom) {
			continue
		}
		history, err := led.EvidenceDays(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read the history of evidence %s: %w", name, err)
		}
		why := k.stale(charges, newest, history, Window{From: plan.Window.From, To: r.Clock()}, false)
		if why == "" && k.rows == 0 && len(pt.Evidence[name]) > 0 {
			why = name + " holds no row any more"
		}
		if why != "" {
			return nil, evidenceRefused(pt.Target, why+wayThrough([]string{name}))
		}
	}
	return all, nil
}

func evidenceRefused(target, why string) error {
	return &PlanRefused{Code: RefusedOrdersMoved,
		Text: fmt.Sprintf("nobody knows what was charged at %s since the plan was made: %s", target, why)}
}

// charges counts what the plan would charge at a target, and finds the newest
// completion among its orders.
func (p *Plan) charges(target string) (n int, newest time.Time, err error) {
	err = p.eachCharge(target, func(e Event) error {
		n++
		if e.Facts.CompletedAt.After(newest) {
			newest = e.Facts.CompletedAt
		}
		return nil
	})
	return n, newest, err
}

// eachCharge calls do with every charge that the plan sends to a target.
func (p *Plan) eachCharge(target string, do func(Event) error) error {
	return p.each(func(s PlannedStep) error {
		if s.Target != target || s.Do != DoSend || !s.Event.Kind.Charges() {
			return nil
		}
		return do(s.Event)
	})
}

// toldBy gives the charges of a plan that somebody else's records have by now,
// with the name of the first that has them.
func toldBy(records []*known, plan *Plan, t *Target) (map[EventID]string, error) {
	told := map[EventID]string{}
	err := plan.eachCharge(t.Name(), func(e Event) error {
		key, err := e.ID.Key()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(records, func(k *known) bool {
			_, has := k.orders[key]
			_, tells := k.tells(e.ID, key)
			return k.settles(t) && has && tells
		})
		if i >= 0 {
			told[e.ID] = records[i].Name()
		}
		return nil
	})
	return told, err
}

// ownWord takes out what a person reopened because it never arrived: that goes
// whatever evidence says.
func ownWord(ctx context.Context, led Ledger, t *Target, told map[EventID]string) error {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(told)), decideAtOnce) {
		have, err := led.Find(ctx, t.Name(), chunk)
		if err != nil {
			return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
		}
		for _, e := range have {
			if e.State == StateOpen && e.Lost {
				delete(told, e.ID)
			}
		}
	}
	return nil
}
