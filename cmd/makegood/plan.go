package main

import (
	"context"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

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
	f.marks(c)
	f.period(c)
	c.Flags().StringVar(&f.key, "key", "", "sign the plan with this key `FILE` (makegood key makes one), in place of plans.key")
	c.Flags().BoolVar(&f.canonical, "canonical", false, "print the lines that the plan digest covers (they hold addresses)")
	return c
}

func (a *app) plan(ctx context.Context, f *runFlags) error {
	return a.reading(ctx, f, "plan", func(s *session, led *ledger.Reader) error {
		if err := s.usual(ctx, led); err != nil {
			return err
		}
		res, err := s.Plan(ctx, led, s.req)
		if err == nil && f.canonical {
			s.stop()
			return a.canonical(s.Runner, res.Plan.Path)
		}
		s.mark(ctx, res, err)
		return s.tell(res, err)
	})
}

func (a *app) canonical(r *reconcile.Runner, path string) error {
	plan, err := r.OpenOwn(path)
	if err != nil {
		return err
	}
	return plan.Canonical(a.io.out)
}
