package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// backfillFlags are what backfill can be told.
type backfillFlags struct {
	runFlags
	slice    string
	parallel int
	plan     bool
	again    bool
	workers  bool
	detach   bool
	cancel   bool
	oneByOne bool // no slice is planned before those before it are over
}

func (a *app) backfillCommand() *cobra.Command {
	var f backfillFlags
	c := &cobra.Command{
		Use:   "backfill",
		Short: "Send what is missing of a long period, slice by slice; stopped, it goes on where it was",
		Long: `Works through a period in slices of calendar days, each a run of its own in
makegood runs, and ends with one report over all of them. What is next to become
too old for a destination (max_age) goes first, else the oldest; what is too old
for all of them comes last.

Stopped at any moment, the same command goes on where it was: a slice that ended
with nothing left in the last 7 days, under the same configuration, is not worked
on again (--again: it is), and in the others the ledger knows what was sent. One
that came to its end with nothing left begins anew when it is started again. What
the nightly runs have covered is not touched. Orders that shadow or a trial left
are sent: naming the period asks for them. Charges wait for makegood apply.

A slice whose evidence is in question (most of a day is missing) is left, and the
others go on: --accept-evidence is a person's word that there was an outage. A
source that cannot be read ends the backfill.

A budget (budget: of a destination) bounds each slice, as it bounds each run. A
destination that stops in a slice, for its budget, its fuse or a pause, ends the
backfill; the same command goes on. The brake that compares a run with the last
ones does not look at backfills: look at --plan before.

With --parallel several slices are worked on at a time; rate and concurrency of
each destination are shared among them. Where an order of one day may be a purchase
of another, or what one run may send is limited, they go one after the other. With
--workers the slices are worked on by the processes that run makegood worker, on any
number of machines: Ctrl-C leaves them at it, and the same command looks on again.`,
		GroupID: "outage",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood backfill --plan --from 2026-11-01 --to 2026-11-08
  makegood backfill --from 2026-11-01 --to 2026-11-08 --target activate
  makegood backfill --from 2026-01-01 --to 2026-07-01 --slice 7d --parallel 4
  makegood backfill --from 2026-01-01 --to 2026-07-01 --workers`,
		RunE: func(c *cobra.Command, _ []string) error { return a.backfill(c.Context(), &f) },
	}
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, such as 2026-11-01, in the configured zone (required)")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it; now if it is not given")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().StringVar(&f.slice, "slice", "1d", "how long a slice is: calendar days, or a time such as 6h")
	c.Flags().IntVar(&f.parallel, "parallel", 1, "how many slices at a time, at most 16")
	c.Flags().BoolVar(&f.plan, "plan", false, "show what each slice would send; send nothing, change nothing")
	c.Flags().BoolVar(&f.again, "again", false, "work on slices again that ended with nothing left")
	c.Flags().BoolVar(&f.workers, "workers", false, "leave the work to makegood worker, on any number of machines")
	c.Flags().BoolVar(&f.detach, "detach", false, "with --workers: do not look on")
	c.Flags().BoolVar(&f.cancel, "cancel", false, "with --workers: take out of the queue what has not begun, of every period")
	c.Flags().BoolVar(&f.json, "json", false, "write the report as JSON to standard output")
	c.Flags().BoolVar(&f.strict, "strict", false, "exit with 2 for what earlier runs have told of, too")
	c.Flags().BoolVar(&f.changesRight, "changes-are-right", false, "send changes again although more than half of the orders have changed after they were sent")
	f.evidence(c)
	f.ledger(c)
	return c
}

// maxParallel bounds how many slices are worked on at a time.
const maxParallel = 16

// backfill is one start of the command.
type backfill struct {
	*session
	flags  *backfillFlags
	slices []*slice
	past   ender
	reader reconcile.Reader // of a plan
	heads  sync.Mutex       // one head is written at a time
	mu     sync.Mutex
	over   int // slices that were worked on
	began  time.Time
	ended  string // why no further slice is begun
	failed error
}

func (a *app) backfill(ctx context.Context, f *backfillFlags) (err error) {
	usage := func(err error) error { return &usageError{command: "makegood backfill", err: err} }
	if err := f.checkWorkers(); err != nil {
		return usage(err)
	}
	if f.cancel {
		return a.cancelWorkers(ctx)
	}
	if f.from == "" {
		return usage(errors.New("--from is missing: say which period is to be worked through"))
	}
	if f.parallel < 1 || f.parallel > maxParallel {
		return usage(fmt.Errorf("--parallel %d: give a number from 1 to %d", f.parallel, maxParallel))
	}
	var span config.Span
	if err := span.UnmarshalText([]byte(f.slice)); err != nil {
		return usage(fmt.Errorf("--slice %s: write calendar days such as 1d, or a time such as 6h", f.slice))
	}
	s, err := a.begin(ctx, &f.runFlags, "backfill")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.mayBackfill(f.beside()); err != nil && !f.plan {
		return usage(err)
	}
	if why := s.oneByOne(); why != "" && f.beside() != "" {
		s.mention("the slices are planned one after the other: " + why)
		f.oneByOne, f.parallel = true, 1
	}
	f.sendTogether(s.cfg)
	b := &backfill{session: s, flags: f, began: a.clock()}
	now := s.Clock().UTC().Truncate(time.Second)
	if s.req.To.IsZero() || s.req.To.After(now) {
		s.req.To = now
	}
	if s.req.From.After(now) {
		return usage(fmt.Errorf("--from %s lies in the future: nothing of it can be missing yet", f.from))
	}
	if b.slices, err = slicesOf(reconcile.Window{From: s.req.From, To: s.req.To}, span, s.Zone); err != nil {
		return usage(err)
	}
	inTurn(b.slices, s.Targets, now)
	if f.workers {
		return b.byWorkers(ctx)
	}
	return b.all(ctx)
}

// beside is the flag by which several slices are worked on at a time; "": none.
func (f *backfillFlags) beside() string {
	switch {
	case f.workers:
		return "--workers"
	case f.parallel > 1:
		return "--parallel"
	}
	return ""
}

// mayBackfill refuses what slices would do otherwise than one run.
func (s *session) mayBackfill(beside string) error {
	for _, t := range s.Targets {
		switch {
		case t.Mode == reconcile.ModeTrial:
			return fmt.Errorf("%s is on trial: each slice would send a first few; makegood run --from names a period for a trial", t.Name())
		case beside != "" && (t.Type == "file" || t.Type == "emanage"):
			return fmt.Errorf("%s is of type %s, which is written by one run at a time: leave %s away", t.Name(), t.Type, beside)
		}
	}
	return nil
}

// oneByOne is why no slice is planned before the ones before it are over; "": they
// may be planned beside each other.
func (s *session) oneByOne() string {
	for _, t := range s.Targets {
		switch {
		case !reconcile.Sends(t.Mode):
		case len(t.From) > 1 && !t.SendTwins:
			return t.Name() + " reads several sources, and an order of one may be a purchase of another on another day; possible_twins: send says that there are none"
		case s.limited(t.Name()):
			return "what one run may send to " + t.Name() + " is limited"
		}
	}
	return ""
}

// all works on the slices, and reports.
func (b *backfill) all(ctx context.Context) (err error) {
	if b.flags.plan {
		led, err := b.readLedger(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, led.Close()) }()
		b.past, b.reader = led, led
	} else {
		if err := b.openLedger(ctx); err != nil {
			return err
		}
		b.past = b.led
	}
	if err := b.recall(ctx); err != nil {
		return err
	}
	b.stop() // one line a slice instead
	waiting := make(chan *slice)
	var workers sync.WaitGroup
	for range b.flags.parallel {
		workers.Go(func() {
			for one := range waiting {
				b.work(ctx, one)
			}
		})
	}
	for _, one := range b.slices {
		if one.State == sliceDoneBefore {
			continue
		}
		waiting <- one
	}
	close(waiting)
	workers.Wait()
	b.afterwards(ctx)
	return b.report(ctx)
}

// afterwards works on what slices have left because it may be an order of another
// one that was worked on beside them.
func (b *backfill) afterwards(ctx context.Context) {
	for _, one := range b.slices {
		if one.besides == 0 || b.flags.parallel == 1 || b.ended != "" || ctx.Err() != nil {
			continue
		}
		b.over--
		*one = slice{Window: one.Window, State: sliceWaits, rounds: []reconcile.RunID{reconcile.RunID(one.Run)}}
		b.work(ctx, one)
	}
}

// work carries out one slice, unless the backfill is over.
func (b *backfill) work(ctx context.Context, one *slice) {
	b.mu.Lock()
	over := b.ended != "" || ctx.Err() != nil
	b.mu.Unlock()
	if over {
		return
	}
	res, err := b.run(ctx, one)
	b.mu.Lock()
	defer b.mu.Unlock()
	one.take(res, err, b.flags.plan)
	b.over++
	switch {
	case ctx.Err() != nil:
		return
	case err != nil || one.unread:
		b.ended, b.failed = "a slice failed", errors.Join(b.failed, err)
	case one.stopped() != "" && !b.flags.plan:
		b.ended = one.stopped()
	}
	b.mention(one.words(b.Zone) + b.estimate())
}

// estimate tells how far the backfill is, and how long the rest may take.
func (b *backfill) estimate() string {
	todo := 0
	for _, one := range b.slices {
		if one.State == sliceWaits {
			todo++
		}
	}
	text := fmt.Sprintf("; %d of %d slices", len(b.slices)-todo, len(b.slices))
	if todo == 0 || b.ended != "" {
		return text
	}
	each := b.clock().Sub(b.began) / time.Duration(b.over)
	return text + fmt.Sprintf(", about %s left", (each*time.Duration(todo)).Round(time.Second))
}

// run is one run over one slice, wired for itself.
func (b *backfill) run(ctx context.Context, one *slice) (res reconcile.Result, err error) {
	cfg := shared(b.cfg, b.flags.parallel)
	w, err := b.wire(ctx, cfg, &b.flags.runFlags)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.SaveHead = func(h reconcile.LedgerHead) error {
		b.heads.Lock()
		defer b.heads.Unlock()
		return ledger.WriteHead(w.head, h)
	}
	req := b.req
	req.From, req.To = one.From, one.To
	req.Rounds, req.Beside = one.rounds, b.flags.parallel > 1 && len(one.rounds) == 0
	if b.flags.plan {
		res, err = w.Plan(ctx, b.reader, req)
		if res.Plan != nil {
			err = errors.Join(err, reconcile.RemovePlan(res.Plan.Path))
		}
		return res, err
	}
	s := &session{app: b.app, wiring: w, flags: &b.flags.runFlags, req: req, led: b.led}
	if err := s.usual(ctx, b.led); err != nil {
		return res, err
	}
	return w.Run(ctx, b.led, req)
}

// shared is the configuration of one of several runs at a time: each claims for
// its part of what a destination takes. The pace and the places are one.
func shared(cfg *config.Config, parallel int) *config.Config {
	if parallel == 1 {
		return cfg
	}
	part := *cfg
	part.Targets = maps.Clone(cfg.Targets)
	for name, t := range part.Targets {
		one := *t
		one.Rate.PerSecond /= float64(parallel)
		part.Targets[name] = &one
	}
	return &part
}

// inTurn sorts slices: those first of which something becomes too old next, then
// those that do not age, then those that are too old for every destination; of
// equal ones the oldest first.
func inTurn(list []*slice, targets []*reconcile.Target, now time.Time) {
	const never, gone = math.MaxInt64 - 1, math.MaxInt64
	ends := func(s *slice) int64 {
		first := int64(gone)
		for _, t := range targets {
			age := oldest(t)
			if age == 0 {
				first = min(first, never)
			} else if end := s.To.Add(age); end.After(now) {
				first = min(first, end.Unix())
			}
		}
		return first
	}
	slices.SortStableFunc(list, func(a, b *slice) int {
		if x, y := ends(a), ends(b); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return a.From.Compare(b.From)
	})
}

// oldest is how old an order may be that a destination is told of at all; 0: any
// age.
func oldest(t *reconcile.Target) (most time.Duration) {
	for _, traits := range t.Traits() {
		if traits.MaxAge == 0 {
			return 0
		}
		most = max(most, traits.MaxAge)
	}
	return most
}

// report tells of all slices.
func (b *backfill) report(ctx context.Context) error {
	got, err := b.told()
	if err != nil {
		return err
	}
	if b.code = got.Exit; b.flags.json {
		err = b.encode(got)
	} else {
		err = b.tellBackfill(got)
	}
	return errors.Join(ctx.Err(), err, b.failed)
}
