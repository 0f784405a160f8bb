package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// adoptFlags are what adopt can be told.
type adoptFlags struct {
	runFlags
	dry, unseen bool
	complete    string
	name        string // of the evidence
}

func (a *app) adoptCommand() *cobra.Command {
	var f adoptFlags
	c := &cobra.Command{
		Use:   "adopt NAME",
		Short: "Record in the ledger what others sent: the live integration's table, or the platform's export",
		Long: `Reads the evidence NAME of the configuration, all of it or the period of --from
and --to, and records as sent what the ledger does not know yet: proven or
assumed, as the evidence's trust says, and that NAME says so. Amount and content
come from the sources, which are read as a run reads them. It sends nothing, and
doing it again changes nothing.

What is done already, or is being sent by another run, is left alone. What was
sent and never answered is ended by proven evidence. Orders that no source shows
are counted; --unseen records them as well, without an amount.

With --complete-until TIME you say that NAME is the platform's own export and
holds everything that it accepted before TIME. Then orders that count as sent,
by makegood or by assumption, and are not in it, are listed.

NAME is recorded for the destinations that have it in already_sent, or for those
of --target.`,
		GroupID: "setup",
		Args:    arguments(cobra.ExactArgs(1)),
		Example: `  makegood adopt live_log --dry-run
  makegood adopt live_log --from 2026-11-01 --to 2026-11-08
  makegood adopt platform_export --target activate --complete-until "2026-11-20 06:00"`,
		RunE: func(c *cobra.Command, args []string) error {
			f.name = args[0]
			return a.adopt(c.Context(), &f)
		},
	}
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().StringVar(&f.from, "from", "", "only rows from this date on, such as 2026-11-01, in the configured zone")
	c.Flags().StringVar(&f.to, "to", "", "only rows before this date")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "tell what would be recorded, and change nothing")
	c.Flags().BoolVar(&f.unseen, "unseen", false, "record orders that no source shows, too")
	c.Flags().StringVar(&f.complete, "complete-until", "", "it holds everything that the platform accepted before this `TIME`")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	f.ledger(c)
	return c
}

func (a *app) adopt(ctx context.Context, f *adoptFlags) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if f.targets, err = evidenceTargets(cfg, f.name, f.targets); err != nil {
		return &usageError{command: "makegood adopt", err: err}
	}
	req := reconcile.AdoptRequest{Evidence: f.name, Unseen: f.unseen, Exit: adoptCode}
	if req.Complete, err = completeUntil(cfg, f.complete); err == nil && f.complete != "" && f.from+f.to != "" {
		err = errors.New("--complete-until needs all of it: leave out --from and --to")
	}
	if err != nil {
		return &usageError{command: "makegood adopt", err: err}
	}
	s, err := a.begin(ctx, &f.runFlags, "adopt")
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.addEvidence(f.name); err != nil {
		return &configError{fmt.Errorf("open evidence %s: %w", f.name, err)}
	}
	req.From, req.To = s.req.From, s.req.To
	res, err := s.adoptInto(ctx, req, f.dry)
	s.stop()
	if len(res.Targets) == 0 {
		return err
	}
	a.code = adoptCode(res, err)
	return errors.Join(err, s.tellAdopted(res, f))
}

// adoptInto opens the ledger as it is needed.
func (s *session) adoptInto(ctx context.Context, req reconcile.AdoptRequest, dry bool) (res reconcile.AdoptResult, err error) {
	if !dry {
		if err := s.openLedger(ctx); err != nil {
			return res, err
		}
		return s.Adopt(ctx, s.led, req)
	}
	led, err := s.readLedger(ctx)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	return s.PlanAdoption(ctx, led, req)
}

func adoptCode(res reconcile.AdoptResult, err error) int {
	if err != nil {
		return codeOf(err)
	}
	if slices.ContainsFunc(res.Targets, func(t reconcile.AdoptedAt) bool { return t.LackingFound > 0 }) {
		return exitPerson
	}
	return exitDone
}

// evidenceTargets are the destinations that evidence is about: those that were
// named, else those that list it.
func evidenceTargets(cfg *config.Config, name string, named []string) ([]string, error) {
	if cfg.Evidence[name] == nil {
		there := strings.Join(slices.Sorted(maps.Keys(cfg.Evidence)), ", ")
		return nil, fmt.Errorf("there is no evidence %q; there is %s", name, cmp.Or(there, "none at all"))
	}
	if len(named) > 0 {
		return named, nil
	}
	for _, target := range slices.Sorted(maps.Keys(cfg.Targets)) {
		if t := cfg.Targets[target]; t.Mode != config.ModeOff && slices.Contains(t.AlreadySent, name) {
			named = append(named, target)
		}
	}
	if len(named) == 0 {
		return nil, fmt.Errorf("no destination has %s in already_sent: name the one that it is about with --target", name)
	}
	return named, nil
}

func (s *session) tellAdopted(res reconcile.AdoptResult, f *adoptFlags) error {
	if f.json {
		enc := json.NewEncoder(s.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(res)
	}
	fmt.Fprintf(s.io.out, "%s (%s): %d rows about %d orders", res.Evidence, res.Trust, res.Rows, res.Orders)
	if !res.Newest.IsZero() {
		fmt.Fprintf(s.io.out, ", the newest of %s", res.Newest.In(s.Zone).Format("2006-01-02 15:04 MST"))
	}
	fmt.Fprintln(s.io.out)
	var lacking []reconcile.Contradicted
	for _, t := range res.Targets {
		if err := s.tellAdoptedAt(t, res.DryRun); err != nil {
			return err
		}
		lacking = append(lacking, t.Contradicted)
	}
	return s.tellLacking(res.Evidence, lacking)
}

func (s *session) tellAdoptedAt(t reconcile.AdoptedAt, dry bool) error {
	fmt.Fprintf(s.io.out, "\n%s\n", t.Target)
	w := tabwriter.NewWriter(s.io.out, 0, 0, 2, ' ', 0)
	recorded, ended := "recorded as sent", "sent, answer unknown: now known as sent"
	if dry {
		recorded, ended = "would be recorded as sent", "sent, answer unknown: would be known as sent"
	}
	for _, line := range []struct {
		text string
		n    int
		more string
	}{
		{recorded, t.Recorded, reports.Money(t.Money)},
		{"  of these in no source, without an amount", t.UnseenKept, ""},
		{ended, t.Ended, ""},
		{"known as sent before", t.Known, ""},
		{"being sent by another run right now", t.Busy, ""},
		{"changed by somebody else meanwhile", t.Moved, ""},
		{"sent, answer unknown: stays so, this is only assumed", t.Kept, ""},
		{"refused by the platform: stays so, this is only assumed", t.Refused, ""},
		{"to be sent again, by a person's word", t.Reopened, ""},
		{"their number is another order's here", t.OtherOrder, ""},
		{"not for this destination", t.NotForTarget, ""},
		{"of a numbering that none of its sources has", t.OtherShop, ""},
		{"in no source, not recorded", t.Unseen, examplesOf(t.UnseenOrders, t.Unseen)},
	} {
		if line.n > 0 || line.text == recorded {
			fmt.Fprintf(w, "  %s\t%d\t%s\n", line.text, line.n, line.more)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if t.Unseen > 0 {
		fmt.Fprintln(s.io.out, "  If they are orders all the same, --unseen records them.")
	}
	return nil
}

// examplesOf names a few of n orders.
func examplesOf(orders []string, n int) string {
	const few = 5
	var names []string
	for _, o := range orders[:min(few, len(orders))] {
		names = append(names, reports.Mask(o))
	}
	text := strings.Join(names, ", ")
	if n > len(names) && len(names) > 0 {
		text += ", ..."
	}
	return text
}
