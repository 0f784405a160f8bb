package ledgertest

import (
	"errors"
	"testing"
	"time"

	"makegood/reconcile"
)

func adoption(e reconcile.Event, seen int64) reconcile.Adoption {
	want := reconcile.Want{ID: e.ID, Kind: e.Kind, Person: e.Person, Value: e.Value, Facts: e.Facts}
	return reconcile.Adoption{Want: want, By: reconcile.ByProven, Who: "live_log", At: noon, Seen: seen}
}

func adopt(t *testing.T, p Place) {
	h, dead := begin(t, p), begin(t, p)
	fresh, moved, done, claimed, lost := purchase("1"), purchase("2"), purchase("3"), purchase("4"), purchase("5")
	dead.take(lost)
	dead.die()
	h.send(moved, reconcile.Retryable)
	h.send(done, reconcile.Sent)
	h.take(claimed)
	n, err := h.Adopt(t.Context(), target, h.run, []reconcile.Adoption{
		adoption(fresh, 0), adoption(moved, 1), adoption(done, 2), adoption(claimed, 1), adoption(lost, 1),
	})
	if err != nil || n != 2 {
		t.Errorf("adopted %d, %v, want 2", n, err)
	}
	got := h.wantState(fresh.ID, reconcile.StateDone, 1, 0)
	if got.By != reconcile.ByProven || got.Facts.Source != "shop" || got.Value.Amount == nil {
		t.Errorf("adopted entry is %+v", got)
	}
	h.wantState(moved.ID, reconcile.StateOpen, 2, 0)
	h.wantState(claimed.ID, reconcile.StateClaimed, 1, 0)
	h.wantState(lost.ID, reconcile.StateDone, 2, 1)
	if got := h.find(done.ID); got.By != reconcile.BySentHere {
		t.Errorf("what was sent here became %q", got.By)
	}
}

func resolve(t *testing.T, p Place) {
	h, dead := begin(t, p), begin(t, p)
	lost, doubted, refused, done := purchase("1"), purchase("2"), purchase("3"), purchase("4")
	dead.take(lost)
	dead.die()
	h.send(doubted, reconcile.InDoubt)
	h.send(refused, reconcile.Rejected)
	h.send(done, reconcile.Sent)
	say := func(e reconcile.Event, s reconcile.State) error {
		return h.Resolve(t.Context(), target, e.ID, reconcile.Resolution{State: s, By: reconcile.ByProven, Who: "desk"})
	}
	for _, err := range []error{
		say(lost, reconcile.StateOpen), say(doubted, reconcile.StateDone), say(refused, reconcile.StateOpen),
	} {
		if err != nil {
			t.Errorf("resolve: %v", err)
		}
	}
	h.wantState(lost.ID, reconcile.StateOpen, 2, 1)
	if got := h.wantState(doubted.ID, reconcile.StateDone, 3, 1); got.By != reconcile.ByProven {
		t.Errorf("done by %q", got.By)
	}
	h.wantState(refused.ID, reconcile.StateOpen, 3, 1)
	h.take(lost)
	for _, e := range []reconcile.Event{done, lost, purchase("absent")} {
		if err := say(e, reconcile.StateOpen); !errors.Is(err, reconcile.ErrLedgerMoved) {
			t.Errorf("resolve of %s gave %v, want ErrLedgerMoved", e.ID, err)
		}
	}
	if err := say(doubted, reconcile.StateClaimed); err == nil {
		t.Error("a doubt ended as a claim")
	}
}

// resolveReceipt: a person's word about a receipt ends a doubt with it, or is
// added to what is done; nothing else takes one.
func resolveReceipt(t *testing.T, p Place) {
	h := begin(t, p)
	doubted, done, adopted, refused, opened := purchase("1"), purchase("2"), purchase("3"), purchase("4"), purchase("5")
	h.send(doubted, reconcile.InDoubt)
	h.send(done, reconcile.Sent)
	a := adoption(adopted, 0)
	a.Receipt = "r-3"
	if n, err := h.Adopt(t.Context(), target, h.run, []reconcile.Adoption{a}); err != nil || n != 1 {
		t.Fatalf("adopted %d, %v", n, err)
	}
	h.send(refused, reconcile.Rejected)
	h.send(opened, reconcile.Retryable)
	word := reconcile.Resolution{State: reconcile.StateDone, By: reconcile.ByAssumed, Who: "desk", Note: "seen", Receipt: "r-9"}
	for _, e := range []reconcile.Event{doubted, done, adopted} {
		before := h.find(e.ID)
		if err := h.Resolve(t.Context(), target, e.ID, word); err != nil {
			t.Fatal(err)
		}
		by := before.By
		if e.ID == doubted.ID {
			by = reconcile.ByAssumed
		}
		if e.ID == adopted.ID && before.Receipt != "r-3" {
			t.Errorf("the evidence's receipt is %q", before.Receipt)
		}
		if got := h.find(e.ID); got.Receipt != "r-9" || got.State != reconcile.StateDone || got.By != by || got.Version != before.Version+1 {
			t.Errorf("%s is %+v", e.ID, got)
		}
	}
	if err := h.Resolve(t.Context(), target, opened.ID, word); !errors.Is(err, reconcile.ErrLedgerMoved) {
		t.Errorf("a receipt of what is open gave %v", err)
	}
	for _, wrong := range []reconcile.Resolution{
		{State: reconcile.StateOpen, Note: "seen", Receipt: "r-9"}, {State: reconcile.StateDone, By: reconcile.ByAssumed, Receipt: "r-9"},
	} {
		if err := h.Resolve(t.Context(), target, refused.ID, wrong); err == nil || errors.Is(err, reconcile.ErrLedgerMoved) {
			t.Errorf("%+v gave %v", wrong, err)
		}
	}
	if got := h.find(refused.ID); got.State != reconcile.StateRefused || got.Receipt != "" {
		t.Errorf("the refused one is %+v", got)
	}
}

func resolveLost(t *testing.T, p Place) {
	h, dead := begin(t, p), begin(t, p)
	done, doubted, refused, lost := purchase("1"), purchase("2"), purchase("3"), purchase("4")
	h.settle(reconcile.Outcome{ID: done.ID, Version: h.take(done), Verdict: reconcile.Sent, Receipt: "r-1"})
	h.send(doubted, reconcile.InDoubt)
	h.send(refused, reconcile.Rejected)
	dead.take(lost)
	dead.die()
	word := reconcile.Resolution{State: reconcile.StateOpen, Lost: true, Who: "desk", Note: "not in the platform's export"}
	say := func(e reconcile.Event, r reconcile.Resolution) error { return h.Resolve(t.Context(), target, e.ID, r) }
	for _, e := range []reconcile.Event{doubted, refused, lost, purchase("absent")} {
		if err := say(e, word); !errors.Is(err, reconcile.ErrLedgerMoved) {
			t.Errorf("%s counts as lost: %v", e.ID, err)
		}
	}
	for name, change := range map[string]func(*reconcile.Resolution){
		"without the word": func(r *reconcile.Resolution) { r.Lost = false },
		"without a note":   func(r *reconcile.Resolution) { r.Note = "" },
		"without a name":   func(r *reconcile.Resolution) { r.Who = "" },
		"as done":          func(r *reconcile.Resolution) { r.State = reconcile.StateDone },
	} {
		r := word
		if change(&r); say(done, r) == nil {
			t.Errorf("%s what is done was reopened", name)
		}
	}
	if got := h.wantState(done.ID, reconcile.StateDone, 2, 1); got.By != reconcile.BySentHere {
		t.Fatalf("what was sent here is %+v", got)
	}
	if err := say(done, word); err != nil {
		t.Fatal(err)
	}
	if got := h.wantState(done.ID, reconcile.StateOpen, 3, 1); got.By != "" || got.Receipt != "" || !got.Lost {
		t.Errorf("the entry is %+v", got)
	}
	h.send(done, reconcile.Unsent)
	h.send(done, reconcile.Retryable)
	if got := h.wantState(done.ID, reconcile.StateOpen, 7, 1); !got.Lost {
		t.Errorf("tried in vain the entry is %+v", got)
	}
	h.send(done, reconcile.Sent)
	if got := h.wantState(done.ID, reconcile.StateDone, 9, 2); got.Lost {
		t.Errorf("sent again the entry is %+v", got)
	}
}

func runsAlive(t *testing.T, p Place) {
	h, other := begin(t, p), begin(t, p)
	if !h.Alive(h.run, time.Second) || h.Alive(h.run, 1000*time.Hour) {
		t.Error("a run that has just begun is alive for a second and not for a thousand hours")
	}
	if other.Alive(h.run, 0) {
		t.Error("a handle calls a run alive that it did not begin")
	}
	h.end(reconcile.RunEnd{})
	if h.Alive(h.run, 0) {
		t.Error("a run that has ended is alive")
	}
	if err := h.End(t.Context(), reconcile.RunEnd{Run: h.run}); !errors.Is(err, reconcile.ErrRunOver) {
		t.Errorf("a second end gave %v, want ErrRunOver", err)
	}
}

func runsOnce(t *testing.T, p Place) {
	h, other := begin(t, p), open(t, p)
	again := reconcile.RunRecord{Run: h.run, Command: "run", Started: noon, Window: day(noon)}
	if err := other.Begin(t.Context(), again); err == nil {
		t.Error("a live run was begun again")
	}
	h.end(reconcile.RunEnd{})
	if err := other.Begin(t.Context(), again); err == nil {
		t.Error("a run that has ended was begun again")
	}
	again.Run = "../elsewhere"
	if err := other.Begin(t.Context(), again); err == nil {
		t.Error("a run id that is a path was taken")
	}
}

func headRises(t *testing.T, p Place) {
	h := begin(t, p)
	before := h.Head()
	h.send(purchase("1001"), reconcile.Sent)
	after := h.Head()
	if before.Ledger == "" || after.Ledger != before.Ledger || after.Epoch != before.Epoch {
		t.Errorf("the head went from %+v to %+v", before, after)
	}
	if after.Sequence < before.Sequence+2 {
		t.Errorf("two commits took the sequence from %d to %d", before.Sequence, after.Sequence)
	}
	if again := open(t, p).Head(); again.Ledger != after.Ledger || again.Sequence < after.Sequence {
		t.Errorf("opened again the head is %+v, want %+v or later", again, after)
	}
}
