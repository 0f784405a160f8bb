package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"makegood/reconcile"
)

// maxRows is how many rows one statement handles.
const maxRows = 1000

const rowColumns = `target, event, version, state, lost, done_by, who, note, said_at, run, kind, action, person,
	amount, currency, amount_of, source, completed_at, store, digest, cosmetic, cosmetic_fields, payload, twin, mark, shown,
	attempts, not_before, at, receipt, before`

// findRows: CROSS JOIN keeps SQLite from turning the join around and reading
// the whole table.
const findRows = `SELECT ` + rowColumns + ` FROM json_each(?) AS j CROSS JOIN entries AS e
	WHERE e.target = ? AND e.event = j.value`

// eachRow calls do with the rows that exist of sorted ids.
func eachRow(ctx context.Context, conn *conn, target string, ids []reconcile.EventID, do func(row) error) error {
	for part := range slices.Chunk(ids, maxRows) {
		list, err := idList(part)
		if err != nil {
			return err
		}
		if err := scanEach(ctx, conn, do, list, target); err != nil {
			return fmt.Errorf("find entries: %w", err)
		}
	}
	return nil
}

func scanEach(ctx context.Context, conn *conn, do func(row) error, args ...any) (err error) {
	rows, err := conn.QueryxContext(ctx, findRows, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		if err := rows.StructScan(&r); err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// idList is ids as JSON. JSON would change bytes that are not UTF-8, and two
// ids would become one.
func idList(ids []reconcile.EventID) (string, error) {
	for _, id := range ids {
		if !utf8.ValidString(string(id)) {
			return "", fmt.Errorf("event id %q is not valid UTF-8", string(id))
		}
	}
	return jsonText(ids)
}

func jsonText(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// sorted gives ids in byte order, each once.
func sorted(ids []reconcile.EventID) []reconcile.EventID {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

func sortedKeys[V any](m map[reconcile.EventID]V) []reconcile.EventID {
	return slices.Sorted(maps.Keys(m))
}
