package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"
)

// twinWithin is how far apart two records of one purchase are looked for.
const twinWithin = 7 * 24 * time.Hour

// Likeness is what two records of one purchase have in common, whatever their
// numbers: the address, the money and the goods. It holds personal data: the
// ledger keeps a keyed hash.
type Likeness struct {
	Person   Person
	Amount   string // canonical decimal
	Currency string
	Goods    Digest
}

// LikenessOf gives the likeness of a purchase. ok is false where one of its
// parts is not known, or the person not by an address.
func LikenessOf(person Person, v Value, goods Digest) (like Likeness, ok bool) {
	if !strings.HasPrefix(string(person), "email:") || v.Amount == nil || goods == (Digest{}) {
		return Likeness{}, false
	}
	return Likeness{person, canonical(*v.Amount).String(), v.Currency, goods}, true
}

// twins remembers which purchases look alike: an order of one source may be the
// till ticket of an order that another source shows under a number of its own,
// and a number that nobody knows may be a known one that a spreadsheet has
// damaged (RULES R3).
type twins struct {
	several bool // the target reads several sources, and is not to be sent both of two twins
	seed    maphash.Seed
	seen    map[uint64][]sight
	asked   []Likeness // of orders to be sent: still to be looked up in the ledger
	span    Window     // when those were completed
}

// sight is one purchase that was, or would be, sent.
type sight struct {
	key    OrderKey
	source string
	at     int64 // Unix seconds
	sent   bool  // it was, or may have been, sent before
}

func newTwins(several bool) *twins {
	return &twins{several: several, seed: maphash.MakeSeed(), seen: map[uint64][]sight{}}
}

func (t *twins) add(like Likeness, s sight) {
	at := maphash.Comparable(t.seed, like)
	if !slices.Contains(t.seen[at], s) {
		t.seen[at] = append(t.seen[at], s)
	}
}

// meet remembers the purchase of an order, unless it is held back or refused.
func (t *twins) meet(h Head, steps []Step) {
	for _, s := range steps {
		like, ok := LikenessOf(s.Want.Person, s.Want.Value, h.GoodsDigest)
		if s.Want.Kind != KindPurchase || !ok || s.Place.Bucket == BucketHeldBack || s.Place.Bucket == BucketRefused {
			continue
		}
		if !s.Send && !t.several { // the ledger knows it, and is asked
			continue
		}
		if s.Send {
			t.asked = append(t.asked, like)
			t.span = t.span.with(h.CompletedAt)
		}
		if !t.several {
			continue
		}
		sent := s.Place.Bucket != BucketLeft || s.Place.Reason == ReasonBusy || s.Want.ID.Revision() > 1
		t.add(like, sight{h.Key, h.Source, h.CompletedAt.Unix(), sent})
	}
}

// with widens a window so that it holds an instant.
func (w Window) with(at time.Time) Window {
	if w.From.IsZero() || at.Before(w.From) {
		w.From = at
	}
	if end := at.Add(time.Second); end.After(w.To) {
		w.To = end
	}
	return w
}

// recallTwins looks up in the ledger what earlier nights sent that looks like
// what is to be sent now.
func (p *planner) recallTwins(ctx context.Context, t *targetPlan) error {
	if t.twins == nil || len(t.twins.asked) == 0 {
		return nil
	}
	span := Window{t.twins.span.From.Add(-twinWithin), t.twins.span.To.Add(twinWithin)}
	found, err := p.led.Alike(ctx, t.Name(), t.twins.asked, span)
	if err != nil {
		return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
	}
	t.twins.asked, t.twins.span = t.twins.asked[:0], Window{}
	for like, entries := range found {
		for _, e := range entries {
			key, err := e.ID.Key()
			if err != nil {
				return err
			}
			t.twins.add(like, sight{key, e.Facts.Source, e.Facts.CompletedAt.Unix(), true})
		}
	}
	return nil
}

// twinOf names the purchase that an order, which would be sent, may be once
// more: one of another source, sent before or completed earlier.
func (t *targetPlan) twinOf(o Order, w Want) (sight, bool) {
	like, ok := LikenessOf(w.Person, w.Value, o.GoodsDigest)
	if w.Kind != KindPurchase || !ok || !t.twins.several {
		return sight{}, false
	}
	at := o.CompletedAt.Unix()
	for _, s := range t.twins.seen[maphash.Comparable(t.twins.seed, like)] {
		apart := time.Duration(max(at-s.at, s.at-at)) * time.Second
		if s.key == o.Key || s.source == o.Source || apart > twinWithin {
			continue
		}
		first := cmp.Or(cmp.Compare(s.at, at), cmp.Compare(slices.Index(t.From, s.source), slices.Index(t.From, o.Source))) < 0
		if s.sent || first && t.feeds[s.source] != nil {
			return s, true
		}
	}
	return sight{}, false
}

// damagedWithin is how far apart an order and what a spreadsheet made of it
// may be: its time may have lost its zone on the way, too.
const damagedWithin = 24 * time.Hour

// damagedFrom names the order that another one is, under a number as a
// spreadsheet shows it: the same address, money and goods on the same day.
func (t *targetPlan) damagedFrom(o Order, w Want) (OrderKey, bool) {
	like, ok := LikenessOf(w.Person, w.Value, o.GoodsDigest)
	if w.Kind != KindPurchase || !ok {
		return OrderKey{}, false
	}
	at := o.CompletedAt.Unix()
	for _, s := range t.twins.seen[maphash.Comparable(t.twins.seed, like)] {
		apart := time.Duration(max(at-s.at, s.at-at)) * time.Second
		if apart <= damagedWithin && shownKey(s.key, o.Key) {
			return s.key, true
		}
	}
	return OrderKey{}, false
}

// shownKey is ShownAs for ids that may be built from store and day, too.
func shownKey(number, shown OrderKey) bool {
	a, b := number.Order, shown.Order
	if at := strings.LastIndex(a, "-") + 1; at > 0 && strings.HasPrefix(b, a[:at]) && ShownAs(a[at:], b[at:]) {
		return number.Shop == shown.Shop
	}
	return number.Shop == shown.Shop && ShownAs(a, b)
}

// proposeOrders looks in the ledger for the orders that damaged numbers of a
// source can be, and names them beside the rows.
func (p *planner) proposeOrders(ctx context.Context, s SourceSpec) error {
	res := p.sources[s.Name()]
	for _, t := range p.used(s.Name()) {
		for _, d := range p.damaged {
			if d.head.Source != s.Name() || d.at >= len(res.Bad) {
				continue
			}
			key, ok, err := p.knownAs(ctx, t, d.head)
			if err != nil {
				return err
			}
			if ok {
				res.Bad[d.at].propose(key)
			}
		}
	}
	return nil
}

// damagedOrder is a bad order whose number alone is damaged, and its place
// among the bad orders of its source.
type damagedOrder struct {
	head Head
	at   int
}

// propose names the order that a damaged number can only be.
func (b *BadOrder) propose(key OrderKey) {
	for i := range b.Problems {
		if p := &b.Problems[i]; p.Reason == ReasonDamagedID && !strings.Contains(p.Text, "it can only be") {
			p.Text += "; it can only be order " + key.Order + ", which was sent"
		}
	}
}

// knownAs finds the one order of the ledger that a damaged number can be.
func (p *planner) knownAs(ctx context.Context, t *targetPlan, h Head) (found OrderKey, one bool, err error) {
	for _, w := range t.Expect(h, p.asOf) {
		like, ok := LikenessOf(w.Person, w.Value, h.GoodsDigest)
		if w.Kind != KindPurchase || !ok {
			continue
		}
		span := Window{h.CompletedAt.Add(-damagedWithin), h.CompletedAt.Add(damagedWithin + time.Second)}
		alike, err := p.led.Alike(ctx, t.Name(), []Likeness{like}, span)
		if err != nil {
			return found, false, fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
		}
		for _, e := range alike[like] {
			key, err := e.ID.Key()
			if err != nil {
				return found, false, err
			}
			if shownKey(key, h.Key) {
				if one && key != found {
					return found, false, nil // two: nobody can say which
				}
				found, one = key, true
			}
		}
	}
	return found, one, nil
}

// onlyDamaged reports whether nothing but its number is wrong with an order.
func onlyDamaged(h Head) bool {
	return h.GoodsDigest != (Digest{}) && !slices.ContainsFunc(h.Bad, func(p RowProblem) bool { return p.Reason != ReasonDamagedID })
}
