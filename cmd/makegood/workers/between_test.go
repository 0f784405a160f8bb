package workers

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"makegood/reconcile"
)

var named = func(string) (bool, error) { return true, nil }

// TestForgottenWhileAPlanIsStored: whoever is forgotten while a plan about them goes
// into the queue is in no plan that stays there.
func TestForgottenWhileAPlanIsStored(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	pipe := filepath.Join(t.TempDir(), "plan")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	told := make(chan error, 1)
	h.plan = func(Slice) (Planned, error) {
		p := h.made("activate")
		p.Plan = pipe
		go func() { // opening waits until the plan is read, on its way into the queue
			f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err == nil {
				err = q.Forget(t.Context(), []string{"hash of somebody"})
				_, _ = f.WriteString("a plan that names them")
				_ = f.Close()
			}
			told <- err
		}()
		return p, nil
	}
	if err := w.slice(t.Context(), id); !isSnooze(err) {
		t.Errorf("the plan was stored: %v", err)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, q, `SELECT count(*) FROM pieces`); n != 0 {
		t.Errorf("%d pieces of a plan that names them", n)
	}
}

// TestCancelBetweenRounds: a slice that runs have worked on is not taken out when it
// is to be planned anew; its sum would lack what they sent.
func TestCancelBetweenRounds(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	if err := w.slice(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.carry = func(Part, reconcile.RunID) (Carried, error) {
		if n, err := q.Drop(t.Context(), t.TempDir(), named); n != 1 || err != nil {
			t.Errorf("dropped %d, %v", n, err)
		}
		if n, err := q.Cancel(t.Context()); n != 0 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		return Carried{}, nil
	}
	_ = w.part(t.Context(), one[int64](t, q, `SELECT id FROM parts`)) // its turn is over
	if list, err := q.Slices(t.Context(), []int64{id}); err != nil || list[0].State != Queued || len(list[0].Runs) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestStandOfABackfillAskedForTwice: why a backfill ended is told also where the
// same was asked for again before.
func TestStandOfABackfillAskedForTwice(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	h.plan = func(Slice) (Planned, error) { return Planned{}, os.ErrPermission }
	if _, err := q.Ask(t.Context(), asked(1)); err != nil {
		t.Fatal(err)
	}
	for range sliceTries {
		_ = w.slice(t.Context(), id)
	}
	s, err := q.Stand(t.Context())
	if err != nil || len(s.Stuck) != 1 || s.Stuck[0].Kind != StuckEnded {
		t.Errorf("%+v, %v", s.Stuck, err)
	}
}

// TestTurnBeforeARunBegins: a worker that is held up between taking a part and
// beginning its run claims nothing when another one has sent the part meanwhile.
func TestTurnBeforeARunBegins(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	first, h1 := hire(t, q, "first")
	second, h2 := hire(t, q, "second")
	if err := first.slice(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	part := one[int64](t, q, `SELECT id FROM parts`)
	h1.before = func() {
		if err := second.part(t.Context(), part); err != nil || h2.runs != 1 {
			t.Errorf("the other ends with %v after %d runs", err, h2.runs)
		}
	}
	h1.carry = func(Part, reconcile.RunID) (Carried, error) {
		t.Error("it was sent twice")
		return Carried{}, nil
	}
	if err := first.part(t.Context(), part); !errors.Is(err, errTurn) {
		t.Errorf("the first ends with %v", err)
	}
	if n := one[int](t, q, `SELECT cardinality(runs) FROM parts`); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// TestNobodyIsForgottenTwice: nor is nobody at all.
func TestNobodyIsForgottenTwice(t *testing.T) {
	q := newQueue(t)
	for range 2 {
		if err := q.Forget(t.Context(), strings.Split("one\ntwo\n", "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, q, `SELECT count(*) FROM forgotten`); n != 2 {
		t.Errorf("%d are forgotten", n)
	}
}
