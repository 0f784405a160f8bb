package table

import (
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

func TestStatuses(t *testing.T) {
	cfg := example(t, map[string]string{"status": "stat"})
	cfg.CompletedWhen, cfg.NotCompleted = []string{"Paid", "shipped"}, []string{"pending"}
	at := "|2026-05-01 10:00|a|1|1|"
	s := build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price|stat",
		"1"+at+"paid", "1"+at, // the order's own is the first filled one
		"2"+at+" SHIPPED", "3"+at+"Pending", "4"+at+"on hold", "5"+at+"on hold", "6"+at, "7"+at+"ann@example.com"))
	all := headsOf(t, s)
	for id, want := range map[string]reconcile.Reason{"1": "", "2": "", "3": "", "4": "status_unknown", "5": "status_unknown",
		"6": "status_unknown", "7": "status_unknown"} {
		if h := all[id]; h.Hold != want || len(h.Bad) > 0 {
			t.Errorf("%s is held for %q, want %q; bad %v", id, h.Hold, want, h.Bad)
		}
	}
	if all["3"].LeftOut != reconcile.ReasonStatusNotComplete || all["1"].LeftOut != "" {
		t.Errorf("3 is left out for %q, 1 for %q", all["3"].LeftOut, all["1"].LeftOut)
	}
	notes := strings.Join(s.Tally().Notes, "\n")
	if !strings.Contains(notes, `the status "on hold" are held back (2)`) || strings.Contains(notes, "ann@") {
		t.Errorf("notes:\n%s", notes)
	}
}

// TestNegativeLines judges an exchange, a return and a plain order.
func TestNegativeLines(t *testing.T) {
	at := "|2026-05-01 10:00|"
	rows := []string{
		"1" + at + "a|2|5", "1" + at + "b|-1|3",
		"2" + at + "a|-2|5", "2" + at + "b|-1|3",
		"3" + at + "a|1|5",
	}
	type want struct {
		sum                      string
		lines                    int
		negative, undoes, digest bool // digest: as if the order had only its first line
	}
	for rule, wants := range map[string]map[string]want{
		"":     {"1": {"7", 2, true, false, false}, "2": {"-13", 2, true, true, false}, "3": {"5", 1, false, false, true}},
		"hold": {"1": {"7", 2, true, false, false}, "2": {"-13", 2, true, true, false}, "3": {"5", 1, false, false, true}},
		"send": {"1": {"7", 2, false, false, false}, "2": {"-13", 2, true, true, false}, "3": {"5", 1, false, false, true}},
		"drop": {"1": {"10", 1, false, false, true}, "2": {"-13", 2, true, true, false}, "3": {"5", 1, false, false, true}},
	} {
		for _, budget := range []int{0, 1} { // 1: every row is spilled
			for _, columns := range []map[string]string{nil, {"line": "sku"}} {
				cfg := example(t, columns)
				cfg.NegativeLines = rule
				s := build(t, cfg, Options{Budget: budget}, sheet("orders.csv", append([]string{"id|at|sku|qty|price"}, rows...)...))
				all := headsOf(t, s)
				plain := headsOf(t, build(t, example(t, columns), Options{}, sheet("orders.csv", "id|at|sku|qty|price", rows[0], rows[4])))
				for id, w := range wants {
					h := all[id]
					got := want{h.LinesSum.String(), h.Lines, h.Negative, h.Undoes, h.Digest == plain[id].Digest}
					if got != w {
						t.Errorf("%q, %v, budget %d: %s is %+v, want %+v", rule, columns, budget, id, got, w)
					}
				}
				if items := orderOf(t, s, "1")["1"].Items; (rule == "drop") != (len(items) == 1) {
					t.Errorf("%q: 1 has %d lines", rule, len(items))
				}
			}
		}
	}
}

func TestZeroTotal(t *testing.T) {
	for rule, want := range map[string]reconcile.Reason{"": "", "send": "", "hold": "zero_total"} {
		cfg := example(t, nil)
		cfg.ZeroTotal = rule
		all := headsOf(t, build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price",
			"1|2026-05-01 10:00|a|2|0", "2|2026-05-01 10:00|a|1|0.01")))
		if all["1"].Hold != want || all["2"].Hold != "" {
			t.Errorf("%q holds 1 for %q, 2 for %q", rule, all["1"].Hold, all["2"].Hold)
		}
	}
}

func TestReversesIsLeftOut(t *testing.T) {
	cfg := example(t, map[string]string{"reverses": "of"})
	s := build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price|of", "1|2026-05-01 10:00|a|2|5|", "2|2026-05-02 10:00|a|-2|5|1"))
	all := headsOf(t, s)
	if h := all["2"]; h.LeftOut != reconcile.ReasonReversal || h.Reverses != "1" || !h.Undoes || h.GoodsDigest != all["1"].GoodsDigest {
		t.Errorf("2 is %+v", h)
	}
	if all["1"].LeftOut != "" {
		t.Errorf("1 is left out for %q", all["1"].LeftOut)
	}
}

// TestCreditNoteThatIsNone: one that is pending, or a test, undoes nothing, and
// says so by its reason.
func TestCreditNoteThatIsNone(t *testing.T) {
	cfg := example(t, map[string]string{"reverses": "of", "status": "stat", "test_order": "test"})
	cfg.CompletedWhen, cfg.NotCompleted = []string{"paid"}, []string{"pending"}
	at := "|2026-05-02 10:00|a|-2|5|"
	all := headsOf(t, build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price|of|stat|test",
		"1"+at+"9|pending|", "2"+at+"9|paid|yes", "3"+at+"9|paid|no", "4"+at+"9|lost|")))
	for id, want := range map[string]reconcile.Reason{"1": reconcile.ReasonStatusNotComplete, "2": reconcile.ReasonTestOrder,
		"3": reconcile.ReasonReversal, "4": reconcile.ReasonReversal} {
		if got := all[id].LeftOut; got != want {
			t.Errorf("%s is left out as %q, want %q", id, got, want)
		}
	}
}

// TestZoneColumn: one wall clock is another instant in each zone, and so is
// the business day of a till.
func TestZoneColumn(t *testing.T) {
	for _, budget := range []int{0, 1} {
		cfg := example(t, map[string]string{"zone": "tz", "store": "st"})
		cfg.OrderUnique = "per_store_and_day"
		s := build(t, cfg, Options{Budget: budget}, sheet("orders.csv", "id|at|sku|qty|price|tz|st",
			"1|2026-05-01 23:30|a|1|1|America/New_York|ny", "1|2026-05-01 23:59|b|1|1|America/New_York|ny",
			"1|2026-05-01 23:30|a|1|1|Asia/Tokyo|tok", "1|2026-05-01 23:30|a|1|1||own",
			"1|2026-05-01 23:30:00Z|a|1|1|America/New_York|zoned",
			"2|2026-05-01 23:30|a|1|1|Mars/Olympus|no", "2|2026-05-01 23:30|a|1|1|Local|local"))
		all := headsOf(t, s)
		for id, want := range map[string]string{"ny-2026-05-01-1": "2026-05-02T03:30:00Z", "tok-2026-05-01-1": "2026-05-01T14:30:00Z",
			"own-2026-05-01-1": "2026-05-01T21:30:00Z", "zoned-2026-05-01-1": "2026-05-01T23:30:00Z"} {
			h, ok := all[id]
			if got := h.CompletedAt.Format(time.RFC3339); !ok || got != want || len(h.Bad) > 0 {
				t.Errorf("budget %d: %s was completed %s, want %s; bad %v", budget, id, got, want, h.Bad)
			}
		}
		if all["ny-2026-05-01-1"].Lines != 2 {
			t.Errorf("the two rows of one evening are %d lines", all["ny-2026-05-01-1"].Lines)
		}
		for _, id := range []string{"no-2026-05-01-2", "local-2026-05-01-2"} {
			if bad := all[id].Bad; len(bad) != 1 || bad[0].Column != "tz" || bad[0].Reason != reconcile.ReasonBadValue {
				t.Errorf("%s is bad for %v", id, bad)
			}
		}
	}
}
