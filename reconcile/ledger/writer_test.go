package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

func openHere(t testing.TB, o Options) (*Store, string) {
	t.Helper()
	o.Key = bytes.Repeat([]byte{7}, KeySize)
	path := filepath.Join(t.TempDir(), "l.db")
	led, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = led.Close() })
	return led, path
}

// blocked keeps the writer busy until free is called; by then everything that
// was queued meanwhile is one group.
func blocked(t *testing.T, s *Store) (free func()) {
	t.Helper()
	taken, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = s.writer.do(context.Background(), func(context.Context, *tx) error {
			close(taken)
			<-release
			return nil
		})
	})
	<-taken
	return func() { close(release); done.Wait() }
}

func lockFolder(s *Store) string { return s.db.(*sqlite).folder }

func insertShop(name string) work {
	return func(ctx context.Context, t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO shops (shop) VALUES (?)`, name)
		return errors.Join(err, t.put(shopRow{}, shopRow{name}))
	}
}

func (w *writer) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// queue queues one request more and waits until it stands there.
func queueWork(ctx context.Context, w *writer, do work) <-chan error {
	result := make(chan error, 1)
	before := w.queued()
	go func() { result <- w.do(ctx, do) }()
	for w.queued() == before {
		runtime.Gosched()
	}
	return result
}

// TestGroup: requests that wait together share one commit, and one that fails
// half-way leaves nothing behind and the others alone.
func TestGroup(t *testing.T) {
	s, _ := openHere(t, Options{})
	before := s.Head().Sequence
	free := blocked(t, s)
	broken := errors.New("broken")
	good := queueWork(t.Context(), s.writer, insertShop("a"))
	bad := queueWork(t.Context(), s.writer, func(ctx context.Context, t *tx) error {
		return errors.Join(insertShop("b")(ctx, t), broken)
	})
	twice := queueWork(t.Context(), s.writer, insertShop("a"))
	last := queueWork(t.Context(), s.writer, insertShop("c"))
	free()
	if err := <-bad; !errors.Is(err, broken) {
		t.Errorf("the broken request gave %v", err)
	}
	if err := <-twice; err == nil {
		t.Error("a constraint was broken without an error")
	}
	if err := errors.Join(<-good, <-last); err != nil {
		t.Errorf("the others: %v", err)
	}
	if shops, err := s.Shops(t.Context()); err != nil || strings.Join(shops, " ") != "a c" {
		t.Errorf("kept %q, %v, want a c", shops, err)
	}
	if rose := s.Head().Sequence - before; rose != 1 {
		t.Errorf("a group, and one that wrote nothing, raised the sequence by %d", rose)
	}
}

// TestGroupOfFailures commits nothing and counts nothing.
func TestGroupOfFailures(t *testing.T) {
	s, _ := openHere(t, Options{})
	before := s.Head()
	for range 3 {
		err := s.writer.do(t.Context(), func(context.Context, *tx) error { return errors.New("broken") })
		if err == nil {
			t.Error("a failed request gave no error")
		}
	}
	if err := s.writer.do(t.Context(), insertShop("a")); err != nil {
		t.Error(err)
	}
	if rose := s.Head().Sequence - before.Sequence; rose != 1 {
		t.Errorf("one commit raised the sequence by %d", rose)
	}
}

// TestCancelWhileQueued: a request is withdrawn only before it was taken.
func TestCancelWhileQueued(t *testing.T) {
	s, _ := openHere(t, Options{})
	free := blocked(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := queueWork(ctx, s.writer, insertShop("a"))
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request gave %v", err)
	}
	free()
	ctx, cancel = context.WithCancel(t.Context())
	err := s.writer.do(ctx, func(ctx context.Context, t *tx) error {
		cancel()
		return insertShop("b")(ctx, t)
	})
	if err != nil {
		t.Errorf("a request cancelled while it ran gave %v", err)
	}
	if shops, err := s.Shops(t.Context()); err != nil || strings.Join(shops, " ") != "b" {
		t.Errorf("kept %q, %v, want b", shops, err)
	}
}

// TestCloseDrains: what was queued before is written, what comes later is not.
func TestCloseDrains(t *testing.T) {
	s, path := openHere(t, Options{})
	free := blocked(t, s)
	waiting := queueWork(t.Context(), s.writer, insertShop("a"))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	free()
	if err := errors.Join(<-waiting, <-closed); err != nil {
		t.Error(err)
	}
	if err := s.writer.do(t.Context(), insertShop("b")); !errors.Is(err, ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r"}); err == nil {
		t.Error("a run was begun on a closed ledger")
	}
	r, err := OpenReader(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if shops, err := r.Shops(t.Context()); err != nil || strings.Join(shops, " ") != "a" {
		t.Errorf("kept %q, %v", shops, err)
	}
}

func TestPragmasAreReadBack(t *testing.T) {
	s, path := openHere(t, Options{})
	for _, kind := range []poolKind{writing(), reading()} {
		kind.settings.Del("_synchronous")
		kind.settings.Del("_query_only")
		kind.settings.Set("_synchronus", "FULL")
		if db, err := openPool(t.Context(), path, kind); err == nil {
			_ = db.Close()
			t.Errorf("a misspelt setting went through: %v", kind.settings)
		}
	}
	_ = s
}

// TestPlans: none of the questions reads the whole table.
func TestPlans(t *testing.T) {
	s, _ := openHere(t, Options{})
	for _, c := range []struct {
		query, index string
		args         []any
	}{
		{findRows, "PRIMARY KEY (target=? AND event=?)", []any{"[]", "t"}},
		{cartEvents, "entries_cart (target=? AND person=?)", []any{"[]", "t", 0}},
		{`SELECT count(*)` + claimedBy, "entries_claimed (target=? AND run=?)", []any{"[]", "t"}},
		{oldestOfUnfinished, "entries_unfinished (target=?)", []any{"t"}},
		{unfinished, "entries_unfinished (target=? AND completed_at>?", []any{"t", 0, 1, 1}},
		{claimingRuns, "entries_claimed (target=?)", []any{"t"}},
	} {
		plan := explain(t, s.pool, c.query, c.args...)
		if !strings.Contains(plan, c.index) || strings.Contains(plan, "SCAN e") {
			t.Errorf("want %s for %s\ngot %s", c.index, c.query, plan)
		}
	}
}

func explain(t *testing.T, db *sqlx.DB, query string, args ...any) (plan string) {
	t.Helper()
	rows, err := db.Queryx("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		cells, err := rows.SliceScan()
		if err != nil {
			t.Fatal(err)
		}
		plan += fmt.Sprintln(cells[3])
	}
	return plan
}

// TestBeat: the beat goes on by itself, and ends for good when somebody
// removes the lock file or when it comes too late.
func TestBeat(t *testing.T) {
	s, _ := openHere(t, Options{Beat: time.Hour})
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r"}); err != nil {
		t.Fatal(err)
	}
	l := s.lease("r")
	first := l.wall
	s.beatOnce(l)
	if !l.wall.After(first) || !s.Alive("r", time.Minute) {
		t.Errorf("a beat took the lease from %v to %v", first, l.wall)
	}
	if err := os.Remove(l.lock.(fileLock).Path()); err != nil {
		t.Fatal(err)
	}
	s.beatOnce(l)
	if s.Alive("r", 0) {
		t.Error("a run without its lock file is alive")
	}
}

func TestLateBeat(t *testing.T) {
	now := time.Now()
	s, _ := openHere(t, Options{Beat: time.Hour, Clock: func() time.Time { return now }})
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r"}); err != nil {
		t.Fatal(err)
	}
	l := s.lease("r")
	now = now.Add(DefaultDead + time.Microsecond)
	s.beatOnce(l)
	now = now.Add(-DefaultDead)
	if s.Alive("r", 0) {
		t.Error("a run came back to life")
	}
}

// TestMonotonicClock: setting the wall clock back does not lengthen a lease.
func TestMonotonicClock(t *testing.T) {
	l := &lease{}
	now := time.Now()
	l.beaten(now, now.Add(-time.Minute))
	if left := l.leaves(now, DefaultDead); left > time.Minute {
		t.Errorf("a minute after the beat %v are left of two", left)
	}
}

func TestAttemptsAreKept(t *testing.T) {
	s, _ := openHere(t, Options{})
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r"}); err != nil {
		t.Fatal(err)
	}
	e := reconcile.Event{ID: "purchase/main/1"}
	if _, _, err := s.Claim(t.Context(), "t", "r", []reconcile.Ticket{{Event: e}}); err != nil {
		t.Fatal(err)
	}
	at := time.UnixMicro(5)
	o := reconcile.Outcome{ID: e.ID, Version: 1, Verdict: reconcile.Sent, Receipt: "r-1", Attempts: []reconcile.Attempt{
		{At: at, Verdict: reconcile.Retryable, Status: 429, Code: "slow_down"}, {At: at, Verdict: reconcile.Sent, Status: 200},
	}}
	late := reconcile.Outcome{ID: e.ID, Version: 7, Verdict: reconcile.Rejected}
	if _, err := s.Settle(t.Context(), "t", "r", []reconcile.Outcome{o, late}); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := s.pool.Select(&got, `SELECT verdict || ' ' || status || ' ' || code || ' ' || receipt || ' ' || late || ' ' || version
		FROM attempts ORDER BY attempt`)
	want := "retryable 429 slow_down  0 1, sent 200  r-1 0 1, rejected 0   1 7"
	if text := strings.Join(got, ", "); err != nil || text != want {
		t.Errorf("kept %q, %v, want %q", text, err, want)
	}
}

// TestOldReceiptsGo: a receipt is forgotten after 30 days, the entry stays.
func TestOldReceiptsGo(t *testing.T) {
	now := time.Now()
	s, _ := openHere(t, Options{Clock: func() time.Time { return now }})
	for n, want := range []string{"receipt", "receipt", ""} {
		run := reconcile.RunID(fmt.Sprint("r", n))
		if err := s.Begin(t.Context(), reconcile.RunRecord{Run: run}); err != nil {
			t.Fatal(err)
		}
		id := reconcile.EventID("purchase/main/1")
		if n == 0 {
			if _, _, err := s.Claim(t.Context(), "t", run, []reconcile.Ticket{{Event: reconcile.Event{ID: id}}}); err != nil {
				t.Fatal(err)
			}
			o := reconcile.Outcome{ID: id, Version: 1, Verdict: reconcile.Sent, Receipt: "receipt"}
			if _, err := s.Settle(t.Context(), "t", run, []reconcile.Outcome{o}); err != nil {
				t.Fatal(err)
			}
		}
		found, err := s.Find(t.Context(), "t", []reconcile.EventID{id})
		if err != nil || found[id].Receipt != want || found[id].State != reconcile.StateDone {
			t.Errorf("run %d: receipt %q of %q, %v, want %q", n, found[id].Receipt, found[id].State, err, want)
		}
		now = now.Add(receiptsKept - time.Hour)
	}
}

// TestLockFiles: an ended run leaves none, and a leftover of one is swept.
func TestLockFiles(t *testing.T) {
	s, _ := openHere(t, Options{})
	path := lockPath(lockFolder(s), "r1")
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	if free, err := lockFree(path); free || err != nil {
		t.Errorf("the lock of a live run is free: %v, %v", free, err)
	}
	if err := s.End(t.Context(), reconcile.RunEnd{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the lock file is still there: %v", err)
	}
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "alive"}); err != nil {
		t.Fatal(err)
	}
	unknown := lockPath(lockFolder(s), "not-yet-registered")
	for _, p := range []string{path, unknown} {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Begin(t.Context(), reconcile.RunRecord{Run: "r2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the leftover is still there: %v", err)
	}
	for _, p := range []string{unknown, lockPath(lockFolder(s), "r2"), lockPath(lockFolder(s), "alive")} {
		if _, err := os.Stat(p); err != nil {
			t.Errorf("a lock file that may be in use was removed: %v", err)
		}
	}
}
