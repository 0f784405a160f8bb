package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// auditFlags are what audit can be told.
type auditFlags struct {
	runFlags
	month string
	lines string
}

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit",
		Short: "What left to whom in a month, who decided what, and what the configuration changed",
		Long: `Reads the ledger alone, and tells of one month, without --month the last one:
what each destination was sent, where the messages of that month's orders are,
which doubts and refusals people ended and with which note, which plans were
approved by whom, which evidence was let pass, and each change of the
configuration with the counts that differ from the run before.

--lines writes every order of the period as one line of CSV for each message:
number, destination, status, reason, amount, since when, by which run and on
whose word. There are no names and no addresses in it.`,
		GroupID: "decisions",
		Args:    arguments(cobra.NoArgs),
		Example: `  makegood audit
  makegood audit --month 2026-10 --lines october.csv
  makegood audit --from 2026-10-01 --to 2026-10-08 --json`,
		RunE: func(c *cobra.Command, _ []string) error { return a.audit(c.Context(), &f) },
	}
	c.Flags().StringVar(&f.month, "month", "", "a `MONTH` such as 2026-10, in the configured zone")
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, in place of --month")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it")
	c.Flags().StringVar(&f.lines, "lines", "", "write every order as a line of CSV to `FILE`; - is standard output, in place of the summary")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func (a *app) audit(ctx context.Context, f *auditFlags) error {
	return a.reading(ctx, &f.runFlags, "audit", func(s *session, led *ledger.Reader) error {
		s.stop()
		w, err := f.window(s)
		if err != nil {
			return err
		}
		if led.Absent() {
			return errors.New("audit the ledger: there is none yet; the first run begins it")
		}
		return s.audit(ctx, led, w, f)
	})
}

// window is the month that was named, or the period, or else the last month.
func (f *auditFlags) window(s *session) (reconcile.Window, error) {
	if f.from+f.to != "" {
		if f.month != "" || f.from == "" {
			return reconcile.Window{}, &usageError{command: "makegood audit", err: errors.New("name a --month, or a period by --from and --to")}
		}
		end := s.req.To
		if end.IsZero() {
			end = s.Clock()
		}
		return reconcile.Window{From: s.req.From.UTC(), To: end.UTC()}, nil
	}
	now := s.Clock().In(s.Zone)
	begin := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, s.Zone)
	if f.month != "" {
		var date config.Date
		if err := date.UnmarshalText([]byte(f.month + "-01")); err != nil {
			return reconcile.Window{}, &usageError{command: "makegood audit", err: fmt.Errorf("--month %q is no month such as 2026-10", f.month)}
		}
		begin = date.In(s.Zone)
	}
	return reconcile.Window{From: begin.UTC(), To: begin.AddDate(0, 1, 0).UTC()}, nil
}

func (s *session) audit(ctx context.Context, led *ledger.Reader, w reconcile.Window, f *auditFlags) (err error) {
	auditor := reports.NewAuditor(w, s.Zone)
	if err := auditRuns(ctx, led, w, auditor); err != nil {
		return err
	}
	out := io.Discard
	if f.lines == "-" {
		out = s.io.out
	} else if f.lines != "" {
		file, err := os.OpenFile(f.lines, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("write the lines: %w: name a file in a folder that is there", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	lines, err := reports.NewOrderLines(out, s.Zone)
	if err != nil {
		return err
	}
	each := func(l reports.OrderLine) error { return cmp.Or(auditor.Line(l), lines.Write(l)) }
	if err := errors.Join(s.auditLines(ctx, led, w, each), lines.Close()); err != nil {
		return err
	}
	cutOff, err := led.CutOff(ctx, w)
	if err != nil {
		return err
	}
	audit := auditor.Audit(led.Head(), cutOff)
	switch {
	case f.json:
		return s.encode(audit)
	case f.lines == "-":
		return nil
	}
	return reports.AuditTerminal(s.io.out, audit, reports.TerminalOptions{Colour: s.colours(s.io.out)})
}

// settingsWithin is how long before a period its settings are looked for.
const settingsWithin = 92 * 24 * time.Hour

// auditRuns tells an auditor of the runs of a period, and of those before it.
func auditRuns(ctx context.Context, led *ledger.Reader, w reconcile.Window, auditor *reports.Auditor) error {
	read := func(w reconcile.Window, tell func(reports.Report)) error {
		return led.EndedIn(ctx, w, func(run ledger.LastRun) error {
			report, err := reports.Read(bytes.NewReader(run.Summary))
			if err != nil {
				auditor.Unread()
				return nil
			}
			tell(report)
			return nil
		})
	}
	before := reconcile.Window{From: w.From.Add(-settingsWithin), To: w.From}
	return cmp.Or(read(before, auditor.Before), read(w, auditor.Run))
}

// linesAtOnce is how many messages are looked up together.
const linesAtOnce = 500

// auditLines calls do with every message, and every order that became none, of
// orders completed in a period: what the sources left out first.
func (s *session) auditLines(ctx context.Context, led *ledger.Reader, w reconcile.Window, do func(reports.OrderLine) error) error {
	targets := []string{""}
	for _, t := range s.Targets {
		targets = append(targets, t.Name())
	}
	for _, target := range targets {
		var ids []reconcile.EventID
		if err := led.EachIn(ctx, target, w, func(id reconcile.EventID, _ string) error { ids = append(ids, id); return nil }); err != nil {
			return err
		}
		slices.Sort(ids)
		for part := range slices.Chunk(slices.Compact(ids), linesAtOnce) {
			if err := auditPart(ctx, led, target, part, do); err != nil {
				return err
			}
		}
	}
	return nil
}

func auditPart(ctx context.Context, led *ledger.Reader, target string, ids []reconcile.EventID, do func(reports.OrderLine) error) error {
	entries, err := led.Find(ctx, target, ids)
	if err != nil {
		return err
	}
	said, err := led.Said(ctx, target, ids)
	if err != nil {
		return err
	}
	decided, err := led.Decided(ctx, target, ids)
	if err != nil {
		return err
	}
	decisions := map[reconcile.EventID]reconcile.Decision{}
	for _, d := range decided {
		decisions[d.ID] = d
	}
	for _, id := range ids {
		e, sent := entries[id]
		d, held := decisions[id]
		line := reports.OrderLine{Target: target, ID: id, Place: d.Place, Source: d.Source, Completed: d.CompletedAt, Value: d.Value, At: d.At, Run: d.Run, Note: d.Detail}
		if sent && (!held || e.State != reconcile.StateOpen) {
			word := said[id]
			line = reports.OrderLine{Target: target, ID: id, Place: e.Place(), Source: e.Facts.Source, Completed: e.Facts.CompletedAt, Value: e.Value,
				At: e.At, Run: e.Run, Requests: e.Attempts, Who: word.Who, Note: word.Note, Person: word.Note != ""}
		}
		if line.Place.Bucket == "" {
			continue // it was hidden under another number
		}
		if err := do(line); err != nil {
			return err
		}
	}
	return nil
}
