package table

import (
	"context"
	"fmt"
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

// Told is what is known of one row of a file that was read.
type Told struct {
	Source string
	File   string
	Sheet  string // "" where there are none
	Row    int
	Met    Met
	Key    reconcile.OrderKey // Order of MetOrder alone
	// Skipped is why skip_lines leaves the row out of its order, "" where it
	// does not.
	Skipped reconcile.Reason
	// Damaged says that the number of the order is not what it was: which
	// order the row belongs to is not known.
	Damaged bool
	// Worth is what the row says that its line costs, as it stands there: the
	// total of the line, or quantity x price. Priced says that it is readable;
	// Currency is "" where the row has none.
	Worth    reconcile.Decimal
	Currency string
	Priced   bool

	sums   RowSums
	number string // of the order, as the row has it
}

// tell reads one row, and says what it turned out to be.
func (p *pass) tell(row Row) (Told, error) {
	t := Told{Source: p.src.cfg.Name, File: row.Header.File, Sheet: row.Header.Sheet, Row: row.Number,
		Key: reconcile.OrderKey{Shop: p.src.cfg.Shop}}
	loose, headers, totals := p.tally.RowsWithoutOrder, p.aside.headers.n, p.aside.totals.n
	p.met = func(cells []string) {
		t.Key.Order = p.src.links.of(p.id.key)
		t.Met, t.Skipped, t.Damaged, t.number = MetOrder, p.skipped(cells), p.damagedOrder(), p.id.number
	}
	err := p.read(row)
	switch {
	case p.tally.RowsWithoutOrder > loose:
		t.Met = MetLoose
	case p.aside.headers.n > headers:
		t.Met = MetHeader
	case p.aside.totals.n > totals:
		t.Met = MetTotal
	}
	t.sums = row.Header.Sums(row.Cells) // behind read, which finds the columns
	if err == nil && (t.Met == MetOrder || t.Met == MetLoose) {
		t.Worth, t.Priced = p.worth(row)
		t.Currency = p.bound.currencyOf(row.Cells)
	}
	return t, err
}

// worth is what the line of the row costs, as it stands in the row.
func (p *pass) worth(row Row) (reconcile.Decimal, bool) {
	for _, field := range []int{rowQuantity, rowPrice, rowLineTotal} {
		if p.bound.slots[field].reads(p.spoiled) {
			return reconcile.Decimal{}, false
		}
	}
	var l line
	var wrong problems
	wrong.readMoney(p.m.numbers, p.bound, row.Cells, &l)
	return l.amount, row.Problem == "" && len(wrong.list) == 0
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
	return false
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

// eachRow tells of every row that the cursor of a file of the last Heads gave,
// in file order. A file that is no longer what it was then is
// reconcile.ErrChanged.
func (s *Source) eachRow(ctx context.Context, at int, do func(Told) error) error {
	f := &s.read[at]
	if f.told == nil {
		return fmt.Errorf("%w: what its rows are was not kept", ErrUnmarkable)
	}
	if err := unchanged(f, f.mark); err != nil {
		return err
	}
	learns := s.mapping.learns()
	return f.told.each(ctx, func(t Told) error {
		if t.Met == MetOrder && learns && !t.Damaged {
			what, _ := s.shape.Damage(t.number)
			t.Damaged = what != ""
		}
		return do(t)
	})
}

// toldRows keeps what the rows of a file turned out to be when they were read:
// nothing that is said of them later can be about other rows.
type toldRows struct {
	rows   *scratch
	codec  codec
	like   Told     // what all rows have in common
	sheets []string // by the number that records have
}

func openTold(dir string) (*toldRows, error) {
	rows, err := openScratch(dir)
	return &toldRows{rows: rows}, err
}

func (k *toldRows) write(t Told) error {
	if n := len(k.sheets); n == 0 || k.sheets[n-1] != t.Sheet {
		k.sheets = append(k.sheets, t.Sheet)
	}
	k.like = Told{Source: t.Source, File: t.File, Key: reconcile.OrderKey{Shop: t.Key.Shop}}
	sheet := len(k.sheets) - 1
	k.codec.buf, k.codec.reading = k.codec.buf[:0], false
	k.walk(&k.codec, &t, &sheet)
	return k.rows.write(k.codec.buf)
}

// walk describes a row to the codec.
func (k *toldRows) walk(c *codec, t *Told, sheet *int) {
	c.number(sheet)
	c.number(&t.Row)
	c.number((*int)(&t.Met))
	c.checksum(&t.sums.All)
	c.checksum(&t.sums.Read)
	t.walkWorth(c)
	if t.Met != MetOrder {
		return
	}
	c.text(&t.Key.Order)
	c.text((*string)(&t.Skipped))
	c.flag(&t.Damaged)
	c.text(&t.number)
}

// walkWorth describes what the row costs to the codec.
func (t *Told) walkWorth(c *codec) {
	c.flag(&t.Priced)
	c.text(&t.Currency)
	if t.Priced {
		c.decimal(&t.Worth)
	}
}

func (k *toldRows) each(ctx context.Context, do func(Told) error) error {
	return k.rows.each(func(record []byte) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		t, sheet := k.like, 0
		c := &codec{buf: record, reading: true}
		k.walk(c, &t, &sheet)
		if c.err != nil || sheet < 0 || sheet >= len(k.sheets) {
			return errRecord
		}
		t.Sheet = k.sheets[sheet]
		return do(t)
	})
}
