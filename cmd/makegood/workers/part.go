package workers

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"makegood/reconcile"
)

// Part is a part of a slice's plan.
type Part struct {
	ID      int64
	Slice   Slice
	Target  string
	N       int
	Once    bool              // one run carries it out, whether it comes to its end or not
	Runs    []reconcile.RunID // that worked on it, in their order
	Stopped string            // why the target took no more
	State   string
	// Begun is told by whoever carries the part out that the run has begun, before
	// it claims anything. An error says that it must not.
	Begun func(context.Context) error

	failures int
	passes   int // runs that came to their end with something left for another one
	turn     int64
}

const selectParts = `SELECT id, target, n, once, runs, stopped, state, failures, passes, turn FROM parts `

func scanPart(row pgx.CollectableRow) (p Part, err error) {
	err = row.Scan(&p.ID, &p.Target, &p.N, &p.Once, &p.Runs, &p.Stopped, &p.State, &p.failures, &p.passes, &p.turn)
	return p, err
}

// parts lists the parts of a slice.
func (q *Queue) parts(ctx context.Context, slice int64) ([]Part, error) {
	rows, err := q.pool.Query(ctx, selectParts+`WHERE slice = $1 ORDER BY target, n`, slice)
	if err != nil {
		return nil, fmt.Errorf("look at the parts of a plan: %w", err)
	}
	return pgx.CollectRows(rows, scanPart)
}

// takePart takes the turn at a part that has not ended; ok is false where nothing
// is to be done any more.
func (q *Queue) takePart(ctx context.Context, id int64) (p Part, ok bool, err error) {
	var slice int64
	err = q.pool.QueryRow(ctx, `UPDATE parts SET turn = turn + 1 WHERE id = $1 AND state = 'waiting'
		RETURNING slice, id, target, n, once, runs, stopped, state, failures, passes, turn`, id).
		Scan(&slice, &p.ID, &p.Target, &p.N, &p.Once, &p.Runs, &p.Stopped, &p.State, &p.failures, &p.passes, &p.turn)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	list, err := q.Slices(ctx, []int64{slice})
	if err != nil || len(list) == 0 {
		return p, false, err
	}
	p.Slice = list[0]
	return p, true, nil
}

// stoppedBy says why another part of what was asked for found that its target takes
// no more; "" where it does.
func (q *Queue) stoppedBy(ctx context.Context, p Part) (why string, err error) {
	err = q.pool.QueryRow(ctx, `SELECT coalesce(max(o.why), '') FROM stops AS o JOIN slices AS s ON s.backfill = o.backfill WHERE s.id = $1 AND o.target = $2`, p.Slice.ID, p.Target).Scan(&why)
	return why, err
}

// begun notes a run that is about to work on a part.
func (q *Queue) begun(ctx context.Context, p Part, run reconcile.RunID) error {
	return q.owned(ctx, p, `UPDATE parts SET runs = array_append(runs, $3) WHERE id = $1 AND turn = $2`, string(run))
}

// ended notes that a part is over, and why its target takes no more of what was
// asked for. The job of its slice looks again when it was the last one.
func (q *Queue) ended(ctx context.Context, p Part, stopped string) error {
	_, err := q.pool.Exec(ctx, `INSERT INTO stops (backfill, target, why) SELECT s.backfill, p.target, $3 FROM parts AS p JOIN slices AS s ON s.id = p.slice
		WHERE p.id = $1 AND p.turn = $2 AND $3 <> '' ON CONFLICT DO NOTHING`, p.ID, p.turn, stopped)
	if err != nil {
		return err
	}
	err = q.owned(ctx, p, `UPDATE parts SET state = 'ended', stopped = $3 WHERE id = $1 AND turn = $2`, stopped)
	if err != nil {
		return err
	}
	var left int
	err = q.pool.QueryRow(ctx, `SELECT count(*) FROM parts WHERE slice = $1 AND state = 'waiting'`, p.Slice.ID).Scan(&left)
	if err != nil || left > 0 {
		return err
	}
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error { return q.put(ctx, tx, []int64{p.Slice.ID}, nil) })
}

// passed notes that a run of a part came to its end, and another one goes on.
func (q *Queue) passed(ctx context.Context, p Part) error {
	return q.owned(ctx, p, `UPDATE parts SET passes = passes + 1 WHERE id = $1 AND turn = $2`)
}

// partFailed notes what went wrong with a part's job.
func (q *Queue) partFailed(ctx context.Context, p Part, why trouble) error {
	return q.owned(ctx, p, `UPDATE parts SET failures = failures + 1, class = $3, trouble = $4 WHERE id = $1 AND turn = $2`, why.class, why.text)
}

// settingsOf gives the settings that a part was asked for with; "" where there is
// none.
func (q *Queue) settingsOf(ctx context.Context, part int64) (settings string, err error) {
	err = q.pool.QueryRow(ctx, `SELECT b.settings FROM parts AS p JOIN slices AS s ON s.id = p.slice JOIN backfills AS b ON b.id = s.backfill WHERE p.id = $1`, part).Scan(&settings)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return settings, err
}

// owned changes a part whose turn is still had.
func (q *Queue) owned(ctx context.Context, p Part, statement string, values ...any) error {
	did, err := q.pool.Exec(ctx, statement, append([]any{p.ID, p.turn}, values...)...)
	if err == nil && did.RowsAffected() == 0 {
		err = errTurn
	}
	return err
}
