package ledger

import (
	"context"
	"slices"
	"time"

	"makegood/reconcile"
)

// Said implements reconcile.Witness.
func (v *view) Said(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Said, error) {
	said := map[reconcile.EventID]reconcile.Said{}
	err := v.read(ctx, "read who said what of "+target, func(conn *conn) error {
		return eachRow(ctx, conn, target, sorted(ids), func(r row) error {
			if r.Who != "" || r.Note != "" || r.SaidAt != never() {
				said[r.id()] = reconcile.Said{Who: r.Who, Note: r.Note, At: instant(r.SaidAt)}
			}
			return nil
		})
	})
	return said, err
}

const doneEntries = `SELECT ` + rowColumns + ` FROM entries
	WHERE target = ? AND event > ? AND state = 'done' ORDER BY event LIMIT ?`

// Done implements reconcile.Witness.
func (v *view) Done(ctx context.Context, target string, after reconcile.EventID, limit int) (list []reconcile.Entry, err error) {
	err = v.read(ctx, "list what "+target+" was sent", func(conn *conn) error {
		var rows []row
		if err := conn.SelectContext(ctx, &rows, doneEntries, target, string(after), limit); err != nil {
			return err
		}
		for _, r := range rows {
			e, err := r.entry()
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

const beatsOf = `SELECT r.run, r.beat FROM json_each(?) AS j CROSS JOIN runs AS r WHERE r.run = j.value`

// Beats implements reconcile.Witness.
func (v *view) Beats(ctx context.Context, runs []reconcile.RunID) (map[reconcile.RunID]time.Time, error) {
	beats := map[reconcile.RunID]time.Time{}
	err := v.read(ctx, "read when runs last lived", func(conn *conn) error {
		for part := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(runs))), maxRows) {
			list, err := jsonText(part)
			if err != nil {
				return err
			}
			var rows []struct {
				Run  string `db:"run"`
				Beat int64  `db:"beat"`
			}
			if err := conn.SelectContext(ctx, &rows, beatsOf, list); err != nil {
				return err
			}
			for _, r := range rows {
				beats[reconcile.RunID(r.Run)] = instant(r.Beat)
			}
		}
		return nil
	})
	return beats, err
}
