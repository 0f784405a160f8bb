package table

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

const chargeHeader = "id|at|sku|qty|price|mail|sess|parent|old|paid|test|due|ship|ip|total|off"

// charged is a source that says what is still to be collected.
func charged(t testing.TB) *config.Source {
	cfg := upgrades(t)
	for name, column := range map[string]string{"charge_due": "due", "shipping_method": "ship", "customer_ip": "ip", "line_total": "total", "discount": "off"} {
		cfg.Columns[name] = column
	}
	return cfg
}

// dueRow is a cartRow with what is due of it, and a discount.
func dueRow(due string, row string, more ...string) string {
	total, off := "", ""
	if len(more) > 0 {
		total = more[0]
	}
	if len(more) > 1 {
		off = more[1]
	}
	return strings.Join([]string{row, due, "145", "192.0.2.1", total, off}, "|")
}

// stepsOf writes an order's chain: product, price, what it replaces, due.
func stepsOf(h reconcile.Head) string {
	var steps []string
	for _, s := range h.Chain {
		text := fmt.Sprintf("%s %s @%s <%d due %s", s.Product, s.Quantity, s.Price, s.Replaces, s.Due)
		if s.Discounted {
			text += " discounted"
		}
		steps = append(steps, text)
	}
	return strings.Join(steps, ", ")
}

func TestChains(t *testing.T) {
	main, second := cartRow("1", "a", "100", "yes"), cartRow("1", "b", "120", "no", "a")
	third := cartRow("1", "c", "140", "pending", "b")
	for name, c := range map[string]struct {
		rows     []string
		change   func(*config.Source)
		chain    string
		amount   string
		unpaid   bool
		pending  time.Duration // how long after its completion it waits
		leftOut  reconcile.Reason
		badRow   int
		badSays  string
		moreText string
	}{
		"in any order": {rows: []string{dueRow("20", third), dueRow("20", second), dueRow("", main)},
			chain: "a 1 @100 <0 due 0, b 1 @120 <1 due 20, c 1 @140 <2 due 20", amount: "100"},
		"main": {rows: []string{dueRow("", main), dueRow("", cartRow("1", "b", "120", "yes", "a")), dueRow("20", third)}, amount: "100",
			change: func(s *config.Source) { s.UnpaidUpgrade = "main" }, chain: "a 1 @100 <0 due 0, b 1 @120 <1 due 0, c 1 @140 <2 due 20"},
		"last paid": {rows: []string{dueRow("", main), dueRow("", cartRow("1", "b", "120", "yes", "a")), dueRow("20", third)}, amount: "120",
			chain: "a 1 @100 <0 due 0, b 1 @120 <1 due 0, c 1 @140 <2 due 20"},
		"waits for the payment": {rows: []string{dueRow("", main), dueRow("20.50", second), dueRow("", third)}, amount: "100", pending: 72 * time.Hour,
			change: func(s *config.Source) { s.WaitForPayment = config.Duration(72 * time.Hour) },
			chain:  "a 1 @100 <0 due 0, b 1 @120 <1 due 20.5, c 1 @140 <2 due 0"},
		"nothing was paid, and it is due": {rows: []string{dueRow("100", cartRow("1", "a", "100", "no"))}, unpaid: true, amount: "0",
			chain: "a 1 @100 <0 due 100"},
		"nothing was paid, nothing is due": {rows: []string{dueRow("0", cartRow("1", "a", "100", "no"))}, unpaid: true, amount: "0",
			leftOut: reconcile.ReasonUnpaid, chain: "a 1 @100 <0 due 0"},
		"paid and due":    {rows: []string{dueRow("100", main)}, badRow: 2, badSays: "was paid, and that money is still to be collected"},
		"less than zero":  {rows: []string{dueRow("", main), dueRow("-20", second)}, badRow: 3, badSays: "nothing less than 0"},
		"other money":     {rows: []string{dueRow("", main), dueRow("$ 20", second)}, badRow: 3, badSays: "is not in EUR"},
		"no number":       {rows: []string{dueRow("", main), dueRow("much", second)}, badRow: 3, badSays: "is not a number"},
		"a line discount": {rows: []string{dueRow("", main), dueRow("20", second, "110")}, amount: "100", chain: "a 1 @100 <0 due 0, b 1 @120 <1 due 20 discounted"},
		"the order's discount": {rows: []string{dueRow("", main, "", "5"), dueRow("20", second, "", "5")}, amount: "100",
			chain: "a 1 @100 <0 due 0 discounted, b 1 @120 <1 due 20 discounted"},
		"a declared discount, list prices": {rows: []string{dueRow("", main, "", "25"), dueRow("20", second, "", "25")}, amount: "75",
			change: progressiveOf("list"), chain: "a 1 @100 <0 due 0, b 1 @120 <1 due 20"},
		"a declared discount, discounted prices": {rows: []string{dueRow("75", cartRow("1", "a", "75", "no")), dueRow("", cartRow("1", "b", "10", "no", "a"))},
			unpaid: true, amount: "0", change: progressiveOf("discounted"), chain: "a 1 @100 <0 due 75, b 1 @10 <1 due 0 discounted"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := charged(t)
			if c.change != nil {
				c.change(cfg)
			}
			s := build(t, cfg, Options{}, sheet("carts.csv", append([]string{chargeHeader}, c.rows...)...))
			h := headsOf(t, s)["1"]
			if c.badSays != "" {
				if len(h.Bad) == 0 || h.Bad[0].Row != c.badRow || !strings.Contains(h.Bad[0].Text, c.badSays) {
					t.Fatalf("bad is %+v", h.Bad)
				}
				return
			}
			if got := stepsOf(h); len(h.Bad) > 0 || got != c.chain || h.Amount.String() != c.amount {
				t.Fatalf("the chain is %s of %s\nwant         %s of %s; bad %v", got, h.Amount, c.chain, c.amount, h.Bad)
			}
			var pending time.Duration
			if !h.PendingUntil.IsZero() {
				pending = h.PendingUntil.Sub(h.CompletedAt)
			}
			if h.Unpaid != c.unpaid || pending != c.pending || h.LeftOut != c.leftOut {
				t.Errorf("unpaid %t, waits %s, left out %q", h.Unpaid, pending, h.LeftOut)
			}
			if step := h.Chain[0]; step.Shipping != "145" || step.CustomerIP != "192.0.2.1" || step.Session != "s1" {
				t.Errorf("the first step is %+v", step)
			}
		})
	}
}

func progressiveOf(prices string) func(*config.Source) {
	return func(s *config.Source) {
		s.Prices, s.ProgressiveDiscount = prices, []config.DiscountStep{{From: 1, Percent: "25"}, {From: 2, Percent: "50"}}
	}
}

// TestChainsScattered: chains whose rows lie far apart in a file that is larger
// than the memory for them come to the same steps in both passes.
func TestChainsScattered(t *testing.T) {
	var mains, seconds []string
	for n := range 100 {
		id := fmt.Sprint(1000 + n)
		mains = append(mains, dueRow("", cartRow(id, "a", "100", "yes")))
		seconds = append(seconds, dueRow(fmt.Sprintf("%d.50", n+1), cartRow(id, "b", "120", "no", "a")))
	}
	s := build(t, charged(t), Options{Budget: 10_000}, sheet("carts.csv", append(append([]string{chargeHeader}, seconds...), mains...)...))
	all := headsOf(t, s)
	for n := range 100 {
		id := fmt.Sprint(1000 + n)
		want := fmt.Sprintf("a 1 @100 <0 due 0, b 1 @120 <1 due %d.5", n+1)
		if got := stepsOf(all[id]); got != want {
			t.Fatalf("order %s has %s, want %s", id, got, want)
		}
		if n%20 == 0 {
			if got := orderOf(t, s, id)[id]; stepsOf(got.Head) != want || got.Chain[1].CustomerIP != "192.0.2.1" {
				t.Fatalf("the whole order %s has %s", id, stepsOf(got.Head))
			}
		}
	}
}

// TestVersionsOfAChain: two files that agree about what was bought and not
// about what is due are no two sights of one order.
func TestVersionsOfAChain(t *testing.T) {
	cfg := charged(t)
	delete(cfg.Columns, "parent_session")
	cfg.Files = "versions"
	rows := func(due string) []string {
		return []string{chargeHeader, dueRow("", cartRow("1", "a", "100", "yes")), dueRow(due, cartRow("1", "b", "120", "no", "a"))}
	}
	for due, bad := range map[string]int{"20": 0, "": 1} {
		s := build(t, cfg, Options{}, sheet("1.csv", rows("20")...), sheet("2.csv", rows(due)...))
		if h := headsOf(t, s)["1"]; min(len(h.Bad), 1) != bad {
			t.Errorf("with %q due in the second file: %+v", due, h.Bad)
		}
	}
}
