package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
)

// sendFlags say which order goes where, and as what.
type sendFlags struct {
	runFlags
	order, target, toSelf string
	again, yes            bool
}

func (a *app) sendCommand() *cobra.Command {
	var f sendFlags
	c := &cobra.Command{
		Use:   "send --order N",
		Short: "Send one order, shown before, with the platform's own answer after",
		Long: `Shows what would go for one order, asks, sends it, and shows what the platform
answered. Every rule of a run holds; where the order would not be sent, it says why.

With --to-self your own address takes the customer's place, and the order number
begins with TEST-. Nothing else that names the customer goes along. That works in
shadow, too: it is the step before a trial. Such a message counts for no order.

With --again a message that the platform has accepted goes once more, byte for
byte, to find out whether the platform counts it once. Of each order that can be
done once. What you see there is kept by makegood decide.

Without a terminal nobody can be asked: --yes sends it.`,
		GroupID: "outage",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood send --order 1001 --target activate --to-self you@example.com
  makegood send --order 1001 --target activate
  makegood send --order 1001 --target activate --to-self you@example.com --again
  makegood send --order 1001 --yes --json`,
		RunE: func(c *cobra.Command, _ []string) error { return a.send(c.Context(), &f) },
	}
	c.Flags().StringVar(&f.order, "order", "", "the `NUMBER` of the order, as the source has it")
	c.Flags().StringVar(&f.target, "target", "", "to this destination (default: the only one there is)")
	c.Flags().StringVar(&f.toSelf, "to-self", "", "a test, with this `ADDRESS` of your own in the place of the customer's")
	c.Flags().BoolVar(&f.again, "again", false, "once more, to see whether the platform counts it once")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	f.evidence(c)
	f.ledger(c)
	return c
}

// check says what nobody can have meant.
func (f *sendFlags) check() error {
	f.order = strings.TrimSpace(f.order)
	switch {
	case f.order == "":
		return errors.New("--order is missing: the number of one order")
	case len(reconcile.TestNumber(f.order)) > reconcile.MaxOrderID:
		return errors.New("--order is longer than an order number may be")
	case f.toSelf == "":
		return nil
	}
	parsed, err := mail.ParseAddress(f.toSelf)
	if err != nil || parsed.Address != f.toSelf {
		return errors.New("--to-self is no address such as you@example.com")
	}
	return nil
}

func (a *app) send(ctx context.Context, f *sendFlags) (err error) {
	usage := func(err error) error { return &usageError{command: "makegood send", err: err} }
	if err := f.check(); err != nil {
		return usage(err)
	}
	if !f.yes && !a.terminal(a.io.in) {
		return usage(errors.New("there is no terminal to ask at: --yes sends it without a question"))
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	t, err := countedTarget(cfg, f.target)
	if err != nil {
		return usage(err)
	}
	if err := a.maySend(cfg, t, f); err != nil {
		return &configError{err}
	}
	f.targets, f.one = []string{t.Name}, &oneOrder{order: f.order, toSelf: f.toSelf, again: f.again, cfg: t}
	s, err := a.begin(ctx, &f.runFlags, "send")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	return s.sendOne(ctx, f)
}

// maySend tells why nothing can go to a destination in this way, and what can.
func (a *app) maySend(cfg *config.Config, t *config.Target, f *sendFlags) error {
	own := " --order " + quotedArgument(f.order) + " --target " + quotedArgument(t.Name) + " --to-self you@example.com"
	switch {
	case t.Mode == config.ModeOff:
		return fmt.Errorf("%s is off: nothing is sent there; write mode: shadow at targets.%s first", t.Name, t.Name)
	case t.Type == "emanage" && f.again:
		return fmt.Errorf("%s takes carts that charge customers: a repeat could charge twice, and is never sent", t.Name)
	case t.Type == "emanage" && f.toSelf != "":
		return fmt.Errorf("a cart at %s has no address that could be yours; with mode: trial makegood send makes a test cart, which charges nobody", t.Name)
	case t.Type == "emanage" && t.Mode == config.ModeLive:
		return fmt.Errorf("%s charges customers real money: make a plan, approve it by your name, and apply it (makegood plan --orders, approve, apply); "+
			"with mode: trial makegood send makes a test cart", t.Name)
	case t.Type == "rokt" && f.toSelf != "":
		return fmt.Errorf("%s knows visits, not addresses: there is nothing that could be yours", t.Name)
	case t.Type == "rokt" && f.again:
		return fmt.Errorf("%s takes confirmations of carts: whether a repeated one is safe is not known, so none is sent", t.Name)
	case t.Type == "collect" && t.Identity == "contact_key" && f.toSelf != "":
		return fmt.Errorf("%s knows people by contact key, not by address: there is no address that could be yours", t.Name)
	case f.toSelf != "":
		return lacksLogin(cfg, t)
	case t.Mode == config.ModeShadow:
		return fmt.Errorf("%s is in shadow: nothing is sent there; to try it with your own address: %s; to send customers' orders: mode: trial at targets.%s",
			t.Name, a.called("send")+own, t.Name)
	}
	return nil
}

// loginKeys are what a destination cannot be reached without.
var loginKeys = []string{"environment", "account", "api_key", "api_secret", "tag_id"}

// lacksLogin names what a destination in shadow lacks to be reached at all.
func lacksLogin(cfg *config.Config, t *config.Target) error {
	for _, m := range missingLive(cfg, config.ModeShadow) {
		if (m.Target == t.Name || m.Target == "") && m.Source == "" && slices.Contains(loginKeys, m.Key) {
			return errors.New(m.String())
		}
	}
	return nil
}

// sendOne plans the one order, shows what would go, asks, and carries it out.
func (s *session) sendOne(ctx context.Context, f *sendFlags) error {
	one := f.one
	s.req.Command, s.req.Orders, s.req.From, s.req.Nearest = "send", []string{one.number()}, allTime, sources.NearestNumber
	s.Seen = one.seen
	if err := errors.Join(one.begun(ctx, s), one.mayRepeat(ctx, s)); err != nil {
		return err
	}
	res, err := s.Plan(ctx, s.led, s.req)
	s.stop()
	s.Progress = nil // what follows is short, and a person is asked in between
	if err != nil {
		return err
	}
	path := res.Plan.Path
	defer func() { _ = reconcile.RemovePlan(path) }() // it holds an address, and was carried out or refused
	plan, err := s.OpenOwn(path)
	if err != nil {
		return err
	}
	told, err := s.shown(plan, f)
	if err != nil {
		return err
	}
	if len(told.Messages) == 0 {
		told.conclude(f.one, res, s.Zone)
		s.code = told.code(res)
		return s.tellSent(told, f)
	}
	if err := one.identical(ctx, s, plan); err != nil {
		return err
	}
	s.tellRequests(told, f)
	if until := s.Clock().Add(shownFor); until.Before(plan.Expires) {
		plan.Expires = until
	}
	if yes, err := s.asked(ctx, f); err != nil || !yes {
		s.code = exitLeft
		return errors.Join(err, s.tellNothing(told, f))
	}
	res, err = s.Apply(ctx, s.led, plan, s.req)
	var refused *reconcile.PlanRefused
	switch {
	case errors.As(err, &refused) && refused.Code == reconcile.RefusedExpired:
		return &reconcile.PlanRefused{Code: refused.Code, Text: "nothing was sent: it was shown more than " + counted(int(shownFor/time.Minute), "minute") +
			" ago, and others may have sent it since; the same command shows it as it is now"}
	case errors.As(err, &refused):
		return &reconcile.PlanRefused{Code: refused.Code, Moved: refused.Moved,
			Text: "nothing was sent: the order, or what the ledger knows of it, has changed since it was shown; the same command shows it as it is now"}
	}
	if err != nil && res.Finished.IsZero() {
		return err
	}
	told.Run = string(res.Run)
	told.conclude(f.one, res, s.Zone)
	s.code = told.code(res)
	return errors.Join(err, s.tellSent(told, f))
}

// shownFor is how long what was shown may go: meanwhile nobody reads what others
// have sent.
const shownFor = 10 * time.Minute

// asked asks the person at the terminal whether it shall go.
func (s *session) asked(ctx context.Context, f *sendFlags) (bool, error) {
	if f.yes {
		return true, nil
	}
	fmt.Fprint(s.io.err, "Send it? Type yes: ")
	return agreed(ctx, s.io.in)
}

// agreed reads one line, and waits no longer than ctx.
func agreed(ctx context.Context, in io.Reader) (bool, error) {
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(in, 100)).ReadString('\n') // the end of it is no yes
		said <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case answer := <-said:
		return answer == "yes" || answer == "y", nil
	}
}
