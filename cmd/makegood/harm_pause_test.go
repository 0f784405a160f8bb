package main

import (
	"bytes"
	"compress/flate"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

// TestHarmPauseReachesARunThatIsOn: one process is sending at its pace, another
// one says pause. By the times in the ledger nothing is claimed after it; the
// run ends by itself, and everything else goes after resume, each once.
func TestHarmPauseReachesARunThatIsOn(t *testing.T) {
	for _, kind := range []string{"squeezely", "collect"} { // claimed ahead, and one by one
		t.Run(kind, func(t *testing.T) { t.Parallel(); pausedWhileItSends(t, kind) })
	}
}

func pausedWhileItSends(t *testing.T, kind string) {
	const tickets = 400
	s := newShop(t)
	s.tills("tills", nil)
	s.manyTickets(tickets)
	at := func(rate string) {
		own := fields{"type": kind, "rate": rate, "reserve": "0%"}
		if kind == "squeezely" {
			s.activate("stores", with(own, fields{"from": []string{"tills"}}))
			return
		}
		s.collect("stores", with(own, fields{"send": []string{"purchase"}, "cart": nil}))
	}
	at("20/s")
	enough := s.accepted(5)
	cmd := play(t, "run", "-c", s.file())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-enough:
	case err := <-ended:
		t.Fatalf("the run ended with %v\n%s", err, said.String())
	}
	if out, err := play(t, "pause", "stores", "--note", "audience under repair", "-c", s.file()).CombinedOutput(); err != nil {
		t.Fatalf("pause: %v\n%s", err, out)
	}
	claimed := s.entries("true") // each was claimed at least once
	if claimed >= tickets/2 {    // far beyond the second at once and the two ahead
		t.Fatalf("%d were claimed before the pause", claimed)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the paused run ended with %v\n%s", err, said.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the paused run goes on")
	}
	if n := s.entries("true"); n != claimed {
		t.Errorf("%d messages were claimed after the pause", n-claimed)
	}
	if before, after := s.claimsAndPause(); before < claimed || after > 0 {
		t.Errorf("the ledger has %d claims up to the pause, and %d after it; want %d and 0", before, after, claimed)
	}
	s.contains(said.String(), "the destination is paused")
	got := s.run(exitDone)
	if b := got.target(t, "stores").Balance; b.Sent.Events != 0 || b.Left.Events == 0 || b.Left.Events+b.AlreadySent.Events != tickets {
		t.Errorf("a run while it is paused: %+v", b)
	}
	if code, out, errs := makegood(t, "resume", "stores", "--note", "repaired", "-c", s.file()); code != exitDone {
		t.Fatalf("resume: exit %d\n%s%s", code, out, errs)
	}
	at("10000/s")
	s.run(exitDone)
	if p := s.sim.Counts().Platforms[kind]; int(p.Orders) != tickets || p.Repeats != 0 {
		t.Errorf("the platform holds %d orders, %d of them twice", p.Orders, p.Repeats)
	}
}

// claimsAndPause reads in the ledger's journal when the pause was written and
// when messages were claimed: how many up to it, and how many later. Transactions
// follow one another, and take their time when their turn has come.
func (s *shop) claimsAndPause() (before, after int) {
	s.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro")
	check(s.T, err)
	defer db.Close()
	var rows []struct {
		At      time.Duration // since 1970
		Changes []byte
	}
	check(s.T, db.Select(&rows, "SELECT at * 1000 AS at, changes FROM journal ORDER BY sequence"))
	var paused, last time.Duration
	for _, row := range rows {
		text, err := io.ReadAll(flate.NewReader(bytes.NewReader(row.Changes)))
		check(s.T, err)
		if strings.Contains(string(text), `"t":"words"`) {
			paused = row.At
		}
		claims := strings.Count(string(text), `"state":"claimed"`)
		if claims == 0 {
			continue
		}
		last = row.At
		if paused == 0 {
			before += claims
			continue
		}
		after += claims
	}
	if paused == 0 {
		s.Fatal("the ledger has no pause")
	}
	if last > paused {
		s.Errorf("the last claim is %s younger than the pause", last-paused)
	}
	s.Logf("the last claim is %s older than the pause", paused-last)
	return before, after
}
