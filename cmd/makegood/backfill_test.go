package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
	"makegood/reports"
	"makegood/sinks/simulator"
)

func amsterdam(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	check(t, err)
	return zone
}

// TestSlices: a day is a day of the calendar, of 23 or 25 hours where the clocks
// change, and slices neither overlap nor leave anything out.
func TestSlices(t *testing.T) {
	zone := amsterdam(t)
	at := func(text string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		check(t, err)
		return moment
	}
	for _, c := range []struct {
		from, to, span string
		hours          []int
	}{
		{"2026-10-24 00:00", "2026-10-27 00:00", "1d", []int{24, 25, 24}},
		{"2026-03-28 00:00", "2026-03-31 00:00", "1d", []int{24, 23, 24}},
		{"2026-10-20 00:00", "2026-11-03 00:00", "7d", []int{169, 168}}, // from Tuesday to Tuesday, the change in it
		{"2026-10-24 12:00", "2026-10-25 18:00", "1d", []int{12, 19}},
		{"2026-10-25 00:00", "2026-10-26 00:00", "6h", []int{6, 6, 6, 6, 1}},
		{"2026-02-27 00:00", "2026-03-02 00:00", "1d", []int{24, 24, 24}},
	} {
		var span config.Span
		check(t, span.UnmarshalText([]byte(c.span)))
		list, err := slicesOf(reconcile.Window{From: at(c.from), To: at(c.to)}, span, zone)
		check(t, err)
		var hours []int
		for i, s := range list {
			hours = append(hours, int(s.To.Sub(s.From).Hours()))
			if i > 0 && !s.From.Equal(list[i-1].To) {
				t.Errorf("%s: a slice from %s follows one to %s", c.from, s.From, list[i-1].To)
			}
		}
		if !slices.Equal(hours, c.hours) || !list[0].From.Equal(at(c.from)) || !list[len(list)-1].To.Equal(at(c.to)) {
			t.Errorf("%s to %s by %s: %v hours, want %v", c.from, c.to, c.span, hours, c.hours)
		}
	}
	var hour config.Span
	check(t, hour.UnmarshalText([]byte("1s")))
	if _, err := slicesOf(reconcile.Window{From: at("2026-01-01 00:00"), To: at("2026-02-01 00:00")}, hour, zone); err == nil {
		t.Error("millions of slices were made")
	}
}

// TestSlicesWhereClocksChangeAtMidnight: a day begins with its first moment, also
// where the clocks skip midnight, or a whole day.
func TestSlicesWhereClocksChangeAtMidnight(t *testing.T) {
	for _, c := range []struct{ zone, from, to, want string }{
		{"America/Santiago", "2026-09-04", "2026-09-08", "2026-09-04 2026-09-05 2026-09-06 2026-09-07"},
		{"Africa/Cairo", "2024-04-25", "2024-04-28", "2024-04-25 2024-04-26 2024-04-27"},
		{"America/Havana", "2026-10-31", "2026-11-03", "2026-10-31 2026-11-01 2026-11-02"},
		{"Pacific/Apia", "2011-12-28", "2012-01-01", "2011-12-28 2011-12-29 2011-12-31"},
		{"Australia/Lord_Howe", "2026-10-03", "2026-10-06", "2026-10-03 2026-10-04 2026-10-05"},
	} {
		zone, err := time.LoadLocation(c.zone)
		check(t, err)
		var ends [2]config.Date
		check(t, ends[0].UnmarshalText([]byte(c.from)))
		check(t, ends[1].UnmarshalText([]byte(c.to)))
		list, err := slicesOf(reconcile.Window{From: ends[0].In(zone), To: ends[1].In(zone)}, config.Span{Days: 1}, zone)
		if err != nil {
			t.Errorf("%s: %v", c.zone, err)
			continue
		}
		var names []string
		for i, s := range list {
			if names = append(names, s.name(zone)); i > 0 && !s.From.Equal(list[i-1].To) {
				t.Errorf("%s: a slice from %s follows one to %s", c.zone, s.From, list[i-1].To)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.zone, got, c.want)
		}
	}
}

// TestSlicesInTurn: what becomes too old next goes first, what is too old for all
// goes last.
func TestSlicesInTurn(t *testing.T) {
	zone := amsterdam(t)
	now := time.Date(2026, 11, 10, 12, 0, 0, 0, zone)
	days := func() []*slice {
		list, err := slicesOf(reconcile.Window{From: now.AddDate(0, 0, -6), To: now}, config.Span{Days: 1}, zone)
		check(t, err)
		return list
	}
	target := func(age time.Duration) *reconcile.Target {
		return &reconcile.Target{Sink: agingSink{&reconciletest.Sink{}, age}}
	}
	order := func(targets ...*reconcile.Target) string {
		list := days()
		inTurn(list, targets, now)
		var names []string
		for _, s := range list {
			names = append(names, s.From.In(zone).Format("2"))
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		got, want string
	}{
		{order(target(0)), "4 5 6 7 8 9 10"},
		{order(target(48 * time.Hour)), "8 9 10 4 5 6 7"},
		{order(target(48*time.Hour), target(0)), "8 9 10 4 5 6 7"},
		{order(target(48*time.Hour), target(96*time.Hour)), "6 8 7 9 10 4 5"},
	} {
		if c.got != c.want {
			t.Errorf("in turn: %s, want %s", c.got, c.want)
		}
	}
}

// agingSink is told of purchases that are younger than an age.
type agingSink struct {
	*reconciletest.Sink
	age time.Duration
}

func (s agingSink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {MaxAge: s.age}}
}

// TestShared: slices at a time have together what one run has.
func TestShared(t *testing.T) {
	cfg := &config.Config{Targets: map[string]*config.Target{"a": {Concurrency: 4, Rate: config.Rate{PerSecond: 10}}, "b": {Concurrency: 1, Rate: config.Rate{PerSecond: 1}}}}
	part := shared(cfg, 3)
	if a := part.Targets["a"]; a.Concurrency != 4 || a.Rate.PerSecond*3 > 10.0001 || part.Targets["b"].Concurrency != 1 {
		t.Errorf("a part is %+v", a)
	}
	var all runFlags // whose places each of them takes
	if all.sendTogether(part); cap(all.places["a"]) != 4 || cap(all.places["b"]) != 1 || len(all.paces) != 2 {
		t.Errorf("together they have %d and %d places", cap(all.places["a"]), cap(all.places["b"]))
	}
	if cfg.Targets["a"].Concurrency != 4 || cfg.Targets["a"].Rate.PerSecond != 10 {
		t.Error("the configuration was changed")
	}
}

// TestSumsOfSlices hold, or say that they do not.
func TestSumsOfSlices(t *testing.T) {
	one := func(eligible, sent int, money string) reports.Balance {
		return reports.Balance{Holds: true, Eligible: reports.Count{Orders: eligible, Events: eligible, Money: map[string]string{"EUR": money}},
			Sent: reports.Count{Orders: sent, Events: sent, Money: map[string]string{"EUR": money}}}
	}
	sum := reports.Balance{Holds: true}
	check(t, plus(&sum, one(2, 2, "0.1")))
	check(t, plus(&sum, one(3, 3, "0.20")))
	if !sum.Holds || sum.Sent.Events != 5 || sum.Sent.Money["EUR"] != "0.3" {
		t.Errorf("the sum is %+v", sum)
	}
	check(t, plus(&sum, one(3, 2, "1")))
	if sum.Holds {
		t.Error("a sum that does not add up holds")
	}
}

// backfillShop is a shop with a week of orders and one live destination.
func backfillShop(t *testing.T, orders int, settings fields) *shop {
	t.Helper()
	s := newShop(t)
	var rows []string
	for i := range orders {
		rows = append(rows, fmt.Sprintf("%d,%s,p%d@example.com,MUG,1,5", i, ago(time.Duration(i)*(7*24*time.Hour/time.Duration(orders))+time.Hour), i))
	}
	s.csv("tills.csv", usualHeader, rows...)
	s.tills("tills", nil)
	s.activate("activate", with(fields{"from": []string{"tills"}, "rate": "100000/s"}, settings))
	s.file()
	return s
}

func lastWeek() []string {
	return []string{"--from", time.Now().AddDate(0, 0, -9).Format(time.DateOnly), "--slice", "12h"}
}

func (s *shop) backfilled(exit int, args ...string) backfillReport {
	s.Helper()
	code, out, errs := makegood(s.T, append(append([]string{"backfill", "--json", "-c", filepath.Join(s.dir, "makegood.yaml")}, lastWeek()...), args...)...)
	if code != exit {
		s.Fatalf("exit %d, want %d\n%s\n%.2000s", code, exit, errs, out)
	}
	var got backfillReport
	check(s.T, json.Unmarshal([]byte(out), &got))
	return got
}

// TestHarmBackfillKilled kills a backfill in the middle of its slices, again and
// again: the same command goes on, nothing is lost, and what nobody was heard of
// is in doubt and not sent again.
func TestHarmBackfillKilled(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 300, fields{"merges_repeats": false, "send": []string{"purchase"}})
	killed := 0
	var said bytes.Buffer
	for range 3 {
		accepted := make(chan struct{})
		var n atomic.Int64
		s.sim.OnAccept(func(simulator.Accepted) {
			if n.Add(1) == 40 {
				close(accepted)
			}
		})
		cmd := play(t, append([]string{"backfill", "-c", filepath.Join(s.dir, "makegood.yaml")}, lastWeek()...)...)
		said.Reset()
		cmd.Stdout, cmd.Stderr = &said, &said
		check(t, cmd.Start())
		over := make(chan error, 1)
		go func() { over <- cmd.Wait() }()
		select {
		case <-accepted:
			check(t, cmd.Process.Kill())
			<-over
			killed++
		case <-over:
		case <-time.After(2 * time.Minute):
			t.Fatal("the backfill neither sent nor ended")
		}
	}
	s.sim.OnAccept(func(simulator.Accepted) {})
	if killed == 0 {
		t.Fatalf("no backfill was killed in the middle\n%s", said.String())
	}
	code, out, errs := makegood(t, append([]string{"backfill", "--json", "-c", filepath.Join(s.dir, "makegood.yaml")}, lastWeek()...)...)
	var got backfillReport
	check(t, json.Unmarshal([]byte(out), &got))
	if code > exitPerson {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	totals := s.sim.Counts().Platforms["squeezely"]
	if totals.Repeats != 0 {
		t.Errorf("%d orders went twice", totals.Repeats)
	}
	b := got.Targets[0].Balance
	if !b.Holds || b.Eligible.Events != 300 || b.Sent.Events+b.AlreadySent.Events+b.InDoubt.Events != 300 || b.Left.Events != 0 || int(totals.Orders) < 300-b.InDoubt.Events {
		t.Errorf("%d at the platform; %+v", totals.Orders, b)
	}
	before := 0
	for _, one := range got.Slices {
		if one.State == sliceDoneBefore {
			before++
		}
	}
	if before == 0 {
		t.Error("no slice was remembered")
	}
	t.Logf("%d kills, %d in doubt, %d of %d slices by an earlier start", killed, b.InDoubt.Events, before, len(got.Slices))
}

// TestHarmBackfillTouchesNoCoverage: the next night begins where it would have
// begun without it, so that no order of another time is passed over.
func TestHarmBackfillTouchesNoCoverage(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 30, nil)
	s.backfilled(exitDone, "--parallel", "4")
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro")
	check(t, err)
	defer db.Close()
	var rows, ended int
	check(t, db.Get(&rows, `SELECT count(*) FROM coverage`))
	check(t, db.Get(&ended, `SELECT count(*) FROM runs WHERE command = 'backfill' AND finished IS NOT NULL`))
	if rows != 0 || ended < 14 {
		t.Errorf("%d rows of coverage after %d slices", rows, ended)
	}
	if totals := s.sim.Counts().Platforms["squeezely"]; totals.Orders != 30 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestHarmBackfillBudget: a budget ends the backfill in the slice that spends it.
func TestHarmBackfillBudget(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 300, fields{"budget": fields{"orders": 10}})
	at := time.Now().UTC().AddDate(0, 0, -3).Truncate(24 * time.Hour).Add(14 * time.Hour) // all in one slice, whatever the hour is now
	var rows []string
	for i := range 300 {
		rows = append(rows, fmt.Sprintf("%d,%s,p%d@example.com,MUG,1,5", i, at.Add(time.Duration(i)*time.Second).Format(time.DateTime), i))
	}
	s.csv("tills.csv", usualHeader, rows...)
	for start := 1; start <= 2; start++ {
		got := s.backfilled(exitPerson)
		if n := s.sim.Counts().Platforms["squeezely"].Orders; int(n) != 10*start || got.Ended == "" {
			t.Errorf("after start %d the platform holds %d: %s", start, n, got.Ended)
		}
	}
}

// TestHarmBackfillOfWhatShadowLeft: going live leaves it, and a backfill is the
// person's word that it goes, once.
func TestHarmBackfillOfWhatShadowLeft(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 30, fields{"mode": "shadow"})
	config := filepath.Join(s.dir, "makegood.yaml")
	if code, _, errs := makegood(t, "run", "-c", config); code != exitDone {
		t.Fatalf("shadow: exit %d\n%s", code, errs)
	}
	if got := s.backfilled(exitDone, "--plan"); got.Targets[0].Balance.Left.Events != 30 {
		t.Errorf("planned in shadow: %+v", got.Targets[0].Balance)
	}
	s.set("targets", "activate", with(s.conf["targets"].(fields)["activate"].(fields), fields{"mode": "live"}))
	s.file()
	makegood(t, "run", "-c", config)
	if n := s.sim.Counts().Platforms["squeezely"].Orders; n != 0 {
		t.Fatalf("going live sent %d", n)
	}
	s.backfilled(exitDone)
	s.backfilled(exitDone, "--again")
	if totals := s.sim.Counts().Platforms["squeezely"]; totals.Orders != 30 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "makegood.db")); err != nil {
		t.Error(err)
	}
}

// TestHarmBackfillInterrupted: after Ctrl-C the report tells what went and what
// was not begun, and the same command sends the rest.
func TestHarmBackfillInterrupted(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 300, nil)
	ctx, stop := context.WithCancel(t.Context())
	var n atomic.Int64
	s.sim.OnAccept(func(simulator.Accepted) {
		if n.Add(1) == 60 {
			stop()
		}
	})
	var out, errs bytes.Buffer
	args := append([]string{"backfill", "--json", "-c", filepath.Join(s.dir, "makegood.yaml")}, lastWeek()...)
	if code := run(ctx, args, os.LookupEnv, stdio{strings.NewReader(""), &out, &errs}); code != exitLeft {
		t.Errorf("exit %d, want %d\n%s", code, exitLeft, errs.String())
	}
	var got backfillReport
	check(t, json.Unmarshal(out.Bytes(), &got))
	states := map[string]int{}
	for _, one := range got.Slices {
		states[one.State]++
	}
	if states[sliceWaits] == 0 || states[sliceDone] == 0 || states[sliceFailed] > 0 || !got.Targets[0].Balance.Holds {
		t.Errorf("slices %v, sums %+v", states, got.Targets[0].Balance)
	}
	s.contains(errs.String(), "the same command goes on from here")
	after := s.backfilled(exitDone)
	if b := after.Targets[0].Balance; !b.Holds || b.Eligible.Events != 300 || b.Left.Events+b.InDoubt.Events != 0 {
		t.Errorf("in the end %+v", b)
	}
	if totals := s.sim.Counts().Platforms["squeezely"]; totals.Orders != 300 || totals.Repeats != 0 {
		t.Errorf("the platform holds %d orders, %d repeats", totals.Orders, totals.Repeats)
	}
}

// TestHarmBackfillKeepsThePace: slices at a time and one after the other send no
// faster than one run may.
func TestHarmBackfillKeepsThePace(t *testing.T) {
	t.Parallel()
	const rate = 20
	s := backfillShop(t, 60, fields{"rate": fmt.Sprintf("%d/s", rate), "reserve": "0%"})
	s.backfilled(exitDone, "--parallel", "3")
	var times []time.Time
	for _, r := range s.sim.Requests() {
		times = append(times, r.Time)
	}
	slices.SortFunc(times, time.Time.Compare)
	if len(times) < 60 {
		t.Fatalf("%d requests", len(times))
	}
	for i, first := range times {
		if last := i + 2*rate; last < len(times) && times[last].Sub(first) < time.Second { // a second's worth at once, and that of the second
			t.Fatalf("%d requests within %s", 2*rate+1, times[last].Sub(first))
		}
	}
}
