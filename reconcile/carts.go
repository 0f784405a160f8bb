package reconcile

import (
	"context"
	"slices"
	"strings"
	"time"
)

// CartLine is one product in a stored cart. Quantity is exact and positive.
type CartLine struct {
	SKU      string
	Quantity Decimal
	Price    *Decimal // of one unit; nil when it is not known
	UniqueID string
	Item     string
}

// Cart is what is known of one person's stored cart.
type Cart struct {
	Lines        []CartLine
	LastActivity time.Time // zero: not known
	DayOnly      bool      // LastActivity is a date without a time of day
	// Undecidable says that an earlier checkout of the same person cannot be
	// ordered against this cart: nothing may be decided on it.
	Undecidable bool
}

// Digest covers lines and last activity, independent of the order of lines.
func (c Cart) Digest() Digest {
	var sum DigestSum
	for _, l := range c.Lines {
		sum.Add(l.SKU, l.Quantity.String(), l.UniqueID)
	}
	return HashFields("cart", sum.text(), c.LastActivity.UTC().Format(time.RFC3339Nano))
}

// Carts are the stored carts that are known at one moment, by the name of the
// open-carts source and by person. A person whom a source that was read does
// not hold has no cart.
type Carts struct {
	ReadAt map[string]time.Time
	ByName map[string]map[Person]Cart
}

// Read reports whether an open-carts source was read.
func (c Carts) Read(source string) bool { return !c.ReadAt[source].IsZero() }

// Of gives a person's cart from a source, the empty cart when there is none.
func (c Carts) Of(source string, p Person) Cart { return c.ByName[source][p] }

// CartFeed reads open carts.
type CartFeed interface {
	Name() string
	// Read gives the carts of the persons asked for; those that have none are
	// missing from the answer.
	Read(ctx context.Context, persons map[Person]bool) (map[Person]Cart, error)
}

// CartChange is what a checkout does to a stored cart: the lines that are
// left, or the reason why nothing may be done. No reason and no lines: clear.
type CartChange struct {
	Rest   []CartLine
	Reason Reason
}

// DecideCart applies RULES R1: what does a checkout at the given time, of the
// given lines, do to the stored cart? First that fits: nothing stored;
// activity later than checkout minus margin; order of events not decidable;
// nothing of it bought; part bought (the rest stays); all bought (a clear).
func DecideCart(cart Cart, bought []Line, checkout time.Time, margin time.Duration) CartChange {
	switch {
	case len(cart.Lines) == 0:
		return CartChange{Reason: ReasonNoCart}
	case !cart.LastActivity.IsZero() && !cart.DayOnly && cart.LastActivity.After(checkout.Add(-margin)):
		return CartChange{Reason: ReasonCartNewer}
	case cart.LastActivity.IsZero() || cart.DayOnly || cart.Undecidable:
		return CartChange{Reason: ReasonCartOrderUnknown}
	}
	rest, took := Subtract(cart.Lines, bought)
	if !took {
		return CartChange{Reason: ReasonCartUnrelated}
	}
	return CartChange{Rest: rest}
}

// Subtract takes bought goods out of a cart, SKU by SKU, and reports whether
// anything was taken. Returned goods (negative quantities) take nothing.
func Subtract(cart []CartLine, bought []Line) (rest []CartLine, took bool) {
	have := map[string]Decimal{}
	for _, l := range bought {
		if l.Quantity.IsPos() {
			if sum, err := Add(have[l.SKU], l.Quantity); err == nil {
				have[l.SKU] = sum
			}
		}
	}
	for _, l := range cart {
		gone := have[l.SKU]
		if !gone.IsPos() {
			rest = append(rest, l)
			continue
		}
		took = true
		if gone.Cmp(l.Quantity) >= 0 {
			have[l.SKU], _ = gone.Sub(l.Quantity)
			continue
		}
		have[l.SKU] = Decimal{}
		l.Quantity, _ = l.Quantity.Sub(gone)
		rest = append(rest, l)
	}
	return rest, took
}

// checkout is one order of a person that may have changed the stored cart.
type checkout struct {
	order Order
	want  Want
	send  bool // the want is to be decided; otherwise only its lines count
}

// byCompletion sorts checkouts from the oldest to the newest; ties by id.
func byCompletion(list []checkout) {
	slices.SortFunc(list, func(a, b checkout) int {
		if c := a.order.CompletedAt.Compare(b.order.CompletedAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.want.ID), string(b.want.ID))
	})
}

// leftBy gives the cart as earlier checkouts of the same person left it, so
// that the newest one can be decided. A checkout that was surely after the
// last activity is taken out of the cart; one that was surely before it is in
// the cart's lines already; one in between makes the cart undecidable.
func leftBy(cart Cart, earlier []checkout, margin time.Duration) Cart {
	for _, e := range earlier {
		switch at := e.order.CompletedAt; {
		case at.Add(-margin).After(cart.LastActivity):
			cart.Lines, _ = Subtract(cart.Lines, e.order.Items)
		case at.Add(margin).Before(cart.LastActivity):
		default:
			cart.Undecidable = true
		}
	}
	return cart
}
