package ledgertest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

// say keeps words by another handle, as another process would.
func (p Place) say(t *testing.T, words ...reconcile.Word) {
	t.Helper()
	other := p.Open(t)
	speaker, ok := other.(reconcile.Speaker)
	if !ok {
		t.Fatal("the ledger keeps no words")
	}
	if err := speaker.Say(t.Context(), words); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
}

// claimPaused: from the moment that a person pauses a target, or all of them, no
// process claims anything for it; what was claimed before ends as it does.
func claimPaused(t *testing.T, p Place) {
	h := begin(t, p)
	version := h.take(purchase("1"))
	for _, paused := range []reconcile.Word{
		{Kind: reconcile.WordPause, Target: target, Who: "desk", Note: "stocktaking"},
		{Kind: reconcile.WordPause, Target: target, Until: time.Now().Add(24 * time.Hour), Who: "desk", Note: "stocktaking"},
	} {
		p.say(t, paused)
		_, _, err := h.Claim(t.Context(), target, h.run, []reconcile.Ticket{{Event: purchase("2")}})
		if !errors.Is(err, reconcile.ErrPaused) {
			t.Errorf("a claim for a paused target gave %v", err)
		}
	}
	h.settle(reconcile.Outcome{ID: purchase("1").ID, Version: version, Verdict: reconcile.Sent})
	p.say(t, reconcile.Word{Kind: reconcile.WordPause, Target: "another", Who: "desk", Note: "not this one"},
		reconcile.Word{Kind: reconcile.WordPause, Target: target, Until: time.Now().Add(-time.Minute), Who: "desk", Note: "resumed"})
	if e := h.find(purchase("2").ID); e.Version != 0 {
		t.Errorf("a refused claim left %+v", e)
	}
	h.take(purchase("2"))
	p.say(t, reconcile.Word{Kind: reconcile.WordPause, Who: "desk", Note: "all of them"})
	if _, _, err := h.Claim(t.Context(), target, h.run, []reconcile.Ticket{{Event: purchase("3")}}); !errors.Is(err, reconcile.ErrPaused) {
		t.Errorf("a claim while everything is paused gave %v", err)
	}
}

// wordsSurvive: the newest word about a thing counts.
func wordsSurvive(t *testing.T, p Place) {
	h := begin(t, p)
	until := noon.Add(time.Hour)
	p.say(t, reconcile.Word{Kind: reconcile.WordDecide, Target: target, About: "merges_repeats", Value: "no", Who: "desk", Note: "counted twice"},
		reconcile.Word{Kind: reconcile.WordAccept, Target: target, About: string(purchase("1").ID), Value: "held_back/total_mismatch", Until: until, Who: "desk", Note: "known"})
	p.say(t, reconcile.Word{Kind: reconcile.WordDecide, Target: target, About: "merges_repeats", Value: "yes", Who: "desk", Note: "looked again"})
	words, err := h.Ledger.(reconcile.Speaker).Words(t.Context(), reconcile.WordDecide)
	if err != nil || len(words) != 1 || words[0].Value != "yes" || words[0].Note != "looked again" || words[0].At.IsZero() || !words[0].Until.IsZero() {
		t.Errorf("the words are %+v, %v", words, err)
	}
	accepted, err := h.Accepted(t.Context(), target, []reconcile.EventID{purchase("1").ID, purchase("2").ID})
	if word := accepted[purchase("1").ID]; err != nil || len(accepted) != 1 || word.Value != "held_back/total_mismatch" || !word.Until.Equal(until) {
		t.Errorf("accepted are %+v, %v", accepted, err)
	}
	if others, err := h.Accepted(t.Context(), "another", []reconcile.EventID{purchase("1").ID}); err != nil || len(others) != 0 {
		t.Errorf("accepted elsewhere are %+v, %v", others, err)
	}
}

// sourceDays: the most orders that any run met of a day count.
func sourceDays(t *testing.T, p Place) {
	day := func(store, day string, n int) reconcile.SourceDay {
		return reconcile.SourceDay{Source: "tills", Store: store, Day: day, Orders: n}
	}
	end := func(h hand, days ...reconcile.SourceDay) {
		t.Helper()
		if err := h.End(t.Context(), reconcile.RunEnd{Run: h.run, Finished: noon, Days: days}); err != nil {
			t.Fatal(err)
		}
	}
	end(begin(t, p), day("", "2026-11-01", 9), day("", "2026-11-02", 12), day("north", "2026-11-02", 12))
	h := begin(t, p)
	end(h, day("", "2026-11-02", 5), day("north", "2026-11-02", 14), day("north", "2026-11-03", 0))
	got, err := h.SourceDays(t.Context(), "tills", "2026-11-02")
	want := []reconcile.SourceDay{day("", "2026-11-02", 12), day("north", "2026-11-02", 14), day("north", "2026-11-03", 0)}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the days are %+v, %v", got, err)
	}
}
