package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"makegood/reconcile"
)

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "run",
		Short:   "Find what is missing and send it: plan and apply in one",
		GroupID: "daily",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood run
  makegood run --from 2026-11-01 --to 2026-11-08
  makegood run --schedule nightly    # an entry of the schedule, once for each of its moments
  makegood run --json --html report.html`,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), &f) },
	}
	f.output(c)
	f.marks(c)
	f.period(c)
	f.ledger(c)
	c.Flags().StringVar(&f.schedule, "schedule", "", "do what this `ENTRY` of the schedule does, for its moment that is due; nothing when that was done, by whichever host")
	return c
}

func (a *app) run(ctx context.Context, f *runFlags) error {
	return a.alreadyRun(a.runOnce(ctx, f))
}

func (a *app) runOnce(ctx context.Context, f *runFlags) (err error) {
	s, err := a.begin(ctx, f, "run")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	if err := s.usual(ctx, s.led); err != nil {
		return err
	}
	res, err := s.Run(ctx, s.led, s.req)
	var taken *reconcile.SlotTaken
	if errors.As(err, &taken) {
		s.tells = nil // who has the moment tells of it
		return err
	}
	s.mark(ctx, res, err)
	if err == nil {
		s.moveRead(ctx, &res)
	}
	return s.tell(res, err)
}
