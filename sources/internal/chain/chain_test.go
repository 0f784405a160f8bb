package chain_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"makegood/reconcile"
	"makegood/sources/internal/chain"
)

func amount(text string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// row reads "session product amount payment [replaces [parent]]".
func row(session, product, money string, payment chain.Payment, upgrade ...string) chain.Row {
	r := chain.Row{Session: session, Product: product, Amount: amount(money), Payment: payment}
	if len(upgrade) > 0 {
		r.Replaces = upgrade[0]
	}
	if len(upgrade) > 1 {
		r.Parent = upgrade[1]
	}
	return r
}

const unpaid, pending, paid = chain.Unpaid, chain.Pending, chain.Paid

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		rows     []chain.Row
		fallback chain.Fallback
		kept     []int
		pending  []int
		amount   string
	}{
		"no upgrade":      {rows: []chain.Row{row("s", "1", "100", paid)}, kept: []int{0}, amount: "100"},
		"one in session":  {rows: []chain.Row{row("s", "1", "100", paid), row("s", "2", "120", paid, "1")}, kept: []int{1}, amount: "120"},
		"of an upgrade":   {rows: []chain.Row{row("s", "1", "100", paid), row("s", "2", "120", paid, "1"), row("s", "3", "140", paid, "2")}, kept: []int{2}, amount: "140"},
		"unpaid":          {rows: []chain.Row{row("s", "1", "100", paid), row("s", "2", "120", unpaid, "1")}, kept: []int{0}, amount: "100"},
		"last unpaid":     {rows: []chain.Row{row("s", "1", "100", paid), row("s", "2", "120", paid, "1"), row("s", "3", "140", unpaid, "2")}, kept: []int{1}, amount: "120"},
		"falls to main":   {rows: []chain.Row{row("s", "1", "100", paid), row("s", "2", "120", paid, "1"), row("s", "3", "140", unpaid, "2")}, fallback: chain.Main, kept: []int{0}, amount: "100"},
		"offline paid":    {rows: []chain.Row{row("a", "1", "100", paid), row("b", "2", "120", paid, "1", "a")}, kept: []int{1}, amount: "120"},
		"only the second": {rows: []chain.Row{row("a", "1", "100", pending), row("b", "2", "120", paid, "1", "a")}, kept: []int{1}, amount: "120"},
		"offline pending": {rows: []chain.Row{row("a", "1", "100", paid), row("b", "2", "120", pending, "1", "a")}, kept: []int{0}, pending: []int{1}, amount: "100"},
		"nothing paid":    {rows: []chain.Row{row("a", "1", "100", unpaid), row("b", "2", "120", pending, "1", "a")}, pending: []int{1}, amount: "0"},
		"beside another":  {rows: []chain.Row{row("s", "1", "100", paid), row("s", "9", "7.50", paid), row("s", "2", "120", paid, "1")}, kept: []int{1, 2}, amount: "127.5"},
		"same product":    {rows: []chain.Row{row("s", "1", "100", paid), row("s", "1", "180", paid, "1")}, kept: []int{1}, amount: "180"},
		"three sessions":  {rows: []chain.Row{row("c", "3", "140", paid, "2", "b"), row("b", "2", "120", paid, "1", "a"), row("a", "1", "100", paid)}, kept: []int{0}, amount: "140"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := chain.Resolve(c.rows, c.fallback)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.Kept, c.kept) || !slices.Equal(r.Pending, c.pending) || r.Amount.Cmp(amount(c.amount)) != 0 {
				t.Errorf("kept %v, pending %v, %s; want %v, %v, %s", r.Kept, r.Pending, r.Amount, c.kept, c.pending, c.amount)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	deep := []chain.Row{row("s", "0", "1", paid)}
	var all []int
	for i := 1; i <= chain.MaxDepth; i++ {
		deep = append(deep, row("s", strconv.Itoa(i), "1", paid, strconv.Itoa(i-1)))
	}
	for i := range deep {
		all = append(all, i)
	}
	one := func(kind chain.Kind, rows ...int) []chain.Problem { return []chain.Problem{{Kind: kind, Rows: rows}} }
	for name, c := range map[string]struct {
		rows []chain.Row
		want []chain.Problem
	}{
		"itself":           {[]chain.Row{row("s", "1", "1", paid, "1")}, one(chain.MissingProduct, 0)},
		"cycle of two":     {[]chain.Row{row("s", "1", "1", paid, "2"), row("s", "2", "1", paid, "1")}, one(chain.Cycle, 0, 1)},
		"into a cycle":     {[]chain.Row{row("s", "1", "1", paid, "2"), row("s", "2", "1", paid, "1"), row("s", "3", "1", paid, "1")}, []chain.Problem{{Kind: chain.Cycle, Rows: []int{0, 1}}, {Kind: chain.TwoUpgrades, Rows: []int{0, 1, 2}}}},
		"sessions":         {[]chain.Row{row("a", "1", "1", paid, "2", "b"), row("b", "2", "1", paid, "1", "a")}, one(chain.Cycle, 0, 1)},
		"missing parent":   {[]chain.Row{row("b", "2", "1", paid, "1", "a")}, one(chain.MissingParent, 0)},
		"missing product":  {[]chain.Row{row("s", "1", "1", paid), row("s", "2", "1", paid, "9")}, one(chain.MissingProduct, 1)},
		"several products": {[]chain.Row{row("s", "1", "1", paid), row("s", "1", "1", paid), row("s", "2", "1", paid, "1")}, one(chain.SeveralProducts, 0, 1, 2)},
		"two upgrades":     {[]chain.Row{row("s", "1", "1", paid), row("s", "2", "1", paid, "1"), row("s", "3", "1", unpaid, "1")}, one(chain.TwoUpgrades, 0, 1, 2)},
		"two sessions": {[]chain.Row{row("a", "1", "1", paid), row("a", "2", "1", paid), row("b", "3", "1", paid, "1", "a"), row("c", "4", "1", paid, "2", "a")},
			one(chain.TwoSessions, 2, 3)},
		"says no product": {[]chain.Row{row("a", "1", "1", paid), row("b", "3", "1", paid, "", "a")}, one(chain.ReplacesNothing, 1)},
		"too deep":        {deep, one(chain.TooDeep, all...)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chain.Resolve(c.rows, chain.LastPaid)
			var broken *chain.Broken
			if !errors.As(err, &broken) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.want, broken.Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := chain.Resolve(deep[:chain.MaxDepth], chain.LastPaid); err != nil {
		t.Errorf("%d products: %v", chain.MaxDepth, err)
	}
}
