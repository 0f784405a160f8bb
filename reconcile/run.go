package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	res.Listed = p.list.listed(req.Nearest)
	for i := range res.Targets {
		acct := p.unsent[res.Targets[i].Target]
		if acct == nil {
			continue
		}
		if err := errors.Join(acct.failure, res.Targets[i].Balance.Merge(acct.result.Balance),
			res.Targets[i].Expiring.merge(acct.result.Expiring)); err != nil {
			return res, err
		}
	}
	charging, err := r.NeedsApproval(plan)
	res.Plan.NeedsApproval, res.Plan.ByKey = len(charging) > 0, len(charging) > 0 && len(r.Approvers) > 0
	res.Finished = r.Clock().UTC()
	return res, err
}

// unsentReason is why a step of a plan that is not carried out is left.
func (r *Runner) unsentReason(mode string) Reason {
	if Sends(mode) {
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

// Run plans and carries the plan out at once. The run has the name of the
// request's command.
func (r *Runner) Run(ctx context.Context, led Ledger, req Request) (Result, error) {
	res := r.newResult(cmp.Or(req.Command, "run"))
	if err := r.open(ctx, led, &res, req); err != nil {
		return res, err
	}
	res.Carried = req.Rounds
	plan, p, err := r.makePlan(ctx, led, req, res.Run)
	if err != nil {
		return res, errors.Join(err, r.close(led, &res, nil, err))
	}
	r.describe(&res, plan, p)
	res.Listed = p.list.listed(req.Nearest)
	kept := res.Plan
	res.Plan, plan.ordinary = nil, true // it is carried out and removed
	err = r.carry(ctx, led, plan, &res)
	if keepPlan(&res) {
		res.Plan = kept
	}
	err = errors.Join(err, r.close(led, &res, plan, err))
	if res.Plan != nil {
		return res, err
	}
	return res, errors.Join(err, RemovePlan(plan.Path))
}

// RemovePlan deletes a plan and what lies beside it: they hold addresses.
func RemovePlan(path string) error {
	err := os.Remove(path)
	for _, beside := range []string{DiaryOf(path), approvalOf(path)} {
		if gone := os.Remove(beside); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	if err != nil {
		return fmt.Errorf("remove the plan: %w", err)
	}
	return nil
}

// Apply carries a plan out, after it has made sure that the plan still holds:
// not expired, made for this configuration and this ledger, its orders and
// entries unchanged. It sends what stands in the plan or less, never more. The
// run has the name of the request's command.
func (r *Runner) Apply(ctx context.Context, led Ledger, plan *Plan, req Request) (Result, error) {
	res := r.newResult(cmp.Or(req.Command, "apply"))
	res.Window, res.Backfill = plan.Window, plan.Backfill
	if plan.Part != nil {
		return res, altered("this is a part of a plan, which workers carry out")
	}
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
	res.Approval = plan.approval
	plan.moved = moved.events
	err = r.carry(ctx, led, plan, &res)
	err = errors.Join(err, r.close(led, &res, plan, err))
	return res, errors.Join(err, RemovePlan(plan.Path))
}

func (r *Runner) newResult(command string) Result {
	return Result{Run: r.NewRun(), Command: command, Started: r.Clock().UTC(), Accepted: r.Accepted, Strict: r.Strict}
}

// open registers the run and keeps the ledger's head beside it.
func (r *Runner) open(ctx context.Context, led Ledger, res *Result, req Request) error {
	if err := CheckClock(ctx, led, r.Clock, r.ClockIsRight); err != nil {
		return err
	}
	rec := RunRecord{Run: res.Run, Command: res.Command, Started: res.Started, Window: Window{From: req.From, To: req.To}, Slot: req.Slot, InsteadOf: req.InsteadOf}
	if r.Scope != nil {
		rec.Schedule, res.Schedule, res.Slot, res.Part = r.Scope.Name, r.Scope.Name, req.Slot, r.Scope.partial()
	}
	if err := led.Begin(ctx, rec); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	res.Head = led.Head()
	return r.SaveHead(res.Head)
}

// describe fills a result with what planning found. Balances are still
// without what the plan sends.
func (r *Runner) describe(res *Result, plan *Plan, p *planner) {
	res.Window, res.Backfill = plan.Window, plan.Backfill
	res.Plan = &PlanRef{Path: plan.Path, Run: plan.Run, Digest: plan.Digest, Expires: plan.Expires}
	res.Lookups = plan.Lookups
	for _, s := range plan.Sources {
		found := s.result(p)
		found.Loose, found.LooseEarlier = r.looseMarks(s.Loose, r.LooseBefore[s.Source])
		for _, silent := range found.SilentStores {
			if r.SilentBefore[s.Source][silent.Store] {
				found.SilentBefore++
			}
		}
		res.Sources = append(res.Sources, found)
	}
	for _, pt := range plan.Targets {
		t := r.target(pt.Target)
		if t == nil {
			continue
		}
		tr := TargetResult{Target: pt.Target, Err: pt.failure(p), Type: t.Type, Mode: t.Mode, Balance: pt.Balance, Doubts: pt.Doubts,
			DoubtsFound: pt.DoubtsFound, Stopped: pt.Stopped, Orphans: pt.Orphans, Corrections: pt.Corrections, Met: pt.Met,
			CorrectionsFound: pt.CorrectionsFound, CorrectionsResent: pt.CorrectionsResent, Reversals: pt.Reversals, Expiring: pt.Expiring, Unknown: pt.Unknown, Earlier: pt.Earlier, MissedBy: pt.MissedBy, TooEarly: pt.TooEarly, Backlog: pt.Backlog, Falling: pt.Falling, Fallen: pt.Fallen, DoubtEnds: mergesAll(t)}
		tr.Balance.Times.zone = r.Zone
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
	res := SourceResult{Source: s.Source, Tally: s.Tally, Bad: s.Bad, NoDestination: s.NoDestination, Stray: s.Stray, Numbers: s.Numbers, Custom: s.Custom,
		BadEarlier: s.BadEarlier, NotUnique: s.NotUnique, Stores: s.Stores, Quiet: s.Quiet, SilentStores: s.Silent, SeenLate: s.SeenLate, Closed: s.Closed, Days: s.Days}
	res.Tally.Problems, res.Tally.Notes, res.Tally.Newest = s.Problems, s.Notes, s.Newest
	switch {
	case p != nil:
		res.Err, res.Survey = p.sources[s.Source].Err, p.sources[s.Source].Survey
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
