package ledger

import (
	"context"
	"database/sql"
	"errors"

	"makegood/reconcile"
)

// SourceDays implements reconcile.Reader.
func (v *view) SourceDays(ctx context.Context, source, from string) (list []reconcile.SourceDay, err error) {
	err = v.read(ctx, "read how many orders "+source+" had", func(c *conn) error {
		var rows []sourceDayRow
		err := c.SelectContext(ctx, &rows, `SELECT * FROM source_days WHERE source = ? AND day >= ? ORDER BY store, day`, source, from)
		for _, r := range rows {
			list = append(list, reconcile.SourceDay{Source: r.Source, Store: r.Store, Day: r.Day, Orders: int(r.Orders)})
		}
		return err
	})
	return list, err
}

// meetDay keeps the most orders that any run met of a day.
func (t *tx) meetDay(ctx context.Context, d reconcile.SourceDay) error {
	is := sourceDayRow{Source: d.Source, Store: d.Store, Day: d.Day, Orders: int64(d.Orders)}
	var was sourceDayRow
	err := t.GetContext(ctx, &was, `SELECT * FROM source_days WHERE source = ? AND store = ? AND day = ?`, d.Source, d.Store, d.Day)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if was.Orders >= is.Orders && was.Source != "" {
		return nil
	}
	return t.put(was, is)
}
