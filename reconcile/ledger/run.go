package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"makegood/reconcile"
)

// receiptsKept is how long receipts are kept (CONTRACTS 15).
const receiptsKept = 30 * 24 * time.Hour

// Begin implements reconcile.Ledger. The lock is taken before the run is
// registered, so that nobody ever sees a living run without it. A run id can be
// used once.
func (s *Store) Begin(ctx context.Context, run reconcile.RunRecord) error {
	if err := s.sweepLocks(ctx); err != nil {
		return fmt.Errorf("begin run %s: %w", run.Run, err)
	}
	l, err := takeLease(ctx, s.db, run.Run)
	if err != nil {
		return fmt.Errorf("begin run %s: %w", run.Run, err)
	}
	var mono, wall time.Time
	err = s.write(ctx, "begin run "+string(run.Run), func(ctx context.Context, t *tx) error {
		mono, wall = time.Now(), s.clock()
		beat, err := s.db.now(ctx, t.conn)
		if err != nil {
			return err
		}
		if err := t.register(ctx, run, s.host, beat); err != nil {
			return err
		}
		if err := t.takeSlot(ctx, run, s.newDeaths()); err != nil {
			return err
		}
		return t.forgetReceipts(ctx, wall.Add(-receiptsKept))
	})
	if err == nil {
		l.beaten(wall, mono)
		err = s.keepLease(l)
	}
	if err != nil {
		return errors.Join(err, l.lock.release())
	}
	return nil
}

// register stores a run whose id was never used.
func (t *tx) register(ctx context.Context, run reconcile.RunRecord, host string, beat time.Time) error {
	var used bool
	if err := t.GetContext(ctx, &used, `SELECT EXISTS (SELECT 1 FROM runs WHERE run = ?)`, string(run.Run)); err != nil {
		return err
	}
	if used {
		return fmt.Errorf("the id %s was used before", run.Run)
	}
	return t.put(runRow{}, runRow{Run: string(run.Run), Host: host, Command: run.Command, Started: micros(run.Started),
		WindowFrom: micros(run.Window.From), WindowTo: micros(run.Window.To), Beat: micros(beat)})
}

// forgetReceipts is no change of the entries: the journal knows receipts by
// their keyed hash alone.
func (t *tx) forgetReceipts(ctx context.Context, before time.Time) error {
	for _, statement := range []string{
		`UPDATE entries SET receipt = '' WHERE receipt <> '' AND at < ? AND state <> 'claimed'`,
		`UPDATE attempts SET receipt = '' WHERE receipt <> '' AND at < ?`,
	} {
		if _, err := t.ExecContext(ctx, statement, micros(before)); err != nil {
			return fmt.Errorf("forget old receipts: %w", err)
		}
	}
	return nil
}

// keepLease starts the beating.
func (s *Store) keepLease(l *lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases == nil {
		return ErrClosed
	}
	s.leases[l.run] = l
	go l.beatEvery(s.beat, func() { s.beatOnce(l) })
	return nil
}

func (s *Store) lease(run reconcile.RunID) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leases[run]
}

// takeLeases hands out all leases for closing, once.
func (s *Store) takeLeases() (leases []*lease, open bool) {
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
func (s *Store) beatOnce(l *lease) {
	var wall, mono time.Time
	err := s.write(context.Background(), "beat", func(ctx context.Context, t *tx) error {
		mono, wall = time.Now(), s.clock()
		now, err := s.db.now(ctx, t.conn)
		if err != nil {
			return err
		}
		const update = `UPDATE runs SET beat = ? WHERE run = ? AND finished IS NULL AND beat >= ?`
		done, err := t.ExecContext(ctx, update, micros(now), string(l.run), micros(now.Add(-s.dead)))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errTooLate)
		}
		return nil
	})
	switch {
	case errors.Is(err, errTooLate), !l.lock.holds():
		l.end()
	case err == nil:
		l.beaten(wall, mono)
	}
}

// Alive implements reconcile.Ledger.
func (s *Store) Alive(run reconcile.RunID, d time.Duration) bool {
	l := s.lease(run)
	return l != nil && l.leaves(s.clock(), s.dead) >= max(d, 0)
}

func (s *Store) mustLive(run reconcile.RunID) error {
	if !s.Alive(run, 0) {
		return fmt.Errorf("run %s: %w", run, reconcile.ErrRunOver)
	}
	return nil
}

// End implements reconcile.Ledger; it ignores cancellation. Claims that the run
// still has read as lost from then on. A run that was not begun on this handle,
// or has ended, gets ErrRunOver.
func (s *Store) End(ctx context.Context, end reconcile.RunEnd) error {
	l := s.lease(end.Run)
	if l == nil {
		return fmt.Errorf("end run %s: %w", end.Run, reconcile.ErrRunOver)
	}
	err := s.write(context.WithoutCancel(ctx), "end run "+string(end.Run), func(ctx context.Context, t *tx) error {
		return t.finish(ctx, end)
	})
	if err != nil {
		return err
	}
	return s.dropLease(l)
}

// dropLease gives the lock back.
func (s *Store) dropLease(l *lease) error {
	s.mu.Lock()
	held := s.leases[l.run] == l // else Close has it
	delete(s.leases, l.run)
	s.mu.Unlock()
	if !held {
		return nil
	}
	l.stopBeating()
	l.end()
	return l.lock.release()
}

// finish stores how a run ended.
func (t *tx) finish(ctx context.Context, end reconcile.RunEnd) error {
	var was runRow
	err := t.GetContext(ctx, &was, `SELECT * FROM runs WHERE run = ? AND finished IS NULL`, string(end.Run))
	if errors.Is(err, sql.ErrNoRows) {
		return reconcile.ErrRunOver
	}
	if err != nil {
		return err
	}
	is, finished, exit := was, micros(end.Finished), int64(end.Exit)
	is.Finished, is.Exit, is.Summary = &finished, &exit, end.Summary
	is.WindowFrom, is.WindowTo = micros(end.Window.From), micros(end.Window.To)
	was.Beat = 0 // beats are not in the journal: the last one comes with the end
	if err := t.put(was, is); err != nil {
		return err
	}
	for _, c := range end.Covered {
		if err := t.cover(ctx, c); err != nil {
			return fmt.Errorf("store coverage: %w", err)
		}
	}
	if err := t.meetDays(ctx, end.Days); err != nil {
		return fmt.Errorf("store how many orders a day had: %w", err)
	}
	for _, d := range end.Evidence {
		if err := t.countDay(ctx, d); err != nil {
			return fmt.Errorf("store evidence days: %w", err)
		}
	}
	return nil
}

func (t *tx) cover(ctx context.Context, c reconcile.Coverage) error {
	is := coverageRow{Target: c.Target, Mode: c.Mode, Source: c.Source, UpTo: micros(c.To)}
	var was coverageRow
	err := t.GetContext(ctx, &was, `SELECT * FROM coverage WHERE target = ? AND mode = ? AND source = ?`, c.Target, c.Mode, c.Source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return t.put(was, is)
}

// countDay keeps the most rows that any run saw of a day.
func (t *tx) countDay(ctx context.Context, d reconcile.EvidenceDay) error {
	is := evidenceRow{Evidence: d.Evidence, Day: d.Day, Count: int64(d.Rows)}
	var was evidenceRow
	err := t.GetContext(ctx, &was, `SELECT * FROM evidence_days WHERE evidence = ? AND day = ?`, d.Evidence, d.Day)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	is.Count = max(is.Count, was.Count)
	return t.put(was, is)
}

// sweepLocks removes what runs that have ended or died have left.
func (s *Store) sweepLocks(ctx context.Context) error {
	return s.db.sweep(ctx, func(runs []string) (registered []string, err error) {
		list, err := jsonText(runs)
		if err != nil {
			return nil, err
		}
		err = s.read(ctx, "look for old runs", func(conn *conn) error {
			return conn.SelectContext(ctx, &registered,
				`SELECT r.run FROM json_each(?) AS j CROSS JOIN runs AS r WHERE r.run = j.value`, list)
		})
		return registered, err
	})
}
