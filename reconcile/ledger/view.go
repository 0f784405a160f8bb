package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

// view answers what planning asks. It only reads.
type view struct {
	pool  *sqlx.DB // nil: no ledger, which reads as an empty one
	db    database
	clock func() time.Time
	dead  time.Duration
	seal  seal
}

func newView(db database, o Options) view {
	return view{db: db, clock: o.Clock, dead: o.Dead, seal: seal{o.Key}}
}

func (v *view) newDeaths() *deaths {
	return &deaths{dead: v.dead, known: map[string]bool{}}
}

// read lends a connection to do; on an absent ledger it does nothing.
func (v *view) read(ctx context.Context, what string, do func(conn *conn) error) error {
	if v.pool == nil {
		return nil
	}
	c, err := v.pool.Connx(ctx)
	if err == nil {
		err = errors.Join(do(&conn{c, v.db}), c.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Find implements reconcile.Reader.
func (v *view) Find(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Entry, error) {
	found := map[reconcile.EventID]reconcile.Entry{}
	deaths := v.newDeaths()
	err := v.read(ctx, "look up entries of "+target, func(conn *conn) error {
		var claimed []row // judged after the query: its connection is busy till then
		err := eachRow(ctx, conn, target, sorted(ids), func(r row) (err error) {
			if r.is(reconcile.StateClaimed) {
				claimed = append(claimed, r)
				return nil
			}
			found[r.id()], err = r.entry()
			return err
		})
		if err != nil {
			return err
		}
		return eachResolved(ctx, conn, deaths, claimed, func(_ row, e reconcile.Entry) { found[e.ID] = e })
	})
	return found, err
}

// eachResolved hands rows on as they read, and as entries.
func eachResolved(ctx context.Context, conn *conn, d *deaths, rows []row, do func(row, reconcile.Entry)) error {
	for _, r := range rows {
		r, err := d.resolve(ctx, conn, r)
		if err != nil {
			return err
		}
		e, err := r.entry()
		if err != nil {
			return err
		}
		do(r, e)
	}
	return nil
}

// Covered implements reconcile.Reader.
func (v *view) Covered(ctx context.Context, target, mode string) (map[string]time.Time, error) {
	var rows []struct {
		Source string `db:"source"`
		UpTo   int64  `db:"upto"`
	}
	err := v.read(ctx, "read how far "+target+" is covered", func(conn *conn) error {
		return conn.SelectContext(ctx, &rows,
			`SELECT source, upto FROM coverage WHERE target = ? AND mode = ?`, target, mode)
	})
	covered := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		covered[r.Source] = instant(r.UpTo)
	}
	return covered, err
}

// oldestEach keeps claims apart by run, because those of the dead count as
// doubtful. Left alone, SQLite would read the whole target.
const (
	oldestEach = `SELECT source, state, CASE state WHEN 'claimed' THEN run ELSE '' END AS run,
		min(completed_at) AS completed_at FROM entries `
	oldestOfAll        = oldestEach + `WHERE target = ? GROUP BY 1, 2, 3`
	oldestOfUnfinished = oldestEach + `INDEXED BY entries_unfinished
		WHERE target = ? AND state <> 'done' GROUP BY 1, 2, 3`
)

// OldestOpen implements reconcile.Reader.
func (v *view) OldestOpen(ctx context.Context, target string, states []reconcile.State) (map[string]time.Time, error) {
	oldest := map[string]time.Time{}
	deaths := v.newDeaths()
	query := oldestOfUnfinished
	if slices.Contains(states, reconcile.StateDone) {
		query = oldestOfAll
	}
	err := v.read(ctx, "find the oldest entries of "+target, func(conn *conn) error {
		var rows []row
		if err := conn.SelectContext(ctx, &rows, query, target); err != nil {
			return err
		}
		for _, r := range rows {
			r, err := deaths.resolve(ctx, conn, r)
			if err != nil {
				return err
			}
			at, known := oldest[r.Source]
			if slices.Contains(states, reconcile.State(r.State)) && (!known || instant(r.CompletedAt).Before(at)) {
				oldest[r.Source] = instant(r.CompletedAt)
			}
		}
		return nil
	})
	return oldest, err
}

const claimedBy = ` FROM json_each(?) AS j CROSS JOIN entries AS e
	WHERE e.target = ? AND e.run = j.value AND e.state = 'claimed'`

// Lost implements reconcile.Reader.
func (v *view) Lost(ctx context.Context, target string, limit int) (lost []reconcile.Entry, count int, err error) {
	deaths := v.newDeaths()
	err = v.read(ctx, "look for claims of dead runs at "+target, func(conn *conn) error {
		dead, err := deaths.among(ctx, conn, target)
		if err != nil || len(dead) == 0 {
			return err
		}
		runs, err := jsonText(dead)
		if err != nil {
			return err
		}
		if err := conn.GetContext(ctx, &count, `SELECT count(*)`+claimedBy, runs, target); err != nil {
			return err
		}
		var rows []row
		query := `SELECT ` + rowColumns + claimedBy + ` ORDER BY completed_at, event LIMIT ?`
		if err := conn.SelectContext(ctx, &rows, query, runs, target, limit); err != nil {
			return err
		}
		return eachResolved(ctx, conn, deaths, rows, func(_ row, e reconcile.Entry) { lost = append(lost, e) })
	})
	return lost, count, err
}

const claimingRuns = `SELECT DISTINCT run FROM entries WHERE target = ? AND state = 'claimed'`

// among lists the dead runs that hold claims of a target.
func (d *deaths) among(ctx context.Context, conn *conn, target string) (dead []string, err error) {
	var runs []string
	if err := conn.SelectContext(ctx, &runs, claimingRuns, target); err != nil {
		return nil, err
	}
	for _, run := range runs {
		is, err := d.isDead(ctx, conn, run)
		if err != nil {
			return nil, err
		}
		if is {
			dead = append(dead, run)
		}
	}
	return dead, nil
}

const unfinished = `SELECT ` + rowColumns + ` FROM entries
	WHERE target = ? AND state <> 'done' AND completed_at >= ? AND completed_at < ?
	ORDER BY completed_at, event LIMIT ?`

// Unfinished implements reconcile.Reader, oldest order first.
func (v *view) Unfinished(ctx context.Context, target string, w reconcile.Window, limit int) (list []reconcile.Entry, err error) {
	deaths := v.newDeaths()
	err = v.read(ctx, "list unfinished entries of "+target, func(conn *conn) error {
		var rows []row
		if err := conn.SelectContext(ctx, &rows, unfinished, target, micros(w.From), micros(w.To), limit); err != nil {
			return err
		}
		return eachResolved(ctx, conn, deaths, rows, func(_ row, e reconcile.Entry) { list = append(list, e) })
	})
	return list, err
}

// cartEvents: what is claimed may have been accepted too.
const cartEvents = `SELECT ` + rowColumns + ` FROM json_each(?) AS j CROSS JOIN entries AS e INDEXED BY entries_cart
	WHERE e.target = ? AND e.person = unhex(j.value) AND e.kind = 'cart' AND e.state IN ('done', 'doubtful', 'claimed')
		AND e.completed_at >= ?
	ORDER BY completed_at, event`

// CartEvents implements reconcile.Reader. It needs the person key.
func (v *view) CartEvents(ctx context.Context, target string, persons []reconcile.Person, since time.Time) (map[reconcile.Person][]reconcile.Entry, error) {
	events := map[reconcile.Person][]reconcile.Entry{}
	deaths := v.newDeaths()
	err := v.read(ctx, "look up cart events at "+target, func(conn *conn) error {
		if len(persons) > 0 && v.seal.key == nil {
			return errors.New("the person key is needed to find a person")
		}
		byHash := map[string]reconcile.Person{}
		for _, p := range persons {
			if hash, _ := v.seal.person(p).MarshalText(); p != "" {
				byHash[string(hash)] = p
			}
		}
		for part := range slices.Chunk(slices.Sorted(maps.Keys(byHash)), maxRows) {
			list, err := jsonText(part)
			if err != nil {
				return err
			}
			var rows []row
			if err := conn.SelectContext(ctx, &rows, cartEvents, list, target, micros(since)); err != nil {
				return err
			}
			err = eachResolved(ctx, conn, deaths, rows, func(r row, e reconcile.Entry) {
				person := byHash[hex.EncodeToString(r.Person)]
				events[person] = append(events[person], e)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return events, err
}

// EvidenceDays implements reconcile.Reader: for each day the most rows that
// any run saw of it.
func (v *view) EvidenceDays(ctx context.Context, evidence string) (map[string]int, error) {
	var rows []struct {
		Day   string `db:"day"`
		Count int    `db:"count"`
	}
	err := v.read(ctx, "read the days of evidence "+evidence, func(conn *conn) error {
		return conn.SelectContext(ctx, &rows, `SELECT day, count FROM evidence_days WHERE evidence = ?`, evidence)
	})
	days := make(map[string]int, len(rows))
	for _, r := range rows {
		days[r.Day] = r.Count
	}
	return days, err
}

// Shops implements reconcile.Reader, in byte order.
func (v *view) Shops(ctx context.Context) (shops []string, err error) {
	err = v.read(ctx, "list shops", func(conn *conn) error {
		return conn.SelectContext(ctx, &shops, `SELECT shop FROM shops ORDER BY shop`)
	})
	return shops, err
}

const newestWrite = `SELECT coalesce((SELECT at FROM journal WHERE EXISTS (SELECT 1 FROM runs)
	ORDER BY sequence DESC LIMIT 1), 0)`

// Newest implements reconcile.Reader: by the newest row of the journal, not by
// the latest time that any has (that it was made is not a run's writing), so that a clock that was ahead is forgotten
// with the next write.
func (v *view) Newest(ctx context.Context) (at time.Time, err error) {
	err = v.read(ctx, "the newest run", func(conn *conn) error {
		var micros int64
		err := conn.GetContext(ctx, &micros, newestWrite)
		if err == nil && micros > 0 {
			at = time.UnixMicro(micros).UTC()
		}
		return err
	})
	return at, err
}
