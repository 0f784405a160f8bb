package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// A trial sends the first few of each kind, and live then the others: nothing
// twice, nothing left out, and what a trial covered does not count.
func TestATrialGoesFirst(t *testing.T) {
	for _, tc := range []struct {
		limits reconcile.Limits
		first  int
	}{
		{reconcile.Limits{TrialOrders: 20}, 20}, {reconcile.Limits{TrialShare: 0.29}, 29},
		{reconcile.Limits{TrialOrders: 20, TrialShare: 0.05}, 5}, {reconcile.Limits{TrialOrders: 500}, 100},
		{reconcile.Limits{TrialShare: 0.001}, 1},
	} {
		h := newHouse(t, many(100)...)
		h.target.Mode, h.target.Limits = reconcile.ModeTrial, tc.limits
		h.sink.Merges, h.sink.Batch = true, 3
		want := map[string]int{"left/planned": tc.first, "left/trial": 100 - tc.first}
		if tc.first == 100 {
			want = map[string]int{"left/planned": 100}
		}
		h.ends(h.plan(), want)
		res := h.run()
		want = map[string]int{"sent/sent_now": tc.first, "left/trial": 100 - tc.first}
		if tc.first == 100 {
			want = map[string]int{"sent/sent_now": 100}
		}
		h.ends(res, want)
		if covered := res.Targets[0].CoveredTo["shop"]; covered.After(noon) && tc.first < 100 {
			t.Errorf("what is left covers up to %s", covered)
		}
		h.target.Mode = reconcile.ModeLive
		res = h.runOver(reconcile.Request{From: h.target.Since})
		want = map[string]int{"already_sent/sent_here": tc.first, "sent/sent_now": 100 - tc.first}
		if tc.first == 100 {
			delete(want, "sent/sent_now")
		}
		h.ends(res, want)
		for id, n := range h.sink.Accepted() {
			if n != 1 {
				t.Errorf("%s was accepted %d times", id, n)
			}
		}
	}
}

// Each run of a trial goes a little further.
func TestATrialWidensRunByRun(t *testing.T) {
	h := newHouse(t, many(10)...)
	h.target.Mode, h.target.Limits = reconcile.ModeTrial, reconcile.Limits{TrialOrders: 4}
	for _, want := range []int{4, 8, 10} {
		h.run()
		if n := len(h.sink.Accepted()); n != want {
			t.Errorf("%d are accepted, want %d", n, want)
		}
	}
}

func TestABudgetEndsARun(t *testing.T) {
	for name, tc := range map[string]struct {
		limits reconcile.Limits
		sent   int
		says   string
	}{
		"orders": {reconcile.Limits{Orders: 4}, 4, "4 orders a run is spent"},
		"money":  {reconcile.Limits{Money: reconcile.Money{"EUR": dec("7.50")}}, 3, "7.5 EUR a run is spent"},
		"small":  {reconcile.Limits{Money: reconcile.Money{"EUR": dec("2.49")}}, 0, "too small for the next order"},
		"enough": {reconcile.Limits{Orders: 10, Money: reconcile.Money{"EUR": dec("25")}}, 10, ""},
	} {
		h := newHouse(t, many(10)...) // 2.50 EUR each
		h.target.Limits = tc.limits
		res := h.run()
		want := map[string]int{"left/budget": 10 - tc.sent, "sent/sent_now": tc.sent}
		for place, n := range want {
			if n == 0 {
				delete(want, place)
			}
		}
		h.ends(res, want)
		if says := res.Targets[0].Stopped; !strings.Contains(says, tc.says) || says != "" && tc.says == "" {
			t.Errorf("%s: %q", name, says)
		}
		h.target.Limits = reconcile.Limits{}
		h.run()
		if n := len(h.sink.Accepted()); n != 10 {
			t.Errorf("%s: %d are accepted in the end", name, n)
		}
	}
}

// An order is counted by the first of its events that goes, though that is an
// upgrade of a cart which is there already, and only once.
func TestABudgetCountsUpgrades(t *testing.T) {
	upgrade := func(product string) reconcile.ChainStep {
		s := step(product, "20")
		s.Session = "cart"
		return s
	}
	for name, c := range map[string]struct {
		orders []string
		budget int
		want   map[string]int
	}{
		"upgrades alone":    {[]string{"1", "2", "3", "4", "5"}, 2, map[string]int{"held_back/nothing_due": 5, "left/budget": 6, "sent/sent_now": 4}},
		"one order is one":  {[]string{"1"}, 1, map[string]int{"held_back/nothing_due": 1, "sent/sent_now": 2}},
		"as many as it has": {[]string{"1", "2"}, 2, map[string]int{"held_back/nothing_due": 2, "sent/sent_now": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			h := chained(t, 3, c.orders...)
			h.sink.Script, h.target.Limits.Orders = outcomes(sent("s")), c.budget
			for i := range h.source.List {
				chainOf(&h.source.List[i], step("a", "0"), upgrade("b"), upgrade("c"))
			}
			h.ends(h.run(), c.want)
		})
	}
}

// What is in a currency that the budget does not name is held back, in the
// plan already, and a person is told.
func TestABudgetNamesItsCurrencies(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea, func(o *reconcile.Order) { o.Currency = "SEK" }))
	h.target.Limits.Money = reconcile.Money{"EUR": dec("100")}
	h.ends(h.plan(), map[string]int{"held_back/no_budget": 1, "left/planned": 1})
	res := h.run()
	h.ends(res, map[string]int{"held_back/no_budget": 1, "sent/sent_now": 1})
	if needs := res.Needs(); len(needs) != 1 || needs[0].What != "no_budget" {
		t.Errorf("a person is needed for %v", needs)
	}
}

// When too much is refused the run ends: what was claimed is given back.
func TestTooManyRefusalsEndARun(t *testing.T) {
	for _, merges := range []bool{true, false} {
		h := newHouse(t, many(100)...)
		h.target.Limits.Refused, h.target.Concurrency, h.sink.Merges = 0.05, 1, merges
		refused := 0
		h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
			if key, _ := id.Key(); strings.HasSuffix(key.Order, "7") {
				refused++
				return reconcile.Outcome{Verdict: reconcile.Rejected}
			}
			return reconcile.Outcome{Verdict: reconcile.Sent}
		}
		res := h.run()
		h.ends(res, map[string]int{"sent/sent_now": 18, "refused/rejected": 2, "left/budget": 80})
		if refused != 2 || !strings.Contains(res.Targets[0].Stopped, "2 of 20") {
			t.Errorf("%d were refused; stopped: %q", refused, res.Targets[0].Stopped)
		}
		if e := h.entry(purchase("0099")); e.State != reconcile.StateAbsent && e.State != reconcile.StateOpen {
			t.Errorf("the last one is %s", e.State)
		}
	}
}

// One person's many orders go over several runs, the oldest first.
func TestOnePersonGetsSoManyInOneRun(t *testing.T) {
	var orders []reconcile.Order
	for i := range 7 {
		orders = append(orders, order(fmt.Sprint(9-i), oneTea, at(noon.Add(time.Duration(i)*time.Minute)),
			func(o *reconcile.Order) { o.Email = "ann@example.com" }))
	}
	orders = append(orders, order("20", oneTea))
	h := newHouse(t, orders...)
	h.target.Limits.PerPerson = 3
	h.ends(h.run(), map[string]int{"sent/sent_now": 4, "left/per_run": 4})
	h.accepted(purchase("9"), purchase("8"), purchase("7"), purchase("20"))
	h.run()
	res := h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 7, "sent/sent_now": 1})
}
