package workers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// When a worker is taken for dead: when its lock is free and it has not beaten for
// a while, as after a cut connection it may, or when it has not beaten at all.
const (
	deadWithoutLock = 5 * time.Second
	deadWithLock    = 2 * time.Minute
	// lostJob is how old a job of a living worker must be that it knows nothing
	// of: that between River and us it is on its way.
	lostJob = 10 * time.Second
)

// How far planning runs ahead of sending: no slice is begun while more parts wait,
// or while so many slices for each worker are being planned.
const (
	aheadParts  = 64
	aheadSlices = 2
)

// tidy looks after the queue, one worker at a time: what the dead were at is given
// back, jobs that were lost are made anew, old plans go, and the next slices have
// their turn. River itself gives nothing back: it takes a job without a time limit
// for one that goes on.
func (w *Worker) tidy(ctx context.Context) error {
	jobs, _ := w.atHand()
	// A job that this worker has by River's word, and does not know of: the word
	// that it is over was lost with a connection.
	_, err := w.pool.Exec(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now()
		WHERE state = 'running' AND attempted_by[cardinality(attempted_by)] = $1 AND attempted_at < now() - $2::interval AND NOT id = ANY($3)`,
		w.id, lostJob, append([]int64{}, jobs...))
	if err == nil {
		err = w.alone(ctx, w.tidyAll)
	}
	if err != nil {
		return fmt.Errorf("look after the queue: %w", err)
	}
	return nil
}

// feed gives the next slices their turn.
func (q *Queue) feed(ctx context.Context) error { return q.alone(ctx, q.feedOnce) }

// alone does what one process at a time does, unless another is at it.
func (q *Queue) alone(ctx context.Context, do func(context.Context, pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		var got bool
		err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, q.key("tidy")).Scan(&got)
		if err != nil || !got {
			return err
		}
		return do(ctx, tx)
	})
}

func (w *Worker) tidyAll(ctx context.Context, tx pgx.Tx) error {
	for _, one := range []struct {
		statement string
		args      []any
	}{
		// The dead. The lock is looked at with a shared one for the length of
		// this transaction, so that two who look do not take each other for the
		// worker.
		{`DELETE FROM workers WHERE id <> $1 AND (beat < clock_timestamp() - $2::interval
			OR beat < clock_timestamp() - $3::interval AND pg_try_advisory_xact_lock_shared(lock))`, []any{w.id, deadWithLock, deadWithoutLock}},
		// What they were at. River enters who took a job at the end of attempted_by.
		{`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'running'
			AND NOT EXISTS (SELECT 1 FROM workers AS w WHERE w.id = attempted_by[cardinality(attempted_by)])`, nil},
		{`DELETE FROM backfills AS b WHERE asked < now() - $1::interval AND NOT EXISTS (SELECT 1 FROM slices AS s WHERE s.backfill = b.id
			AND (s.finished IS NULL OR s.finished > now() - $1::interval))`, []any{plansKept}},
	} {
		if _, err := tx.Exec(ctx, one.statement, one.args...); err != nil {
			return err
		}
	}
	// Slices whose plan lies here for too long are planned anew: it has expired.
	old, err := idsOf(ctx, tx, `SELECT id FROM slices WHERE state = 'sending' AND planned < now() - $1::interval FOR UPDATE SKIP LOCKED`, plansKept)
	if err == nil {
		err = anew(ctx, tx, old)
	}
	if err := cmp.Or(err, w.again(ctx, tx)); err != nil {
		return err
	}
	return w.feedOnce(ctx, tx)
}

// unfinished says of a job that River still has it.
const unfinished = `j.state IN ('available', 'pending', 'running', 'retryable', 'scheduled')`

// again makes jobs anew that nobody has any more: of parts that have not ended,
// and of slices that have nothing to wait for.
func (q *Queue) again(ctx context.Context, tx pgx.Tx) error {
	parts, err := idsOf(ctx, tx, `SELECT p.id FROM parts AS p WHERE p.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM river_job AS j
		WHERE j.kind = 'send' AND (j.args->>'part')::bigint = p.id AND `+unfinished+`)`)
	if err != nil {
		return err
	}
	jobless, err := idsOf(ctx, tx, `SELECT s.id FROM slices AS s WHERE s.state IN ('queued', 'sending')
		AND NOT EXISTS (SELECT 1 FROM parts AS p WHERE p.slice = s.id AND p.state = 'waiting') AND NOT EXISTS (SELECT 1 FROM river_job AS j
		WHERE j.kind = 'plan' AND (j.args->>'slice')::bigint = s.id AND `+unfinished+`) ORDER BY s.backfill, s.position`)
	if err != nil {
		return err
	}
	return q.put(ctx, tx, jobless, parts)
}

func idsOf(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]int64, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// earlierOpen says of a slice s that one before it is not over. Slices have their
// ids in the order in which they were asked for first, whoever asks again.
const earlierOpen = `EXISTS (SELECT 1 FROM slices AS e WHERE e.state IN ('waiting', 'queued', 'sending') AND e.id < s.id)`

// feedOnce gives the next slices their turn, as far as planning may run ahead.
// River gets them one after the other: of all of them at once, those that had to
// wait would lose their turn.
func (q *Queue) feedOnce(ctx context.Context, tx pgx.Tx) error {
	ids, err := idsOf(ctx, tx, `UPDATE slices SET state = 'queued' WHERE state = 'waiting' AND id IN (SELECT s.id FROM slices AS s WHERE s.state = 'waiting'
			AND (SELECT count(*) FROM parts WHERE state = 'waiting') <= $1 AND NOT (s.in_turn AND `+earlierOpen+`)
		ORDER BY s.id LIMIT greatest(0, $2 * greatest(1, (SELECT count(*) FROM workers)) - (SELECT count(*) FROM slices WHERE state = 'queued')))
		RETURNING id`, aheadParts, aheadSlices)
	if err != nil {
		return err
	}
	slices.Sort(ids) // as they were asked for
	return q.put(ctx, tx, ids, nil)
}
