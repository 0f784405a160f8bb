package table

import (
	"strings"
	"testing"

	"makegood/config"
)

// TestProgressiveDiscount: what an order of so many products costs, each line
// rounded once, and whether the recorded total says the same.
func TestProgressiveDiscount(t *testing.T) {
	steps := []config.DiscountStep{{From: 1, Percent: "25"}, {From: 2, Percent: "50"}, {From: 5, Percent: "62.5"}}
	for name, c := range map[string]struct {
		prices  string
		rows    []string // sku|qty|price|total|shipping
		sum     string
		amount  string
		differs bool
	}{
		"one":             {"list", []string{"a|1|100||"}, "75", "75", false},
		"two of one":      {"list", []string{"a|2|100||"}, "100", "100", false},
		"two lines":       {"list", []string{"a|1|100||", "b|1|50||"}, "75", "75", false},
		"five":            {"list", []string{"a|5|10||"}, "18.75", "18.75", false},
		"rounded by line": {"list", []string{"a|1|0.01||", "b|1|0.01||"}, "0.02", "0.02", false},
		"not by unit":     {"list", []string{"a|2|0.01||"}, "0.01", "0.01", false},
		"total meets":     {"list", []string{"a|1|100|79.95|4.95"}, "75", "79.95", false},
		"total differs":   {"list", []string{"a|1|100|100|"}, "100", "100", true},
		"by a cent":       {"list", []string{"a|2|100|100.01|"}, "100.01", "100.01", true},
		"discounted":      {"discounted", []string{"a|1|75|75|"}, "75", "75", false},
		"discounted, off": {"discounted", []string{"a|1|75|100|"}, "100", "100", true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := example(t, map[string]string{"total": "total", "shipping": "ship"})
			cfg.ProgressiveDiscount, cfg.Prices = steps, c.prices
			lines := []string{"id|at|sku|qty|price|total|ship"}
			for _, row := range c.rows {
				lines = append(lines, "1|2026-05-01 10:00|"+row)
			}
			s := build(t, cfg, Options{}, sheet("orders.csv", lines...))
			h := headsOf(t, s)["1"]
			if len(h.Bad) > 0 || h.LinesSum.String() != c.sum || h.Amount.String() != c.amount {
				t.Fatalf("lines %s, amount %s: %+v", h.LinesSum, h.Amount, h.Bad)
			}
			if told := strings.Contains(strings.Join(s.Tally().Notes, " "), "totals of 1 orders are not what"); told != c.differs {
				t.Errorf("noted %q", s.Tally().Notes)
			}
			if o := orderOf(t, s, "1")["1"]; len(o.Items) != len(c.rows) || o.Amount.String() != c.amount {
				t.Errorf("the order is %+v", o)
			}
		})
	}
}
