package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
)

// runFlags are what run, plan and apply can be told.
type runFlags struct {
	from, to       string
	targets        []string
	json           bool
	html           string
	acceptEvidence []string
	note           string
	expectHead     string
	newHost        bool
	skipMoved      bool
	canonical      bool
}

func (f *runFlags) output(c *cobra.Command) {
	c.Flags().BoolVar(&f.json, "json", false, "write the report as JSON to standard output")
	c.Flags().StringVar(&f.html, "html", "", "write the report as a web page to `FILE`")
}

func (f *runFlags) period(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, such as 2026-11-01, in the configured zone")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().StringSliceVar(&f.acceptEvidence, "accept-evidence", nil, "go on although this evidence looks stale (may be repeated)")
	c.Flags().StringVar(&f.note, "note", "", "why; required with --accept-evidence")
}

func (f *runFlags) ledger(c *cobra.Command) {
	c.Flags().StringVar(&f.expectHead, "expect-head", "", "the ledger must be at this `HEAD`, copied from the last report")
	c.Flags().BoolVar(&f.newHost, "new-host", false, "this machine takes the ledger over from another one")
}

func (f *runFlags) accepted() map[string]string {
	accepted := map[string]string{}
	for _, name := range f.acceptEvidence {
		accepted[name] = f.note
	}
	return accepted
}

// request reads the period in the configured zone.
func (f *runFlags) request(command string, cfg *config.Config) (reconcile.Request, error) {
	req := reconcile.Request{Command: command, SkipMoved: f.skipMoved}
	if len(f.acceptEvidence) > 0 && f.note == "" {
		return req, &usageError{command: "makegood " + command, err: errors.New("--accept-evidence needs a --note that says why")}
	}
	for _, name := range f.acceptEvidence {
		if cfg.Evidence[name] == nil {
			return req, &usageError{command: "makegood " + command, err: fmt.Errorf("there is no evidence %q", name)}
		}
	}
	for _, end := range []struct {
		flag, text string
		at         *time.Time
	}{{"--from", f.from, &req.From}, {"--to", f.to, &req.To}} {
		if end.text == "" {
			continue
		}
		var d config.Date
		if err := d.UnmarshalText([]byte(end.text)); err != nil {
			return req, &usageError{command: "makegood " + command, err: fmt.Errorf("%s %s: %w", end.flag, end.text, err)}
		}
		*end.at = d.In(cfg.Zone.Location)
	}
	if err := f.check(req); err != nil {
		return req, &usageError{command: "makegood " + command, err: err}
	}
	return req, nil
}

// check says what cannot work, before a ledger is begun or anything is sent.
func (f *runFlags) check(req reconcile.Request) error {
	if f.html != "" {
		if err := checkPage(f.html); err != nil {
			return err
		}
	}
	if f.from != "" && f.to != "" && !req.From.Before(req.To) {
		return fmt.Errorf("--from %s must be earlier than --to %s, which is itself not in the period", f.from, f.to)
	}
	return nil
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "run",
		Short:   "Find what is missing and send it: plan and apply in one",
		GroupID: "daily",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood run
  makegood run --from 2026-11-01 --to 2026-11-08
  makegood run --json --html report.html`,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withLedger(c.Context(), &f, "run", nil, func(ctx context.Context, w *wiring, led reconcile.Ledger, req reconcile.Request) (reconcile.Result, error) {
				return w.Run(ctx, led, req)
			})
		},
	}
	f.output(c)
	f.period(c)
	f.ledger(c)
	return c
}

// withLedger wires everything, opens the ledger, carries do out and reports.
// before may be nil; it runs before a ledger can be begun.
func (a *app) withLedger(ctx context.Context, f *runFlags, command string, before func(*wiring) error,
	do func(context.Context, *wiring, reconcile.Ledger, reconcile.Request) (reconcile.Result, error)) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	req, err := f.request(command, cfg)
	if err != nil {
		return err
	}
	w, err := a.wire(cfg, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if before != nil {
		if err := before(w); err != nil {
			return err
		}
	}
	led, err := w.openLedger(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	if led.Created() {
		fmt.Fprintf(a.io.err, "makegood: this run begins a new ledger, %s\n", cfg.LedgerName())
	}
	bars, stop := a.progress()
	w.Progress = bars
	res, err := do(ctx, w, led, req)
	stop()
	res.NewLedger = led.Created()
	return a.report(w, f, res, err)
}

func (a *app) planCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "plan",
		Short:   "Find what is missing and write it to a plan; send nothing, change nothing",
		GroupID: "daily",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood plan
  makegood plan --from 2026-11-01 --json
  makegood apply .makegood/plans/PLAN`,
		RunE: func(c *cobra.Command, _ []string) error { return a.plan(c.Context(), &f) },
	}
	f.output(c)
	f.period(c)
	c.Flags().BoolVar(&f.canonical, "canonical", false, "print the lines that the plan digest covers (they hold addresses)")
	return c
}

func (a *app) plan(ctx context.Context, f *runFlags) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	req, err := f.request("plan", cfg)
	if err != nil {
		return err
	}
	w, err := a.wire(cfg, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	led, err := w.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	bars, stop := a.progress()
	w.Progress = bars
	res, err := w.Plan(ctx, led, req)
	stop()
	if err == nil && f.canonical {
		return a.canonical(res.Plan.Path, w.Key)
	}
	return a.report(w, f, res, err)
}

func (a *app) canonical(path string, key []byte) error {
	plan, err := reconcile.OpenPlan(path, key)
	if err != nil {
		return err
	}
	return plan.Canonical(a.io.out)
}

func (a *app) applyCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "apply PLAN",
		Short:   "Send a plan, exactly as it is or less of it",
		GroupID: "daily",
		Args:    arguments(onePlan),
		Example: `  makegood apply .makegood/plans/0198c1f0-....plan
  makegood apply --skip-moved PLAN    # send the others when some orders have moved`,
		RunE: func(c *cobra.Command, args []string) error {
			var plan *reconcile.Plan
			open := func(w *wiring) (err error) {
				plan, err = openPlan(args[0], w.Key)
				return err
			}
			return a.withLedger(c.Context(), &f, "apply", open, func(ctx context.Context, w *wiring, led reconcile.Ledger, req reconcile.Request) (reconcile.Result, error) {
				return w.Apply(ctx, led, plan, req)
			})
		},
	}
	f.output(c)
	f.ledger(c)
	c.Flags().BoolVar(&f.skipMoved, "skip-moved", false, "leave out steps whose order or entry has moved since the plan")
	return c
}

func onePlan(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return errors.New("name the one plan to send, as makegood plan has printed it: makegood apply .makegood/plans/PLAN")
}

func openPlan(path string, key []byte) (*reconcile.Plan, error) {
	plan, err := reconcile.OpenPlan(path, key)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &usageError{command: "makegood apply", err: fmt.Errorf("there is no plan %s: it was applied, or never made", path)}
	}
	return plan, err
}
