package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	t := &teller{app: a, audience: everybody, cfg: cfg, lane: lane(cfg, f, command), did: command, began: a.clock().UTC(),
		trace: traces.Begin(traces.Options{Env: a.env, Version: version(), Environment: cfg.Environment, Log: a.log}, command)}
	if command != "run" { // a check waits for the night's run, and what is done by hand is none
		t.checks = nil
	}
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

// report is the one that was shown, or one of what kept it from being made.
func (t *teller) report(err error) reports.Report {
	code := t.code
	if err != nil {
		code = codeOf(err)
	}
	report := reports.Build(reconcile.Result{Command: t.did, Started: t.began, Finished: t.clock(), Err: err},
		reports.Options{Zone: t.cfg.Zone.Location, Config: t.named()})
	if t.built != nil {
		report = *t.built
	}
	report.Exit = &code
	return report
}

// notices tells of what has changed, and keeps what was told.
func (t *teller) notices(led *ledger.Store, report reports.Report) {
	if len(t.board.Members) == 0 {
		return
	}
	ctx := context.Background()
	record, kept := t.board.Tell(ctx, report, t.lane, t.past(ctx, led))
	for name, text := range record.Failed {
		t.heard(name, errors.New(text))
	}
	if !kept {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	var err error
	if led != nil {
		err = t.keepInLedger(ctx, led, record)
	}
	if led == nil || err != nil {
		err = errors.Join(err, t.keepInFile(record))
	}
	if err != nil {
		t.log.Warn("what was told could not be kept, and is told again", "error", err)
	}
}

// runsTold is a ledger that knows what was told.
type runsTold interface {
	Told(ctx context.Context, limit int) ([]ledger.LastRun, error)
}

// past lists what was told after earlier runs: from the ledger, so that all
// hosts agree, and of runs that had no ledger from state_dir.
func (t *teller) past(ctx context.Context, led *ledger.Store) []notice.Record {
	records, err := t.toldInFile(t.cfg)
	if err == nil && led != nil {
		var more []notice.Record
		more, err = toldInLedger(ctx, led)
		records = append(records, more...)
	}
	if err != nil {
		t.log.Warn("what was told before is not known", "error", err)
	}
	return records
}

func toldInLedger(ctx context.Context, led runsTold) ([]notice.Record, error) {
	runs, err := led.Told(ctx, recordsKept)
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

// toldFile keeps what was told of runs that had no ledger.
const toldFile = "told.json"

func (a *app) toldInFile(cfg *config.Config) ([]notice.Record, error) {
	text, err := os.ReadFile(filepath.Join(cfg.StateDir, toldFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var records []notice.Record
	if err == nil {
		err = json.Unmarshal(text, &records)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of state_dir: %w", toldFile, err)
	}
	return records, nil
}

func (t *teller) keepInFile(r notice.Record) error {
	if err := os.MkdirAll(t.cfg.StateDir, 0o700); err != nil { // the run may have failed before it made it
		return fmt.Errorf("make the state_dir: %w", err)
	}
	records, _ := t.toldInFile(t.cfg) // what cannot be read is written anew
	records = append(records, r)
	text, err := json.Marshal(records[max(0, len(records)-recordsKept):])
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(t.cfg.StateDir, toldFile), 0o600, writing(text))
}
