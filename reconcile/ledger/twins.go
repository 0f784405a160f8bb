package ledger

import (
	"context"
	"errors"
	"maps"
	"slices"

	"makegood/reconcile"
)

// alike: what is claimed may have been accepted too.
const alike = `SELECT ` + rowColumns + ` FROM json_each(?) AS j CROSS JOIN entries AS e INDEXED BY entries_twin
	WHERE e.target = ? AND e.twin = unhex(j.value) AND e.twin <> x'' AND e.completed_at >= ? AND e.completed_at < ?
		AND e.state IN ('done', 'doubtful', 'claimed')`

// Alike implements reconcile.Reader. It needs the person key.
func (v *view) Alike(ctx context.Context, target string, likes []reconcile.Likeness, w reconcile.Window) (
	map[reconcile.Likeness][]reconcile.Entry, error,
) {
	found := map[reconcile.Likeness][]reconcile.Entry{}
	deaths := v.newDeaths()
	err := v.read(ctx, "look for purchases alike at "+target, func(conn *conn) error {
		if len(likes) > 0 && v.seal.key == nil {
			return errors.New("the person key is needed to find a person")
		}
		byHash := map[string]reconcile.Likeness{}
		for _, l := range likes {
			hash, _ := v.seal.twin(l).MarshalText()
			byHash[string(hash)] = l
		}
		for part := range slices.Chunk(slices.Sorted(maps.Keys(byHash)), maxRows) {
			list, err := jsonText(part)
			if err != nil {
				return err
			}
			var rows []row
			if err := conn.SelectContext(ctx, &rows, alike, list, target, micros(w.From), micros(w.To)); err != nil {
				return err
			}
			err = eachResolved(ctx, conn, deaths, rows, func(r row, e reconcile.Entry) {
				hash, _ := r.Twin.MarshalText()
				found[byHash[string(hash)]] = append(found[byHash[string(hash)]], e)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
