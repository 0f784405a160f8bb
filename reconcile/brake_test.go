package reconcile_test

import (
	"strings"
	"testing"

	"makegood/reconcile"
)

func TestMuchMoreThanUsualWaitsForAPerson(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of orders, one by one")
	}
	for name, tc := range map[string]struct {
		usual  reconcile.Usual
		orders int
		brakes bool
	}{
		"too few runs": {reconcile.Usual{Runs: 6, Most: 10}, 201, false},
		"as ever":      {reconcile.Usual{Runs: 7, Most: 70}, 210, false},
		"much more":    {reconcile.Usual{Runs: 7, Most: 70}, 211, true},
		"never any":    {reconcile.Usual{Runs: 14}, 201, true},
		"no matter":    {reconcile.Usual{Runs: 14, Most: 1}, 200, false},
	} {
		h := newHouse(t, many(tc.orders)...)
		_, other := h.addTarget("other", "shop")
		h.target.Usual, h.sink.Merges, other.Merges = tc.usual, true, true
		res, err := h.Run(t.Context(), h.ledger(), reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.check(res)
		h.endsAt(res, "other", map[string]int{"sent/sent_now": tc.orders})
		if !tc.brakes {
			h.ends(res, map[string]int{"sent/sent_now": tc.orders})
			if res.Plan != nil || len(h.plans()) > 0 {
				t.Errorf("%s: a plan is left", name)
			}
			continue
		}
		h.ends(res, map[string]int{"left/brake": tc.orders})
		needs := res.Needs()
		if len(needs) != 1 || needs[0].What != reconcile.NeedBrake || res.Plan == nil || !res.Targets[0].CoveredTo["shop"].Before(noon.Add(1)) {
			t.Fatalf("%s: needs %v, plan %v, covered %v", name, needs, res.Plan, res.Targets[0].CoveredTo)
		}
		applied, err := h.apply(res, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(applied, map[string]int{"sent/sent_now": tc.orders})
		h.endsAt(applied, "other", map[string]int{"already_sent/sent_here": tc.orders})
		if n := len(other.Order()); n != tc.orders {
			t.Errorf("%s: the other target has accepted %d", name, n)
		}
	}
}

// A period that a person names is not compared with ordinary nights, and a
// trial is small anyway.
func TestTheBrakeIsForOrdinaryNights(t *testing.T) {
	h := newHouse(t, many(201)...)
	h.target.Usual, h.sink.Merges = reconcile.Usual{Runs: 14}, true
	h.ends(h.runOver(reconcile.Request{From: noon.Add(-day), To: noon.Add(1)}), map[string]int{"sent/sent_now": 201})
	h = newHouse(t, many(201)...)
	h.target.Usual, h.target.Mode, h.target.Limits.TrialOrders = reconcile.Usual{Runs: 14}, reconcile.ModeTrial, 5
	h.ends(h.run(), map[string]int{"sent/sent_now": 5, "left/trial": 196})
}

func TestManyRefusalsAtTheBeginningStopARun(t *testing.T) {
	for runs, want := range map[int]map[string]int{
		6: {"refused/rejected": 10, "sent/sent_now": 90},
		7: {"refused/rejected": 6, "sent/sent_now": 54, "left/brake": 40},
	} {
		h := newHouse(t, many(100)...)
		h.target.Usual, h.target.Concurrency = reconcile.Usual{Runs: runs, Most: 300}, 1
		h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
			if strings.HasSuffix(string(id), "9") {
				return reconcile.Outcome{Verdict: reconcile.Rejected}
			}
			return reconcile.Outcome{Verdict: reconcile.Sent}
		}
		res := h.run()
		h.ends(res, want)
		if runs == 7 && !strings.Contains(res.Targets[0].Stopped, "6 of the first 60") {
			t.Errorf("stopped: %q", res.Targets[0].Stopped)
		}
	}
}
