// Package arrivals lays the orders that a platform says it has beside what became
// of them here (RULES R16, the other direction). Nothing here reads or writes
// anything.
package arrivals

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"makegood/reconcile"
)

// Row is one row of the platform's export.
type Row struct {
	Number   string
	At       time.Time // zero: the row does not say
	DayOnly  bool      // At is a date without a time of day
	Amount   *reconcile.Decimal
	Currency string // "": the export does not say
}

// Bounds of what is kept.
const (
	MaxRows  = 2_000_000 // of an export
	maxKnown = 1_000_000 // numbers of orders here, among which the nearest is looked for
)

// ErrTooMany says that an export has more rows than are compared.
var ErrTooMany = fmt.Errorf("it has more than %d rows; cut it into smaller files", MaxRows)

// Book is an export, and what becomes known of its orders: Add its rows, then
// Meet the orders of the sources and tell Seen where each ends, then Sent of what
// the ledger has. A Book is used by one goroutine at a time.
type Book struct {
	target  string
	kind    reconcile.Kind // the message that stands for an order
	shown   func(reconcile.Head) string
	lines   lines
	index   map[string]int32  // lines by their numbers
	repeats map[int32]*repeat // of lines with several rows
	// translated finds the lines of orders whose number the platform sees in
	// another form, and forms has their own numbers.
	translated map[reconcile.OrderKey]int32
	forms      map[int32]string
	words      set[string] // shops and currencies
	places     set[reconcile.Place]
	known      []string
	rows       int
	last       int32 // the line of the last row
	first      time.Time
	newest     time.Time
	days       bool   // no row has a time of day
	currency   uint16 // of the orders here, among words
	several    bool   // they have several
	lacking    []Sent // accepted, and not in the export
}

// New is a book for what a destination is told of orders by messages of one kind.
// shown gives the number that the platform sees for an order; nil: the order's own.
func New(target string, kind reconcile.Kind, shown func(reconcile.Head) string) *Book {
	return &Book{target: target, kind: kind, shown: shown, index: map[string]int32{}, repeats: map[int32]*repeat{},
		translated: map[reconcile.OrderKey]int32{}, forms: map[int32]string{}, last: -1, days: true}
}

// Add takes a row of the export, in the order of the file. ErrTooMany ends the
// reading.
func (b *Book) Add(r Row) error {
	if b.rows++; b.rows > MaxRows {
		return ErrTooMany
	}
	if !r.At.IsZero() {
		if b.first.IsZero() || r.At.Before(b.first) {
			b.first = r.At
		}
		if r.At.After(b.newest) {
			b.newest = r.At
		}
		b.days = b.days && r.DayOnly
	}
	i, known := b.index[r.Number]
	if known {
		follows := b.last == i && b.lines.at(i).at == seconds(r.At)
		b.last = i
		return b.repeat(i, r.Amount, follows)
	}
	l := line{number: strings.Clone(r.Number), at: seconds(r.At), currency: b.words.place(r.Currency)}
	if r.Amount != nil {
		l.amount, l.paid = *r.Amount, true
	}
	i = b.lines.add(l)
	b.index[l.number], b.last = i, i
	return nil
}

// repeat notes a further row of a number.
func (b *Book) repeat(i int32, amount *reconcile.Decimal, follows bool) error {
	l, r := b.lines.at(i), b.repeats[i]
	if r == nil {
		r = &repeat{sumBeside: l.amount}
		b.repeats[i] = r
	}
	if follows {
		r.beside++
	} else {
		r.again++
	}
	if amount == nil {
		return nil
	}
	var err error
	if !l.paid {
		l.amount, l.paid, r.uneven = *amount, true, true
	}
	if follows {
		r.uneven = r.uneven || l.amount.Cmp(*amount) != 0
		r.sumBeside, err = reconcile.Add(r.sumBeside, *amount)
	} else {
		r.sumAgain, err = reconcile.Add(r.sumAgain, *amount)
	}
	return err
}

// Kind is the message that stands for an order.
func (b *Book) Kind() reconcile.Kind { return b.kind }

// Period is from when to when the export has orders, as far as its rows say:
// zero times when they do not. A date without a time is the whole day.
func (b *Book) Period() (first, newest time.Time) {
	if b.days && !b.newest.IsZero() {
		return b.first, b.newest.Add(24*time.Hour - time.Second)
	}
	return b.first, b.newest
}

// How well an order fits a number of the export.
const (
	fitOwn   = 1 // it is the order's own number
	fitShown = 3 // it is the number that the platform sees
	fitWhole = 1 // more, when it is a completed order
)

// Meet takes an order that a source shows. Several that have one number count
// by the best that is known of them.
func (b *Book) Meet(h reconcile.Head) {
	if h.Merged {
		return
	}
	number := h.Key.Order
	if b.shown != nil {
		if seen := b.shown(h); seen != "" {
			number = seen
		}
	}
	if len(b.known) < maxKnown {
		b.known = append(b.known, number)
	}
	if h.Currency != "" {
		in := b.words.place(h.Currency)
		b.several = b.several || b.currency != 0 && b.currency != in
		b.currency = in
	}
	fit := int8(fitOwn)
	i, is := b.index[number]
	if is && b.shown != nil {
		fit = fitShown
	}
	bare := !is
	if bare {
		if i, is = b.index[h.Key.Order]; !is {
			return
		}
	}
	if len(h.Bad) == 0 && h.LeftOut == "" {
		fit += fitWhole
	}
	l := b.lines.at(i)
	if fit <= l.fit {
		return
	}
	l.here = here{shop: b.words.place(h.Key.Shop), met: true, fit: fit, bare: bare, completed: seconds(h.CompletedAt), ordered: seconds(h.OrderedAt)}
	if h.AmountOf != "" {
		l.worth, l.worthIn, l.valued = h.Amount, b.words.place(h.Currency), true
	}
	delete(b.forms, i)
	if l.number != h.Key.Order {
		b.translated[h.Key], b.forms[i] = i, h.Key.Order
	}
}

// find gives the line that an order here is on, nil when it is on none.
func (b *Book) find(key reconcile.OrderKey) *line {
	i, is := b.translated[key]
	if !is {
		i, is = b.index[key.Order]
	}
	if !is {
		return nil
	}
	l := b.lines.at(i)
	if own, translated := b.forms[i]; !l.met || b.words.of(l.shop) != key.Shop || translated && own != key.Order || !translated && l.number != key.Order {
		return nil
	}
	return l
}

// What a place rests on, the weakest first.
const (
	levelStray = 1 + iota // for none of the destinations
	levelOrder            // decided about the order as a whole, at its source
	levelHere             // decided about the order as a whole, at the destination
	levelEvent            // where its message ended
)

// Seen takes where an order or a message ends, as a plan tells it: of a message
// that it is told of twice, the last word counts.
func (b *Book) Seen(d reconcile.Decision) {
	kind := d.ID.Kind()
	if d.Target != "" && d.Target != b.target || kind != reconcile.KindOrder && (kind != b.kind || d.ID.Revision() != 1 || d.ID.Position() > 1) {
		return
	}
	key, err := d.ID.Key()
	if err != nil {
		return
	}
	l := b.find(key)
	if l == nil {
		return
	}
	level := int8(levelEvent)
	switch {
	case d.Place.Reason == reconcile.ReasonNoDestination:
		level = levelStray
	case kind == reconcile.KindOrder && d.Target == "":
		level = levelOrder
	case kind == reconcile.KindOrder:
		level = levelHere
	}
	if level < l.level {
		return
	}
	l.level, l.place = level, b.places.place(d.Place)
	if level == levelEvent && d.Value.Amount != nil {
		l.worth, l.worthIn, l.valued = *d.Value.Amount, b.words.place(d.Value.Currency), true
	}
}

// Sent is a message that the ledger has, as done or otherwise.
type Sent struct {
	Key       reconcile.OrderKey
	Shown     string // the number that the platform saw; "" when it is not known
	Place     reconcile.Place
	Completed time.Time
	At        time.Time // since when it stands so
	Value     reconcile.Value
}

// maxLacking bounds how many orders that are not in the export are told apart.
const maxLacking = 2_000_000

// ErrLacking says that nearly nothing of the ledger is in the export.
var ErrLacking = errors.New("the ledger has more than 2,000,000 orders that are not in it; is it the export of this destination?")

// Sent takes a message of the ledger: also one that no source shows any more.
// It must come after all orders of the sources.
func (b *Book) Sent(s Sent) error {
	for _, number := range []string{s.Shown, s.Key.Order} {
		i, is := b.index[number]
		if !is || number == "" {
			continue
		}
		if l := b.lines.at(i); !l.met {
			l.here = here{met: true, place: b.places.place(s.Place), level: levelEvent, completed: seconds(s.Completed)}
			if s.Value.Amount != nil {
				l.worth, l.worthIn, l.valued = *s.Value.Amount, b.words.place(s.Value.Currency), true
			}
		}
		return nil
	}
	if b.find(s.Key) != nil || s.Place.Bucket != reconcile.BucketAlreadySent && s.Place.Bucket != reconcile.BucketSent {
		return nil
	}
	if len(b.lacking) == maxLacking {
		return ErrLacking
	}
	b.lacking = append(b.lacking, s)
	return nil
}

// Tried takes a test that somebody has sent to the destination: no order of a
// customer.
func (b *Book) Tried(s Sent) error {
	for _, number := range []string{s.Shown, s.Key.Order} {
		if i, is := b.index[number]; is {
			if l := b.lines.at(i); !l.met {
				l.here = here{met: true, place: b.places.place(reconcile.Place{Reason: ReasonTest}), level: levelEvent}
			}
			return nil
		}
	}
	return nil
}

// Again takes a message that somebody has sent once more on purpose: a second row
// of its number tells of that.
func (b *Book) Again(s Sent) error {
	if s.Place.Bucket != reconcile.BucketAlreadySent && s.Place.Bucket != reconcile.BucketSent && s.Place.Bucket != reconcile.BucketInDoubt {
		return nil // it did not arrive
	}
	for _, number := range []string{s.Shown, s.Key.Order} {
		if i, is := b.index[number]; is && number != "" {
			b.lines.at(i).twice = true
			return nil
		}
	}
	return nil
}

// Unmet gives the numbers of the export that nobody has met yet.
func (b *Book) Unmet() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range b.lines.n {
			if l := b.lines.at(i); !l.met && !yield(l.number) {
				return
			}
		}
	}
}
