package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"makegood/cmd/makegood/traces"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/reports/notice"
)

// teller tells others than the person at the terminal of one run, its start
// and its end. What goes wrong then is a line of the log, and never the run's
// concern. A nil teller tells nobody.
type teller struct {
	*app
	audience
	cfg   *config.Config
	lane  string
	did   string // the command
	entry string // of the schedule, and its moment
	slot  time.Time
	began time.Time

	started sync.WaitGroup // health checks that hear of the start
	trace   *traces.Run
}

// startWithin is how long a health check may take to hear of a start. The run
// goes on meanwhile.
const startWithin = 10 * time.Second

// newTeller makes the teller of a command that is told of. Of others it makes
// sure that it could.
func (a *app) newTeller(cfg *config.Config, f *runFlags, command string) (*teller, error) {
	everybody, err := a.openAudience(cfg)
	if err != nil || command != "run" && command != "apply" {
		return nil, err
	}
	a.built = nil
	t := &teller{app: a, audience: everybody, cfg: cfg, lane: lane(cfg, f, command), did: command, entry: f.schedule, slot: f.slot, began: a.clock().UTC(),
		trace: traces.Begin(traces.Options{Env: a.env, Version: version(), Environment: cfg.Environment, Log: a.log}, command)}
	to := destinations(cfg, f)
	t.checks = slices.DeleteFunc(t.checks, func(check notice.HealthCheck) bool {
		ofOthers := func(name string) bool { return !slices.Contains(to, name) }
		// A check waits for the night's run, and what is done by hand is none.
		return command != "run" || slices.ContainsFunc(cfg.Notify.To[check.Name].Targets, ofOthers)
	})
	for _, check := range t.checks {
		t.started.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), startWithin)
			defer cancel()
			t.heard(check.Name, check.Start(ctx))
		})
	}
	return t, nil
}

// watching makes spans of what the progress hears of, where traces are wanted.
func (t *teller) watching(p reconcile.Progress) reconcile.Progress {
	if t == nil {
		return p
	}
	return t.trace.Progress(p)
}

// heard notes who could not be told.
func (t *teller) heard(name string, err error) {
	if err != nil {
		t.log.Warn("a notice was not delivered", "notice", name, "error", err)
	}
}

// end tells everybody how the command ended. led is nil where there was none.
func (t *teller) end(led *ledger.Store, err error) {
	if t == nil {
		return
	}
	report := t.report(err)
	var all sync.WaitGroup
	for _, check := range t.checks {
		all.Go(func() {
			t.started.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), notice.Within)
			defer cancel()
			t.heard(check.Name, check.End(ctx, *report.Exit, report))
		})
	}
	all.Go(func() { t.notices(led, report) })
	all.Go(func() { t.numbers(led, report) })
	all.Go(func() { t.trace.End(report.Run, *report.Exit) })
	all.Wait()
}

// report is the one that was shown, or one of what kept it from being made. What
// went wrong after it was made is told with it.
func (t *teller) report(err error) reports.Report {
	code := t.code
	if err != nil {
		code = codeOf(err)
	}
	report := reports.Build(reconcile.Result{Command: t.did, Schedule: t.entry, Slot: t.slot, Started: t.began, Finished: t.clock(), Err: err},
		reports.Options{Zone: t.cfg.Zone.Location, Config: t.named()})
	if t.built != nil {
		report = *t.built
		if err != nil && report.Error == "" {
			report.Error = reports.Mask(err.Error())
			report.PersonNeeded = append([]reports.Need{{What: reconcile.NeedFailed, Count: 1}}, report.PersonNeeded...)
		}
	}
	report.Exit = &code
	return report
}

// notices tells of what has changed, and keeps what was told.
func (t *teller) notices(led *ledger.Store, report reports.Report) {
	if len(t.board.Members) == 0 {
		return
	}
	record, kept := t.board.Tell(context.Background(), report, t.lane, t.past(led))
	for name, text := range record.Failed {
		t.heard(name, errors.New(text))
	}
	if !kept {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepWithin)
	defer cancel()
	var err error
	if led != nil {
		err = t.keepInLedger(ctx, led, record)
	}
	if led == nil || err != nil {
		err = errors.Join(err, t.keepInFile(t.cfg, record))
	}
	if err != nil {
		t.log.Warn("what was told could not be kept, and is told again", "error", err)
	}
}

// past lists what was told after earlier runs.
func (t *teller) past(led *ledger.Store) []notice.Record {
	ctx, cancel := context.WithTimeout(context.Background(), keepWithin)
	defer cancel()
	var from runsTold
	if led != nil {
		from = led
	}
	records, err := t.told(ctx, t.cfg, from)
	if err != nil {
		t.log.Warn("what was told before is not wholly known", "error", err)
	}
	return records
}

// runsTold is a ledger that knows what was told.
type runsTold interface {
	Told(ctx context.Context, upTo time.Time, limit int) ([]ledger.LastRun, error)
}

// told lists what was told after earlier runs: from the ledger, so that all
// hosts agree, and of runs that had no ledger, nil, from state_dir. What one of
// them does not give keeps nobody from the other's.
func (a *app) told(ctx context.Context, cfg *config.Config, led runsTold) ([]notice.Record, error) {
	records, err := a.toldInFiles(cfg)
	if led == nil {
		return records, err
	}
	more, failed := toldInLedger(ctx, led, notice.Late(a.clock()))
	return append(records, more...), errors.Join(err, failed)
}

func toldInLedger(ctx context.Context, led runsTold, upTo time.Time) ([]notice.Record, error) {
	runs, err := led.Told(ctx, upTo, recordsKept)
	var records []notice.Record
	for _, run := range runs {
		var r notice.Record
		if json.Unmarshal(run.Summary, &r) == nil && r.Version == notice.RecordVersion { // another version's record is told again
			records = append(records, r)
		}
	}
	return records, err
}

// keepInLedger keeps a record as a run of its own: it is made when the run that
// it tells of has ended.
func (t *teller) keepInLedger(ctx context.Context, led *ledger.Store, r notice.Record) error {
	summary, err := json.Marshal(r)
	if err != nil {
		return err
	}
	code := exitDone
	if len(r.Failed) > 0 {
		code = exitFailed
	}
	run := reconcile.RunRecord{Run: reconcile.RunID(uuid.Must(uuid.NewV7()).String()), Command: ledger.CommandTold, Started: r.At}
	if err := led.Begin(ctx, run); err != nil {
		return fmt.Errorf("keep what was told: %w", err)
	}
	if err := led.End(ctx, reconcile.RunEnd{Run: run.Run, Finished: t.clock().UTC(), Exit: code, Summary: summary}); err != nil {
		return fmt.Errorf("keep what was told: %w", err)
	}
	return ledger.WriteHead(filepath.Join(t.cfg.StateDir, "head.json"), led.Head())
}
