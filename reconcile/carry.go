package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// carry adopts what evidence settled and sends what the plan says, one lane
// per target, all at the same time.
func (r *Runner) carry(ctx context.Context, led Ledger, plan *Plan, res *Result) error {
	if err := r.keep(ctx, led, plan, res.Run); err != nil && ctx.Err() == nil {
		return err
	}
	var lanes sync.WaitGroup
	errs := make([]error, len(res.Targets))
	for i := range res.Targets {
		lanes.Go(func() { errs[i] = r.carryTarget(ctx, led, plan, res.Run, &res.Targets[i]) })
	}
	lanes.Wait()
	return errors.Join(errs...)
}

func (r *Runner) carryTarget(ctx context.Context, led Ledger, plan *Plan, run RunID, tr *TargetResult) error {
	t, pt := r.target(tr.Target), plan.target(tr.Target)
	acct := newAccount(tr, pt.EarliestLeft)
	acct.target, acct.clock, acct.seen = t, r.Clock, r.Seen
	if t.live() {
		tr.Mail.After = t.MailAfter
	}
	acct.keep = func(decided []Decision) error { return led.Decide(context.WithoutCancel(ctx), run, decided) }
	steps, sends := 0, map[Kind]int{}
	for _, kind := range plan.Kinds(tr.Target) {
		sp := plan.index[section{tr.Target, kind}]
		steps, sends[kind] = steps+sp.steps, sp.sends
	}
	meter := r.begin(StageSending+tr.Target, steps)
	defer meter.End()
	var err error
	if t.live() {
		if err = r.adopt(ctx, led, plan, run, tr.Target); err != nil {
			reason := ReasonLedgerFailed
			if ctx.Err() != nil {
				reason = ReasonInterrupted
			}
			return errors.Join(err, r.leave(plan, tr.Target, acct, reason))
		}
		switch {
		case t.NeedsApproval && plan.approval == nil:
			err = r.leave(plan, tr.Target, acct, ReasonNeedsApproval)
		case t.brake(plan, sends, tr):
			err = r.leave(plan, tr.Target, acct, ReasonBrake)
		default:
			err = r.send(ctx, &lane{Runner: r, target: t, led: led, run: run, plan: plan, acct: acct, meter: meter}, tr)
		}
	} else {
		err = r.leave(plan, tr.Target, acct, ReasonShadow)
	}
	acct.flush()
	tr.Mail.count(&tr.Balance)
	if err == nil && acct.failure == nil { // else some steps may not have been met at all
		r.cover(plan, pt, tr, acct)
		err = r.look(ctx, led, plan, tr)
	}
	return errors.Join(err, acct.failure)
}

// send carries out what a lane may send.
func (r *Runner) send(ctx context.Context, l *lane, tr *TargetResult) error {
	from, err := l.plan.candidates(l.target)
	if err != nil {
		return err
	}
	l.allow = newAllowance(l.target, from)
	l.allow.brake = l.plan.ordinary && l.target.Usual.known()
	err = l.send(ctx)
	tr.Stopped = cmp.Or(tr.Stopped, l.target.Stopped(), l.allow.why())
	return err
}

// adoptAtOnce is how many adoptions go into one transaction.
const adoptAtOnce = 1000

// adopt records what evidence settled, before the first send, so that a later
// purge of the evidence changes nothing.
func (r *Runner) adopt(ctx context.Context, led Ledger, plan *Plan, run RunID, target string) error {
	var batch []Adoption
	flush := func() error {
		err := ctx.Err() // a run that is over adopts nothing, however quick the ledger is
		if err == nil {
			_, err = led.Adopt(ctx, target, run, batch)
		}
		batch = batch[:0]
		if err != nil {
			return fmt.Errorf("adopt what others sent to %s: %w", target, err)
		}
		return nil
	}
	for _, kind := range plan.Kinds(target) {
		for step, err := range plan.Steps(target, kind) {
			if err != nil {
				return err
			}
			if step.Do != DoAdopt {
				continue
			}
			batch = append(batch, step.adoption())
			if len(batch) == adoptAtOnce {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if len(batch) > 0 {
		return flush()
	}
	return nil
}

// adoption is what an adopting step records.
func (s PlannedStep) adoption() Adoption {
	e := s.Event
	return Adoption{Want: Want{ID: e.ID, Kind: e.Kind, Person: e.Person, Value: e.Value, Facts: e.Facts}, By: s.By,
		Who: s.Who, At: e.Expiry, Receipt: s.Receipt, Seen: s.Seen}
}

// cover works out up to when nothing is left to do for each source, and what
// the next run will no longer read.
func (r *Runner) cover(plan *Plan, pt PlannedTarget, tr *TargetResult, acct *account) {
	t := r.target(tr.Target)
	if plan.Backfill || pt.Mode != t.Mode {
		return // a plan of another mode starts where that mode's coverage ends
	}
	tr.CoveredTo = map[string]time.Time{}
	for _, s := range plan.Sources {
		if s.Error != "" || !t.Reads(s.Source) {
			continue
		}
		to := plan.Window.To
		if young := plan.AsOf.Add(-t.MinAge); to.After(young) {
			to = young
		}
		if left, ok := acct.left[s.Source]; ok && left.Before(to) {
			to = left
		}
		tr.CoveredTo[s.Source] = to
		if r.Scope == nil || r.Scope.Lookback == nil { // what a shorter look leaves, an ordinary one reads
			tr.leaving(pt.HeldTimes[s.Source], r.lookBack(to))
		}
	}
}

// leaving counts held-back orders that were completed before the next run's
// period begins.
func (tr *TargetResult) leaving(held []int64, begins time.Time) {
	for _, at := range held {
		if at >= begins.Unix() {
			break // they are sorted
		}
		tr.Leaving++
		if t := time.Unix(at, 0).UTC(); tr.LeavingFrom.IsZero() || t.Before(tr.LeavingFrom) {
			tr.LeavingFrom = t
		}
	}
}

// close stores the run's end; cause is what ended it early, nil otherwise. It
// does not listen to cancellation.
func (r *Runner) close(led Ledger, res *Result, plan *Plan, cause error) error {
	res.Finished, res.Err = r.Clock().UTC(), cause
	end := RunEnd{Run: res.Run, Finished: res.Finished, Window: res.Window}
	end.Summary, end.Exit = r.Summarize(*res)
	if plan != nil {
		end.Covered = r.coverage(res)
		for _, s := range res.Sources {
			end.Days = append(end.Days, s.Days...)
		}
		for _, pt := range plan.Targets {
			for name, days := range pt.Evidence {
				for _, day := range slices.Sorted(maps.Keys(days)) {
					end.Evidence = append(end.Evidence, EvidenceDay{Evidence: name, Day: day, Rows: days[day]})
				}
			}
		}
	}
	if err := led.End(context.Background(), end); err != nil {
		return fmt.Errorf("end the run: %w", err)
	}
	res.Head = led.Head()
	return r.SaveHead(res.Head)
}

func (r *Runner) coverage(res *Result) []Coverage {
	var all []Coverage
	for _, tr := range res.Targets {
		for _, source := range slices.Sorted(maps.Keys(tr.looked)) {
			all = append(all, Coverage{Source: source, Target: tr.Target, Mode: modeLooked, To: tr.looked[source]})
		}
		for _, source := range slices.Sorted(maps.Keys(tr.CoveredTo)) {
			all = append(all, Coverage{Source: source, Target: tr.Target, Mode: r.covers(tr.Mode), To: tr.CoveredTo[source]})
		}
	}
	return all
}
