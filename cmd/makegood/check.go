package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
)

func (a *app) checkCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Read everything once and say what stands in the way; send nothing",
		Long: `Reads the configuration, the sources, the evidence and the ledger as a plan
does, and leaves no plan and no ledger behind. It says how each file was understood, what the
order numbers look like, how many of them the live integration's record knows,
which rows are bad, and what each destination lacks before it can go live.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood check\n  makegood check --from 2026-11-01 --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.check(c.Context(), &f) },
	}
	f.output(c)
	f.period(c)
	return c
}

func (a *app) check(ctx context.Context, f *runFlags) (err error) {
	s, err := a.begin(ctx, f, "check")
	if err != nil {
		return err
	}
	defer s.end(&err)
	begun := func(t *reconcile.Target) bool { return !t.Since.IsZero() }
	if s.req.From.IsZero() && !slices.ContainsFunc(s.Targets, begun) { // nobody has said where it begins
		s.req.From = s.Clock().AddDate(0, 0, -s.Lookback)
	}
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	res, err := s.Plan(ctx, led, s.req)
	if res.Plan != nil {
		err = errors.Join(err, reconcile.RemovePlan(res.Plan.Path))
	}
	res.Command, res.Plan = "check", nil
	err = s.tell(res, err)
	if a.code == exitLeft { // what there is to send does not stand in the way
		a.code = exitDone
	}
	if err == nil && !f.json {
		a.lacking(s.cfg)
	}
	return err
}

// lacking says what destinations in shadow need before they can go live.
func (a *app) lacking(cfg *config.Config) {
	live := *cfg
	live.Targets = maps.Clone(cfg.Targets)
	for name, t := range live.Targets {
		if t.Mode == config.ModeShadow {
			would := *t
			would.Mode = config.ModeLive
			live.Targets[name] = &would
		}
	}
	missing := live.Missing()
	if len(missing) == 0 {
		return
	}
	fmt.Fprintln(a.io.out, "\nBefore it can go live")
	for _, m := range slices.Compact(missing) {
		fmt.Fprintf(a.io.out, "  %s\n", m)
	}
}
