package placement

import (
	"cmp"
	"slices"

	"makegood/reconcile"
)

// Difference says how a placement's cart and a completed order disagree.
type Difference string

// The differences.
const (
	NotOnOrder    Difference = "not_on_order"   // accepted at Rokt, not on the order
	StillOnOrder  Difference = "still_on_order" // on the order, removed at Rokt
	WrongQuantity Difference = "wrong_quantity"
	LinkedGone    Difference = "linked_gone"   // accepted at Rokt, and the product that it goes with is not on the order
	LoopOpen      Difference = "loop_open"     // the shop asked for a quantity, and Rokt never answered
	OrderUnknown  Difference = "order_unknown" // accepted at Rokt under an order number that no completed order has
)

// Differences lists them in the order in which they are told.
var Differences = []Difference{NotOnOrder, StillOnOrder, WrongQuantity, LinkedGone, LoopOpen, OrderUnknown}

// Finding is one item on which a placement and an order disagree.
type Finding struct {
	Difference Difference         `json:"difference"`
	Order      string             `json:"order,omitempty"`
	Shop       string             `json:"shop,omitempty"`
	Session    string             `json:"session"`
	Item       string             `json:"item"` // catalogItemId
	Name       string             `json:"name,omitempty"`
	Linked     string             `json:"linked_product,omitempty"`
	AtRokt     string             `json:"at_rokt"`
	OnOrder    string             `json:"on_order"`
	Asked      string             `json:"asked,omitempty"` // of an open loop: the quantity that was asked for
	Amount     *reconcile.Decimal `json:"amount,omitempty"`
	Currency   string             `json:"currency,omitempty"`
	Message    reconcile.Origin   `json:"message"` // where the last message about it stands
	Row        reconcile.Origin   `json:"row,omitzero"`
	Left       reconcile.Reason   `json:"left_out,omitempty"` // why the order is not counted
	price      *reconcile.Decimal
}

// Order is what is known of the order of a session: nil Items with Left say
// that it is none that counts.
type Order struct {
	reconcile.Order
	Left reconcile.Reason
}

// Result is what a comparison found.
type Result struct {
	Sessions  int       `json:"sessions"`   // with items
	WithOrder int       `json:"with_order"` // of these, those whose order is known
	NoOrder   int       `json:"no_order"`   // those that name no order: the visit ended without one, or nobody knows it
	Agreed    int       `json:"agreed"`     // items that are the same on both sides
	Findings  []Finding `json:"differences"`
}

// Compare lays sessions beside their orders; of gives the order of a session:
// its number, which is "" when the session names none, and the order, which is
// nil when no source has it. The findings that are worth most come first.
func Compare(sessions []*Session, of func(*Session) (number string, order *Order)) Result {
	var r Result
	for _, s := range sessions {
		items := s.Items()
		if len(items) == 0 {
			continue
		}
		r.Sessions++
		number, order := of(s)
		switch {
		case number == "":
			r.NoOrder++
			continue
		case order != nil && order.Left == "":
			r.WithOrder++
		}
		for _, state := range items {
			f, differs := compare(s, state, order)
			if !differs {
				r.Agreed++
				continue
			}
			f.Order = number
			r.Findings = append(r.Findings, f)
		}
	}
	slices.SortStableFunc(r.Findings, byMoney)
	return r
}

// compare judges one item. The first that fits of: no order, the linked
// product, the quantities, the loop.
func compare(s *Session, state State, order *Order) (f Finding, differs bool) {
	i := state.Item
	f = Finding{Session: s.ID, Item: i.Catalog, Name: i.Name, AtRokt: state.Has.String(), OnOrder: "0", Currency: i.Currency,
		Message: state.Origin, price: i.Price}
	if order == nil || order.Left != "" {
		f.Difference = OrderUnknown
		if order != nil {
			f.Left, f.Row, f.Shop = order.Left, order.Origin, order.Key.Shop
		}
		f.worth(state.Has)
		return f, state.Taken
	}
	f.Shop, f.Row = order.Key.Shop, order.Origin
	has, price := lineOf(order.Items, i.Catalog)
	f.OnOrder = has.String()
	if f.price == nil {
		f.price, f.Currency = price, cmp.Or(f.Currency, order.Currency)
	}
	if state.Asked != nil {
		f.Asked = state.Asked.Quantity.String()
	}
	apart, err := reconcile.Add(state.Has, has.Neg())
	switch {
	case state.Taken && i.Linked != "" && !onOrder(order.Items, i.Linked):
		f.Difference, f.Linked = LinkedGone, i.Linked
		f.worth(state.Has)
	case err == nil && apart.IsZero() && state.Asked != nil:
		f.Difference = LoopOpen
		if open, err := reconcile.Add(state.Asked.Quantity, state.Has.Neg()); err == nil {
			f.worth(open.Abs())
		}
	case err == nil && apart.IsZero():
		return f, false
	case has.IsZero():
		f.Difference = NotOnOrder
		f.worth(state.Has)
	case !state.Taken:
		f.Difference = StillOnOrder
		f.worth(has)
	default:
		f.Difference = WrongQuantity
		f.worth(apart.Abs())
	}
	return f, true
}

// worth is the money that n of an item are about, where a price is known.
func (f *Finding) worth(n reconcile.Decimal) {
	if f.price == nil {
		return
	}
	if amount, err := reconcile.Mul(*f.price, n); err == nil {
		f.Amount = &amount
	}
}

func onOrder(lines []reconcile.Line, sku string) bool {
	return slices.ContainsFunc(lines, func(l reconcile.Line) bool { return l.SKU == sku && !l.Quantity.IsZero() })
}

// lineOf sums the lines of a product, and gives the price of one.
func lineOf(lines []reconcile.Line, sku string) (quantity reconcile.Decimal, price *reconcile.Decimal) {
	for _, l := range lines {
		if l.SKU != sku || sku == "" {
			continue
		}
		if sum, err := reconcile.Add(quantity, l.Quantity); err == nil {
			quantity = sum
		}
		if p, ok := reconcile.UnitPrice(l); ok && price == nil {
			price = &p
		}
	}
	return quantity, price
}

// byMoney puts what is worth most first, and what is worth nobody knows what
// last.
func byMoney(a, b Finding) int {
	switch {
	case a.Amount == nil || b.Amount == nil:
		return cmp.Compare(known(b), known(a))
	case a.Amount.Cmp(*b.Amount) != 0:
		return b.Amount.Cmp(*a.Amount)
	}
	return cmp.Or(slices.Index(Differences, a.Difference)-slices.Index(Differences, b.Difference),
		cmp.Compare(a.Order, b.Order), cmp.Compare(a.Item, b.Item))
}

func known(f Finding) int {
	if f.Amount == nil {
		return 0
	}
	return 1
}

// Money sums what the findings of a difference are about; "" is all of them.
func (r Result) Money(d Difference) (n int, sum reconcile.Money) {
	for _, f := range r.Findings {
		if d != "" && f.Difference != d {
			continue
		}
		n++
		if f.Amount == nil {
			continue
		}
		if more, err := sum.Plus(f.Currency, *f.Amount); err == nil {
			sum = more
		}
	}
	return n, sum
}
