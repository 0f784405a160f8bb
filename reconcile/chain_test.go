package reconcile_test

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// step is one of a chain, of price 100 and with 20 to collect.
func step(product string, due string) reconcile.ChainStep {
	return reconcile.ChainStep{Product: product, Quantity: dec("1"), Price: dec("100"), Due: dec(due)}
}

func chainOf(o *reconcile.Order, steps ...reconcile.ChainStep) {
	for i := range steps {
		steps[i].Replaces = i
	}
	o.Chain = steps
}

// TestAChainThatMoved: a step that stands between those that were charged makes
// others of all behind it; nothing more is charged, and a person is told.
func TestAChainThatMoved(t *testing.T) {
	h := chained(t, 4, "1")
	h.sink.Script = outcomes(sent("s"))
	chainOf(&h.source.List[0], step("a", "20"), step("b", "20"))
	h.ends(h.run(), map[string]int{"sent/sent_now": 2})
	chainOf(&h.source.List[0], step("a", "0"), step("b", "0"), step("c", "20"))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 2, "sent/sent_now": 1})
	chainOf(&h.source.List[0], step("a", "0"), step("x", "20"), step("b", "0"), step("c", "20"))
	res := h.run()
	h.ends(res, map[string]int{"already_sent/sent_here": 3, "held_back/chain_changed": 1})
	if res.Targets[0].CorrectionsFound != 2 {
		t.Errorf("%d changes are told, want those of the second and the third step", res.Targets[0].CorrectionsFound)
	}
	h.accepted(link("1", 1), link("1", 2), link("1", 3))
}

// TestWhatIsDueMoves: a plan to charge what is no longer due, or is due in
// another way, is refused; one about what was bought is not.
func TestWhatIsDueMoves(t *testing.T) {
	h := chained(t, 1, "1")
	h.sink.Script, h.sink.CartsOnly = outcomes(sent("s")), false
	chainOf(&h.source.List[0], step("a", "20"))
	planned := h.plan()
	chainOf(&h.source.List[0], step("a", "0"))
	_, err := h.apply(planned, reconcile.Request{})
	h.refused(err, reconcile.RefusedOrdersMoved)
	h.accepted()
	res, err := h.apply(planned, reconcile.Request{SkipMoved: true})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1, "left/moved": 1})
	h.accepted(purchase("1"))
}

// TestUnpaidOrders: what was not paid is no purchase yet, and is read again
// until the payment is no longer waited for; what is due can be charged.
func TestUnpaidOrders(t *testing.T) {
	h := chained(t, 1, "1")
	h.sink.Script, h.sink.CartsOnly = outcomes(sent("s")), false
	o := &h.source.List[0]
	chainOf(o, step("a", "20"))
	o.Unpaid, o.PendingUntil = true, h.clock().Add(10*day)
	res := h.run()
	h.ends(res, map[string]int{"left/payment_pending": 1, "sent/sent_now": 1})
	if at := res.Targets[0].CoveredTo["shop"]; at.After(o.CompletedAt) {
		t.Errorf("the order is covered (%s) although its payment is waited for", at)
	}
	h.pass(9 * day)
	h.ends(h.run(), map[string]int{"left/payment_pending": 1, "already_sent/sent_here": 1})
	h.pass(day + time.Hour)
	h.ends(h.run(), map[string]int{"held_back/unpaid": 1, "already_sent/sent_here": 1})
	o.Unpaid = false
	h.ends(h.runOver(reconcile.Request{From: noon.Add(-day), To: noon.Add(day)}), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
}

// TestAChainThatWasResolved: what a person said was charged protects its chain
// like what a run knows to be; what was never tried has no goods to compare.
func TestAChainThatWasResolved(t *testing.T) {
	for by, want := range map[reconcile.By]map[string]int{
		reconcile.ByAssumed: {"already_sent/sent_here": 1, "already_sent/assumed": 1, "held_back/chain_changed": 1},
		reconcile.ByProven:  {"already_sent/sent_here": 1, "already_sent/proven": 1, "held_back/chain_changed": 1},
	} {
		h := chained(t, 3, "1")
		h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
			if id == link("1", 2) {
				return reconcile.Outcome{}
			}
			return sent("s")
		}
		chainOf(&h.source.List[0], step("a", "20"), step("b", "20"))
		h.ends(h.run(), map[string]int{"sent/sent_now": 1, "in_doubt/no_answer": 1})
		h.saidSent(link("1", 2), by)
		chainOf(&h.source.List[0], step("a", "0"), step("x", "20"), step("b", "20"))
		h.ends(h.run(), want)
	}

	h := chained(t, 2, "1")
	h.sink.Script = outcomes(sent("s"))
	if err := h.ledger().Begin(t.Context(), reconcile.RunRecord{Run: "before", Started: h.clock()}); err != nil {
		t.Fatal(err)
	}
	adopted := []reconcile.Adoption{{Want: reconcile.Want{ID: link("1", 1), Kind: reconcile.KindCartUpgrade}, By: reconcile.ByAssumed, Who: "log", Receipt: "s"}}
	if _, err := h.ledger().Adopt(t.Context(), "target", "before", adopted); err != nil {
		t.Fatal(err)
	}
	chainOf(&h.source.List[0], step("a", "20"), step("b", "20"))
	h.ends(h.run(), map[string]int{"already_sent/assumed": 1, "sent/sent_now": 1})
}

// TestAChainThatShrank: a step that may have been charged, and that the chain
// has no more or that is not sent any more, holds the others back: they may be
// what was charged, under another position.
func TestAChainThatShrank(t *testing.T) {
	upgrade := func(product, due string) reconcile.ChainStep {
		s := step(product, due)
		s.Session = "cart"
		return s
	}
	for name, c := range map[string]struct {
		from        int
		first, then []reconcile.ChainStep
		want        map[string]int
	}{
		"the middle is gone": {1, []reconcile.ChainStep{step("a", "0"), step("b", "0"), upgrade("c", "20")},
			[]reconcile.ChainStep{step("a", "0"), upgrade("c", "40")}, map[string]int{"held_back/nothing_due": 1, "held_back/chain_changed": 1}},
		"the first is not sent any more": {2, []reconcile.ChainStep{step("a", "20")},
			[]reconcile.ChainStep{step("x", "20"), upgrade("a", "20")}, map[string]int{"held_back/chain_changed": 1}},
		"the first is not sent any more, and is what it was": {2, []reconcile.ChainStep{step("a", "20")},
			[]reconcile.ChainStep{step("a", "20"), upgrade("b", "20")}, map[string]int{"in_doubt/no_answer": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := chained(t, 4, "1")
			h.sink.Script = outcomes(reconcile.Outcome{})
			chainOf(&h.source.List[0], c.first...)
			h.run()
			chainOf(&h.source.List[0], c.then...)
			h.sink.ChainFrom = c.from
			h.ends(h.run(), c.want)
		})
	}
}

// TestWhatOneOrderMayBeCharged: the limit is for all that is charged of an
// order, whenever it is: what was charged before counts, and what may have been.
func TestWhatOneOrderMayBeCharged(t *testing.T) {
	for name, c := range map[string]struct {
		first       reconcile.Outcome
		due, second string
		most        reconcile.Money
		want        map[string]int
	}{
		"too much in all":        {sent("s"), "0", "50.01", reconcile.Money{"EUR": dec("150")}, map[string]int{"already_sent/sent_here": 1, "held_back/over_max_charge": 1}},
		"as much as may":         {sent("s"), "0", "50", reconcile.Money{"EUR": dec("150")}, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1}},
		"the file is late":       {sent("s"), "100", "50", reconcile.Money{"EUR": dec("150")}, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1}},
		"in doubt":               {reconcile.Outcome{}, "0", "50.01", reconcile.Money{"EUR": dec("150")}, map[string]int{"in_doubt/no_answer": 1, "held_back/over_max_charge": 1}},
		"refused was not":        {reconcile.Outcome{Verdict: reconcile.Rejected}, "0", "150", reconcile.Money{"EUR": dec("150")}, map[string]int{"refused/rejected": 1, "sent/sent_now": 1}},
		"no limit":               {sent("s"), "0", "900", nil, map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1}},
		"a limit of other money": {sent("s"), "0", "1", reconcile.Money{"SEK": dec("150")}, map[string]int{"already_sent/sent_here": 1, "held_back/over_max_charge": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := chained(t, 2, "1")
			h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
				if id == link("1", 1) {
					return c.first
				}
				return sent("s")
			}
			chainOf(&h.source.List[0], step("a", "100"))
			h.run()
			second := step("b", c.second)
			second.Session = "cart"
			chainOf(&h.source.List[0], step("a", c.due), second)
			h.target.Limits.MaxCharge = c.most
			h.ends(h.run(), c.want)
		})
	}
}

// saidSent is a person's word, or a proof, that an event was sent.
func (h *house) saidSent(id reconcile.EventID, by reconcile.By) {
	h.t.Helper()
	word := reconcile.Resolution{State: reconcile.StateDone, By: by, Receipt: "s", Who: "desk", Note: "seen there"}
	if err := h.ledger().Resolve(h.t.Context(), "target", id, word); err != nil {
		h.t.Fatal(err)
	}
}
