package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// TestChargedSinceThePlan: while a plan waits for a person, the shop's own
// integration charges on. Its record is read again right before anything goes.
func TestChargedSinceThePlan(t *testing.T) {
	since := func(position int) reconcile.EvidenceRow {
		r := row("1")
		r.At, r.Position = noon.Add(20*time.Hour), position
		return r
	}
	other := row("9")
	later := func(log *reconciletest.Evidence, rows ...reconcile.EvidenceRow) { log.Rows = append(log.Rows, rows...) }
	for name, c := range map[string]struct {
		then func(h *house, log *reconciletest.Evidence)
		code int            // with which the plan is refused; 0: it is not
		skip map[string]int // what becomes of it with --skip-moved; nil: it is refused all the same
	}{
		"nothing":       {func(*house, *reconciletest.Evidence) {}, 0, map[string]int{"sent/sent_now": 2}},
		"another order": {func(_ *house, log *reconciletest.Evidence) { later(log, row("8")) }, 0, map[string]int{"sent/sent_now": 2}},
		"the second step": {func(_ *house, log *reconciletest.Evidence) { later(log, since(2)) }, reconcile.RefusedOrdersMoved,
			map[string]int{"left/moved": 1, "sent/sent_now": 1}},
		"all of it": {func(_ *house, log *reconciletest.Evidence) { later(log, since(0)) }, reconcile.RefusedOrdersMoved,
			map[string]int{"left/moved": 2}},
		"unreadable": {func(_ *house, log *reconciletest.Evidence) { log.Fail = errors.New("no such table") }, reconcile.RefusedOrdersMoved, nil},
		"stale":      {func(_ *house, log *reconciletest.Evidence) { log.Rows[0].At = noon.Add(-3 * time.Hour) }, reconcile.RefusedOrdersMoved, nil},
		"emptied": {func(h *house, log *reconciletest.Evidence) {
			log.Rows = nil
			e := h.Evidence["log"]
			e.FreshWithin = 0
			h.Evidence["log"] = e
		}, reconcile.RefusedOrdersMoved, nil},
		"emptied, and a person says why": {func(h *house, log *reconciletest.Evidence) {
			log.Rows, h.Accepted = nil, map[string]string{"log": "it is purged at noon"}
		}, 0, map[string]int{"sent/sent_now": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			h := chained(t, 2, "1")
			h.sink.Script, h.target.NeedsApproval, h.target.FrontEndSettles = outcomes(sent("s")), true, true
			chainOf(&h.source.List[0], step("a", "20"), step("b", "20"))
			log := h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven, FreshWithin: 2 * time.Hour}, other)
			planned := h.plan()
			h.approve(planned)
			h.pass(20 * time.Hour)
			c.then(h, log)
			if c.code != 0 {
				_, err := h.apply(planned, reconcile.Request{})
				h.refused(err, c.code)
			}
			res, err := h.apply(planned, reconcile.Request{SkipMoved: true})
			if c.skip == nil {
				h.refused(err, c.code)
				h.accepted()
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h.ends(res, c.skip)
		})
	}
}

// TestAPersonsWordGoesBeforeTheRecord: what was reopened because it never
// arrived is charged, whatever the record says.
func TestAPersonsWordGoesBeforeTheRecord(t *testing.T) {
	h := chained(t, 1, "1")
	h.sink.Script = outcomes(sent("s"))
	chainOf(&h.source.List[0], step("a", "20"))
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByAssumed}, row("1"))
	h.ends(h.run(), map[string]int{"already_sent/assumed": 1})
	lost := reconcile.Resolution{State: reconcile.StateOpen, Lost: true, Who: "desk", Note: "asked the platform"}
	if err := h.ledger().Resolve(t.Context(), "target", link("1", 1), lost); err != nil {
		t.Fatal(err)
	}
	h.target.NeedsApproval = true
	planned := h.plan()
	h.approve(planned)
	res, err := h.apply(planned, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1})
}

// TestChargesLongAfterTheOrder: a record of charges is read up to now, however
// old the period of the orders is.
func TestChargesLongAfterTheOrder(t *testing.T) {
	h := chained(t, 1, "1")
	h.sink.Script = outcomes(sent("s"))
	chainOf(&h.source.List[0], step("a", "20"))
	charged := row("1")
	charged.At = noon.Add(5 * day)
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven}, charged)
	h.pass(6 * day)
	res := h.runOver(reconcile.Request{From: noon.Add(-day), To: noon.Add(day)})
	h.ends(res, map[string]int{"already_sent/proven": 1})
}
