package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

const perPerson = 30

func emailed(email string) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.Email = email }
}

func customer(id string) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.Customer = id }
}

func TestAnAddressThatManyPeopleShare(t *testing.T) {
	crowded := many(perPerson+1, emailed("store@example.com"))
	busyDay := many(perPerson, emailed("busy@example.com"))
	for i := range busyDay {
		busyDay[i] = order(fmt.Sprintf("b%d", i), oneTea, emailed("busy@example.com"))
	}
	var family []reconcile.Order
	for i := range 4 {
		family = append(family, order(fmt.Sprintf("f%d", i), oneTea, emailed("family@example.com"), customer(fmt.Sprint(i))))
	}
	h := newHouse(t, append(append(crowded, busyDay...), family...)...)
	h.ends(h.run(), map[string]int{"held_back/shared_address": perPerson + 5, "sent/sent_now": perPerson})
	h.ends(h.run(), map[string]int{"held_back/shared_address": perPerson + 5, "already_sent/sent_here": perPerson})
}

func TestAddressesAreCountedByTheDay(t *testing.T) {
	var orders []reconcile.Order
	for i := range 2 * perPerson {
		orders = append(orders, order(fmt.Sprint(i), oneTea, emailed("often@example.com"), at(noon.Add(-time.Duration(i%2)*day))))
	}
	h := newHouse(t, orders...)
	h.ends(h.run(), map[string]int{"sent/sent_now": 2 * perPerson})
}

func TestAUserIDThatManyPeopleHave(t *testing.T) {
	user := func(id string) func(*reconcile.Order) {
		return func(o *reconcile.Order) { o.Fields = map[string]string{"userid": id} }
	}
	var orders []reconcile.Order
	for i := range 4 {
		orders = append(orders, order(fmt.Sprintf("till%d", i), oneTea, user("till-7")))
	}
	orders = append(orders, order("own", oneTea, user("own")))
	h := newHouse(t, orders...)
	var withID []string
	h.target.Sink = composing{h.sink, func(o reconcile.Order) {
		if o.Fields["userid"] != "" {
			withID = append(withID, o.Key.Order)
		}
	}}
	h.ends(h.run(), map[string]int{"sent/sent_now": 5})
	if strings.Join(withID, " ") != "own" {
		t.Errorf("orders composed with a user id: %v", withID)
	}
}

// composing looks at what is composed.
type composing struct {
	*reconciletest.Sink
	look func(reconcile.Order)
}

func (c composing) Compose(o reconcile.Order, wants []reconcile.Want, known reconcile.Carts, asOf time.Time) ([]reconcile.Event, error) {
	c.look(o)
	return c.Sink.Compose(o, wants, known, asOf)
}

func TestOrdersGoToAccountsByRule(t *testing.T) {
	store := func(name string) func(*reconcile.Order) { return func(o *reconcile.Order) { o.Store = name } }
	h := newHouse(t, order("1", oneTea, store("NL-1")), order("2", oneTea, store("BE-1")), order("3", oneTea, store("DE-1")))
	belgium, _ := h.addTarget("belgium", "shop")
	rule := func(prefix string) func(reconcile.Head) (bool, error) {
		return func(head reconcile.Head) (bool, error) { return strings.HasPrefix(head.Store, prefix), nil }
	}
	h.target.When, belgium.When = rule("NL"), rule("BE")
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 1})
	h.endsAt(res, "belgium", map[string]int{"sent/sent_now": 1})
	if n := targetOf(t, res, "target").Balance.NotReasons[reconcile.ReasonWhen]; n != 2 {
		t.Errorf("%d orders are for another target by its rule, want 2", n)
	}
	if n := res.Sources[0].NoDestination; n != 1 || h.source.Passes != 1 {
		t.Errorf("%d orders fit no target, want 1; the heads were read %d times, want once", n, h.source.Passes)
	}
	h.target.When = func(reconcile.Head) (bool, error) { return false, errors.New("no such store") }
	if _, err := h.attempt(context.Background(), h.ledger(), reconcile.Request{}); err == nil {
		t.Error("a rule that fails let the run go on")
	}
}

func TestARenamedShopIsRefused(t *testing.T) {
	h := newHouse(t, many(2)...)
	h.Shops = []string{"main"}
	h.run()
	h.Shops = []string{"web"}
	var renamed *reconcile.ShopRenamed
	if _, err := h.attempt(context.Background(), h.ledger(), reconcile.Request{}); !errors.As(err, &renamed) || renamed.Known != "main" || renamed.New != "web" {
		t.Fatalf("got %v", err)
	}
	h.Shops = []string{"main", "web"}
	h.run()
}

func TestAClockThatJumpedBack(t *testing.T) {
	h := newHouse(t, many(2)...)
	h.run()
	h.close() // the ledger's own beats go on by the clock
	h.pass(-10 * time.Second)
	if _, err := h.attempt(context.Background(), h.ledger(), reconcile.Request{}); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("got %v", err)
	}
	h.pass(6 * time.Second)
	h.run()
}

// TestTheLastLook lets a sink wait, as a rate or a pause does, and asks again
// right before an event would go.
func TestTheLastLook(t *testing.T) {
	h := newHouse(t, many(3)...)
	list := h.dir + "/erased.csv"
	writeFile(t, list, "")
	h.suppress(list)
	var ask func(reconcile.Event) reconcile.Reason
	h.target.Arm = func(f func(reconcile.Event) reconcile.Reason) { ask = f }
	h.target.Concurrency = 1
	h.target.Sink = waiting{h.sink, func(e reconcile.Event) reconcile.Reason {
		if e.ID == purchase("0001") {
			writeFile(t, list, "0001\n")
			h.pass(time.Minute)
		}
		return ask(e)
	}}
	h.ends(h.run(), map[string]int{"sent/sent_now": 2, "held_back/suppressed": 1})
	if e := h.entry(purchase("0001")); e.State != reconcile.StateOpen || e.Attempts != 0 {
		t.Errorf("the entry that was not sent: %+v", e)
	}
}

// TestTheTargetsOwnQuestion is asked when an event is claimed and right before it
// goes, and nothing is sent when nobody can answer it.
func TestTheTargetsOwnQuestion(t *testing.T) {
	h := newHouse(t, many(2)...)
	asked := 0
	h.target.Concurrency = 1
	h.target.Fit = func(e reconcile.Event) (reconcile.Reason, error) {
		if e.ID != purchase("0001") {
			return "", nil
		}
		if asked++; asked == 1 { // when it is claimed
			return "", nil
		}
		return reconcile.ReasonSuppressed, nil
	}
	var ask func(reconcile.Event) reconcile.Reason
	h.target.Arm = func(f func(reconcile.Event) reconcile.Reason) { ask = f }
	h.target.Sink = waiting{h.sink, func(e reconcile.Event) reconcile.Reason { return ask(e) }}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/suppressed": 1})
	if asked != 2 {
		t.Errorf("it was asked %d times", asked)
	}
}

type waiting struct {
	*reconciletest.Sink
	fit func(reconcile.Event) reconcile.Reason
}

func (w waiting) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	if reason := w.fit(batch[0]); reason != "" {
		return []reconcile.Outcome{{ID: batch[0].ID, Verdict: reconcile.Unsent, Reason: reason}}
	}
	return w.Sink.Send(ctx, batch)
}
