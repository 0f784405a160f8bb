package placement

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"makegood/reconcile"
)

// Stand is where an item of an open page stands between the placement and the
// shop's cart.
type Stand string

// The stands.
const (
	Agrees     Stand = "agrees"     // both have the same, and nothing had to be asked
	Aligned    Stand = "aligned"    // the placement was asked, and its closing message says so
	ToAsk      Stand = "to_ask"     // they differ, and the page has not asked yet
	Waiting    Stand = "asked"      // the page has asked, and the loop is open
	Refused    Stand = "refused"    // the closing message says another quantity: Rokt may refuse [P]
	Unanswered Stand = "unanswered" // asked as often as is sensible, and no message came
	Unjudged   Stand = "unjudged"   // the shop has not given its cart since the placement last spoke
)

// Rules of an open page. The zero value has none of them.
type Rules struct {
	// Settle is how long the shop's own page may take to reflect what the
	// placement said: a cart that came sooner says nothing about that item.
	Settle time.Duration
	// Answer is how long a closing message may take; Tries how often is asked.
	Answer time.Duration
	Tries  int
}

// Line is a product in the shop's cart.
type Line struct {
	SKU      string
	Quantity reconcile.Decimal
}

// Change is what a page is to ask of its placement: the body of a
// V2_UPDATE_CART_ITEM message [P].
type Change struct {
	CartItem string `json:"cartItemId"`
	Quantity int64  `json:"quantity"`
}

// Visit is a session whose page is open: its messages come in the order of
// their time.
type Visit struct {
	*Session
	rules  Rules
	lines  []Line
	cartAt time.Time // zero: the shop has not given its cart
	asks   map[string]*ask
	moved  map[string]time.Time // when an item last changed without being asked
}

// ask is what was last asked about an item.
type ask struct {
	quantity reconcile.Decimal
	at       time.Time
	tries    int
	answered bool
	heard    time.Time // when it was answered
}

// Standing is one item of a visit.
type Standing struct {
	Item  string `json:"item"` // catalogItemId
	Name  string `json:"name,omitempty"`
	Stand Stand  `json:"stand"`
	Rokt  string `json:"at_rokt"`
	Shop  string `json:"in_the_shop"`
	Asked string `json:"asked,omitempty"`
}

// NewVisit begins a visit of which nothing is known yet.
func NewVisit(id string, rules Rules) *Visit {
	return &Visit{Session: NewSession(id), rules: rules, asks: map[string]*ask{}, moved: map[string]time.Time{}}
}

// Add takes in a message of the visit, newer than those before.
func (v *Visit) Add(m Message) error {
	if err := v.Session.Add(m); err != nil {
		return err
	}
	if m.Kind == Update {
		v.askedOf(v.impressions[m.CartItem], m)
		return nil
	}
	for _, item := range []*Item{m.Old, m.Item} {
		if item != nil {
			v.heard(item.Catalog, m.At)
		}
	}
	return nil
}

// askedOf notes that the page has asked for a quantity of an item.
func (v *Visit) askedOf(catalog string, m Message) {
	if catalog == "" {
		return
	}
	a := v.asks[catalog]
	if a == nil || a.answered || a.quantity.Cmp(m.Quantity) != 0 {
		a = &ask{quantity: m.Quantity}
		v.asks[catalog] = a
	}
	a.at = m.At
	a.tries++
}

// heard tells the message that closes a loop [P] from the customer's own
// changes. It is judged once: one message names an item as it was and is.
func (v *Visit) heard(catalog string, at time.Time) {
	a := v.asks[catalog]
	switch {
	case a == nil:
		v.moved[catalog] = at
	case !a.answered:
		a.answered, a.heard = true, at
	case !a.heard.Equal(at):
		delete(v.asks, catalog)
		v.moved[catalog] = at
	}
}

// Cart takes in the shop's cart as it is at a time.
func (v *Visit) Cart(lines []Line, at time.Time) { v.lines, v.cartAt = slices.Clone(lines), at }

// Standings says of every item where it stands.
func (v *Visit) Standings(now time.Time) []Standing {
	list := []Standing{}
	for _, catalog := range slices.Sorted(maps.Keys(v.items)) {
		state := v.items[catalog]
		want, judged := v.wanted(state)
		s := Standing{Item: catalog, Name: state.Item.Name, Stand: v.stand(state, want, judged, now), Rokt: state.Has.String(), Shop: want.String()}
		if !judged {
			s.Shop = ""
		}
		if a := v.asks[catalog]; a != nil {
			s.Asked = a.quantity.String()
		}
		list = append(list, s)
	}
	return list
}

// Changes lists what the page is to ask now. Asking twice for one thing
// changes nothing: a quantity is absolute.
func (v *Visit) Changes(now time.Time) []Change {
	changes := []Change{}
	for _, catalog := range slices.Sorted(maps.Keys(v.items)) {
		state := v.items[catalog]
		want, judged := v.wanted(state)
		if v.stand(state, want, judged, now) != ToAsk {
			continue
		}
		if n, _, ok := want.Int64(0); ok {
			changes = append(changes, Change{CartItem: state.Item.CartItem, Quantity: n})
		}
	}
	return changes
}

// wanted is how many of an item the shop's cart has. An item without the
// product that it goes with is to be gone [P]. judged is false when the shop's
// cart may be older than what the placement said.
func (v *Visit) wanted(state *State) (n reconcile.Decimal, judged bool) {
	judged = !v.cartAt.IsZero() && !v.cartAt.Before(v.moved[state.Item.Catalog].Add(v.rules.Settle))
	linked := state.Item.Linked == ""
	for _, l := range v.lines {
		if l.SKU == state.Item.Linked && !l.Quantity.IsZero() {
			linked = true
		}
		if l.SKU == state.Item.Catalog {
			n = l.Quantity
		}
	}
	if !linked {
		return reconcile.Decimal{}, judged
	}
	return n, judged
}

func (v *Visit) stand(state *State, want reconcile.Decimal, judged bool, now time.Time) Stand {
	a := v.asks[state.Item.Catalog]
	same := state.Has.Cmp(want) == 0
	asked := a != nil && a.quantity.Cmp(want) == 0
	switch {
	case !judged:
		return Unjudged
	case asked && a.answered && same:
		return Aligned
	case asked && a.answered:
		return Refused
	case asked && now.Sub(a.at) < v.rules.Answer:
		return Waiting
	case asked && a.tries >= cmp.Or(v.rules.Tries, 1):
		return Unanswered
	case same:
		return Agrees
	}
	return ToAsk
}
