package workers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Forget sees to it that no worker sends anything about these any more. What they
// are, the workers' hands know; the queue holds them as they are given. They know
// within a second. Plans that name somebody are another matter: Drop.
func (q *Queue) Forget(ctx context.Context, lines []string) error {
	_, err := q.pool.Exec(ctx, `INSERT INTO forgotten (line) SELECT line FROM unnest($1::text[]) AS line WHERE line <> '' ON CONFLICT DO NOTHING`, lines)
	if err != nil {
		return fmt.Errorf("tell the workers whom to forget: %w", err)
	}
	return nil
}

// Drop erases the plans in the queue in which names finds somebody: their slices
// are planned anew. It is asked about files that lie in dir for a moment.
func (q *Queue) Drop(ctx context.Context, dir string, names func(path string) (bool, error)) (slices int, err error) {
	var ids []int64
	rows, err := q.pool.Query(ctx, `SELECT id FROM slices WHERE state = 'sending' ORDER BY id`)
	if err == nil {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	for _, id := range ids {
		var named bool
		if err == nil {
			named, err = q.planNames(ctx, id, dir, names)
		}
		if err != nil {
			break
		}
		if !named {
			continue
		}
		err = pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
			var still []int64
			still, err := idsOf(ctx, tx, `SELECT id FROM slices WHERE id = $1 AND state = 'sending' FOR UPDATE`, id)
			if err == nil {
				err = anew(ctx, tx, still) // what has ended meanwhile is erased already
			}
			return err
		})
		slices++
	}
	if err != nil {
		return slices, fmt.Errorf("look for plans in the queue: %w", err)
	}
	return slices, nil
}

// planNames reports whether one of a slice's files names somebody.
func (q *Queue) planNames(ctx context.Context, slice int64, dir string, names func(path string) (bool, error)) (named bool, err error) {
	rows, err := q.pool.Query(ctx, `SELECT DISTINCT file FROM pieces WHERE slice = $1 ORDER BY file`, slice)
	if err != nil {
		return false, err
	}
	files, err := pgx.CollectRows(rows, pgx.RowTo[string])
	path := filepath.Join(dir, fmt.Sprintf("forget-%d.tmp", slice))
	defer func() {
		if gone := os.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	for _, file := range files {
		if err == nil {
			err = q.load(ctx, slice, file, path)
		}
		if errors.Is(err, errGone) {
			return false, nil
		}
		if err == nil {
			named, err = names(path)
		}
		if err != nil || named {
			return named, err
		}
	}
	return false, err
}

// forget brings whom to forget to this machine, and gives how many they are.
func (w *Worker) forget(ctx context.Context) (n int, err error) {
	rows, err := w.pool.Query(ctx, `SELECT line FROM forgotten ORDER BY n`)
	if err != nil {
		return 0, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.mu.Lock()
	known := w.forgotten
	w.mu.Unlock()
	if err == nil && len(lines) != known {
		err = w.hands.Forget(lines)
	}
	if err != nil {
		return 0, fmt.Errorf("learn whom to forget: %w", err)
	}
	w.mu.Lock()
	w.forgotten = len(lines)
	w.mu.Unlock()
	return len(lines), nil
}

// countForgotten counts whom nothing is sent about. Until the transaction ends,
// nobody is added: whoever is, finds what it stores.
func countForgotten(ctx context.Context, tx pgx.Tx) (n int, err error) {
	if _, err := tx.Exec(ctx, `LOCK TABLE forgotten IN SHARE MODE`); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM forgotten`).Scan(&n)
	return n, err
}
