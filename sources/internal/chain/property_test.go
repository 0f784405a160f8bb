package chain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"makegood/reconcile"
	"makegood/sources/internal/chain"
)

// order is some rows that make sense: chains of upgrades, each in its session
// or across sessions, and what is left of them.
type order struct {
	rows []chain.Row
	left []chain.Row // the last paid of each chain
}

func anOrder(t *rapid.T) order {
	var o order
	for n := range rapid.IntRange(1, 4).Draw(t, "chains") {
		session := fmt.Sprintf("s%d", n)
		var last, previous *chain.Row
		for i := range rapid.IntRange(1, 8).Draw(t, "length") {
			r := chain.Row{Session: session, Product: fmt.Sprintf("p%d.%d", n, i),
				Amount:  amount(fmt.Sprint(rapid.IntRange(1, 99999).Draw(t, "cents"))),
				Payment: rapid.SampledFrom([]chain.Payment{unpaid, pending, paid}).Draw(t, "payment")}
			if previous != nil {
				r.Replaces = previous.Product
				if rapid.Bool().Draw(t, "a session of its own") {
					session = fmt.Sprintf("s%d.%d", n, i)
					r.Session, r.Parent = session, previous.Session
				}
			}
			o.rows = append(o.rows, r)
			previous = &o.rows[len(o.rows)-1]
			if r.Payment == paid {
				last = &r
			}
		}
		if last != nil {
			o.left = append(o.left, *last)
		}
	}
	return o
}

func kept(rows []chain.Row, r chain.Result) []chain.Row {
	var list []chain.Row
	for _, at := range r.Kept {
		list = append(list, rows[at])
	}
	slices.SortFunc(list, func(a, b chain.Row) int { return strings.Compare(a.Product, b.Product) })
	return list
}

func same(a, b []chain.Row) bool {
	return slices.EqualFunc(a, b, func(a, b chain.Row) bool { return a.Product == b.Product && a.Amount.Cmp(b.Amount) == 0 })
}

// TestWhatIsLeft: whatever the order of the rows is, what is left are the last
// paid products, their money is the order's, no replaced one is among them,
// and they are left of themselves.
func TestWhatIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anOrder(t)
		rows := rapid.Permutation(o.rows).Draw(t, "rows")
		r, err := chain.Resolve(rows, chain.LastPaid)
		if err != nil {
			t.Fatal(err)
		}
		list := kept(rows, r)
		if !same(list, o.left) {
			t.Fatalf("left is %v, want %v", list, o.left)
		}
		sum := reconcile.Decimal{}
		for i := range list {
			if sum, err = reconcile.Add(sum, list[i].Amount); err != nil {
				t.Fatal(err)
			}
			for _, other := range list {
				if other.Replaces == list[i].Product {
					t.Fatalf("%v was replaced by %v", list[i], other)
				}
			}
			list[i].Replaces, list[i].Parent = "", ""
		}
		if sum.Cmp(r.Amount) != 0 {
			t.Fatalf("the amount is %s, want %s", r.Amount, sum)
		}
		again, err := chain.Resolve(list, chain.LastPaid)
		if err != nil || !same(kept(list, again), list) || again.Amount.Cmp(sum) != 0 {
			t.Fatalf("once more gives %v (%v)", again, err)
		}
	})
}

// TestAllPaid: a chain of any length whose rows are all paid is one product at
// the last price.
func TestAllPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []chain.Row
		n := rapid.IntRange(1, chain.MaxDepth).Draw(t, "length")
		for i := range n {
			r := row("s", fmt.Sprint(i), fmt.Sprint(100+20*i), paid)
			if i > 0 {
				r.Replaces = fmt.Sprint(i - 1)
			}
			rows = append(rows, r)
		}
		last := rows[n-1]
		rows = rapid.Permutation(rows).Draw(t, "rows")
		r, err := chain.Resolve(rows, chain.LastPaid)
		if err != nil || !same(kept(rows, r), []chain.Row{last}) || r.Amount.Cmp(last.Amount) != 0 {
			t.Fatalf("left is %v (%v)", r, err)
		}
	})
}

// TestBreaking: whatever is done to a sound order, it is told, with the row
// that does it among those that are named.
func TestBreaking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anOrder(t)
		at := rapid.IntRange(0, len(o.rows)-1).Draw(t, "at")
		bad := o.rows[at]
		bad.Product = "new"
		switch rapid.SampledFrom([]string{"parent", "fork", "product", "cycle"}).Draw(t, "break") {
		case "parent":
			bad.Parent, bad.Replaces = "nowhere", "p"
		case "product":
			bad.Parent, bad.Replaces = "", "nothing"
		case "fork":
			bad.Parent, bad.Replaces = "", o.rows[at].Product
			second := bad
			second.Product = "newer"
			o.rows = append(o.rows, second)
		case "cycle":
			bad.Parent, bad.Replaces = "", "other"
			o.rows = append(o.rows, chain.Row{Session: bad.Session, Product: "other", Replaces: "new", Payment: paid})
		}
		rows := rapid.Permutation(append(o.rows, bad)).Draw(t, "rows")
		_, err := chain.Resolve(rows, chain.LastPaid)
		var broken *chain.Broken
		if !errors.As(err, &broken) {
			t.Fatalf("got %v", err)
		}
		for _, p := range broken.Problems {
			if slices.ContainsFunc(p.Rows, func(at int) bool { return rows[at].Product == "new" }) {
				return
			}
		}
		t.Fatalf("%v does not name the row", broken.Problems)
	})
}
