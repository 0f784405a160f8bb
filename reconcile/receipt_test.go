package reconcile_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

func link(order string, n int) reconcile.EventID {
	return reconcile.NewEventID(reconcile.KindCartUpgrade, reconcile.OrderKey{Shop: "main", Order: order}).At(n)
}

// chained is a house whose target is sent chains of n events that need each
// other, and no purchases.
func chained(t *testing.T, n int, orders ...string) *house {
	var list []reconcile.Order
	for _, id := range orders {
		list = append(list, order(id, oneTea))
	}
	h := newHouse(t, list...)
	h.sink.Chain, h.sink.CartsOnly, h.target.Concurrency = n, true, 1
	return h
}

func sent(receipt string) reconcile.Outcome {
	return reconcile.Outcome{Verdict: reconcile.Sent, Receipt: receipt}
}

// TestReceiptsAreFilledIn: what an event needs goes before it, and its receipt
// stands in body and path of what is sent, and nowhere else.
func TestReceiptsAreFilledIn(t *testing.T) {
	h := chained(t, 3, "1", `2"&x`)
	h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome { return sent(`s "1"&` + string(id)) }
	planned := h.plan()
	text, err := os.ReadFile(planned.Plan.Path)
	if err != nil || !strings.Contains(string(text), "{{receipt:cart_upgrade/main/1/1}}") {
		t.Errorf("the plan has no mark: %v\n%s", err, text)
	}
	res, err := h.apply(planned, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 6})
	for order, path := range map[string]string{"1": "main%2F1%2F1", `2"&x`: "main%2F2%22%26x%2F1"} {
		e := h.sink.Event(link(order, 2))
		if want := "add?session=s+%221%22%26cart_upgrade%2F" + path + "&n=1"; e.Path != want {
			t.Errorf("the path was %s, want %s", e.Path, want)
		}
		if strings.Contains(string(e.Body), "receipt:") || !strings.Contains(string(e.Body), `"session":"s \"1\"\u0026cart_upgrade/`) {
			t.Errorf("the body was %s", e.Body)
		}
	}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 6})
}

// TestNeedsEndOtherwise: an event goes only after what it needs is done with a
// receipt, and is held back once that can no longer be.
func TestNeedsEndOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		first     reconcile.Outcome
		now, next map[string]int
	}{
		"refused": {reconcile.Outcome{Verdict: reconcile.Rejected},
			map[string]int{"refused/rejected": 1, "held_back/waits_for_refused": 1, "held_back/waits_for_held_back": 1},
			map[string]int{"refused/rejected": 1, "held_back/waits_for_refused": 1, "held_back/waits_for_held_back": 1}},
		"in doubt": {reconcile.Outcome{Verdict: reconcile.InDoubt},
			map[string]int{"in_doubt/no_answer": 1, "held_back/waits_for_doubtful": 1, "held_back/waits_for_held_back": 1},
			map[string]int{"in_doubt/no_answer": 1, "held_back/waits_for_doubtful": 1, "held_back/waits_for_held_back": 1}},
		"no receipt": {sent(""),
			map[string]int{"sent/sent_now": 1, "held_back/waits_for_receipt": 1, "held_back/waits_for_held_back": 1},
			map[string]int{"already_sent/sent_here": 1, "held_back/waits_for_receipt": 1, "held_back/waits_for_held_back": 1}},
		"a receipt that is none": {sent(strings.Repeat("x", 201)),
			map[string]int{"sent/sent_now": 1, "held_back/waits_for_receipt": 1, "held_back/waits_for_held_back": 1},
			map[string]int{"already_sent/sent_here": 1, "held_back/waits_for_receipt": 1, "held_back/waits_for_held_back": 1}},
		"later": {reconcile.Outcome{Verdict: reconcile.Retryable},
			map[string]int{"left/retryable": 1, "left/waits": 2}, map[string]int{"sent/sent_now": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			h := chained(t, 3, "1")
			h.sink.Script = func(id reconcile.EventID, attempt int) reconcile.Outcome {
				if id.Position() == 1 && attempt == 1 {
					return c.first
				}
				return sent("s")
			}
			h.ends(h.run(), c.now)
			h.ends(h.run(), c.next)
		})
	}
	h := chained(t, 2, "1")
	h.sink.HoldLink = reconcile.ReasonTotalMismatch
	h.ends(h.plan(), map[string]int{"held_back/total_mismatch": 1, "held_back/waits_for_held_back": 1})
}

// TestAReceiptByWord: a person who knows the session says it, of a doubt or of
// what counts as sent without one; receipts are forgotten after 30 days.
func TestAReceiptByWord(t *testing.T) {
	h := chained(t, 2, "1")
	h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.InDoubt})
	h.run()
	word := reconcile.Resolution{State: reconcile.StateDone, By: reconcile.ByAssumed, Who: "desk", Note: "seen", Receipt: "s-1"}
	if err := h.ledger().Resolve(t.Context(), "target", link("1", 1), word); err != nil {
		t.Fatal(err)
	}
	h.sink.Script = outcomes(sent(""))
	h.ends(h.run(), map[string]int{"already_sent/assumed": 1, "sent/sent_now": 1})
	if e := h.sink.Event(link("1", 2)); e.Path != "add?session=s-1&n=1" {
		t.Errorf("the path was %s", e.Path)
	}
	word.Receipt = "s-2"
	if err := h.ledger().Resolve(t.Context(), "target", link("1", 2), word); err != nil {
		t.Fatal(err)
	}
	if e := h.entry(link("1", 2)); e.Receipt != "s-2" || e.By != reconcile.BySentHere || e.State != reconcile.StateDone {
		t.Errorf("the entry is %+v", e)
	}
	word.State = reconcile.StateOpen
	if err := h.ledger().Resolve(t.Context(), "target", link("1", 2), word); err == nil {
		t.Error("a receipt opened what is done")
	}
	h.close()
	h.pass(31 * 24 * time.Hour)
	h.runOver(reconcile.Request{From: noon.Add(-day), To: noon.Add(day)})
	if e := h.entry(link("1", 2)); e.Receipt != "" {
		t.Errorf("after 31 days the receipt is still %q", e.Receipt)
	}
}

// TestEvidenceWithAReceipt: what somebody else made is taken over with its
// session, so that nothing is made twice and the next can go. A row without a
// position speaks of all of the order.
func TestEvidenceWithAReceipt(t *testing.T) {
	key := reconcile.OrderKey{Shop: "main", Order: "1"}
	for position, want := range map[int]map[string]int{
		0: {"already_sent/proven": 3},
		1: {"already_sent/proven": 1, "sent/sent_now": 2},
		2: {"already_sent/proven": 1, "sent/sent_now": 2},
	} {
		h := chained(t, 3, "1")
		h.sink.Script = outcomes(sent("s-8"))
		log := reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven, CoversFrom: noon.Add(-10 * day)}
		h.addEvidence(log, reconcile.EvidenceRow{Key: key, At: noon, Receipt: "s-7", Position: position}, reconcile.EvidenceRow{
			Key: key, At: noon, Position: position})
		h.ends(h.run(), want)
		if e := h.entry(link("1", max(position, 1))); e.Receipt != "s-7" || e.Run == "" {
			t.Errorf("the entry is %+v", e)
		}
		if e := h.sink.Event(link("1", 2)); position == 1 && e.Path != "add?session=s-7&n=1" {
			t.Errorf("the path was %s", e.Path)
		}
		next := map[string]int{"already_sent/proven": want["already_sent/proven"]}
		if n := want["sent/sent_now"]; n > 0 {
			next["already_sent/sent_here"] = n
		}
		h.ends(h.run(), next)
	}
}

// TestEditsOfCharges: an order that comes back under a number with -1 behind it
// is not charged again.
func TestEditsOfCharges(t *testing.T) {
	for suffix, want := range map[string]string{"": "held_back/edited_suffix", reconcile.EditedSameOrder: "held_back/edited", reconcile.EditedOtherOrder: "sent/sent_now"} {
		h := chained(t, 1, "1")
		h.Sources[0].EditedSuffix = suffix
		h.sink.Script = outcomes(sent("s"))
		h.run()
		h.source.List = append(h.source.List, order("1-1", oneTea))
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, want: 1})
	}
}

// TestLongChains go step by step in one run, the tenth behind the ninth.
func TestLongChains(t *testing.T) {
	h := chained(t, 12, "1")
	h.sink.Script = outcomes(sent("s"))
	h.ends(h.run(), map[string]int{"sent/sent_now": 12})
	for n, id := range h.sink.Order() {
		if id.Position() != n+1 {
			t.Errorf("%s was sent as number %d", id, n+1)
		}
	}
}

// TestProofsOfCharges: the platform's export ends a doubt about the step that it
// names, with its receipt, and about no other; what it lacks stays in doubt.
func TestProofsOfCharges(t *testing.T) {
	key := reconcile.OrderKey{Shop: "main", Order: "1"}
	for position, want := range map[int]map[string]int{
		0: {"in_doubt/no_answer": 1, "held_back/waits_for_doubtful": 1},
		1: {"already_sent/proven": 1, "sent/sent_now": 1},
		2: {"in_doubt/no_answer": 1, "held_back/waits_for_doubtful": 1},
	} {
		h := chained(t, 2, "1")
		h.sink.Script = outcomes(reconcile.Outcome{Verdict: reconcile.InDoubt})
		h.run()
		h.export(reconcile.ByProven, reconcile.EvidenceRow{Key: key, At: noon, Receipt: "s-7", Position: position})
		h.pass(time.Hour)
		_, err := h.Prove(t.Context(), h.ledger(), reconcile.ProofRequest{Evidence: "export", Note: "by its export", Complete: h.clock().Add(-time.Minute)})
		if err != nil && position == 1 {
			t.Fatal(err)
		}
		h.sink.Script = outcomes(sent("s"))
		h.ends(h.run(), want)
		if e := h.sink.Event(link("1", 2)); position == 1 && e.Path != "add?session=s-7&n=1" {
			t.Errorf("the path was %s", e.Path)
		}
	}
	h := chained(t, 2, "1")
	h.export(reconcile.ByProven, reconcile.EvidenceRow{Key: key, At: noon, Receipt: "s-7", Position: 1})
	h.target.Evidence = []string{"export"}
	res, err := h.adoptWith(reconcile.AdoptRequest{})
	if err != nil || res.Targets[0].Recorded != 1 {
		t.Fatalf("adopted %+v, %v", res.Targets, err)
	}
	if e := h.entry(link("1", 1)); e.Receipt != "s-7" || e.By != reconcile.ByProven {
		t.Errorf("the entry is %+v", e)
	}
	if e := h.entry(link("1", 2)); e.Version != 0 {
		t.Errorf("a step that nobody names is %+v", e)
	}
}
