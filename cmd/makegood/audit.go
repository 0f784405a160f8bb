package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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
	if err := f.check(); err != nil {
		return &usageError{command: "makegood audit", err: err}
	}
	return a.pastRuns(ctx, func(led *ledger.Reader, zone *time.Location) error {
		w, err := f.window(a.clock().In(zone))
		if err != nil {
			return &usageError{command: "makegood audit", err: err}
		}
		if led.Absent() {
			return errors.New("audit the ledger: there is none yet; the first run begins it")
		}
		return a.auditIn(ctx, led, w, f)
	})
}

// check says what cannot work, before anything is read.
func (f *auditFlags) check() error {
	switch {
	case f.lines == "-" && f.json:
		return errors.New("--lines - and --json both write to standard output; name a file for the lines")
	case f.lines == "" || f.lines == "-":
		return nil
	case !strings.HasSuffix(f.lines, ".csv"):
		return fmt.Errorf("--lines %s: name a file that ends in .csv", f.lines)
	}
	return checkFile("--lines", f.lines)
}

// window is the month that was named, or the period, or else the last month, in
// the zone of now.
func (f *auditFlags) window(now time.Time) (reconcile.Window, error) {
	zone := now.Location()
	begin := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, zone)
	end := begin.AddDate(0, 1, 0)
	date := func(flag, text string) (time.Time, error) {
		var d config.Date
		if err := d.UnmarshalText([]byte(text)); err != nil {
			return time.Time{}, fmt.Errorf("%s %s: %w", flag, text, err)
		}
		return d.In(zone), nil
	}
	var err error
	switch {
	case f.month != "" && f.from+f.to != "", f.to != "" && f.from == "":
		return reconcile.Window{}, errors.New("name a --month, or a period by --from and --to")
	case f.month != "":
		if begin, err = date("--month", f.month+"-01"); err != nil {
			return reconcile.Window{}, fmt.Errorf("--month %q is no month such as 2026-10", f.month)
		}
		end = begin.AddDate(0, 1, 0)
	case f.from != "":
		begin, err = date("--from", f.from)
		end = now
		if f.to != "" && err == nil {
			end, err = date("--to", f.to)
		}
	}
	w := reconcile.Window{From: begin.UTC(), To: end.UTC()}
	return w, cmp.Or(err, w.Check())
}

func (a *app) auditIn(ctx context.Context, led *ledger.Reader, w reconcile.Window, f *auditFlags) error {
	zone := w.From.Location()
	if cfg, err := a.load(); err == nil {
		zone = zoneOf(cfg)
	}
	auditor := reports.NewAuditor(w, zone)
	if err := auditRuns(ctx, led, w, auditor); err != nil {
		return err
	}
	if err := a.auditInto(f.lines, func(out io.Writer) error {
		lines, err := reports.NewOrderLines(out, zone)
		if err != nil {
			return err
		}
		each := func(l reports.OrderLine) error { return cmp.Or(auditor.Line(l), lines.Write(l)) }
		return errors.Join(auditLines(ctx, led, w, each), lines.Close())
	}); err != nil || f.lines == "-" {
		return err
	}
	said, err := led.Words(ctx, reconcile.WordDecide)
	if err != nil {
		return err
	}
	for _, word := range said {
		auditor.Answer(word)
	}
	cutOff, err := led.CutOff(ctx, w)
	if err != nil {
		return err
	}
	audit := auditor.Audit(led.Head(), cutOff)
	if f.json {
		return a.encode(audit)
	}
	return reports.AuditTerminal(a.io.out, audit, reports.TerminalOptions{Colour: a.colours(a.io.out)})
}

// auditInto writes to a file so that a reader sees the old one or the whole new
// one; to standard output for -, and to nowhere without a name.
func (a *app) auditInto(path string, write func(io.Writer) error) error {
	switch path {
	case "":
		return write(io.Discard)
	case "-":
		return write(a.io.out)
	}
	return writeWhole(path, 0o600, write)
}

// settingsWithin is how long before a period its settings are looked for, and how
// long before and after it the runs that sum up what workers sent.
const settingsWithin = 92 * 24 * time.Hour

// auditRuns tells an auditor of the runs of a period, of those before it, and of
// backfills after it.
func auditRuns(ctx context.Context, led *ledger.Reader, w reconcile.Window, auditor *reports.Auditor) error {
	read := func(w reconcile.Window, tell func(reports.Report)) error {
		return led.EndedIn(ctx, w, func(run ledger.LastRun) error {
			report, err := reports.Read(bytes.NewReader(run.Summary))
			if err != nil {
				auditor.Unread()
				return nil
			}
			report.Targets = slices.DeleteFunc(report.Targets, func(t reports.Target) bool { return report.Command == "send" && wasTried(t) })
			tell(report)
			return nil
		})
	}
	before := reconcile.Window{From: w.From.Add(-settingsWithin), To: w.From}
	if err := cmp.Or(read(before, auditor.Before), read(w, auditor.Run)); err != nil {
		return err
	}
	after := reconcile.Window{From: w.To, To: w.To.Add(settingsWithin)}
	return led.EndedIn(ctx, after, func(run ledger.LastRun) error {
		if report, err := reports.Read(bytes.NewReader(run.Summary)); run.Command == "backfill" && err == nil {
			auditor.After(report)
		}
		return nil
	})
}

// wasTried reports whether a person tried a destination by hand, with a test or a
// repeat; a test cart is neither.
func wasTried(t reports.Target) bool {
	_, tried := reconcile.TriedAt(t.Target)
	return tried && t.Type != "emanage"
}

// linesAtOnce is how many messages are looked up together.
const linesAtOnce = 500

// auditLines calls do with every message, and every order that became none, of
// orders completed in a period: what the sources left out first.
func auditLines(ctx context.Context, led *ledger.Reader, w reconcile.Window, do func(reports.OrderLine) error) error {
	targets, err := led.Targets(ctx)
	if err != nil {
		return err
	}
	orders := func(l reports.OrderLine) error {
		if reconcile.Tried(l.Target, l.ID) {
			return nil
		}
		return do(l)
	}
	for _, target := range append([]string{""}, targets...) {
		if err := (&auditPart{led: led, target: target, window: w, do: orders}).lines(ctx); err != nil {
			return err
		}
	}
	return nil
}

// auditPart is a few messages of one destination: first those with an entry,
// then those that were only decided on.
type auditPart struct {
	led    *ledger.Reader
	target string
	window reconcile.Window
	ids    []reconcile.EventID
	do     func(reports.OrderLine) error
	passed reconcile.EventID // the last one that was told of an entry
}

// lines tells of every message of the destination in the period.
func (p *auditPart) lines(ctx context.Context) error {
	if err := p.led.EachIn(ctx, p.target, p.window, func(id reconcile.EventID, _ string) error {
		p.ids = append(p.ids, id)
		if len(p.ids) < linesAtOnce {
			return nil
		}
		return p.tell(ctx)
	}); err != nil {
		return err
	}
	return p.tell(ctx)
}

func (p *auditPart) tell(ctx context.Context) error {
	defer func() { p.ids = p.ids[:0] }()
	entries, err := p.led.Find(ctx, p.target, p.ids)
	if err != nil {
		return err
	}
	said, err := p.led.Said(ctx, p.target, p.ids)
	if err != nil {
		return err
	}
	decided, err := p.led.DecidedMarks(ctx, p.target, p.ids)
	if err != nil {
		return err
	}
	for i, id := range p.ids {
		if i > 0 && p.ids[i-1] == id {
			continue // of another source: the decisions of both are told
		}
		e, sent := entries[id]
		again := sent && id <= p.passed // in the second pass, of decisions
		if again || sent && !p.window.Holds(e.Facts.CompletedAt) {
			continue
		}
		if sent {
			p.passed = id
		}
		if err := p.line(id, e, said[id], decided[id]); err != nil {
			return err
		}
	}
	return nil
}

// line tells of one message: by its entry, unless something newer was decided
// about one that is not done.
func (p *auditPart) line(id reconcile.EventID, e reconcile.Entry, word reconcile.Said, decisions []reconcile.DecidedMark) error {
	open := e.State == reconcile.StateAbsent || e.State == reconcile.StateOpen
	told := false
	for _, d := range decisions {
		if open || e.State == reconcile.StateRefused && d.At.After(e.At) {
			told = true
			if err := p.do(reports.OrderLine{Target: p.target, ID: id, Place: d.Place, Source: d.Source, Completed: d.CompletedAt, Value: d.Value,
				At: d.At, Run: d.Run, Requests: e.Attempts, Note: d.Detail}); err != nil {
				return err
			}
		}
	}
	if told || e.State == reconcile.StateAbsent {
		return nil
	}
	return p.do(reports.OrderLine{Target: p.target, ID: id, Place: e.Place(), Source: e.Facts.Source, Completed: e.Facts.CompletedAt, Value: e.Value,
		At: e.At, Run: e.Run, Requests: e.Attempts, Who: word.Who, Note: word.Note, Person: word.Note != ""})
}
