package table

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sources/internal/idshape"
)

// pass reads the rows of all files of a source once and groups them into
// orders, in bounded memory: what does not fit is spilled by the hash of the
// order's key and finished one partition at a time.
type pass struct {
	scratch  []byte // of said
	src      *Source
	rows     int // read so far, of all files
	m        *mapping
	headers  []*Header
	bindings map[*Header]*binding
	bound    *binding
	file     int // of the rows at hand; 0 where files are parts
	tally    *reconcile.Tally
	found    findings
	row      problems
	aside    aside                     // rows of the file at hand that are no orders
	spoiled  []int                     // columns of the row at hand whose cells cannot be trusted
	clock    *clock                    // of the times of the row at hand
	located  map[string]*time.Location // zones of spilled rows
	texts    []string                  // of the kept columns of the row at hand
	keep     interner
	id       identity
	taints   map[string]problem // order numbers of rows whose order is not known

	numbers idshape.Learner // what the order numbers look like

	groups map[groupKey]*partial
	order  []*partial
	last   *partial
	used   int // estimated bytes of groups
	spill  partitions

	seek  map[string]*sought // the second pass: the orders that are wanted
	spool *spool             // the first pass over what cannot be read twice
	// look takes the rows of known orders in place of grouping them.
	look func(cells []string) error
	// met takes the rows of known orders beside that.
	met  func(cells []string)
	told *toldRows // where what rows are is kept; nil: nowhere
	from time.Time // rows completed earlier need no spool

	budget int // bytes, for used
	// deliver takes the finished partials of one partition, in reading order.
	deliver func([]*partial) error
	// whole takes an order of the second pass as soon as all its rows are met.
	whole func(*partial) error
}

type groupKey struct {
	key  string
	file int
}

func (s *Source) newPass(tally *reconcile.Tally) *pass {
	return &pass{
		src: s, m: s.mapping, tally: tally, located: map[string]*time.Location{}, bindings: map[*Header]*binding{}, keep: interner{},
		texts: make([]string, len(s.mapping.kept)), taints: map[string]problem{},
		groups: map[groupKey]*partial{}, spill: partitions{dir: s.options.StateDir}, budget: s.options.Budget,
	}
}

// bind finds the columns of a header that is met for the first time.
func (p *pass) bind(h *Header) error {
	if p.bound != nil && p.bound.header == h {
		return nil
	}
	p.last = nil
	if p.bound = p.bindings[h]; p.bound != nil {
		return nil
	}
	if err := p.src.aloneAmong(h); err != nil {
		return err
	}
	b, err := p.m.bind(h, int32(len(p.headers)))
	if err != nil {
		return err
	}
	p.headers = append(p.headers, h)
	p.bindings[h], p.bound = b, b
	return nil
}

// read takes one row.
func (p *pass) read(row Row) error {
	if err := p.bind(row.Header); err != nil {
		return err
	}
	if len(row.Cells) < len(row.Header.Columns) {
		return fmt.Errorf("read %s: row %d has fewer cells than the header has columns", row.Header.File, row.Number)
	}
	if row.Problem == "" && len(row.Faults) == 0 && blank(row.Cells) {
		return nil
	}
	if row.Problem == "" {
		if beside, err := p.aside.take(p.bound, row); beside || err != nil {
			return err
		}
	}
	p.tally.Rows++
	p.row = problems{at: place{p.bound.id, int32(row.Number)}, list: p.row.list[:0]}
	p.clock = p.clockOf(row.Cells)
	if !p.distrust(row) && p.nameless() {
		p.id = identity{}
		p.orphan(row)
		return nil
	}
	var m moment
	if s := &p.bound.slots[rowCompleted]; !s.reads(p.spoiled) {
		m = p.moment(s, row.Cells)
	}
	if !p.identify(row.Cells, m) {
		if row.Problem != "" { // which is why the number is not there
			p.row.list = p.row.list[:0]
			p.row.add("", reconcile.ReasonBadValue, row.Problem)
		}
		p.orphan(row)
		return nil
	}
	if p.met != nil {
		p.met(row.Cells)
	}
	if p.look != nil {
		return p.look(row.Cells)
	}
	p.id.key = p.src.links.of(p.id.key)
	if p.seek != nil {
		if wanted, err := p.sought(); !wanted {
			return err
		}
	}
	if p.spool != nil && (m.at.IsZero() || !m.at.Before(p.from)) {
		if err := p.spool.write(p.bound, row); err != nil {
			return err
		}
	}
	return p.group(row, m)
}

// clockOf is the clock of the zone that the row names.
func (p *pass) clockOf(cells []string) *clock {
	if p.bound.zones == nil {
		return p.bound.clock
	}
	s := &p.bound.slots[rowZone]
	text := p.row.text(s, cells)
	c, err := p.bound.zones.clock(text)
	if err != nil {
		p.row.add(s.label, reconcile.ReasonBadValue, shape(text)+" "+err.Error())
		return p.bound.clock
	}
	return c
}

// moment reads a time; the zero moment when there is none or none is readable.
func (p *pass) moment(s *slot, cells []string) moment {
	text := p.row.text(s, cells)
	if text == "" {
		return moment{}
	}
	m := p.clock.read(text)
	if m.err != nil {
		reason := reconcile.ReasonBadValue
		if errors.Is(m.err, errSkipped) {
			reason = reconcile.ReasonNoSuchTime
		}
		p.row.add(s.label, reason, shape(text)+" "+m.err.Error())
		return moment{}
	}
	return m
}

// orphan notes a row whose order cannot be known. Where at least the number
// can, every order with that number is bad: it may lack this row.
func (p *pass) orphan(row Row) {
	p.tally.RowsWithoutOrder++
	if len(p.tally.Loose) < reconcile.MaxLoose {
		p.tally.Loose = append(p.tally.Loose, reconcile.HashFields(row.Cells...))
	}
	for _, one := range p.row.list {
		p.found.add(p.headers, one)
	}
	p.blame()
	if p.id.number != "" && len(p.row.list) > 0 {
		p.taints[strings.Clone(p.id.number)] = p.row.list[0]
	}
}

// group adds the row to its order.
func (p *pass) group(row Row, m moment) error {
	part := p.partial()
	before := part.size
	part.place(p.row.at)
	part.complete(m)
	part.said += p.said(row.Cells)
	part.touched = part.touched || !row.Untouched
	if row.Problem != "" {
		p.row.add("", reconcile.ReasonBadValue, row.Problem)
	} else if len(p.spoiled) == 0 {
		p.fill(part, row.Cells)
	}
	part.fail(p.row.list...)
	p.blame()
	p.used += part.size - before
	if p.seek != nil && part.rows == int(p.seek[part.key].rows) {
		return p.release(part)
	}
	if p.used > p.budget {
		return p.flush()
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// said is a checksum of what the row says in the columns that are read, but
// not when it was updated. Its sum over the rows of an order tells whether one
// of them was altered, doubled or deleted since.
func (p *pass) said(cells []string) uint64 {
	text := p.scratch[:0]
	updated := p.bound.slots[rowUpdated].at
	for _, at := range p.bound.used {
		if at != updated {
			text = append(append(text, cells[at]...), 0)
		}
	}
	p.scratch = text
	return (1 + uint64(crc32.Checksum(text, castagnoli))) * 0x9E3779B97F4A7C15
}

// release hands an order of the second pass on, and forgets it.
func (p *pass) release(part *partial) error {
	delete(p.groups, groupKey{part.key, part.file})
	p.order[part.index] = nil
	p.last = nil
	p.used -= part.size
	return p.whole(part)
}

// fill reads a row that can be trusted into its order.
func (p *pass) fill(part *partial, cells []string) {
	if p.bound.alone(cells) {
		p.row.missing(&p.bound.slots[rowOrder], "nothing but the order number stands in the row; is it a line below the table?")
		return
	}
	p.values(part, cells)
}

// values reads what the row says of the order and its line.
func (p *pass) values(part *partial, cells []string) {
	b := p.bound
	part.order(p.moment(&b.slots[rowOrdered], cells).at)
	part.update(p.moment(&b.slots[rowUpdated], cells).at)
	for i, at := range b.kept {
		p.texts[i] = clean(cells[at])
	}
	part.keep(p.m, p.texts, p.row.at, p.keep)
	l, ok := p.row.readLine(p.m, b, cells)
	if !ok {
		return
	}
	l.dropped = p.m.cfg.NegativeLines == "drop" && !l.skipped && l.quantity.IsNeg()
	kept := p.seek != nil && !l.skipped && !l.dropped
	if kept {
		part.item(&l, p.keep)
	}
	if p.m.rows[rowLine].mapped() || p.m.upgrades() || p.m.progressive() {
		one := countedLine{id: strings.Clone(l.id), name: p.keep.keep(l.name), at: p.row.at, dropped: l.dropped}
		if p.m.upgrades() {
			one.cart = p.cart(&l, cells)
		}
		if kept {
			one.item = len(part.items)
		}
		if !l.skipped {
			one.units = l.quantity
		}
		p.sum(&one.sums, &l)
		part.counted = append(part.counted, one)
		part.size += countedSize + len(l.id) + one.cart.size()
		return
	}
	p.sum(part.sumsOf(&l), &l)
}

func (p *pass) sum(s *sums, l *line) {
	if err := s.add(l, p.row.at); err != nil {
		p.row.add("", reconcile.ReasonBadValue, err.Error())
	}
}

// item keeps a line of the order, out of the record that it was read from.
func (p *partial) item(l *line, in interner) {
	one := l.product()
	for _, text := range []*string{&one.ID, &one.SKU, &one.Name, &one.UniqueID, &one.Item, &one.Language} {
		*text = in.keep(*text)
		p.size += len(*text)
	}
	p.items = append(p.items, one)
	p.size += itemSize
}

// partial finds or makes what is known of the order at hand.
func (p *pass) partial() *partial {
	if p.last != nil && p.last.file == p.file && p.last.key == p.id.key {
		return p.last
	}
	key := groupKey{p.id.key, p.file}
	part := p.groups[key]
	if part == nil {
		key.key = strings.Clone(key.key)
		number := key.key
		if p.m.composed() {
			number = p.keep.keep(p.id.number)
		}
		part = newPartial(key.key, number, p.file, len(p.m.kept))
		p.used += part.size
		if p.seek == nil && p.m.learns() {
			p.numbers.Add(number)
		}
		part.index = len(p.order)
		p.groups[key] = part
		p.order = append(p.order, part)
	}
	p.last = part
	return part
}

// head finishes a partial.
func (p *pass) head(part *partial) reconcile.Head {
	if taint, ok := p.taints[part.number]; ok && p.m.composed() {
		part.fail(taint)
	}
	p.inspect(part)
	p.corrected(part)
	return finish(p.m, p.headers, part)
}
