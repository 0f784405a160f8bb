package arrivals

import (
	"cmp"
	"slices"
	"time"

	"makegood/reconcile"
)

// Side is on which side an order is missing, if it is.
type Side string

// The sides. Each number of an export is either completed or not; twice and
// amount tell of some of them once more.
const (
	Completed    Side = "completed"     // at the platform, and completed here
	NotCompleted Side = "not_completed" // at the platform, but no completed order here
	Twice        Side = "twice"         // at the platform, more than once: the further rows
	Amount       Side = "amount"        // at the platform with another amount
	Lacking      Side = "lacking"       // accepted by the platform as the ledger has it, and not in the export
)

// Reasons that only an export knows.
const (
	ReasonUnknown reconcile.Reason = "unknown"       // to every source and to the ledger
	ReasonOther   reconcile.Reason = "another_order" // the number is another order's here, by its time or amount
	ReasonTest    reconcile.Reason = "test"          // somebody tried the destination with makegood send
	// Of the side twice: somebody repeated an order, or a test, on purpose.
	ReasonAgain     reconcile.Reason = "repeated"
	ReasonTestAgain reconcile.Reason = "test_repeated"
)

// Group is orders of one side with one cause. Its JSON form is stable.
type Group struct {
	Side   Side             `json:"side"`
	Bucket reconcile.Bucket `json:"bucket,omitempty"`
	Reason reconcile.Reason `json:"reason,omitempty"`
	Orders int              `json:"orders"` // of the side twice: further rows
	Money  reconcile.Money  `json:"money"`  // as the export has it; where it does not say, as it is here
	Fine   bool             `json:"fine"`   // it is as it should be
	First  []Number         `json:"first"`  // at most MaxNumbers, in the order of the export
}

// Number is one order of a group.
type Number struct {
	Order    string    `json:"order"`
	At       time.Time `json:"at,omitzero"` // as the export has it; of the side lacking, when it was completed
	Amount   string    `json:"amount,omitempty"`
	Here     string    `json:"amount_here,omitempty"` // of the side amount
	Currency string    `json:"currency,omitempty"`
	Nearest  string    `json:"nearest,omitempty"` // known number of an unknown one
}

// MaxNumbers is how many orders of a group are named, and maxNearest for how many
// the nearest known number is looked for.
const (
	MaxNumbers = 100
	maxNearest = 20
)

// Comparison is what Compare found: Numbers = Known + the orders of the reason
// unknown. Its JSON form is stable.
type Comparison struct {
	Rows    int       `json:"rows"`
	Numbers int       `json:"numbers"` // different ones
	Known   int       `json:"known"`   // to a source or the ledger
	First   time.Time `json:"first,omitzero"`
	Newest  time.Time `json:"newest,omitzero"`
	Lines   bool      `json:"rows_are_lines,omitempty"` // a row is a line of an order, not an order
	// Amounts is of how many orders both amounts are known; in the groups of the
	// side amount they differ.
	Amounts int `json:"amounts_compared"`
	// Bare counts the known numbers that are the orders' own, although the platform
	// should see another form of them.
	Bare int `json:"own_form,omitempty"`
	// Hours is by how many whole hours nearly all times lie later than those here
	// (earlier, when negative): its times are read in another zone than they are of.
	Hours int `json:"times_off_by_hours,omitempty"`
	// Later counts what the ledger has as accepted, of orders completed after the
	// newest row: the export cannot tell of them.
	Later  int     `json:"later"`
	Groups []Group `json:"groups"`
}

// Differs reports whether anything is not as it should be.
func (c Comparison) Differs() bool {
	return slices.ContainsFunc(c.Groups, func(g Group) bool { return !g.Fine })
}

// Of gives how many orders a side has for a reason; for "" all of the side.
func (c Comparison) Of(side Side, reason reconcile.Reason) (n int) {
	for _, g := range c.Groups {
		if g.Side == side && (reason == "" || g.Reason == reason) {
			n += g.Orders
		}
	}
	return n
}

// How far an order's times here and at the platform lie apart at most: clocks and
// zones before it was placed, and as late as makegood sends.
const (
	before = 36 * time.Hour
	after  = 62 * 24 * time.Hour
)

// other reports whether the order here cannot be the one at the platform: its
// time does not fit, and its amount does not say otherwise.
func (l *line) other(amountDiffers, amountKnown bool) bool {
	if l.at == 0 || l.completed == 0 || amountKnown && !amountDiffers {
		return false
	}
	begin := l.completed
	if l.ordered != 0 {
		begin = min(begin, l.ordered)
	}
	return l.at < begin-int64(before/time.Second) || l.at > l.completed+int64(after/time.Second)
}

// tally gathers groups.
type tally struct {
	groups map[groupKey]*Group
}

type groupKey struct {
	side  Side
	place reconcile.Place
}

func (t *tally) add(side Side, p reconcile.Place, fine bool, n Number, amount *reconcile.Decimal) error {
	key := groupKey{side, p}
	g := t.groups[key]
	if g == nil {
		g = &Group{Side: side, Bucket: p.Bucket, Reason: p.Reason, Fine: fine, Money: reconcile.Money{}, First: []Number{}}
		t.groups[key] = g
	}
	g.Orders++
	if len(g.First) < MaxNumbers {
		if amount != nil {
			n.Amount = amount.Trim(0).String()
		}
		g.First = append(g.First, n)
	}
	if amount == nil {
		return nil
	}
	var err error
	g.Money, err = g.Money.Plus(n.Currency, *amount)
	return err
}

// Compare tells what the export and makegood agree on, and on what not. nearest
// finds the most alike among known numbers; nil: nobody looks.
func (b *Book) Compare(nearest func(known []string) func(string) string) (Comparison, error) {
	c := Comparison{Rows: b.rows, Numbers: int(b.lines.n), Lines: b.ofLines()}
	c.First, c.Newest = b.Period()
	t := &tally{groups: map[groupKey]*Group{}}
	for i := range b.lines.n {
		if err := b.judge(i, t, &c); err != nil {
			return c, err
		}
	}
	c.Hours = b.shift()
	if err := b.judgeLacking(t, &c); err != nil {
		return c, err
	}
	for _, g := range t.groups {
		if g.Reason == ReasonUnknown && nearest != nil {
			like := nearest(b.known)
			for i := range g.First[:min(len(g.First), maxNearest)] {
				g.First[i].Nearest = like(g.First[i].Order)
			}
		}
		c.Groups = append(c.Groups, *g)
	}
	order := []Side{Completed, NotCompleted, Twice, Amount, Lacking}
	slices.SortFunc(c.Groups, func(x, y Group) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Side), slices.Index(order, y.Side)), cmp.Compare(y.Orders, x.Orders),
			cmp.Compare(x.Bucket, y.Bucket), cmp.Compare(x.Reason, y.Reason))
	})
	return c, nil
}

// ofLines reports whether most orders have several rows that follow each other.
func (b *Book) ofLines() bool {
	several := 0
	for _, r := range b.repeats {
		if r.beside > 0 {
			several++
		}
	}
	return several > 2 && several*2 > int(b.lines.n)
}

// paidFor is the money of one order of the export, nil where it does not say.
// Several lines of one order add up, unless each repeats the order's amount: lines
// that are equal do as they fit the order here.
func (l *line) paidFor(r *repeat, lines bool) *reconcile.Decimal {
	switch {
	case !l.paid:
		return nil
	case !lines || r == nil:
		return &l.amount
	case r.uneven, l.valued && alike(r.sumBeside, l.worth, "", ""):
		return &r.sumBeside
	}
	return &l.amount
}

// judge puts one number of the export where it belongs.
func (b *Book) judge(i int32, t *tally, c *Comparison) error {
	l, r := b.lines.at(i), b.repeats[i]
	paid, worthIn := l.paidFor(r, c.Lines), b.words.of(l.worthIn)
	n := Number{Order: l.number, At: moment(l.at), Currency: cmp.Or(b.words.of(l.currency), worthIn, b.onlyCurrency())}
	compared := paid != nil && l.valued
	differs := compared && !alike(*paid, l.worth, n.Currency, worthIn)
	side, place, fine := l.end(b.places.of(l.place), differs, compared)
	if place.Reason != ReasonUnknown {
		c.Known++
	}
	if l.bare {
		c.Bare++
	}
	money := paid
	if money == nil && l.valued && place.Reason != ReasonOther {
		money = &l.worth
	}
	if err := t.add(side, place, fine, n, money); err != nil {
		return err
	}
	if r != nil {
		if err := l.repeated(r, n, t, c.Lines, place.Reason == ReasonTest); err != nil {
			return err
		}
	}
	if side != Completed || !compared {
		return nil
	}
	if c.Amounts++; differs {
		n.Here = l.worth.Trim(0).String()
		return t.add(Amount, reconcile.Place{}, false, n, paid)
	}
	return nil
}

// repeated counts the further rows of a number. One that somebody sent again on
// purpose has one such row, or its lines once more; of a test that is fine.
func (l *line) repeated(r *repeat, n Number, t *tally, lines, test bool) error {
	times, money := int(r.again), r.sumAgain
	if !lines && r.beside > 0 {
		times += int(r.beside)
		all, err := reconcile.Add(r.sumBeside, r.sumAgain)
		if err != nil {
			return err
		}
		if money, err = all.Sub(l.amount); err != nil {
			return err
		}
	}
	if times == 0 {
		return nil
	}
	var extra *reconcile.Decimal
	if l.paid {
		extra = &money
	}
	var why reconcile.Place
	switch purpose := l.twice && (times == 1 || lines); {
	case purpose && test:
		why.Reason = ReasonTestAgain
	case purpose:
		why.Reason = ReasonAgain
	}
	if err := t.add(Twice, why, why.Reason == ReasonTestAgain, n, extra); err != nil {
		return err
	}
	t.groups[groupKey{Twice, why}].Orders += times - 1
	return nil
}

// end says where a number of the export belongs.
func (l *line) end(at reconcile.Place, differs, compared bool) (side Side, p reconcile.Place, fine bool) {
	switch {
	case !l.met:
		return NotCompleted, reconcile.Place{Reason: ReasonUnknown}, false
	case at.Reason == ReasonTest:
		return NotCompleted, at, true
	case l.other(differs, compared):
		return NotCompleted, reconcile.Place{Reason: ReasonOther}, false
	case at.Bucket == reconcile.BucketLeftOut, at.Bucket == reconcile.BucketBad:
		return NotCompleted, at, false
	case at == (reconcile.Place{}): // in a source that the destination does not read
		return Completed, reconcile.Place{Bucket: reconcile.BucketNotForTarget, Reason: reconcile.ReasonNoDestination}, false
	}
	return Completed, at, asItShould(at)
}

// asItShould reports whether an order that is at the platform may stand there:
// what was sent, what is not makegood's to send, and what is too young to be
// sent after somebody else.
func asItShould(p reconcile.Place) bool {
	switch p.Bucket {
	case reconcile.BucketSent, reconcile.BucketAlreadySent:
		return true
	case reconcile.BucketNotForTarget:
		return p.Reason == reconcile.ReasonBeforeSince
	}
	return p.Reason == reconcile.ReasonTooYoung
}

// alike reports whether two amounts are the same up to one coin.
func alike(a, b reconcile.Decimal, currencyA, currencyB string) bool {
	if currencyA != "" && currencyB != "" && currencyA != currencyB {
		return false
	}
	difference, err := a.Sub(b)
	coin, failed := coinOf(currencyA)
	return err == nil && failed == nil && difference.Abs().Cmp(coin) <= 0
}

// coinOf is the smallest coin of a currency.
func coinOf(currency string) (reconcile.Decimal, error) {
	text := "1"
	if digits := reconcile.MinorDigits(currency); digits > 0 {
		text = "0." + "000000"[:digits-1] + "1"
	}
	return reconcile.ParseDecimal(text)
}

// onlyCurrency is the one that orders here have, "" where there are several.
func (b *Book) onlyCurrency() string {
	if b.several {
		return ""
	}
	return b.words.of(b.currency)
}

// settled is how long before the export's newest row an order must have been
// completed, or sent by makegood, for the export to have it.
const settled = 2 * time.Hour

// judgeLacking counts what the ledger has as accepted and the export, whose
// period holds it, has not. An export without times holds the period of its
// orders here.
func (b *Book) judgeLacking(t *tally, c *Comparison) error {
	first, newest := c.First, c.Newest
	if newest.IsZero() {
		for i := range b.lines.n {
			if at := moment(b.lines.at(i).completed); !at.IsZero() {
				if first.IsZero() || at.Before(first) {
					first = at
				}
				if at.After(newest) {
					newest = at
				}
			}
		}
	}
	if newest.IsZero() {
		return nil
	}
	for _, s := range b.lacking {
		at := s.Completed
		if s.Place.Reason == reconcile.ReasonSentHere && s.At.After(at) && !c.Newest.IsZero() {
			at = s.At
		}
		switch {
		case s.Completed.Before(first):
			continue
		case at.After(newest.Add(-settled)):
			c.Later++
			continue
		}
		n := Number{Order: cmp.Or(s.Shown, s.Key.Order), At: s.Completed, Currency: s.Value.Currency}
		if err := t.add(Lacking, s.Place, false, n, s.Value.Amount); err != nil {
			return err
		}
	}
	return nil
}
