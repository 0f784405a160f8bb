package main

import (
	"bytes"
	"testing"
	"time"
)

// TestHarmPauseReachesARunThatIsOn: another process is sending at its pace. From
// the moment that pause has returned it claims nothing more, ends by itself, and
// everything else goes after resume, each once.
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
	if code, out, errs := makegood(t, "pause", "stores", "--note", "audience under repair", "-c", s.file()); code != exitDone {
		t.Fatalf("pause: exit %d\n%s%s", code, out, errs)
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
