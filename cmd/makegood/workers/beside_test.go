package workers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"makegood/reconcile"
)

// fed gives the next slices their turn, and lists those that have it.
func fed(t *testing.T, q *Queue) (ids []int64) {
	t.Helper()
	if err := q.feed(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := q.pool.Query(t.Context(), `SELECT id FROM slices WHERE state = 'queued' ORDER BY id`)
	if err == nil {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestSlicesInTurn: slices that were asked for one after the other are planned so,
// each once the one before it has ended.
func TestSlicesInTurn(t *testing.T) {
	q := newQueue(t)
	a := asked(3)
	a.InTurn = true
	ids, err := q.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	w, h := hire(t, q, "first")
	for _, id := range ids {
		if list := fed(t, q); !slices.Equal(list, []int64{id}) {
			t.Fatalf("slices %v have their turn, not %d alone", list, id)
		}
		h.plan = func(s Slice) (Planned, error) {
			if s.Beside {
				t.Errorf("slice %d is planned beside others", s.ID)
			}
			return h.made("activate"), nil
		}
		if err := w.slice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if list := fed(t, q); len(list) > 0 {
			t.Errorf("slices %v have their turn while %d is being sent", list, id)
		}
		if err := w.part(t.Context(), one[int64](t, q, `SELECT id FROM parts WHERE slice = $1`, id)); err != nil {
			t.Fatal(err)
		}
		if err := w.slice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, q, `SELECT count(*) FROM slices WHERE state = 'done'`); n != 3 {
		t.Errorf("%d of 3 slices are done", n)
	}
}

// TestPlannedBesideOthers: what a slice leaves that was planned while one before it
// was being sent is planned when that one is over.
func TestPlannedBesideOthers(t *testing.T) {
	q := newQueue(t)
	ids := queued(t, q, 2)
	w, h := hire(t, q, "first")
	var beside []bool
	h.plan = func(s Slice) (Planned, error) {
		beside = append(beside, s.Beside)
		p := h.made("activate")
		p.Waits = s.Beside
		return p, nil
	}
	for _, id := range []int64{ids[1], ids[0]} {
		if err := w.slice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(beside, []bool{true, false}) {
		t.Errorf("planned beside others: %v; it is the later one that is", beside)
	}
	h.again = true
	if err := w.part(t.Context(), one[int64](t, q, `SELECT id FROM parts WHERE slice = $1`, ids[1])); err != nil {
		t.Fatal(err)
	}
	if err := w.slice(t.Context(), ids[1]); !isSnooze(err) {
		t.Fatal(err)
	}
	h.again = false
	if list := fed(t, q); len(list) > 0 {
		t.Errorf("%v has its turn while one before it is being sent", list)
	}
	if err := w.part(t.Context(), one[int64](t, q, `SELECT id FROM parts WHERE slice = $1`, ids[0])); err != nil {
		t.Fatal(err)
	}
	if err := w.slice(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if list := fed(t, q); !slices.Equal(list, ids[1:]) {
		t.Errorf("%v have their turn, not %d", list, ids[1])
	}
}

// TestStoppedForAll: a target that takes no more of one slice is sent nothing of the
// others, also after that one was summed up; asked for again, it is tried again.
func TestStoppedForAll(t *testing.T) {
	q := newQueue(t)
	ids := queued(t, q, 3)
	w, h := hire(t, q, "first")
	h.carry = func(p Part, _ reconcile.RunID) (Carried, error) {
		if p.Slice.ID == ids[0] {
			return Carried{Stopped: "its key is wrong"}, nil
		}
		t.Errorf("slice %d was sent", p.Slice.ID)
		return Carried{}, nil
	}
	for _, id := range ids {
		if err := w.slice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	part := func(slice int64) int64 { return one[int64](t, q, `SELECT id FROM parts WHERE slice = $1`, slice) }
	if err := w.part(t.Context(), part(ids[0])); err != nil {
		t.Fatal(err)
	}
	if err := w.slice(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.part(t.Context(), part(ids[1])); err != nil {
		t.Fatal(err)
	}
	if why := one[string](t, q, `SELECT stopped FROM parts WHERE slice = $1`, ids[1]); why != "its key is wrong" {
		t.Errorf("the second slice was stopped because %q", why)
	}
	again, err := q.Ask(t.Context(), asked(3))
	if err != nil || again[2] != ids[2] {
		t.Fatalf("asked for again, it is slice %v: %v", again, err)
	}
	sent := 0
	h.carry = func(Part, reconcile.RunID) (Carried, error) { sent++; return Carried{}, nil }
	if err := w.part(t.Context(), part(ids[2])); err != nil || sent != 1 {
		t.Errorf("asked for again, it was sent %d times: %v", sent, err)
	}
}

// TestTakenOutWhileItsTurnComes: a slice that is taken out while it is being given
// its turn stays out.
func TestTakenOutWhileItsTurnComes(t *testing.T) {
	q := newQueue(t)
	ids, err := q.Ask(t.Context(), asked(1))
	if err != nil {
		t.Fatal(err)
	}
	hire(t, q, "first")
	tx, err := q.pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `UPDATE slices SET state = 'cancelled' WHERE id = $1`, ids[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- q.feed(context.WithoutCancel(t.Context())) }()
	waiting := `SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))`
	for deadline := time.Now().Add(time.Minute); one[int](t, q, waiting, tx.Conn().PgConn().PID()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
	}
	if err := errors.Join(tx.Commit(t.Context()), <-over); err != nil {
		t.Fatal(err)
	}
	if state := one[string](t, q, `SELECT state FROM slices WHERE id = $1`, ids[0]); state != Cancelled {
		t.Errorf("it is %s", state)
	}
}

// TestPartThatWasWhole: a worker that is told to end while the last message of a
// part is under way says that the part is over; one with something left does not.
func TestPartThatWasWhole(t *testing.T) {
	q := newQueue(t)
	ids := queued(t, q, 2)
	w, h := hire(t, q, "first")
	for n, cut := range []bool{false, true} {
		if err := w.slice(t.Context(), ids[n]); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		h.carry = func(Part, reconcile.RunID) (Carried, error) {
			stop()
			return Carried{Cut: cut}, nil
		}
		err := w.part(ctx, one[int64](t, q, `SELECT id FROM parts WHERE slice = $1`, ids[n]))
		state := one[string](t, q, `SELECT state FROM parts WHERE slice = $1`, ids[n])
		if want := map[bool]string{false: "ended", true: "waiting"}[cut]; state != want || (err != nil) != cut {
			t.Errorf("cut off %v: it is %s, not %s: %v", cut, state, want, err)
		}
		stop()
	}
}

// TestOtherSettingsEndNothing: workers with other settings than a slice was asked
// for with do not give it up, however often they try.
func TestOtherSettingsEndNothing(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	h.plan = func(Slice) (Planned, error) { return Planned{}, errors.New("wrong") }
	h.class = ClassSettings
	for range 2 * sliceTries {
		if err := w.slice(t.Context(), id); err == nil {
			t.Fatal("it did not fail")
		}
	}
	if state := one[string](t, q, `SELECT state FROM slices`); state != Queued {
		t.Errorf("it is %s", state)
	}
	h.class = ""
	_ = w.slice(t.Context(), id) // it is given up
	if state := one[string](t, q, `SELECT state FROM slices`); state != Done {
		t.Errorf("of another error it is %s", state)
	}
}
