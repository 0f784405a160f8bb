package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// ticket is a till's record of what Jane bought.
func ticket(id string, lines []string, change ...func(*reconcile.Order)) reconcile.Order {
	return order(id, lines, append([]func(*reconcile.Order){reconciletest.From("till", "till"), reconciletest.InStore("jane@example.com")}, change...)...)
}

func ofJane(o *reconcile.Order) { o.Email = "Jane@Example.com " }

func TestPossibleTwins(t *testing.T) {
	later := at(noon.Add(-time.Hour))
	early := at(noon.Add(-2 * time.Hour))
	for name, c := range map[string]struct {
		till []reconcile.Order
		want map[string]int
	}{
		"the till later":      {[]reconcile.Order{ticket("77", oneTea)}, map[string]int{"sent/sent_now": 1, "held_back/possible_twin": 1}},
		"the till first":      {[]reconcile.Order{ticket("77", oneTea, early)}, map[string]int{"sent/sent_now": 1, "held_back/possible_twin": 1}},
		"line totals":         {[]reconcile.Order{ticket("77", oneTea, reconciletest.ByLineTotal)}, map[string]int{"sent/sent_now": 1, "held_back/possible_twin": 1}},
		"two tickets":         {[]reconcile.Order{ticket("77", oneTea), ticket("78", oneTea)}, map[string]int{"sent/sent_now": 1, "held_back/possible_twin": 2}},
		"other goods":         {[]reconcile.Order{ticket("77", []string{"cup x 1 @ 2.50"})}, map[string]int{"sent/sent_now": 2}},
		"other money":         {[]reconcile.Order{ticket("77", []string{"tea x 1 @ 2.51"})}, map[string]int{"sent/sent_now": 2}},
		"somebody else":       {[]reconcile.Order{ticket("77", oneTea, func(o *reconcile.Order) { o.Email = "joe@example.com" })}, map[string]int{"sent/sent_now": 2}},
		"eight days apart":    {[]reconcile.Order{ticket("77", oneTea, at(noon.Add(-9*day)))}, map[string]int{"sent/sent_now": 2}},
		"not permitted there": {[]reconcile.Order{ticket("77", oneTea, early, func(o *reconcile.Order) { o.Permitted = false })}, map[string]int{"sent/sent_now": 1, "held_back/not_permitted": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1001", oneTea, ofJane, later))
			h.addSource("till", "till", c.till...)
			h.target.From = []string{"shop", "till"}
			req := reconcile.Request{From: noon.Add(-10 * day)}
			h.ends(h.runOver(req), c.want)
			sent := len(h.sink.Order())
			h.runOver(req)
			if again := len(h.sink.Order()); again != sent {
				t.Errorf("%d were sent, then %d", sent, again)
			}
		})
	}
}

// Twice the same from one source is two purchases; so it is where a person
// said so.
func TestPurchasesAlikeThatAreNoTwins(t *testing.T) {
	h := newHouse(t, order("1001", oneTea, ofJane), order("1002", oneTea, ofJane))
	till := h.addSource("till", "till", ticket("76", []string{"cup x 1 @ 1"}), ticket("77", []string{"cup x 1 @ 1"}))
	h.target.From = []string{"shop", "till"}
	h.ends(h.run(), map[string]int{"sent/sent_now": 4})
	h.source.List = append(h.source.List, order("1003", oneTea, ofJane))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 4, "sent/sent_now": 1})
	till.List = append(till.List, ticket("78", oneTea))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 5, "held_back/possible_twin": 1})
	h.target.SendTwins = true
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 5, "sent/sent_now": 1})
}

// What an earlier night sent is known by the ledger, also when no source shows
// it any more, when another one sent it, and when it was completed later.
func TestATwinOfAnEarlierNight(t *testing.T) {
	for name, c := range map[string]struct {
		evidence bool
		ticket   func(*reconcile.Order)
		want     string
	}{
		"sent here":      {false, at(noon.Add(2 * time.Hour)), "held_back/possible_twin"},
		"sent elsewhere": {true, at(noon.Add(2 * time.Hour)), "held_back/possible_twin"},
		"arrives late":   {false, at(noon.Add(-3 * time.Hour)), "held_back/possible_twin"},
		"a week later":   {false, at(noon.Add(7*day + time.Hour)), "sent/sent_now"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1001", oneTea, ofJane))
			till := h.addSource("till", "till", ticket("1", []string{"cup x 1 @ 9"}))
			h.target.From = []string{"shop", "till"}
			if c.evidence {
				h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven},
					reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: "1001"}, At: noon})
			}
			h.run()
			h.target.Evidence = nil
			h.source.List, till.List = nil, []reconcile.Order{ticket("77", oneTea, c.ticket)}
			h.pass(8 * day)
			h.ends(h.runOver(reconcile.Request{From: noon.Add(-day)}), map[string]int{c.want: 1})
		})
	}
}

// What a source would have given that then failed is nobody's twin.
func TestAFailedSourceHasNoTwins(t *testing.T) {
	h := newHouse(t, order("1001", oneTea, ofJane, at(noon.Add(-time.Hour))))
	h.addSource("till", "till", ticket("77", oneTea))
	h.target.From = []string{"shop", "till"}
	h.source.Later = errors.New("read: gone")
	h.source.List = append(h.source.List, order("2", oneTea))
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestEditedSuffix(t *testing.T) {
	edited := order("1001-1", []string{"tea x 1 @ 2"}, at(noon.Add(time.Hour)))
	for name, c := range map[string]struct {
		means string
		later []reconcile.Order // beside order 1001 on the second night
		want  map[string]int
		at    int // corrections
	}{
		"nobody said":        {"", []reconcile.Order{edited}, map[string]int{"held_back/edited_suffix": 1}, 0},
		"the same order":     {reconcile.EditedSameOrder, []reconcile.Order{edited}, map[string]int{"held_back/edited": 1}, 1},
		"another order":      {reconcile.EditedOtherOrder, []reconcile.Order{edited}, map[string]int{"sent/sent_now": 1}, 0},
		"no known number":    {"", []reconcile.Order{order("2026-1", oneTea)}, map[string]int{"sent/sent_now": 1}, 0},
		"a zero before it":   {"", []reconcile.Order{order("1001-01", oneTea)}, map[string]int{"sent/sent_now": 1}, 0},
		"edited twice":       {reconcile.EditedSameOrder, []reconcile.Order{order("1001-2", oneTea)}, map[string]int{"held_back/edited": 1}, 1},
		"without an address": {"", []reconcile.Order{order("1001-1", oneTea, func(o *reconcile.Order) { o.Email = "" })}, map[string]int{"held_back/no_email": 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1001", oneTea))
			h.Sources[0].EditedSuffix = c.means
			h.run()
			h.source.List = c.later
			h.pass(day)
			res := h.run()
			h.ends(res, c.want)
			if n := res.Targets[0].CorrectionsFound; n != c.at {
				t.Errorf("%d corrections, want %d", n, c.at)
			}
		})
	}
}

// Both are new: one of them goes.
func TestEditedBesideItsBase(t *testing.T) {
	for means, want := range map[string]map[string]int{
		"":                         {"sent/sent_now": 1, "held_back/edited_suffix": 1},
		reconcile.EditedSameOrder:  {"sent/sent_now": 1, "held_back/edited": 1},
		reconcile.EditedOtherOrder: {"sent/sent_now": 2},
	} {
		h := newHouse(t, order("1001-1", oneTea), order("1001", oneTea))
		h.Sources[0].EditedSuffix = means
		h.ends(h.run(), want)
		if len(want) == 2 {
			h.accepted(purchase("1001"))
		}
	}
}

// An order that was cancelled when it was edited is not one that was sent.
func TestEditedFromWhatNeverWent(t *testing.T) {
	h := newHouse(t, order("1001", oneTea, func(o *reconcile.Order) { o.LeftOut = "cancelled" }), order("1001-1", oneTea), order("1001-2", oneTea))
	h.Sources[0].EditedSuffix = reconcile.EditedSameOrder
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/edited": 1})
	h.accepted(purchase("1001-1"))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "held_back/edited": 1})
}

// The live integration sent the order before it was edited.
func TestEditedFromWhatEvidenceKnows(t *testing.T) {
	h := newHouse(t, order("1001-1", oneTea))
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven},
		reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: "1001"}, At: noon})
	h.ends(h.run(), map[string]int{"held_back/edited_suffix": 1})
}
