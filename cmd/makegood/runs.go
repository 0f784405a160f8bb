package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile/ledger"
	"makegood/reports"
)

// runsFlags are what runs can be told.
type runsFlags struct {
	limit int
	json  bool
}

// maxRuns bounds how many runs are listed: each has its report read.
const maxRuns = 1000

func (a *app) runsCommand() *cobra.Command {
	var f runsFlags
	c := &cobra.Command{
		Use:   "runs",
		Short: "List the runs that ended: when, how they ended, what was missing and repaired",
		Long: `Lists the runs that ended, the newest first: when, which command, how long it
took, how it ended, and what was missing and repaired at each destination.
makegood report RUN shows one of them; the beginning of its id is enough.`,
		GroupID: "daily",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood runs\n  makegood runs --limit 100\n  makegood runs --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.runs(c.Context(), &f) },
	}
	c.Flags().IntVar(&f.limit, "limit", 20, "how many, at most 1000")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

// runList is what runs tells. Its JSON form is stable.
type runList struct {
	Schema int             `json:"schema"`
	Runs   []reports.Brief `json:"runs"`
}

func (a *app) runs(ctx context.Context, f *runsFlags) error {
	if f.limit < 1 || f.limit > maxRuns {
		return &usageError{command: "makegood runs", err: fmt.Errorf("--limit %d: give a number from 1 to %d", f.limit, maxRuns)}
	}
	return a.pastRuns(ctx, func(led *ledger.Reader, zone *time.Location) error {
		ended, err := led.Ended(ctx, f.limit)
		if err != nil {
			return err
		}
		list := runList{Schema: 1, Runs: []reports.Brief{}}
		for _, r := range ended {
			list.Runs = append(list.Runs, briefOf(r))
		}
		if f.json {
			return a.encode(list)
		}
		return a.tellRuns(list, zone)
	})
}

// briefOf tells of a run by its report, or by what the ledger knows of one that
// left none.
func briefOf(r ledger.LastRun) reports.Brief {
	b := reports.Brief{PersonNeeded: r.Exit == exitPerson}
	if past, err := reports.Read(bytes.NewReader(r.Summary)); err == nil {
		b = past.Brief()
	}
	b.Run, b.Command, b.Started, b.Finished, b.Exit = string(r.Run), r.Command, r.Started.UTC().Truncate(time.Second), r.Finished.UTC().Truncate(time.Second), r.Exit
	return b
}

// shortRun is how much of an id tells runs apart: the time in it.
const shortRun = 13

func (a *app) tellRuns(list runList, zone *time.Location) error {
	if len(list.Runs) == 0 {
		_, err := fmt.Fprintln(a.io.out, "No run has ended yet. makegood run begins the first.")
		return err
	}
	var table, text strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "when\trun\tcommand\ttook\thow it ended")
	for _, b := range list.Runs {
		command := b.Command
		if b.Backfill && b.Command != "backfill" {
			command += ", backfill"
		}
		if b.Schedule != "" {
			command += ", " + b.Schedule
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", b.Started.In(zone).Format("2 Jan 2006 15:04"), b.Run[:min(len(b.Run), shortRun)], command, b.Took(), exitWords(b.Exit))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	head, rows, _ := strings.Cut(table.String(), "\n")
	text.WriteString(head + "\n")
	for i, row := range strings.Split(strings.TrimSuffix(rows, "\n"), "\n") {
		text.WriteString(row + "\n")
		for _, t := range list.Runs[i].Targets {
			fmt.Fprintf(&text, "  %s: %s\n", t.Target, t.Words)
		}
	}
	_, err := fmt.Fprint(a.io.out, text.String())
	return err
}

// exitWords say how a run ended.
func exitWords(code int) string {
	switch code {
	case exitDone:
		return "done"
	case exitLeft:
		return "something was left for the next run"
	case exitPerson:
		return "a person was needed"
	case exitFailed:
		return "something failed"
	case exitUsage, exitConfig:
		return "it did not begin"
	}
	return fmt.Sprintf("the plan was refused (%d)", code)
}
