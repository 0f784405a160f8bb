package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/reports/metrics"
	"makegood/reports/notice"
)

func (a *app) metricsCommand() *cobra.Command {
	var dashboard, alerts bool
	c := &cobra.Command{
		Use:   "metrics [RUN]",
		Short: "Print the numbers of the last runs for Prometheus, or a dashboard and alerts for them",
		Long: `Prints what the section metrics writes and pushes after each run, and what
makegood serve answers at /metrics: of the last runs of each command to the same
destinations, and of each source and destination as the newest run that knows
them has left them; runs over a period that a person named count for themselves
alone. Runs of entries of the schedule that do a part of a destination's work
count together, where no other run does all of it. With RUN (the beginning of its id is enough) of that run alone.

--dashboard prints a dashboard for Grafana, --alerts alerting rules for
Prometheus. Neither needs a configuration.`,
		GroupID: "service",
		Args:    arguments(cobra.MaximumNArgs(1)),
		Example: `  makegood metrics
  makegood metrics --dashboard > makegood-dashboard.json
  makegood metrics --alerts > makegood-alerts.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if dashboard && alerts {
				return &usageError{command: c.CommandPath(), err: errors.New("--dashboard and --alerts are two files; print one")}
			}
			switch {
			case dashboard:
				_, err := a.io.out.Write(metrics.Dashboard)
				return err
			case alerts:
				_, err := a.io.out.Write(metrics.Alerts)
				return err
			}
			return a.metrics(c.Context(), append(args, "")[0])
		},
	}
	c.Flags().BoolVar(&dashboard, "dashboard", false, "print a dashboard for Grafana as JSON")
	c.Flags().BoolVar(&alerts, "alerts", false, "print alerting rules for Prometheus as YAML")
	return c
}

func (a *app) metrics(ctx context.Context, run string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	return a.pastRuns(ctx, func(led *ledger.Reader, zone *time.Location) error {
		if run != "" {
			past, err := pastReport(ctx, led, run, zone)
			if err != nil {
				return err
			}
			past.Backfill = false // alone, it says how things stood in its period
			return metrics.Write(a.io.out, metrics.Of([]metrics.Run{runOf(past)}, metrics.Wanted{}), cfg.Environment)
		}
		numbers, err := a.lastNumbers(ctx, led, cfg, nil)
		if err != nil {
			return err
		}
		return metrics.Write(a.io.out, numbers, cfg.Environment)
	})
}

// runOf is a run by its report.
func runOf(r reports.Report) metrics.Run {
	run := metrics.Run{Command: r.Command, Started: r.Started, Finished: r.Finished, Report: r}
	if r.Exit != nil {
		run.Exit = *r.Exit
	}
	return run
}

// How far back numbers are looked for: all runs of the last days, and as many
// before as it takes to meet every source and destination.
const (
	numbersOf     = 48 * time.Hour
	numbersWithin = 60 * 24 * time.Hour
	numbersAmong  = 2500
	numbersTake   = 5 * time.Second // what was met until then is told
)

// lastNumbers makes the numbers of the runs in the ledger. now, where it is
// there, is a run that has just ended and may not be in it as it ended.
func (a *app) lastNumbers(ctx context.Context, led ender, cfg *config.Config, now *reports.Report) (metrics.Numbers, error) {
	c := metrics.Collect(wanted(cfg))
	if now != nil {
		c.Add(runOf(*now))
	}
	at, among := a.clock(), 0
	looking, cancel := context.WithTimeout(ctx, numbersTake)
	defer cancel()
	err := led.EachEnded(looking, at.Add(-numbersWithin), func(r ledger.LastRun) (bool, error) {
		if r.Command == "send" { // by hand, about one order, and perhaps a test
			return false, nil
		}
		among++
		switch {
		case among > numbersAmong || at.Sub(r.Finished) > numbersOf && !c.Lacks():
			return true, nil
		case r.Finished.After(notice.Late(at)), now != nil && r.Run == reconcile.RunID(now.Run):
			return false, nil // a clock was wrong; or it is known already
		}
		report, err := reports.Read(bytes.NewReader(r.Summary))
		if err != nil {
			report = reports.Report{} // another version's
		}
		c.Add(metrics.Run{Command: r.Command, Started: r.Started, Finished: r.Finished, Exit: r.Exit, Report: report})
		return false, nil
	})
	if looking.Err() != nil && ctx.Err() == nil {
		err = nil
	}
	return c.Numbers(), err
}

// wanted names what there are numbers of, and what the schedule makes of it.
func wanted(cfg *config.Config) metrics.Wanted {
	want := metrics.Wanted{Sources: slices.AppendSeq([]string{}, maps.Keys(cfg.Sources)), Targets: []string{},
		Next: map[string]func(time.Time) time.Time{}, Parts: map[string][]string{}, Together: map[string]bool{}}
	var parts []config.ScheduleEntry
	for i := range cfg.Schedule {
		e := &cfg.Schedule[i]
		if clock, err := clockOf(e, zoneOf(cfg)); err == nil { // a run of the schedule says what is wrong with it
			want.Next[e.Name] = clock.Next
		}
		if len(e.Send)+len(e.Channels)+len(e.Sources) > 0 || e.Lookback != (config.Span{}) {
			parts = append(parts, *e)
		}
	}
	for name, t := range cfg.Targets {
		if t.Mode == config.ModeOff {
			continue
		}
		want.Targets = append(want.Targets, name)
		for _, e := range parts {
			if takes(e.Targets, name) {
				want.Parts[name] = append(want.Parts[name], e.Name)
			}
		}
		whole := slices.ContainsFunc(cfg.Schedule, func(e config.ScheduleEntry) bool {
			return takes(e.Targets, name) && !slices.Contains(want.Parts[name], e.Name)
		})
		want.Together[name] = !whole && len(want.Parts[name]) > 0 && len(leftBy(parts, name, t)) == 0
	}
	return want
}

// numbers writes and pushes the numbers of a run that has ended. Without a
// ledger nothing is known of the runs before, and what was written stays.
func (t *teller) numbers(led *ledger.Store, now reports.Report) {
	m := t.cfg.Metrics
	if m == nil || led == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepWithin)
	defer cancel()
	if now.Finished.IsZero() {
		now.Finished = t.clock().UTC()
	}
	numbers, err := t.lastNumbers(ctx, led, t.cfg, &now)
	if err != nil {
		t.log.Warn("there are no metrics of this run", "error", err)
		return
	}
	var both sync.WaitGroup
	if m.TextFile != "" {
		both.Go(func() {
			var text bytes.Buffer
			err := metrics.Write(&text, numbers, t.cfg.Environment)
			if err == nil {
				err = writeWhole(m.TextFile, 0o644, writing(text.Bytes()))
			}
			if err != nil {
				t.log.Warn("metrics could not be written", "file", m.TextFile, "error", err)
			}
		})
	}
	if m.Push != nil {
		both.Go(func() {
			to := metrics.Gateway{URL: m.Push.URL, Job: m.Push.Job, Environment: t.cfg.Environment, Username: m.Push.Username, Password: m.Push.Password.Reveal()}
			if err := to.Push(ctx, numbers); err != nil {
				t.log.Warn("metrics could not be pushed", "error", err)
			}
		})
	}
	both.Wait()
}

// scraped is what makegood serve answers at /metrics. Reports are large and
// scrapes are many: they are read anew when a run has ended.
type scraped struct {
	*app
	cfg *config.Config

	mu   sync.Mutex
	run  reconcile.RunID
	text []byte
}

func (s *scraped) write(ctx context.Context, w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.pastRuns(ctx, func(led *ledger.Reader, _ *time.Location) error {
		newest, err := s.newest(ctx, led)
		if err != nil || newest == s.run {
			return err
		}
		numbers, err := s.lastNumbers(ctx, led, s.cfg, nil)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := metrics.Write(&text, numbers, s.cfg.Environment); err != nil {
			return err
		}
		s.run, s.text = newest, text.Bytes()
		return nil
	})
	if err != nil {
		return err
	}
	_, err = w.Write(s.text)
	return err
}

// newest is the run that ended last, "" where none did lately.
func (s *scraped) newest(ctx context.Context, led ender) (run reconcile.RunID, err error) {
	at := s.clock()
	err = led.EachEnded(ctx, at.Add(-numbersWithin), func(r ledger.LastRun) (bool, error) {
		if r.Finished.After(notice.Late(at)) {
			return false, nil
		}
		run = r.Run
		return true, nil
	})
	return run, err
}
