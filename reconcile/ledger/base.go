package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
)

// baseTable names the changes that say where a journal begins.
const baseTable = "base"

// base writes everything that the ledger holds into the journal, as its
// beginning: for a ledger that had none, and for one whose older history goes.
// after is the hash of the row that the chain goes on from, nil for none.
func (t *tx) base(ctx context.Context, after blob) error {
	if err := t.write(change{Table: baseTable, Key: []string{hex.EncodeToString(after)}}); err != nil {
		return err
	}
	for _, example := range folded {
		if err := t.dump(ctx, example); err != nil {
			return fmt.Errorf("write %s into the journal: %w", tableOf(example), err)
		}
	}
	return nil
}

// folded has a row of each table that is the journal's fold.
var folded = []any{metaRow{}, runRow{}, row{}, attempt{}, coverageRow{}, evidenceRow{}, shopRow{}, decisionRow{}, prunedRow{}, wordRow{}, sourceDayRow{}, slotRow{}}

// baseRow is about how much one row of a journal's beginning holds.
const baseRow = 4 << 20

// dump journals every row of a table as new.
func (t *tx) dump(ctx context.Context, example any) error {
	return t.each(ctx, example, func(row any) error {
		d, _ := t.seal.changed(zeroOf(row), row)
		if t.journal.Write(d.line()); t.journal.Len() < baseRow {
			return nil
		}
		return t.link(ctx)
	})
}

// eachAtOnce is how many rows of a table are read at a time.
const eachAtOnce = 2000

// each calls do with every row of a table, in the order of its key. Nothing is
// open meanwhile.
func (c *conn) each(ctx context.Context, example any, do func(row any) error) error {
	t := reflect.TypeOf(example)
	var keys []string
	var indexes []int
	for _, col := range shapes[t] {
		if col.how == "key" {
			keys, indexes = append(keys, col.name), append(indexes, col.index)
		}
	}
	list := strings.Join(keys, ", ")
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(keys)), ", ")
	limit := eachAtOnce
	if t == reflect.TypeFor[journalRow]() {
		limit = journalAtOnce // each of them may be large
	}
	where := ""
	var after []any
	for {
		rows := reflect.New(reflect.SliceOf(t))
		query := fmt.Sprintf(`SELECT * FROM %s %s ORDER BY %s LIMIT %d`, tableOf(example), where, list, limit)
		if err := c.SelectContext(ctx, rows.Interface(), query, after...); err != nil {
			return fmt.Errorf("read %s: %w", tableOf(example), err)
		}
		n := rows.Elem().Len()
		for i := range n {
			if err := do(rows.Elem().Index(i).Interface()); err != nil {
				return err
			}
		}
		if n < limit {
			return nil
		}
		where, after = fmt.Sprintf("WHERE (%s) > (%s)", list, marks), nil
		for _, i := range indexes {
			after = append(after, rows.Elem().Index(n-1).Field(i).Interface())
		}
	}
}
