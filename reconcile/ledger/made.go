package ledger

import (
	"context"
	"slices"
	"time"

	"makegood/reconcile"
)

const madeAttempts = `SELECT a.event, a.run, a.at, a.verdict, a.status, a.code, a.late, a.lost
	FROM json_each(?) AS j CROSS JOIN attempts AS a INDEXED BY attempts_event
	WHERE a.target = ? AND a.event = j.value ORDER BY a.attempt`

// Made lists the requests about events, the oldest first.
func (v *view) Made(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.MadeAttempt, error) {
	made := map[reconcile.EventID][]reconcile.MadeAttempt{}
	err := v.read(ctx, "list what was tried at "+target, func(conn *conn) error {
		for part := range slices.Chunk(sorted(ids), maxRows) {
			list, err := jsonText(part)
			if err != nil {
				return err
			}
			var rows []attempt
			if err := conn.SelectContext(ctx, &rows, madeAttempts, list, target); err != nil {
				return err
			}
			for _, a := range rows {
				m := reconcile.MadeAttempt{Run: reconcile.RunID(a.Run), Late: a.Late, Lost: a.Lost,
					Attempt: reconcile.Attempt{At: time.UnixMicro(a.At).UTC(), Status: a.Status, Code: a.Code}}
				if err := m.Verdict.UnmarshalText([]byte(a.Verdict)); err != nil {
					return err
				}
				id := reconcile.EventID(a.Event)
				made[id] = append(made[id], m)
			}
		}
		return nil
	})
	return made, err
}
