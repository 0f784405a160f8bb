package reconcile_test

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// TestEditedBesideOtherRuns: an order that may be another one after it was edited is
// left while others plan or send what may be that one, and goes when they are over.
func TestEditedBesideOtherRuns(t *testing.T) {
	for means, want := range map[string]map[string]int{
		"":                         {"sent/sent_now": 1, "left/moved": 1},
		reconcile.EditedSameOrder:  {"sent/sent_now": 1, "left/moved": 1},
		reconcile.EditedOtherOrder: {"sent/sent_now": 2},
	} {
		h := newHouse(t, order("1001-1", oneTea), order("2002", oneTea))
		h.Sources[0].EditedSuffix = means
		over := reconcile.Request{From: noon.Add(-day), To: noon.Add(day), Beside: true}
		h.ends(h.runOver(over), want)
		over.Beside = false
		afterwards := map[string]int{"already_sent/sent_here": want["sent/sent_now"]}
		if left := want["left/moved"]; left > 0 {
			afterwards["sent/sent_now"] = left
		}
		h.ends(h.runOver(over), afterwards)
	}
}

// carryAll carries out the parts of a plan, behind earlier runs.
func (h *house) carryAll(parts []*reconcile.Plan, earlier ...reconcile.RunID) (res reconcile.Result, by reconcile.CarriedOut) {
	h.t.Helper()
	by.Runs = earlier
	for _, part := range parts {
		var err error
		if res, err = h.Carry(h.t.Context(), h.ledger(), part, earlier, reconcile.Request{Command: "worker"}); err != nil {
			h.t.Fatal(err)
		}
		by.Runs = append(by.Runs, res.Run)
	}
	return res, by
}

// TestANumberThatMeanwhileIsAnotherOrders: where others sent another order under its
// number since the plan was made, the order was not sent before: it is left, and the
// next plan says whose the number is.
func TestANumberThatMeanwhileIsAnotherOrders(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	whole, parts := h.inParts(h.plan().Plan, 1)
	h.source.List = []reconcile.Order{order("1", oneTea, at(noon.Add(-3*day)))}
	h.runOver(reconcile.Request{From: noon.Add(-4 * day), To: noon.Add(-2 * day)})
	for range 2 { // it goes on where the first one was
		res, by := h.carryAll(parts)
		h.ends(res, map[string]int{"left/moved": 1})
		by.Ended = true
		sum, err := h.Sum(t.Context(), h.ledger(), whole, by, reconcile.Request{Command: "backfill"})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(sum, map[string]int{"left/moved": 1})
	}
	h.accepted(purchase("1"))
}

// TestPartsOfDoubtsThatWereGivenBack: what an earlier night left in doubt, and a run
// of the part claimed and gave back, another run of it sends.
func TestPartsOfDoubtsThatWereGivenBack(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.sink.Merges = true
	h.claimAndDie(order("1", oneTea))
	h.pass(time.Hour)
	_, parts := h.inParts(h.plan().Plan, 1)
	h.led = h.ledger()
	gave := reconcile.RunID("gave-back")
	if err := h.led.Begin(t.Context(), reconcile.RunRecord{Run: gave, Command: "worker", Started: h.clock()}); err != nil {
		t.Fatal(err)
	}
	for step, err := range parts[0].All() {
		if err != nil {
			t.Fatal(err)
		}
		taken, _, err := h.led.Claim(t.Context(), "target", gave, []reconcile.Ticket{{Event: step.Event, Seen: step.Seen}})
		if err != nil || len(taken) != 1 {
			t.Fatalf("took %v: %v", taken, err)
		}
		if _, err := h.led.Settle(t.Context(), "target", gave, []reconcile.Outcome{{ID: step.Event.ID, Version: step.Seen + 1, Verdict: reconcile.Unsent}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.led.End(t.Context(), reconcile.RunEnd{Run: gave, Finished: h.clock()}); err != nil {
		t.Fatal(err)
	}
	h.close()
	res, _ := h.carryAll(parts, gave)
	h.ends(res, map[string]int{"sent/sent_now": 1})
}

// TestSumOfWhatWasLeftBefore: a step that is left where an earlier night had left it
// is there, for the reason that it had then.
func TestSumOfWhatWasLeftBefore(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.stop("target", "paused by Kim")
	h.run()
	h.pass(time.Hour)
	whole, parts := h.inParts(h.plan().Plan, 1)
	res, by := h.carryAll(parts)
	h.ends(res, map[string]int{"left/fuse": 1})
	for _, want := range []string{"left/interrupted", "left/fuse"} {
		by.Ended = want == "left/fuse"
		sum, err := h.Sum(t.Context(), h.ledger(), whole, by, reconcile.Request{Command: "backfill"})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(sum, map[string]int{want: 1})
	}
}
