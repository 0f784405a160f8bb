package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/reports"
)

// TestHarmBackfillsBesideEachOther: two backfills over periods that overlap, cut
// into other slices, and the night's run, all at once: each order goes once, and
// who finds one in other hands leaves it and says so.
func TestHarmBackfillsBesideEachOther(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 200, fields{"rate": "200/s"})
	file := filepath.Join(s.dir, "makegood.yaml")
	ago := func(days int) string { return time.Now().AddDate(0, 0, -days).Format(time.DateOnly) }
	starts := []*exec.Cmd{
		play(t, "backfill", "-c", file, "--json", "--from", ago(9), "--to", ago(2)),
		play(t, "backfill", "-c", file, "--json", "--from", ago(6), "--parallel", "3", "--slice", "7h"),
		play(t, "run", "-c", file, "--json"),
	}
	outs, errs := make([]bytes.Buffer, len(starts)), make([]bytes.Buffer, len(starts))
	for i, cmd := range starts {
		cmd.Stdout, cmd.Stderr = &outs[i], &errs[i]
		check(t, cmd.Start())
	}
	for i, cmd := range starts {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != exitLeft {
			t.Errorf("%v: %v\n%s", cmd.Args, err, &errs[i])
		}
		if !json.Valid(outs[i].Bytes()) {
			t.Errorf("%v: not one document: %.300s", cmd.Args, &outs[i])
		}
	}
	s.backfilled(exitDone)
	s.wantsCount(200)
}

// editedShop has an order of the day before yesterday and, of the next day, what it
// became after it was edited; a platform that takes its time.
func editedShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	at := time.Now().UTC().Truncate(24 * time.Hour).Add(-36 * time.Hour)
	s.csv("tills.csv", usualHeader, "1001,"+at.Format(time.DateTime)+",ann@example.com,MUG,1,5", "1001-1,"+at.Add(24*time.Hour).Format(time.DateTime)+",ann@example.com,MUG,2,5")
	s.tills("tills", nil)
	s.activate("activate", fields{"from": []string{"tills"}, "rate": "100000/s"})
	s.file()
	setFaults(t, s.sim, "slow=1s")
	return s
}

// heldBeside fails unless the edited order was held back beside the one that went.
func heldBeside(t *testing.T, s *shop, got backfillReport) {
	t.Helper()
	if b := got.Targets[0].Balance; b.Sent.Events != 1 || b.HeldBack.Events != 1 || !b.Holds {
		t.Errorf("the report says %+v", b)
	}
	s.wantsCount(1)
}

// TestHarmBackfillOfEditedOrders: an order, and the same one after it was edited, do
// not both go because their days were worked on at the same time.
func TestHarmBackfillOfEditedOrders(t *testing.T) {
	t.Parallel()
	s := editedShop(t)
	heldBeside(t, s, s.backfilled(exitPerson, "--parallel", "16", "--from", time.Now().AddDate(0, 0, -3).Format(time.DateOnly)))
}

// TestHarmWorkersOfEditedOrders is that of several workers.
func TestHarmWorkersOfEditedOrders(t *testing.T) {
	t.Parallel()
	_, place := ownSchema(t, "postgres")
	if place == "" {
		t.Skip("there is no such server")
	}
	s := editedShop(t)
	s.conf["ledger"] = place
	s.file()
	m := &marketplace{s, place}
	m.start("worker", "--name", "first", "--parallel", "4")
	m.start("worker", "--name", "second", "--parallel", "4")
	heldBeside(t, s, m.backfilled(exitPerson, "--workers"))
}

// TestBackfillOneByOne: where an order of one source may be a purchase of another,
// or one run is limited, slices go one after the other, and the reason is said.
func TestBackfillOneByOne(t *testing.T) {
	for want, settings := range map[string]fields{
		"what one run may send to activate is limited":                                           {"budget": fields{"orders": 25}},
		"reads several sources, and an order of one may be a purchase of another on another day": {"from": []string{"tills", "web"}},
	} {
		s := backfillShop(t, 3, settings)
		s.csv("web.csv", usualHeader, "w1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		s.tills("tills", fields{"shop": "main"})
		s.tills("web", fields{"shop": "web"})
		s.file()
		_, _, errs := makegood(t, append([]string{"backfill", "--plan", "--parallel", "4", "-c", filepath.Join(s.dir, "makegood.yaml")}, lastWeek()...)...)
		if !strings.Contains(errs, "the slices are planned one after the other: ") || !strings.Contains(errs, want) {
			t.Errorf("it says %s", errs)
		}
	}
	m := newMarketplace(t, 3, fields{"budget": fields{"orders": 25}})
	m.asks()
	var waiting, inTurn int
	m.queue(&waiting, `SELECT count(*) FROM slices`)
	m.queue(&inTurn, `SELECT count(*) FROM slices WHERE in_turn`)
	if waiting == 0 || waiting != inTurn {
		t.Errorf("%d of %d slices are planned in turn", inTurn, waiting)
	}
}

// TestBackfillOfAPausedDestination: a pause ends the backfill in the first slice.
func TestBackfillOfAPausedDestination(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 20, nil)
	file := filepath.Join(s.dir, "makegood.yaml")
	makegood(t, "run", "-c", file, "--from", "2020-01-01", "--to", "2020-01-02") // begins the ledger
	if code, _, errs := makegood(t, "pause", "activate", "--note", "they are moving", "-c", file); code != exitDone {
		t.Fatalf("pause: exit %d\n%s", code, errs)
	}
	got := s.backfilled(exitLeft)
	if got.Ended != "activate was stopped: it is paused" || len(s.sim.Requests()) > 0 {
		t.Errorf("it ended because %q", got.Ended)
	}
}

// TestHarmBackfillInTwoRounds: what a slice left because of others beside it goes in
// a second run of it, and is counted once by the report, verify and the audit.
func TestHarmBackfillInTwoRounds(t *testing.T) {
	t.Parallel()
	s := backfillShop(t, 20, nil)
	s.csv("tills.csv", usualHeader, "1001,"+ago(30*time.Hour)+",ann@example.com,MUG,1,5", "2002-1,"+ago(30*time.Hour)+",ben@example.com,MUG,1,5")
	got := s.backfilled(exitDone, "--parallel", "4")
	if b := got.Targets[0].Balance; b.Sent.Events != 2 || b.Left.Events != 0 || !b.Holds {
		t.Errorf("the report says %+v", b)
	}
	s.wantsCount(2)
	file := filepath.Join(s.dir, "makegood.yaml")
	if code, out, errs := makegood(t, "verify", "-c", file); code != exitDone {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
	_, out, errs := makegood(t, "audit", "--json", "-c", file, "--from", time.Now().AddDate(0, 0, -1).Format(time.DateOnly), "--to", time.Now().AddDate(0, 0, 2).Format(time.DateOnly))
	var audit reports.Audit
	if err := json.Unmarshal([]byte(out), &audit); err != nil || len(audit.Targets) != 1 || audit.Targets[0].Sent.Events != 2 {
		t.Errorf("the audit counts %+v: %v\n%s", audit.Targets, err, errs)
	}
}
