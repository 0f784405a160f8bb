package table

import (
	"context"
	"errors"
	"slices"

	"makegood/reconcile"
)

// Met is what a row turned out to be.
type Met int

// What rows are. The zero value is the harmless one.
const (
	MetBlank  Met = iota
	MetOrder      // a row of an order
	MetLoose      // nobody knows which order it belongs to
	MetHeader     // the header again
	MetTotal      // a sum below a table
)

// Told is what is known of one row of a file that is read again.
type Told struct {
	Source string
	File   string
	Sheet  string // "" where there are none
	Row    int
	Met    Met
	Key    reconcile.OrderKey // of MetOrder
	// Skipped is why skip_lines leaves the row out of its order, "" where it
	// does not.
	Skipped reconcile.Reason
	// Damaged says that the number of the order is not what it was: which
	// order the row belongs to is not known.
	Damaged bool

	check uint64 // Checksum of the row
}

// tell reads one row as far as it takes to know its order.
func (p *pass) tell(row Row) (Told, error) {
	t := Told{check: Checksum(row.Cells), Source: p.src.cfg.Name, File: row.Header.File, Sheet: row.Header.Sheet, Row: row.Number}
	before := *p.tally
	headers, totals := p.aside.headers.n, p.aside.totals.n
	p.look = func(cells []string) error {
		t.Key = reconcile.OrderKey{Shop: p.src.cfg.Shop, Order: p.src.links.of(p.id.key)}
		t.Met, t.Skipped, t.Damaged = MetOrder, p.skipped(cells), p.damagedOrder()
		return nil
	}
	err := p.read(row)
	switch {
	case p.tally.RowsWithoutOrder > before.RowsWithoutOrder:
		t.Met = MetLoose
	case p.aside.headers.n > headers:
		t.Met = MetHeader
	case p.aside.totals.n > totals:
		t.Met = MetTotal
	}
	return t, err
}

// damagedOrder reports whether a spreadsheet has damaged what the row's order
// is known by.
func (p *pass) damagedOrder() bool {
	for _, field := range []int{rowOrder, rowStore, rowTill} {
		label := p.m.rows[field].label
		if slices.ContainsFunc(p.row.list, func(one problem) bool {
			return one.reason == reconcile.ReasonDamagedID && one.label == label
		}) {
			return true
		}
	}
	if !p.m.learns() {
		return false
	}
	what, _ := p.src.shape.Damage(p.id.number)
	return what != ""
}

// skipped is the reason of the rule that skips the row's line.
func (p *pass) skipped(cells []string) reconcile.Reason {
	for i, rule := range p.m.skips {
		if yes, err := rule.eval.holds(p.bound.skips[i].values(cells)); err == nil && yes {
			return reconcile.Reason(p.m.cfg.SkipLines[i].Reason)
		}
	}
	return ""
}

// eachRow reads a file of the last Heads again and tells of every row that its
// cursor gives, in file order. A file that is no longer what it was then is
// reconcile.ErrChanged.
func (s *Source) eachRow(ctx context.Context, at int, do func(Told) error) (err error) {
	f := &s.read[at]
	if err := unchanged(f, f.mark); err != nil {
		return err
	}
	cursor, err := f.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	p := s.newPass(&reconcile.Tally{LeftOut: map[reconcile.Reason]int{}})
	p.at(at)
	err = drain(ctx, f.Name(), cursor, func(row Row) error {
		t, err := p.tell(row)
		if err != nil {
			return err
		}
		return do(t)
	})
	if err != nil {
		return err
	}
	return unchanged(f, f.mark)
}
