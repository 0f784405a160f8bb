package workers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"makegood/reconcile"
)

const server = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable"

// newQueue opens a queue of the test's own.
func newQueue(t *testing.T) *Queue {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		if strings.Contains(os.Getenv("MAKEGOOD_TEST_REQUIRE"), "postgres") {
			t.Fatal(err)
		}
		t.Skip("there is no such server")
	}
	schema := "makegood_" + strings.ToLower(rand.Text()[:12])
	q, err := Open(t.Context(), server+"&search_path="+schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q.Close()
		_, err := c.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+"_queue CASCADE")
		if err := errors.Join(err, c.Close(context.WithoutCancel(t.Context()))); err != nil {
			t.Error(err)
		}
	})
	return q
}

// fakeHands do what a test says.
type fakeHands struct {
	t      *testing.T
	folder string
	plan   func(Slice) (Planned, error)
	before func() // a run begins
	carry  func(Part, reconcile.RunID) (Carried, error)
	alive  func([]reconcile.RunID) bool
	lacks  []string
	runs   int
	knows  []string
	again  bool // a slice is planned anew
	class  string
}

func (h *fakeHands) Plan(_ context.Context, s Slice) (Planned, error) {
	if h.plan != nil {
		return h.plan(s)
	}
	return h.made("activate"), nil
}

// made is a plan with one part for each target.
func (h *fakeHands) made(targets ...string) (p Planned) {
	file := func(name string) string {
		path := filepath.Join(h.folder, name+rand.Text())
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			h.t.Error(err)
		}
		return path
	}
	p.Plan = file("plan")
	p.Decisions = reconcile.DiaryOf(p.Plan)
	if err := os.WriteFile(p.Decisions, []byte("why"), 0o600); err != nil {
		h.t.Error(err)
	}
	for _, target := range targets {
		p.Parts = append(p.Parts, PlannedPart{Target: target, Path: file("part of " + target)})
	}
	return p
}

func (h *fakeHands) Carry(ctx context.Context, p Part, file string, run reconcile.RunID) (Carried, error) {
	if text, err := os.ReadFile(file); err != nil || string(text) != "part of "+p.Target {
		h.t.Errorf("the part lies here as %q, %v", text, err)
	}
	if h.before != nil {
		h.before()
	}
	if err := p.Begun(ctx); err != nil || h.carry == nil {
		return Carried{}, err
	}
	return h.carry(p, run)
}

func (h *fakeHands) Sum(_ context.Context, _ Slice, file string, parts []Part) (Summed, error) {
	if text, err := os.ReadFile(file); err != nil || string(text) != "plan" {
		h.t.Errorf("the plan lies here as %q, %v", text, err)
	}
	told, err := json.Marshal(len(parts))
	return Summed{Told: told, Again: h.again}, err
}

func (h *fakeHands) Fail(Slice, error) Summed {
	return Summed{Told: []byte(`"failed"`), Ends: "a slice failed"}
}

func (h *fakeHands) AnyAlive(_ context.Context, runs []reconcile.RunID) (bool, error) {
	return h.alive != nil && h.alive(runs), nil
}

func (h *fakeHands) NewRun() reconcile.RunID {
	h.runs++
	return reconcile.RunID(fmt.Sprintf("run-%d-%s", h.runs, rand.Text()))
}
func (h *fakeHands) Folder() string              { return h.folder }
func (h *fakeHands) Lacks() []string             { return h.lacks }
func (h *fakeHands) Class(error) string          { return h.class }
func (h *fakeHands) Forget(lines []string) error { h.knows = lines; return nil }

// hire gives a worker that is there, and does what a test has it do.
func hire(t *testing.T, q *Queue, name string) (*Worker, *fakeHands) {
	t.Helper()
	h := &fakeHands{t: t, folder: t.TempDir()}
	w := &Worker{Queue: q, id: name, hands: h, at: map[int64]string{}, lives: &presence{},
		o: Options{Name: name, Host: "here", Settings: "settings", Kinds: []string{KindPlan, KindSend}}}
	if err := w.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, h
}

func asked(n int) Asked {
	a := Asked{Settings: "settings", Options: []byte("{}")}
	for i := range n {
		from := time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC)
		a.Slices = append(a.Slices, reconcile.Window{From: from, To: from.AddDate(0, 0, 1)})
	}
	return a
}

// queued asks for slices and gives all of them their turn.
func queued(t *testing.T, q *Queue, n int) []int64 {
	t.Helper()
	ids, err := q.Ask(t.Context(), asked(n))
	if err == nil {
		_, err = q.pool.Exec(t.Context(), `UPDATE slices SET state = 'queued' WHERE id = ANY($1)`, ids)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func one[T any](t *testing.T, q *Queue, query string, args ...any) (v T) {
	t.Helper()
	if err := q.pool.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func isSnooze(err error) bool {
	_, is := errors.AsType[*river.JobSnoozeError](err)
	return is
}

// TestPieces: a file comes back as it was, however long it is, for its owner
// alone; one that is gone is an error.
func TestPieces(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	long := make([]byte, 2*pieceSize+17)
	_, _ = rand.Read(long) // cannot be compressed
	for name, text := range map[string][]byte{"empty": nil, "short": []byte("ann@example.com"), "long": long} {
		from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
		err := os.WriteFile(from, text, 0o600)
		if err == nil {
			err = pgx.BeginFunc(t.Context(), q.pool, func(tx pgx.Tx) error { return store(t.Context(), tx, id, name, from) })
		}
		if err = errors.Join(err, q.load(t.Context(), id, name, to)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := os.ReadFile(to)
		info, _ := os.Stat(to)
		if err != nil || !bytes.Equal(got, text) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s came back as %d bytes of %d, %v, %v", name, len(got), len(text), info.Mode(), err)
		}
	}
	if n := one[int](t, q, `SELECT count(*) FROM pieces WHERE file = 'long'`); n < 3 {
		t.Errorf("the long one is in %d pieces", n)
	}
	if err := q.load(t.Context(), id, "gone", filepath.Join(t.TempDir(), "to")); !errors.Is(err, errGone) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// TestTurnAtAPart: two workers that were handed one part do not both carry it out.
// While a run of it lives, the other waits; when it lives no more the other goes
// on, and what the first one says then changes nothing.
func TestTurnAtAPart(t *testing.T) {
	q := newQueue(t)
	slice := queued(t, q, 1)[0]
	first, h1 := hire(t, q, "first")
	second, h2 := hire(t, q, "second")
	if err := first.slice(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	part := one[int64](t, q, `SELECT id FROM parts`)
	var lives reconcile.RunID
	h2.alive = func(runs []reconcile.RunID) bool { return slices.Contains(runs, lives) }
	h1.carry = func(_ Part, run reconcile.RunID) (Carried, error) {
		lives = run
		if err := second.part(t.Context(), part); !isSnooze(err) || h2.runs > 0 {
			t.Errorf("while a run lives, the other ends with %v after %d runs", err, h2.runs)
		}
		lives = "" // it is taken for dead
		h2.carry = func(p Part, _ reconcile.RunID) (Carried, error) {
			if !slices.Equal(p.Runs, []reconcile.RunID{run}) {
				t.Errorf("it goes on behind %v, not %s", p.Runs, run)
			}
			return Carried{}, nil
		}
		if err := second.part(t.Context(), part); err != nil {
			t.Error(err)
		}
		return Carried{Stopped: "too late"}, nil
	}
	if err := first.part(t.Context(), part); !errors.Is(err, errTurn) {
		t.Errorf("the first ends with %v", err)
	}
	if got := one[string](t, q, `SELECT state || ', ' || stopped || ', ' || cardinality(runs) FROM parts`); got != "ended, , 2" {
		t.Errorf("the part is %s", got)
	}
	if err := second.part(t.Context(), part); err != nil || h2.runs != 1 {
		t.Errorf("a part that has ended: %v, %d runs", err, h2.runs)
	}
	if err := second.slice(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, q, `SELECT state || ', ' || told || ', ' || (SELECT count(*) FROM pieces) || ', ' || (SELECT count(*) FROM parts) FROM slices`); got != "done, 1, 0, 0" {
		t.Errorf("the slice is %s", got)
	}
}

// TestTurnAtASlice: of two workers that plan one slice, the plan of the later one
// counts.
func TestTurnAtASlice(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	first, h1 := hire(t, q, "first")
	second, h2 := hire(t, q, "second")
	h1.plan = func(Slice) (Planned, error) {
		if err := second.slice(t.Context(), id); err != nil {
			t.Error(err)
		}
		return h1.made("activate", "collect"), nil
	}
	if err := first.slice(t.Context(), id); !errors.Is(err, errTurn) {
		t.Errorf("the first ends with %v", err)
	}
	if n := one[int](t, q, `SELECT count(*) FROM parts`); n != 1 {
		t.Errorf("there are %d parts", n)
	}
	for _, h := range []*fakeHands{h1, h2} {
		if left, _ := filepath.Glob(filepath.Join(h.folder, "*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestPlanThatFails: of a plan that came to no end nothing is left.
func TestPlanThatFails(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	broken := errors.New("the plan cannot be cut")
	h.plan = func(Slice) (Planned, error) { return h.made("activate", "collect"), broken }
	if err := w.slice(t.Context(), id); !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(h.folder, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	h.plan = func(Slice) (Planned, error) { return Planned{}, broken }
	if err := w.slice(t.Context(), id); !errors.Is(err, broken) || errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file it ends with %v", err)
	}
}

// TestLeftToOthers: who has other settings, or lacks the files of a source, leaves
// a job to a worker that can do it, and tries where there is none.
func TestLeftToOthers(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "alone")
	h.lacks = []string{"shop"}
	h.plan = func(Slice) (Planned, error) { return Planned{}, errors.New("no file of ann@example.com") }
	if err := w.slice(t.Context(), id); err == nil || isSnooze(err) {
		t.Errorf("alone: %v", err)
	}
	if got := one[string](t, q, `SELECT failures || ' ' || trouble FROM slices`); !strings.HasPrefix(got, "1 no file of a***@") {
		t.Errorf("the slice says %s", got)
	}
	other, _ := hire(t, q, "other")
	if err := w.slice(t.Context(), id); !isSnooze(err) {
		t.Errorf("beside one that has the files: %v", err)
	}
	if err := other.slice(t.Context(), id); err != nil {
		t.Error(err)
	}
	part := one[int64](t, q, `SELECT id FROM parts`)
	w.o.Settings = "others"
	if err := w.part(t.Context(), part); !isSnooze(err) || h.runs > 0 {
		t.Errorf("with other settings: %v, %d runs", err, h.runs)
	}
	w.o.Settings = "settings"
	if err := w.part(t.Context(), part); err != nil || h.runs != 1 {
		t.Errorf("a part needs no files: %v, %d runs", err, h.runs)
	}
}

// TestFaultOfAJob: a fault of makegood's own counts as a failure, and the slice is
// given up when it has failed for so many times.
func TestFaultOfAJob(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 2)[0]
	w, h := hire(t, q, "first")
	h.plan = func(Slice) (Planned, error) { panic("ann@example.com") }
	for n := range sliceTries - 1 {
		if err := w.slice(t.Context(), id); !errors.Is(err, errFault) {
			t.Fatalf("try %d: %v", n, err)
		}
	}
	if got := one[string](t, q, `SELECT failures || ' ' || class || ' ' || trouble FROM slices WHERE id = $1`, id); got != fmt.Sprintf("%d fault %s", sliceTries-1, errFault) {
		t.Errorf("the slice says %s", got)
	}
	if err := w.slice(t.Context(), id); err != nil {
		t.Error(err)
	}
	if got := one[string](t, q, `SELECT string_agg(state, ' ' ORDER BY id) || ', ' || (SELECT ended FROM backfills) FROM slices`); got != "done cancelled, a slice failed" {
		t.Errorf("in the end: %s", got)
	}
}

// TestCancel: what was not planned is taken out, what is being sent goes on.
func TestCancel(t *testing.T) {
	q := newQueue(t)
	ids := queued(t, q, 3)
	w, _ := hire(t, q, "first")
	if err := w.slice(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	n, err := q.Cancel(t.Context())
	if err != nil || n != 2 {
		t.Errorf("%d were taken out, %v", n, err)
	}
	if got := one[string](t, q, `SELECT string_agg(state, ' ' ORDER BY id) || ', ' || (SELECT ended FROM backfills) FROM slices`); got != "sending cancelled cancelled, "+cancelled {
		t.Errorf("now they are %s", got)
	}
	if err := w.slice(t.Context(), ids[1]); err != nil || one[int](t, q, `SELECT count(*) FROM parts`) != 1 {
		t.Errorf("one that was taken out: %v", err)
	}
	if n, err := q.Cancel(t.Context()); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
	if stand, err := q.Stand(t.Context()); err != nil || len(stand.Stuck) > 0 {
		t.Errorf("a person took it out, and it is told as stuck: %+v, %v", stand.Stuck, err)
	}
}

// TestTidy: what the dead were at is given back, what the living are at is not;
// plans that are too old go, and their slices remember who worked on them.
func TestTidy(t *testing.T) {
	q := newQueue(t)
	ids := queued(t, q, 2)
	w, _ := hire(t, q, "first")
	dead, _ := hire(t, q, "dead")
	for _, id := range ids {
		if err := w.slice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := q.pool.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY[CASE WHEN (args->>'part')::bigint = (SELECT min(id) FROM parts) THEN 'dead' ELSE 'first' END]`)
	running := func() string {
		return one[string](t, q, `SELECT string_agg(state || ' ' || attempted_by[1], ', ' ORDER BY id) FROM river_job WHERE kind = 'send'`)
	}
	exec(`UPDATE workers SET beat = clock_timestamp() - interval '10 s' WHERE id = 'dead'`)
	if err := w.tidy(t.Context()); err != nil || running() != "running dead, running first" {
		t.Errorf("a worker whose session stands: %v, %s", err, running())
	}
	if stand, err := q.Stand(t.Context()); err != nil || len(stand.Stuck) > 0 || len(stand.Workers) != 2 || stand.Workers[0].Gone || stand.Lanes[0] != (Lane{"activate", 2, 2}) {
		t.Errorf("a worker whose session stands: %+v, %v", stand, err)
	}
	if err := dead.lives.conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := func() bool {
		stand, err := q.Stand(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(stand.Stuck) == 1 && stand.Stuck[0].Kind == StuckLost && stand.Stuck[0].Worker == "dead" && stand.Workers[0].Gone
	}
	for begun := time.Now(); !gone(); time.Sleep(20 * time.Millisecond) { // the server ends the session in its own time
		if time.Since(begun) > time.Minute {
			t.Fatal("nobody sees that the worker is gone")
		}
	}
	if err := w.tidy(t.Context()); err != nil || running() != "available dead, running first" {
		t.Errorf("a worker whose session is over: %v, %s", err, running())
	}
	exec(`UPDATE parts SET runs = '{a-run}' WHERE id = (SELECT min(id) FROM parts)`)
	exec(`UPDATE slices SET planned = now() - interval '8 d' WHERE id = $1`, ids[0])
	if err := w.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, q, `SELECT state || ' ' || round || ' ' || runs::text || ' ' || (SELECT count(*) FROM pieces AS p WHERE p.slice = s.id) FROM slices AS s WHERE id = $1`, ids[0]); got != "queued 2 {a-run} 0" {
		t.Errorf("a plan that is too old: %s", got)
	}
	if n := one[int](t, q, `SELECT count(*) FROM river_job WHERE kind = 'plan' AND (args->>'slice')::bigint = $1 AND state = 'available'`, ids[0]); n != 1 {
		t.Errorf("it has %d jobs", n)
	}
}

// TestPlannedAnewLater: a slice is not planned anew while a run of its round before
// lives, and its plan is made again where somebody is to be forgotten meanwhile.
func TestPlannedAnewLater(t *testing.T) {
	q := newQueue(t)
	id := queued(t, q, 1)[0]
	w, h := hire(t, q, "first")
	if _, err := q.pool.Exec(t.Context(), `UPDATE slices SET runs = '{a-run}'`); err != nil {
		t.Fatal(err)
	}
	lives := true
	h.alive = func(runs []reconcile.RunID) bool { return lives && slices.Contains(runs, "a-run") }
	planned := 0
	h.plan = func(Slice) (Planned, error) {
		if planned++; planned == 1 {
			if err := q.Forget(t.Context(), []string{"hash", "1001"}); err != nil {
				t.Error(err)
			}
		}
		return h.made("activate"), nil
	}
	if err := w.slice(t.Context(), id); !isSnooze(err) || planned > 0 {
		t.Errorf("while a run lives: %v, planned %d times", err, planned)
	}
	lives = false
	if err := w.slice(t.Context(), id); !isSnooze(err) || planned != 1 || one[int](t, q, `SELECT count(*) FROM parts`) != 0 {
		t.Errorf("while somebody is forgotten: %v, planned %d times", err, planned)
	}
	if err := w.slice(t.Context(), id); err != nil || planned != 2 || !slices.Equal(h.knows, []string{"hash", "1001"}) {
		t.Errorf("afterwards: %v, planned %d times, it knows %v", err, planned, h.knows)
	}
	seen := map[string]bool{}
	drop := func(want int, name string) {
		t.Helper()
		n, err := q.Drop(t.Context(), t.TempDir(), func(path string) (bool, error) {
			text, err := os.ReadFile(path)
			seen[string(text)] = true
			return string(text) == name, err
		})
		if err != nil || n != want {
			t.Errorf("%d plans went, %v; want %d", n, err, want)
		}
	}
	drop(0, "nobody")
	if len(seen) != 3 {
		t.Errorf("it looked into %v", seen)
	}
	drop(1, "part of activate")
	if got := one[string](t, q, `SELECT state || ' ' || (SELECT count(*) FROM pieces) FROM slices`); got != "queued 0" {
		t.Errorf("the slice is %s", got)
	}
}
