package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// pastFlags are what report can be told.
type pastFlags struct {
	format, out string
	schema      bool
}

func (a *app) reportCommand() *cobra.Command {
	var f pastFlags
	c := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Show the report of a past run again, in any form",
		Long: `Shows what a run that ended has reported, as it did then: the newest one, or
the one whose id begins with RUN (makegood runs lists them). Only the ledger is
read, and nothing is changed.

The forms are terminal, html (a page that needs nothing else), json (for
programs; --schema prints its JSON Schema), csv (a row for each destination,
bucket, reason and currency), md (for tickets and chats), junit (for pipelines)
and xlsx. With --out a file's ending says which: .txt, .html, .json, .csv, .md,
.xml, .xlsx.`,
		GroupID: "daily",
		Args:    arguments(cobra.MaximumNArgs(1)),
		Example: `  makegood report
  makegood report 01934f2e-7a10 --format md
  makegood report --out night.xlsx
  makegood report --schema`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.reportAgain(c.Context(), &f, strings.Join(args, ""))
		},
	}
	c.Flags().StringVar(&f.format, "format", "", "terminal, html, json, csv, md, junit or xlsx")
	c.Flags().StringVar(&f.out, "out", "", "write it to `FILE`")
	c.Flags().BoolVar(&f.schema, "schema", false, "print the JSON Schema of the form json")
	return c
}

// form is the form that was asked for.
func (f *pastFlags) form(terminal bool) (reports.Form, error) {
	form, known := reports.FormNamed("terminal")
	if f.out != "" {
		if err := checkFile("--out", f.out); err != nil {
			return form, err
		}
		form, known = reports.FormOf(f.out)
	}
	if f.format != "" {
		form, known = reports.FormNamed(f.format)
	}
	switch {
	case !known && f.format != "":
		return form, fmt.Errorf("--format %s: there is no such form; there are %s", f.format, formNames())
	case !known:
		return form, fmt.Errorf("--out %s: its ending tells no form; say which with --format", f.out)
	case form.Binary && f.out == "" && terminal:
		return form, fmt.Errorf("--format %s is nothing for a terminal; name a file with --out", form.Name)
	}
	return form, nil
}

func formNames() string {
	var names []string
	for _, f := range reports.Forms() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

func (a *app) reportAgain(ctx context.Context, f *pastFlags, run string) error {
	if f.schema {
		_, err := a.io.out.Write(reports.JSONSchema)
		return err
	}
	form, err := f.form(a.terminal(a.io.out))
	if err != nil {
		return &usageError{command: "makegood report", err: err}
	}
	return a.pastRuns(ctx, func(led *ledger.Reader, zone *time.Location) error {
		past, err := pastReport(ctx, led, run, zone)
		if err != nil {
			return err
		}
		past = past.Naming(a.named())
		past.Head = nil // it was stored before the run's last commit
		if f.out != "" {
			return writeReport(f.out, form, past)
		}
		return a.print(form, past)
	})
}

// print writes a report to standard output, with colours on a terminal.
func (a *app) print(form reports.Form, r reports.Report) error {
	if form.Name == "terminal" {
		return reports.Terminal(a.io.out, r, reports.TerminalOptions{Colour: a.colours(a.io.out)})
	}
	return form.Write(a.io.out, r)
}

// pastRuns opens the ledger for what past runs have reported, and nothing else:
// no source, no destination and no list is looked at.
func (a *app) pastRuns(ctx context.Context, do func(*ledger.Reader, *time.Location) error) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	return a.pastOf(ctx, cfg, nil, do)
}

// pastOf is pastRuns with a configuration that was read, and with the person key
// where orders are asked about that a number alone does not name.
func (a *app) pastOf(ctx context.Context, cfg *config.Config, key []byte, do func(*ledger.Reader, *time.Location) error) error {
	w := &wiring{cfg: cfg, head: filepath.Join(cfg.StateDir, "head.json"), Runner: &reconcile.Runner{Clock: a.clock, Key: key}}
	led, err := w.readLedger(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(led, zoneOf(cfg)), led.Close())
}

func zoneOf(cfg *config.Config) *time.Location {
	if cfg.Zone.Location == nil {
		return time.UTC
	}
	return cfg.Zone.Location
}

// amongRuns is among how many of the newest runs one is looked for.
const amongRuns = 100

// pastReport finds the report of the run whose id begins with run; the newest
// one that there is when run is empty.
func pastReport(ctx context.Context, led *ledger.Reader, run string, zone *time.Location) (reports.Report, error) {
	newest, err := led.Ended(ctx, amongRuns)
	if err != nil {
		return reports.Report{}, err
	}
	if len(newest) == 0 {
		return reports.Report{}, errors.New("find the run: none has ended yet; makegood run begins the first")
	}
	if run == "" {
		for _, r := range newest {
			if past, err := reports.Read(bytes.NewReader(r.Summary)); err == nil {
				return past, nil
			}
		}
		return reports.Report{}, fmt.Errorf("find the run: none of the last %d has left a report", len(newest))
	}
	run = strings.ToLower(run)
	like, err := led.EndedUpTo(ctx, run+"~", 2) // which comes after all that can follow in an id
	if err != nil {
		return reports.Report{}, err
	}
	begins := func(i int) bool { return i < len(like) && strings.HasPrefix(string(like[i].Run), run) }
	switch {
	case begins(1) && string(like[0].Run) != run:
		return reports.Report{}, fmt.Errorf("find the run %s: several begin so, such as %s and %s; give more of it",
			run, namedRun(like[0], zone), namedRun(like[1], zone))
	case !begins(0):
		text := "the newest is " + namedRun(newest[0], zone)
		if len(like) > 0 && like[0].Run != newest[0].Run {
			text = "the nearest is " + namedRun(like[0], zone) + ", " + text
		}
		return reports.Report{}, fmt.Errorf("find the run %s: no run that ended begins so; %s; makegood runs lists them", run, text)
	}
	past, err := reports.Read(bytes.NewReader(like[0].Summary))
	if err != nil {
		return past, fmt.Errorf("show %s: makegood %s left no report that this version reads: %w", namedRun(like[0], zone), like[0].Command, err)
	}
	return past, nil
}

// namedRun names a run.
func namedRun(r ledger.LastRun, zone *time.Location) string {
	return fmt.Sprintf("%s (%s, %s)", r.Run, r.Command, r.Started.In(zone).Format("2 Jan 2006 15:04"))
}
