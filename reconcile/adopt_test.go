package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// export gives the house an evidence "export" that no target lists.
func (h *house) export(trust reconcile.By, rows ...reconcile.EvidenceRow) *reconciletest.Evidence {
	reader := &reconciletest.Evidence{Named: "export", Rows: rows}
	h.Evidence["export"] = reconcile.Evidence{EvidenceReader: reader, Side: reconcile.SideBackend, Trust: trust, CoversFrom: noon.Add(-10 * day)}
	return reader
}

func (h *house) adoptWith(req reconcile.AdoptRequest) (reconcile.AdoptResult, error) {
	h.t.Helper()
	req.Evidence = "export"
	if req.Exit == nil {
		req.Exit = func(reconcile.AdoptResult, error) int { return 0 }
	}
	return h.Adopt(context.Background(), h.ledger(), req)
}

// adopt adopts for the only target.
func (h *house) adopt(req reconcile.AdoptRequest) reconcile.AdoptedAt {
	h.t.Helper()
	res, err := h.adoptWith(req)
	if err != nil || len(res.Targets) != 1 {
		h.t.Fatalf("adopted %+v, %v", res, err)
	}
	return res.Targets[0]
}

func (h *house) said(id reconcile.EventID) reconcile.Said {
	h.t.Helper()
	said, err := h.ledger().Said(context.Background(), "target", []reconcile.EventID{id})
	if err != nil {
		h.t.Fatal(err)
	}
	return said[id]
}

func wantCounts(t *testing.T, got reconcile.AdoptedAt, want string) {
	t.Helper()
	counts := []string{}
	for _, c := range []struct {
		name string
		n    int
	}{
		{"recorded", got.Recorded}, {"ended", got.Ended}, {"known", got.Known}, {"busy", got.Busy}, {"moved", got.Moved}, {"kept", got.Kept},
		{"refused", got.Refused}, {"other", got.OtherOrder}, {"not", got.NotForTarget}, {"shop", got.OtherShop}, {"unseen", got.Unseen},
		{"lacking", got.LackingFound}, {"confirmed", got.Confirmed},
	} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d", c.name, c.n))
		}
	}
	if text := strings.Join(counts, ", "); text != want {
		t.Errorf("counted %s, want %s", text, want)
	}
}

func TestAdoptRecordsWhatTheEvidenceHas(t *testing.T) {
	for _, trust := range []reconcile.By{reconcile.ByProven, reconcile.ByAssumed} {
		h := newHouse(t, order("1", oneTea), order("2", oneTea), order("3", []string{"cup x 1 @ 4"}))
		h.export(trust, row("1"), row("3"), row("9"))
		plan, err := h.PlanAdoption(t.Context(), h.ledger(), reconcile.AdoptRequest{Evidence: "export"})
		if err != nil || !plan.DryRun || plan.Run != "" {
			t.Fatalf("a dry run gave %+v, %v", plan, err)
		}
		wantCounts(t, plan.Targets[0], "recorded 2, unseen 1")
		if e := h.entry(purchase("1")); e.Version != 0 {
			t.Fatalf("a dry run wrote %+v", e)
		}
		got := h.adopt(reconcile.AdoptRequest{})
		wantCounts(t, got, "recorded 2, unseen 1")
		if got.Money.String() != "6.5 EUR" || !slices.Equal(got.UnseenOrders, []string{"9"}) {
			t.Errorf("adopted %s, unseen %v", got.Money, got.UnseenOrders)
		}
		e, want := h.entry(purchase("3")), h.source.List[2]
		if e.State != reconcile.StateDone || e.By != trust || e.Facts.Digest != want.Digest || !e.Facts.CompletedAt.Equal(noon) ||
			e.Facts.Source != "shop" || e.Value.Amount == nil || e.Value.Amount.Cmp(dec("4")) != 0 {
			t.Errorf("the entry is %+v", e)
		}
		if s := h.said(purchase("3")); s.Who != "export" || !s.At.Equal(noon) {
			t.Errorf("the entry is on the word of %+v", s)
		}
		wantCounts(t, h.adopt(reconcile.AdoptRequest{}), "known 2, unseen 1")
		if again := h.entry(purchase("3")); again.Version != e.Version {
			t.Errorf("a second time wrote %+v", again)
		}
		h.ends(h.run(), map[string]int{"already_sent/" + string(trust): 2, "sent/sent_now": 1})
		h.accepted(purchase("2"))
	}
}

func TestAdoptCountsEachOrderOnce(t *testing.T) {
	h := newHouse(t, order("live", oneTea), order("b2b", oneTea, func(o *reconcile.Order) { o.Channel = "b2b" }),
		order("old", oneTea, at(noon.Add(-12*day))), order("left", oneTea, func(o *reconcile.Order) { o.LeftOut = "cancelled" }))
	h.target.Channels = []string{"online"}
	foreign := row("1")
	foreign.Key.Shop = "elsewhere"
	h.export(reconcile.ByProven, row("live"), row("b2b"), row("old"), row("left"), row("never"), foreign)
	got := h.adopt(reconcile.AdoptRequest{Unseen: true})
	wantCounts(t, got, "recorded 3, not 2, shop 1")
	if got.UnseenKept != 2 {
		t.Errorf("%d that no source shows were recorded", got.UnseenKept)
	}
	if e := h.entry(purchase("never")); e.State != reconcile.StateDone || e.Value.Amount != nil || e.By != reconcile.ByProven {
		t.Errorf("the entry is %+v", e)
	}
	wantCounts(t, h.adopt(reconcile.AdoptRequest{Unseen: true}), "known 3, not 2, shop 1")
	// Once a source shows it, it is known.
	h.source.List = append(h.source.List, order("never", oneTea))
	h.ends(h.run(), map[string]int{"already_sent/proven": 2})
	h.accepted()
}

func TestAdoptTakesThePeriodOfItsRows(t *testing.T) {
	h := newHouse(t, many(4)...)
	rows := []reconcile.EvidenceRow{row("0000"), row("0001"), row("0002"), row("0003")}
	rows[0].At, rows[1].At, rows[2].At, rows[3].At = noon.Add(-1), noon, noon.Add(day-1), noon.Add(day)
	h.export(reconcile.ByProven, rows...)
	wantCounts(t, h.adopt(reconcile.AdoptRequest{From: noon, To: noon.Add(day)}), "recorded 2")
}

func TestAdoptLeavesWhatOthersDecided(t *testing.T) {
	for _, c := range []struct {
		trust reconcile.By
		want  string
		doubt reconcile.State
	}{
		{reconcile.ByProven, "recorded 2, ended 2, known 1, busy 1, other 1", reconcile.StateDone},
		{reconcile.ByAssumed, "recorded 1, known 1, busy 1, kept 2, refused 1, other 1", reconcile.StateDoubtful},
	} {
		h := newHouse(t, order("done", oneTea), order("doubt", oneTea), order("doubt2", oneTea), order("refused", oneTea), order("open", oneTea), order("reused", oneTea))
		h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
			verdicts := map[reconcile.EventID]reconcile.Verdict{purchase("done"): reconcile.Sent, purchase("reused"): reconcile.Sent,
				purchase("refused"): reconcile.Rejected, purchase("open"): reconcile.Retryable}
			return reconcile.Outcome{Verdict: verdicts[id]}
		}
		h.run()
		rows := []reconcile.EvidenceRow{row("done"), row("doubt"), row("doubt2"), row("refused"), row("open"), row("reused"), row("busy")}
		h.export(c.trust, rows...)
		// doubt2 has left its source, reused is another order now.
		h.source.List = slices.Concat(h.source.List[:2], h.source.List[3:5], []reconcile.Order{order("reused", oneTea, at(noon.Add(-40*day))), order("busy", oneTea)})
		h.target.Since = noon.Add(-50 * day)
		other, err := h.ledger().Find(t.Context(), "target", []reconcile.EventID{purchase("done")})
		if err != nil {
			t.Fatal(err)
		}
		h.claim("busy")
		wantCounts(t, h.adopt(reconcile.AdoptRequest{}), c.want)
		if e := h.entry(purchase("done")); e.Version != other[purchase("done")].Version || e.By != reconcile.BySentHere {
			t.Errorf("what was sent here is %+v", e)
		}
		if e := h.entry(purchase("busy")); e.State != reconcile.StateClaimed {
			t.Errorf("a live claim is %+v", e)
		}
		for _, id := range []string{"doubt", "doubt2"} {
			if e := h.entry(purchase(id)); e.State != c.doubt || c.doubt == reconcile.StateDone && (e.By != reconcile.ByProven || e.Value.Amount == nil) {
				t.Errorf("%s is %+v", id, e)
			}
		}
	}
}

// claim claims an order for another run, which goes on living.
func (h *house) claim(id string) {
	h.t.Helper()
	run := h.newRun()
	if err := h.ledger().Begin(h.t.Context(), reconcile.RunRecord{Run: run, Command: "run", Started: h.clock()}); err != nil {
		h.t.Fatal(err)
	}
	o := order(id, oneTea)
	e := reconcile.Event{ID: purchase(id), Kind: reconcile.KindPurchase, Action: reconcile.ActionPurchase, Facts: reconcile.FactsOf(o.Head)}
	if taken, _, err := h.ledger().Claim(h.t.Context(), "target", run, []reconcile.Ticket{{Event: e}}); err != nil || len(taken) != 1 {
		h.t.Fatal(taken, err)
	}
}

// sentCorrection makes the ledger know a correction of an order, sent at noon.
func (h *house) sentCorrection(id string) {
	h.t.Helper()
	run := h.newRun()
	if err := h.ledger().Begin(h.t.Context(), reconcile.RunRecord{Run: run, Command: "run", Started: h.clock()}); err != nil {
		h.t.Fatal(err)
	}
	e := reconcile.Event{ID: purchase(id).Revised(2), Kind: reconcile.KindPurchase, Action: reconcile.ActionPurchase,
		Facts: reconcile.FactsOf(order(id, oneTea).Head)}
	if taken, _, err := h.ledger().Claim(h.t.Context(), "target", run, []reconcile.Ticket{{Event: e}}); err != nil || len(taken) != 1 {
		h.t.Fatal(taken, err)
	}
	sent := triedAt(noon, reconcile.Sent)
	sent.ID, sent.Version = e.ID, 1
	if _, err := h.ledger().Settle(h.t.Context(), "target", run, []reconcile.Outcome{sent}); err != nil {
		h.t.Fatal(err)
	}
}

func TestAdoptRefusesWhatSaysNothing(t *testing.T) {
	unreadable := errors.New("select: no such table")
	for name, change := range map[string]func(h *house, e *reconciletest.Evidence){
		"empty":      func(_ *house, e *reconciletest.Evidence) { e.Rows = nil },
		"unreadable": func(_ *house, e *reconciletest.Evidence) { e.Fail = unreadable },
		"a source fails": func(h *house, _ *reconciletest.Evidence) {
			h.source.Fail = unreadable
		},
		"front end where both are merged": func(h *house, _ *reconciletest.Evidence) {
			e := h.Evidence["export"]
			e.Side = reconcile.SideFrontEnd
			h.Evidence["export"] = e
		},
	} {
		h := newHouse(t, order("1", oneTea), order("2", oneTea))
		change(h, h.export(reconcile.ByProven, row("1"), row("2"), row("9")))
		if res, err := h.adoptWith(reconcile.AdoptRequest{Unseen: true}); err == nil {
			t.Errorf("%s: adopted %+v", name, res.Targets)
		}
		for _, id := range []string{"2", "9"} {
			if e := h.entry(purchase(id)); e.Version != 0 {
				t.Errorf("%s: %+v was written", name, e)
			}
		}
	}
}

// stopping cancels when it has been read.
type stopping struct {
	reconcile.Source
	stop context.CancelFunc
}

func (s stopping) Heads(c ctx, w reconcile.Window) iter.Seq2[reconcile.Head, error] {
	return func(yield func(reconcile.Head, error) bool) {
		n := 0
		for h, err := range s.Source.Heads(c, w) {
			if n++; n == 1500 {
				s.stop()
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

func TestAdoptStopsAndGoesOn(t *testing.T) {
	h := newHouse(t, many(2500)...)
	var rows []reconcile.EvidenceRow
	for i := range 2500 {
		rows = append(rows, row(fmt.Sprintf("%04d", i)))
	}
	h.export(reconcile.ByProven, rows...)
	c, stop := context.WithCancel(context.Background())
	h.Sources[0].Source = stopping{h.source, stop}
	res, err := h.Adopt(c, h.ledger(), reconcile.AdoptRequest{Evidence: "export", Exit: func(reconcile.AdoptResult, error) int { return 1 }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("it ended with %v", err)
	}
	wantCounts(t, res.Targets[0], "recorded 1000")
	h.Sources[0].Source = h.source
	wantCounts(t, h.adopt(reconcile.AdoptRequest{}), "recorded 1500, known 1000")
}

func TestAdoptListsWhatTheExportLacks(t *testing.T) {
	h := newHouse(t, many(6)...)
	h.run()
	h.pass(day)
	h.source.List = append(h.source.List, order("late", oneTea, at(noon.Add(day))), order("assumed", []string{"cup x 1 @ 4"}))
	h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
		if id == purchase("assumed") {
			return triedAt(h.clock(), reconcile.InDoubt)
		}
		return triedAt(h.clock(), reconcile.Sent)
	}
	h.run() // late, and a doubt
	h.resolve("assumed", reconcile.Resolution{State: reconcile.StateDone, By: reconcile.ByAssumed, Who: "desk", Note: "seen"})
	h.export(reconcile.ByProven, row("0000"), row("0001"), row("0002"), row("0003"))

	wantCounts(t, h.adopt(reconcile.AdoptRequest{}), "known 4")
	h.sentCorrection("0004") // a correction has its order's number, and is no order more
	h.pass(day)
	got := h.adopt(reconcile.AdoptRequest{Complete: noon.Add(day)})
	wantCounts(t, got, "known 4, lacking 2, confirmed 4")
	got = h.adopt(reconcile.AdoptRequest{Complete: h.clock()})
	wantCounts(t, got, "known 4, lacking 4, confirmed 4")
	i := slices.IndexFunc(got.Lacking, func(l reconcile.Lacking) bool { return l.Order == "assumed" })
	if i < 0 || got.Lacking[i].Amount != "4" || got.Lacking[i].Who != "desk" || got.Lacking[i].By != reconcile.ByAssumed || got.Lacking[i].At.IsZero() {
		t.Fatalf("lacking are %+v", got.Lacking)
	}

	// By a person's word it goes again, whatever the live integration says.
	h.sink.Script = nil
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByAssumed}, row("assumed"))
	h.resolve("assumed", reconcile.Resolution{State: reconcile.StateOpen, Lost: true, Who: "desk", Note: "not in the export"})
	h.export(reconcile.ByAssumed, row("assumed"))
	if got := h.adopt(reconcile.AdoptRequest{}); got.Reopened != 1 || got.Recorded+got.Known != 0 {
		t.Errorf("adopted %+v", got)
	}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 7, "sent/sent_now": 1})
}

func (h *house) resolve(id string, r reconcile.Resolution) {
	h.t.Helper()
	if err := h.ledger().Resolve(context.Background(), "target", purchase(id), r); err != nil {
		h.t.Fatal(err)
	}
}
