package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Plan works out what is missing and writes it to a plan file. It changes
// nothing else: led is only read, and no connection to a target is made.
func (r *Runner) Plan(ctx context.Context, led Reader, req Request) (Result, error) {
	res := r.newResult("plan")
	plan, p, err := r.makePlan(ctx, led, req, res.Run)
	if err != nil {
		res.Finished = r.Clock().UTC()
		return res, err
	}
	r.describe(&res, plan, p)
	for i := range res.Targets {
		acct := p.unsent[res.Targets[i].Target]
		if acct == nil {
			continue
		}
		if err := errors.Join(acct.failure, res.Targets[i].Balance.Merge(acct.result.Balance)); err != nil {
			return res, err
		}
	}
	res.Finished = r.Clock().UTC()
	return res, nil
}

// unsentReason is why a step of a plan that is not carried out is left.
func (r *Runner) unsentReason(mode string) Reason {
	if mode == ModeLive {
		return ReasonPlanned
	}
	return ReasonShadow
}

// leave counts every step of a target as left.
func (r *Runner) leave(plan *Plan, target string, acct *account, reason Reason) error {
	for _, kind := range plan.Kinds(target) {
		for step, err := range plan.Steps(target, kind) {
			if err != nil {
				return err
			}
			if step.Do == DoSend {
				acct.end(step, Place{BucketLeft, reason}, "")
			}
		}
	}
	return acct.failure
}

// Run plans and carries the plan out at once.
func (r *Runner) Run(ctx context.Context, led Ledger, req Request) (Result, error) {
	res := r.newResult("run")
	if err := r.open(ctx, led, &res, req); err != nil {
		return res, err
	}
	plan, p, err := r.makePlan(ctx, led, req, res.Run)
	if err != nil {
		return res, errors.Join(err, r.close(led, &res, nil))
	}
	r.describe(&res, plan, p)
	res.Plan = nil // it is carried out and removed
	err = r.carry(ctx, led, plan, &res)
	err = errors.Join(err, r.close(led, &res, plan))
	return res, errors.Join(err, RemovePlan(plan.Path))
}

// RemovePlan deletes a plan and what lies beside it: they hold addresses.
func RemovePlan(path string) error {
	err := os.Remove(path)
	if gone := os.Remove(diaryOf(path)); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("remove the plan: %w", err)
	}
	return nil
}

// Apply carries a plan out, after it has made sure that the plan still holds:
// not expired, made for this configuration and this ledger, its orders and
// entries unchanged. It sends what stands in the plan or less, never more.
func (r *Runner) Apply(ctx context.Context, led Ledger, plan *Plan, req Request) (Result, error) {
	res := r.newResult("apply")
	res.Window, res.Backfill = plan.Window, plan.Backfill
	moved, err := r.checkPlan(ctx, led, plan)
	if err != nil {
		return res, err
	}
	if len(moved.orders) > 0 && !req.SkipMoved {
		return res, moved.refused()
	}
	if err := r.open(ctx, led, &res, req); err != nil {
		return res, err
	}
	r.describe(&res, plan, nil)
	plan.moved = moved.events
	err = r.carry(ctx, led, plan, &res)
	err = errors.Join(err, r.close(led, &res, plan))
	return res, errors.Join(err, RemovePlan(plan.Path))
}

func (r *Runner) newResult(command string) Result {
	return Result{Run: r.NewRun(), Command: command, Started: r.Clock().UTC(), Accepted: r.Accepted}
}

// open registers the run and keeps the ledger's head beside it.
func (r *Runner) open(ctx context.Context, led Ledger, res *Result, req Request) error {
	if err := r.checkClock(ctx, led); err != nil {
		return err
	}
	rec := RunRecord{Run: res.Run, Command: res.Command, Started: res.Started, Window: Window{From: req.From, To: req.To}}
	if err := led.Begin(ctx, rec); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	res.Head = led.Head()
	return r.SaveHead(res.Head)
}

// clockSlack is how far this host's clock may be behind the ledger.
const clockSlack = 5 * time.Second

// checkClock refuses to run with a clock that has jumped back: ages, windows
// and waits would all be judged wrongly.
func (r *Runner) checkClock(ctx context.Context, led Reader) error {
	newest, err := led.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read when the ledger was last written: %w", err)
	}
	if now := r.Clock(); newest.Sub(now) > clockSlack && !r.ClockIsRight {
		return fmt.Errorf("begin a run at %s: the ledger was written at %s: set this machine's clock; "+
			"if it was wrong then and is right now, say --clock-is-right", now.UTC().Format(time.RFC3339), newest.Format(time.RFC3339))
	}
	return nil
}

// describe fills a result with what planning found. Balances are still
// without what the plan sends.
func (r *Runner) describe(res *Result, plan *Plan, p *planner) {
	res.Window, res.Backfill = plan.Window, plan.Backfill
	res.Plan = &PlanRef{Path: plan.Path, Digest: plan.Digest, Expires: plan.Expires}
	res.Lookups = plan.Lookups
	for _, s := range plan.Sources {
		res.Sources = append(res.Sources, s.result(p))
	}
	for _, pt := range plan.Targets {
		t := r.target(pt.Target)
		if t == nil {
			continue
		}
		tr := TargetResult{Target: pt.Target, Err: pt.failure(p), Type: t.Type, Mode: t.Mode, Balance: pt.Balance, Doubts: pt.Doubts,
			DoubtsFound: pt.DoubtsFound, Stopped: pt.Stopped, Orphans: pt.Orphans, Corrections: pt.Corrections, Met: pt.Met,
			CorrectionsFound: pt.CorrectionsFound, CorrectionsResent: pt.CorrectionsResent, Reversals: pt.Reversals, DoubtEnds: mergesAll(t)}
		for _, s := range res.Sources {
			if s.Err != nil && t.Reads(s.Source) {
				tr.Unread = append(tr.Unread, s.Source)
			}
		}
		res.Targets = append(res.Targets, tr)
	}
}

// failure gives back what kept a target from being worked on; p, where the
// plan was made in this process, has the error itself.
func (t PlannedTarget) failure(p *planner) error {
	if p != nil {
		for _, tp := range p.targets {
			if tp.Name() == t.Target {
				return tp.err
			}
		}
	}
	if t.Error != "" {
		return errors.New(t.Error)
	}
	return nil
}

// result gives back a source's result; p, where the plan was made in this
// process, has the error itself.
func (s PlannedSource) result(p *planner) SourceResult {
	res := SourceResult{Source: s.Source, Tally: s.Tally, Bad: s.Bad, NoDestination: s.NoDestination, Stray: s.Stray, Numbers: s.Numbers}
	res.Tally.Problems, res.Tally.Notes, res.Tally.Newest = s.Problems, s.Notes, s.Newest
	switch {
	case p != nil:
		res.Err = p.sources[s.Source].Err
	case s.Error != "":
		res.Err = errors.New(s.Error)
	}
	return res
}

func mergesAll(t *Target) bool {
	for _, traits := range t.Traits() {
		if !traits.MergesRepeats {
			return false
		}
	}
	return true
}

func (r *Runner) target(name string) *Target {
	i := slices.IndexFunc(r.Targets, func(t *Target) bool { return t.Name() == name })
	if i < 0 {
		return nil
	}
	return r.Targets[i]
}

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
	acct.keep = func(decided []Decision) error { return led.Decide(context.WithoutCancel(ctx), run, decided) }
	steps := 0
	for _, kind := range plan.Kinds(tr.Target) {
		steps += plan.index[section{tr.Target, kind}].steps
	}
	meter := r.begin("sending to "+tr.Target, steps)
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
		lane := &lane{Runner: r, target: t, led: led, run: run, plan: plan, acct: acct, meter: meter}
		err = lane.send(ctx)
		if tr.Stopped == "" {
			tr.Stopped = t.Stopped()
		}
	} else {
		err = r.leave(plan, tr.Target, acct, ReasonShadow)
	}
	acct.flush()
	r.cover(plan, pt, tr, acct)
	return errors.Join(err, acct.failure)
}

// adoptAtOnce is how many adoptions go into one transaction.
const adoptAtOnce = 1000

// adopt records what evidence settled, before the first send, so that a later
// purge of the evidence changes nothing.
func (r *Runner) adopt(ctx context.Context, led Ledger, plan *Plan, run RunID, target string) error {
	var batch []Adoption
	flush := func() error {
		_, err := led.Adopt(ctx, target, run, batch)
		batch = batch[:0]
		if err != nil {
			return fmt.Errorf("adopt what others sent to %s: %w", target, err)
		}
		return nil
	}
	for step, err := range plan.Steps(target, KindPurchase) {
		if err != nil {
			return err
		}
		if step.Do != DoAdopt {
			continue
		}
		e := step.Event
		batch = append(batch, Adoption{Want: Want{ID: e.ID, Kind: e.Kind, Person: e.Person, Value: e.Value, Facts: e.Facts}, By: step.By,
			Who: step.Who, At: e.Expiry, Seen: step.Seen})
		if len(batch) == adoptAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		return flush()
	}
	return nil
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
		tr.leaving(pt.HeldTimes[s.Source], r.daysBefore(to, r.Lookback))
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

// close stores the run's end. It does not listen to cancellation.
func (r *Runner) close(led Ledger, res *Result, plan *Plan) error {
	res.Finished = r.Clock().UTC()
	end := RunEnd{Run: res.Run, Finished: res.Finished, Window: res.Window}
	end.Summary, end.Exit = r.Summarize(*res)
	if plan != nil {
		end.Covered = r.coverage(res)
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
		for _, source := range slices.Sorted(maps.Keys(tr.CoveredTo)) {
			all = append(all, Coverage{Source: source, Target: tr.Target, Mode: tr.Mode, To: tr.CoveredTo[source]})
		}
	}
	return all
}

// CleanPlans removes plans older than keep and what a killed planner left.
func CleanPlans(stateDir string, now time.Time, keep time.Duration) error {
	var old []string
	for _, pattern := range []string{filepath.Join("plans", "*"), "heads-*.tmp", "sort-*.tmp"} {
		found, err := filepath.Glob(filepath.Join(stateDir, pattern))
		if err != nil {
			return fmt.Errorf("look for old plans: %w", err)
		}
		old = append(old, found...)
	}
	for _, path := range old {
		info, err := os.Stat(path)
		if err != nil || now.Sub(info.ModTime()) < keep {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old plan: %w", err)
		}
	}
	return nil
}
