package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// doubting is a house in which n orders were tried at noon + 1 h and are in
// doubt, and it is a day later.
func doubting(t *testing.T, n int) *house {
	h := newHouse(t, many(n)...)
	h.sink.Script = outcomes(triedAt(h.clock(), reconcile.InDoubt))
	h.run()
	h.sink.Script = nil
	h.pass(day)
	return h
}

func triedAt(at time.Time, v reconcile.Verdict) reconcile.Outcome {
	return reconcile.Outcome{Verdict: v, Attempts: []reconcile.Attempt{{At: at, Verdict: v}}}
}

func (h *house) prove(complete time.Time) (reconcile.Proved, error) {
	h.t.Helper()
	all, err := h.Prove(context.Background(), h.ledger(), reconcile.ProofRequest{Evidence: "export", Complete: complete, Note: "by desk"})
	if err != nil {
		return reconcile.Proved{}, err
	}
	return all[0], nil
}

func wantProved(t *testing.T, got reconcile.Proved, doubts, done, open, stay int) {
	t.Helper()
	if got.Doubts != doubts || got.Done != done || got.Open != open || got.Stay != stay || got.Moved != 0 {
		t.Errorf("of the doubts became %+v, want %d: %d sent, %d not sent, %d still in doubt", got, doubts, done, open, stay)
	}
}

func TestProveEndsDoubtsByTheExport(t *testing.T) {
	h := doubting(t, 3)
	h.export(reconcile.ByProven, row("0000"), row("0002"))
	got, err := h.prove(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	wantProved(t, got, 3, 2, 0, 1)
	if e := h.entry(purchase("0000")); e.State != reconcile.StateDone || e.By != reconcile.ByProven || e.Value.Amount == nil {
		t.Errorf("the entry is %+v", e)
	}
	if s := h.said(purchase("0000")); s.Who != "export" || s.Note != "by desk" {
		t.Errorf("on the word of %+v", s)
	}
	// Nobody said yet that the export is complete.
	h.ends(h.run(), map[string]int{"already_sent/proven": 2, "in_doubt/no_answer": 1})
	got, err = h.prove(h.clock())
	if err != nil {
		t.Fatal(err)
	}
	wantProved(t, got, 1, 0, 0, 1)
	if got.Why == "" {
		t.Error("an export that knows nothing of what is in doubt ended a doubt")
	}
}

func TestProveNeedsAnAttemptThatTheExportMustHave(t *testing.T) {
	sent := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		complete time.Time
		from     time.Time
		open     int
	}{
		"complete until later":                {sent.Add(time.Hour), noon.Add(-day), 1},
		"just later":                          {sent.Add(6 * time.Minute), noon.Add(-day), 1},
		"at the same time, as clocks go":      {sent.Add(4 * time.Minute), noon.Add(-day), 0},
		"complete until earlier":              {sent.Add(-time.Hour), noon.Add(-day), 0},
		"the order is older than the export":  {sent.Add(time.Hour), noon.Add(time.Second), 0},
		"completed when the export begins":    {sent.Add(time.Hour), noon, 1},
		"nobody says that it is complete yet": {time.Time{}, noon, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := doubting(t, 2)
			h.export(reconcile.ByProven, row("0000"))
			e := h.Evidence["export"]
			e.CoversFrom = c.from
			h.Evidence["export"] = e
			got, err := h.prove(c.complete)
			if err != nil {
				t.Fatal(err)
			}
			wantProved(t, got, 2, 1, c.open, 1-c.open)
			places := map[string]int{"already_sent/proven": 1, "in_doubt/no_answer": 1}
			if c.open == 1 {
				places = map[string]int{"already_sent/proven": 1, "sent/sent_now": 1}
			}
			h.ends(h.run(), places)
		})
	}
}

func TestProveCountsTheTimeThatACutOffRunLived(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea))
	h.claim("2")
	h.close() // a crash
	h.pass(day)
	h.export(reconcile.ByProven, row("1"))
	h.run() // 1 goes, 2 is in doubt
	for _, c := range []struct {
		complete time.Time
		open     int
	}{{noon.Add(time.Hour + 2*time.Minute), 0}, {h.clock(), 1}} {
		got, err := h.prove(c.complete)
		if err != nil {
			t.Fatal(err)
		}
		wantProved(t, got, 1, 0, c.open, 1-c.open)
	}
}

func TestAnExportOfOtherNumbersEndsNothing(t *testing.T) {
	for _, c := range []struct{ orders, known, open int }{
		{20, 0, 0}, // it knows none
		{21, 1, 20},
		{30, 3, 0}, // far too few
		{30, 15, 15},
	} {
		h := doubting(t, c.orders)
		rows := []reconcile.EvidenceRow{row("W-1")}
		for i := range c.known {
			rows = append(rows, row(fmt.Sprintf("%04d", i)))
		}
		h.export(reconcile.ByProven, rows...)
		got, err := h.prove(h.clock())
		if err != nil {
			t.Fatal(err)
		}
		wantProved(t, got, c.orders, c.known, c.open, c.orders-c.known-c.open)
		if (got.Why == "") != (c.open > 0) {
			t.Errorf("%+v: it says %q", c, got.Why)
		}
	}
}

func TestProveRefusesWhatProvesNothing(t *testing.T) {
	for name, change := range map[string]func(h *house, e *reconciletest.Evidence){
		"empty":      func(_ *house, e *reconciletest.Evidence) { e.Rows = nil },
		"unreadable": func(_ *house, e *reconciletest.Evidence) { e.Fail = errors.New("no such file") },
		"assumed": func(h *house, _ *reconciletest.Evidence) {
			e := h.Evidence["export"]
			e.Trust = reconcile.ByAssumed
			h.Evidence["export"] = e
		},
		"too old for what is said of it": func(h *house, _ *reconciletest.Evidence) {
			e := h.Evidence["export"]
			e.FreshWithin = time.Hour
			h.Evidence["export"] = e
		},
		"of the future": func(h *house, _ *reconciletest.Evidence) { h.pass(-time.Second) },
	} {
		h := doubting(t, 2)
		complete := h.clock()
		change(h, h.export(reconcile.ByProven, row("0000")))
		if got, err := h.prove(complete); err == nil {
			t.Errorf("%s: it ended %+v", name, got)
		}
		for _, id := range []string{"0000", "0001"} {
			if e := h.entry(purchase(id)); e.State != reconcile.StateDoubtful {
				t.Errorf("%s: %s is %s", name, id, e.State)
			}
		}
	}
}

// wrapped is a sink that wears another one.
type wrapped struct{ reconcile.Sink }

func (w wrapped) Unwrap() reconcile.Sink { return w.Sink }

func TestAskEndsDoubtsByTheAnswer(t *testing.T) {
	h := doubting(t, 4)
	asked := &reconciletest.Asked{Sink: h.sink, Visible: 2 * time.Hour, Answers: map[reconcile.EventID]reconcile.Answer{
		purchase("0000"): reconcile.AnswerYes, purchase("0001"): reconcile.AnswerNo, purchase("0002"): reconcile.AnswerUnknown}}
	h.target.Sink = wrapped{asked}
	h.pass(-day + 2*time.Hour + 4*time.Minute) // visible by now, as clocks go
	ask := func() (reconcile.Proved, error) {
		all, err := h.Inquire(context.Background(), h.ledger(), reconcile.ProofRequest{Note: "asked by desk"})
		return all[0], err
	}
	asked.Fail = errors.New("they are down")
	got, err := ask()
	if err == nil {
		t.Error("a platform that does not answer has answered")
	}
	wantProved(t, got, 4, 0, 0, 4)
	asked.Fail = nil
	got, err = ask()
	if err != nil {
		t.Fatal(err)
	}
	wantProved(t, got, 4, 1, 0, 3) // the no comes too early
	h.pass(2 * time.Hour)
	got, err = ask()
	if err != nil || !got.Asked {
		t.Fatal(got, err)
	}
	wantProved(t, got, 3, 0, 1, 2)
	if e, s := h.entry(purchase("0000")), h.said(purchase("0000")); e.By != reconcile.ByProven || s.Who != "target" || s.Note != "asked by desk" {
		t.Errorf("the entry is %+v on the word of %+v", e, s)
	}
	h.ends(h.run(), map[string]int{"already_sent/proven": 1, "sent/sent_now": 1, "in_doubt/no_answer": 2})
}

func TestAskSaysWhatCannotBeAsked(t *testing.T) {
	h := doubting(t, 2)
	all, err := h.Inquire(context.Background(), h.ledger(), reconcile.ProofRequest{})
	if err != nil || all[0].Asked || all[0].Why == "" {
		t.Errorf("asked: %+v, %v", all, err)
	}
	wantProved(t, all[0], 2, 0, 0, 2)
}
