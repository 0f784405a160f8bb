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
	if err != nil || !slices.Equal(again[1:], ids[1:]) {
		t.Fatalf("asked for again, it is slices %v: %v", again, err)
	}
	sent := 0
	h.carry = func(Part, reconcile.RunID) (Carried, error) { sent++; return Carried{}, nil }
	for _, id := range ids[1:] { // also what was stopped, and not summed up yet
		if err := w.part(t.Context(), part(id)); err != nil {
			t.Fatal(err)
		}
	}
	if sent != 2 {
		t.Errorf("asked for again, %d of 2 slices were sent", sent)
	}
}

// TestAskedForAgainInTurn: who asks for some of the slices again does not change
// which of them come before the others.
func TestAskedForAgainInTurn(t *testing.T) {
	q := newQueue(t)
	a := asked(3)
	ids, err := q.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.InTurn, a.Slices = true, a.Slices[:2]
	if again, err := q.Ask(t.Context(), a); err != nil || !slices.Equal(again, ids[:2]) {
		t.Fatalf("asked for again, it is slices %v: %v", again, err)
	}
	hire(t, q, "first")
	if _, err := q.pool.Exec(t.Context(), `UPDATE slices SET in_turn = true`); err != nil {
		t.Fatal(err)
	}
	if list := fed(t, q); !slices.Equal(list, ids[:1]) {
		t.Errorf("slices %v have their turn, not %d", list, ids[0])
	}
	if _, err := q.pool.Exec(t.Context(), `UPDATE slices SET state = 'queued'`); err != nil {
		t.Fatal(err)
	}
	list, err := q.Slices(t.Context(), ids)
	if err != nil || list[0].Beside || !list[1].Beside || !list[2].Beside {
		t.Errorf("beside others are %v, %v, %v: %v", list[0].Beside, list[1].Beside, list[2].Beside, err)
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
	h.class = ClassClock
	_ = w.slice(t.Context(), id)
	if state := one[string](t, q, `SELECT state FROM slices`); state != Queued {
		t.Errorf("of a wrong clock it is %s", state)
	}
	other := asked(1)
	other.Settings = "of later"
	if _, err := q.Ask(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	h.class = ClassSettings
	_ = w.slice(t.Context(), id) // nobody has those settings any more
	if state := one[string](t, q, `SELECT state FROM slices WHERE id = $1`, id); state != Done {
		t.Errorf("when others were asked for, it is %s", state)
	}
}

// TestPartsOfOtherSettings: parts that nobody can send any more are over, too, once
// something was asked for with other settings.
func TestPartsOfOtherSettings(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	if err := w.slice(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	part := one[int64](t, q, `SELECT id FROM parts`)
	h.class = ClassSettings
	h.carry = func(Part, reconcile.RunID) (Carried, error) { return Carried{}, errors.New("other settings") }
	for range 2 * sliceTries {
		if err := w.part(t.Context(), part); err == nil {
			t.Fatal("it did not fail")
		}
	}
	other := asked(1)
	other.Settings = "of later"
	if _, err := q.Ask(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if err := w.part(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if state := one[string](t, q, `SELECT state FROM parts`); state != "ended" {
		t.Errorf("it is %s", state)
	}
}
