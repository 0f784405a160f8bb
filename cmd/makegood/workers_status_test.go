package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// until looks at what status tells of the queue until it is as wanted: a server that
// others use, too, may have no connection left just now.
func (m *marketplace) until(what string, is func(workersJSON) bool) workersJSON {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), 5*time.Minute)
	defer cancel()
	for {
		_, out, errs := makegood(m.T, "status", "--json", "-c", m.config())
		var got statusJSON
		if err := json.Unmarshal([]byte(out), &got); err == nil && got.Queue != nil && is(*got.Queue) {
			return *got.Queue
		}
		if pauseFor(ctx, 200*time.Millisecond) != nil {
			m.Fatalf("the queue never was so: %s\n%s\n%s", what, out, errs)
		}
	}
}

func (w workersJSON) stuck(kind string) *stuckJSON {
	if i := slices.IndexFunc(w.Stuck, func(s stuckJSON) bool { return s.Kind == kind }); i >= 0 {
		return &w.Stuck[i]
	}
	return nil
}

// TestWorkersStatus: status tells who works and how fast, and of what does not go
// on the reason and the next step, whose command is one. A host without the files
// of orders leaves planning to the one that has them.
func TestWorkersStatus(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 60, nil)
	m.asks()
	told := m.until("slices wait", func(w workersJSON) bool { return w.Slices[workers.Waiting] > 0 })
	if snag := told.stuck(snagIdle); snag == nil || snag.Next.Command != "makegood worker" {
		t.Errorf("nobody works: %+v", told)
	}
	if code, _, _ := makegood(t, "status", "-c", m.config()); code != exitPerson {
		t.Errorf("nobody works: exit %d", code)
	}
	m.start("worker", "--name", "first")
	m.until("the first works", func(w workersJSON) bool { return w.alive() == 1 })
	second := m.startAt(m.host(), "worker", "--new-host", "--name", "second")
	told = m.until("all is sent", func(w workersJSON) bool {
		return w.alive() == 2 && w.Slices[workers.Done] > 0 && w.Slices[workers.Done] == sum(w.Slices)
	})
	if len(told.Lanes) != 1 || told.Lanes[0].PerSecond <= 0 || told.Lanes[0].PerSecond > 1 || told.Lanes[0].Rate != "100000/s" || told.Lanes[0].Parts != 0 {
		t.Errorf("at most 60 messages in the last minute: %+v", told.Lanes)
	}
	if snag := told.stuck(snagLacks); snag == nil || snag.Worker != "second" || snag.PersonNeeded || !strings.HasSuffix(snag.Next.Command, "--only send") {
		t.Errorf("the second has no files: %+v", told.Stuck)
	}
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 60 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	check(t, second.Process.Kill())
	<-second.over
	m.until("the second is gone", func(w workersJSON) bool { return w.alive() == 1 })
	_, out, _ := makegood(t, "status", "-c", m.config())
	if !strings.Contains(out, "queue   1 worker at work; ") || !strings.Contains(out, " messages a second over the last minute, of 100000/s") {
		t.Errorf("status says\n%s", out)
	}
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// TestSnags: everything that does not go on is told with its reason and the next
// step, and what needs a person says so.
func TestSnags(t *testing.T) {
	cfg := &config.Config{Zone: config.Zone{Location: time.UTC}, Settings: map[string]string{"zone": "UTC"}}
	own := reports.NewSettings(cfg.Settings).Digest
	day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	again := day.Add(time.Hour)
	both := []string{workers.KindPlan, workers.KindSend}
	well := workers.Living{Name: "first", Host: "one", Version: "v1", Settings: own, Kinds: both}
	worker := func(change func(*workers.Living)) workers.Living {
		w := well
		w.Name, w.Host = "second", "two"
		change(&w)
		return w
	}
	pause := []reconcile.Word{{Kind: reconcile.WordPause, Target: "activate", Who: "ann", Note: "repair", At: day}}
	for name, c := range map[string]struct {
		stand  workers.Stand
		pauses []reconcile.Word
		kind   string
		person bool
		says   []string
	}{
		"nothing": {workers.Stand{Workers: []workers.Living{well}}, pause, "", false, nil},
		"nobody plans": {workers.Stand{Slices: map[string]int{workers.Waiting: 1}, Workers: []workers.Living{worker(func(w *workers.Living) { w.Kinds = both[1:] })}}, nil,
			snagIdle, true, []string{"(plan)", "makegood worker"}},
		"it is gone": {workers.Stand{Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Gone, w.Beat = true, 9*time.Second })}}, nil,
			snagGone, false, []string{"second on two has not been seen for 9 s", "take up what it was at"}},
		"versions": {workers.Stand{Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Version = "v2" })}}, nil, snagVersions, true, []string{"first v1; second v2", "newest"}},
		"another configuration": {workers.Stand{Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Settings = "other" })}}, nil,
			snagSettings, true, []string{"second on two works with another configuration", "same configuration file"}},
		"that of what waits":   {workers.Stand{Asked: []string{"other"}, Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Settings = "other" })}}, nil, "", false, nil},
		"no files":             {workers.Stand{Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Lacks = []string{"shop"} })}}, nil, snagLacks, false, []string{"no file of shop", "--only send"}},
		"no files, only sends": {workers.Stand{Workers: []workers.Living{well, worker(func(w *workers.Living) { w.Lacks, w.Kinds = []string{"shop"}, both[1:] })}}, nil, "", false, nil},
		"nobody has the files": {workers.Stand{Workers: []workers.Living{worker(func(w *workers.Living) { w.Lacks = []string{"shop"} })}}, nil, snagLacks, true, []string{"nor has any other", "where the files are"}},
		"paused":               {workers.Stand{Lanes: []workers.Lane{{Target: "activate", Parts: 2}}}, pause, snagPaused, false, []string{"activate is paused since", "makegood resume activate"}},
		"all are paused":       {workers.Stand{Lanes: []workers.Lane{{Target: "activate", Parts: 2}}}, []reconcile.Word{{At: day}}, snagPaused, false, []string{"makegood resume all"}},
		"it fails": {workers.Stand{Stuck: []workers.Stuck{{Kind: workers.StuckFailed, From: day, To: day.AddDate(0, 0, 1), Failures: 2, Class: classSource, Why: "shop: no such file ann@example.com", Again: &again}}}, nil,
			workers.StuckFailed, false, []string{"2026-11-02, failed 2 times (source): shop", "tried again by itself at 01:00:00"}},
		"its configuration": {workers.Stand{Stuck: []workers.Stuck{{Kind: workers.StuckFailed, From: day, To: day.AddDate(0, 0, 1), Failures: 1, Class: classSettings, Why: "another configuration"}}}, nil,
			workers.StuckFailed, true, []string{"same configuration file"}},
		"stopped": {workers.Stand{Stuck: []workers.Stuck{{Kind: workers.StuckStopped, From: day, To: day.Add(36 * time.Hour), Target: "activate", Why: "status 401"}}}, nil,
			workers.StuckStopped, true, []string{", activate: status 401", "makegood backfill --workers --from 2026-11-02 --to 2026-11-04"}},
		"ended": {workers.Stand{Stuck: []workers.Stuck{{Kind: workers.StuckEnded, From: day, To: day.AddDate(0, 0, 7), Why: "a slice failed"}}}, nil,
			workers.StuckEnded, true, []string{"2026-11-02 to 2026-11-09: the backfill begins no further slice: a slice failed", "--from 2026-11-02 --to 2026-11-09"}},
		"lost": {workers.Stand{Stuck: []workers.Stuck{{Kind: workers.StuckLost, From: day, To: day.AddDate(0, 0, 1), Target: "activate", Worker: "second"}}}, nil,
			workers.StuckLost, false, []string{"its worker second is gone", "within 2 minutes"}},
	} {
		found := (&snags{app: &app{}, cfg: cfg, stand: c.stand}).list(c.pauses)
		if c.kind == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Kind != c.kind || found[0].PersonNeeded != c.person {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		text := (&workersJSON{Stuck: found}).text(time.UTC)
		for _, want := range append(c.says, "  next  ") {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, text)
			}
		}
		if strings.Contains(text, "ann@") {
			t.Errorf("%s names a person:\n%s", name, text)
		}
	}
}
