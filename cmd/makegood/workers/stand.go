package workers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Stand is how far the queue is.
type Stand struct {
	Workers  []Living
	Slices   map[string]int // by state, those of the last 7 days
	Planning int            // of those that are queued: a worker is at them
	Parts    int            // that wait or are being sent
	Lanes    []Lane         // by target, what is being sent
	Asked    []string       // the digests of the settings of what is not over
	Stuck    []Stuck        // at most stuckShown
}

// Lane is how far the sending to a target is.
type Lane struct {
	Target string
	Parts  int // that have not ended
	AtWork int // of these: a worker is at them
}

// Kinds of what does not go on.
const (
	StuckFailed  = "failed"  // its job is tried again
	StuckStopped = "stopped" // the target takes no more
	StuckEnded   = "ended"   // no further slice of what was asked for is begun
	StuckLost    = "lost"    // its worker is gone
)

// Stuck is what does not go on by itself just now, and why.
type Stuck struct {
	Kind     string
	From     time.Time // of the slice
	To       time.Time
	Target   string // "": its plan
	Failures int
	Class    string     // of the error
	Why      string     // without personal data
	Worker   string     // that was at it
	Again    *time.Time // when it is tried again
}

// stuckShown bounds how many things that do not go on are listed.
const stuckShown = 20

// Stand looks how far the queue is. Nothing is changed.
func (q *Queue) Stand(ctx context.Context) (s Stand, err error) {
	err = pgx.BeginTxFunc(ctx, q.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, look := range []func(context.Context, pgx.Tx) error{s.slices, s.lanes, s.stuck} {
			if err := look(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.Workers, err = q.Living(ctx)
	}
	if err != nil {
		return s, fmt.Errorf("look how far the queue is: %w", err)
	}
	return s, nil
}

func (s *Stand) slices(ctx context.Context, tx pgx.Tx) error {
	s.Slices = map[string]int{}
	rows, err := tx.Query(ctx, `SELECT state, count(*) FROM slices GROUP BY state`)
	if err != nil {
		return err
	}
	var state string
	var n int
	if _, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		s.Slices[state] = n
		return nil
	}); err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM slices AS s WHERE s.state = 'queued' AND EXISTS (SELECT 1 FROM river_job AS j
		WHERE j.kind = 'plan' AND j.state = 'running' AND (j.args->>'slice')::bigint = s.id)`).Scan(&s.Planning)
	if err != nil {
		return err
	}
	rows, err = tx.Query(ctx, `SELECT DISTINCT b.settings FROM backfills AS b JOIN slices AS s ON s.backfill = b.id WHERE s.state IN ('waiting', 'queued', 'sending')`)
	if err == nil {
		s.Asked, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	return err
}

func (s *Stand) lanes(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT target, count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM river_job AS j
		WHERE j.kind = 'send' AND j.state = 'running' AND (j.args->>'part')::bigint = p.id)) FROM parts AS p WHERE state = 'waiting' GROUP BY target ORDER BY target`)
	if err == nil {
		s.Lanes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Lane])
	}
	for _, one := range s.Lanes {
		s.Parts += one.Parts
	}
	return err
}

// whoGone names the worker of a running job that lives no more; a job that
// another one has just taken has none.
const whoGone = ` FROM river_job AS j LEFT JOIN workers AS w ON w.id = j.attempted_by[cardinality(j.attempted_by)]
	WHERE j.state = 'running' AND (w.id IS NULL OR w.beat < clock_timestamp() - $1::interval AND NOT ` + held + `) AND `

func (s *Stand) stuck(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT 'failed', window_from, window_to, '' AS target, failures, class, trouble, '',
			(SELECT max(j.scheduled_at) FROM river_job AS j WHERE j.kind = 'plan' AND j.state = 'retryable' AND (j.args->>'slice')::bigint = s.id)
			FROM slices AS s WHERE failures > 0 AND state IN ('queued', 'sending')
		UNION SELECT CASE WHEN p.stopped <> '' THEN 'stopped' ELSE 'failed' END, s.window_from, s.window_to, p.target, p.failures, p.class,
			CASE WHEN p.stopped <> '' THEN p.stopped ELSE p.trouble END, '',
			(SELECT max(j.scheduled_at) FROM river_job AS j WHERE j.kind = 'send' AND j.state = 'retryable' AND (j.args->>'part')::bigint = p.id)
			FROM parts AS p JOIN slices AS s ON s.id = p.slice WHERE p.stopped <> '' OR p.failures > 0 AND p.state = 'waiting'
				AND NOT EXISTS (SELECT 1 FROM river_job AS j WHERE j.kind = 'send' AND j.state = 'running' AND (j.args->>'part')::bigint = p.id)
		UNION SELECT 'lost', s.window_from, s.window_to, '', 0, '', '', lost.name, NULL FROM slices AS s
			JOIN LATERAL (SELECT coalesce(w.name, '') AS name`+whoGone+`j.kind = 'plan' AND (j.args->>'slice')::bigint = s.id LIMIT 1) AS lost ON true WHERE s.state IN ('queued', 'sending')
		UNION SELECT 'lost', s.window_from, s.window_to, p.target, 0, '', '', lost.name, NULL FROM parts AS p JOIN slices AS s ON s.id = p.slice
			JOIN LATERAL (SELECT coalesce(w.name, '') AS name`+whoGone+`j.kind = 'send' AND (j.args->>'part')::bigint = p.id LIMIT 1) AS lost ON true WHERE p.state = 'waiting'
		UNION SELECT 'ended', min(s.window_from), max(s.window_to), '', 0, '', b.ended, '', NULL FROM backfills AS b JOIN slices AS s ON s.backfill = b.id
			WHERE b.ended NOT IN ('', $3) AND b.id = (SELECT max(backfill) FROM slices) GROUP BY b.id, b.ended
		ORDER BY 2, 4, 1 LIMIT $2`, deadWithoutLock, stuckShown, cancelled)
	if err == nil {
		s.Stuck, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Stuck])
	}
	return err
}

// Idle lists the kinds of jobs that nobody does although some wait.
func (s Stand) Idle() (kinds []string) {
	waits := map[string]bool{KindPlan: s.Slices[Waiting]+s.Slices[Queued]+s.Slices[Sending] > 0, KindSend: s.Parts > 0}
	for _, kind := range []string{KindPlan, KindSend} {
		if waits[kind] && !slices.ContainsFunc(s.Workers, func(w Living) bool { return !w.Gone && slices.Contains(w.Kinds, kind) }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
