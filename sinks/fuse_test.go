package sinks

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reconcile"
)

// drive sends events in batches by several workers until none are left.
func drive(ctx context.Context, s reconcile.Sink, list []reconcile.Event, workers, batch int) []reconcile.Outcome {
	queue := make(chan []reconcile.Event)
	go func() {
		for len(list) > 0 {
			n := min(batch, len(list))
			queue <- list[:n]
			list = list[n:]
		}
		close(queue)
	}()
	var mu sync.Mutex
	var all []reconcile.Outcome
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for part := range queue {
				got := s.Send(ctx, part)
				mu.Lock()
				all = append(all, got...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return all
}

func TestFuseBoundsTheHarm(t *testing.T) {
	for name, tc := range map[string]struct {
		answer reconcile.Outcome
		waits  time.Duration
	}{
		"all 404": {reconcile.Outcome{Verdict: reconcile.Retryable, Stop: true, Why: "404: wrong"}, 0},
		"all 302": {reconcile.Outcome{Verdict: reconcile.InDoubt, Stop: true, Why: "302: redirected"}, 0},
		"all 500": {doubtful, 7 * time.Second},
		"all 400": {refused, 0},
		"dead":    {unreachable, 7 * time.Second},
	} {
		for _, merges := range []bool{true, false} {
			for _, shape := range []struct{ workers, batch int }{{1, 1}, {4, 1}, {4, 10}, {1, 10}} {
				synctest.Test(t, func(t *testing.T) {
					s := &scripted{answer: always(tc.answer), merges: merges, takes: 10 * time.Millisecond}
					options := FuseOptions{ProbeAfter: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}}
					fuse := NewFuse(Retry(s, RetryOptions{}), options)
					begun := time.Now()
					got := drive(t.Context(), fuse, events(5000), shape.workers, shape.batch)
					counts := tally(got)
					if limit := 10 + shape.workers*shape.batch; s.tried() > limit {
						t.Errorf("%s, %v: %d events had an attempt, at most %d may", name, shape, s.tried(), limit)
					}
					if len(got) != 5000 || counts["fuse"] != 5000-s.tried() {
						t.Errorf("%s, %v: %v of %d", name, shape, counts, len(got))
					}
					if !strings.Contains(fuse.Stopped(), tc.answer.Why) {
						t.Errorf("%s: stopped because %q", name, fuse.Stopped())
					}
					if took := time.Since(begun); took < tc.waits || tc.waits == 0 && took > time.Second {
						t.Errorf("%s, %v: took %s", name, shape, took)
					}
				})
			}
		}
	}
}

func TestFusePausesAndProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		well := begun.Add(2 * time.Minute) // between the first probe and the second
		s := &scripted{merges: true, answer: func(int, reconcile.Event) reconcile.Outcome {
			if time.Now().Before(well) {
				return doubtful
			}
			return accepted
		}}
		fuse := NewFuse(s, FuseOptions{})
		got := drive(t.Context(), fuse, events(100), 1, 1)
		if counts := tally(got); counts["sent"] != 94 || counts["in_doubt"] != 6 || fuse.Stopped() != "" {
			t.Errorf("got %v, stopped %q", counts, fuse.Stopped())
		}
		for i, want := range []time.Duration{0, 0, 0, 0, 0, time.Minute, 3 * time.Minute, 3 * time.Minute} {
			if after := s.at[i].Sub(begun); after != want {
				t.Errorf("attempt %d after %s, want %s", i+1, after, want)
			}
		}
	})
}

// The answers come one by one here, so the row can be counted exactly.
func TestFuseCountsARow(t *testing.T) {
	for name, tc := range map[string]struct {
		answers string // of one attempt each: s(ent) r(efused) d(oubt) u(nreachable) b(usy)
		merges  bool
		pauses  bool
	}{
		"four":                          {"dudu", true, false},
		"five":                          {"dudud", true, true},
		"broken by success":             {"dduusddu", true, false},
		"broken by a refusal":           {"sdduurddu", true, false},
		"two doubts, no merge":          {"dd", false, true},
		"one doubt, no merge":           {"dsd", false, false},
		"no merge, but not in doubt":    {"uuuu", false, false},
		"asked to wait does not count":  {"dubbbbud", true, false},
		"asked to wait breaks no row":   {"ddbbudd", true, true},
		"nine refused at the beginning": {"rrrrrrrrr", true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{merges: tc.merges, answer: func(n int, _ reconcile.Event) reconcile.Outcome {
				busy := reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: time.Now().Add(time.Second)}
				return map[byte]reconcile.Outcome{
					's': accepted, 'r': refused, 'd': doubtful, 'u': unreachable, 'b': busy,
				}[(tc.answers + "s")[n-1]]
			}}
			fuse := NewFuse(s, FuseOptions{})
			list := events(len(tc.answers) + 1)
			for _, e := range list[:len(tc.answers)] {
				fuse.Send(t.Context(), []reconcile.Event{e})
			}
			begun := time.Now()
			fuse.Send(t.Context(), list[len(tc.answers):])
			if paused := time.Since(begun) >= time.Minute; paused != tc.pauses {
				t.Errorf("%s: paused %v", name, paused)
			}
		})
	}
}

func TestFuseLeavesABusyTargetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(2 * time.Minute)
		s := &scripted{answer: func(n int, _ reconcile.Event) reconcile.Outcome {
			if n == 1 {
				return reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: until}
			}
			return accepted
		}}
		fuse := NewFuse(s, FuseOptions{})
		got := drive(t.Context(), fuse, events(5), 1, 1)
		if counts := tally(got); counts["sent"] != 4 || fuse.Stopped() != "" || !s.at[1].Equal(until) {
			t.Errorf("got %v, stopped %q, second attempt at %s", counts, fuse.Stopped(), s.at[1])
		}
	})
	for name, after := range map[string]time.Duration{"at once": time.Hour, "again and again": time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{answer: func(int, reconcile.Event) reconcile.Outcome {
				return reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: time.Now().Add(after)}
			}}
			fuse := NewFuse(s, FuseOptions{})
			got := drive(t.Context(), fuse, events(1000), 4, 1)
			if counts := tally(got); counts["retryable"] > 44 || counts["fuse"] == 0 || fuse.Stopped() == "" {
				t.Errorf("%s: got %v, stopped %q", name, counts, fuse.Stopped())
			}
		})
	}
}

func TestFuseWaitsCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: always(doubtful), merges: true}
		fuse := NewFuse(s, FuseOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		got := drive(ctx, fuse, events(20), 4, 2)
		counts := tally(got)
		if counts["interrupted"] != 20-counts["in_doubt"] || counts["in_doubt"] > 12 || time.Since(begun) != 30*time.Second {
			t.Errorf("got %v after %s", counts, time.Since(begun))
		}
		// The fuse still works for somebody else: the probe was not lost.
		s.mu.Lock()
		s.answer = always(accepted)
		s.mu.Unlock()
		if got := fuse.Send(t.Context(), events(3)); tally(got)["sent"] != 3 {
			t.Errorf("afterwards got %v", tally(got))
		}
	})
}

func TestFuseProbesWithOneEventOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{merges: true, answer: func(n int, _ reconcile.Event) reconcile.Outcome {
			if n <= 6 {
				return doubtful
			}
			return accepted
		}}
		fuse := NewFuse(s, FuseOptions{})
		fuse.Send(t.Context(), events(5))
		batch := events(10)
		got := fuse.Send(t.Context(), batch)
		matching(t, batch, got)
		want := []int{5, 1, 1, 8}
		if len(s.batches) != 4 || s.batches[1] != want[1] || s.batches[2] != want[2] || s.batches[3] != want[3] {
			t.Errorf("batches of %v, want %v", s.batches, want)
		}
		if counts := tally(got); counts["in_doubt"] != 1 || counts["sent"] != 9 {
			t.Errorf("got %v", counts)
		}
	})
}

// TestFuseStopsOnADoubt: where one more attempt may be one more charge, the
// first doubt is the last attempt; answers that surely took nothing go on.
func TestFuseStopsOnADoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: func(n int, _ reconcile.Event) reconcile.Outcome {
			return []reconcile.Outcome{refused, {Verdict: reconcile.Sent}, doubtful, {Verdict: reconcile.Sent}}[min(n, 4)-1]
		}}
		begun := time.Now()
		fuse := NewFuse(s, FuseOptions{StopOnDoubt: true})
		got := drive(t.Context(), fuse, events(20), 1, 1)
		if counts := tally(got); s.tried() != 3 || counts["fuse"] != 17 {
			t.Errorf("%d were tried: %v", s.tried(), counts)
		}
		if !strings.Contains(fuse.Stopped(), "before a person has looked") || time.Since(begun) > time.Second {
			t.Errorf("stopped because %q after %s", fuse.Stopped(), time.Since(begun))
		}
	})
}
