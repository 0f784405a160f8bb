package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// staleText names the feeds that show too old a moment.
func (c Carts) staleText(zone *time.Location) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Stale)) {
		parts = append(parts, c.shown(name, c.Stale[name], zone))
	}
	return strings.Join(parts, ", ")
}

func (Carts) shown(name string, at time.Time, zone *time.Location) string {
	return fmt.Sprintf("%s shows the carts of %s", name, at.In(zone).Format("2006-01-02 15:04"))
}

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
	// Took says that Lines lack what other checkouts of the same person took,
	// of which the platform has not been told.
	Took bool
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
// not hold has no cart. ReadAt is the moment that a source shows; one that
// shows an older moment than it may stands in Stale alone.
type Carts struct {
	ReadAt map[string]time.Time
	ByName map[string]map[Person]Cart
	Stale  map[string]time.Time
	// LookedAt is when a source was read.
	LookedAt map[string]time.Time
}

// Knows reports whether a source shows all that a customer did before a
// checkout: a moment after it, as far as clocks can differ, or that of now.
func (c Carts) Knows(source string, checkout time.Time, margin time.Duration) bool {
	from, now := checkout.Add(margin), c.LookedAt[source]
	if from.After(now) {
		from = now
	}
	return !c.ReadAt[source].Before(from)
}

// Read reports whether an open-carts source was read, and is fresh.
func (c Carts) Read(source string) bool { return !c.ReadAt[source].IsZero() }

// Of gives a person's cart from a source, the empty cart when there is none.
func (c Carts) Of(source string, p Person) Cart { return c.ByName[source][p] }

// CartFeed reads open carts.
type CartFeed interface {
	Name() string
	// Read gives the carts of the persons asked for; those that have none are
	// missing from the answer. asOf is the moment that they show, such as when
	// a file was written; zero: the moment of reading.
	Read(ctx context.Context, persons map[Person]bool) (carts map[Person]Cart, asOf time.Time, err error)
}

// OpenCarts is a feed with what the configuration says of it.
type OpenCarts struct {
	CartFeed
	// FreshWithin is how old the moment that it shows may be: what a customer
	// does after that moment is not known. 0: any age.
	FreshWithin time.Duration
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
	if reason := CartTouched(cart, checkout, margin); reason != "" {
		return CartChange{Reason: reason}
	}
	rest, took := Subtract(cart.Lines, bought)
	if !took && !cart.Took {
		return CartChange{Reason: ReasonCartUnrelated}
	}
	return CartChange{Rest: rest}
}

// CartTouched tells why a stored cart must be left alone whatever was bought:
// there is none, it was used since the checkout, or nobody knows. "" is that it
// was surely last used before.
func CartTouched(cart Cart, checkout time.Time, margin time.Duration) Reason {
	switch {
	case len(cart.Lines) == 0 && !cart.Took:
		return ReasonNoCart
	case !cart.LastActivity.IsZero() && !cart.DayOnly && cart.LastActivity.After(checkout.Add(-margin)):
		return ReasonCartNewer
	case cart.LastActivity.IsZero() || cart.DayOnly || cart.Undecidable:
		return ReasonCartOrderUnknown
	}
	return ""
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
	taken bool // a newer checkout that went took its lines into account
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

// leftBy gives the cart as other checkouts of the same person left it, so that
// one can be decided. A checkout that was surely after the last activity is
// taken out of the cart; one that was surely before it is in the cart's lines
// already; one in between makes the cart undecidable. So does one whose lines
// are not known, unless it was surely before: what it took would be put back.
func leftBy(cart Cart, others []checkout, unknown []time.Time, margin time.Duration) Cart {
	for _, e := range others {
		switch at := e.order.CompletedAt; {
		case at.Add(-margin).After(cart.LastActivity):
			var took bool
			cart.Lines, took = Subtract(cart.Lines, e.order.Items)
			cart.Took = cart.Took || took && e.send && !e.taken
		case at.Add(margin).Before(cart.LastActivity):
		default:
			cart.Undecidable = true
		}
	}
	for _, at := range unknown {
		cart.Undecidable = cart.Undecidable || !at.Add(margin).Before(cart.LastActivity)
	}
	return cart
}

// besideWindow is how far before a checkout other cart events of the person
// still count for whether anything has happened since a plan.
const besideWindow = 7 * 24 * time.Hour

// othersDigest covers a person's cart events beside one, as the ledger has
// them: what another run does about the same cart changes it.
func othersDigest(e Event, sent []Entry) Digest {
	fields := []string{"beside"}
	for _, o := range sent {
		if o.ID != e.ID && o.Facts.CompletedAt.After(e.Facts.CompletedAt.Add(-besideWindow)) {
			fields = append(fields, string(o.ID), strconv.FormatInt(o.Version, 10))
		}
	}
	return HashFields(fields...)
}

// noteTaken marks checkouts that an earlier run found superseded: the newer one
// was decided against what they had left. Where no newer cart event of the
// person went since, nothing was.
func (p *planner) noteTaken(ctx context.Context, t *targetPlan, sent map[Person][]Entry) error {
	var ids []EventID
	of := map[EventID]*checkout{}
	for person := range sent {
		for i, c := range t.checkouts[person] {
			if c.send {
				ids = append(ids, c.want.ID)
				of[c.want.ID] = &t.checkouts[person][i]
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	decided, err := p.led.Decided(ctx, t.Name(), ids)
	if err != nil {
		return fmt.Errorf("look up what was decided about carts at %s: %w", t.Name(), err)
	}
	for _, d := range decided {
		c := of[d.ID]
		if c == nil || d.Place.Reason != ReasonSuperseded {
			continue
		}
		c.taken = slices.ContainsFunc(sent[c.want.Person], func(e Entry) bool {
			return !e.Facts.CompletedAt.Before(c.order.CompletedAt) && !e.At.Before(d.At)
		})
	}
	return nil
}

// decisive is the checkout of a sorted list whose cart event goes: the newest
// of those to be decided, -1 when it must not go. unknown are the completion
// times of checkouts whose lines nobody knows here; a newer one decides.
func decisive(list []checkout, unknown []time.Time) int {
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].send || list[i].taken {
			continue
		}
		newer := func(at time.Time) bool { return !at.Before(list[i].order.CompletedAt) }
		if slices.ContainsFunc(unknown, newer) {
			return -1
		}
		return i
	}
	return -1
}
