package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

// Whatever its number, the order that can be sent for the shortest time goes
// first, and one person's orders go as they were completed.
func TestWhatExpiresFirstGoesFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var orders []reconcile.Order
	var want []reconcile.EventID
	for i := range 300 {
		id := fmt.Sprint(100000 - i*7919%100003)
		orders = append(orders, order(id, oneTea, at(noon.Add(-time.Duration(i)*time.Minute)),
			func(o *reconcile.Order) { o.Email = fmt.Sprintf("p%d@example.com", i%9) }))
		want = append(want, purchase(id))
	}
	slices.Reverse(want)
	random.Shuffle(len(orders), func(i, j int) { orders[i], orders[j] = orders[j], orders[i] })
	for _, maxAge := range []time.Duration{0, 40 * time.Hour} {
		h := newHouse(t, orders...)
		h.target.Concurrency, h.target.PerPerson = 1, 0
		h.sink.MaxAge = maxAge
		h.run()
		if got := h.sink.Order(); !slices.Equal(got, want) {
			t.Errorf("max age %s: the first were %v, want %v", maxAge, got[:3], want[:3])
		}
	}
}

// The plan itself stays sorted by its ids, so that two plans can be compared.
func TestAPlanIsNotSortedByAge(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea, at(noon.Add(-day))))
	plan, err := reconcile.OpenPlan(h.plan().Plan.Path, h.Key)
	if err != nil {
		t.Fatal(err)
	}
	var file, turns []reconcile.EventID
	for s, err := range plan.Steps("target", reconcile.KindPurchase) {
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, s.Event.ID)
	}
	for s, err := range plan.InTurn(h.dir, "target", reconcile.KindPurchase) {
		if err != nil {
			t.Fatal(err)
		}
		if turns = append(turns, s.Event.ID); len(turns) == 1 && len(s.Event.Body) == 0 {
			t.Error("a step without its body")
		}
	}
	if file[0] != purchase("1") || turns[0] != purchase("2") || len(turns) != 2 {
		t.Errorf("the file has %v, they go as %v", file, turns)
	}
	for range plan.InTurn(h.dir, "target", reconcile.KindPurchase) {
		break // whoever stops leaves nothing behind
	}
}

// One order that has become too old on the way spoils no batch.
func TestAStaleOrderSpoilsNoBatch(t *testing.T) {
	h := newHouse(t, order("1", oneTea, at(noon.Add(-47*time.Hour))), order("2", oneTea), order("3", oneTea))
	h.sink.MaxAge, h.sink.Batch, h.sink.Merges = 48*time.Hour+30*time.Minute, 10, true
	planned := h.plan()
	h.pass(time.Hour)
	res, err := h.apply(planned, reconcile.Request{})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(res, map[string]int{"held_back/too_old": 1, "sent/sent_now": 2})
	h.accepted(purchase("2"), purchase("3"))
}

// What soon cannot be sent any more is told: what is left, in doubt or waits
// for a person, but not what is sent, held back for good, or far from its end.
func TestWhatExpiresSoonIsTold(t *testing.T) {
	old := func(hours int) func(*reconcile.Order) { return at(noon.Add(-time.Duration(hours) * time.Hour)) }
	orders := []reconcile.Order{
		order("left", oneTea, old(44)), order("doubt", oneTea, old(43)), order("sent", oneTea, old(43)),
		order("far", oneTea, old(2)), order("gone", oneTea, old(60)),
		order("expected", oneTea, old(44), func(o *reconcile.Order) { o.Email = "" }),
		order("look", oneTea, old(42), func(o *reconcile.Order) { o.Hold = reconcile.ReasonStatusUnknown }),
	}
	for _, merges := range []bool{false, true} {
		h := newHouse(t, orders...)
		h.sink.MaxAge, h.sink.Merges = 48*time.Hour, merges
		h.sink.Script = func(id reconcile.EventID, _ int) reconcile.Outcome {
			switch id {
			case purchase("left"), purchase("far"):
				return reconcile.Outcome{Verdict: reconcile.Retryable}
			case purchase("doubt"):
				return reconcile.Outcome{}
			}
			return reconcile.Outcome{Verdict: reconcile.Sent}
		}
		x := h.run().Targets[0].Expiring
		if x.Orders != 3 || x.Events != 3 || x.Money["EUR"].Cmp(dec("7.5")) != 0 || !x.First.Equal(noon.Add(4*time.Hour)) || !x.Last.Equal(noon.Add(6*time.Hour)) {
			t.Errorf("a run tells of %+v", x)
		}
	}
	h := newHouse(t, orders...)
	h.sink.MaxAge = 48 * time.Hour
	if x := h.plan().Targets[0].Expiring; x.Events != 4 { // what the plan would send, too
		t.Errorf("a plan tells of %+v", x)
	}
	h = newHouse(t, orders...)
	h.target.Mode, h.sink.MaxAge = reconcile.ModeShadow, 48*time.Hour
	if x := h.run().Targets[0].Expiring; x.Events != 1 { // the one that a person must look at
		t.Errorf("a shadow tells of %+v", x)
	}
}
