package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"makegood/reconcile"
)

// deaths tells which runs are dead. It serves one call: in it a death is
// remembered, a life never.
type deaths struct {
	now   time.Time     // by the ledger's clock; zero until it is needed
	dead  time.Duration // age of a beat from which on a run is dead
	known map[string]bool
}

// resolve gives a row as it reads: the claim of a dead run is doubtful.
func (d *deaths) resolve(ctx context.Context, conn *conn, r row) (row, error) {
	if !r.is(reconcile.StateClaimed) {
		return r, nil
	}
	dead, err := d.isDead(ctx, conn, r.Run)
	if dead {
		r.State, r.Lost = string(reconcile.StateDoubtful), true
	}
	return r, err
}

// isDead reports whether a run beats no more or has given up its lock, as one
// that ended has.
func (d *deaths) isDead(ctx context.Context, conn *conn, run string) (bool, error) {
	if d.known[run] {
		return true, nil
	}
	dead, err := d.silent(ctx, conn, run)
	if err == nil && !dead {
		dead, err = conn.db.lockFree(ctx, conn, run)
	}
	if err != nil {
		return false, fmt.Errorf("see whether run %s is alive: %w", run, err)
	}
	d.known[run] = dead
	return dead, nil
}

func (d *deaths) silent(ctx context.Context, conn *conn, run string) (bool, error) {
	var beat int64
	err := conn.GetContext(ctx, &beat, `SELECT beat FROM runs WHERE run = ?`, run)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // a claim is only ever written for a run that is registered
	}
	if err == nil && d.now.IsZero() {
		d.now, err = conn.db.now(ctx, conn)
	}
	return d.now.Sub(instant(beat)) > d.dead, err
}
