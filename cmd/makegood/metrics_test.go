package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
	"makegood/reports/metrics"
)

// ranBefore are runs that ended, the newest first.
type ranBefore []ledger.LastRun

func (r ranBefore) Ended(_ context.Context, limit int) ([]ledger.LastRun, error) {
	return r[:min(len(r), limit)], nil
}

func (r ranBefore) EachEnded(_ context.Context, since time.Time, do func(ledger.LastRun) (bool, error)) error {
	for _, run := range r {
		if run.Finished.Before(since) {
			return nil
		}
		if enough, err := do(run); enough || err != nil {
			return err
		}
	}
	return nil
}

// TestLastNumbers: the night is found behind the carts' runs of days, a run of a
// clock that was wrong is not, and there is an end to what is read.
func TestLastNumbers(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := &app{clock: func() time.Time { return now }}
	cfg := &config.Config{Environment: "test", Targets: map[string]*config.Target{"activate": {}, "carts": {}}}
	ended := func(at time.Time, target string, exit int) ledger.LastRun {
		summary, err := json.Marshal(reports.Report{Schema: reports.Schema, Command: "run", Targets: []reports.Target{{Target: target}}})
		if err != nil {
			t.Fatal(err)
		}
		return ledger.LastRun{Run: reconcile.RunID(fmt.Sprint(at.Unix(), target)), Command: "run", Started: at, Finished: at, Exit: exit, Summary: summary}
	}
	runs := ranBefore{ended(now.AddDate(1, 0, 0), "activate", 3)}
	for i := range 1000 { // a week of carts
		runs = append(runs, ended(now.Add(time.Duration(-i)*10*time.Minute), "carts", 0))
	}
	night := now.Add(-8 * 24 * time.Hour)
	runs = append(runs, ended(night, "activate", 0))
	numbers := func(now *reports.Report) string {
		t.Helper()
		g, err := a.lastNumbers(t.Context(), runs, cfg, now)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := metrics.Write(&text, g, "test"); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	got := numbers(nil)
	for _, want := range []string{
		fmt.Sprintf(`makegood_target_last_success_timestamp_seconds{environment="test",target="activate"} %v`, float64(night.Unix())),
		`makegood_last_run_exit_code{command="run",environment="test",schedule="",targets="activate"} 0`, `targets="carts"`, `makegood_target_stopped{environment="test",target="activate"} 0`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	s := &scraped{app: a, cfg: cfg}
	if newest, err := s.newest(t.Context(), runs); err != nil || newest != runs[1].Run {
		t.Errorf("the newest is %s, %v", newest, err)
	}
	both := ended(now.Add(-30*time.Hour), "activate", 2) // all is met before, and yet it was lately
	both.Summary = bytes.Replace(both.Summary, []byte(`"targets":[`), []byte(`"targets":[{"target":"carts"},`), 1)
	lately := runs
	runs = ranBefore{ended(now, "activate", 0), ended(now, "carts", 0), both}
	if got := numbers(nil); !strings.Contains(got, `makegood_last_run_exit_code{command="run",environment="test",schedule="",targets="activate,carts"} 2`) {
		t.Errorf("the runs of two days are not all in\n%s", got)
	}
	runs = lately
	for i := range 2 * numbersAmong { // somebody sends by hand, every second
		byHand := ledger.LastRun{Run: reconcile.RunID(fmt.Sprint(i)), Command: "send", Finished: now.Add(-7*24*time.Hour - time.Duration(i)*time.Second)}
		runs = append(runs[:len(runs)-1], byHand, runs[len(runs)-1])
	}
	if got := numbers(nil); !strings.Contains(got, `target="activate"`) {
		t.Error("the night is not found behind what was sent by hand")
	}
	runs = lately
	for i := range 2 * numbersAmong { // and then somebody goes on every second
		runs = append(runs[:len(runs)-1], ended(now.Add(-7*24*time.Hour-time.Duration(i)*time.Second), "carts", 0), runs[len(runs)-1])
	}
	if got := numbers(nil); strings.Contains(got, `target="activate"`) {
		t.Errorf("more than %d reports were read", numbersAmong)
	}
	just := reports.Report{Schema: reports.Schema, Run: string(runs[1].Run), Command: "run", Finished: now, Targets: []reports.Target{{Target: "carts", Stopped: "by a person"}}}
	if got := numbers(&just); !strings.Contains(got, `makegood_target_stopped{environment="test",target="carts"} 1`) {
		t.Errorf("the run that has just ended is not in\n%s", got)
	}
}

// slowRuns are runs behind which there is always another one.
type slowRuns struct{ ranBefore }

func (r slowRuns) EachEnded(ctx context.Context, since time.Time, do func(ledger.LastRun) (bool, error)) error {
	if err := r.ranBefore.EachEnded(ctx, since, do); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestLastNumbersTakeTime: what was met until the time is up is told, unless
// nobody waits for it any more.
func TestLastNumbersTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &app{clock: time.Now}
		cfg := &config.Config{Targets: map[string]*config.Target{"activate": {}}}
		runs := slowRuns{ranBefore{{Run: "1", Command: "run", Finished: time.Now(), Exit: exitFailed}}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*numbersTake)
		defer cancel()
		numbers, err := a.lastNumbers(ctx, runs, cfg, nil)
		check(t, err)
		var text bytes.Buffer
		check(t, metrics.Write(&text, numbers, ""))
		if !strings.Contains(text.String(), `makegood_last_run_exit_code{command="run",schedule="",targets="activate"} 3`) {
			t.Errorf("got %s", &text)
		}
		cancel()
		if _, err := a.lastNumbers(ctx, runs, cfg, nil); err == nil {
			t.Error("nobody waits, and it says nothing of it")
		}
	})
}
