package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// Two entries share a destination: one sends carts every few minutes, one
// purchases at night. Neither covers anything for the other, and nothing goes
// twice or is left out.
func TestHarmEntriesOfTheScheduleShareADestination(t *testing.T) {
	at8 := noon.Add(-4 * time.Hour)
	h := newHouse(t, order("web", oneTea, at(at8)), order("till", []string{"tea x 1 @ 2.50"}, reconciletest.InStore("a@example.com"), at(at8)))
	h.addCarts(map[string]reconcile.Cart{"a@example.com": cartAt(noon.Add(-6*time.Hour), "tea x 1")})
	carts := &reconcile.Scope{Name: "carts", Channels: []string{"in_store"}, Lookback: func(t time.Time) time.Time { return t.Add(-6 * time.Hour) }}
	nightly := &reconcile.Scope{Name: "nightly", Send: []reconcile.Kind{reconcile.KindPurchase}}

	h.Scope = carts
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 2})
	h.accepted(purchase("till"), cartOf("till"))
	if n := res.Sources[0].NoDestination; n != 0 {
		t.Errorf("%d are said to be for nobody", n)
	}
	h.pass(day)
	from(t, h.run(), h.clock().Add(-day-6*time.Hour))

	h.Scope = nightly
	res = h.run()
	from(t, res, h.target.Since)
	h.ends(res, map[string]int{"sent/sent_now": 1, "already_sent/sent_here": 1})
	h.accepted(purchase("till"), cartOf("till"), purchase("web"))
	if len(res.Targets[0].Orphans) != 0 {
		t.Errorf("orphans %+v", res.Targets[0].Orphans)
	}

	h.Scope = nil
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 3})
}

// An entry that is renamed goes on where it was; one that is to send more, or of
// more channels, reads everything again, for what it left out was never looked at.
func TestHarmAnEntryThatChanges(t *testing.T) {
	online, till := order("web", oneTea, at(noon.Add(-5*day))), order("till", oneTea, reconciletest.InStore("a@example.com"), at(noon.Add(-5*day)))
	h := newHouse(t, online, till)
	hours := func(t time.Time) time.Time { return t.Add(-6 * time.Hour) }
	h.Scope = &reconcile.Scope{Name: "tills", Send: []reconcile.Kind{reconcile.KindPurchase}, Channels: []string{"in_store"}, Lookback: hours}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
	h.pass(day)
	h.Scope = &reconcile.Scope{Name: "shops", Send: []reconcile.Kind{reconcile.KindPurchase}, Channels: []string{"in_store", "in_store"}, Lookback: hours}
	from(t, h.run(), h.clock().Add(-day-6*time.Hour))
	h.Scope = &reconcile.Scope{Name: "tills", Send: []reconcile.Kind{reconcile.KindPurchase}, Channels: []string{"online", "in_store"}, Lookback: hours}
	res := h.run()
	from(t, res, h.target.Since)
	h.ends(res, map[string]int{"sent/sent_now": 1, "already_sent/sent_here": 1})
	h.accepted(purchase("till"), purchase("web"))
}

// What an entry with a shorter look leaves behind, an ordinary one reads: it is no
// warning each time.
func TestAShortLookWarnsOfNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-2*day)), func(o *reconcile.Order) { o.Email = "" }))
	h.Scope = &reconcile.Scope{Name: "often", Lookback: func(t time.Time) time.Time { return t.Add(-time.Hour) }}
	if res := h.run(); res.Targets[0].Leaving != 0 {
		t.Errorf("%d leave", res.Targets[0].Leaving)
	}
	h.pass(day)
	h.source.List = nil
	if needs := h.run().Needs(); len(needs) != 0 { // an hour without an order
		t.Errorf("%+v", needs)
	}
	h.Scope = nil
	h.pass(day)
	res := h.run()
	from(t, res, h.clock().Add(-8*day))
	if needs := res.Needs(); len(needs) != 1 || needs[0].What != reconcile.NeedQuiet {
		t.Errorf("%+v", needs)
	}
}

// A moment of the schedule is one run's.
func TestAMomentIsOneRuns(t *testing.T) {
	h := newHouse(t, many(3)...)
	h.Scope = &reconcile.Scope{Name: "nightly"}
	req := reconcile.Request{Slot: noon}
	h.ends(h.runOver(req), map[string]int{"sent/sent_now": 3})
	_, err := h.Run(t.Context(), h.ledger(), req)
	var taken *reconcile.SlotTaken
	if !errors.As(err, &taken) || !taken.Ended {
		t.Fatalf("it began again: %v", err)
	}
	req.Slot = noon.Add(day)
	h.ends(h.runOver(req), map[string]int{"already_sent/sent_here": 3})
}

// An order that becomes visible after its time was read is counted once, with how
// late it was; one that was there, or is held back, is not.
func TestOrdersThatBecomeVisibleLate(t *testing.T) {
	for _, mode := range []string{reconcile.ModeLive, reconcile.ModeShadow} {
		h := newHouse(t, order("1", oneTea), order("held", oneTea, func(o *reconcile.Order) { o.Email = "" }))
		h.target.Mode = mode
		if late := h.run().Sources[0].SeenLate; late.Orders != 0 {
			t.Errorf("%s, the first night: %+v", mode, late)
		}
		h.pass(day)
		h.source.List = append(h.source.List, order("late", oneTea, at(noon.Add(-2*day))), order("new", oneTea, at(h.clock().Add(-time.Hour))))
		for night, want := range []reconcile.SeenLate{{Orders: 1, Longest: 3*day + time.Hour}, {}} {
			if late := h.run().Sources[0].SeenLate; late != want {
				t.Errorf("%s, night %d: %+v, want %+v", mode, night, late, want)
			}
		}
	}
}
