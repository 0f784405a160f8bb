package ledgertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"makegood/reconcile"
)

func claimAbsent(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	taken, moved := h.claim(ticket(e, 0))
	if !slices.Equal(taken, []reconcile.EventID{e.ID}) || len(moved) != 0 {
		t.Fatalf("took %v, moved %v", taken, moved)
	}
	got := h.wantState(e.ID, reconcile.StateClaimed, 1, 0)
	if got.Run != h.run || got.Lost {
		t.Errorf("claimed by %q (lost: %v), want %q", got.Run, got.Lost, h.run)
	}
}

func claimStale(t *testing.T, p Place) {
	h := begin(t, p)
	e, absent := purchase("1001"), purchase("1002")
	h.send(e, reconcile.Retryable) // open, version 2
	taken, moved := h.claim(ticket(e, 1), ticket(absent, 7))
	if len(taken) != 0 {
		t.Errorf("took %v on stale tickets", taken)
	}
	if m := moved[e.ID]; m.Version != 2 || m.State != reconcile.StateOpen {
		t.Errorf("moved entry is %q at %d, want open at 2", m.State, m.Version)
	}
	if m, told := moved[absent.ID]; !told || m.ID != absent.ID || m.Version != 0 || m.State != reconcile.StateAbsent {
		t.Errorf("moved entry of an absent event is %+v (told: %v)", m, told)
	}
	h.wantState(e.ID, reconcile.StateOpen, 2, 0)
}

func claimDone(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	h.send(e, reconcile.Sent)
	taken, moved := h.claim(ticket(e, 2))
	if len(taken) != 0 || moved[e.ID].State != reconcile.StateDone {
		t.Errorf("took %v, moved %+v", taken, moved)
	}
	if got := h.wantState(e.ID, reconcile.StateDone, 2, 1); got.By != reconcile.BySentHere {
		t.Errorf("done by %q, want %q", got.By, reconcile.BySentHere)
	}
}

func claimLive(t *testing.T, p Place) {
	h, other := begin(t, p), begin(t, p)
	e := purchase("1001")
	version := h.take(e)
	taken, moved := other.claim(ticket(e, version))
	if len(taken) != 0 || moved[e.ID].State != reconcile.StateClaimed || moved[e.ID].Run != h.run {
		t.Errorf("took %v, moved %+v", taken, moved)
	}
	if taken, _ := h.claim(ticket(e, version)); len(taken) != 0 {
		t.Error("a run took its own claim again")
	}
}

func claimDead(t *testing.T, p Place) {
	h, other := begin(t, p), begin(t, p)
	e := purchase("1001")
	version := h.take(e)
	h.die()
	got := other.wantState(e.ID, reconcile.StateDoubtful, version, 0)
	if !got.Lost || got.Run != h.run {
		t.Errorf("lost: %v, run %q, want true, %q", got.Lost, got.Run, h.run)
	}
	if taken, moved := other.claim(ticket(e, version-1)); len(taken) != 0 || moved[e.ID].State != reconcile.StateDoubtful {
		t.Errorf("a stale ticket took %v, moved %+v", taken, moved)
	}
	if taken, _ := other.claim(ticket(e, version)); len(taken) != 1 {
		t.Fatal("the claim of a dead run was not taken")
	}
	other.wantState(e.ID, reconcile.StateClaimed, version+1, 1)
	other.settle(reconcile.Outcome{ID: e.ID, Version: version + 1, Verdict: reconcile.Sent})
	other.wantState(e.ID, reconcile.StateDone, version+2, 2)
}

func claimTwice(t *testing.T, p Place) {
	h := begin(t, p)
	e := purchase("1001")
	taken, moved := h.claim(ticket(e, 0), ticket(e, 0), ticket(e, 1))
	if len(taken) != 1 || moved[e.ID].State != reconcile.StateClaimed {
		t.Errorf("took %v, moved %+v, want one taken and one moved", taken, moved)
	}
	h.wantState(e.ID, reconcile.StateClaimed, 1, 0)
}

// claimBytes holds ids apart that a collation would mix up.
func claimBytes(t *testing.T, p Place) {
	h := begin(t, p)
	orders := []string{"é", "a", "Z", "A", "/", "%2F", "%2f", "01", "1", "e\u0301", "<&>", "\u2028", "'; --"}
	var tickets []reconcile.Ticket
	var want []reconcile.EventID
	for _, o := range orders {
		tickets = append(tickets, ticket(purchase(o), 0))
		want = append(want, purchase(o).ID)
	}
	taken, moved := h.claim(tickets...)
	if slices.Sort(want); !slices.Equal(taken, want) || len(moved) != 0 {
		t.Errorf("took %q, moved %v, want byte order %q", taken, moved, want)
	}
	found, err := h.Find(t.Context(), target, append(want, want...))
	if err != nil || len(found) != len(orders) {
		t.Errorf("found %d of %d: %v", len(found), len(orders), err)
	}
	if got := h.find(purchase("z").ID); got.Version != 0 {
		t.Errorf("z was found as %q", got.ID)
	}
	bad := purchase("x")
	bad.ID = "purchase/main/\xff"
	if _, _, err := h.Claim(t.Context(), target, h.run, []reconcile.Ticket{ticket(bad, 0)}); err == nil {
		t.Error("an id that is not UTF-8 was taken")
	}
}

func claimWithoutRun(t *testing.T, p Place) {
	h := begin(t, p)
	h.end(reconcile.RunEnd{})
	for _, run := range []reconcile.RunID{h.run, "never-begun"} {
		_, _, err := h.Claim(t.Context(), target, run, []reconcile.Ticket{ticket(purchase("1001"), 0)})
		if !errors.Is(err, reconcile.ErrRunOver) {
			t.Errorf("claim for run %q gave %v, want ErrRunOver", run, err)
		}
	}
	if got := h.find(purchase("1001").ID); got.Version != 0 {
		t.Errorf("the event was claimed all the same: %+v", got)
	}
}

// claimContended lets workers on three handles claim overlapping batches in
// any order: each event is taken once.
func claimContended(t *testing.T, p Place) {
	const workers, events, batch = 9, 600, 40
	hands := []hand{begin(t, p), begin(t, p), begin(t, p)}
	var mu sync.Mutex
	times := map[reconcile.EventID]int{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			h := hands[w%len(hands)]
			order := rand.New(rand.NewPCG(20261102, uint64(w))).Perm(events)
			for part := range slices.Chunk(order, batch) {
				var tickets []reconcile.Ticket
				for _, n := range part {
					tickets = append(tickets, ticket(purchase(fmt.Sprint(n)), 0))
				}
				taken, moved, err := h.Claim(t.Context(), target, h.run, tickets)
				if err != nil || len(taken)+len(moved) != len(part) {
					t.Errorf("worker %d: took %d and moved %d of %d: %v", w, len(taken), len(moved), len(part), err)
				}
				mu.Lock()
				for _, id := range taken {
					times[id]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was taken %d times", id, n)
		}
	}
	if len(times) != events {
		t.Errorf("%d events were taken, want %d", len(times), events)
	}
}
