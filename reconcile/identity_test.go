package reconcile_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
)

func TestReusedNumbers(t *testing.T) {
	store := func(name string) func(*reconcile.Order) { return func(o *reconcile.Order) { o.Store = name } }
	nobody := func(o *reconcile.Order) { o.Email = "" }
	for name, c := range map[string]struct {
		now  reconcile.Order
		want string
	}{
		"the same":                  {order("1", oneTea, store("A")), "already_sent/sent_here"},
		"another store":             {order("1", oneTea, store("B")), "held_back/id_reused"},
		"a store that is not known": {order("1", oneTea), "already_sent/sent_here"},
		"a month later":             {order("1", oneTea, store("A"), at(noon.Add(31*day))), "held_back/id_reused"},
		"edited within a month":     {order("1", []string{"tea x 9 @ 1"}, store("A"), at(noon.Add(29*day))), "already_sent/sent_here"},
		"another store, no address": {order("1", oneTea, store("B"), nobody), "held_back/no_email"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea, store("A")))
			h.run()
			h.source.List = []reconcile.Order{c.now}
			h.now = noon.Add(32 * day)
			h.ends(h.runOver(reconcile.Request{From: noon.Add(-day)}), map[string]int{c.want: 1})
			h.accepted(purchase("1"))
		})
	}
}

// A number that is another order's: neither its cart nor its evidence is known
// by that number.
func TestAReusedNumberHoldsTheWholeOrder(t *testing.T) {
	h := newHouse(t, order("1", oneTea, func(o *reconcile.Order) { o.Store = "A" }))
	h.run()
	h.sink.Carts = "open"
	h.addCarts(map[string]reconcile.Cart{"jane@example.com": cartAt(noon.Add(-time.Hour), "tea x 1")})
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideBackend, Trust: reconcile.ByProven},
		reconcile.EvidenceRow{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, At: noon})
	h.source.List = []reconcile.Order{order("1", oneTea, reconciletest.InStore("jane@example.com"),
		func(o *reconcile.Order) { o.Store = "B" })}
	h.ends(h.run(), map[string]int{"held_back/id_reused": 2})
}

func TestCollision(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea), order("3", oneTea), order("4", oneTea))
	h.addSource("erp", "main",
		order("1", oneTea, reconciletest.From("main", "erp")),                                                             // equal
		order("2", []string{"cup x 1 @ 2.50"}, reconciletest.From("main", "erp")),                                         // other goods
		order("3", oneTea, reconciletest.From("main", "erp"), func(o *reconcile.Order) { o.Email = "other@example.com" }), // other address
		order("4", oneTea, reconciletest.From("main", "erp"), func(o *reconcile.Order) { o.Permitted = false }),           // equal
		order("5", []string{"tea x 2 @ 1"}, reconciletest.From("main", "erp"), func(o *reconcile.Order) { o.Email = "JANE@example.com" }))
	h.target.From = []string{"shop", "erp"}
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 3, "held_back/id_collision": 4})
	h.accepted(purchase("1"), purchase("4"), purchase("5"))
	if tally := res.Sources[1].Tally; tally.Merged != 2 || tally.Orders != 3 {
		t.Errorf("the second source counts %+v", tally)
	}
	if places := res.Targets[0].Balance.Examples[reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonIDCollision}]; len(places) != 4 {
		t.Errorf("both sides are not named: %+v", places)
	}
	h.ends(h.run(), map[string]int{"already_sent/sent_here": 3, "held_back/id_collision": 4})
}

func TestADifferentShopIsNoCollision(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	h.addSource("till", "till", order("1", []string{"cup x 1 @ 1"}, reconciletest.From("till", "till")))
	h.target.From = []string{"shop", "till"}
	h.ends(h.run(), map[string]int{"sent/sent_now": 2})
}

// An order that two sources show is one order; each target takes it from the
// first source that it reads, and none goes without.
func TestEqualOrdersReachEveryTarget(t *testing.T) {
	for name, c := range map[string]struct {
		first, second []string // what the targets read
		fails         string
		sent          [2]int
	}{
		"one reads the second source only": {[]string{"shop", "erp"}, []string{"erp"}, "", [2]int{1, 1}},
		"a chain of sources":               {[]string{"shop", "pos"}, []string{"erp", "pos"}, "", [2]int{1, 1}},
		"all read all":                     {[]string{"shop", "erp", "pos"}, []string{"pos", "erp", "shop"}, "", [2]int{1, 1}},
		"the first source fails":           {[]string{"shop", "erp", "pos"}, []string{"erp", "pos"}, "shop", [2]int{1, 1}},
		"the first of one fails":           {[]string{"shop", "erp"}, []string{"erp", "pos"}, "erp", [2]int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1", oneTea))
			sources := map[string]*reconciletest.Source{"shop": h.source,
				"erp": h.addSource("erp", "main", order("1", oneTea, reconciletest.From("main", "erp"))),
				"pos": h.addSource("pos", "main", order("1", oneTea, reconciletest.From("main", "pos")))}
			h.target.From = c.first
			h.addTarget("second", c.second...)
			if c.fails != "" {
				sources[c.fails].Fail = errors.New("read: gone")
			}
			res := h.run()
			h.endsAt(res, "target", map[string]int{"sent/sent_now": c.sent[0]})
			h.endsAt(res, "second", map[string]int{"sent/sent_now": c.sent[1]})
		})
	}
}

// An order for no destination is told once, by the first source that shows it.
func TestOrdersForNoDestinationOfTwoSources(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea), order("3", oneTea))
	h.addSource("erp", "main", order("2", oneTea, reconciletest.From("main", "erp")), order("3", oneTea, reconciletest.From("main", "erp")),
		order("4", oneTea, reconciletest.From("main", "erp")))
	h.target.From = []string{"shop", "erp"}
	h.target.When = func(h reconcile.Head) (bool, error) { return h.Key.Order == "1" || h.Key.Order == "3", nil }
	res := h.run()
	h.ends(res, map[string]int{"sent/sent_now": 2})
	for i, want := range []string{"2", "4"} {
		if s := res.Sources[i]; s.NoDestination != 1 || len(s.Stray) != 1 || s.Stray[0].Order != want {
			t.Errorf("%s: %d for no destination, %+v; want %s", s.Source, s.NoDestination, s.Stray, want)
		}
	}
}

// A failed source has shown nothing: what it clashed with goes on.
func TestAFailedSourceClashesWithNothing(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	erp := h.addSource("erp", "main", order("1", []string{"cup x 1 @ 1"}, reconciletest.From("main", "erp")))
	h.target.From = []string{"shop", "erp"}
	erp.Fail = errors.New("read: gone")
	h.ends(h.run(), map[string]int{"sent/sent_now": 1})
}

func TestNotForTheTarget(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea, reconciletest.InStore("jane@example.com")),
		order("3", oneTea, at(noon.Add(-11*day))))
	h.target.Channels = []string{"online"}
	res := h.runOver(reconcile.Request{From: noon.Add(-20 * day)})
	h.ends(res, map[string]int{"sent/sent_now": 1})
	b := res.Targets[0].Balance
	if fmt.Sprint(b.NotReasons) != "map[before_since:1 channel:1]" || b.NotForTarget.Orders != 2 || b.NotForTarget.Money.String() != "5 EUR" {
		t.Errorf("not for the target are %v, %+v", b.NotReasons, b.NotForTarget)
	}
}

func TestAnOrderThatGivesNoEventIsNotForTheTarget(t *testing.T) {
	h := newHouse(t, order("1", oneTea), order("2", oneTea, reconciletest.InStore("jane@example.com")))
	h.sink.CartsOnly, h.sink.Carts = true, "open"
	h.addCarts(nil)
	res := h.run()
	h.ends(res, map[string]int{"held_back/no_cart": 1})
	if got := res.Targets[0].Balance.NotReasons; fmt.Sprint(got) != "map[channel:1]" {
		t.Errorf("not for the target are %v", got)
	}
}

func TestWhoMayBeSent(t *testing.T) {
	list := filepath.Join(t.TempDir(), "erased.csv")
	writeFile(t, list, "\ufeff\"Plain@Example.com\";x\n"+hashOf("hashed@example.com")+"\n  C77 , \n4\n")
	person := func(email string) func(*reconcile.Order) { return func(o *reconcile.Order) { o.Email = email } }
	h := newHouse(t,
		order("1", oneTea, person("PLAIN@example.com ")),
		order("2", oneTea, person("Hashed@example.com")),
		order("3", oneTea, func(o *reconcile.Order) { o.Customer = "c77" }),
		order("4", oneTea),
		order("5", oneTea, func(o *reconcile.Order) { o.Permitted = false }),
		order("6", oneTea, func(o *reconcile.Order) { o.Permitted = false }, person("plain@example.com")),
		order("7", oneTea, func(o *reconcile.Order) { o.Permitted, o.Email = false, "" }),
		order("44", oneTea))
	h.suppress(list)
	h.ends(h.run(), map[string]int{"sent/sent_now": 1, "held_back/suppressed": 4, "held_back/not_permitted": 2, "held_back/no_email": 1})
	h.accepted(purchase("44"))
}

func TestASuppressionListMustBeReadable(t *testing.T) {
	if _, err := reconcile.NewSuppression([]string{filepath.Join(t.TempDir(), "none.csv")}, time.Now); err == nil {
		t.Error("a missing list was read")
	}
	long := filepath.Join(t.TempDir(), "long.csv")
	all := make([]byte, 0, 200_000)
	for i := range 10_000 {
		all = fmt.Appendf(all, "c%d@example.com,", i)
	}
	writeFile(t, long, string(all))
	list, err := reconcile.NewSuppression([]string{long}, time.Now)
	if err != nil {
		t.Fatalf("a list in one long line: %v", err)
	}
	if hit, err := list.Hits(reconcile.EmailPerson("C9999@example.com"), "", ""); !hit || err != nil {
		t.Errorf("the last of a long line is not on the list: %v", err)
	}
	var none *reconcile.Suppression
	if hit, err := none.Hits("email:a@example.com", "1", "2"); hit || err != nil {
		t.Errorf("no list hits: %v, %v", hit, err)
	}
}

func TestPersonsShareAWorker(t *testing.T) {
	for _, merges := range []bool{true, false} {
		orders := many(60)
		for i := range orders {
			orders[i].Email = fmt.Sprintf("p%d@example.com", i%5)
		}
		h := newHouse(t, orders...)
		h.sink.Merges, h.sink.Batch, h.target.Concurrency = merges, 3, 4
		h.sink.During = busy
		h.ends(h.run(), map[string]int{"sent/sent_now": 60})
		want := map[string][]reconcile.EventID{}
		for i := range 60 {
			want[fmt.Sprint(i%5)] = append(want[fmt.Sprint(i%5)], purchase(fmt.Sprintf("%04d", i)))
		}
		for p, ids := range want {
			mine := slices.DeleteFunc(h.sink.Order(), func(id reconcile.EventID) bool { return !slices.Contains(ids, id) })
			if !slices.Equal(mine, ids) {
				t.Errorf("person %s was sent %v, want the order of the plan", p, mine)
			}
		}
	}
}
