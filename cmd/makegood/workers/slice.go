package workers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"makegood/reconcile"
)

// States of a slice.
const (
	Waiting   = "waiting"
	Queued    = "queued"    // its job waits, or plans
	Sending   = "sending"   // its plan is in parts
	Done      = "done"      // it was summed up
	Cancelled = "cancelled" // it was taken out before it was planned
)

// Asked is a period that a person asked for.
type Asked struct {
	Settings string          // the digest of the settings that it was asked for with
	Options  json.RawMessage // what else the person said; no personal data
	Targets  []string        // none: all
	Slices   []reconcile.Window
	InTurn   bool // each is planned when those before it are over
}

// Slice is one slice of a period.
type Slice struct {
	ID       int64
	Settings string
	Options  json.RawMessage
	Targets  []string
	Window   reconcile.Window
	State    string
	Round    int               // from 1: how often it was planned
	Runs     []reconcile.RunID // that worked on it in the rounds before
	Failures int               // of its job, since its plan was made
	Trouble  string            // of the last failure
	Parts    int
	Left     int             // parts that have not ended
	Told     json.RawMessage // how it ended, of one that is done
	Ended    string          // why no further slice of its period is begun
	Place    int             // in the order in which its period is worked on
	Beside   bool            // slices before it are not over; of one that is queued

	turn int64
}

// Ask puts slices into the queue, in the order in which they are to be worked on,
// and gives their ids. A slice that is in it already, as the same person or
// another one asked for it, is that one, and goes on as what is asked for now: why
// the other was ended no longer counts.
func (q *Queue) Ask(ctx context.Context, a Asked) (ids []int64, err error) {
	err = pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		var backfill int64
		err := tx.QueryRow(ctx, `INSERT INTO backfills (settings, options) VALUES ($1, $2) RETURNING id`, a.Settings, a.Options).Scan(&backfill)
		if err != nil {
			return err
		}
		for i, w := range a.Slices {
			id, err := a.put(ctx, tx, backfill, i, w)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("put slices into the queue: %w", err)
	}
	return ids, nil
}

func (a Asked) put(ctx context.Context, tx pgx.Tx, backfill int64, n int, w reconcile.Window) (id int64, err error) {
	targets := append([]string{}, a.Targets...)
	slices.Sort(targets)
	sum := sha256.Sum256([]byte(strings.Join(append(targets, a.Settings, string(a.Options), w.From.UTC().String(), w.To.UTC().String()), "\x00")))
	key := hex.EncodeToString(sum[:])
	// DO UPDATE, so that the row of the other one is given back.
	err = tx.QueryRow(ctx, `INSERT INTO slices (backfill, position, window_from, window_to, targets, key, in_turn) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (key) WHERE state IN ('waiting', 'queued', 'sending') DO UPDATE SET backfill = excluded.backfill, position = excluded.position, in_turn = slices.in_turn OR excluded.in_turn RETURNING id`,
		backfill, n, w.From, w.To, targets, key, a.InTurn).Scan(&id)
	if err != nil {
		return 0, err
	}
	// What a target would not take then is tried again; who was about to sum the
	// slice up looks again.
	_, err = tx.Exec(ctx, `WITH tried AS (UPDATE parts SET state = 'waiting', stopped = '' WHERE slice = $1 AND stopped <> '' AND NOT once RETURNING slice)
		UPDATE slices SET turn = turn + 1 WHERE id IN (SELECT slice FROM tried)`, id)
	return id, err
}

const selectSlices = `SELECT s.id, b.settings, b.options, s.targets, s.window_from, s.window_to, s.state, s.round, s.failures, s.trouble,
	(SELECT count(*) FROM parts AS p WHERE p.slice = s.id), (SELECT count(*) FROM parts AS p WHERE p.slice = s.id AND p.state = 'waiting'),
	s.told, b.ended, s.position, s.turn, s.runs, s.state = 'queued' AND ` + earlierOpen + ` FROM slices AS s JOIN backfills AS b ON b.id = s.backfill `

func scanSlice(row pgx.CollectableRow) (s Slice, err error) {
	err = row.Scan(&s.ID, &s.Settings, &s.Options, &s.Targets, &s.Window.From, &s.Window.To, &s.State, &s.Round, &s.Failures, &s.Trouble,
		&s.Parts, &s.Left, &s.Told, &s.Ended, &s.Place, &s.turn, &s.Runs, &s.Beside)
	s.Window.From, s.Window.To = s.Window.From.UTC(), s.Window.To.UTC()
	return s, err
}

// Slices gives slices by their ids.
func (q *Queue) Slices(ctx context.Context, ids []int64) ([]Slice, error) {
	return q.slices(ctx, `WHERE s.id = ANY($1) ORDER BY s.id`, ids)
}

func (q *Queue) slices(ctx context.Context, where string, args ...any) ([]Slice, error) {
	rows, err := q.pool.Query(ctx, selectSlices+where, args...)
	if err != nil {
		return nil, fmt.Errorf("look at the slices of the queue: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanSlice)
	if err != nil {
		return nil, fmt.Errorf("look at the slices of the queue: %w", err)
	}
	return list, nil
}

// cancelled is why a backfill ends that a person took out of the queue.
const cancelled = "it was cancelled"

// unbegun says of a slice that no run has worked on it: one that is planned anew
// goes on to its end.
const unbegun = `(state IN ('waiting', 'queued') AND round = 1)`

// Cancel takes out what has not been planned yet, of all that was asked for, and
// counts it. What is being sent goes on to its end.
func (q *Queue) Cancel(ctx context.Context) (slices int, err error) {
	err = pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE slices SET state = 'cancelled', finished = now() WHERE `+unbegun)
		if err == nil {
			slices = int(done.RowsAffected())
			_, err = tx.Exec(ctx, `UPDATE backfills SET ended = $1 WHERE ended = '' AND id IN (SELECT backfill FROM slices WHERE state = 'cancelled')`, cancelled)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take slices out of the queue: %w", err)
	}
	return slices, nil
}

// errTurn says that another attempt at a job has begun since: what this one found
// out no longer counts.
var errTurn = errors.New("another worker has taken this over")

// takeSlice takes the turn at a slice that is being worked on; ok is false where
// nothing is to be done any more.
func (q *Queue) takeSlice(ctx context.Context, id int64) (s Slice, ok bool, err error) {
	var turn int64
	err = q.pool.QueryRow(ctx, `UPDATE slices SET turn = turn + 1 WHERE id = $1 AND state IN ('queued', 'sending') RETURNING turn`, id).Scan(&turn)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	list, err := q.Slices(ctx, []int64{id})
	if err != nil || len(list) == 0 {
		return s, false, err
	}
	s = list[0]
	s.turn = turn
	return s, true, nil
}

// change changes a slice whose turn is still had, in a transaction.
func (q *Queue) change(ctx context.Context, s Slice, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		var state string
		err := tx.QueryRow(ctx, `SELECT state FROM slices WHERE id = $1 AND turn = $2 AND state = $3 FOR UPDATE`, s.ID, s.turn, s.State).Scan(&state)
		if errors.Is(err, pgx.ErrNoRows) {
			return errTurn
		}
		if err != nil {
			return err
		}
		return do(tx)
	})
}

// stored puts a plan and its parts into the queue, and a job for each part. Where
// more people are to be forgotten than the plan knows of, it is made again.
func (q *Queue) stored(ctx context.Context, s Slice, p Planned, forgotten int) error {
	return q.change(ctx, s, func(tx pgx.Tx) error {
		if err := store(ctx, tx, s.ID, filePlan, p.Plan); err != nil {
			return err
		}
		if err := store(ctx, tx, s.ID, fileDecisions, p.Decisions); err != nil {
			return err
		}
		var jobs []int64
		for _, part := range p.Parts {
			var id int64
			err := tx.QueryRow(ctx, `INSERT INTO parts (slice, target, n, once) VALUES ($1, $2, $3, $4) RETURNING id`, s.ID, part.Target, part.N, part.Once).Scan(&id)
			if err == nil {
				err = store(ctx, tx, s.ID, filePart(part.Target, part.N), part.Path)
			}
			if err != nil {
				return err
			}
			jobs = append(jobs, id)
		}
		if n, err := countForgotten(ctx, tx); err != nil || n != forgotten {
			return cmp.Or(err, river.JobSnooze(0))
		}
		_, err := tx.Exec(ctx, `UPDATE slices SET state = 'sending', planned = now(), failures = 0, trouble = '', beside = $2 WHERE id = $1`, s.ID, p.Waits)
		if err == nil {
			err = q.put(ctx, tx, nil, jobs)
		}
		return err
	})
}

// summed ends a slice, or has it planned anew. Its files go.
func (q *Queue) summed(ctx context.Context, s Slice, got Summed) error {
	return q.change(ctx, s, func(tx pgx.Tx) error {
		if got.Again {
			return anew(ctx, tx, []int64{s.ID})
		}
		for _, table := range []string{"pieces", "parts"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE slice = $1`, s.ID); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE slices SET state = 'done', told = $2, finished = now() WHERE id = $1`, s.ID, got.Told); err != nil {
			return err
		}
		return s.end(ctx, tx, got.Ends)
	})
}

// end sees to it that no further slice of the period is begun.
func (s Slice) end(ctx context.Context, tx pgx.Tx, why string) error {
	if why == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE backfills SET ended = $2 WHERE ended = '' AND id = (SELECT backfill FROM slices WHERE id = $1)`, s.ID, why)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE slices SET state = 'cancelled', finished = now() WHERE `+unbegun+`
			AND backfill = (SELECT backfill FROM slices WHERE id = $1)`, s.ID)
	}
	return err
}

// anew drops the plans of slices, which are planned anew: those that wait for others
// when those are over. Whoever still sends them changes nothing here any more.
func anew(ctx context.Context, tx pgx.Tx, ids []int64) error {
	for _, statement := range []string{
		`UPDATE slices AS s SET state = CASE WHEN beside THEN 'waiting' ELSE 'queued' END, in_turn = in_turn OR beside, beside = false, planned = NULL, round = round + 1, turn = turn + 1,
			runs = s.runs || ARRAY(SELECT unnest(p.runs) FROM parts AS p WHERE p.slice = s.id) WHERE id = ANY($1)`,
		`DELETE FROM pieces WHERE slice = ANY($1)`, `DELETE FROM parts WHERE slice = ANY($1)`,
	} {
		if _, err := tx.Exec(ctx, statement, ids); err != nil {
			return err
		}
	}
	return nil
}

// superseded reports whether something was asked for with other settings since a
// slice was: nobody works with those of then any more.
func (q *Queue) superseded(ctx context.Context, slice int64) (is bool, err error) {
	err = q.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM slices AS s JOIN backfills AS b ON b.id = s.backfill
		JOIN backfills AS n ON n.id > b.id AND n.settings <> b.settings WHERE s.id = $1)`, slice).Scan(&is)
	return is, err
}

// failed notes what went wrong with a slice's job.
func (q *Queue) failed(ctx context.Context, s Slice, why trouble) error {
	_, err := q.pool.Exec(ctx, `UPDATE slices SET failures = failures + 1, class = $3, trouble = $4 WHERE id = $1 AND turn = $2`, s.ID, s.turn, why.class, why.text)
	return err
}

// plansKept is how long a plan may lie in the queue where nobody works.
const plansKept = 7 * 24 * time.Hour
