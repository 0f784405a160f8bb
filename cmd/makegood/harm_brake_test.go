package main

import (
	"fmt"
	"testing"
	"time"
)

// TestHarmMuchMoreThanUsual: after seven ordinary nights a night of many times
// as many orders waits for a person, whose word is the plan's application.
func TestHarmMuchMoreThanUsual(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.source("shop", nil)
	var rows []string
	add := func(n int) {
		for range n {
			rows = append(rows, fmt.Sprintf("%d,%s,p%[1]d@example.com,MUG,1,5", len(rows), ago(time.Hour)))
		}
		s.orders("shop", rows...)
	}
	for range 7 {
		add(3)
		s.run(exitDone)
	}
	add(250)
	before := s.requests()
	got := s.run(exitPerson)
	s.wants(got, "activate", "already_sent sent_here 21, left brake 250")
	if s.requests() != before || got.Plan == nil {
		t.Fatalf("%d requests, plan %v", s.requests()-before, got.Plan)
	}
	_, text, _ := makegood(t, "run", "-c", s.file()) // the next night is no other one
	s.contains(text, "much more than usual")
	s.contains(text, "makegood apply ")
	s.wants(s.makegood(exitDone, "apply", got.Plan.Path), "activate", "already_sent sent_here 21, sent 250")
	s.run(exitDone)
	if n := s.sim.Counts().Platforms["squeezely"]; n.Orders != 271 || n.Repeats != 0 {
		t.Errorf("the platform counts %+v", n)
	}
}
