package table

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sources/internal/chain"
)

// upgrades reports whether a column says which product another one replaces.
func (m *mapping) upgrades() bool { return m.rows[rowReplaces].mapped() }

// perSession reports whether a field is one cart's rather than the order's
// where an order is made of several carts.
func (m *mapping) perSession(name string) bool {
	return m.rows[rowParent].mapped() && (name == "total" || name == "status")
}

// checkUpgrades asks for what chains cannot be followed without.
func (m *mapping) checkUpgrades() error {
	for _, need := range [][2]int{{rowReplaces, rowPaid}, {rowPaid, rowReplaces}, {rowParent, rowSession}, {rowParent, rowReplaces},
		{rowDue, rowReplaces}, {rowDue, rowPrice}, {rowShipping, rowDue}, {rowCustomerIP, rowDue}} {
		if m.rows[need[0]].mapped() && !m.rows[need[1]].mapped() {
			return fmt.Errorf("columns.%s is missing: columns.%s means nothing without it", rowNames[need[1]], rowNames[need[0]])
		}
	}
	return nil
}

// cart is what a row says of its place in a chain of upgrades.
type cart struct {
	session, parent, product, replaces string
	payment                            chain.Payment
	charge                             *charge // where something may still be to be collected
}

// cart reads the row at hand, out of the record that it was read from.
func (p *pass) cart(l *line, cells []string) *cart {
	b := p.bound
	c := &cart{product: p.keep.keep(l.sku), session: p.keep.keep(p.row.text(&b.slots[rowSession], cells)),
		parent:   p.keep.keep(p.row.text(&b.slots[rowParent], cells)),
		replaces: p.keep.keep(p.row.id(&b.slots[rowReplaces], cells))}
	s := &b.slots[rowPaid]
	text := p.row.text(s, cells)
	switch paid, known := yes(text); {
	case paid, strings.EqualFold(text, "paid"):
		c.payment = chain.Paid
	case strings.EqualFold(text, "pending"):
		c.payment = chain.Pending
	case !known && !strings.EqualFold(text, "unpaid"):
		p.row.add(s.label, reconcile.ReasonBadValue, shape(text)+" is none of yes, no and pending")
	}
	if p.m.rows[rowDue].mapped() {
		c.charge = p.charge(l, c, cells)
	}
	return c
}

// size is estimated, in bytes.
func (c *cart) size() int {
	if c == nil {
		return 0
	}
	return 96 + len(c.session) + len(c.parent) + len(c.product) + len(c.replaces) + c.charge.size()
}

func (c *cart) same(o *cart) bool {
	if c == nil || o == nil {
		return true
	}
	a, b := *c, *o
	a.charge, b.charge = nil, nil
	return a == b && c.charge.same(o.charge)
}

// cart describes it to the codec.
func (c *codec) cart(v **cart) {
	some := *v != nil
	if c.flag(&some); !some {
		return
	}
	if *v == nil {
		*v = &cart{}
	}
	for _, text := range []*string{&(*v).session, &(*v).parent, &(*v).product, &(*v).replaces} {
		c.text(text)
	}
	payment := int((*v).payment)
	c.number(&payment)
	(*v).payment = chain.Payment(payment)
	c.charge(&(*v).charge)
}

// follow gives the lines that are left of the order's chains. Where rows
// contradict each other the order is bad; where nothing was paid it is none.
func (f *finisher) follow(lines []countedLine) []countedLine {
	rows := make([]chain.Row, len(lines))
	for i, l := range lines {
		rows[i] = chain.Row{Session: l.cart.session, Parent: l.cart.parent, Product: l.cart.product, Replaces: l.cart.replaces,
			Amount: l.sums.amount, Payment: l.cart.payment}
	}
	fallback := chain.LastPaid
	if f.m.cfg.UnpaidUpgrade == "main" {
		fallback = chain.Main
	}
	r, err := chain.Resolve(rows, fallback)
	if err != nil {
		f.breaks(lines, err)
		return nil
	}
	f.p.pending = len(r.Pending) > 0
	f.steps(lines, r.Steps)
	if wait := time.Duration(f.m.cfg.WaitForPayment); f.p.pending && wait > 0 {
		f.h.PendingUntil = f.h.CompletedAt.Add(wait)
	}
	f.h.Unpaid = len(r.Kept) == 0
	if f.h.Unpaid && f.r.leftOut == "" && f.h.PendingUntil.IsZero() && !f.due() {
		f.r.leftOut = reconcile.ReasonUnpaid
		if f.p.pending {
			f.r.leftOut = reconcile.ReasonPaymentPending
		}
	}
	var left []countedLine
	var items []reconcile.Line
	for _, at := range r.Kept {
		left = append(left, lines[at])
		if item := lines[at].item; item > 0 {
			items = append(items, f.p.items[item-1])
		}
	}
	f.p.items = items
	return left
}

// breaks makes the order bad, with the rows that contradict each other.
func (f *finisher) breaks(lines []countedLine, err error) {
	label := f.m.rows[rowReplaces].label
	var broken *chain.Broken
	if !errors.As(err, &broken) {
		f.fail(f.p.place0(), fault{label, reconcile.ReasonBadValue, "the sum of the order " + err.Error()})
		return
	}
	for _, problem := range broken.Problems {
		places := make([]place, len(problem.Rows))
		for i, at := range problem.Rows {
			places[i] = lines[at].at
		}
		slices.SortFunc(places, func(a, b place) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		f.fail(places[0], fault{label, reconcile.ReasonBadUpgrade, problem.Kind.String() + f.rowsOf(places)})
	}
}

// maxRowsNamed is how many rows of a bad chain are named.
const maxRowsNamed = 6

// rowsOf names the other rows of a problem than the first.
func (f *finisher) rowsOf(places []place) string {
	var names []string
	for i, at := range places[1:] {
		if i == maxRowsNamed {
			names = append(names, "and more")
			break
		}
		name := strconv.Itoa(int(at.row))
		if at.header != places[0].header {
			name += " of " + f.headers[at.header].File
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return " (with row " + strings.Join(names, ", ") + ")"
}

// judgeTest leaves test orders out.
func (m *mapping) judgeTest(r *resolved) {
	at, ok := m.index["test_order"]
	if !ok {
		return
	}
	switch test, known := yes(r.values[at]); {
	case !known:
		r.fault(m.fields[at].label, reconcile.ReasonBadValue, shape(r.values[at])+" is neither yes nor no")
	case test && (r.leftOut == "" || r.leftOut == reconcile.ReasonReversal):
		r.leftOut = reconcile.ReasonTestOrder
	}
}

// await counts an order with a payment that may still come, and one whose total
// is not the expected one.
func (c *chooser) await(v version) {
	if v.read.pending {
		if c.pending++; c.oldest.IsZero() || v.CompletedAt.Before(c.oldest) {
			c.oldest = v.CompletedAt
		}
	}
	if v.read.unexpected && v.LeftOut == "" {
		if c.odd++; c.odd == 1 {
			c.first = v.Origin.String()
		}
	}
}

// payments says how many payments may still come and for how long, and how
// many totals are not the expected ones.
func (c *chooser) payments() (notes []string) {
	if c.pending > 0 {
		days := int(c.options.now().Sub(c.oldest).Hours() / 24)
		notes = append(notes, fmt.Sprintf("payments of %d orders or their upgrades are pending, the oldest of %s (%d days); "+
			"what was paid before counts", c.pending, c.oldest.In(c.cfg.Zone.Location).Format(time.DateOnly), days))
	}
	if c.odd > 0 {
		notes = append(notes, fmt.Sprintf("totals of %d orders are not what progressive_discount makes of their lines (%s is one); "+
			"the recorded totals count", c.odd, c.first))
	}
	return notes
}
