package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
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
		Long: `Sends what stands in the plan or less of it, never more. Before anything is sent
it is made sure that the plan is whole, and that nothing has moved since. What
is refused says why, with an exit code of its own:

  10 a byte of the file was altered     16 its signature is wrong, or nobody's
  11 it has expired (24 h)                 whose plans are taken (plans.signers)
  12 nobody has approved it             17 it was applied already
  13 the configuration has moved        18 its approval was altered, or is none
  14 the ledger has moved               19 the approval is by nobody who may
  15 orders have moved                     give it (plans.approvers)
                                        20 the approval is of another plan`,
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
		return a.noPlan(ctx, path)
	}
	s, err := a.begin(ctx, f, "apply")
	if err != nil {
		return err
	}
	defer s.end(&err)
	plan, err := openPlan(s.Runner, "makegood apply", path) // before a ledger can be begun
	if err != nil {
		return err
	}
	if err := s.upload.approve(s.Runner, plan); err != nil {
		return err
	}
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	if err := applied(ctx, s.led, plan.Run, plan.AsOf, s.Zone); err != nil {
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

// openPlan opens a plan that somebody named.
func openPlan(r *reconcile.Runner, command, path string) (*reconcile.Plan, error) {
	plan, err := r.OpenPlan(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &usageError{command: command, err: errNoPlan(path)}
	}
	return plan, err
}

func errNoPlan(path string) error {
	return fmt.Errorf("there is no plan %s: it was applied, or never made", path)
}

// noPlan says why there is no plan: it was carried out, and removed then, as the
// ledger has it, or there never was one.
func (a *app) noPlan(ctx context.Context, path string) error {
	named, is := strings.CutSuffix(filepath.Base(path), ".plan")
	if cfg, err := a.load(); is && err == nil && uuid.Validate(named) == nil {
		err := a.pastOf(ctx, cfg, nil, func(led *ledger.Reader, zone *time.Location) error {
			return applied(ctx, led, reconcile.RunID(named), a.clock().Add(-keepPlans), zone)
		})
		var refused *reconcile.PlanRefused
		if errors.As(err, &refused) {
			return refused
		}
	}
	return &usageError{command: "makegood apply", err: errNoPlan(path)}
}

// applied refuses a plan that was carried out before, which the reports of runs
// that ended since tell: that of an apply names the run that made its plan.
func applied(ctx context.Context, led interface {
	EachEnded(ctx context.Context, since time.Time, do func(ledger.LastRun) (bool, error)) error
}, plan reconcile.RunID, since time.Time, zone *time.Location) error {
	return led.EachEnded(ctx, since, func(r ledger.LastRun) (bool, error) {
		past, err := reports.Read(bytes.NewReader(r.Summary))
		if err != nil || past.Plan == nil || past.Plan.Run != string(plan) || r.Run == plan {
			return false, nil //nolint:nilerr // what a run left that this version does not read names no plan
		}
		return true, &reconcile.PlanRefused{Code: reconcile.RefusedApplied, Text: fmt.Sprintf("the plan was already applied, by run %s; "+
			"makegood report %s shows what became of it, and a new plan has whatever is left", namedRun(r, zone), r.Run)}
	})
}
