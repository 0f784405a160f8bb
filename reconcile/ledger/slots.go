package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"makegood/reconcile"
)

// takeSlot gives a run a moment of the schedule. It is taken while the run that
// took it before is alive, or when that run came to its end: then the error is a
// *reconcile.SlotTaken. A run that died leaves it to the next one.
func (t *tx) takeSlot(ctx context.Context, run reconcile.RunRecord, deaths *deaths) error {
	if run.Slot.IsZero() {
		return nil
	}
	is := slotRow{Schedule: run.Schedule, Slot: micros(run.Slot), Run: string(run.Run)}
	var was slotRow
	err := t.GetContext(ctx, &was, `SELECT * FROM slots WHERE schedule = ? AND slot = ?`, is.Schedule, is.Slot)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t.put(slotRow{}, is)
	case err != nil:
		return fmt.Errorf("look up who has the slot: %w", err)
	}
	var ended bool
	if err := t.GetContext(ctx, &ended, `SELECT EXISTS (SELECT 1 FROM runs WHERE run = ? AND finished IS NOT NULL)`, was.Run); err != nil {
		return fmt.Errorf("look up whether the run of the slot ended: %w", err)
	}
	dead := false
	if !ended {
		if dead, err = deaths.isDead(ctx, t.conn, was.Run); err != nil {
			return err
		}
	}
	if !dead {
		return &reconcile.SlotTaken{Schedule: run.Schedule, Slot: run.Slot, Run: reconcile.RunID(was.Run), Ended: ended}
	}
	return t.put(was, is)
}

// Slots lists the moments of the schedule from a time on for which runs were
// begun, the newest first, at most limit.
func (v *view) Slots(ctx context.Context, schedule string, from time.Time, limit int) (list []reconcile.ScheduledRun, err error) {
	err = v.read(ctx, "list the runs of schedule "+schedule, func(c *conn) error {
		var rows []slotRow
		err := c.SelectContext(ctx, &rows, `SELECT * FROM slots WHERE schedule = ? AND slot >= ? ORDER BY slot DESC LIMIT ?`, schedule, micros(from), limit)
		for _, r := range rows {
			list = append(list, reconcile.ScheduledRun{Schedule: r.Schedule, Slot: instant(r.Slot), Run: reconcile.RunID(r.Run)})
		}
		return err
	})
	return list, err
}
