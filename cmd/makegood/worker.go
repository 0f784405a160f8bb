package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// workerFlags are what worker can be told.
type workerFlags struct {
	runFlags
	name            string
	parallel        int
	only            string
	untilEmpty      bool
	withoutSchedule bool
}

func (a *app) workerCommand() *cobra.Command {
	var f workerFlags
	c := &cobra.Command{
		Use:   "worker",
		Short: "Work beside others, on any number of machines, on what backfill --workers asks for",
		Long: `Works through what makegood backfill --workers has put into the queue, beside any
number of other workers on any machines, and runs the schedule, until Ctrl-C or
SIGTERM: then it finishes what is in flight, and the others go on with the rest.

The ledger must be in PostgreSQL; the queue lies beside it. All workers have the
same configuration file, and person.key of the state_dir of the first machine.
rate of a destination is kept over all of them together; concurrency is that of
each worker.

Workers can be added, stopped and killed at any moment. What a killed one was at,
another one goes on with: what it had sent is not sent again, and what nobody
knows is in doubt, as everywhere.

A moment of the schedule has one run, whichever host begins it. Where orders are
in files that only some hosts have, start --only send on the others.`,
		GroupID: "service",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood worker
  makegood worker --new-host            # the first time on a further machine
  makegood worker --until-empty         # ends when nothing is to be done any more`,
		RunE: func(c *cobra.Command, _ []string) error { return a.worker(c.Context(), &f) },
	}
	c.Flags().StringVar(&f.name, "name", "", "the `NAME` that it is shown by; the host's if it is not given")
	c.Flags().IntVar(&f.parallel, "parallel", 4, "how many jobs of a kind at a time, at most 16")
	c.Flags().StringVar(&f.only, "only", "", "only jobs of this `KIND`: plan (reads the sources) or send (runs nothing by the clock either)")
	c.Flags().BoolVar(&f.untilEmpty, "until-empty", false, "end when nothing is to be done any more; implies --without-schedule")
	c.Flags().BoolVar(&f.withoutSchedule, "without-schedule", false, "run nothing by the clock")
	f.ledger(c)
	return c
}

func (f *workerFlags) check() error {
	switch {
	case f.parallel < 1 || f.parallel > maxParallel:
		return fmt.Errorf("--parallel %d: give a number from 1 to %d", f.parallel, maxParallel)
	case !slices.Contains([]string{"", workers.KindPlan, workers.KindSend}, f.only):
		return fmt.Errorf("--only %s: write plan or send", f.only)
	case strings.Contains(f.name, "@"):
		return errors.New("--name is shown to everybody: give it the name of a machine, not an address")
	}
	return nil
}

func (a *app) worker(ctx context.Context, f *workerFlags) (err error) {
	if err := f.check(); err != nil {
		return &usageError{command: "makegood worker", err: err}
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if err := mayShare(cfg); err != nil {
		return err
	}
	led, err := a.workersLedger(ctx, cfg, &f.runFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	if err := reconcile.CheckClock(ctx, led, a.clock, f.clockIsRight); err != nil {
		return err
	}
	q, err := workers.Open(ctx, cfg.Ledger, a.log)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := tellForgotten(ctx, q, cfg); err != nil {
		return err
	}
	hands := &workerHands{app: a, cfg: cfg, led: led, paces: f.paces, places: f.places, parallel: f.parallel, clockIsRight: f.clockIsRight}
	ctx, stop := context.WithCancel(ctx)
	var runs sync.WaitGroup
	defer func() { stop(); runs.Wait() }()
	if !f.withoutSchedule && !f.untilEmpty && f.only != workers.KindSend && len(cfg.Schedule) > 0 {
		clock, err := a.byTheClock(cfg)
		if err != nil {
			return err
		}
		runs.Go(func() { clock.Serve(ctx) })
	}
	host, _ := os.Hostname() // only shown
	kinds := []string{workers.KindPlan, workers.KindSend}
	if f.only != "" {
		kinds = []string{f.only}
	}
	until := "Ctrl-C"
	if f.untilEmpty {
		until = "nothing is to be done any more"
	}
	a.mention("this worker is at work, until " + until)
	return workers.Work(ctx, q, hands, workers.Options{Name: cmp.Or(f.name, host), Host: host, Version: version(), Parallel: f.parallel,
		Settings: reports.NewSettings(cfg.Settings).Digest, Kinds: kinds, UntilEmpty: f.untilEmpty})
}

// mayShare makes sure that several machines can use the ledger.
func mayShare(cfg *config.Config) error {
	_, err := ledger.SchemaOf(cfg.Ledger)
	if errors.Is(err, ledger.ErrNotShared) {
		return &configError{fmt.Errorf("the ledger is the file %s, which one machine uses: workers share one in PostgreSQL; makegood ledger copy --to postgres://... makes it of this one, and the key ledger names it then", filepath.Base(cfg.Ledger))}
	}
	return err
}

// workersLedger opens the ledger that all jobs of this process use, and the pace
// of each destination, which they keep to together with all others.
func (a *app) workersLedger(ctx context.Context, cfg *config.Config, f *runFlags) (*ledger.Store, error) {
	f.sendTogether(cfg)
	w, err := a.wire(ctx, cfg, f)
	if err != nil {
		return nil, err
	}
	led, err := w.openLedger(ctx, f)
	if err == nil {
		err = ledger.WriteHead(w.head, led.Head()) // it is this machine's from now on
	}
	if err = errors.Join(err, w.Close()); err != nil && led != nil {
		return nil, errors.Join(err, led.Close())
	}
	return led, err
}
