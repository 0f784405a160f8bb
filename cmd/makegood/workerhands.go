package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/sinks"
	"makegood/sources"
)

// workerHands do the jobs of a worker, each wired for itself.
type workerHands struct {
	*app
	cfg          *config.Config
	led          *ledger.Store
	paces        map[string]*sinks.Pace
	places       map[string]reconcile.Places
	parallel     int
	clockIsRight bool
	heads        sync.Mutex // one head is written at a time
}

// sliceOptions are what a person said who asked for a backfill.
type sliceOptions struct {
	AcceptEvidence []string `json:"accept_evidence,omitempty"`
	Note           string   `json:"note,omitempty"`
	ChangesRight   bool     `json:"changes_right,omitempty"`
	Strict         bool     `json:"strict,omitempty"`
}

// errOtherSettings says that a worker does not know what a backfill is about.
var errOtherSettings = errors.New("this worker has another configuration than the backfill was asked for with: give all machines the same file, and start this worker again")

// sourceError is a source that cannot be read.
type sourceError struct {
	name string
	err  error
}

func (e *sourceError) Error() string { return e.name + ": " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// What kinds of things go wrong with a job.
const (
	classSettings = workers.ClassSettings
	classSource   = "source"
)

// Class implements workers.Hands.
func (h *workerHands) Class(err error) string {
	switch {
	case isError[*reconcile.ClockError](err):
		return workers.ClassClock
	case errors.Is(err, errOtherSettings) || codeOf(err) == exitConfig:
		return classSettings
	case isError[*sourceError](err):
		return classSource
	}
	return ""
}

func isError[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}

// Forget implements workers.Hands.
func (h *workerHands) Forget(hidden []string) error {
	lines, err := opened(h.cfg, hidden)
	if err != nil {
		return err
	}
	h.heads.Lock() // the file is written by one at a time
	defer h.heads.Unlock()
	return remember(h.cfg.StateDir, lines)
}

// Lacks implements workers.Hands.
func (h *workerHands) Lacks() (names []string) {
	for name, source := range h.cfg.Sources {
		if sources.Absent(source) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// begin wires a job over a slice.
func (h *workerHands) begin(ctx context.Context, s workers.Slice, targets []string) (*session, error) {
	if own := reports.NewSettings(h.cfg.Settings).Digest; own != s.Settings {
		return nil, errOtherSettings
	}
	var o sliceOptions
	if err := json.Unmarshal(s.Options, &o); err != nil {
		return nil, fmt.Errorf("read what the backfill was asked for with: %w", err)
	}
	f := &runFlags{targets: targets, acceptEvidence: o.AcceptEvidence, note: o.Note, changesRight: o.ChangesRight, strict: o.Strict,
		clockIsRight: h.clockIsRight, paces: h.paces, places: h.places}
	w, err := h.wire(ctx, shared(h.cfg, h.parallel), f)
	if err != nil {
		return nil, err
	}
	w.SaveHead = func(head reconcile.LedgerHead) error {
		h.heads.Lock()
		defer h.heads.Unlock()
		return ledger.WriteHead(w.head, head)
	}
	return &session{app: h.app, wiring: w, flags: f, led: h.led,
		req: reconcile.Request{Command: "backfill", From: s.Window.From, To: s.Window.To, Rounds: s.Runs, Beside: s.Beside}}, nil
}

// rereads is how often a slice whose source cannot be read is tried again before
// the rest of it goes without.
const rereads = 2

// Plan implements workers.Hands.
func (h *workerHands) Plan(ctx context.Context, s workers.Slice) (p workers.Planned, err error) {
	job, err := h.begin(ctx, s, s.Targets)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	if err := job.usual(ctx, h.led); err != nil {
		return p, err
	}
	res, err := job.Plan(ctx, h.led, job.req)
	if res.Plan != nil {
		p.Plan, p.Decisions = res.Plan.Path, reconcile.DiaryOf(res.Plan.Path)
	}
	if err != nil {
		return p, err
	}
	for _, source := range res.Sources {
		if source.Err != nil && s.Failures < rereads {
			return p, &sourceError{source.Source, source.Err}
		}
	}
	whole, err := job.OpenOwn(res.Plan.Path)
	if err != nil {
		return p, err
	}
	for _, tr := range res.Targets {
		p.Waits = p.Waits || s.Beside && left(tr, reconcile.ReasonMoved) > 0
		parts, err := job.cut(whole, s, tr)
		if err != nil {
			return p, err
		}
		p.Parts = append(p.Parts, parts...)
	}
	return p, nil
}

// How many parts a plan has for a destination: at most mostParts, of partSteps or
// more messages each.
const (
	mostParts = 16
	partSteps = 100
)

// cut cuts what a plan of a slice sends to a destination into parts. What one run
// may send is limited in one part, and in none of a slice that runs have worked on
// already: they may have sent as much.
func (s *session) cut(whole *reconcile.Plan, of workers.Slice, tr reconcile.TargetResult) (list []workers.PlannedPart, err error) {
	t := s.targetNamed(tr.Target)
	once := s.limited(t.Name())
	if !reconcile.Sends(t.Mode) || t.NeedsApproval || once && len(of.Runs) > 0 {
		return nil, nil
	}
	n := min(mostParts, 1+tr.Balance.Of(reconcile.BucketLeft).Events/partSteps)
	if once {
		n = 1
	}
	parts, err := whole.Parts(s.Key, t.Name(), n)
	for _, part := range parts {
		list = append(list, workers.PlannedPart{Target: t.Name(), N: part.Part.N, Path: part.Path, Once: once})
	}
	return list, err
}

// limited reports whether what one run may send to a destination is limited.
func (s *session) limited(target string) bool {
	t := s.cfg.Targets[target]
	return t.Trial != nil || t.Budget != nil || t.PerRun > 0
}

func (s *session) targetNamed(name string) *reconcile.Target {
	i := slices.IndexFunc(s.Targets, func(t *reconcile.Target) bool { return t.Name() == name })
	return s.Targets[i]
}

// Carry implements workers.Hands.
func (h *workerHands) Carry(ctx context.Context, p workers.Part, file string, run reconcile.RunID) (got workers.Carried, err error) {
	job, err := h.begin(ctx, p.Slice, []string{p.Target})
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	if err := job.remember(ctx, h.led); err != nil {
		return got, err
	}
	part, err := reconcile.OpenPlan(file, job.Key)
	if err != nil {
		return got, err
	}
	job.Runner.NewRun = func() reconcile.RunID { return run }
	job.req.Command, job.req.Begun = ledger.CommandWorker, p.Begun
	res, err := job.Carry(ctx, h.led, part, p.Runs, job.req)
	if refused, is := errors.AsType[*reconcile.PlanRefused](err); is {
		h.log.Info("a part of a plan no longer holds; its slice is planned anew", "reason", refused.Text)
		return got, nil
	}
	for _, tr := range res.Targets {
		got.Stopped = tr.Stopped
		got.Cut = tr.Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonInterrupted}] != nil
	}
	got.Again = job.another(res, runAgain)
	return got, err
}

// rounds is how often a slice is planned at most.
const rounds = 5

// Sum implements workers.Hands.
func (h *workerHands) Sum(ctx context.Context, s workers.Slice, file string, parts []workers.Part) (got workers.Summed, err error) {
	job, err := h.begin(ctx, s, s.Targets)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	if err := job.usual(ctx, h.led); err != nil {
		return got, err
	}
	plan, err := job.OpenOwn(file)
	if err != nil {
		return got, err
	}
	by := reconcile.CarriedOut{Runs: slices.Clone(s.Runs), Stopped: map[string]string{}}
	var last []reconcile.RunID
	for _, p := range parts {
		by.Runs = append(by.Runs, p.Runs...)
		last = append(last, p.Runs[max(0, len(p.Runs)-1):]...)
		by.Stopped[p.Target] = max(by.Stopped[p.Target], p.Stopped)
	}
	ended, err := h.led.RunsEnded(ctx, last)
	if err != nil {
		return got, err
	}
	by.Ended = len(last) == len(parts) && len(ended) == len(last)
	res, err := job.Sum(ctx, h.led, plan, by, job.req)
	if err != nil {
		return got, err
	}
	one := &slice{Window: s.Window, State: sliceWaits}
	one.take(res, nil, false)
	if got.Again = s.Round < rounds && one.stopped() == "" && job.another(res, planAnew); got.Again {
		return got, nil
	}
	if got.Ends = reports.Mask(one.stopped()); one.unread {
		got.Ends = sliceFailedEnds
	}
	got.Told, err = json.Marshal(one)
	return got, err
}

// sliceFailedEnds is why a backfill ends in which a slice could not be worked on.
const sliceFailedEnds = "a slice failed"

// What another run of a part ends at once, and what a new plan does. A platform's
// doubts that a repeat ends are ended by another run.
var (
	runAgain = []reconcile.Reason{reconcile.ReasonInterrupted, reconcile.ReasonRetryable, reconcile.ReasonLedgerFailed, reconcile.ReasonBusy}
	planAnew = []reconcile.Reason{reconcile.ReasonInterrupted, reconcile.ReasonMoved, reconcile.ReasonLedgerFailed}
)

// another reports whether something is left for one of the reasons. What one run
// may send is limited at some destinations: there is no other then.
func (s *session) another(res reconcile.Result, reasons []reconcile.Reason) bool {
	for _, tr := range res.Targets {
		if s.limited(tr.Target) {
			continue
		}
		for _, p := range tr.Balance.Reasons() {
			if p.Bucket == reconcile.BucketLeft && slices.Contains(reasons, p.Reason) {
				return true
			}
		}
		if tr.DoubtEnds && tr.Balance.Of(reconcile.BucketInDoubt).Events > 0 && slices.Contains(reasons, reconcile.ReasonRetryable) {
			return true
		}
	}
	return false
}

// Fail implements workers.Hands.
func (h *workerHands) Fail(s workers.Slice, err error) workers.Summed {
	one := &slice{Window: s.Window, State: sliceWaits}
	one.take(reconcile.Result{}, err, false)
	text, _ := json.Marshal(one) // it holds texts and numbers alone
	return workers.Summed{Told: text, Ends: sliceFailedEnds}
}

// AnyAlive implements workers.Hands.
func (h *workerHands) AnyAlive(ctx context.Context, runs []reconcile.RunID) (bool, error) {
	return h.led.AnyAlive(ctx, runs)
}

// NewRun implements workers.Hands.
func (h *workerHands) NewRun() reconcile.RunID { return h.newRun() }

// Folder implements workers.Hands.
func (h *workerHands) Folder() string {
	dir := filepath.Join(h.cfg.StateDir, "plans")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.log.Warn("the folder of plans cannot be made", "error", err) // whoever writes there says so, too
	}
	return dir
}
