package table

import (
	"errors"
	"slices"
	"time"

	"makegood/reconcile"
)

// partial is what has been read of one order so far. Two partials of one
// order, cut anywhere, merge to what would have come of all its rows.
type partial struct {
	key     string // the order's id
	file    int    // of the version; 0 where files are parts
	number  string // the order number that its rows show
	rows    int
	said    uint64 // of all rows
	touched bool   // one of the rows is not Untouched
	index   int    // among those in memory

	origin struct {
		header int32
		rows   []reconcile.RowRange
		more   bool
	}

	first  []cell  // by mapping.kept: the first filled value
	tuples []tuple // the different rows of strict columns, in reading order
	match  int     // the tuple that the last row matched

	completed        moment    // the earliest
	latest           time.Time // the latest completion
	ordered, updated time.Time // the earliest; the latest
	faults           []problem
	manyFaults       bool
	sums             sums
	dropped          sums // of the lines that negative_lines drops
	counted          []countedLine
	items            []reconcile.Line
	pending          bool // finished: a payment may still come
	unexpected       bool // finished: the total is not what a progressive discount makes of the lines
	size             int  // estimated bytes in memory
}

// cell is a text and where it was first read.
type cell struct {
	text string
	at   place
}

// tuple is what one row says in the strict columns.
type tuple struct {
	at     place
	values []string
}

const (
	partialSize = 640 // bytes of an empty partial with its place in the map
	cellSize    = 24
	itemSize    = 240
	countedSize = 400
	maxFaults   = 5
	maxTuples   = 32
)

func newPartial(key, number string, file, kept int) *partial {
	p := &partial{key: key, number: number, file: file, first: make([]cell, kept)}
	p.size = partialSize + len(key) + len(number) + kept*cellSize
	return p
}

// place notes a row of the order.
func (p *partial) place(at place) {
	p.rows++
	if p.rows == 1 {
		p.origin.header = at.header
	}
	if at.header != p.origin.header {
		p.origin.more = true
		return
	}
	o := reconcile.Origin{Rows: p.origin.rows, More: p.origin.more}
	o.AddRow(int(at.row))
	p.origin.rows, p.origin.more = o.Rows, o.More
}

// fail keeps the first few problems of the order.
func (p *partial) fail(list ...problem) {
	for _, one := range list {
		if len(p.faults) == maxFaults {
			p.manyFaults = true
			return
		}
		p.faults = append(p.faults, one)
		p.size += 80 + len(one.text)
	}
}

// sumsOf is where a line is added up.
func (p *partial) sumsOf(l *line) *sums {
	if l.dropped {
		return &p.dropped
	}
	return &p.sums
}

// complete keeps the earliest completion and the latest.
func (p *partial) complete(m moment) {
	if m.at.IsZero() {
		return
	}
	if p.completed.at.IsZero() || m.at.Before(p.completed.at) {
		p.completed = m
	}
	if m.at.After(p.latest) {
		p.latest = m.at
	}
}

func (p *partial) order(t time.Time) {
	if !t.IsZero() && (p.ordered.IsZero() || t.Before(p.ordered)) {
		p.ordered = t
	}
}

func (p *partial) update(t time.Time) {
	if t.After(p.updated) {
		p.updated = t
	}
}

// keep notes the row's values of the columns that the order needs.
func (p *partial) keep(m *mapping, values []string, at place, in interner) {
	same := len(p.tuples) > 0
	for i, text := range values {
		if m.kept[i].strict {
			same = same && p.tuples[p.match].values[i] == text
		} else if text != "" && p.first[i].text == "" {
			p.first[i] = cell{in.keep(text), at}
			p.size += len(text)
		}
	}
	if !same {
		p.meet(m, values, at, in)
	}
}

// meet looks for the row among the tuples, or adds it.
func (p *partial) meet(m *mapping, values []string, at place, in interner) {
	filled := false
	for i, text := range values {
		filled = filled || text != "" && m.kept[i].strict
	}
	if !filled {
		return
	}
	for n, t := range p.tuples {
		if p.equal(m, t.values, values) {
			p.match = n
			return
		}
	}
	if len(p.tuples) == maxTuples {
		p.settle(m)
	}
	t := tuple{at, make([]string, len(values))}
	for i, text := range values {
		if m.kept[i].strict && text != "" {
			t.values[i] = in.keep(text)
			p.size += len(text)
			if p.first[i].text == "" {
				p.first[i] = cell{t.values[i], at}
			}
		}
	}
	p.tuples = append(p.tuples, t)
	p.match = len(p.tuples) - 1
	p.size += 40 + 16*len(values)
}

func (p *partial) equal(m *mapping, a, b []string) bool {
	for i := range a {
		if m.kept[i].strict && a[i] != b[i] {
			return false
		}
	}
	return true
}

// settle judges the rows that differ from the first, and forgets them: an
// expression over a column of the lines has too many to keep.
func (p *partial) settle(m *mapping) {
	if len(p.tuples) < 2 {
		return
	}
	values := p.values()
	own, row := m.resolve(values, p.number), p.tuples[0].at.row
	for _, t := range p.tuples[1:] {
		overlay := p.overlay(t)
		if slices.Equal(values, overlay) {
			continue
		}
		other := m.resolve(overlay, p.number)
		for _, f := range m.compare(own, other, row) {
			if !slices.ContainsFunc(p.faults, func(known problem) bool { return known.label == f.label && known.reason == f.reason }) {
				p.fail(problem{t.at, f})
			}
		}
	}
	p.tuples, p.match = p.tuples[:1], 0
}

// values are the order's own: the first filled ones.
func (p *partial) values() []string {
	values := make([]string, len(p.first))
	for i := range p.first {
		values[i] = p.first[i].text
	}
	return values
}

// overlay is what the order would be if the row's values were its own.
func (p *partial) overlay(t tuple) []string {
	values := p.values()
	for i, text := range t.values {
		if text != "" {
			values[i] = text
		}
	}
	return values
}

// merge adds a part that was read later.
func (p *partial) merge(m *mapping, o *partial, in interner) {
	p.rows += o.rows
	p.said += o.said
	p.touched = p.touched || o.touched
	p.mergeOrigin(o)
	for i, c := range o.first {
		if p.first[i].text == "" && !m.kept[i].strict {
			p.first[i] = c
		}
	}
	for _, t := range o.tuples {
		p.meet(m, t.values, t.at, in)
	}
	p.complete(o.completed)
	p.complete(moment{at: o.latest})
	p.order(o.ordered)
	p.update(o.updated)
	p.fail(o.faults...)
	p.manyFaults = p.manyFaults || o.manyFaults
	if err := errors.Join(p.sums.merge(&o.sums), p.dropped.merge(&o.dropped)); err != nil {
		p.fail(problem{o.place0(), fault{"", reconcile.ReasonBadValue, err.Error()}})
	}
	for i := range o.counted {
		if o.counted[i].item > 0 {
			o.counted[i].item += len(p.items)
		}
	}
	p.counted = append(p.counted, o.counted...)
	p.items = append(p.items, o.items...)
}

// place0 is where the part begins.
func (p *partial) place0() place {
	at := place{header: p.origin.header}
	if len(p.origin.rows) > 0 {
		at.row = int32(p.origin.rows[0].First)
	}
	return at
}

func (p *partial) mergeOrigin(o *partial) {
	if o.origin.header != p.origin.header {
		p.origin.more = true
		return
	}
	p.origin.more = p.origin.more || o.origin.more
	for _, r := range o.origin.rows {
		merged := reconcile.Origin{Rows: p.origin.rows}
		merged.AddRow(r.First)
		if last := len(merged.Rows) - 1; !merged.More && merged.Rows[last].Last == r.First {
			merged.Rows[last].Last = r.Last
		}
		p.origin.rows, p.origin.more = merged.Rows, p.origin.more || merged.More
	}
}

// walk describes a partial to the codec.
func (p *partial) walk(c *codec) {
	c.text(&p.key)
	c.number(&p.file)
	c.text(&p.number)
	c.number(&p.rows)
	c.checksum(&p.said)
	c.flag(&p.touched)
	c.small(&p.origin.header)
	list(c, &p.origin.rows, func(r *reconcile.RowRange) { c.number(&r.First); c.number(&r.Last) })
	c.flag(&p.origin.more)
	list(c, &p.first, func(f *cell) { c.text(&f.text); c.place(&f.at) })
	list(c, &p.tuples, func(t *tuple) { c.place(&t.at); list(c, &t.values, c.text) })
	c.time(&p.completed.at)
	c.flag(&p.completed.dayOnly)
	c.flag(&p.completed.ambiguous)
	c.zone(&p.completed.zone)
	for _, t := range []*time.Time{&p.latest, &p.ordered, &p.updated} {
		c.time(t)
	}
	list(c, &p.faults, func(f *problem) { f.walk(c) })
	c.flag(&p.manyFaults)
	p.sums.walk(c)
	p.dropped.walk(c)
	list(c, &p.counted, func(l *countedLine) {
		c.text(&l.id)
		c.text(&l.name)
		c.place(&l.at)
		c.flag(&l.dropped)
		l.sums.walk(c)
		c.number(&l.item)
		c.decimal(&l.units)
		c.cart(&l.cart)
	})
	list(c, &p.items, func(l *reconcile.Line) { walkLine(c, l) })
}

func (f *problem) walk(c *codec) {
	c.place(&f.at)
	c.text(&f.label)
	c.text((*string)(&f.reason))
	c.text(&f.text)
}

func walkLine(c *codec, l *reconcile.Line) {
	for _, text := range []*string{&l.ID, &l.SKU, &l.Name, &l.UniqueID, &l.Item, &l.Language} {
		c.text(text)
	}
	c.decimal(&l.Quantity)
	c.optional(&l.Price)
	c.optional(&l.LineTotal)
}
