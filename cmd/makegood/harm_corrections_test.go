package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// changingShop has sent orders at 5 EUR each to a platform that merges repeats,
// and sends changes again.
func changingShop(t *testing.T, orders int) *shop {
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"corrections": "resend", "concurrency": 2})
	s.priced(orders, "5")
	s.wants(s.run(exitDone), "activate", fmt.Sprintf("sent %d", orders))
	return s
}

// priced writes orders of a price each, always the same ones.
func (s *shop) priced(orders int, price string) {
	rows := make([]string, orders)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,%s 10:%02d:00,shopper%d@example.com,MUG,1,%s", 1000+i, day(1)[:len(time.DateOnly)], i%60, i, price)
	}
	s.orders("shop", rows...)
}

// TestHarmKilledWhileCorrecting: every order ends at the platform as it is now,
// as one purchase, and the nights after have nothing to do.
func TestHarmKilledWhileCorrecting(t *testing.T) {
	t.Parallel()
	const orders = 60
	s := changingShop(t, orders)
	s.priced(orders, "7")
	setFaults(t, s.sim, "delay=20ms", "drop=10%")
	for range 3 {
		cmd := play(t, "run", "--changes-are-right", "-c", s.file())
		enough := s.accepted(6)
		check(t, cmd.Start())
		over := make(chan struct{})
		go func() { _ = cmd.Wait(); close(over) }() // it is killed
		select {
		case <-enough:
		case <-over:
		}
		_ = cmd.Process.Kill() // it may be over
		<-over
	}
	s.sim.OnAccept(nil)
	setFaults(t, s.sim)
	s.run(exitDone, "--changes-are-right")
	p := s.sim.Counts().Platforms["squeezely"]
	if p.Orders != orders || p.Money["EUR"] != fmt.Sprint(orders*7) {
		t.Errorf("the platform holds %+v", p)
	}
	if n := s.entries("event LIKE '%~2' AND state = 'done'"); n != orders {
		t.Errorf("%d corrections are done, want %d", n, orders)
	}
	if n := s.entries("event LIKE '%~3' OR state <> 'done'"); n != 0 {
		t.Errorf("%d entries should not be there", n)
	}
	before := s.requests()
	s.wants(s.run(exitDone), "activate", fmt.Sprintf("already_sent sent_here %d", orders))
	if n := s.requests() - before; n != 0 {
		t.Errorf("%d requests in a night with nothing new", n)
	}
}

// TestHarmSourceThatCannotMakeUpItsMind: a price that changes every night makes
// one correction a night, and one purchase in all.
func TestHarmSourceThatCannotMakeUpItsMind(t *testing.T) {
	t.Parallel()
	s := changingShop(t, 1)
	for i, price := range []string{"6", "5", "6", "6", "0", "4"} {
		s.priced(1, price)
		got := s.run(exitDone)
		want := "already_sent sent_here 1, sent 1"
		if i == 3 || price == "0" { // as before, and worth nothing
			want = "already_sent sent_here 1"
		}
		s.wants(got, "activate", want)
	}
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 1 || p.Repeats != 4 || p.Money["EUR"] != "4" {
		t.Errorf("the platform holds %+v", p)
	}
}

// TestHarmTwoRunsCorrectAtTheSameTime: each correction goes once.
func TestHarmTwoRunsCorrectAtTheSameTime(t *testing.T) {
	t.Parallel()
	const orders = 40
	s := changingShop(t, orders)
	s.priced(orders, "7")
	setFaults(t, s.sim, "delay=5ms")
	config := s.file()
	codes := make(chan int, 2)
	for range cap(codes) {
		go func() {
			code, _, _ := makegood(t, "run", "--changes-are-right", "-c", config)
			codes <- code
		}()
	}
	for range cap(codes) {
		if code := <-codes; code != exitDone && code != exitLeft {
			t.Errorf("exit %d", code)
		}
	}
	s.run(exitDone, "--changes-are-right")
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != orders || p.Repeats != orders || p.Money["EUR"] != fmt.Sprint(orders*7) {
		t.Errorf("the platform holds %+v", p)
	}
}

// TestHarmColumnIsAnotherOne: somebody maps the price to another column. What
// the platform has is not overwritten on the word of a slip.
func TestHarmColumnIsAnotherOne(t *testing.T) {
	t.Parallel()
	const orders = 30
	s := changingShop(t, orders)
	before := s.requests()
	s.source("shop", fields{"columns": columns(fields{"price": "n"})})
	got := s.run(exitPerson)
	s.wants(got, "activate", fmt.Sprintf("already_sent sent_here %d, held_back many_changes %[1]d", orders))
	_, text, _ := makegood(t, "run", "-c", s.file())
	for _, says := range []string{"A person is needed", "--changes-are-right", "30 orders changed after they were sent, and stay as they were sent"} {
		s.contains(text, says)
	}
	s.source("shop", nil)
	s.wants(s.run(exitDone), "activate", fmt.Sprintf("already_sent sent_here %d", orders))
	if n := s.requests() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestHarmCorrectionsAtAPlatformThatCounts: what the configuration refuses is
// refused for every way in which repeats may count.
func TestHarmCorrectionsAtAPlatformThatCounts(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(s *shop){
		"collect": func(s *shop) {
			s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "corrections": "resend"})
		},
		"spotler that counts": func(s *shop) {
			s.activate("stores", fields{"type": "spotler", "merges_repeats": false, "corrections": "resend"})
		},
	} {
		s := newShop(t)
		s.tills("tills", nil)
		play(s)
		s.tickets(1)
		code, _, errs := makegood(t, "run", "-c", s.file())
		if code != exitConfig || !strings.Contains(errs, "targets.stores.corrections") || s.requests() != 0 {
			t.Errorf("%s: exit %d\n%s", name, code, errs)
		}
	}
}
