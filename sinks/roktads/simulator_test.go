package roktads

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/simulator"
	"makegood/sinks/sinktest"
)

// atSimulator opens a sink whose platform is a simulator.
func atSimulator(t *testing.T, rules simulator.RoktAdsRules, o Options, faults ...simulator.Fault) (*Sink, *simulator.Simulator) {
	t.Helper()
	sim := simulator.New(simulator.Options{
		Clock: func() time.Time { return asOf }, RoktAds: rules, Faults: faults,
		Accounts: map[string]string{"key": "s-" + sinktest.Canary},
	})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	o.URL = server.URL + map[API]string{Events: "/v2/bulkevents", Conversions: "/v1/conversions"}[o.API]
	return open(t, o), sim
}

// spoiled makes n events of which those in bad are ones that the platform does
// not take.
func spoiled(t *testing.T, s *Sink, n int, bad ...int) []reconcile.Event {
	t.Helper()
	var list []reconcile.Event
	for i := range n {
		list = append(list, compose(t, s, order(fmt.Sprint(i))))
	}
	for _, i := range bad {
		var body map[string]any
		if err := json.Unmarshal(list[i].Body, &body); err != nil {
			t.Fatal(err)
		}
		delete(body, "environment")
		delete(body, "conversionType")
		list[i].Body, _ = json.Marshal(body)
	}
	return list
}

// One conversion that the platform does not want takes no other one with it,
// in whichever way it is named; where it is not, nobody knows which were
// accepted.
func TestBatchAtTheSimulator(t *testing.T) {
	for _, api := range []API{Events, Conversions} {
		for _, places := range []simulator.RoktAdsPlaces{simulator.ByPath, simulator.ByPosition, simulator.Nowhere} {
			options := events()
			if api == Conversions {
				options = conversions()
			}
			s, sim := atSimulator(t, simulator.RoktAdsRules{Places: places}, options)
			others, bad := reconcile.Sent, reconcile.Rejected
			if places == simulator.Nowhere {
				others, bad = reconcile.InDoubt, reconcile.InDoubt
			}
			for i, o := range s.Send(t.Context(), spoiled(t, s, 20, 0, 7, 19)) {
				want := others
				if i == 0 || i == 7 || i == 19 {
					want = bad
				}
				if o.Verdict != want || o.Stop {
					t.Errorf("%s, places %d: %s is %s (%s)", api, places, o.ID, o.Verdict, o.Why)
				}
			}
			if got := sim.Counts().Platforms[simulator.RoktAds]; got.Orders != 17 || got.Repeats != 0 || got.Money["GBP"] != "260.1" {
				t.Errorf("%s, places %d: the platform counts %+v", api, places, got)
			}
		}
	}
}

// Two shops may number alike: a number that names two conversions of a request
// names neither, so none is sent again and none counts as accepted.
func TestSameNumberAtTheSimulator(t *testing.T) {
	s, sim := atSimulator(t, simulator.RoktAdsRules{Places: simulator.ByPosition}, conversions())
	list := spoiled(t, s, 2, 1)
	other := order("0")
	other.Key.Shop = "other"
	bad := list[1].Body
	list[1] = compose(t, s, other)
	list[1].Body = json.RawMessage(strings.Replace(string(bad), `"conversionId":"1"`, `"conversionId":"0"`, 1))
	for _, o := range s.Send(t.Context(), list) {
		if o.Verdict != reconcile.InDoubt {
			t.Errorf("%s is %s (%s)", o.ID, o.Verdict, o.Why)
		}
	}
	if got := sim.Counts(); got.Requests != 1 || got.Platforms[simulator.RoktAds].Repeats != 0 {
		t.Errorf("the platform counts %+v", got)
	}
}

// More than a request holds goes in several, and nothing twice.
func TestManyAtTheSimulator(t *testing.T) {
	s, sim := atSimulator(t, simulator.RoktAdsRules{}, events())
	for _, o := range s.Send(t.Context(), spoiled(t, s, 250)) {
		if o.Verdict != reconcile.Sent {
			t.Fatalf("got %+v", o)
		}
	}
	if got := sim.Counts(); got.Requests != 3 || got.Platforms[simulator.RoktAds].Orders != 250 || got.Platforms[simulator.RoktAds].Repeats != 0 {
		t.Errorf("the platform counts %+v", got)
	}
	c := sim.AdConversions("")[0]
	if c.Ref != "0" || c.Type != "purchase" || c.Amount.Cmp(dec("15.3")) != 0 || !c.At.Equal(asOf.Add(-2*time.Hour)) || c.Count != 1 {
		t.Errorf("the platform has %+v", c)
	}
}

// A conversion is counted once by its reference, or twice, as the rules say.
func TestRepeatsAtTheSimulator(t *testing.T) {
	for repeats, money := range map[bool]string{false: "15.3", true: "30.6"} {
		s, sim := atSimulator(t, simulator.RoktAdsRules{Repeats: repeats}, events())
		for range 2 {
			s.Send(t.Context(), spoiled(t, s, 1))
		}
		if got := sim.Counts().Platforms[simulator.RoktAds]; got.Orders != 1 || got.Repeats != 1 || got.Money["GBP"] != money {
			t.Errorf("counts repeats %v: the platform counts %+v", repeats, got)
		}
	}
}

// What is marked development, or only looked at, is no conversion.
func TestDryAtTheSimulator(t *testing.T) {
	development, test := events(), conversions()
	development.Environment, test.Test = "development", true
	for _, o := range []Options{development, test} {
		s, sim := atSimulator(t, simulator.RoktAdsRules{}, o)
		if got := s.Send(t.Context(), spoiled(t, s, 3)); got[2].Verdict != reconcile.Sent {
			t.Errorf("got %+v", got[2])
		}
		if got := sim.Counts().Platforms[simulator.RoktAds]; got.Orders != 0 || len(got.Money) != 0 {
			t.Errorf("%s: the platform counts %+v", o.API, got)
		}
	}
}

func TestLoginAtTheSimulator(t *testing.T) {
	for secret, why := range map[string]string{"": "401: login refused", "other": "403: login refused"} {
		o := events()
		s, sim := atSimulator(t, simulator.RoktAdsRules{}, o)
		o.Secret, o.URL = secret, s.options.URL
		got := open(t, o).Send(t.Context(), spoiled(t, s, 150))
		if len(got) != 150 || got[0].Why != why || !got[0].Stop || got[149].Verdict != reconcile.Unsent || got[149].Reason != reconcile.ReasonFuse {
			t.Errorf("got %+v and %+v", got[0], got[149])
		}
		if n := sim.Counts().Requests; n != 1 {
			t.Errorf("%d requests with a wrong login", n)
		}
	}
}

// While items are sent one by one, another run may take over: what may not go
// any more stays retryable.
func TestFitBetweenRequests(t *testing.T) {
	o := events()
	o.Fit = func(reconcile.Event) reconcile.Reason { return reconcile.ReasonInterrupted }
	s, sim := atSimulator(t, simulator.RoktAdsRules{}, o)
	got := s.Send(t.Context(), spoiled(t, s, 5, 2))
	if got[2].Verdict != reconcile.Retryable || got[1].Verdict != reconcile.Sent || sim.Counts().Requests != 1 {
		t.Errorf("got %+v after %d requests", got[2], sim.Counts().Requests)
	}
	if got := s.Send(t.Context(), spoiled(t, s, 101)); got[100].Verdict != reconcile.Unsent || got[100].Reason != reconcile.ReasonInterrupted {
		t.Errorf("got %+v", got[100])
	}
}
