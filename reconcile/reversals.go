package reconcile

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReversalRule says what becomes of an order that a credit note undoes
// (RULES R10). Orders that were sent already are listed in any case but off.
type ReversalRule struct {
	// Named says that the source names the order that a record reverses: it is
	// held back when the records that name it undo all of it.
	Named bool
	Match ReversalMatch // of credit notes that name no order
}

// ReversalMatch is what is done about a credit note that names no order but
// has the customer, the SKUs and the quantities of an earlier one.
type ReversalMatch string

// The zero value does nothing.
const (
	MatchOff    ReversalMatch = ""
	MatchReport ReversalMatch = "report" // the orders go, and are listed
	MatchHold   ReversalMatch = "hold"   // they are held back
)

// Reversals are the orders that were sent, or are to be sent, and that a later
// credit note undoes wholly.
type Reversals struct {
	Count
	WithinDay int // undone within 24 hours
	Examples  []Reversal
}

// Reversal is one order that was undone after it was sent.
type Reversal struct {
	Order   string
	By      string // the number of the credit note
	At      time.Time
	Value   Value
	Already bool // it was sent before this run
}

// Add counts another source's.
func (r *Reversals) Add(o Reversals) error {
	r.WithinDay += o.WithinDay
	r.Examples = append(r.Examples, o.Examples...)
	r.Examples = r.Examples[:min(len(r.Examples), MaxExamples)]
	return r.Count.Add(o.Count)
}

func (r *Reversals) meet(o offer, note creditNote) error {
	if note.at.Unix()-o.at <= int64(24*time.Hour/time.Second) {
		r.WithinDay++
	}
	if len(r.Examples) < MaxExamples {
		r.Examples = append(r.Examples, Reversal{Order: o.order, By: note.order, At: note.at, Value: o.value, Already: o.already})
	}
	return r.Count.Add(countOf(o.value, 1))
}

// creditNote is a record that undoes goods.
type creditNote struct {
	goods  uint64   // of customer, SKUs and quantities
	digest [16]byte // of SKUs and quantities, where it names the order
	order  string   // its own number
	at     time.Time
	amount Decimal // without sign
}

// reversals gathers the credit notes of a group of sources, and knows the
// orders that they undo as soon as all of them are met.
type reversals struct {
	rules  map[string]ReversalRule // by source
	notes  []creditNote
	named  map[OrderKey][]creditNote
	undone map[OrderKey]creditNote // to be held back, unless they were sent
	met    map[OrderKey]bool       // of those that are named
}

func newReversals(group []SourceSpec) *reversals {
	r := &reversals{rules: map[string]ReversalRule{}, named: map[OrderKey][]creditNote{}, undone: map[OrderKey]creditNote{}, met: map[OrderKey]bool{}}
	for _, s := range group {
		r.rules[s.Name()] = s.Reversals
	}
	return r
}

// ahead reports whether credit notes must be known before orders are decided
// on: some are to be held back.
func (r *reversals) ahead() bool {
	for _, rule := range r.rules {
		if rule.Named || rule.Match == MatchHold {
			return true
		}
	}
	return false
}

// note remembers a head that undoes another one, counted as an order or not.
func (r *reversals) note(h Head) {
	if r.rules[h.Source] == (ReversalRule{}) || len(h.Bad) > 0 || h.Merged ||
		h.LeftOut == ReasonStatusNotComplete || h.LeftOut == ReasonTestOrder {
		return
	}
	n := creditNote{order: h.Key.Order, at: h.CompletedAt, amount: h.LinesSum.Abs()}
	if r.rules[h.Source].Named && h.Reverses != "" {
		key := OrderKey{h.Key.Shop, h.Reverses}
		n.digest = [16]byte(h.GoodsDigest[:16])
		r.named[key] = append(r.named[key], n)
		return
	}
	if who := buyer(h); who != "" && h.Undoes {
		n.goods = goodsOf(h, who)
		r.notes = append(r.notes, n)
	}
}

// wanted are the goods that credit notes undo which name no order.
func (r *reversals) wanted() map[uint64]bool {
	wanted := map[uint64]bool{}
	for _, n := range r.notes {
		wanted[n.goods] = true
	}
	return wanted
}

// buyer is who bought, as far as the source says.
func buyer(h Head) string {
	return cmp.Or(h.Customer, strings.ToLower(h.Email))
}

func goodsOf(h Head, who string) uint64 {
	d := HashFields(h.Key.Shop, who, h.GoodsDigest.String())
	return binary.LittleEndian.Uint64(d[:8])
}

// undoes reports whether the notes that name an order undo all of it: the same
// goods, or all of its money.
func undoes(notes []creditNote, h Head) (creditNote, bool) {
	var sum Decimal
	for _, n := range notes {
		if n.digest == [16]byte(h.GoodsDigest[:16]) {
			return n, true
		}
		next, err := Add(sum, n.amount)
		if err != nil {
			return n, false
		}
		if sum = next; h.LinesSum.IsPos() && sum.Cmp(h.LinesSum) >= 0 {
			return n, true
		}
	}
	return creditNote{}, false
}

// choose finds the orders that are to be held back among all heads of the
// group, which each visits.
func (r *reversals) choose(each func(func(Head) error) error) error {
	wanted := r.wanted()
	var offers []offer
	keys := map[string]OrderKey{}
	err := each(func(h Head) error {
		if notes := r.named[h.Key]; len(notes) > 0 {
			r.met[h.Key] = true
			if n, all := undoes(notes, h); all {
				r.undone[h.Key] = n
			}
			return nil
		}
		who := buyer(h)
		if r.rules[h.Source].Match != MatchHold || who == "" || !offered(h) {
			return nil
		}
		o := offer{order: h.Key.Order, at: h.CompletedAt.Unix()}
		if o.goods = goodsOf(h, who); wanted[o.goods] {
			offers = append(offers, o)
			keys[o.order] = h.Key
		}
		return nil
	})
	for o, n := range match(r.notes, offers) {
		r.undone[keys[offers[o].order]] = r.notes[n]
	}
	return err
}

// offered reports whether a credit note may undo an order: it bought goods and
// gave none back.
func offered(h Head) bool { return h.Goods && !h.Negative && !h.Undoes }

// match gives each credit note the nearest earlier order of the same goods that
// no other has taken, the earliest note first. It gives the index of the note
// by that of the order.
func match(notes []creditNote, offers []offer) map[int]int {
	byGoods := make(map[uint64][]int, len(notes))
	for _, n := range notes {
		byGoods[n.goods] = nil
	}
	for i, o := range offers {
		if list, wanted := byGoods[o.goods]; wanted {
			byGoods[o.goods] = append(list, i)
		}
	}
	order := make([]int, len(notes))
	for i := range notes {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(notes[a].at.Compare(notes[b].at), strings.Compare(notes[a].order, notes[b].order))
	})
	taken := map[int]int{}
	for _, n := range order {
		best := -1
		for _, i := range byGoods[notes[n].goods] {
			if _, used := taken[i]; used || offers[i].at > notes[n].at.Unix() {
				continue
			}
			if best < 0 || cmp.Or(cmp.Compare(offers[best].at, offers[i].at), strings.Compare(offers[best].order, offers[i].order)) < 0 {
				best = i
			}
		}
		if best >= 0 {
			taken[best] = n
		}
	}
	return taken
}

// hold is why an order must not go: "" when nothing is known to undo it.
func (r *reversals) hold(h Head) Reason {
	if _, undone := r.undone[h.Key]; undone {
		return ReasonReversed
	}
	return h.Hold
}

// undoing notes what a decision on an order means for reversals: one that is
// undone and was sent is listed, any other one that goes may still turn out to
// have been undone.
func (p *planner) undoing(f *feed, h Head, steps []Step) error {
	rule := p.undo.rules[h.Source]
	for _, s := range steps {
		already := s.Place.Bucket == BucketAlreadySent
		if s.Want.Kind != KindPurchase || !already && !s.Send {
			continue
		}
		o := offer{order: h.Key.Order, at: h.CompletedAt.Unix(), value: s.Want.Value, already: already}
		if n, undone := p.undo.undone[h.Key]; undone {
			return f.undone.meet(o, n)
		}
		if who := buyer(h); rule.Match != MatchOff && who != "" && offered(h) {
			o.goods = goodsOf(h, who)
			if err := p.keepOffer(f, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeReversals lists what was undone of the orders that a group of sources
// gave, once all its credit notes are known.
func (p *planner) closeReversals(ctx context.Context, group []SourceSpec) error {
	for _, t := range p.targets {
		for _, s := range group {
			f := t.feeds[s.Name()]
			if f == nil {
				continue
			}
			offers, err := f.wanted(p.undo.wanted())
			if err != nil {
				return err
			}
			found := match(p.undo.notes, offers)
			for i, o := range offers {
				if n, undone := found[i]; undone {
					if err := f.undone.meet(o, p.undo.notes[n]); err != nil {
						return err
					}
				}
			}
		}
		if err := p.namedBefore(ctx, t, group); err != nil {
			return err
		}
	}
	return nil
}

// namedBefore looks in the ledger for orders that a credit note names and that
// no source shows any more.
func (p *planner) namedBefore(ctx context.Context, t *targetPlan, group []SourceSpec) error {
	i := slices.IndexFunc(group, func(s SourceSpec) bool { return t.feeds[s.Name()] != nil })
	if i < 0 {
		return nil
	}
	f := t.feeds[group[i].Name()]
	var ids []EventID
	for key := range p.undo.named {
		if !p.undo.met[key] {
			ids = append(ids, NewEventID(KindPurchase, key))
		}
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, decideAtOnce) {
		have, err := p.led.Find(ctx, t.Name(), chunk)
		if err == nil {
			err = FindRevisions(ctx, p.led, t.Name(), have)
		}
		if err != nil {
			return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
		}
		for _, id := range chunk {
			key, err := id.Key()
			if err != nil {
				return err
			}
			e, _ := newest(have[id], have)
			notes := p.undo.named[key]
			if e.State != StateDone || !moneyBack(notes, e.Value) {
				continue
			}
			o := offer{order: key.Order, at: e.Facts.CompletedAt.Unix(), value: e.Value, already: true}
			if err := f.undone.meet(o, notes[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// moneyBack reports whether credit notes undo all the money that was sent.
func moneyBack(notes []creditNote, v Value) bool {
	if v.Amount == nil {
		return false
	}
	var sum Decimal
	for _, n := range notes {
		next, err := Add(sum, n.amount)
		if err != nil {
			return false
		}
		sum = next
	}
	return sum.Cmp(*v.Amount) >= 0
}
