package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// movedSteps are the steps of a plan whose order or entry is no longer what
// the plan saw.
type movedSteps struct {
	orders []string
	byRuns int                         // of them: the order is the same, and the ledger has moved on
	events map[string]map[EventID]bool // by target
}

// maxMovedListed bounds how many moved orders a refusal names.
const maxMovedListed = 20

func (m *movedSteps) add(target string, id EventID, why string) (first bool) {
	if m.events[target] == nil {
		m.events[target] = map[EventID]bool{}
	}
	if m.events[target][id] {
		return false
	}
	m.events[target][id] = true
	m.orders = append(m.orders, fmt.Sprintf("%s at %s: %s", orderOf(id), target, why))
	return true
}

func (m *movedSteps) refused() error {
	shown := slices.Clone(m.orders[:min(len(m.orders), maxMovedListed)])
	if m.byRuns == len(m.orders) {
		return &PlanRefused{Code: RefusedLedger, Moved: shown,
			Text: fmt.Sprintf("the ledger has moved since the plan was made: others worked on %d of its messages; make a new plan, or send the others with --skip-moved", len(m.orders))}
	}
	return &PlanRefused{Code: RefusedOrdersMoved, Moved: shown,
		Text: fmt.Sprintf("no longer what the plan saw: %d of its messages; make a new plan, or send the others with --skip-moved", len(m.orders))}
}

// checkPlan makes sure that a plan, which is whole and signed, still holds.
// What was moved is returned, anything else is a *PlanRefused.
func (r *Runner) checkPlan(ctx context.Context, led Ledger, plan *Plan) (*movedSteps, error) {
	if err := r.expired(plan); err != nil {
		return nil, err
	}
	if err := r.checkApproval(plan); err != nil {
		return nil, err
	}
	if err := errors.Join(r.sameTargets(plan), sameLedger(led, plan)); err != nil {
		return nil, err
	}
	moved := &movedSteps{events: map[string]map[EventID]bool{}}
	if err := r.ordersMoved(ctx, plan, moved); err != nil {
		return nil, err
	}
	if err := r.chargedSince(ctx, led, plan, moved); err != nil {
		return nil, err
	}
	return moved, r.entriesMoved(ctx, led, plan, moved)
}

// sameTargets refuses a plan that was made for another configuration.
func (r *Runner) sameTargets(plan *Plan) error {
	for _, pt := range plan.Targets {
		t := r.target(pt.Target)
		if t == nil || t.Digest != pt.Digest {
			return &PlanRefused{Code: RefusedConfig,
				Text: fmt.Sprintf("the configuration of %s is no longer the one that the plan was made with; make a new plan", pt.Target)}
		}
	}
	return nil
}

// sameLedger refuses a plan that was made with another ledger.
func sameLedger(led Ledger, plan *Plan) error {
	head := led.Head()
	if plan.Ledger.Ledger != "" && (head.Ledger != plan.Ledger.Ledger || head.Epoch != plan.Ledger.Epoch) {
		return &PlanRefused{Code: RefusedLedger, Text: "the plan was made with another ledger, or before this one was restored or copied; make a new plan"}
	}
	return nil
}

// expired refuses a plan whose time is over.
func (r *Runner) expired(plan *Plan) error {
	if !r.Clock().After(plan.Expires) {
		return nil
	}
	return &PlanRefused{Code: RefusedExpired,
		Text: fmt.Sprintf("the plan expired at %s; make a new one with makegood plan", plan.Expires.In(r.Zone).Format("2006-01-02 15:04 MST"))}
}

// ordersMoved reads the sources again over the plan's window and compares the
// orders of its steps.
func (r *Runner) ordersMoved(ctx context.Context, plan *Plan, moved *movedSteps) error {
	now, err := r.readAgain(ctx, plan)
	if err != nil {
		return err
	}
	for step, err := range plan.All() {
		if err != nil {
			return err
		}
		if step.Do != DoSend {
			continue
		}
		key, err := step.Event.ID.Key()
		if err != nil {
			return err
		}
		seen, there := now[step.Event.Facts.Source][key]
		same := seen.digest == step.Event.Facts.Digest
		if step.Event.Kind.Charges() {
			same = seen.chain == step.Event.Facts.Chain
		}
		switch {
		case !there:
			moved.add(step.Target, step.Event.ID, "the order is gone, left out, held back, bad or not permitted now")
		case !same:
			moved.add(step.Target, step.Event.ID, "the order has changed")
		}
	}
	return nil
}

// reread is what is compared of an order: what was bought, and what is due.
type reread struct{ digest, chain Digest }

// readAgain gives, by source, what the orders that the plan sends are now, as
// far as they are still orders.
func (r *Runner) readAgain(ctx context.Context, plan *Plan) (map[string]map[OrderKey]reread, error) {
	now := map[string]map[OrderKey]reread{}
	for step, err := range plan.All() {
		if err != nil {
			return nil, err
		}
		key, err := step.Event.ID.Key()
		if err != nil {
			return nil, err
		}
		source := step.Event.Facts.Source
		if now[source] == nil {
			now[source] = map[OrderKey]reread{}
		}
		now[source][key] = reread{}
	}
	for _, s := range r.Sources {
		if len(now[s.Name()]) == 0 {
			continue
		}
		if err := r.readDigests(ctx, s, plan.Window, now[s.Name()]); err != nil {
			return nil, err
		}
	}
	return now, nil
}

func (r *Runner) readDigests(ctx context.Context, s SourceSpec, w Window, now map[OrderKey]reread) error {
	meter := r.begin(StageReading+s.Name()+" again", 0)
	defer meter.End()
	there := map[OrderKey]bool{}
	for h, err := range s.Heads(ctx, w) {
		if err != nil {
			return fmt.Errorf("read %s again: %w", s.Name(), err)
		}
		meter.Add(1)
		if _, asked := now[h.Key]; asked && len(h.Bad) == 0 && h.LeftOut == "" && h.Hold == "" && !h.Merged && h.Permitted {
			now[h.Key] = reread{h.Digest, ChainDigest(h)}
			there[h.Key] = true
		}
	}
	for key := range now {
		if !there[key] {
			delete(now, key)
		}
	}
	return ctx.Err()
}

// entriesMoved compares the ledger's entries with what the plan saw. What is
// done by now needs nothing: the claim will find it.
func (r *Runner) entriesMoved(ctx context.Context, led Ledger, plan *Plan, moved *movedSteps) error {
	var chunk []PlannedStep
	compare := func() error {
		if len(chunk) == 0 {
			return nil
		}
		ids := make([]EventID, len(chunk))
		for i, s := range chunk {
			ids[i] = s.Event.ID
		}
		target := chunk[0].Target
		have, err := led.Find(ctx, target, ids)
		if err != nil {
			return fmt.Errorf("look up what %s was sent: %w", target, err)
		}
		for _, s := range chunk {
			if e := have[s.Event.ID]; e.Version != s.Seen && e.State != StateDone && moved.add(target, s.Event.ID, "another run has worked on it") {
				moved.byRuns++
			}
		}
		chunk = chunk[:0]
		return nil
	}
	for step, err := range plan.All() {
		if err != nil {
			return err
		}
		if step.Do != DoSend {
			continue
		}
		if len(chunk) == decideAtOnce || len(chunk) > 0 && chunk[0].Target != step.Target {
			if err := compare(); err != nil {
				return err
			}
		}
		chunk = append(chunk, step)
	}
	return compare()
}
