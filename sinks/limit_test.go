package sinks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reconcile"
)

func TestLimitKeepsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: always(accepted)}
		limited := Limit(s, NewPace(5, 0))
		for _, e := range events(100) {
			limited.Send(t.Context(), []reconcile.Event{e})
		}
		checkPace(t, s, 5)
		if took := s.at[99].Sub(s.at[0]); took < 18*time.Second || took > 20*time.Second {
			t.Errorf("100 events at 5/s took %s", took)
		}
	})
}

// A batch larger than a second's worth is cut, and none of it is lost.
func TestLimitCutsLargeBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: always(accepted)}
		limited := Limit(s, NewPace(5, 0))
		for range 3 {
			matching(t, events(23), limited.Send(t.Context(), events(23)))
		}
		checkPace(t, s, 5)
		if took := s.at[len(s.at)-1].Sub(s.at[0]); took < 12*time.Second || took > 14*time.Second {
			t.Errorf("69 events at 5/s took %s", took)
		}
	})
}

// checkPace: in any 10 s at most 10 s and one more second's worth.
func checkPace(t *testing.T, s *scripted, perSecond int) {
	t.Helper()
	for i, from := range s.at {
		n := 0
		for j, at := range s.at {
			if !at.Before(from) && at.Before(from.Add(10*time.Second)) {
				n += s.batches[j]
			}
		}
		if n > 11*perSecond {
			t.Fatalf("%d events in 10 s from send %d on", n, i)
		}
	}
}

func TestLimitCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: always(accepted)}
		limited := Limit(s, NewPace(0.001, 0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		limited.Send(ctx, events(1))
		batch := events(2)
		got := limited.Send(ctx, batch)
		matching(t, batch, got)
		if counts := tally(got); counts["interrupted"] != 2 || len(s.tries) != 1 {
			t.Errorf("got %v after %d attempts", counts, len(s.tries))
		}
	})
}

func TestNoLimit(t *testing.T) {
	s := &scripted{answer: always(accepted)}
	got := Limit(s, NewPace(0, 0)).Send(t.Context(), events(1000))
	if tally(got)["sent"] != 1000 {
		t.Errorf("got %v", tally(got))
	}
}

func TestStillLooksBeforeItSends(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := &scripted{answer: always(accepted)}
	batch := events(5)
	batch[0].Expiry = now
	batch[1].Expiry = now.Add(time.Second)
	batch[2].Cart.Before = now.Add(-time.Second)
	batch[3].Cart.Before = now.Add(time.Second)
	got := Still(s, InTime(func() time.Time { return now })).Send(t.Context(), batch)
	matching(t, batch, got)
	for i, want := range []reconcile.Verdict{
		reconcile.Unsent, reconcile.Sent, reconcile.Unsent, reconcile.Sent, reconcile.Sent,
	} {
		if got[i].Verdict != want || want == reconcile.Unsent && got[i].Reason != reconcile.ReasonTooOld {
			t.Errorf("event %d: got %s %q", i, got[i].Verdict, got[i].Reason)
		}
	}
	if len(s.tries) != 3 {
		t.Errorf("%d attempts", len(s.tries))
	}
}
