package table

import (
	"errors"

	"github.com/govalues/decimal"

	"makegood/reconcile"
	"makegood/sources/internal/chain"
)

var errNoList = errors.New("the price before the discount is not known exactly")

// charge is what a row says of the money that is still to be collected for it.
type charge struct {
	due, price, quantity, total reconcile.Decimal
	totaled                     bool
	shipping, ip                string
}

// charge reads the row at hand, out of the record that it was read from.
func (p *pass) charge(l *line, c *cart, cells []string) *charge {
	b := p.bound
	m := &charge{price: l.price, quantity: l.quantity, total: l.total, totaled: l.totaled,
		shipping: p.keep.keep(p.row.id(&b.slots[rowShipping], cells)), ip: p.keep.keep(p.row.text(&b.slots[rowCustomerIP], cells))}
	due := &b.slots[rowDue]
	m.due, _ = p.row.number(due, p.m.numbers, cells)
	switch {
	case m.due.IsNeg():
		p.row.add(due.label, reconcile.ReasonBadValue, "nothing less than 0 can be collected")
	case m.due.IsPos() && c.payment == reconcile.Paid:
		p.row.add(due.label, reconcile.ReasonConflict, "the row says that it was paid, and that money is still to be collected for it")
	}
	return m
}

// size is estimated, in bytes.
func (m *charge) size() int {
	if m == nil {
		return 0
	}
	return 112 + len(m.shipping) + len(m.ip)
}

func (m *charge) same(o *charge) bool {
	if m == nil || o == nil {
		return m == o
	}
	return m.due.Cmp(o.due) == 0 && m.price.Cmp(o.price) == 0 && m.quantity.Cmp(o.quantity) == 0 && m.shipping == o.shipping && m.ip == o.ip
}

// charge describes it to the codec.
func (c *codec) charge(v **charge) {
	some := *v != nil
	if c.flag(&some); !some {
		*v = nil
		return
	}
	if *v == nil {
		*v = &charge{}
	}
	for _, d := range []*reconcile.Decimal{&(*v).due, &(*v).price, &(*v).quantity, &(*v).total} {
		c.decimal(d)
	}
	c.flag(&(*v).totaled)
	c.text(&(*v).shipping)
	c.text(&(*v).ip)
}

// steps gives the order its chain, where the source says what is due. Lines
// that are no goods are no steps of it.
func (f *finisher) steps(lines []countedLine, order []chain.Step) {
	if !f.m.rows[rowDue].mapped() {
		return
	}
	place := map[int]int{} // from where the step stands among all to where it stands in the order's chain
	for i, s := range order {
		l := &lines[s.Row]
		if l.cart.charge == nil || l.sums.lines == 0 {
			continue
		}
		m := l.cart.charge
		step := reconcile.ChainStep{Product: l.cart.product, Quantity: m.quantity, Price: m.price, Replaces: place[s.Replaces],
			Session: l.cart.session, Parent: l.cart.parent, Shipping: m.shipping, CustomerIP: m.ip, Payment: l.cart.payment, Due: m.due}
		f.undiscount(&step, m)
		f.h.Chain = append(f.h.Chain, step)
		place[i+1] = len(f.h.Chain)
	}
}

// due reports whether anything is still to be collected.
func (f *finisher) due() bool {
	for _, s := range f.h.Chain {
		if s.Due.IsPos() {
			return true
		}
	}
	return false
}

// undiscount finds the price before the discount that was declared and what it
// costs with it, and notes a discount that was not declared: who takes one off
// by itself must not be handed a price with one in it.
func (f *finisher) undiscount(step *reconcile.ChainStep, m *charge) {
	share, err := decimal.Hundred, error(nil)
	switch {
	case !f.m.progressive():
		step.Discounted = f.undeclared(m)
	case f.m.cfg.Prices == "list":
		share, err = f.m.left(m.quantity)
	default:
		if share, err = f.m.left(m.quantity); err == nil {
			step.Price, err = listPrice(m.price, share, reconcile.MinorDigits(f.h.Currency))
		}
	}
	if err == nil {
		step.Cost, err = f.cost(step, share)
	}
	step.Discounted = step.Discounted || err != nil
}

// cost is what a step costs of which a share in percent is left to pay.
func (f *finisher) cost(step *reconcile.ChainStep, share reconcile.Decimal) (reconcile.Decimal, error) {
	full, err := reconcile.Mul(step.Price, step.Quantity)
	if err == nil {
		full, err = reconcile.Mul(full, share)
	}
	if err != nil {
		return full, err
	}
	return quotient(full, decimal.Hundred, reconcile.MinorDigits(f.h.Currency))
}

// undeclared reports whether a row shows a discount, its own or the order's.
func (f *finisher) undeclared(m *charge) bool {
	if off := f.value("discount"); off != "" {
		if d, err := f.m.numbers.parse(off); err != nil || !d.IsZero() {
			return true
		}
	}
	if !m.totaled {
		return false
	}
	full, err := reconcile.Mul(m.price, m.quantity)
	return err != nil || full.Cmp(m.total) != 0
}

// listPrice is the price of which a share in percent is left; one that does not
// come out exactly in the currency's coins is an error.
func listPrice(price, share reconcile.Decimal, digits int) (reconcile.Decimal, error) {
	if !share.IsPos() {
		return price, errNoList
	}
	whole, err := reconcile.Mul(price, decimal.Hundred)
	if err != nil {
		return price, err
	}
	list, err := quotient(whole, share, digits)
	if err != nil {
		return price, err
	}
	if back, err := reconcile.Mul(list, share); err != nil || back.Cmp(whole) != 0 {
		return price, errNoList
	}
	return list, nil
}
