package table

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"makegood/config"
	"makegood/reconcile"
)

const cartHeader = "id|at|sku|qty|price|mail|sess|parent|old|paid|test"

// upgrades is a source whose rows say what replaces what.
func upgrades(t testing.TB) *config.Source {
	cfg := example(t, map[string]string{"email": "mail", "session": "sess", "parent_session": "parent", "replaces": "old",
		"paid": "paid", "test_order": "test"})
	cfg.Files = "parts"
	return cfg
}

// cartRow reads "order product price paid [old [parent order]]"; the session of
// order 1 is s1.
func cartRow(order, product, price, paid string, upgrade ...string) string {
	old, parent := "", ""
	if len(upgrade) > 0 {
		old = upgrade[0]
	}
	if len(upgrade) > 1 {
		parent = "s" + upgrade[1]
	}
	return strings.Join([]string{order, "2026-05-01 10:00", product, "1", price, "ann@example.com", "s" + order, parent, old, paid, "no"}, "|")
}

// TestUpgrades: one order with what is left of its chains, and the money that
// was really paid.
func TestUpgrades(t *testing.T) {
	testRow := func(row string) string { return strings.TrimSuffix(row, "no") + "yes" }
	for name, c := range map[string]struct {
		rows           []string
		items          string // "": none can be asked for
		amount         string
		leftOut, bad   reconcile.Reason
		text, note     string
		merged, badRow int
	}{
		"in a session": {rows: []string{cartRow("1", "a", "100", "yes"), cartRow("1", "b", "120", "yes", "a"), cartRow("1", "c", "140", "yes", "b")},
			items: "c 140", amount: "140"},
		"across sessions": {rows: []string{cartRow("2", "b", "120", "yes", "a", "1"), cartRow("1", "a", "100", "yes"), cartRow("3", "c", "140", "yes", "b", "2")},
			items: "c 140", amount: "140", merged: 2},
		"unpaid": {rows: []string{cartRow("1", "a", "100", "yes"), cartRow("1", "b", "120", "no", "a")}, items: "a 100", amount: "100"},
		"pending": {rows: []string{cartRow("1", "a", "100", "paid"), cartRow("2", "b", "120", "pending", "a", "1")}, items: "a 100", amount: "100", merged: 1,
			note: "payments of 1 orders or their upgrades are pending, the oldest of 2026-05-01"},
		"nothing paid": {rows: []string{cartRow("1", "a", "100", "no")}, leftOut: reconcile.ReasonUnpaid, amount: "0"},
		"all pending": {rows: []string{cartRow("1", "a", "100", "pending")}, leftOut: reconcile.ReasonPaymentPending, amount: "0",
			note: "are pending"},
		"beside goods": {rows: []string{cartRow("1", "x", "5", "yes"), cartRow("1", "a", "100", "yes"), cartRow("1", "b", "120", "yes", "a")},
			items: "b 120,x 5", amount: "125"},
		"a test": {rows: []string{testRow(cartRow("1", "a", "100", "yes")), testRow(cartRow("1", "b", "120", "yes", "a"))},
			leftOut: "test_order", amount: "120"},
		"half a test":     {rows: []string{cartRow("1", "a", "100", "yes"), testRow(cartRow("1", "b", "120", "yes", "a"))}, bad: reconcile.ReasonConflict, badRow: 3},
		"no word of paid": {rows: []string{cartRow("1", "a", "100", "perhaps")}, bad: reconcile.ReasonBadValue, badRow: 2, text: "none of yes, no and pending"},
		"missing parent":  {rows: []string{cartRow("2", "b", "120", "yes", "a", "1")}, bad: reconcile.ReasonBadUpgrade, badRow: 2, text: "is not among the rows"},
		"fork": {rows: []string{cartRow("1", "a", "100", "yes"), cartRow("1", "b", "120", "yes", "a"), cartRow("1", "c", "130", "yes", "a")},
			bad: reconcile.ReasonBadUpgrade, badRow: 2, text: "two upgrades replace one product (with row 3, 4)"},
		"circle of sessions": {rows: []string{cartRow("1", "a", "100", "yes", "b", "2"), cartRow("2", "b", "120", "yes", "a", "1")},
			bad: reconcile.ReasonBadUpgrade, badRow: 2, text: "round in a circle (with row 3)", merged: 1},
		"two heirs": {rows: []string{cartRow("1", "a", "100", "yes"), cartRow("2", "b", "120", "yes", "a", "1"), cartRow("3", "c", "130", "yes", "a", "1")},
			bad: reconcile.ReasonBadUpgrade, badRow: 2, merged: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := build(t, upgrades(t), Options{}, sheet("carts.csv", append([]string{cartHeader}, c.rows...)...))
			all := headsOf(t, s)
			h, ok := all["1"]
			if h2, second := all["2"]; !ok && second {
				h = h2
			}
			if tally := s.Tally(); len(all) != 1 || tally.Merged != c.merged || !strings.Contains(strings.Join(tally.Notes, "\n"), c.note) {
				t.Fatalf("%d orders, tally %+v", len(all), tally)
			}
			if c.bad != "" {
				if len(h.Bad) == 0 || h.Bad[0].Reason != c.bad || h.Bad[0].Row != c.badRow || !strings.Contains(h.Bad[0].Text, c.text) {
					t.Fatalf("bad is %+v", h.Bad)
				}
				return
			}
			if len(h.Bad) > 0 || h.LeftOut != c.leftOut || h.Amount.String() != c.amount {
				t.Fatalf("head is %+v", h)
			}
			if c.items == "" {
				return
			}
			if got := itemsOf(orderOf(t, s, "1")["1"]); got != c.items {
				t.Errorf("items are %s, want %s", got, c.items)
			}
		})
	}
}

func itemsOf(o reconcile.Order) string {
	var items []string
	for _, l := range o.Items {
		items = append(items, l.SKU+" "+l.Price.String())
	}
	slices.Sort(items)
	return strings.Join(items, ",")
}

// TestUpgradesScattered: chains whose carts lie anywhere in files that are much
// larger than the memory for them come to the same orders, in both passes.
func TestUpgradesScattered(t *testing.T) {
	var rows []string
	for n := range 200 {
		main := fmt.Sprint(1000 + n)
		rows = append(rows, cartRow(main, "a", "100", "yes"))
		for i := range n % 5 {
			rows = append(rows, cartRow(fmt.Sprintf("%s%c", main, 'a'+i), string(rune('b'+i)), fmt.Sprint(120+20*i), "yes", string(rune('a'+i)),
				cutLast(main, i)))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	half := len(rows) / 2
	for name, once := range map[string]bool{"files": false, "queries": true} {
		t.Run(name, func(t *testing.T) {
			one, two := sheet("1.csv", append([]string{cartHeader}, rows[:half]...)...), sheet("2.csv", append([]string{cartHeader}, rows[half:]...)...)
			one.once, two.once = once, once
			s := build(t, upgrades(t), Options{Budget: 10_000}, one, two)
			all := headsOf(t, s)
			if y := s.Tally(); len(all) != 200 || y.Orders != 200 || y.Merged != len(rows)-200 || y.Read != len(rows) {
				t.Fatalf("%d orders, tally %+v", len(all), y)
			}
			var ids []string
			for n := range 200 {
				ids = append(ids, fmt.Sprint(1000+n))
			}
			for id, o := range orderOf(t, s, ids...) {
				want := "a 100"
				if i := int(id[3]-'0') % 5; i > 0 {
					want = fmt.Sprintf("%c %d", 'a'+i, 100+20*i)
				}
				if got := itemsOf(o); got != want || o.Amount.String() != want[2:] {
					t.Fatalf("order %s holds %s worth %s, want %s", id, got, o.Amount, want)
				}
			}
		})
	}
}

// cutLast is the order whose session the i-th upgrade names.
func cutLast(main string, i int) string {
	if i == 0 {
		return main
	}
	return fmt.Sprintf("%s%c", main, 'a'+i-1)
}

func TestUpgradesNeed(t *testing.T) {
	for _, gone := range []string{"session", "replaces", "paid"} {
		cfg := upgrades(t)
		delete(cfg.Columns, gone)
		if _, err := New(cfg, files(), Options{}); err == nil || !strings.Contains(err.Error(), "columns."+gone+" is missing") {
			t.Errorf("without %s: %v", gone, err)
		}
	}
	cfg := upgrades(t)
	cfg.Files = "versions"
	if err := failure(build(t, cfg, Options{}, sheet("1.csv", cartHeader), sheet("2.csv", cartHeader))); err == nil ||
		!strings.Contains(err.Error(), "files: parts") {
		t.Errorf("versions: %v", err)
	}
}
