package ledger

import (
	"context"
	"database/sql"
	"slices"

	"makegood/reconcile"
)

// SealMark gives a mark as the ledger keeps it. It needs the person key.
func (v *view) SealMark(m reconcile.Digest) []byte { return v.seal.mark16(m) }

// Kept returns the entries that exist, as Find does.
func (v *view) Kept(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Kept, error) {
	kept := map[reconcile.EventID]reconcile.Kept{}
	deaths := v.newDeaths()
	err := v.read(ctx, "look up entries of "+target, func(conn *conn) error {
		var rows []row
		err := eachRow(ctx, conn, target, sorted(ids), func(r row) error {
			rows = append(rows, r)
			return nil
		})
		if err != nil {
			return err
		}
		return eachResolved(ctx, conn, deaths, rows, func(r row, e reconcile.Entry) {
			kept[e.ID] = reconcile.Kept{Entry: e, Mark: r.Mark}
		})
	})
	return kept, err
}

// DecidedMarks lists decisions by the ids that were asked for.
func (v *view) DecidedMarks(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID][]reconcile.DecidedMark, error) {
	asked := make(map[reconcile.EventID]reconcile.EventID, len(ids))
	for _, id := range ids {
		asked[v.seal.hide(id)] = id
	}
	found := map[reconcile.EventID][]reconcile.DecidedMark{}
	err := v.read(ctx, "look up what was decided", func(conn *conn) error {
		rows, err := conn.decisions(ctx, target, v.seal.hidden(ids))
		if err != nil {
			return err
		}
		for _, r := range rows {
			d, err := r.decision()
			if err != nil {
				return err
			}
			id := asked[d.ID]
			found[id] = append(found[id], reconcile.DecidedMark{Decision: d, Mark: r.Mark})
		}
		return nil
	})
	return found, err
}

// EachIn calls do for every entry and decision of a target about an order
// completed in w, with its source; at target "" for what was decided about
// orders at their sources.
func (v *view) EachIn(ctx context.Context, target string, w reconcile.Window, do func(id reconcile.EventID, source string) error) error {
	return v.read(ctx, "list what the ledger knows", func(c *conn) error {
		for _, table := range []string{"entries", "decisions"} {
			err := c.eachIn(ctx, table, []any{target, micros(w.From), micros(w.To)}, do)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *conn) eachIn(ctx context.Context, table string, in []any, do func(reconcile.EventID, string) error) error {
	after := ""
	for {
		var rows []struct {
			Event  string `db:"event"`
			Source string `db:"source"`
		}
		const page = ` WHERE target = ? AND completed_at >= ? AND completed_at < ? AND event > ? ORDER BY event, source LIMIT 2000`
		if err := c.SelectContext(ctx, &rows, `SELECT event, source FROM `+table+page, append(in, after)...); err != nil {
			return err
		}
		for _, r := range rows {
			if err := do(reconcile.EventID(r.Event), r.Source); err != nil {
				return err
			}
			after = r.Event
		}
		if len(rows) < 2000 {
			return nil
		}
	}
}

// Targets lists every target that the ledger knows anything of.
func (v *view) Targets(ctx context.Context) (list []string, err error) {
	err = v.read(ctx, "list destinations", func(c *conn) error {
		for _, table := range []string{"entries", "decisions"} {
			target := ""
			for {
				var next sql.NullString
				if err := c.GetContext(ctx, &next, `SELECT min(target) FROM `+table+` WHERE target > ?`, target); err != nil {
					return err
				}
				if !next.Valid {
					break
				}
				target = next.String
				list = append(list, target)
			}
		}
		return nil
	})
	slices.Sort(list)
	return slices.Compact(list), err
}
