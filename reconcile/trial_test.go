package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

// byTheHour are n orders, the newest first: 0 is completed at noon, each later
// number an hour before.
func byTheHour(n int) []reconcile.Order {
	list := make([]reconcile.Order, n)
	for i := range list {
		list[i] = order(fmt.Sprintf("%04d", i), oneTea, at(noon.Add(-time.Duration(i)*time.Hour)))
	}
	return list
}

// A trial sends the newest, of the last day only; the preview says so before.
func TestATrialPicksTheNewest(t *testing.T) {
	for name, tc := range map[string]struct {
		limits reconcile.Limits
		later  time.Duration
		sent   int
	}{
		"a few":           {reconcile.Limits{TrialOrders: 3}, 0, 3},
		"more than young": {reconcile.Limits{TrialOrders: 40}, 0, 23}, // it is 13 o'clock: 24 h ago was the 23rd hour
		"a share":         {reconcile.Limits{TrialShare: 0.5}, 0, 11},
		"none is young":   {reconcile.Limits{TrialOrders: 3}, 25 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, byTheHour(50)...)
			slices.Reverse(h.source.List)
			h.target.Mode, h.target.Limits = reconcile.ModeTrial, tc.limits
			h.pass(tc.later)
			want := map[string]int{"left/planned": tc.sent, "left/trial": 50 - tc.sent}
			if tc.sent == 0 {
				delete(want, "left/planned")
			}
			h.ends(h.plan(), want)
			h.run()
			var ids []reconcile.EventID
			for _, o := range byTheHour(tc.sent) {
				ids = append(ids, purchase(o.Key.Order))
			}
			h.accepted(ids...)
		})
	}
}

// Of orders of one moment a trial sends no more than it may, and a person who
// names the period may try older ones.
func TestATrialOfOneMoment(t *testing.T) {
	h := newHouse(t, many(30)...)
	h.target.Mode, h.target.Limits = reconcile.ModeTrial, reconcile.Limits{TrialOrders: 7}
	h.run()
	if n := len(h.sink.Accepted()); n != 7 {
		t.Errorf("%d were sent", n)
	}
	h.pass(3 * day)
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 7, "left/trial": 23})
	h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"already_sent/sent_here": 7, "left/trial": 16, "sent/sent_now": 7})
}
