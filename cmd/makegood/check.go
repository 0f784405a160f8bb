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
	"makegood/reports"
)

func (a *app) checkCommand() *cobra.Command {
	var f runFlags
	var like string
	c := &cobra.Command{
		Use:   "check",
		Short: "Read everything once and say what stands in the way; send nothing",
		Long: `Reads the configuration, the sources, the evidence and the ledger as a plan
does, and leaves no plan and no ledger behind. It says how each file was understood, what the
order numbers look like, how many of them the live integration's record knows,
which rows are bad, how many orders have an address, how long orders take to
become complete, which are worth nothing or less, each store's newest order, the
orders and money of each day to lay beside the shop's own sales report (all days
with --json or --report FILE.xlsx), what stands in custom fields, and what each
destination lacks before it can go live. No destination is asked anything.

What no entry of the schedule sends, though a destination is to have it, is said
as a warning.

With --like it compares, field by field, a request that the shop's own page
sends to Collect with what makegood would send for the same order: host, MID,
how people are named, item and unique_id. Copy the request in the browser's
network tab (search for igodigital) as cURL, or save the session as HAR. Exit 1
says that something differs.`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood check\n  makegood check --from 2026-11-01 --json\n  makegood check --like request.txt --target stores",
		RunE: func(c *cobra.Command, _ []string) error {
			if like != "" {
				return a.like(c.Context(), like, &f)
			}
			return a.check(c.Context(), &f)
		},
	}
	c.Flags().StringVar(&like, "like", "", "compare with a request that the page sends: a `FILE` with it as cURL or HAR")
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
	s.req.Samples = true
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
	for _, text := range leftByAll(s.cfg) {
		a.log.Warn(text)
	}
	if a.code == exitLeft { // what there is to send does not stand in the way
		a.code = exitDone
	}
	if err == nil && !f.json {
		a.customFields(s.cfg, res)
		a.lacking(s.cfg)
	}
	return err
}

// customFields says what stands in the custom fields that destinations are
// sent, and which of them nobody has seen there.
func (a *app) customFields(cfg *config.Config, res reconcile.Result) {
	title := "\nCustom fields\n"
	for _, source := range res.Sources {
		for _, f := range source.Custom {
			fmt.Fprintf(a.io.out, "%s  %s of %s: filled on %d orders, such as %s\n", title, f.Name, source.Source, f.Filled, reports.Mask(f.Sample))
			title = ""
			for _, name := range slices.Sorted(maps.Keys(cfg.Targets)) {
				t := cfg.Targets[name]
				if sendsCustom(t) && slices.Contains(t.From, source.Source) && !slices.Contains(t.ConfirmedFields, f.Name) {
					fmt.Fprintf(a.io.out, "    does it exist at %s? A field that does not may be dropped there in silence; if it does: confirmed_fields: [%s]\n", name, f.Name)
				}
			}
		}
	}
}

// sendsCustom reports whether a destination is a platform that is sent custom
// fields, which must exist there.
func sendsCustom(t *config.Target) bool {
	return t.Mode != config.ModeOff && (t.Type == "squeezely" || t.Type == "spotler")
}

// missingLive lists what destinations lack before they can go live, those in one
// of modes as if they were.
func missingLive(cfg *config.Config, modes ...string) []config.Requirement {
	live := *cfg
	live.Targets = maps.Clone(cfg.Targets)
	for name, t := range live.Targets {
		if slices.Contains(modes, t.Mode) {
			would := *t
			would.Mode = config.ModeLive
			live.Targets[name] = &would
		}
	}
	return live.Missing()
}

// lacking says what destinations in shadow need before they can go live.
func (a *app) lacking(cfg *config.Config) {
	missing := missingLive(cfg, config.ModeShadow)
	if len(missing) == 0 {
		return
	}
	fmt.Fprintln(a.io.out, "\nBefore it can go live")
	for _, m := range slices.Compact(missing) {
		fmt.Fprintf(a.io.out, "  %s\n", m)
	}
}
