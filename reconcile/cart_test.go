package reconcile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

// addCarts gives the target the open carts "open", by address.
func (h *house) addCarts(stored map[string]reconcile.Cart) *reconciletest.CartFeed {
	feed := &reconciletest.CartFeed{Named: "open", Stored: map[reconcile.Person]reconcile.Cart{}}
	for email, cart := range stored {
		feed.Stored[reconcile.EmailPerson(email)] = cart
	}
	h.Carts["open"] = reconcile.OpenCarts{CartFeed: feed, FreshWithin: 15 * time.Minute}
	h.target.CartFeeds = []string{"open"}
	h.target.ClockMargin, h.sink.Margin, h.sink.Carts = 15*time.Minute, 15*time.Minute, "open"
	return feed
}

// cartAt is a cart of lines "SKU x QUANTITY".
func cartAt(activity time.Time, lines ...string) reconcile.Cart {
	cart := reconcile.Cart{LastActivity: activity}
	for _, text := range lines {
		var sku, quantity string
		if _, err := fmt.Sscanf(text, "%s x %s", &sku, &quantity); err != nil {
			panic(err)
		}
		cart.Lines = append(cart.Lines, reconcile.CartLine{SKU: sku, Quantity: dec(quantity)})
	}
	return cart
}

const jane = "jane@example.com"

func checkout(id string, when time.Time, lines ...string) reconcile.Order {
	return order(id, lines, reconciletest.InStore(jane), at(when))
}

// rest is what an accepted cart event leaves in the cart, "" when there was no
// such event.
func (h *house) rest(id reconcile.EventID) string {
	h.t.Helper()
	e := h.sink.Event(id)
	if e.ID == "" {
		return ""
	}
	var body struct{ Rest map[string]string }
	if err := json.Unmarshal(e.Body, &body); err != nil {
		h.t.Fatal(err)
	}
	if clear := len(body.Rest) == 0; clear != (e.Action == reconcile.ActionCartClear) {
		h.t.Errorf("%s of %v", e.Action, body.Rest)
	}
	return fmt.Sprint(body.Rest)
}

func TestDecideCart(t *testing.T) {
	early := noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		cart   reconcile.Cart
		bought []string
		reason reconcile.Reason
		rest   []string
	}{
		"nothing stored":              {cartAt(early), oneTea, reconcile.ReasonNoCart, nil},
		"all bought":                  {cartAt(early, "tea x 1"), oneTea, "", nil},
		"more bought than stored":     {cartAt(early, "tea x 1"), []string{"tea x 3 @ 1", "cup x 1 @ 1"}, "", nil},
		"part of the lines":           {cartAt(early, "tea x 1", "cup x 2"), oneTea, "", []string{"cup x 2"}},
		"part of a quantity":          {cartAt(early, "tea x 3"), oneTea, "", []string{"tea x 2"}},
		"the same sku in two lines":   {cartAt(early, "tea x 1", "tea x 2"), []string{"tea x 2 @ 1"}, "", []string{"tea x 1"}},
		"bought in two lines":         {cartAt(early, "tea x 3"), []string{"tea x 1 @ 1", "tea x 1 @ 2"}, "", []string{"tea x 1"}},
		"nothing of it":               {cartAt(early, "cup x 1"), oneTea, reconcile.ReasonCartUnrelated, nil},
		"returned, not bought":        {cartAt(early, "tea x 1"), []string{"tea x -1 @ 1", "pot x 1 @ 1"}, reconcile.ReasonCartUnrelated, nil},
		"used after the checkout":     {cartAt(noon.Add(time.Minute), "tea x 1"), oneTea, reconcile.ReasonCartNewer, nil},
		"used within the margin":      {cartAt(noon.Add(-15*time.Minute+time.Second), "tea x 1"), oneTea, reconcile.ReasonCartNewer, nil},
		"used right at the margin":    {cartAt(noon.Add(-15*time.Minute), "tea x 1"), oneTea, "", nil},
		"activity not known":          {cartAt(time.Time{}, "tea x 1"), oneTea, reconcile.ReasonCartOrderUnknown, nil},
		"a date only":                 {dated(cartAt(early, "tea x 1")), oneTea, reconcile.ReasonCartOrderUnknown, nil},
		"another checkout in between": {muddled(cartAt(early, "tea x 1")), oneTea, reconcile.ReasonCartOrderUnknown, nil},
	} {
		got := reconcile.DecideCart(c.cart, order("1", c.bought).Items, noon, 15*time.Minute)
		want := reconcile.CartChange{Reason: c.reason, Rest: cartAt(early, c.rest...).Lines}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b reconcile.Decimal) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func dated(c reconcile.Cart) reconcile.Cart   { c.DayOnly = true; return c }
func muddled(c reconcile.Cart) reconcile.Cart { c.Undecidable = true; return c }

func TestSubtractLeavesItsArgumentsAlone(t *testing.T) {
	cart := cartAt(noon, "tea x 3", "cup x 1")
	reconcile.Subtract(cart.Lines, order("1", oneTea).Items)
	if cart.Lines[0].Quantity.String() != "3" || len(cart.Lines) != 2 {
		t.Errorf("the stored cart was changed: %+v", cart.Lines)
	}
}

func TestCartDigest(t *testing.T) {
	a := cartAt(noon, "tea x 1", "cup x 2")
	if b := cartAt(noon, "cup x 2", "tea x 1"); a.Digest() != b.Digest() {
		t.Error("the order of lines makes another cart")
	}
	for name, b := range map[string]reconcile.Cart{
		"quantity": cartAt(noon, "tea x 2", "cup x 2"), "activity": cartAt(noon.Add(time.Second), "tea x 1", "cup x 2"),
		"line": cartAt(noon, "tea x 1"), "nothing": {},
	} {
		if a.Digest() == b.Digest() {
			t.Errorf("another %s makes no other cart", name)
		}
	}
}

func TestCartEvents(t *testing.T) {
	morning := noon.Add(-4 * time.Hour)
	for name, c := range map[string]struct {
		cart   reconcile.Cart
		orders []reconcile.Order
		places map[string]int
		rest   map[string]string // by order
	}{
		"bought one of three": {cartAt(morning, "tea x 1", "cup x 1", "pot x 1"),
			[]reconcile.Order{checkout("1", noon, "tea x 1 @ 1")},
			map[string]int{"sent/sent_now": 2}, map[string]string{"1": "map[cup:1 pot:1]"}},
		"bought all": {cartAt(morning, "tea x 1"), []reconcile.Order{checkout("1", noon, "tea x 1 @ 1")},
			map[string]int{"sent/sent_now": 2}, map[string]string{"1": "map[]"}},
		"no cart": {cartAt(morning), []reconcile.Order{checkout("1", noon, "tea x 1 @ 1")},
			map[string]int{"sent/sent_now": 1, "held_back/no_cart": 1}, nil},
		"filled in the evening": {cartAt(noon.Add(time.Minute), "tea x 1"), []reconcile.Order{checkout("1", noon, "tea x 1 @ 1")},
			map[string]int{"sent/sent_now": 1, "held_back/cart_newer": 1}, nil},
		"two checkouts": {cartAt(morning, "tea x 2", "cup x 1", "pot x 1"),
			[]reconcile.Order{checkout("2", noon, "cup x 1 @ 1"), checkout("1", noon.Add(-time.Hour), "tea x 2 @ 1")},
			map[string]int{"sent/sent_now": 3, "held_back/superseded": 1}, map[string]string{"2": "map[pot:1]"}},
		"two checkouts buy all": {cartAt(morning, "tea x 2", "cup x 1"),
			[]reconcile.Order{checkout("2", noon, "cup x 1 @ 1"), checkout("1", noon.Add(-time.Hour), "tea x 2 @ 1")},
			map[string]int{"sent/sent_now": 3, "held_back/superseded": 1}, map[string]string{"2": "map[]"}},
		"refilled between two checkouts": {cartAt(morning, "tea x 1"),
			[]reconcile.Order{checkout("1", noon.Add(-5*time.Hour), "tea x 1 @ 1"), checkout("2", noon, "cup x 1 @ 1")},
			map[string]int{"sent/sent_now": 2, "held_back/superseded": 1, "held_back/cart_unrelated": 1}, nil},
		"used while the first checkout was made": {cartAt(morning, "tea x 1", "cup x 1"),
			[]reconcile.Order{checkout("1", morning.Add(14*time.Minute), "tea x 1 @ 1"), checkout("2", noon, "cup x 1 @ 1")},
			map[string]int{"sent/sent_now": 2, "held_back/superseded": 1, "held_back/cart_order_unknown": 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, c.orders...)
			h.addCarts(map[string]reconcile.Cart{jane: c.cart})
			h.ends(h.run(), c.places)
			for _, o := range c.orders {
				if got := h.rest(cartOf(o.Key.Order)); got != c.rest[o.Key.Order] {
					t.Errorf("the cart event of order %s leaves %q, want %q", o.Key.Order, got, c.rest[o.Key.Order])
				}
			}
		})
	}
}

func TestCartsGoAfterPurchases(t *testing.T) {
	orders := make([]reconcile.Order, 9)
	stored := map[string]reconcile.Cart{}
	for i := range orders {
		email := fmt.Sprintf("p%d@example.com", i)
		orders[i] = order(fmt.Sprint(i), oneTea, reconciletest.InStore(email))
		stored[email] = cartAt(noon.Add(-time.Hour), "tea x 1")
	}
	h := newHouse(t, orders...)
	h.addCarts(stored)
	h.ends(h.run(), map[string]int{"sent/sent_now": 18})
	for i, id := range h.sink.Order() {
		if (id.Kind() == reconcile.KindPurchase) != (i < 9) {
			t.Fatalf("the sink accepted %v: carts come last", h.sink.Order())
		}
	}
}

func TestALaterRunKnowsEarlierCheckouts(t *testing.T) {
	h := newHouse(t, checkout("1", noon.Add(-2*time.Hour), "tea x 1 @ 1"))
	h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-4*time.Hour), "tea x 1", "cup x 1", "pot x 1")})
	h.run()
	// The feed does not hear of the update: what order 1 took is still in it.
	h.source.List = append(h.source.List, checkout("2", noon, "cup x 1 @ 1"))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 2, "sent/sent_now": 2})
	if got := h.rest(cartOf("2")); got != "map[pot:1]" {
		t.Errorf("the second checkout leaves %s", got)
	}
	// An older checkout that comes late is decided against what all of them left.
	h.source.List = append(h.source.List, checkout("3", noon.Add(-time.Hour), "pot x 1 @ 1"))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 4, "sent/sent_now": 2})
	if got := h.rest(cartOf("3")); got != "map[]" {
		t.Errorf("the checkout that came late leaves %s", got)
	}
	// One whose newer checkout is in the ledger only changes nothing.
	h.source.List = []reconcile.Order{checkout("4", noon.Add(-time.Minute), "pot x 1 @ 1")}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/superseded": 1})
}

func TestADoubtfulCartIsJudgedAgain(t *testing.T) {
	h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
	h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	h.sink.CartsMerge = true
	h.sink.Script = func(id reconcile.EventID, attempt int) reconcile.Outcome {
		if id.Kind() == reconcile.KindCart && attempt < 3 {
			return reconcile.Outcome{}
		}
		return reconcile.Outcome{Verdict: reconcile.Sent}
	}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "in_doubt/no_answer": 1})
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "in_doubt/no_answer": 1})
	if n := h.sink.Attempts(cartOf("1")); n != 2 {
		t.Errorf("%d attempts at a cart event that merges, want 2", n)
	}
	h.Carts["open"].CartFeed.(*reconciletest.CartFeed).Stored = nil
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "in_doubt/no_answer": 1})
	if n := h.sink.Attempts(cartOf("1")); n != 2 {
		t.Errorf("%d attempts: the cart is gone", n)
	}
}

func TestCartChangedBetweenPlanAndApply(t *testing.T) {
	early := noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		now    reconcile.Cart
		fail   error
		places map[string]int
	}{
		"the same":             {cartAt(early, "cup x 1", "tea x 1"), nil, map[string]int{"sent/sent_now": 2}},
		"used since":           {cartAt(noon.Add(time.Minute), "tea x 1"), nil, map[string]int{"sent/sent_now": 1, "held_back/cart_newer": 1}},
		"gone":                 {reconcile.Cart{}, nil, map[string]int{"sent/sent_now": 1, "held_back/no_cart": 1}},
		"different before":     {cartAt(early, "tea x 2"), nil, map[string]int{"sent/sent_now": 1, "held_back/cart_order_unknown": 1}},
		"feed cannot be read":  {reconcile.Cart{}, errors.New("select: gone"), map[string]int{"sent/sent_now": 1, "left/source_failed": 1}},
		"different, clock off": {cartAt(noon.Add(-10*time.Minute), "tea x 1"), nil, map[string]int{"sent/sent_now": 1, "held_back/cart_newer": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
			feed := h.addCarts(map[string]reconcile.Cart{jane: cartAt(early, "tea x 1", "cup x 1")})
			plan := h.plan()
			feed.Stored[reconcile.EmailPerson(jane)], feed.Fail = c.now, c.fail
			res, err := h.apply(plan, reconcile.Request{})
			if err != nil {
				t.Fatal(err)
			}
			h.ends(res, c.places)
		})
	}
}

func TestCartsThatCannotBeReadAreLeft(t *testing.T) {
	h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
	feed := h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	feed.Fail = errors.New("select: gone")
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 1, "left/source_failed": 1})
	if !errors.Is(res.Targets[0].Err, feed.Fail) {
		t.Errorf("the target's error is %v", res.Targets[0].Err)
	}
	covered(t, res, noon)
	feed.Fail = nil
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
}

// A run that others may take for dead by the time that the open carts were read
// sends nothing of them.
func TestCartsThatTakeTooLongToRead(t *testing.T) {
	h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
	feed := h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	var over atomic.Bool
	var look func(reconcile.Event) reconcile.Reason
	h.target.Arm = func(ask func(reconcile.Event) reconcile.Reason) { look = ask }
	h.sink.Waits = func(e reconcile.Event) reconcile.Reason {
		if e.Kind == reconcile.KindCart {
			h.pass(90 * time.Second) // so that they are read again
			feed.During = func() { over.Store(true) }
		}
		return look(e)
	}
	led := &watched{Ledger: h.ledger(), alive: func() bool { return !over.Load() }}
	res, err := h.attempt(t.Context(), led, reconcile.Request{})
	if !errors.Is(err, reconcile.ErrRunOver) {
		t.Errorf("it ends with %v", err)
	}
	h.ends(res, map[string]int{"sent/sent_now": 1, "left/interrupted": 1})
	if n := h.sink.Attempts(cartOf("1")); n != 0 {
		t.Errorf("%d attempts at a cart in a run that was over", n)
	}
}

// What another run does about a person's cart between a plan and its sending
// leaves the planned event for a run that knows both.
func TestTwoRunsAboutOneCart(t *testing.T) {
	early := noon.Add(-4 * time.Hour)
	first, second := checkout("1", noon.Add(-time.Hour), "tea x 1 @ 1"), checkout("2", noon, "cup x 1 @ 1")
	t.Run("sent meanwhile", func(t *testing.T) {
		h := newHouse(t, first)
		h.addCarts(map[string]reconcile.Cart{jane: cartAt(early, "tea x 1", "cup x 1", "pot x 1")})
		plan := h.plan()
		h.source.List = []reconcile.Order{second}
		h.run() // of another host, whose export lacks the first
		h.source.List = []reconcile.Order{first, second}
		res, err := h.apply(plan, reconcile.Request{})
		if err != nil {
			t.Fatal(err)
		}
		h.ends(res, map[string]int{"sent/sent_now": 1, "left/moved": 1})
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 3, "sent/sent_now": 1})
		if got := h.rest(cartOf("1")); got != "map[pot:1]" {
			t.Errorf("the first checkout leaves %s", got)
		}
	})
	t.Run("being sent", func(t *testing.T) {
		h := newHouse(t, first, second)
		h.addCarts(map[string]reconcile.Cart{jane: cartAt(early, "tea x 1", "cup x 1", "pot x 1")})
		h.run()
		h.sink.Forget()
		third := checkout("3", noon.Add(time.Minute), "pot x 1 @ 1")
		h.source.List = append(h.source.List, third)
		led := h.ledger()
		if err := led.Begin(t.Context(), reconcile.RunRecord{Run: "other", Command: "run", Started: h.clock()}); err != nil {
			t.Fatal(err)
		}
		claimed := reconcile.Event{ID: cartOf("9"), Kind: reconcile.KindCart, Person: reconcile.EmailPerson(jane),
			Facts: reconcile.Facts{CompletedAt: noon.Add(time.Second), Source: "shop"}}
		if taken, _, err := led.Claim(t.Context(), "target", "other", []reconcile.Ticket{{Event: claimed}}); err != nil || len(taken) != 1 {
			t.Fatal(taken, err)
		}
		// What it takes out of the cart nobody knows here.
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 3, "held_back/superseded": 1, "sent/sent_now": 1, "held_back/cart_order_unknown": 1})
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 4, "held_back/superseded": 1, "held_back/cart_order_unknown": 1})
		h.Carts["open"].CartFeed.(*reconciletest.CartFeed).Stored[reconcile.EmailPerson(jane)] = cartAt(noon.Add(30*time.Second), "pot x 1")
		h.target.ClockMargin, h.sink.Margin = time.Second, time.Second // so that the claimed one is surely before
		h.ends(h.run(), map[string]int{"already_sent/sent_here": 4, "held_back/superseded": 1, "left/busy": 1})
		if n := h.sink.Attempts(cartOf("3")); n != 0 {
			t.Errorf("%d attempts beside a run that is about to send", n)
		}
	})
}

// What a checkout took stays out of the cart when its own event no longer goes.
func TestACheckoutThatIsTooOldTookItsGoods(t *testing.T) {
	for name, outcome := range map[string]reconcile.Outcome{"too old": {Verdict: reconcile.Sent}, "refused": {Verdict: reconcile.Rejected}} {
		t.Run(name, func(t *testing.T) {
			first := checkout("1", noon.Add(-time.Hour), "tea x 1 @ 1")
			h := newHouse(t, first)
			h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-4*time.Hour), "tea x 1", "cup x 1", "pot x 1")})
			h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
				if id == cartOf("1") {
					return outcome
				}
				return reconcile.Outcome{Verdict: reconcile.Sent}
			}
			if name == "too old" {
				h.sink.HoldCarts = map[reconcile.OrderKey]reconcile.Reason{first.Key: reconcile.ReasonTooOld}
			}
			h.run()
			h.source.List = append(h.source.List, checkout("2", noon, "cup x 1 @ 1"))
			h.run()
			if got := h.rest(cartOf("2")); got != "map[pot:1]" {
				t.Errorf("the second checkout leaves %s", got)
			}
		})
	}
}

// Nobody tells the platform of a cart again because of a checkout that took
// nothing out of it.
func TestAnUnrelatedCheckoutTouchesNoCart(t *testing.T) {
	h := newHouse(t, checkout("1", noon.Add(-2*time.Hour), "tea x 1 @ 1"), checkout("2", noon.Add(-time.Hour), "cup x 1 @ 1"))
	h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-4*time.Hour), "tea x 1", "cup x 1", "pot x 1")})
	h.ends(h.run(), map[string]int{"sent/sent_now": 3, "held_back/superseded": 1})
	h.source.List = append(h.source.List, checkout("3", noon, "socks x 1 @ 1"))
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 3, "held_back/superseded": 1, "sent/sent_now": 1, "held_back/cart_unrelated": 1})
}

// A file of open carts that was written before the checkout says nothing of
// what was done until then.
func TestCartsFromBeforeTheCheckout(t *testing.T) {
	h := newHouse(t, checkout("1", noon.Add(50*time.Minute), "tea x 1 @ 1"))
	feed := h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	feed.AsOf = noon.Add(46 * time.Minute) // and it is 13:00
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "left/carts_stale": 1})
	feed.AsOf = noon.Add(59 * time.Minute) // the till's clock may be behind
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "left/carts_stale": 1})
	feed.AsOf = time.Time{}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 1, "sent/sent_now": 1})
}

// The carts are looked at again right before an event goes that has waited.
func TestCartsAreReadAgainAfterAWait(t *testing.T) {
	h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
	feed := h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	var look func(reconcile.Event) reconcile.Reason
	h.target.Arm = func(ask func(reconcile.Event) reconcile.Reason) { look = ask }
	h.sink.Waits = func(e reconcile.Event) reconcile.Reason { // as a fuse or a limit would
		if e.Kind == reconcile.KindCart {
			h.pass(90 * time.Second)
			feed.Stored[reconcile.EmailPerson(jane)] = cartAt(h.clock(), "tea x 1", "bike x 1")
		}
		return look(e)
	}
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/cart_newer": 1})
	if n := h.sink.Attempts(cartOf("1")); n != 0 {
		t.Errorf("%d attempts at a cart that was filled meanwhile", n)
	}
}

func TestInTimeForTheMail(t *testing.T) {
	h := newHouse(t, checkout("1", noon.Add(10*time.Minute), "tea x 1 @ 1"), order("2", oneTea, reconciletest.InStore("bob@example.com"), at(noon.Add(-time.Second))),
		order("3", oneTea, reconciletest.InStore("cat@example.com"), at(noon)), order("4", oneTea, reconciletest.InStore("")))
	h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
	h.target.MailAfter = time.Hour
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 4, "held_back/no_cart": 2, "held_back/no_email": 2})
	if got, want := res.Targets[0].Mail, (reconcile.MailTiming{After: time.Hour, InTime: 3, Late: 1, NotSent: 4}); got != want {
		t.Errorf("the mail's count is %+v, want %+v", got, want)
	}
	if got, want := h.run().Targets[0].Mail, (reconcile.MailTiming{After: time.Hour, NotSent: 4}); got != want {
		t.Errorf("when all was sent before it is %+v, want %+v", got, want)
	}
	h.target.Mode = reconcile.ModeShadow
	if got := h.run().Targets[0].Mail; got != (reconcile.MailTiming{}) {
		t.Errorf("a shadow counts %+v", got)
	}
}

func TestACartWaitsForItsPurchase(t *testing.T) {
	list := filepath.Join(t.TempDir(), "erased.csv")
	for name, c := range map[string]struct {
		outcome reconcile.Outcome
		prepare func(h *house)
		places  map[string]int
	}{
		"retryable": {reconcile.Outcome{Verdict: reconcile.Retryable}, nil, map[string]int{"left/retryable": 1, "left/waits": 1}},
		"unsent":    {reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonFuse}, nil, map[string]int{"left/fuse": 1, "left/waits": 1}},
		"refused":   {reconcile.Outcome{Verdict: reconcile.Rejected}, nil, map[string]int{"refused/rejected": 1, "sent/sent_now": 1}},
		"in doubt":  {reconcile.Outcome{}, nil, map[string]int{"in_doubt/no_answer": 1, "sent/sent_now": 1}},
		"held back when it is sent": {reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonTooOld}, nil,
			map[string]int{"held_back/too_old": 1, "sent/sent_now": 1}},
		"held back by its head": {reconcile.Outcome{}, func(h *house) { h.sink.HoldPurchases = reconcile.ReasonTooOld },
			map[string]int{"held_back/too_old": 1, "sent/sent_now": 1}},
		"held back while composing": {reconcile.Outcome{}, func(h *house) {
			h.sink.Refuse = func(o reconcile.Order) error {
				return &reconcile.Held{ID: purchase(o.Key.Order), Reason: reconcile.ReasonCannotCompose}
			}
		}, map[string]int{"held_back/cannot_compose": 1, "sent/sent_now": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			writeFile(t, list, "")
			h := newHouse(t, checkout("1", noon, "tea x 1 @ 1"))
			h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-time.Hour), "tea x 1")})
			h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
				if id.Kind() == reconcile.KindPurchase {
					return c.outcome
				}
				return reconcile.Outcome{Verdict: reconcile.Sent}
			}
			if c.prepare != nil {
				c.prepare(h)
			}
			res := h.run()
			h.ends(res, c.places)
			if orders := res.Targets[0].Balance.Eligible.Orders; orders != 1 {
				t.Errorf("%d orders are eligible", orders)
			}
		})
	}
}

// Whatever people do with carts and tills, and whenever the run looks: what is
// taken out of a stored cart was bought, by that person, after the cart was
// last used.
func TestNothingThatWasNotBoughtIsEverCleared(t *testing.T) {
	h := newHouse(t)
	feed := h.addCarts(nil)
	skus := []string{"tea", "cup", "pot"}
	number, people := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		h.source.List = nil
		people++
		person := fmt.Sprintf("p%d@example.com", people)
		moment := func(label string) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(-300, 0).Draw(r, label)) * time.Minute)
		}
		for range rapid.IntRange(1, 3).Draw(r, "runs") {
			stored := reconcile.Cart{LastActivity: moment("activity")}
			for range rapid.IntRange(0, 4).Draw(r, "cart lines") {
				line := fmt.Sprintf("%s x %d", rapid.SampledFrom(skus).Draw(r, "sku"), rapid.IntRange(1, 3).Draw(r, "quantity"))
				stored.Lines = append(stored.Lines, cartAt(noon, line).Lines...)
			}
			feed.Stored[reconcile.EmailPerson(person)] = stored
			for range rapid.IntRange(0, 3).Draw(r, "checkouts") {
				number++
				line := fmt.Sprintf("%s x %d @ 1", rapid.SampledFrom(skus).Draw(r, "bought"), rapid.IntRange(1, 3).Draw(r, "pieces"))
				o := order(fmt.Sprint(number), []string{line}, reconciletest.InStore(person), at(moment("checkout")))
				h.source.List = append(h.source.List, o)
			}
			before := len(h.sink.Order())
			h.run()
			for _, id := range h.sink.Order()[before:] {
				if id.Kind() == reconcile.KindCart {
					checkTaken(r, h, stored, h.sink.Event(id))
				}
			}
		}
	})
}

func checkTaken(r *rapid.T, h *house, stored reconcile.Cart, e reconcile.Event) {
	taken, bought := map[string]int{}, map[string]int{}
	for _, l := range stored.Lines {
		n, _, _ := l.Quantity.Int64(0)
		taken[l.SKU] += int(n)
	}
	var body struct{ Rest map[string]string }
	if err := json.Unmarshal(e.Body, &body); err != nil {
		r.Fatal(err)
	}
	for sku, text := range body.Rest {
		n, _, _ := dec(text).Int64(0)
		taken[sku] -= int(n)
	}
	for _, o := range h.source.List {
		if o.CompletedAt.Before(stored.LastActivity) {
			continue
		}
		for _, l := range o.Items {
			n, _, _ := l.Quantity.Int64(0)
			bought[l.SKU] += int(n)
		}
	}
	for sku, n := range maps.All(taken) {
		if n > bought[sku] || n < 0 {
			r.Fatalf("%s took %d of %s out of a cart; %d were bought since it was used", e.ID, n, sku, bought[sku])
		}
	}
}
