package main

import (
	"context"

	"github.com/spf13/cobra"
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
  makegood run --json --html report.html`,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), &f) },
	}
	f.output(c)
	f.marks(c)
	f.period(c)
	f.ledger(c)
	return c
}

func (a *app) run(ctx context.Context, f *runFlags) (err error) {
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
	s.mark(ctx, res, err)
	if err == nil {
		s.moveRead(ctx, &res)
	}
	return s.tell(res, err)
}
