package reconcile_test

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// known is how many events earlier runs told of in a place.
func known(res reconcile.Result, place reconcile.Place) int {
	for _, e := range res.Targets[0].Earlier {
		if e.Place == place {
			return e.Count
		}
	}
	return 0
}

// A night in shadow tells what is new since the last one.
func TestShadowRemembersWhatItWouldHaveSent(t *testing.T) {
	h := newHouse(t, many(3)...)
	h.target.Mode = reconcile.ModeShadow
	would := reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow}
	for night, want := range []struct{ all, known int }{{3, 0}, {5, 3}, {5, 5}} {
		if night == 1 {
			h.source.List = append(h.source.List, order("a", oneTea), order("b", oneTea))
		}
		res := h.run()
		h.ends(res, map[string]int{"left/shadow": want.all})
		if n := known(res, would); n != want.known {
			t.Errorf("night %d: %d are known, want %d", night, n, want.known)
		}
		if needs := res.Needs(); len(needs) > 0 {
			t.Errorf("night %d needs %+v", night, needs)
		}
		h.pass(day)
	}
	h.accepted()
}

// What the live integration delivers by itself after a night in shadow (0001), or
// what its record names only then (0002), is counted: it would have gone twice. It
// is told of once as new.
func TestShadowWouldHaveBeenTooEarly(t *testing.T) {
	h := newHouse(t, many(4)...)
	log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("0000"))
	h.target.Mode = reconcile.ModeShadow
	h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow": 3})
	h.pass(day)
	late := row("0001")
	late.At = noon.Add(3 * time.Hour)
	log.Rows = append(log.Rows, late, row("0002"))
	for night, want := range []reconcile.TooEarly{
		{Events: 2, Unseen: 1, Longest: 3 * time.Hour}, {Events: 2, Earlier: 2, Unseen: 1, Longest: 3 * time.Hour}, {Events: 2, Earlier: 2, Unseen: 1, Longest: 3 * time.Hour},
	} {
		res := h.run()
		h.ends(res, map[string]int{"already_sent/proven": 3, "left/shadow": 1})
		if got := res.Targets[0].TooEarly; got != want {
			t.Errorf("night %d: %+v, want %+v", night, got, want)
		}
		h.pass(day)
	}
	decided, err := h.ledger().Decided(t.Context(), "target", []reconcile.EventID{purchase("0001"), purchase("0000")})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decided {
		if d.WasTooEarly() != (d.ID == purchase("0001")) {
			t.Errorf("%+v", d)
		}
	}
}

// Going live sends what is new at once. What shadow would have sent waits until
// a person asks for it: it calls once, and a plan of its period sends exactly it.
func TestHarmGoingLiveSendsNoBacklogUnasked(t *testing.T) {
	for _, before := range []string{reconcile.ModeShadow, reconcile.ModeTrial} {
		h := newHouse(t, many(5, at(noon.Add(-3*day)))...)
		h.target.Mode, h.target.Limits.TrialOrders = before, 1
		h.run()
		h.pass(day)
		h.source.List = append(h.source.List, order("new", oneTea, at(h.clock().Add(-time.Hour))))
		h.target.Mode = reconcile.ModeLive
		h.ends(h.plan(), map[string]int{"left/planned": 1, "left/shadow_period": 5})
		for night, want := range []map[string]int{
			{"left/shadow_period": 5, "sent/sent_now": 1}, {"left/shadow_period": 5, "already_sent/sent_here": 1}} {
			res := h.run()
			h.ends(res, want)
			needs := res.Needs()
			if len(needs) != 1 || needs[0].What != string(reconcile.ReasonShadowPeriod) || needs[0].Count != 5 || res.Urgent(needs[0]) != (night == 0) {
				t.Errorf("%s, night %d: %+v", before, night, needs)
			}
			if w := res.Targets[0].Backlog; !w.From.Equal(noon.Add(-3*day)) || !w.To.Equal(w.From.Add(time.Second)) {
				t.Errorf("the backlog is of %+v", w)
			}
			h.pass(day)
		}
		h.accepted(purchase("new"))
		h.ends(h.runOver(reconcile.Request{From: noon.Add(-4 * day), To: noon.Add(-2 * day)}), map[string]int{"sent/sent_now": 5})
		res := h.run()
		h.ends(res, map[string]int{"already_sent/sent_here": 6})
		if len(res.Needs()) > 0 {
			t.Errorf("%s: %+v", before, res.Needs())
		}
	}
}

// What evidence had during a night in shadow is not sent later, when the record
// was purged: shadow adopts nothing, but it remembers.
func TestHarmEvidencePurgedBetweenShadowAndLive(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-2*day))), order("2", oneTea, at(noon.Add(-2*day))))
	log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, row("1"))
	h.target.Mode = reconcile.ModeShadow
	h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow": 1})
	h.pass(day)
	log.Rows = []reconcile.EvidenceRow{row("3")}
	h.source.List = append(h.source.List, order("3", oneTea))
	h.target.Mode = reconcile.ModeLive
	h.ends(h.run(), map[string]int{"already_sent/proven": 2, "left/shadow_period": 1})
	h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"already_sent/proven": 2, "sent/sent_now": 1})
	h.accepted(purchase("2"))
	if e := h.entry(purchase("1")); e.State != reconcile.StateDone || e.By != reconcile.ByProven {
		t.Errorf("the entry is %+v", e)
	}
}
