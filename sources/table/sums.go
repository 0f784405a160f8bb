package table

import (
	"fmt"

	"makegood/reconcile"
)

// sums are what the lines of an order add up to, in any order of lines.
type sums struct {
	lines                 int
	content, goods, names reconcile.DigestSum
	amount                reconcile.Decimal
	some, negative        bool // a quantity other than 0; below 0
	positive              bool // above 0
	totaled               bool // a line total was counted
	// gap is the largest difference between price x quantity and line total.
	gap   reconcile.Decimal
	gapAt place
}

// add counts one line. An error says that a sum has too many digits; then
// nothing may be made of the sums.
func (s *sums) add(l *line, at place) error {
	amount, err := reconcile.Add(s.amount, l.amount)
	if err != nil {
		return fmt.Errorf("the sum of the order %w", err)
	}
	s.amount, s.totaled = amount, s.totaled || l.totaled
	if l.skipped {
		return nil
	}
	s.lines++
	l.content(&s.content)
	if l.name != "" {
		s.names.Add(l.sku, l.name)
	}
	if !l.quantity.IsZero() {
		s.some, s.negative, s.positive = true, s.negative || l.quantity.IsNeg(), s.positive || l.quantity.IsPos()
		s.goods.Add(l.sku, l.quantity.Abs().String())
	}
	if l.priced && l.totaled {
		return s.measure(l, at)
	}
	return nil
}

// measure keeps the widest gap between the two ways to say a line's money.
func (s *sums) measure(l *line, at place) error {
	product, err := reconcile.Mul(l.price, l.quantity)
	if err != nil {
		return fmt.Errorf("price x quantity %w", err)
	}
	gap, err := reconcile.Add(product, l.total.Neg())
	if err != nil {
		return fmt.Errorf("the difference of price x quantity and line total %w", err)
	}
	s.widen(gap.Abs(), at)
	return nil
}

func (s *sums) widen(gap reconcile.Decimal, at place) {
	if c := gap.Cmp(s.gap); c > 0 || c == 0 && !gap.IsZero() && at.before(s.gapAt) {
		s.gap, s.gapAt = gap, at
	}
}

// merge counts what another part of the order has counted.
func (s *sums) merge(o *sums) error {
	amount, err := reconcile.Add(s.amount, o.amount)
	if err != nil {
		return fmt.Errorf("the sum of the order %w", err)
	}
	s.amount = amount
	s.lines += o.lines
	s.content.Merge(o.content)
	s.goods.Merge(o.goods)
	s.names.Merge(o.names)
	s.some, s.negative, s.positive = s.some || o.some, s.negative || o.negative, s.positive || o.positive
	s.totaled = s.totaled || o.totaled
	s.widen(o.gap, o.gapAt)
	return nil
}

func (s *sums) walk(c *codec) {
	c.number(&s.lines)
	c.sum(&s.content)
	c.sum(&s.goods)
	c.sum(&s.names)
	c.decimal(&s.amount)
	c.flag(&s.some)
	c.flag(&s.negative)
	c.flag(&s.positive)
	c.flag(&s.totaled)
	c.decimal(&s.gap)
	c.place(&s.gapAt)
}

func (c *codec) place(p *place) {
	c.small(&p.header)
	c.small(&p.row)
}

// countedLine is a line with an id of its own: twice the same id is one line,
// so that it can only be added up when all rows have been seen.
type countedLine struct {
	id      string
	name    string
	at      place
	dropped bool
	sums    sums
	cart    *cart             // where upgrades are mapped
	units   reconcile.Decimal // of goods: by them a progressive discount is found
	item    int               // its place among the items, from 1; 0: it is none
}
