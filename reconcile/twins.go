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

// twins remembers, for a target that reads several sources, which purchases
// look alike: an order of one source may be the till ticket of an order that
// another source shows under a number of its own (RULES R3).
type twins struct {
	seed  maphash.Seed
	seen  map[uint64][]sight
	asked []Likeness // of orders to be sent: still to be looked up in the ledger
	span  Window     // when those were completed
}

// sight is one purchase that was, or would be, sent.
type sight struct {
	key    OrderKey
	source string
	at     int64 // Unix seconds
	sent   bool  // it was, or may have been, sent before
}

func newTwins() *twins { return &twins{seed: maphash.MakeSeed(), seen: map[uint64][]sight{}} }

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
		if s.Send {
			t.asked = append(t.asked, like)
			t.span = t.span.with(h.CompletedAt)
		}
		t.add(like, sight{h.Key, h.Source, h.CompletedAt.Unix(), s.Place.Bucket != BucketLeft || s.Place.Reason == ReasonBusy})
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
	if w.Kind != KindPurchase || !ok {
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
