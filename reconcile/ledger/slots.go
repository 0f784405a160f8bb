package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"makegood/reconcile"
)

// takeSlot gives a run a moment of the schedule. It is taken while the run that
// took it before is alive, or when that run came to its end: then the error is a
// *reconcile.SlotTaken. A run that died leaves it to the next one, and one that
// ended to the run that names it: of several that do, one gets it.
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
	if !dead && (!ended || was.Run != string(run.InsteadOf)) {
		return &reconcile.SlotTaken{Schedule: run.Schedule, Slot: run.Slot, Run: reconcile.RunID(was.Run), Ended: ended}
	}
	return t.put(was, is)
}

// Slots lists the moments of the schedule in a period for which runs were begun,
// the newest first, at most limit.
func (v *view) Slots(ctx context.Context, schedule string, w reconcile.Window, limit int) (list []reconcile.ScheduledRun, err error) {
	err = v.read(ctx, "list the runs of schedule "+schedule, func(c *conn) error {
		var rows []struct {
			slotRow
			Host  string `db:"host"`
			Ended bool   `db:"ended"`
		}
		err := c.SelectContext(ctx, &rows, `SELECT s.schedule, s.slot, s.run, r.host, r.finished IS NOT NULL AS ended FROM slots AS s JOIN runs AS r ON r.run = s.run
			WHERE s.schedule = ? AND s.slot >= ? AND s.slot < ? ORDER BY s.slot DESC LIMIT ?`, schedule, micros(w.From), micros(w.To), limit)
		dead := v.newDeaths()
		for _, r := range rows {
			one := reconcile.ScheduledRun{Schedule: r.Schedule, Slot: instant(r.Slot), Run: reconcile.RunID(r.Run), Host: r.Host}
			if !r.Ended {
				over, failed := dead.isDead(ctx, c, r.Run)
				err, one.Alive = errors.Join(err, failed), !over
			}
			list = append(list, one)
		}
		return err
	})
	return list, err
}
