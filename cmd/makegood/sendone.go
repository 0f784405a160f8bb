package main

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks"
	"makegood/sinks/httpapi"
	"makegood/sources"
)

// oneOrder is the order that makegood send is about, and how it goes: it dresses
// the destination and the sources that the wiring opens. nil dresses nothing.
type oneOrder struct {
	order, toSelf string
	again         bool
	cfg           *config.Target
	options       sinks.Options // with which the destination was opened
	suppress      func(reconcile.Head) (bool, error)
	at            time.Time // when a test checks out, where the platform knows no other time than now

	mu        sync.Mutex
	originals map[reconcile.OrderKey]reconcile.Head // of tests: the customers' orders, which never leave
	met       []string                              // numbers of orders, of tests
	answers   []httpapi.Answer
	ends      map[reconcile.EventID]reconcile.Decision
}

// number is what the order is asked for by.
func (o *oneOrder) number() string {
	if o.toSelf != "" {
		return reconcile.TestNumber(o.order)
	}
	return o.order
}

// ledgerName is where the ledger keeps what is sent, and base where that stands
// which a repeat repeats.
func (o *oneOrder) ledgerName() string {
	if o.again {
		return reconcile.AgainName(o.base())
	}
	return o.base()
}

func (o *oneOrder) base() string {
	if o.toSelf != "" || o.cfg.Type == "emanage" && o.cfg.Mode == config.ModeTrial {
		return reconcile.TestName(o.cfg.Name)
	}
	return o.cfg.Name
}

// opening has the destination show what it sends, and gives a test the number
// that the customer's order would have, as a test's.
func (o *oneOrder) opening(options *sinks.Options) {
	if o == nil {
		return
	}
	options.Watch.Came = func(a httpapi.Answer) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.answers = append(o.answers, a)
	}
	if number := options.OrderID; number != nil && o.toSelf != "" {
		options.OrderID = func(h reconcile.Head) (string, error) {
			shown, err := number(o.original(h))
			if err != nil || shown == "" {
				return "", err
			}
			return reconcile.TestNumber(shown), nil
		}
	}
	o.options = *options
}

// dress makes the destination that of a test, or of a repeat. Neither has to do
// with what others sent.
func (o *oneOrder) dress(t *reconcile.Target) {
	if o == nil || o.toSelf == "" && !o.again {
		return
	}
	t.Sink = &renamed{Sink: t.Sink, name: o.ledgerName(), again: o.again}
	t.Evidence = nil
	if o.toSelf == "" {
		return
	}
	t.Mode, t.MinAge, t.Limits, t.Fit = reconcile.ModeTrial, 0, reconcile.Limits{}, o.stillFit
	if when := t.When; when != nil {
		t.When = func(h reconcile.Head) (bool, error) { return when(o.original(h)) }
	}
}

// stillFit asks of a test, right before it goes, about the customer whose order
// it is made of: the message itself names nobody but the person who tries.
func (o *oneOrder) stillFit(e reconcile.Event) (reconcile.Reason, error) {
	key, err := e.ID.Key()
	if err != nil {
		return "", err
	}
	theirs := o.original(reconcile.Head{Key: key})
	hit, err := o.suppress(theirs)
	switch {
	case err != nil:
		return "", err
	case hit || theirs.Key.Order == "": // nobody knows whose it is
		return reconcile.ReasonSuppressed, nil
	}
	return "", nil
}

// renamed is a sink under another name of the ledger. Of a repeat it wants
// purchases alone: carts are told what to be, not how often.
type renamed struct {
	reconcile.Sink
	name  string
	again bool
}

// Name is where the ledger keeps what is tried.
func (r *renamed) Name() string { return r.name }

// Expect leaves carts out of a repeat.
func (r *renamed) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	wants := r.Sink.Expect(h, asOf)
	if !r.again {
		return wants
	}
	return slices.DeleteFunc(wants, func(w reconcile.Want) bool { return w.Kind != reconcile.KindPurchase })
}

func (o *oneOrder) original(h reconcile.Head) reconcile.Head {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.originals[h.Key]
}

// source gives the source as a test reads it: the one order, made one's own.
func (o *oneOrder) source(s reconcile.Source, now func() time.Time, suppress *reconcile.Suppression) reconcile.Source {
	if o == nil || o.toSelf == "" {
		return s
	}
	o.originals = map[reconcile.OrderKey]reconcile.Head{}
	o.suppress = func(h reconcile.Head) (bool, error) {
		return suppress.Hits(reconcile.PersonOf(h), h.Customer, h.Key.Order)
	}
	if o.cfg.Type == "collect" && o.at.IsZero() { // what arrives there counts as now, and a cart may be touched within the hour
		o.at = now().UTC().Truncate(time.Second).Add(-time.Second)
	}
	return &testSource{Source: s, one: o}
}

// begun gives a test that was begun before the checkout that it had then: it goes
// on from there, and stays the same test.
func (o *oneOrder) begun(ctx context.Context, s *session) error {
	if o.at.IsZero() {
		return nil
	}
	var ids []reconcile.EventID
	for _, shop := range s.Shops {
		key := reconcile.OrderKey{Shop: shop, Order: o.number()}
		ids = append(ids, reconcile.NewEventID(reconcile.KindPurchase, key), reconcile.NewEventID(reconcile.KindCart, key))
	}
	slices.Sort(ids)
	have, err := s.led.Find(ctx, o.base(), ids)
	for _, e := range have {
		if at := e.Facts.CompletedAt; !at.IsZero() && at.Before(o.at) {
			o.at = at
		}
	}
	return err
}

// testSource yields one order of a source, with the address of whoever tries.
type testSource struct {
	reconcile.Source
	one   *oneOrder
	tally reconcile.Tally
}

// Heads yields the test of the one order, where the source has it.
func (s *testSource) Heads(ctx context.Context, w reconcile.Window) iter.Seq2[reconcile.Head, error] {
	return func(yield func(reconcile.Head, error) bool) {
		s.tally = reconcile.Tally{LeftOut: map[reconcile.Reason]int{}}
		for h, err := range s.Source.Heads(ctx, w) {
			if err == nil {
				s.one.meet(h.Key.Order)
				if h.Key.Order != s.one.order {
					continue
				}
				h, err = s.one.test(h)
				s.count(h)
			}
			if !yield(h, err) || err != nil {
				return
			}
		}
		s.tally.Rows = s.Source.Tally().Rows
	}
}

// maxMet bounds how many numbers are kept to find the nearest among.
const maxMet = 2_000_000

func (o *oneOrder) meet(order string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.met) < maxMet {
		o.met = append(o.met, order)
	}
}

func (s *testSource) count(h reconcile.Head) {
	s.tally.Read++
	switch {
	case h.Merged:
		s.tally.Merged++
	case h.LeftOut != "":
		s.tally.LeftOut[h.LeftOut]++
	case len(h.Bad) > 0:
		s.tally.Bad++
	default:
		s.tally.Orders++
	}
}

// Tally counts the one order alone.
func (s *testSource) Tally() reconcile.Tally { return s.tally }

// Orders yields the test of the one order with its lines.
func (s *testSource) Orders(ctx context.Context, keys []reconcile.OrderKey) iter.Seq2[reconcile.Order, error] {
	theirs := make([]reconcile.OrderKey, len(keys))
	for i, key := range keys {
		theirs[i] = s.one.original(reconcile.Head{Key: key}).Key
	}
	return func(yield func(reconcile.Order, error) bool) {
		for o, err := range s.Source.Orders(ctx, theirs) {
			if err == nil {
				o.Head, err = s.one.test(o.Head)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// test makes a customer's order one's own. Nobody is tried with the order of
// somebody who is not to be sent anything about.
func (o *oneOrder) test(h reconcile.Head) (reconcile.Head, error) {
	own := reconcile.ToSelf(h, o.toSelf)
	hit, err := o.suppress(h)
	if err != nil {
		return own, err
	}
	if hit {
		own.Hold = reconcile.ReasonSuppressed
	}
	if !o.at.IsZero() {
		own.CompletedAt = o.at
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.originals[own.Key] = h
	return own, nil
}

// seen keeps where each message about the order ended, and the order itself.
func (o *oneOrder) seen(d reconcile.Decision) {
	key, err := d.ID.Key()
	if err != nil || key.Order != o.number() || d.Place.Reason == reconcile.ReasonNotListed {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ends == nil {
		o.ends = map[reconcile.EventID]reconcile.Decision{}
	}
	o.ends[d.ID] = d
}

// nearest finds, of a test, the number that is most like the one asked for.
func (o *oneOrder) nearest(found *reconcile.Listed) string {
	if o.toSelf != "" {
		return sources.NearestNumber(o.met)(o.order)
	}
	if found == nil || len(found.Missing) == 0 {
		return ""
	}
	return strings.TrimSpace(found.Missing[0].Nearest)
}
