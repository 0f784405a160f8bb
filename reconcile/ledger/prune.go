package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Prune forgets what is done of orders completed before a time, and what was
// decided about orders as old, at one target; what is not done stays. From
// then on the ledger holds orders that old back there, because it cannot know
// any more what was sent. The journal begins anew with what is left, after the
// hash that it had. It refuses while a run lives.
func (s *Store) Prune(ctx context.Context, target string, before time.Time) (entries int, err error) {
	err = s.write(ctx, "prune "+target, func(ctx context.Context, t *tx) error {
		if err := s.alone(ctx, t.conn); err != nil {
			return err
		}
		n, err := t.prune(ctx, target, micros(before))
		entries = n
		return err
	})
	if err != nil {
		return 0, err
	}
	return entries, s.reread(ctx)
}

func (t *tx) prune(ctx context.Context, target string, before int64) (n int, err error) {
	const old = `target = ? AND state = 'done' AND completed_at < ?`
	if _, err := t.ExecContext(ctx, `DELETE FROM attempts WHERE EXISTS (SELECT 1 FROM entries AS e
		WHERE e.target = attempts.target AND e.event = attempts.event AND e.`+strings.ReplaceAll(old, " AND ", " AND e.")+`)`, target, before); err != nil {
		return 0, fmt.Errorf("prune attempts: %w", err)
	}
	done, err := t.ExecContext(ctx, `DELETE FROM entries WHERE `+old, target, before)
	if err != nil {
		return 0, fmt.Errorf("prune entries: %w", err)
	}
	entries, err := done.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("prune entries: %w", err)
	}
	n = int(entries)
	if _, err := t.ExecContext(ctx, `DELETE FROM decisions WHERE target = ? AND completed_at < ?`, target, before); err != nil {
		return n, fmt.Errorf("prune decisions: %w", err)
	}
	// The fold of the journal is what the tables hold now: what was written
	// into it in this transaction is part of its beginning.
	t.journal.Reset()
	if _, err := t.ExecContext(ctx, `DELETE FROM journal`); err != nil {
		return n, fmt.Errorf("begin the journal anew: %w", err)
	}
	var was prunedRow
	var known []prunedRow
	if err := t.SelectContext(ctx, &known, `SELECT * FROM pruned WHERE target = ?`, target); err != nil {
		return n, err
	}
	if len(known) > 0 {
		was = known[0]
	}
	if is := (prunedRow{target, max(before, was.UpTo)}); is != was {
		t.pending = append(t.pending, stored{row: is})
	}
	if err := t.flush(ctx); err != nil {
		return n, err
	}
	return n, t.base(ctx, t.head)
}

// Pruned tells up to which completion time a target's orders were forgotten;
// zero when none were.
func (v *view) Pruned(ctx context.Context, target string) (upto time.Time, err error) {
	err = v.read(ctx, "read what was pruned at "+target, func(c *conn) error {
		var times []int64
		if err := c.SelectContext(ctx, &times, `SELECT upto FROM pruned WHERE target = ?`, target); err != nil || len(times) == 0 {
			return err
		}
		upto = instant(times[0])
		return nil
	})
	return upto, err
}
