package reconcile

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Bucket is where an event ends in the balance of its target.
type Bucket string

// The buckets. Every event in scope is in exactly one of them.
const (
	BucketSent        Bucket = "sent"
	BucketAlreadySent Bucket = "already_sent"
	BucketHeldBack    Bucket = "held_back"
	BucketRefused     Bucket = "refused"
	BucketInDoubt     Bucket = "in_doubt"
	BucketLeft        Bucket = "left"
)

// Buckets lists them in the order in which reports show them.
var Buckets = [...]Bucket{BucketSent, BucketAlreadySent, BucketHeldBack, BucketRefused, BucketInDoubt, BucketLeft}

// worst ranks buckets for orders with several events: an order is counted
// where its worst event is.
func (b Bucket) worst() int {
	order := [...]Bucket{BucketAlreadySent, BucketSent, BucketHeldBack, BucketLeft, BucketRefused, BucketInDoubt}
	return slices.Index(order[:], b)
}

// Count is orders, events and money of one place in the balance. An order is
// counted once, by its worst event.
type Count struct {
	Orders int
	Events int
	Money  Money
}

// Add adds another count.
func (c *Count) Add(o Count) error {
	c.Orders += o.Orders
	c.Events += o.Events
	for currency, amount := range o.Money {
		var err error
		if c.Money, err = c.Money.Plus(currency, amount); err != nil {
			return err
		}
	}
	return nil
}

// equal reports whether two counts say the same; missing currencies and zero
// amounts are the same.
func (c Count) equal(o Count) bool {
	if c.Orders != o.Orders || c.Events != o.Events {
		return false
	}
	for _, m := range []Money{c.Money, o.Money} {
		for currency := range m {
			if c.Money[currency].Cmp(o.Money[currency]) != 0 {
				return false
			}
		}
	}
	return true
}

// Place is a bucket and a reason in it.
type Place struct {
	Bucket Bucket
	Reason Reason
}

// Example is one event of a place, for a person to look at. It holds no
// address.
type Example struct {
	Order       string
	Kind        Kind
	Origin      Origin
	CompletedAt time.Time
	Value       Value
	Text        string
}

// MaxExamples is how many examples a place keeps.
const MaxExamples = 20

// Balance is the equation of one target in one run:
//
//	orders of its sources = not for the target + eligible
//	eligible = sent + already sent + held back + refused + in doubt + left
//
// Eligible is counted when a want is met, the places when its end is known, so
// that a want that got lost on the way makes the equation fail.
type Balance struct {
	NotForTarget Count
	NotReasons   map[Reason]int // orders
	Eligible     Count
	Places       map[Place]*Count
	Examples     map[Place][]Example
	Times        Timeline // of the events in Places
	// FrontEnd counts orders that are sent and that front-end evidence had or
	// missed (RULES R4), where there is such evidence.
	FrontEndHad, FrontEndMissed int
}

// Meet counts the wants of one order as eligible.
func (b *Balance) Meet(wants []Want) error {
	b.Eligible.Orders++
	for _, w := range wants {
		if err := b.Eligible.Add(countOf(w.ID.counted(w.Value), 0)); err != nil {
			return err
		}
	}
	return nil
}

// Exclude counts one order as not for the target.
func (b *Balance) Exclude(h Head, reason Reason) error {
	if b.NotReasons == nil {
		b.NotReasons = map[Reason]int{}
	}
	b.NotReasons[reason]++
	amount := h.Amount
	return b.NotForTarget.Add(countOf(Value{Amount: &amount, Currency: h.Currency}, 1))
}

// counted is what the balance counts of an event's value: nothing of a
// correction, whose order's money is counted with what was sent before.
func (id EventID) counted(v Value) Value {
	if id.Revision() > 1 {
		return Value{}
	}
	return v
}

func countOf(v Value, orders int) Count {
	c := Count{Orders: orders, Events: 1}
	if v.Amount != nil {
		c.Money = Money{v.Currency: *v.Amount}
	}
	return c
}

// CountEvent puts one event of an order completed at a time into its place. Its
// order is counted apart, by CountOrder, when all its events have ended.
func (b *Balance) CountEvent(p Place, completed time.Time, v Value) error {
	return cmp.Or(b.place(p).Add(countOf(v, 0)), b.Times.add(completed, p.Bucket, v))
}

// CountOrder counts an order at the place of its worst event.
func (b *Balance) CountOrder(p Place) { b.place(p).Orders++ }

// Worse gives the place that an order with events in both is counted at.
func Worse(a, b Place) Place {
	if b.Bucket.worst() > a.Bucket.worst() {
		return b
	}
	return a
}

// Merge adds another balance: that of another source of the same target.
func (b *Balance) Merge(o Balance) error {
	if err := b.NotForTarget.Add(o.NotForTarget); err != nil {
		return err
	}
	if err := b.Eligible.Add(o.Eligible); err != nil {
		return err
	}
	for reason, n := range o.NotReasons {
		if b.NotReasons == nil {
			b.NotReasons = map[Reason]int{}
		}
		b.NotReasons[reason] += n
	}
	for p, c := range o.Places {
		if err := b.place(p).Add(*c); err != nil {
			return err
		}
		for _, e := range o.Examples[p] {
			b.Show(p, e)
		}
	}
	b.FrontEndHad += o.FrontEndHad
	b.FrontEndMissed += o.FrontEndMissed
	return b.Times.merge(o.Times, "")
}

// Show keeps an example of a place, as long as there are few.
func (b *Balance) Show(p Place, e Example) {
	if b.Examples == nil {
		b.Examples = map[Place][]Example{}
	}
	most := MaxExamples
	if p.Reason == ReasonDamagedID { // each cell is to be mended
		most = MaxProblems
	}
	if len(b.Examples[p]) < most {
		b.Examples[p] = append(b.Examples[p], e)
	}
}

func (b *Balance) place(p Place) *Count {
	if b.Places == nil {
		b.Places = map[Place]*Count{}
	}
	if b.Places[p] == nil {
		b.Places[p] = &Count{}
	}
	return b.Places[p]
}

// Of sums the places of one bucket.
func (b *Balance) Of(bucket Bucket) Count {
	var sum Count
	for p, c := range b.Places {
		if p.Bucket == bucket {
			_ = sum.Add(*c) // overflow was refused when the place was counted
		}
	}
	return sum
}

// Holds reports whether the equation holds in orders, events and money.
func (b *Balance) Holds() bool {
	var sum Count
	for _, bucket := range Buckets {
		if sum.Add(b.Of(bucket)) != nil {
			return false
		}
	}
	return sum.equal(b.Eligible)
}

// Reasons lists the places that hold anything, by bucket in report order and
// then by the most orders first.
func (b *Balance) Reasons() []Place {
	places := slices.Collect(maps.Keys(b.Places))
	places = slices.DeleteFunc(places, func(p Place) bool { return b.Places[p].Events == 0 })
	slices.SortFunc(places, func(x, y Place) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Buckets[:], x.Bucket), slices.Index(Buckets[:], y.Bucket)),
			cmp.Compare(b.Places[y].Orders, b.Places[x].Orders),
			cmp.Compare(x.Reason, y.Reason))
	})
	return places
}

// placeLine is how a plan file keeps one place.
type placeLine struct {
	Place
	Count
	Examples []Example `json:",omitempty"`
}

type balanceLine struct {
	NotForTarget                Count
	NotReasons                  map[Reason]int `json:",omitempty"`
	Eligible                    Count
	Places                      []placeLine
	Times                       *timelineLine `json:",omitempty"`
	FrontEndHad, FrontEndMissed int           `json:",omitempty"`
}

// MarshalJSON writes the balance as plan files keep it.
func (b Balance) MarshalJSON() ([]byte, error) {
	line := balanceLine{b.NotForTarget, b.NotReasons, b.Eligible, nil, b.Times.line(), b.FrontEndHad, b.FrontEndMissed}
	for _, p := range b.Reasons() {
		line.Places = append(line.Places, placeLine{p, *b.Places[p], b.Examples[p]})
	}
	return json.Marshal(line)
}

// UnmarshalJSON reads the form of MarshalJSON.
func (b *Balance) UnmarshalJSON(data []byte) error {
	var line balanceLine
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	*b = Balance{NotForTarget: line.NotForTarget, NotReasons: line.NotReasons, Eligible: line.Eligible,
		FrontEndHad: line.FrontEndHad, FrontEndMissed: line.FrontEndMissed}
	for _, p := range line.Places {
		if err := b.place(p.Place).Add(p.Count); err != nil {
			return err
		}
		for _, e := range p.Examples {
			b.Show(p.Place, e)
		}
	}
	times, err := line.Times.timeline()
	b.Times = times
	return err
}
