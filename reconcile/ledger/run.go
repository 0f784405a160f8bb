package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

// receiptsKept is how long receipts are kept (CONTRACTS 15).
const receiptsKept = 30 * 24 * time.Hour

// Begin implements reconcile.Ledger. The lock is taken before the run is
// registered, so that nobody ever sees a living run without it. A run id can be
// used once.
func (s *SQLite) Begin(ctx context.Context, run reconcile.RunRecord) error {
	if err := s.sweepLocks(ctx); err != nil {
		return fmt.Errorf("begin run %s: %w", run.Run, err)
	}
	l, err := takeLease(s.folder, run.Run)
	if err != nil {
		return fmt.Errorf("begin run %s: %w", run.Run, err)
	}
	mono := time.Now()
	wall := s.clock()
	err = s.write(ctx, "begin run "+string(run.Run), func(ctx context.Context, conn *sqlx.Conn) error {
		const insert = `INSERT INTO runs (run, host, command, started, window_from, window_to, beat)
			VALUES (?, ?, ?, ?, ?, ?, ?)`
		if _, err := conn.ExecContext(ctx, insert, string(run.Run), s.host, run.Command, micros(run.Started),
			micros(run.Window.From), micros(run.Window.To), micros(wall)); err != nil {
			return err
		}
		return forgetReceipts(ctx, conn, wall.Add(-receiptsKept))
	})
	if err == nil {
		l.beaten(wall, mono)
		err = s.keepLease(l)
	}
	if err != nil {
		return errors.Join(err, os.Remove(l.lock.Path()), l.lock.Unlock())
	}
	return nil
}

func forgetReceipts(ctx context.Context, conn *sqlx.Conn, before time.Time) error {
	for _, statement := range []string{
		`UPDATE entries SET receipt = '', version = version + 1 WHERE receipt <> '' AND at < ? AND state <> 'claimed'`,
		`UPDATE attempts SET receipt = '' WHERE receipt <> '' AND at < ?`,
	} {
		if _, err := conn.ExecContext(ctx, statement, micros(before)); err != nil {
			return fmt.Errorf("forget old receipts: %w", err)
		}
	}
	return nil
}

// keepLease starts the beating.
func (s *SQLite) keepLease(l *lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases == nil {
		return ErrClosed
	}
	s.leases[l.run] = l
	go l.beatEvery(s.beat, func() { s.beatOnce(l) })
	return nil
}

func (s *SQLite) lease(run reconcile.RunID) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leases[run]
}

// takeLeases hands out all leases for closing, once.
func (s *SQLite) takeLeases() (leases []*lease, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leases, open = slices.Collect(maps.Values(s.leases)), s.leases != nil
	s.leases = nil
	return leases, open
}

// errTooLate says that a beat came when others already took the run for dead.
var errTooLate = errors.New("the beat came too late")

// beatOnce renews the beat. A run that others may already have taken for dead
// never comes back to life. An error of the ledger is left to the next beat;
// meanwhile the lease ages.
func (s *SQLite) beatOnce(l *lease) {
	var wall, mono time.Time
	err := s.write(context.Background(), "beat", func(ctx context.Context, conn *sqlx.Conn) error {
		mono = time.Now()
		wall = s.clock()
		const update = `UPDATE runs SET beat = ? WHERE run = ? AND finished IS NULL AND beat >= ?`
		done, err := conn.ExecContext(ctx, update, micros(wall), string(l.run), micros(wall.Add(-s.dead)))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errTooLate)
		}
		return nil
	})
	switch {
	case errors.Is(err, errTooLate), !l.holds():
		l.end()
	case err == nil:
		l.beaten(wall, mono)
	}
}

// Alive implements reconcile.Ledger.
func (s *SQLite) Alive(run reconcile.RunID, d time.Duration) bool {
	l := s.lease(run)
	return l != nil && l.leaves(s.clock(), s.dead) >= max(d, 0)
}

func (s *SQLite) mustLive(run reconcile.RunID) error {
	if !s.Alive(run, 0) {
		return fmt.Errorf("run %s: %w", run, reconcile.ErrRunOver)
	}
	return nil
}

// End implements reconcile.Ledger; it ignores cancellation. Claims that the run
// still has read as lost from then on. A run that was not begun on this handle,
// or has ended, gets ErrRunOver.
func (s *SQLite) End(ctx context.Context, end reconcile.RunEnd) error {
	l := s.lease(end.Run)
	if l == nil {
		return fmt.Errorf("end run %s: %w", end.Run, reconcile.ErrRunOver)
	}
	err := s.write(context.WithoutCancel(ctx), "end run "+string(end.Run), func(ctx context.Context, conn *sqlx.Conn) error {
		return storeEnd(ctx, conn, end)
	})
	if err != nil {
		return err
	}
	return s.dropLease(l)
}

// dropLease gives the lock back and removes its file.
func (s *SQLite) dropLease(l *lease) error {
	s.mu.Lock()
	held := s.leases[l.run] == l // else Close has it
	delete(s.leases, l.run)
	s.mu.Unlock()
	if !held {
		return nil
	}
	l.stopBeating()
	l.end()
	if err := l.lock.Unlock(); err != nil {
		return fmt.Errorf("give the lock of run %s back: %w", l.run, err)
	}
	_ = os.Remove(l.lock.Path()) // else a later Begin removes it
	return nil
}

func storeEnd(ctx context.Context, conn *sqlx.Conn, end reconcile.RunEnd) error {
	const update = `UPDATE runs SET finished = ?, window_from = ?, window_to = ?, exit = ?, summary = ? WHERE run = ? AND finished IS NULL`
	done, err := conn.ExecContext(ctx, update, micros(end.Finished), micros(end.Window.From), micros(end.Window.To), end.Exit, end.Summary, string(end.Run))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, reconcile.ErrRunOver)
	}
	for _, c := range end.Covered {
		const insert = `INSERT OR REPLACE INTO coverage (target, mode, source, upto) VALUES (?, ?, ?, ?)`
		if _, err := conn.ExecContext(ctx, insert, c.Target, c.Mode, c.Source, micros(c.To)); err != nil {
			return fmt.Errorf("store coverage: %w", err)
		}
	}
	for _, d := range end.Evidence {
		const insert = `INSERT INTO evidence_days (evidence, day, count) VALUES (?, ?, ?)
			ON CONFLICT (evidence, day) DO UPDATE SET count = max(count, excluded.count)`
		if _, err := conn.ExecContext(ctx, insert, d.Evidence, d.Day, d.Rows); err != nil {
			return fmt.Errorf("store evidence days: %w", err)
		}
	}
	return nil
}

// sweepLocks removes the lock files of runs that have ended or died. A run is
// registered only once it holds its lock, and its id is never used again: so a
// registered run whose lock is free will not take it any more.
func (s *SQLite) sweepLocks(ctx context.Context) error {
	files, err := os.ReadDir(s.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for old locks: %w", err)
	}
	var runs []string
	for _, f := range files {
		if run, is := strings.CutSuffix(f.Name(), ".lock"); is {
			runs = append(runs, run)
		}
	}
	list, err := jsonText(runs)
	if err != nil {
		return err
	}
	var registered []string
	err = s.read(ctx, "look for old runs", func(conn *sqlx.Conn) error {
		return conn.SelectContext(ctx, &registered,
			`SELECT r.run FROM json_each(?) AS j CROSS JOIN runs AS r WHERE r.run = j.value`, list)
	})
	for _, run := range registered {
		path := lockPath(s.folder, run)
		if free, err := lockFree(path); err == nil && free {
			_ = os.Remove(path) // a file that stays is in nobody's way
		}
	}
	return err
}
