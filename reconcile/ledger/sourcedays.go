package ledger

import (
	"context"

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

// meetDays keeps the most orders that any run met of each day.
func (t *tx) meetDays(ctx context.Context, days []reconcile.SourceDay) error {
	first := map[string]string{} // by source
	for _, d := range days {
		if from, known := first[d.Source]; !known || d.Day < from {
			first[d.Source] = d.Day
		}
	}
	known := map[sourceDayRow]int64{} // by row without its orders
	for source, from := range first {
		var rows []sourceDayRow
		if err := t.SelectContext(ctx, &rows, `SELECT * FROM source_days WHERE source = ? AND day >= ?`, source, from); err != nil {
			return err
		}
		for _, r := range rows {
			known[sourceDayRow{Source: r.Source, Store: r.Store, Day: r.Day}] = r.Orders
		}
	}
	for _, d := range days {
		key := sourceDayRow{Source: d.Source, Store: d.Store, Day: d.Day}
		was, is := key, key
		before, met := known[key]
		if was.Orders, is.Orders = before, int64(d.Orders); !met {
			was = sourceDayRow{}
		}
		if met && before >= is.Orders {
			continue
		}
		if err := t.put(was, is); err != nil {
			return err
		}
	}
	return nil
}
