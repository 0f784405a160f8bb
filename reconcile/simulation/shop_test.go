package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// line is what somebody bought, in cents.
type line struct {
	sku      string
	quantity int64
	cents    int64
}

// order is an order as the shop has it now. Money is counted in whole cents
// here, so that nothing of makegood's arithmetic is used to judge it.
type order struct {
	id        string
	email     string
	completed time.Time
	currency  string
	channel   string
	lines     []line
	version   int // raised by each change of what was bought
	permitted bool
	bad       bool
	leftOut   bool
	cursed    bool // the platforms refuse it until it changes
	mended    bool // it could not be sent when it was new
	source    reconcile.Order
}

func (o *order) cents() (sum int64) {
	for _, l := range o.lines {
		sum += l.quantity * l.cents
	}
	return sum
}

func (o *order) counts() bool { return !o.bad && !o.leftOut }

// hold is why the shop's own data forbid to send it, "" when they do not.
func (o *order) hold() reconcile.Reason {
	switch {
	case o.email == "":
		return reconcile.ReasonNoEmail
	case !o.permitted:
		return reconcile.ReasonNotPermitted
	}
	return ""
}

// build makes the order that a source would read. It must follow each change.
func (o *order) build() {
	lines := make([]string, len(o.lines))
	for i, l := range o.lines {
		lines[i] = fmt.Sprintf("%s x %d @ %d.%02d", l.sku, l.quantity, l.cents/100, l.cents%100)
	}
	o.source = reconciletest.Order(o.id, lines, func(r *reconcile.Order) {
		r.CompletedAt, r.Email, r.Currency, r.Channel, r.Permitted = o.completed, o.email, o.currency, o.channel, o.permitted
		if o.bad {
			r.Bad = []reconcile.RowProblem{{Reason: reconcile.ReasonBadValue, Text: "a cell that cannot be read"}}
		}
		if o.leftOut {
			r.LeftOut = "cancelled"
		}
	})
}

// shop holds the orders of a world.
type shop struct {
	orders []*order
	made   int
}

// oddIDs are order numbers that an id of an event must keep apart.
var oddIDs = []string{"7", "7/1", "7~2", "7%2F1", "7/2", "A-b", "a-b", "0007"}

// place adds an order that was completed at a time.
func (s *shop) place(r *rand.Rand, at time.Time) *order {
	s.made++
	id := fmt.Sprint(1000 + s.made)
	if odd := pick(r, oddIDs); chance(r, 0.2) && s.find(odd) == nil {
		id = odd
	}
	o := &order{id: id, completed: at.UTC().Truncate(time.Second), currency: "EUR", permitted: !chance(r, 0.06),
		channel: pick(r, []string{"in_store", "in_store", "telephone", "online"}), cursed: chance(r, 0.07),
		bad: chance(r, 0.04), leftOut: chance(r, 0.04)}
	if chance(r, 0.1) {
		o.currency = "SEK"
	}
	if !chance(r, 0.06) {
		o.email = fmt.Sprintf("c%d@example.com", r.IntN(6))
	}
	o.goods(r)
	o.build()
	s.orders = append(s.orders, o)
	return o
}

// goods fills the order; a line may stand there twice.
func (o *order) goods(r *rand.Rand) {
	o.lines = nil
	for range 1 + r.IntN(3) {
		l := line{sku: fmt.Sprint("SKU", r.IntN(5)), quantity: 1 + r.Int64N(4), cents: 1 + r.Int64N(9999)}
		if o.lines = append(o.lines, l); chance(r, 0.15) {
			o.lines = append(o.lines, l)
		}
	}
}

// change does to one order what shops do: it is edited, upgraded to dearer
// goods, completed with an address, or no longer permitted.
func (s *shop) change(r *rand.Rand) string {
	if len(s.orders) == 0 {
		return "nothing to change"
	}
	o := pick(r, s.orders)
	what := ""
	switch n := r.IntN(8); {
	case n < 4:
		what, o.cursed = "is edited", false
		o.version++
		o.goods(r)
	case n < 5:
		what, o.cursed = "is upgraded", false
		o.version++
		o.lines[0].cents += 1000
	case n < 6 && o.email == "":
		what, o.email, o.mended = "has an address now", "late@example.com", true
	case n < 7 && o.permitted:
		what, o.permitted = "is no longer permitted", false
	case !o.permitted:
		what, o.permitted, o.mended = "is permitted now", true, true
	default:
		what, o.leftOut, o.bad, o.mended = "is mended", false, false, true
	}
	o.build()
	return "order " + o.id + " " + what
}

func (s *shop) find(id string) *order {
	i := slices.IndexFunc(s.orders, func(o *order) bool { return o.id == id })
	if i < 0 {
		return nil
	}
	return s.orders[i]
}

// seen copies the orders as a process finds them when it starts.
func (s *shop) seen() map[string]*order {
	copied := map[string]*order{}
	for _, o := range s.orders {
		c := *o
		c.lines = slices.Clone(o.lines)
		copied[o.id] = &c
	}
	return copied
}

// read is the source of a process.
func (s *shop) read() *reconciletest.Source {
	source := &reconciletest.Source{}
	for _, o := range s.orders {
		source.List = append(source.List, o.source)
	}
	return source
}
