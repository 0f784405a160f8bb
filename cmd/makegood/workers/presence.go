package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// presence is the session that holds a worker's lock: others see by it at once
// that a worker is gone.
type presence struct {
	mu   sync.Mutex
	conn *pgx.Conn // nil: it was lost
}

// lostAfter is how long a connection may take to show that it still stands.
const lostAfter = 5 * time.Second

// appear takes the worker's lock and enters it among those that work.
func (w *Worker) appear(ctx context.Context) (*presence, error) {
	w.lives = &presence{}
	return w.lives, w.beat(ctx)
}

// hold takes the worker's lock, again where the session was lost.
func (w *Worker) hold(ctx context.Context) error {
	p := w.lives
	p.mu.Lock()
	defer p.mu.Unlock()
	look, cancel := context.WithTimeout(ctx, lostAfter)
	defer cancel()
	if p.conn != nil && p.conn.Ping(look) == nil {
		return nil
	}
	if p.conn != nil {
		_ = p.conn.Close(look) // it is lost
		p.conn = nil
	}
	conn, err := pgx.ConnectConfig(look, w.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("show that this worker lives: %w", err)
	}
	var got bool
	err = conn.QueryRow(look, `SELECT pg_try_advisory_lock($1)`, w.key("worker "+w.id)).Scan(&got)
	if err == nil && !got {
		err = errors.New("somebody looks at its lock") // the next beat has it
	}
	if err != nil {
		return errors.Join(fmt.Errorf("show that this worker lives: %w", err), conn.Close(look))
	}
	p.conn = conn
	return nil
}

// beat shows that the worker lives, and what it is at, by the database's clock.
func (w *Worker) beat(ctx context.Context) error {
	if err := w.hold(ctx); err != nil {
		return err
	}
	_, at := w.atHand()
	_, err := w.pool.Exec(ctx, `INSERT INTO workers (id, name, host, version, kinds, lock, beat, at, settings, lacks) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET beat = clock_timestamp(), at = excluded.at, lacks = excluded.lacks`,
		w.id, w.o.Name, w.o.Host, w.o.Version, w.o.Kinds, w.key("worker "+w.id), append([]string{}, at...), w.o.Settings, w.lacking())
	if err != nil {
		return fmt.Errorf("show that this worker lives: %w", err)
	}
	return nil
}

// leave takes the worker from among those that work.
func (w *Worker) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_, err := w.pool.Exec(ctx, `DELETE FROM workers WHERE id = $1`, w.id)
	w.lives.mu.Lock()
	defer w.lives.mu.Unlock()
	if w.lives.conn != nil {
		err = errors.Join(err, w.lives.conn.Close(ctx))
	}
	return err
}

// lacking names the sources whose files this machine has none of, as the last
// look found.
func (w *Worker) lacking() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.lacks...)
}

// look finds out what this machine lacks.
func (w *Worker) look() {
	lacks := w.hands.Lacks()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lacks = lacks
}

// left reports whether a job is left to others: this worker has other settings than
// it was asked for with, or lacks what it reads, and another one does not. Where
// all do, this one tries, and says what is wrong.
func (w *Worker) left(ctx context.Context, kind, settings string, lacks []string) (is bool, err error) {
	if settings == w.o.Settings && len(lacks) == 0 {
		return false, nil
	}
	err = w.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM workers WHERE id <> $1 AND beat > clock_timestamp() - $2::interval
		AND $3 = ANY(kinds) AND settings = $4 AND (lacks = '{}' OR cardinality($5::text[]) = 0))`, w.id, deadWithoutLock, kind, settings, append([]string{}, lacks...)).Scan(&is)
	return is, err
}

// Living is a worker that works, or did so a moment ago.
type Living struct {
	Name     string
	Host     string
	Version  string
	Settings string // the digest of those that it works with
	Kinds    []string
	Lacks    []string // sources whose files its machine has none of
	Started  time.Time
	Beat     time.Duration // how long ago it showed that it lives
	Gone     bool          // it does not: others take up what it was at
	At       []string      // what it is at
}

// held says of a worker that a session has its lock: others look at it so, and
// take nothing.
const held = `EXISTS (SELECT 1 FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock' AND l.objsubid = 1
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (l.classid::bigint << 32 | l.objid::bigint) = w.lock)`

// Living lists the workers that work, by their names.
func (q *Queue) Living(ctx context.Context) ([]Living, error) {
	rows, err := q.pool.Query(ctx, `SELECT name, host, version, settings, kinds, lacks, started, clock_timestamp() - beat,
		beat < clock_timestamp() - $2::interval AND NOT `+held+`, at FROM workers AS w
		WHERE beat > clock_timestamp() - $1::interval ORDER BY name, host, started`, deadWithLock, deadWithoutLock)
	if err != nil {
		return nil, fmt.Errorf("look who works: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Living])
}
