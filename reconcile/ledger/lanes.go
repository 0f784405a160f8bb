package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

// ErrNotShared says that a ledger is of one machine: what is sent from it to a
// destination is sent by one process, which keeps its pace by itself.
var ErrNotShared = errors.New("a ledger in a file hands out no pace")

// lanes is an optional side of a database that processes on many machines use:
// they buy the pace of a destination from it.
type lanes interface {
	// openLanes gives the connection by which pace is bought.
	openLanes(ctx context.Context) (*sqlx.DB, error)
	// buy takes a share of a destination's pace: as many seconds as it is worth
	// begin after the wait that it gives.
	buy(ctx context.Context, db *sqlx.DB, target string, seconds float64) (wait float64, err error)
}

// Shared reports whether processes on several machines may use the ledger at
// once.
func (s *Store) Shared() bool {
	_, is := s.db.(lanes)
	return is
}

// SharedClock implements reconcile.Reader.
func (v *view) SharedClock(ctx context.Context) (now, last time.Time, err error) {
	if _, is := v.db.(lanes); !is {
		return now, last, nil
	}
	err = v.read(ctx, "read the database's clock", func(c *conn) error {
		var beat int64
		if err := c.GetContext(ctx, &beat, `SELECT coalesce(max(beat), 0) FROM runs`); err != nil {
			return err
		}
		last = instant(beat)
		now, err = v.db.now(ctx, c)
		return err
	})
	return now, last, err
}

// Buy takes a share of a destination's pace, which is one for all that use the
// ledger: the time that it is worth is nobody else's. It begins after the wait,
// by the database's clock, and is over when it was not used: nobody gets it
// again. ErrNotShared: there is one process only.
func (s *Store) Buy(ctx context.Context, target string, worth time.Duration) (wait time.Duration, err error) {
	db, is := s.db.(lanes)
	if !is {
		return 0, ErrNotShared
	}
	s.buying.Lock()
	defer s.buying.Unlock()
	if s.lanes == nil {
		if s.lanes, err = db.openLanes(ctx); err != nil {
			return 0, fmt.Errorf("buy the pace of %s: %w", target, err)
		}
	}
	seconds, err := db.buy(ctx, s.lanes, target, worth.Seconds())
	if err != nil {
		return 0, fmt.Errorf("buy the pace of %s: %w", target, err)
	}
	return max(0, time.Duration(seconds*float64(time.Second))), nil
}

// openLanes needs no commit to be on disk: where the server has crashed, what
// was bought before is over when it is back.
func (p *postgres) openLanes(ctx context.Context) (*sqlx.DB, error) {
	config := p.config.Copy()
	config.RuntimeParams["synchronous_commit"] = "off"
	return p.open(ctx, config, 1)
}

func (p *postgres) buy(ctx context.Context, db *sqlx.DB, target string, seconds float64) (wait float64, err error) {
	err = db.GetContext(ctx, &wait, `INSERT INTO lanes AS l (target, next_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
		ON CONFLICT (target) DO UPDATE SET next_at = greatest(l.next_at, clock_timestamp()) + make_interval(secs => $2)
		RETURNING extract(epoch FROM next_at - make_interval(secs => $2) - clock_timestamp())::float8`, target, seconds)
	return wait, err
}

// SchemaOf names the schema of a ledger that is in PostgreSQL: what belongs to it
// lies beside it. ErrNotShared: it is in a file.
func SchemaOf(place string) (string, error) {
	db, err := databaseAt(place, Options{}.filled())
	if err != nil {
		return "", err
	}
	p, is := db.(*postgres)
	if !is {
		return "", ErrNotShared
	}
	return p.schemaName(), nil
}

// AnyAlive reports whether one of the runs has not come to its end and lives, in
// whichever process.
func (v *view) AnyAlive(ctx context.Context, runs []reconcile.RunID) (alive bool, err error) {
	err = v.read(ctx, "see whether runs are alive", func(c *conn) error {
		deaths := v.newDeaths()
		for _, run := range runs {
			dead, err := deaths.isDead(ctx, c, string(run))
			if alive = alive || !dead; err != nil {
				return err
			}
		}
		return nil
	})
	return alive, err
}
