package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"makegood/reconcile"
)

func (a *app) applyCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "apply PLAN",
		Short:   "Send a plan, exactly as it is or less of it",
		GroupID: "daily",
		Args:    arguments(onePlan),
		Example: `  makegood apply .makegood/plans/0198c1f0-....plan
  makegood apply --skip-moved PLAN    # send the others when some orders have moved`,
		RunE: func(c *cobra.Command, args []string) error { return a.apply(c.Context(), &f, args[0]) },
	}
	f.output(c)
	f.marks(c)
	f.ledger(c)
	f.evidence(c)
	c.Flags().BoolVar(&f.skipMoved, "skip-moved", false, "leave out steps whose order or entry has moved since the plan")
	return c
}

func (a *app) apply(ctx context.Context, f *runFlags, path string) (err error) {
	if _, gone := os.Stat(path); errors.Is(gone, os.ErrNotExist) { // nobody else is told of a slip of the pen
		return noPlan(path)
	}
	s, err := a.begin(ctx, f, "apply")
	if err != nil {
		return err
	}
	defer s.end(&err)
	plan, err := openPlan(path, s.Key) // before a ledger can be begun
	if err != nil {
		return err
	}
	if err := s.upload.approve(s.Runner, plan); err != nil {
		return err
	}
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	if err := s.usual(ctx, s.led); err != nil {
		return err
	}
	res, err := s.Apply(ctx, s.led, plan, s.req)
	s.mark(ctx, res, err)
	return s.tell(res, err)
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
		return nil, noPlan(path)
	}
	return plan, err
}

func noPlan(path string) error {
	return &usageError{command: "makegood apply", err: fmt.Errorf("there is no plan %s: it was applied, or never made", path)}
}
