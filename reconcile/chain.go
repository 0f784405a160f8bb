package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Payment says what became of the money for one product of a chain.
type Payment int

// What a payment can be. An offline one (a link that the customer confirms
// later) is Pending until it is confirmed, and Paid afterwards.
const (
	Unpaid Payment = iota
	Pending
	Paid
)

// ChainStep is one product of an order's chain of upgrades: what the customer
// had, or took in place of another one. It is known only of sources that say
// what is still to be collected (columns.charge_due).
type ChainStep struct {
	Product  string
	Quantity Decimal
	// Price is of one unit, before any discount that the platform takes off by
	// itself.
	Price Decimal
	// Replaces is the position, from 1, of the step that this one was taken in
	// place of; 0: of none.
	Replaces int
	// Session is that of the cart at the platform, "" where there is none yet;
	// Parent that of another cart, whose product it replaces.
	Session, Parent string
	Shipping        string // the platform's shipping method
	CustomerIP      string // personal data: it stands in bodies only
	Payment         Payment
	// Cost is what the platform charges for the product: price x quantity, less
	// the discount that was declared, in the currency's coins.
	Cost Decimal
	// Due is still to be collected, exact; zero: nothing, as far as is known.
	Due Decimal
	// Discounted says that a discount is in the price which nobody has declared.
	Discounted bool
}

// Charges reports whether events of a kind may cost the customer money: they
// are about what is still to be paid, all others about what was.
func (k Kind) Charges() bool { return k == KindCartCreate || k == KindCartUpgrade }

// ChainDigest covers everything about a chain that decides what is charged. It
// is zero of an order without one.
func ChainDigest(h Head) Digest {
	if len(h.Chain) == 0 {
		return Digest{}
	}
	fields := []string{"chain", h.Currency}
	for _, s := range h.Chain {
		fields = append(fields, s.Product, s.Quantity.String(), s.Price.String(), s.Cost.String(), strconv.Itoa(s.Replaces), s.Session, s.Parent, s.Shipping,
			strconv.Itoa(int(s.Payment)), s.Due.String(), strconv.FormatBool(s.Discounted))
	}
	return HashFields(fields...)
}

// LinkFacts gathers what the ledger keeps of a head beside the event about the
// nth step of its chain, n from 1. Its digest covers the chain up to there as
// goods and prices, not what is due of it: being paid changes no step.
func LinkFacts(h Head, n int) Facts {
	f := FactsOf(h)
	fields := []string{"link", h.Key.Shop, h.Key.Order, h.Currency}
	for _, s := range h.Chain[:min(max(n, 0), len(h.Chain))] {
		fields = append(fields, s.Product, s.Quantity.String(), s.Price.String())
	}
	f.Digest, f.Chain = HashFields(fields...), ChainDigest(h)
	return f
}

// chargesOf are the ids of everything that a target may ever have charged of an
// order, whatever it is sent now; none where customers are not charged.
func (t *Target) chargesOf(key OrderKey) []EventID {
	if !t.charges() {
		return nil
	}
	ids := []EventID{NewEventID(KindCartCreate, key).At(1)}
	for n := 1; n <= MaxChain; n++ {
		ids = append(ids, NewEventID(KindCartUpgrade, key).At(n))
	}
	return ids
}

// charges reports whether customers may be charged there.
func (t *Target) charges() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(t.Traits())), Kind.Charges)
}

// chargeable reports whether something may be charged of an order: then all
// that was charged of it before has to be known.
func (o *ordered) chargeable() bool {
	return slices.ContainsFunc(o.wants, func(w Want) bool { return w.Kind.Charges() && w.mayGo() })
}

// mayGo reports whether nothing holds a want back, or what an entry lifts.
func (w Want) mayGo() bool {
	return w.Hold == "" || w.Hold == ReasonNoEvidence || w.Hold == ReasonPruned
}

// holdChain holds back what is still to be charged of an order when a step of
// its chain that was charged, or may have been, is not what it was: the steps
// behind it may be others, too. charges are those that the target may know.
func (o *ordered) holdChain(charges []EventID, have map[EventID]Entry) {
	moved := slices.ContainsFunc(charges, func(id EventID) bool { return o.moved(id, have[id]) })
	if !moved {
		return
	}
	for i, w := range o.wants {
		if e := have[w.ID]; w.ID.Position() > 0 && w.mayGo() && e.State != StateDone {
			o.wants[i].Hold = ReasonChainChanged
		}
	}
}

// moved reports whether a step was charged, or may have been, that the chain
// has no more, or not as it was. Of a step that no run had, and somebody
// vouches for, the ledger has no goods to compare.
func (o *ordered) moved(id EventID, e Entry) bool {
	if !e.begun() {
		return false
	}
	now, there := o.link(id)
	unseen := e.State == StateDone && e.Facts.Digest == Digest{}
	return !there || !unseen && e.Facts.Digest != now
}

// link gives the digest of the step of the chain that an id names, whether it
// is wanted or not.
func (o *ordered) link(id EventID) (d Digest, there bool) {
	if i := slices.IndexFunc(o.wants, func(w Want) bool { return w.ID == id }); i >= 0 {
		return o.wants[i].Facts.Digest, true
	}
	if n := id.Position(); n <= len(o.head.Chain) {
		return LinkFacts(o.head, n).Digest, true
	}
	return Digest{}, false
}

// begun reports whether an event was sent, or may have been.
func (e Entry) begun() bool {
	return e.State == StateDone || e.State == StateDoubtful || e.State == StateClaimed
}

// holdOver holds back what is still to be charged of an order when that comes,
// with what was charged before or may have been, to more than one order may be
// charged in all. most nil is no limit; a currency that it does not name has
// nothing to spend.
func (o *ordered) holdOver(most Money, charges []EventID, have map[EventID]Entry) {
	if most == nil {
		return
	}
	sum, err := o.chargedInAll(charges, have)
	if err == nil && sum.Cmp(most[o.head.Currency]) <= 0 {
		return
	}
	for i, w := range o.wants {
		if w.Kind.Charges() && w.mayGo() && !have[w.ID].begun() {
			o.wants[i].Hold = ReasonOverMaxCharge
		}
	}
}

// chargedInAll adds up what the ledger has of an order's charges, and of the
// others what is due.
func (o *ordered) chargedInAll(charges []EventID, have map[EventID]Entry) (sum Decimal, err error) {
	var values []Value
	for _, id := range charges {
		if e := have[id]; e.begun() {
			values = append(values, e.Value)
		}
	}
	for _, w := range o.wants {
		if w.Kind.Charges() && !have[w.ID].begun() {
			values = append(values, w.Value)
		}
	}
	for _, v := range values {
		switch {
		case v.Amount == nil:
			continue
		case v.Currency != o.head.Currency:
			return sum, fmt.Errorf("add what was charged in %s to %s", v.Currency, o.head.Currency)
		}
		if sum, err = Add(sum, *v.Amount); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// unpaidHold is why an order of which nothing was paid is no purchase: that
// there are no goods on it is a part of that. While a payment may still come
// nothing holds it back but time.
func unpaidHold(h Head, now time.Time) Reason {
	if now.Before(h.PendingUntil) {
		return ""
	}
	return ReasonUnpaid
}

// awaitsPayment reports whether an event about what was paid must wait, because
// another payment may still come.
func awaitsPayment(h Head, kind Kind, now time.Time) bool {
	return !kind.Charges() && now.Before(h.PendingUntil)
}
