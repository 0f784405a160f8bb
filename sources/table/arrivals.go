package table

import (
	"context"
	"fmt"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// Arrival is an order as a platform's export has it.
type Arrival struct {
	Order    string
	At       time.Time // in UTC; zero: the row has no time
	DayOnly  bool      // At is a date without a time of day
	Amount   *reconcile.Decimal
	Currency string
}

// ReadArrivals reads a table with an order's number in each row and, where columns
// names them, when it came (at), its amount (total) and currency. A row that
// cannot be read goes to blame, and the rest goes on.
func ReadArrivals(ctx context.Context, cfg *config.Table, columns map[string]string, files []File, blame func(reconcile.RowProblem), do func(Arrival) error) (notes []string, err error) {
	r, err := newRecords(cfg, "columns", columns, []string{"order", "at", "total", "currency"})
	if err != nil {
		return nil, err
	}
	r.blame = blame
	err = r.each(ctx, files, func(rec record) error {
		one, err := arrival(rec, columns, newNumbers(r.table))
		if err != nil {
			return err
		}
		return do(one)
	})
	return r.notes, err
}

func arrival(rec record, columns map[string]string, numbers numbers) (one Arrival, err error) {
	one.Order, one.Currency = rec.texts[0], strings.ToUpper(rec.texts[3])
	switch {
	case one.Order == "":
		return one, rec.fault(columns["order"], "the row has no order number")
	case len(one.Order) > reconcile.MaxOrderID:
		return one, rec.fault(columns["order"], "the order number is longer than 200 bytes")
	case damaged(one.Order):
		return one, rec.fault(columns["order"], "looks like a number that a spreadsheet made of an id; export the column as text")
	}
	if text := rec.texts[1]; text != "" {
		m := rec.clock.read(text)
		if m.err != nil {
			return one, rec.fault(columns["at"], shape(text)+" "+strings.ReplaceAll(m.err.Error(), "date_format", "--date-format"))
		}
		one.At, one.DayOnly = m.at.UTC(), m.dayOnly
	}
	if text := rec.texts[2]; text != "" {
		amount, err := numbers.parse(text)
		if err != nil {
			return one, rec.fault(columns["total"], fmt.Sprintf("%s %s", shape(text), err))
		}
		one.Amount = &amount
	}
	if len(one.Currency) != 3 || !isCode(one.Currency) {
		one.Currency = ""
	}
	return one, nil
}
