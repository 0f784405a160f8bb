package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

var proven = reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}

// twoDaysAgo has two orders, and a record that names the first of them.
func twoDaysAgo(t *testing.T) (*house, *reconciletest.Evidence) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-2*day))), order("2", oneTea, at(noon.Add(-2*day))))
	log := h.addEvidence(proven, row("1"))
	h.target.Mode = reconcile.ModeShadow
	return h, log
}

// Whatever happens between a night in shadow and going live, what shadow left
// goes only when it is asked for.
func TestHarmWhatShadowLeftWaitsWhateverHappensMeanwhile(t *testing.T) {
	for name, meanwhile := range map[string]func(h *house){
		"nothing": func(*house) {},
		"a hold that ends": func(h *house) {
			h.sink.HoldPurchases = reconcile.ReasonNoLanguage
			h.ends(h.run(), map[string]int{"held_back/no_language": 30})
			h.sink.HoldPurchases = ""
		},
		"a trial that is stopped": func(h *house) {
			h.target.Mode, h.target.Limits.TrialOrders = reconcile.ModeTrial, 3
			h.stop("target", "401")
			h.runOver(reconcile.Request{From: h.target.Since})
			h.stop("target", "")
		},
		"a record that is empty for a night": func(h *house) {
			h.addEvidence(proven)
			if _, err := h.attempt(h.t.Context(), h.ledger(), reconcile.Request{}); err != nil {
				h.t.Fatal(err)
			}
			h.target.Evidence = nil
		},
		"a run without one order": func(h *house) { h.runOver(reconcile.Request{Except: []string{"0001"}}) },
		"shadow by hand":          func(h *house) { h.runOver(reconcile.Request{From: h.target.Since}) },
		"live, and shadow again": func(h *house) {
			h.target.Mode = reconcile.ModeLive
			h.ends(h.run(), map[string]int{"left/shadow_period": 30})
			h.target.Mode = reconcile.ModeShadow
			h.run()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, many(30, at(noon.Add(-3*day)))...)
			h.target.Mode = reconcile.ModeShadow
			if name != "shadow by hand" {
				h.ends(h.run(), map[string]int{"left/shadow": 30})
			}
			h.pass(time.Hour)
			meanwhile(h)
			h.pass(time.Hour)
			h.target.Mode = reconcile.ModeLive
			h.ends(h.run(), map[string]int{"left/shadow_period": 30})
			h.ends(h.runOver(reconcile.Request{Except: []string{"0001"}}), map[string]int{"left/shadow_period": 29})
			h.accepted()
			h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"sent/sent_now": 30})
		})
	}
}

// What a record named once does not go when the record is purged, in whichever
// mode, and however the order's number is written.
func TestHarmAPurgedRecordIsRemembered(t *testing.T) {
	purge := func(h *house, log *reconciletest.Evidence) {
		h.pass(day)
		log.Rows = []reconcile.EvidenceRow{row("3")}
	}
	t.Run("between two nights in shadow", func(t *testing.T) {
		h, log := twoDaysAgo(t)
		h.run()
		purge(h, log)
		h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow": 1})
		h.target.Mode = reconcile.ModeLive
		h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"already_sent/proven": 1, "sent/sent_now": 1})
		h.accepted(purchase("2"))
	})
	t.Run("before a trial", func(t *testing.T) {
		h, log := twoDaysAgo(t)
		h.run()
		purge(h, log)
		h.target.Mode, h.target.Limits.TrialOrders = reconcile.ModeTrial, 5
		h.ends(h.runOver(reconcile.Request{From: h.target.Since}), map[string]int{"already_sent/proven": 1, "sent/sent_now": 1})
		h.accepted(purchase("2"))
	})
	t.Run("after shadow by hand", func(t *testing.T) {
		h, log := twoDaysAgo(t)
		h.runOver(reconcile.Request{From: h.target.Since})
		purge(h, log)
		h.target.Mode = reconcile.ModeLive
		h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow_period": 1})
	})
	t.Run("numbers that look like addresses", func(t *testing.T) {
		h := newHouse(t, order("web@1", oneTea, at(noon.Add(-2*day))), order("web@2", oneTea, at(noon.Add(-2*day))))
		log := h.addEvidence(proven, row("web@1"))
		h.target.Mode = reconcile.ModeShadow
		h.run()
		purge(h, log)
		h.target.Mode = reconcile.ModeLive
		h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow_period": 1})
	})
	t.Run("from two sources of one numbering", func(t *testing.T) {
		h, log := twoDaysAgo(t)
		late := h.source.List
		h.source.List = nil
		other := h.addSource("zweb", "main", late...)
		h.target.From = []string{"shop", "zweb"}
		log.Rows = []reconcile.EvidenceRow{row("9")}
		h.ends(h.run(), map[string]int{"left/shadow": 2})
		h.pass(time.Hour)
		h.source.List, other.List = late, nil
		log.Rows = []reconcile.EvidenceRow{row("1")}
		h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow": 1})
		purge(h, log)
		h.target.Mode = reconcile.ModeLive
		h.ends(h.run(), map[string]int{"already_sent/proven": 1, "left/shadow_period": 1})
	})
}

// A record that still speaks of the time and no longer names an order was wrong
// then, or is now: a person is asked, and a list sends it.
func TestHarmACorrectedRecordIsAPersonsQuestion(t *testing.T) {
	for _, others := range []bool{true, false} {
		h := newHouse(t, many(6, at(noon.Add(-3*day)))...)
		log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByAssumed})
		for _, o := range h.source.List {
			r := row(o.Key.Order)
			r.At = o.CompletedAt.Add(time.Minute)
			log.Rows = append(log.Rows, r)
		}
		h.target.Mode = reconcile.ModeShadow
		h.ends(h.run(), map[string]int{"already_sent/assumed": 6})
		h.pass(time.Hour)
		h.target.Mode = reconcile.ModeLive
		want := map[string]int{"already_sent/assumed": 1, "held_back/was_sent": 5}
		if log.Rows = log.Rows[:1]; !others { // and nobody else sends any more
			h.target.Evidence, want = nil, map[string]int{"held_back/was_sent": 6}
		}
		res := h.run()
		h.ends(res, want)
		if needs := res.Needs(); len(needs) != 1 || needs[0].What != string(reconcile.ReasonWasSent) {
			t.Errorf("%+v", needs)
		}
		h.ends(h.runOver(reconcile.Request{From: h.target.Since}), want)
		h.accepted()
		h.runOver(reconcile.Request{From: h.target.Since, Orders: []string{"0004"}})
		h.accepted(purchase("0004"))
	}
}

// A record that a night did not trust is not remembered, nor what it said of
// another order under the same number.
func TestWhatIsNotRemembered(t *testing.T) {
	h := newHouse(t, many(40, at(noon.Add(-3*day)))...)
	log := h.addEvidence(proven, row("0000"), row("0001"), row("0002"))
	h.target.Mode = reconcile.ModeShadow
	if _, err := h.attempt(t.Context(), h.ledger(), reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Hour)
	log.Rows = nil
	for _, o := range h.source.List[3:] {
		log.Rows = append(log.Rows, row(o.Key.Order))
	}
	h.target.Mode = reconcile.ModeLive
	h.ends(h.run(), map[string]int{"already_sent/proven": 37, "left/shadow_period": 3})

	h, log = twoDaysAgo(t)
	h.run()
	h.pass(50 * day)
	h.source.List = []reconcile.Order{order("1", []string{"tea x 3 @ 9.50"}, at(h.clock().Add(-2*time.Hour)))}
	log.Rows = nil
	h.target.Mode = reconcile.ModeLive
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

// An order that was edited after shadow left it, or after a record named it, does
// not go beside it.
func TestHarmAnEditOfWhatShadowSaw(t *testing.T) {
	for _, suffix := range []string{reconcile.EditedSameOrder, ""} {
		for _, had := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q %v", suffix, had), func(t *testing.T) {
				h := newHouse(t, order("1001", oneTea, at(noon.Add(-2*day))))
				h.Sources[0].EditedSuffix = suffix
				log := h.addEvidence(proven, row("x"))
				if had {
					log.Rows = append(log.Rows, row("1001"))
				}
				h.target.Mode = reconcile.ModeShadow
				h.run()
				h.pass(day)
				log.Rows = log.Rows[:1]
				h.source.List = append(h.source.List, order("1001-1", []string{"tea x 2 @ 2.50"}, at(h.clock().Add(-time.Hour))))
				h.target.Mode = reconcile.ModeLive
				h.run()
				h.accepted()
				h.pass(time.Hour)
				h.runOver(reconcile.Request{From: h.target.Since})
				if n := len(h.sink.Accepted()); n > 1 || had && n > 0 {
					t.Errorf("accepted are %v", h.sink.Accepted())
				}
			})
		}
	}
}

// What shadow left calls again before runs no longer reach back to it.
func TestABacklogCallsAgainBeforeItFallsOut(t *testing.T) {
	h := newHouse(t, many(5, at(noon.Add(-3*day)))...)
	h.target.Mode = reconcile.ModeShadow
	h.run()
	h.target.Mode = reconcile.ModeLive
	h.pass(day)
	h.run()
	for d := 5; d <= 58; d++ {
		h.pass(day)
		res := h.run()
		needs := res.Needs()
		if urgent := len(needs) == 1 && res.Urgent(needs[0]); len(needs) != 1 || urgent != (d >= 58) {
			t.Fatalf("%d days after the orders: %+v", d, needs)
		}
	}
}

// A cart event goes in a trial with the purchase that it needs.
func TestATrialPicksOrdersWhole(t *testing.T) {
	var list []reconcile.Order
	stored := map[string]reconcile.Cart{}
	for i, who := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		list = append(list, order("s"+who[:1], []string{"tea x 1 @ 2.50"}, reconciletest.InStore(who), at(noon.Add(-time.Duration(i)*time.Minute-time.Hour))))
		stored[who] = cartAt(noon.Add(-3*time.Hour), "tea x 1")
	}
	h := newHouse(t, append(list, order("w1", oneTea, at(noon)), order("w2", oneTea, at(noon.Add(-time.Minute))))...)
	h.addCarts(stored)
	h.target.Mode, h.target.Limits.TrialOrders = reconcile.ModeTrial, 2
	h.ends(h.plan(), map[string]int{"left/planned": 6, "left/trial": 2})
	h.ends(h.run(), map[string]int{"sent/sent_now": 6, "left/trial": 2})
	h.accepted(purchase("sa"), purchase("sb"), purchase("w1"), purchase("w2"), cartOf("sa"), cartOf("sb"))
}

// A plan whose period ends later today is not stopped for a day that is not over.
func TestADayThatIsNotOverIsNotCompared(t *testing.T) {
	h := newHouse(t)
	e := proven
	e.ExpectShare = 0.5
	log := h.addEvidence(e)
	today := func(n int) {
		for i := range n {
			o := order(fmt.Sprintf("%s-%03d", h.clock().Format("0102"), i), oneTea, at(h.clock().Add(-time.Duration(i+1)*time.Minute)))
			h.source.List = append(h.source.List, o)
			r := row(o.Key.Order)
			r.At = o.CompletedAt
			log.Rows = append(log.Rows, r)
		}
	}
	h.target.Mode = reconcile.ModeShadow
	h.pass(10 * time.Hour)
	for range 36 {
		today(30)
		h.run()
		h.pass(day)
	}
	h.pass(-12 * time.Hour) // 11 o'clock
	today(5)
	from := h.clock().Truncate(day)
	res, err := h.attempt(t.Context(), h.ledger(), reconcile.Request{From: from, To: from.Add(day)})
	if err != nil || res.Targets[0].Err != nil {
		t.Errorf("%v, %v", err, res.Targets[0].Err)
	}
}

// A list is the answer to what a record names no longer, not to what it named and
// has forgotten since.
func TestHarmAListDoesNotRepeatWhatAPurgedRecordNamed(t *testing.T) {
	for _, mode := range []string{reconcile.ModeTrial, reconcile.ModeLive} {
		h, log := twoDaysAgo(t)
		h.run()
		h.pass(day)
		log.Rows = []reconcile.EvidenceRow{row("3")}
		h.target.Mode, h.target.Limits.TrialOrders = mode, 5
		h.ends(h.runOver(reconcile.Request{From: h.target.Since, Orders: []string{"1", "2"}}), map[string]int{"already_sent/proven": 1, "sent/sent_now": 1})
		h.accepted(purchase("2"))
	}
}

// Of a list, an empty record is no proof that nothing was sent.
func TestHarmAListAndAnEmptyRecord(t *testing.T) {
	h := newHouse(t, many(30)...)
	h.addEvidence(proven)
	res, err := h.attempt(t.Context(), h.ledger(), reconcile.Request{From: h.target.Since, Orders: []string{"0004"}})
	if err != nil || res.Targets[0].Err == nil {
		t.Errorf("%v, %v", err, res.Targets[0].Err)
	}
	h.accepted()
}

// What shadow left waits also when its source has another name since, and when a
// trial claimed it and gave it back.
func TestHarmABacklogKeepsWaiting(t *testing.T) {
	h := newHouse(t)
	h.addSource("before", "main", order("1", oneTea, at(noon.Add(-2*day))))
	h.target.From, h.target.Mode = []string{"before"}, reconcile.ModeShadow
	h.ends(h.run(), map[string]int{"left/shadow": 1})
	h.pass(day)
	h.Sources = nil
	h.addSource("since", "main", order("1", oneTea, at(noon.Add(-2*day))), order("2", oneTea, at(noon.Add(-2*day))), order("3", oneTea, at(h.clock().Add(-time.Hour))))
	h.target.From, h.target.Mode = []string{"since"}, reconcile.ModeLive
	h.ends(h.run(), map[string]int{"left/shadow_period": 2, "sent/sent_now": 1})

	h = newHouse(t, many(3)...)
	h.target.Mode, h.target.Limits.TrialOrders = reconcile.ModeTrial, 3
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonInterrupted})
	h.ends(h.run(), map[string]int{"left/interrupted": 3})
	h.sink.Script = nil
	h.pass(day)
	h.target.Mode = reconcile.ModeLive
	h.ends(h.run(), map[string]int{"left/shadow_period": 3})
}

// Bad orders that a run over a list meets are told of by the next run as new.
func TestBadOrdersBesideAListAreNotTold(t *testing.T) {
	bad := order("bad", oneTea)
	bad.Bad = []reconcile.RowProblem{{Reason: reconcile.ReasonBadValue, Text: "x"}}
	h := newHouse(t, order("1", oneTea), bad)
	h.runOver(reconcile.Request{From: h.target.Since, Orders: []string{"1"}})
	for night, known := range []int{0, 1} {
		needs := h.run().Needs()
		if len(needs) != 1 || needs[0].What != reconcile.NeedBad || needs[0].Known != known {
			t.Errorf("night %d: %+v", night, needs)
		}
	}
}
