package ledgertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

func settleVerdicts(t *testing.T, p Place) {
	h := begin(t, p)
	later := noon.Add(time.Hour)
	for _, c := range []struct {
		outcome  reconcile.Outcome
		state    reconcile.State
		attempts int
	}{
		{reconcile.Outcome{Verdict: reconcile.Sent, Receipt: "r-1"}, reconcile.StateDone, 1},
		{reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: later}, reconcile.StateOpen, 0},
		{reconcile.Outcome{Verdict: reconcile.Rejected}, reconcile.StateRefused, 1},
		{reconcile.Outcome{Verdict: reconcile.InDoubt}, reconcile.StateDoubtful, 1},
		{reconcile.Outcome{Verdict: 99}, reconcile.StateDoubtful, 1},
		{reconcile.Outcome{Verdict: reconcile.Sent, Attempts: []reconcile.Attempt{
			{At: noon, Verdict: reconcile.Retryable, Status: 503}, {At: noon, Verdict: reconcile.Retryable},
			{At: noon, Verdict: reconcile.Sent, Status: 200},
		}}, reconcile.StateDone, 2},
		// What may have been accepted is not open, whatever came after it.
		{reconcile.Outcome{Verdict: reconcile.Unsent, Attempts: []reconcile.Attempt{
			{At: noon, Verdict: reconcile.InDoubt},
		}}, reconcile.StateDoubtful, 1},
	} {
		e := purchase(string(rune('a'+len(c.outcome.Attempts))) + c.outcome.Verdict.String())
		if c.outcome.Verdict == 99 {
			e = purchase("unclassified")
		}
		c.outcome.ID, c.outcome.Version = e.ID, h.take(e)
		if repeats := h.settle(c.outcome); len(repeats) != 0 {
			t.Errorf("%s: repeats %v", e.ID, repeats)
		}
		got := h.wantState(e.ID, c.state, 2, c.attempts)
		if !got.NotBefore.Equal(c.outcome.NotBefore) || got.Receipt != c.outcome.Receipt {
			t.Errorf("%s: not before %v with receipt %q", e.ID, got.NotBefore, got.Receipt)
		}
	}
}

// settleGivesBack: an unsent claim leaves what was there before, the digest
// included, because that decides whether a refused event may go again.
func settleGivesBack(t *testing.T, p Place) {
	h := begin(t, p)
	fresh, doubted, refused, lost := purchase("1"), purchase("2"), purchase("3"), purchase("4")
	h.send(doubted, reconcile.InDoubt)
	h.send(refused, reconcile.Rejected)
	dead := begin(t, p)
	dead.take(lost)
	dead.die()
	changed := refused
	changed.Facts.Digest = reconcile.HashFields("changed")
	for _, e := range []reconcile.Event{fresh, doubted, changed, lost} {
		h.send(e, reconcile.Unsent)
	}
	h.wantState(fresh.ID, reconcile.StateOpen, 2, 0)
	h.wantState(doubted.ID, reconcile.StateDoubtful, 4, 1)
	if got := h.wantState(refused.ID, reconcile.StateRefused, 4, 1); got.Facts.Digest != refused.Facts.Digest {
		t.Error("a refused event that was given back has the digest of what was not sent")
	}
	got := h.wantState(lost.ID, reconcile.StateDoubtful, 3, 1)
	if !got.Lost || got.Run != dead.run {
		t.Errorf("lost: %v by %q, want the doubt of %q", got.Lost, got.Run, dead.run)
	}
}

// settleKeepsDoubt: that a second attempt surely was not accepted says nothing
// of the first.
func settleKeepsDoubt(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	h.send(e, reconcile.InDoubt)
	h.send(e, reconcile.Retryable)
	h.wantState(e.ID, reconcile.StateDoubtful, 4, 1)
	h.send(e, reconcile.Sent)
	h.wantState(e.ID, reconcile.StateDone, 6, 2)
}

func settleConditional(t *testing.T, p Place) {
	h, other := begin(t, p), begin(t, p)
	e := purchase("1001")
	version := h.take(e)
	h.settle(reconcile.Outcome{ID: e.ID, Version: version + 1, Verdict: reconcile.Rejected})
	other.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Rejected})
	h.wantState(e.ID, reconcile.StateClaimed, version, 0)
	h.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Sent})
	h.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Rejected})
	h.wantState(e.ID, reconcile.StateDone, version+1, 1)
	missing := reconcile.Outcome{ID: purchase("missing").ID, Version: 1, Verdict: reconcile.Sent}
	if _, err := h.Settle(t.Context(), target, h.run, []reconcile.Outcome{missing}); err == nil {
		t.Error("an outcome of an event that was never claimed was settled without an error")
	}
}

func settleLateDoubt(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	version := h.take(e)
	h.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.InDoubt})
	h.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Rejected})
	h.wantState(e.ID, reconcile.StateDoubtful, version+1, 1)
	if r := h.settle(reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Sent, Receipt: "r"}); len(r) != 0 {
		t.Errorf("repeats %v, but nobody else had it", r)
	}
	if got := h.wantState(e.ID, reconcile.StateDone, version+2, 2); got.Receipt != "r" || got.By != reconcile.BySentHere {
		t.Errorf("receipt %q by %q", got.Receipt, got.By)
	}
}

// settleLateRepeat: the first run is taken for dead, a second one claims and
// sends, and then the first one's answer comes in through another handle.
func settleLateRepeat(t *testing.T, p Place) {
	first, second, late := begin(t, p), begin(t, p), open(t, p)
	live, done, lost := purchase("1"), purchase("2"), purchase("3")
	var outcomes []reconcile.Outcome
	for _, e := range []reconcile.Event{live, done, lost} {
		outcomes = append(outcomes, reconcile.Outcome{ID: e.ID, Version: first.take(e), Verdict: reconcile.Sent})
	}
	first.die()
	third := begin(t, p)
	third.take(lost)
	third.die()
	second.take(live)
	second.send(done, reconcile.Sent)
	repeats, err := late.Settle(t.Context(), target, first.run, outcomes)
	want := []reconcile.EventID{live.ID, done.ID, lost.ID}
	if err != nil || !slices.Equal(repeats, want) {
		t.Errorf("repeats %v, %v, want %v", repeats, err, want)
	}
	second.wantState(live.ID, reconcile.StateClaimed, 2, 1)
	second.wantState(done.ID, reconcile.StateDone, 3, 2)
	second.wantState(lost.ID, reconcile.StateDone, 3, 3)
}

func settleCancelled(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	version := h.take(e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	outcome := reconcile.Outcome{ID: e.ID, Version: version, Verdict: reconcile.Sent}
	if _, err := h.Settle(ctx, target, h.run, []reconcile.Outcome{outcome}); err != nil {
		t.Errorf("settle: %v", err)
	}
	h.wantState(e.ID, reconcile.StateDone, version+1, 1)
	if err := h.End(ctx, reconcile.RunEnd{Run: h.run}); err != nil {
		t.Errorf("end: %v", err)
	}
}
