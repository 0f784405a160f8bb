package customers

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Goods are products and how many of each, none of them zero.
type Goods map[string]int

func (g Goods) add(sku string, n int) {
	if g[sku] += n; g[sku] <= 0 {
		delete(g, sku)
	}
}

// Plus is the sum of both.
func (g Goods) Plus(o Goods) Goods {
	sum := maps.Clone(g)
	if sum == nil {
		sum = Goods{}
	}
	for sku, n := range o {
		sum.add(sku, n)
	}
	return sum
}

// Minus is what is left of g when o is taken away.
func (g Goods) Minus(o Goods) Goods {
	rest := Goods{}
	for sku, n := range g {
		rest.add(sku, n-min(n, o[sku]))
	}
	return rest
}

// Within reports whether o holds all of g.
func (g Goods) Within(o Goods) bool { return len(g.Minus(o)) == 0 }

// Cart is one account's cart in the shop.
type Cart struct {
	Goods Goods
	Used  time.Time // when the customer last touched it; zero: never
}

// Address is an address with the people behind it: each has an account and a
// cart in the shop, and all go to the stores under the one address.
type Address struct {
	Email     string
	Carts     []*Cart
	Checkouts []*Checkout // in the order in which they happened
	// Unheard says that the platform was not told what was last done in the shop.
	Unheard bool
}

// Wanted is what the carts hold of all accounts.
func (a *Address) Wanted() Goods {
	sum := Goods{}
	for _, c := range a.Carts {
		sum = sum.Plus(c.Goods)
	}
	return sum
}

// Used is when a cart of the address that holds something was last touched.
func (a *Address) Used() time.Time {
	var last time.Time
	for _, c := range a.Carts {
		if len(c.Goods) > 0 && c.Used.After(last) {
			last = c.Used
		}
	}
	return last
}

// Store has tills with a clock of its own, and exports late.
type Store struct {
	Name    string
	Clock   time.Duration // how far its clock is ahead
	Delay   time.Duration // the least time until its export has a checkout
	Shuffle time.Duration // how much longer it may take, each time anew
}

// Checkout is a purchase in a store.
type Checkout struct {
	Number   string
	Who      *Address
	Store    *Store
	At       time.Time // when it happened
	Recorded time.Time // what the till's clock said
	Exported time.Time // from when on the export has it
	Goods    Goods
}

// Told is what the shop's page tells the platform of one account's cart.
type Told struct {
	Who    *Address
	Cart   Goods  // the whole cart, empty when it was emptied
	Bought Goods  // of a purchase in the shop: nil without one
	Number string // its number
}

// Town is the customers, the stores and what is going to happen.
type Town struct {
	Addresses []*Address
	Checkouts []*Checkout
	stores    []*Store
	dice      *rand.Rand
	events    []event // sorted by time
	numbers   int
}

type event struct {
	at   time.Time
	who  *Address
	what func(t *Town, who *Address, at time.Time) *Told
}

// Rules of a town.
type Rules struct {
	Start     time.Time
	Days      int
	Addresses int
	// Clock is how far the clock of a till may be off, either way.
	Clock time.Duration
}

// NewTown makes a town from a seed.
func NewTown(seed uint64, r Rules) *Town {
	t := &Town{dice: rand.New(rand.NewPCG(seed, 1))}
	for i := range 6 {
		s := &Store{Name: fmt.Sprint("store ", i+1), Delay: t.minutes(2, 12), Shuffle: t.minutes(0, 10)}
		if r.Clock > 0 {
			s.Clock = (time.Duration(t.dice.Int64N(int64(2*r.Clock+1))) - r.Clock).Truncate(time.Second)
		}
		t.stores = append(t.stores, s)
	}
	t.stores[4].Shuffle = 6 * time.Hour                                 // its exports come late, and out of order
	t.stores[5].Delay, t.stores[5].Shuffle = 14*time.Hour, 10*time.Hour // it syncs the next day
	for i := range r.Addresses {
		a := &Address{Email: fmt.Sprintf("customer%d@example.com", i+1), Carts: []*Cart{{Goods: Goods{}}}}
		if t.chance(0.15) {
			a.Carts = append(a.Carts, &Cart{Goods: Goods{}})
		}
		t.Addresses = append(t.Addresses, a)
		t.live(a, r)
	}
	slices.SortStableFunc(t.events, func(a, b event) int { return a.at.Compare(b.at) })
	return t
}

// live lays down when an address does something: visits to the shop, and
// visits to stores soon or long after them.
func (t *Town) live(a *Address, r Rules) {
	end := r.Start.Add(time.Duration(r.Days) * 24 * time.Hour)
	for at := r.Start.Add(t.minutes(0, 600)); at.Before(end); {
		for range 1 + t.dice.IntN(4) {
			t.plan(at, a, pick(t, []func(*Town, *Address, time.Time) *Told{fill, fill, fill, fill, drop, empty}))
			at = at.Add(t.minutes(1, 8))
		}
		for range t.dice.IntN(3) {
			at = at.Add(pick(t, []time.Duration{t.minutes(1, 20), t.minutes(10, 120), t.minutes(60, 900)}))
			t.plan(at, a, pick(t, []func(*Town, *Address, time.Time) *Told{inStore, inStore, inStore, online}))
		}
		at = at.Add(pick(t, []time.Duration{t.minutes(1, 45), t.minutes(60, 600), t.minutes(600, 1800)}))
	}
}

func (t *Town) plan(at time.Time, who *Address, what func(*Town, *Address, time.Time) *Told) {
	t.events = append(t.events, event{at, who, what})
}

// Next is when the next thing happens, and false when nothing does any more.
func (t *Town) Next() (time.Time, bool) {
	if len(t.events) == 0 {
		return time.Time{}, false
	}
	return t.events[0].at, true
}

// Happen lets the next thing happen. It returns what the page tells the
// platform, nil when the customer was not in the shop or the page's script did
// not run.
func (t *Town) Happen() *Told {
	e := t.events[0]
	t.events = t.events[1:]
	told := e.what(t, e.who, e.at)
	if told == nil {
		return nil
	}
	if told.Who.Unheard = t.chance(0.1); told.Who.Unheard {
		return nil
	}
	return told
}

func fill(t *Town, a *Address, at time.Time) *Told {
	c := pick(t, a.Carts)
	c.Goods.add(t.sku(), 1+t.dice.IntN(2))
	c.Used = at
	return &Told{Who: a, Cart: maps.Clone(c.Goods)}
}

func drop(t *Town, a *Address, at time.Time) *Told {
	c := pick(t, a.Carts)
	if len(c.Goods) == 0 {
		return fill(t, a, at)
	}
	c.Goods.add(pick(t, slices.Sorted(maps.Keys(c.Goods))), -1)
	c.Used = at
	return &Told{Who: a, Cart: maps.Clone(c.Goods)}
}

func empty(t *Town, a *Address, at time.Time) *Told {
	if t.chance(0.7) {
		return fill(t, a, at)
	}
	c := pick(t, a.Carts)
	c.Goods, c.Used = Goods{}, at
	return &Told{Who: a, Cart: Goods{}}
}

// online is a purchase in the shop: the cart is bought and empty then.
func online(t *Town, a *Address, at time.Time) *Told {
	c := pick(t, a.Carts)
	if len(c.Goods) == 0 {
		return nil
	}
	bought := c.Goods
	c.Goods, c.Used = Goods{}, at
	t.numbers++
	return &Told{Who: a, Cart: Goods{}, Bought: bought, Number: fmt.Sprint("W", t.numbers)}
}

// inStore is a purchase at a till: all of the cart, a part of it, more than it,
// or something else. The shop's cart stays as it is.
func inStore(t *Town, a *Address, at time.Time) *Told {
	goods := Goods{}
	for sku, n := range sorted(pick(t, a.Carts).Goods) {
		switch t.dice.IntN(8) {
		case 0:
		case 1:
			goods.add(sku, 1)
		case 2:
			goods.add(sku, n+1)
		default:
			goods.add(sku, n)
		}
	}
	if len(goods) == 0 || t.chance(0.2) {
		goods.add(t.sku(), 1)
	}
	s := pick(t, t.stores)
	t.numbers++
	c := &Checkout{Number: fmt.Sprint("T", t.numbers), Who: a, Store: s, At: at, Recorded: at.Add(s.Clock), Goods: goods,
		Exported: at.Add(s.Delay + time.Duration(t.dice.Int64N(int64(s.Shuffle)+1)).Truncate(time.Second))}
	a.Checkouts, t.Checkouts = append(a.Checkouts, c), append(t.Checkouts, c)
	return nil
}

// Seen lists the checkouts that exports have at a time, in no order.
func (t *Town) Seen(at time.Time) []*Checkout {
	var seen []*Checkout
	for _, c := range t.Checkouts {
		if !c.Exported.After(at) {
			seen = append(seen, c)
		}
	}
	t.dice.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
	return seen
}

func (t *Town) sku() string { return fmt.Sprint("sku", 1+t.dice.IntN(5)) }

func (t *Town) chance(p float64) bool { return t.dice.Float64() < p }

// minutes is a time between both, in minutes, to the second.
func (t *Town) minutes(from, to int) time.Duration {
	return time.Duration(from)*time.Minute + time.Duration(t.dice.IntN((to-from)*60+1))*time.Second
}

func pick[T any](t *Town, list []T) T { return list[t.dice.IntN(len(list))] }

func sorted(g Goods) func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		for _, sku := range slices.Sorted(maps.Keys(g)) {
			if !yield(sku, g[sku]) {
				return
			}
		}
	}
}
