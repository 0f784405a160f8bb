package squeezely

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/simulator"
	"makegood/sinks/sinktest"
)

// atSimulator opens a sink whose platform is a simulator.
func atSimulator(t *testing.T, rules simulator.SqueezelyRules, o Options) (*Sink, *simulator.Simulator) {
	t.Helper()
	sim := simulator.New(simulator.Options{
		Clock: func() time.Time { return asOf }, Squeezely: rules,
		Accounts: map[string]string{"shop": "key-" + sinktest.Canary},
	})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	o.URL = server.URL + "/v1/track"
	return open(t, o), sim
}

func TestAtTheSimulator(t *testing.T) {
	s, sim := atSimulator(t, simulator.SqueezelyRules{SeveralCurrencies: true, SeveralLanguages: true}, Options{Language: "en-GB"})
	o := order("536365")
	o.Fields = map[string]string{"custom_store": "Utrecht"}
	e := compose(t, s, o)
	for range 2 { // the second is a repeat, which merges
		if got := s.Send(t.Context(), []reconcile.Event{e}); got[0].Verdict != reconcile.Sent {
			t.Fatalf("got %+v", got[0])
		}
	}
	p, ok := sim.Purchase("shop", "536365")
	if !ok || p.Total.Cmp(dec("15.3")) != 0 || p.Currency != "GBP" || !p.OrderedAt.Equal(o.CompletedAt) ||
		p.Custom()["custom_store"] != "Utrecht" {
		t.Errorf("the platform has %+v", p)
	}
	if got := sim.Counts().Platforms[simulator.Squeezely]; got.Orders != 1 || got.Money["GBP"] != "15.3" {
		t.Errorf("the platform counts %+v", got)
	}
}

// One event that the platform does not want must not take others with it.
func TestBatchAtTheSimulator(t *testing.T) {
	const bad = 3
	for name, tc := range map[string]struct {
		rules    simulator.SqueezelyRules
		options  Options
		others   reconcile.Verdict
		bad      reconcile.Verdict
		accepted uint64
	}{
		"all or nothing":               {simulator.SqueezelyRules{}, Options{}, reconcile.Sent, reconcile.Rejected, 7},
		"all or nothing, under 200":    {simulator.SqueezelyRules{ErrorsWith200: true}, Options{}, reconcile.Sent, reconcile.Rejected, 7},
		"too large":                    {simulator.SqueezelyRules{MaxBatch: 3}, Options{CountsRepeats: true, BatchAnswer: BatchAll}, reconcile.Sent, reconcile.Rejected, 7},
		"not known, and repeats count": {simulator.SqueezelyRules{}, Options{CountsRepeats: true}, reconcile.InDoubt, reconcile.InDoubt, 0},
		"by index": {simulator.SqueezelyRules{Batch: simulator.ByIndex, ErrorObjects: true},
			Options{CountsRepeats: true, BatchAnswer: BatchIndex}, reconcile.Sent, reconcile.Rejected, 7},
		"by index, without an index": {simulator.SqueezelyRules{Batch: simulator.ByIndex},
			Options{BatchAnswer: BatchIndex}, reconcile.InDoubt, reconcile.InDoubt, 7},
	} {
		paced := 0
		tc.options.Batch = 8
		tc.options.Pace = func(_ context.Context, n int) error { paced += n; return nil }
		s, sim := atSimulator(t, tc.rules, tc.options)
		var batch []reconcile.Event
		for i := range 8 {
			batch = append(batch, compose(t, s, order(fmt.Sprint(i))))
		}
		batch[bad].Body = bytes.Replace(batch[bad].Body, []byte(`"quantity":6`), []byte(`"quantity":"6"`), 1)
		got := s.Send(t.Context(), batch)
		for i, o := range got {
			want := tc.others
			if i == bad {
				want = tc.bad
			}
			if o.ID != batch[i].ID || o.Verdict != want || o.Stop {
				t.Errorf("%s: event %d: %s %s (%s), want %s", name, i, o.ID, o.Verdict, o.Why, want)
			}
		}
		counts := sim.Counts().Platforms[simulator.Squeezely]
		if counts.Accepted != tc.accepted || counts.Repeats != 0 {
			t.Errorf("%s: the platform counts %+v", name, counts)
		}
		if again := counts.Requests > 1; again != (paced > 0) {
			t.Errorf("%s: %d requests, paced %d events", name, counts.Requests, paced)
		}
	}
}

func TestHalvingCanBeInterrupted(t *testing.T) {
	s, _ := atSimulator(t, simulator.SqueezelyRules{MaxBatch: 1}, Options{Batch: 2,
		Pace: func(context.Context, int) error { return context.Canceled }})
	batch := []reconcile.Event{compose(t, s, order("1")), compose(t, s, order("2"))}
	for _, o := range s.Send(t.Context(), batch) {
		if o.Verdict != reconcile.Retryable || len(o.Attempts) != 1 || o.Attempts[0].Status != 413 {
			t.Errorf("got %+v", o)
		}
	}
}

// By the time that a refused batch is taken apart, an event may have become
// one that must not go any more.
func TestHalvingAsksAgain(t *testing.T) {
	s, sim := atSimulator(t, simulator.SqueezelyRules{MaxBatch: 1}, Options{Batch: 2,
		Fit: func(e reconcile.Event) reconcile.Reason {
			if e.Shown == "2" {
				return reconcile.ReasonSuppressed
			}
			return ""
		}})
	got := s.Send(t.Context(), []reconcile.Event{compose(t, s, order("1")), compose(t, s, order("2"))})
	if got[0].Verdict != reconcile.Sent || len(got[0].Attempts) != 2 || got[1].Verdict != reconcile.Retryable || len(got[1].Attempts) != 1 {
		t.Errorf("got %+v", got)
	}
	if counts := sim.Counts().Platforms[simulator.Squeezely]; counts.Accepted != 1 {
		t.Errorf("the platform counts %+v", counts)
	}
}

func TestKnownCodesAreKept(t *testing.T) {
	for _, objects := range []bool{true, false} {
		s, _ := atSimulator(t, simulator.SqueezelyRules{ErrorObjects: objects}, Options{})
		e := compose(t, s, order("1"))
		e.Body = bytes.Replace(e.Body, []byte(`"timestamp":1795168800`), []byte(`"timestamp":"yesterday"`), 1)
		o := s.Send(t.Context(), []reconcile.Event{e})[0]
		if o.Verdict != reconcile.Rejected || o.Attempts[0].Code != "TIMESTAMP_ERROR" {
			t.Errorf("objects %v: got %+v", objects, o)
		}
	}
}

func TestWrongLoginStops(t *testing.T) {
	s, _ := atSimulator(t, simulator.SqueezelyRules{LoginStatus: 403}, Options{})
	s.client.Close()
	wrong, err := New(Options{Name: "activate", URL: s.options.URL, Account: "shop", Key: "other"})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	o := wrong.Send(t.Context(), []reconcile.Event{compose(t, s, order("1"))})[0]
	if o.Verdict != reconcile.Retryable || !o.Stop || o.Why != "403: login refused" {
		t.Errorf("got %+v", o)
	}
}
