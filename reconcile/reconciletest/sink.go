package reconciletest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"makegood/reconcile"
)

// Sink is a reconcile.Sink that follows a script and keeps what it was sent.
// It accuses its caller of a batch that is too large or empty, and of two
// events of one person under way at the same time.
type Sink struct {
	Named  string
	Merges bool
	Batch  int
	Carts  string // the open-carts source that cart events are decided on; "": no cart wants
	Margin time.Duration
	Expiry time.Time     // of every event
	MaxAge time.Duration // of purchases: their orders' expiry, unless Expiry says so
	// Script gives the verdict of the nth attempt (from 1) at an event, made at
	// Noon where it does not say; nil sends everything.
	Script func(id reconcile.EventID, attempt int) reconcile.Outcome
	// During is called while a batch is under way.
	During func(batch []reconcile.Event)
	// Refuse is the error with which Compose gives an order up, nil: none.
	Refuse func(o reconcile.Order) error
	// HoldPurchases is why purchases, but not carts, are held back.
	HoldPurchases reconcile.Reason
	// HoldCarts is why cart events of some orders are held back.
	HoldCarts map[reconcile.OrderKey]reconcile.Reason
	// Waits is asked before each attempt, as by a sink that waits: the reason
	// why the event does not go; nil lets all go.
	Waits func(e reconcile.Event) reconcile.Reason
	// CartsOnly wants no purchases.
	CartsOnly  bool
	CartsMerge bool
	// Chain is how many events of kind cart_upgrade each order has, each of
	// which needs the one before, unless its step has a session; their receipts
	// are the script's. Of an order with a chain only what is due goes.
	Chain int
	// ChainFrom is the first step of a chain that is wanted; 0: all are.
	ChainFrom int
	// HoldLink is why the first of a chain is held back when it is composed.
	HoldLink    reconcile.Reason
	TakesEvents int // how many outcomes Send gives at most; 0: all
	Accuse      func(format string, args ...any)

	mu       sync.Mutex
	attempts map[reconcile.EventID]int
	accepted map[reconcile.EventID]int
	last     map[reconcile.EventID]reconcile.Event
	order    []reconcile.EventID
	busy     map[reconcile.Person]bool
}

var _ reconcile.Sink = (*Sink)(nil)

// Name is what the test calls it, "target" by default.
func (s *Sink) Name() string {
	if s.Named == "" {
		return "target"
	}
	return s.Named
}

// Traits are those of the test, the same for both kinds.
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	t := reconcile.KindTraits{MaxBatch: max(1, s.Batch), MergesRepeats: s.Merges}
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {MaxBatch: t.MaxBatch, MergesRepeats: s.Merges, MaxAge: s.MaxAge}, reconcile.KindCart: {MaxBatch: t.MaxBatch, MergesRepeats: s.CartsMerge},
		reconcile.KindCartUpgrade: {MaxBatch: 1}}
}

// Expect wants a purchase, and a cart event of in-store orders where Carts is
// set.
func (s *Sink) Expect(h reconcile.Head, _ time.Time) []reconcile.Want {
	w := reconcile.Want{ID: reconcile.NewEventID(reconcile.KindPurchase, h.Key), Kind: reconcile.KindPurchase,
		Person: reconcile.PersonOf(h), Facts: reconcile.FactsOf(h),
		Value: reconcile.Value{Amount: &h.Amount, Currency: h.Currency, Of: h.AmountOf}}
	switch {
	case h.Email == "":
		w.Hold = reconcile.ReasonNoEmail
	case !h.Goods:
		w.Hold = reconcile.ReasonNoGoods
	}
	var wants []reconcile.Want
	if !s.CartsOnly {
		p := w
		p.Hold = cmp.Or(w.Hold, s.HoldPurchases)
		wants = append(wants, p)
	}
	for n := max(s.ChainFrom, 1); n <= s.Chain; n++ {
		link := w
		link.ID, link.Kind = reconcile.NewEventID(reconcile.KindCartUpgrade, h.Key).At(n), reconcile.KindCartUpgrade
		if len(h.Chain) > 0 {
			if n > len(h.Chain) {
				break
			}
			link.Facts = reconcile.LinkFacts(h, n)
			due := h.Chain[n-1].Due
			link.Value = reconcile.Value{Amount: &due, Currency: h.Currency}
			if link.Hold == "" && !due.IsPos() {
				link.Hold = reconcile.ReasonNothingDue
			}
		}
		wants = append(wants, link)
	}
	if s.Carts != "" && h.Channel == "in_store" {
		c := w
		c.ID, c.Kind, c.Value = reconcile.NewEventID(reconcile.KindCart, h.Key), reconcile.KindCart, reconcile.Value{}
		c.Hold = cmp.Or(c.Hold, s.HoldCarts[h.Key])
		if !s.CartsOnly {
			c.After = []reconcile.EventID{w.ID}
		}
		wants = append(wants, c)
	}
	return wants
}

// Compose gives a body that names the event and, for carts, what is left.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, known reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	var events []reconcile.Event
	var held []error
	if s.Refuse != nil {
		held = append(held, s.Refuse(o))
	}
	for _, w := range wants {
		if w.Hold != "" {
			s.accuse("%s is composed although it is held back", w.ID)
		}
		e := reconcile.Event{Action: reconcile.ActionPurchase, ID: w.ID, Kind: w.Kind, Person: w.Person, Value: w.Value, Facts: w.Facts, After: w.After,
			Expiry: s.Expiry, Shown: o.Key.Order}
		if s.MaxAge > 0 && s.Expiry.IsZero() && w.Kind == reconcile.KindPurchase {
			e.Expiry = o.CompletedAt.Add(s.MaxAge)
		}
		body := map[string]any{"id": string(w.ID), "lines": len(o.Items)}
		if n := w.ID.Position(); n == 1 {
			if s.HoldLink != "" {
				held = append(held, &reconcile.Held{ID: w.ID, Reason: s.HoldLink})
				continue
			}
			e.Path = "new"
		} else if n > 1 && n <= len(o.Chain) && o.Chain[n-1].Session != "" {
			e.Path = "add?session=" + o.Chain[n-1].Session
		} else if n > 1 {
			before := reconcile.NewEventID(w.Kind, o.Key).At(n - 1)
			e.Needs, body["session"] = []reconcile.EventID{before}, reconcile.ReceiptMark(before)
			e.Path = "add?session=" + reconcile.ReceiptMark(before) + "&n=1"
		}
		if w.Kind == reconcile.KindCart {
			change := reconcile.CartChange{Reason: reconcile.ReasonCartUnknown}
			if known.Read(s.Carts) {
				change = reconcile.DecideCart(known.Of(s.Carts, w.Person), o.Items, o.CompletedAt, s.Margin)
			}
			if change.Reason != "" {
				held = append(held, &reconcile.Held{ID: w.ID, Reason: change.Reason})
				continue
			}
			e.Action = reconcile.ActionCartClear
			if len(change.Rest) > 0 {
				e.Action = reconcile.ActionCartUpdate
			}
			e.Cart = reconcile.CartCheck{Carts: s.Carts, CheckedOut: o.CompletedAt, Margin: s.Margin, Digest: known.Of(s.Carts, w.Person).Digest()}
			body["rest"] = restOf(change.Rest)
		}
		var err error
		if e.Body, err = json.Marshal(body); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, errors.Join(held...)
}

// restOf writes what a cart keeps: quantities by SKU.
func restOf(lines []reconcile.CartLine) map[string]string {
	rest := map[string]string{}
	for _, l := range lines {
		sum, err := reconcile.Add(Dec(cmp.Or(rest[l.SKU], "0")), l.Quantity)
		if err != nil {
			panic(err)
		}
		rest[l.SKU] = sum.String()
	}
	return rest
}

// Send follows the script.
func (s *Sink) Send(_ context.Context, batch []reconcile.Event) []reconcile.Outcome {
	s.enter(batch)
	defer s.leave(batch)
	if s.During != nil {
		s.During(batch)
	}
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		if s.Waits != nil {
			if reason := s.Waits(e); reason != "" {
				outcomes[i] = reconcile.Outcome{ID: e.ID, Verdict: reconcile.Unsent, Reason: reason}
				continue
			}
		}
		outcomes[i] = s.attempt(e)
	}
	if s.TakesEvents > 0 {
		outcomes = outcomes[:min(s.TakesEvents, len(outcomes))]
	}
	return outcomes
}

func (s *Sink) enter(batch []reconcile.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(batch) == 0 || len(batch) > max(1, s.Batch) {
		s.accuse("a batch of %d", len(batch))
	}
	if s.busy == nil {
		s.busy = map[reconcile.Person]bool{}
	}
	for _, e := range batch {
		if e.Person != "" && s.busy[e.Person] {
			s.accuse("two events of one person at the same time: %s", e.ID)
		}
	}
	for _, e := range batch {
		s.busy[e.Person] = true
	}
}

func (s *Sink) leave(batch []reconcile.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range batch {
		delete(s.busy, e.Person)
	}
}

func (s *Sink) attempt(e reconcile.Event) reconcile.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := e.ID
	if s.attempts == nil {
		s.attempts, s.accepted = map[reconcile.EventID]int{}, map[reconcile.EventID]int{}
		s.last = map[reconcile.EventID]reconcile.Event{}
	}
	s.attempts[id]++
	o := reconcile.Outcome{Verdict: reconcile.Sent}
	if s.Script != nil {
		o = s.Script(id, s.attempts[id])
	}
	o.ID = id
	if o.Verdict != reconcile.Unsent && o.Attempts == nil {
		o.Attempts = []reconcile.Attempt{{At: Noon, Verdict: o.Verdict}}
	}
	if o.Verdict == reconcile.Sent {
		s.accepted[id]++
		s.last[id] = e
		s.order = append(s.order, id)
	}
	return o
}

// Event gives an accepted event as it came last.
func (s *Sink) Event(id reconcile.EventID) reconcile.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[id]
}

// Money is what the platform would show: each accepted event once.
func (s *Sink) Money() reconcile.Money {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum reconcile.Money
	for _, e := range s.last {
		if e.Value.Amount == nil {
			continue
		}
		var err error
		if sum, err = sum.Plus(e.Value.Currency, *e.Value.Amount); err != nil {
			panic(err)
		}
	}
	return sum
}

// Forget makes it a sink that has accepted nothing yet.
func (s *Sink) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts, s.accepted, s.last, s.order = nil, nil, nil, nil
}

func (s *Sink) accuse(format string, args ...any) {
	if s.Accuse == nil {
		panic(fmt.Sprintf(format, args...))
	}
	s.Accuse(format, args...)
}

// Accepted gives how often each event was accepted.
func (s *Sink) Accepted() map[reconcile.EventID]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := map[reconcile.EventID]int{}
	for id, n := range s.accepted {
		copied[id] = n
	}
	return copied
}

// Order lists what was accepted in the order in which it came.
func (s *Sink) Order() []reconcile.EventID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]reconcile.EventID(nil), s.order...)
}

// Attempts gives how often an event was attempted.
func (s *Sink) Attempts(id reconcile.EventID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[id]
}
