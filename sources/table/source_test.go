package table

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// TestBadOrders reads one order each, with one thing wrong.
func TestBadOrders(t *testing.T) {
	more := map[string]string{"email": "mail", "customer": "cust", "currency": "cur", "channel": "ch", "store": "st",
		"status": "stat", "total": "sum", "line_total": "lt", "line": "ln", "cart_used": "used", "language": "lang"}
	header := "id|at|sku|qty|price|mail|cust|cur|ch|st|stat|sum|lt|ln|used|lang"
	good := map[string]string{"id": "1", "at": "2026-05-01 10:00", "sku": "s", "qty": "2", "price": "1.50", "cur": "EUR", "ch": "online"}
	row := func(changes ...string) string {
		values := maps.Clone(good)
		for _, c := range changes {
			name, value, _ := strings.Cut(c, "=")
			values[name] = value
		}
		var cells []string
		for name := range strings.SplitSeq(header, "|") {
			cells = append(cells, values[name])
		}
		return strings.Join(cells, "|")
	}
	for _, test := range []struct {
		name, column string
		reason       reconcile.Reason // "" for a good order
		row          int
		rows         []string
	}{
		{"good", "", "", 0, []string{row()}},
		{"quantity", "qty", reconcile.ReasonBadValue, 3, []string{row(), row("qty=many")}},
		{"exponent", "price", reconcile.ReasonBadValue, 2, []string{row("price=4.4E-16")}},
		{"digits", "price", reconcile.ReasonBadValue, 2, []string{row("price=1.23456789012345678901")}},
		{"product", "price", reconcile.ReasonBadValue, 2, []string{row("price=9999999999", "qty=9999999999.9")}},
		{"no quantity", "qty", reconcile.ReasonMissingValue, 2, []string{row("qty=")}},
		{"no money", "price", reconcile.ReasonMissingValue, 2, []string{row("price=")}},
		{"no sku", "sku", reconcile.ReasonMissingValue, 2, []string{row("sku=")}},
		{"no time", "at", reconcile.ReasonMissingValue, 2, []string{row("at=")}},
		{"one time is enough", "", "", 0, []string{row("at="), row()}},
		{"time", "at", reconcile.ReasonBadValue, 2, []string{row("at=yesterday")}},
		{"skipped hour", "at", reconcile.ReasonNoSuchTime, 2, []string{row("at=2026-03-29 02:30")}},
		{"float id", "id", reconcile.ReasonDamagedID, 2, []string{row("id=1.9143E+18")}},
		{"float sku", "sku", reconcile.ReasonDamagedID, 2, []string{row("sku=22.0")}},
		{"float customer", "cust", reconcile.ReasonDamagedID, 2, []string{row("cust=17850.0")}},
		{"long id", "id", reconcile.ReasonBadOrderID, 2, []string{row("id=" + strings.Repeat("é", 101))}},
		{"address as number", "id", reconcile.ReasonOrderIsAddress, 2, []string{row("id=Ann@Example.com")}},
		{"address with a name as number", "id", reconcile.ReasonOrderIsAddress, 2, []string{row("id=Ann <ann@example.com>")}},
		{"address in a number", "id", reconcile.ReasonOrderIsAddress, 2, []string{row("id=1001; ann@shop.example.com")}},
		{"number with an at", "", "", 0, []string{row("id=1001@kiosk")}},
		{"number that begins with an at", "", "", 0, []string{row("id=@1001.5")}},
		{"number with two ats", "", "", 0, []string{row("id=1@2@3.4")}},
		{"no currency", "cur", reconcile.ReasonMissingValue, 2, []string{row("cur=")}},
		{"bad currency", "cur", reconcile.ReasonBadValue, 2, []string{row("cur=euro")}},
		{"small currency", "", "", 0, []string{row("cur=eur"), row("cur=EUR")}},
		{"two currencies", "cur", reconcile.ReasonConflict, 3, []string{row(), row("cur=SEK")}},
		{"channel", "ch", reconcile.ReasonBadChannel, 2, []string{row("ch=web")}},
		{"two channels", "ch", reconcile.ReasonConflict, 3, []string{row(), row("ch=mobile")}},
		{"two customers", "cust", reconcile.ReasonConflict, 3, []string{row("cust=1"), row("cust=2")}},
		{"two addresses", "mail", reconcile.ReasonConflict, 4, []string{row(), row("mail=ann@example.com"), row("mail=bob@example.com")}},
		{"one address", "", "", 0, []string{row("mail=ann@example.com"), row("mail=Ann@Example.com"), row()}},
		{"two states", "stat", reconcile.ReasonConflict, 3, []string{row("stat=a"), row("stat=b")}},
		{"two totals", "sum", reconcile.ReasonConflict, 3, []string{row("sum=3"), row("sum=4")}},
		{"one total", "", "", 0, []string{row("sum=3"), row("sum=3.00")}},
		{"bad total", "sum", reconcile.ReasonBadValue, 2, []string{row("sum=three")}},
		{"two languages", "", "", 0, []string{row("lang=nl"), row("lang=en")}},
		{"line total", "", "", 0, []string{row("lt=3.005")}},
		{"other line total", "lt", reconcile.ReasonConflict, 2, []string{row("lt=3.006")}},
		{"yen line total", "", "", 0, []string{row("lt=3.5", "cur=JPY")}},
		{"same line", "", "", 0, []string{row("ln=1"), row("ln=1")}},
		{"other line", "ln", reconcile.ReasonConflict, 3, []string{row("ln=1"), row("ln=1", "qty=3")}},
		{"cart", "used", reconcile.ReasonBadValue, 2, []string{row("used=perhaps")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := one(t, example(t, more), append([]string{header}, test.rows...)...)
			if test.reason == "" {
				if len(h.Bad) != 0 || h.Digest == (reconcile.Digest{}) {
					t.Fatalf("is bad: %v", h.Bad)
				}
				return
			}
			if len(h.Bad) != 1 || h.Bad[0].Reason != test.reason || h.Bad[0].Column != test.column || h.Bad[0].Row != test.row {
				t.Errorf("got %+v, want %s in row %d, column %s", h.Bad, test.reason, test.row, test.column)
			}
			if strings.Contains(fmt.Sprint(h.Bad), "example.com") {
				t.Errorf("the problem repeats an address: %v", h.Bad)
			}
		})
	}
}

func TestMoney(t *testing.T) {
	header := "id|at|sku|qty|price|lt|sum|ship|used"
	more := map[string]string{"line_total": "lt", "total": "sum", "shipping": "ship", "cart_used": "used"}
	for _, test := range []struct {
		name         string
		rows         []string
		amount, sum  string
		of           reconcile.AmountOf
		lines        int
		goods, minus bool
	}{
		{"prices", []string{"1|2026-05-01 10:00|a|2|1.25|||||", "1|2026-05-01 10:00|a|2|1.25||||"}, "5", "5", reconcile.AmountOfPrices, 2, true, false},
		{"line totals", []string{"1|2026-05-01 10:00|a|3||10.00|||"}, "10", "10", reconcile.AmountOfLineTotals, 1, true, false},
		{"total", []string{"1|2026-05-01 10:00|a|3|1||8.50|5.50|yes"}, "8.5", "3", reconcile.AmountOfTotal, 1, true, false},
		{"quantity 0", []string{"1|2026-05-01 10:00|a|0||2.50|||"}, "2.5", "2.5", reconcile.AmountOfLineTotals, 1, false, false},
		{"return", []string{"1|2026-05-01 10:00|a|-1|2||||", "1|2026-05-01 10:00|b|1|3||||"}, "1", "1", reconcile.AmountOfPrices, 2, true, true},
	} {
		h := one(t, example(t, more), append([]string{header}, test.rows...)...)
		if h.Amount.String() != test.amount || h.LinesSum.String() != test.sum || h.AmountOf != test.of || h.Lines != test.lines ||
			h.Goods != test.goods || h.Negative != test.minus || len(h.Bad) > 0 {
			t.Errorf("%s: %+v", test.name, h)
		}
	}
}

// TestDigests: what the digest must see and what it must not.
func TestDigests(t *testing.T) {
	more := map[string]string{"name": "name"}
	header := "id|at|sku|qty|price|name"
	base := one(t, example(t, more), header, "1|2026-05-01 10:00|a|2|1.50|cup", "1|2026-05-01 10:00|b|1|3|pot")
	again := one(t, example(t, more), header, "1|2026-05-01 10:00|b|1.0|3.00|pot", "1|2026-05-01 10:00|a|2|1.5|cup")
	if base.Digest != again.Digest || base.Cosmetic != again.Cosmetic || base.GoodsDigest != again.GoodsDigest {
		t.Error("the same lines in another order and spelling have another digest")
	}
	renamed := one(t, example(t, more), header, "1|2026-05-01 10:00|a|2|1.50|mug", "1|2026-05-01 10:00|b|1|3|pot")
	if base.Digest != renamed.Digest || base.Cosmetic == renamed.Cosmetic {
		t.Error("a new name must change the cosmetic digest only")
	}
	double := one(t, example(t, more), header, "1|2026-05-01 10:00|a|2|1.50|cup", "1|2026-05-01 10:00|a|2|1.50|cup", "1|2026-05-01 10:00|b|1|3|pot")
	if base.Digest == double.Digest {
		t.Error("a repeated line must change the digest")
	}
	undone := one(t, example(t, more), header, "C1|2026-05-01 10:00|a|-2|1.50|cup", "C1|2026-05-01 10:00|b|-1|3|pot")
	if base.GoodsDigest != undone.GoodsDigest || base.Digest == undone.Digest {
		t.Error("a credit note must have the same goods, and another digest")
	}
}

func TestJoin(t *testing.T) {
	joined := sheet("customers.csv", "no|mail|lang", "7|ann@example.com|nl", "8|bob@example.com|en", "8|bob@example.com|en",
		"9|eve@example.com|nl", "9|eva@example.com|nl", "|nobody@example.com|nl")
	cfg := example(t, map[string]string{"customer": "cust", "email": "mail", "custom_where": `= upper(language)`})
	cfg.Join = []config.Join{{On: map[string]string{"customer": "no"}, Take: map[string]string{"email": "mail", "language": "lang"}}}
	cfg.MaySend = &config.MaySend{When: `language == "nl"`}
	cfg.LeaveOut = []config.Rule{{Reason: "bob", When: `email startsWith "bob"`}}
	s := build(t, cfg, Options{Joins: func(context.Context, *config.Join) ([]File, error) { return []File{joined}, nil }},
		sheet("orders.csv", "id|at|sku|qty|price|cust|mail", "1|2026-05-01 10:00|a|1|1|7|", "2|2026-05-01 10:00|a|1|1|8|",
			"3|2026-05-01 10:00|a|1|1|9|", "4|2026-05-01 10:00|a|1|1|7|own@example.com", "5|2026-05-01 10:00|a|1|1||",
			"6|2026-05-01 10:00|a|1|1|404|"))
	all := headsOf(t, s)
	if h := all["1"]; h.Email != "ann@example.com" || h.Language != "nl" || !h.Permitted || h.Fields["custom_where"] != "NL" {
		t.Errorf("1 is %+v", h)
	}
	if h := all["2"]; h.LeftOut != "bob" || len(h.Bad) > 0 {
		t.Errorf("2 is %+v", h)
	}
	if h := all["3"]; len(h.Bad) != 1 || h.Bad[0].Reason != reconcile.ReasonAmbiguous || !strings.Contains(h.Bad[0].Text, "customers.csv, row 5") {
		t.Errorf("3 is %+v", h)
	}
	if h := all["4"]; h.Email != "own@example.com" || h.Language != "nl" {
		t.Errorf("4 is %+v", h)
	}
	for _, id := range []string{"5", "6"} {
		if h := all[id]; h.Email != "" || h.Permitted || len(h.Bad) > 0 {
			t.Errorf("%s is %+v", id, h)
		}
	}
}

func TestRules(t *testing.T) {
	cfg := example(t, map[string]string{"refers_to": "web"})
	cfg.LeaveOut = []config.Rule{{Reason: "test", When: `kind == "test"`}, {Reason: "gift", When: `sku == "gift"`}}
	cfg.SkipLines = []config.LineRule{{Rule: config.Rule{Reason: "fee", When: `sku == "POST"`}},
		{Rule: config.Rule{Reason: "tip", When: `sku == "TIP"`}, KeepMoney: true}}
	at := "|2026-05-01 10:00|"
	s := build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price|kind|web",
		"1"+at+"a|1|1|test|", "1"+at+"a|1|1||", // the second row does not say: no conflict
		"2"+at+"a|1|1|real|", "2"+at+"b|1|1|test|", // two rows say different things
		"3"+at+"a|1|1|x|", "3"+at+"b|1|1|y|", // two values, one answer
		"4"+at+"a|1|1||", "4"+at+"gift|1|1||",
		"5"+at+"a|1|1||", "5"+at+"POST|1|bad||", "5"+at+"TIP|1|0.50||",
		"6"+at+"POST|1|4||",
		"7"+at+"a|1|1||100012345"))
	all := headsOf(t, s)
	if all["1"].LeftOut != "test" || all["7"].LeftOut != "click_and_collect" {
		t.Errorf("1 is %+v, 7 is %+v", all["1"], all["7"])
	}
	for _, id := range []string{"2", "4"} {
		if bad := all[id].Bad; len(bad) != 1 || bad[0].Reason != reconcile.ReasonConflict {
			t.Errorf("%s is %+v", id, bad)
		}
	}
	if h := all["3"]; len(h.Bad) > 0 || h.LeftOut != "" {
		t.Errorf("3 is %+v", h)
	}
	if h := all["5"]; len(h.Bad) > 0 || h.Amount.String() != "1.5" || h.Lines != 1 {
		t.Errorf("5 is %+v", h)
	}
	if h := all["6"]; h.Goods || h.Lines != 0 {
		t.Errorf("6 is %+v", h)
	}
	if items := orderOf(t, s, "5")["5"].Items; len(items) != 1 || items[0].SKU != "a" {
		t.Errorf("5 has the lines %+v", items)
	}
}

// TestManyVariants: a rule over a column of the lines has as many answers as
// lines, and is judged on all of them in bounded memory.
func TestManyVariants(t *testing.T) {
	cfg := example(t, nil)
	cfg.LeaveOut = []config.Rule{{Reason: "gift", When: `sku == "s150"`}}
	lines := []string{"id|at|sku|qty|price"}
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("1|2026-05-01 10:00|s%d|1|1", i))
	}
	if bad := one(t, cfg, lines...).Bad; len(bad) != 1 || bad[0].Row != 152 {
		t.Errorf("the conflict in row 152 is %+v", bad)
	}
	cfg.LeaveOut[0].When = `sku == "none"`
	if bad := one(t, cfg, lines...).Bad; len(bad) != 0 {
		t.Errorf("is bad: %+v", bad)
	}
}

func TestOrderUnique(t *testing.T) {
	more := map[string]string{"store": "store", "till": "till", "customer": "cust"}
	rows := []string{"id|at|sku|qty|price|store|till|cust",
		"7|2026-05-01 23:30|a|1|1|A-1|1|1", "7|2026-05-02 00:30|a|1|1|A-1|1|1",
		"7|2026-05-01 10:00|a|1|1|B|1|2", "7|2026-05-01 10:01|a|1|1|B|2|2",
		"8|2026-05-01 10:00|a|1|1|B|2|3", "8|2026-05-01 10:00|b|1|1||2|3"}
	for unique, want := range map[string]string{
		"always":            "7!order_not_unique 8",
		"per_store":         "A%2D1-7 B-7 B-8!missing_value",
		"per_store_and_day": "A%2D1-2026-05-01-7 A%2D1-2026-05-02-7 B-2026-05-01-7 B-2026-05-01-8!missing_value",
		"per_till_and_day":  "A%2D1-1-2026-05-01-7 A%2D1-1-2026-05-02-7 B-1-2026-05-01-7 B-2-2026-05-01-7 B-2-2026-05-01-8!missing_value",
	} {
		cfg := example(t, more)
		cfg.Channel, cfg.OrderUnique = "in_store", unique
		all := headsOf(t, build(t, cfg, Options{}, sheet("tills.csv", rows...)))
		var got []string
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if bad := all[id].Bad; len(bad) > 0 {
				id += "!" + string(bad[0].Reason)
			}
			got = append(got, id)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s gives %s, want %s", unique, text, want)
		}
	}
}

// TestNumbersThatAreNotUnique: one number of an always source that stands for
// two orders is never sent, also where the first of them lies before the window
// or in another file.
func TestNumbersThatAreNotUnique(t *testing.T) {
	for name, c := range map[string]struct {
		channel string
		files   [][]string
		want    string
	}{
		"two days":          {"in_store", [][]string{{"2026-05-01 10:00|a|1|1|A|1", "2026-05-02 10:00|a|1|1|A|1"}}, "order_not_unique"},
		"two stores":        {"in_store", [][]string{{"2026-05-01 10:00|a|1|1|A|1", "2026-05-01 11:00|a|1|1|B|1"}}, "order_not_unique"},
		"two customers":     {"in_store", [][]string{{"2026-05-01 10:00|a|1|1|A|1", "2026-05-01 11:00|a|1|1|A|2"}}, "order_not_unique"},
		"before the window": {"in_store", [][]string{{"2020-05-01 10:00|a|1|1|A|1", "2026-05-01 10:00|a|1|1|A|1"}}, "order_not_unique"},
		"two files":         {"in_store", [][]string{{"2026-05-01 10:00|a|1|1|A|1"}, {"2026-05-02 10:00|a|1|1|A|1"}}, "order_not_unique"},
		"versions":          {"in_store", [][]string{{"2026-05-01 10:00|a|1|1|A|1"}, {"2026-05-01 10:00|a|1|1|A|1"}}, ""},
		"online":            {"online", [][]string{{"2026-05-01 10:00|a|1|1|A|1", "2026-05-02 10:00|a|1|1|A|1"}}, ""},
	} {
		cfg := example(t, map[string]string{"store": "store", "customer": "cust"})
		cfg.Channel, cfg.OrderUnique = c.channel, "always"
		var list []*memory
		for i, rows := range c.files {
			m := sheet(fmt.Sprintf("%d.csv", i), "id|at|sku|qty|price|store|cust")
			for _, row := range rows {
				m.rows = append(m.rows, strings.Split("7|"+row, "|"))
			}
			list = append(list, m)
		}
		got := ""
		for _, p := range headsOf(t, build(t, cfg, Options{}, list...))["7"].Bad {
			got = string(p.Reason)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestVersions(t *testing.T) {
	header := "id|at|sku|qty|price|upd"
	old := sheet("a.csv", header, "1|2026-05-01 10:00|a|1|1|", "2|2026-05-01 10:00|a|1|1|2026-05-01 11:00", "3|2026-05-01 10:00|a|1|1|",
		"4|2026-05-01 10:00|a|1|1|2026-05-02 11:00", "5|2026-05-01 10:00|a|1|1|")
	new := sheet("b.csv", header, "1|2026-05-01 10:00|a|1|1.0|", "2|2026-05-01 10:00|a|2|1|2026-05-02 11:00", "3|2026-05-01 10:00|a|2|1|",
		"4|2026-05-01 10:00|a|3|1|2026-05-01 11:00")
	s := build(t, example(t, map[string]string{"updated_at": "upd"}), Options{}, old, new)
	all := headsOf(t, s)
	if y := s.Tally(); y.Read != 9 || y.Merged != 4 || y.Bad != 1 || y.Orders != 4 {
		t.Errorf("tally is %+v", y)
	}
	if len(all["1"].Bad) > 0 || all["2"].Amount.String() != "2" || all["4"].Amount.String() != "1" {
		t.Errorf("heads are %+v", all)
	}
	bad := all["3"].Bad
	if len(bad) != 1 || bad[0].Reason != reconcile.ReasonVersions || !strings.Contains(bad[0].Text, "a.csv") || !strings.Contains(bad[0].Text, "b.csv") {
		t.Errorf("3 is %+v", bad)
	}
	if got := orderOf(t, s, "1", "2", "4", "5"); got["2"].Items[0].Quantity.String() != "2" || got["4"].Items[0].Quantity.String() != "1" || len(got) != 4 {
		t.Errorf("orders are %+v", got)
	}
	cfg := example(t, map[string]string{"updated_at": "upd"})
	cfg.Files = "parts"
	s = build(t, cfg, Options{}, old, new)
	if h := headsOf(t, s)["3"]; h.Lines != 2 || h.Amount.String() != "3" || !h.Origin.More {
		t.Errorf("3 in parts is %+v", h)
	}
	if items := orderOf(t, s, "3")["3"].Items; len(items) != 2 {
		t.Errorf("3 in parts has %+v", items)
	}
}

func TestColumnErrors(t *testing.T) {
	cfg := example(t, map[string]string{"name": `= trim(Nmae)`})
	s := build(t, cfg, Options{}, sheet("orders.csv", "id|at|sku|qty|price|Name"))
	missing, ok := errors.AsType[*MissingColumn](failure(s))
	if !ok || !strings.Contains(missing.Error(), `"Nmae"`) || !strings.Contains(missing.Error(), `did you mean "Name"?`) ||
		!strings.Contains(missing.Error(), "id, at, sku") {
		t.Errorf("got %v", failure(s))
	}
	s = build(t, example(t, nil), Options{}, sheet("orders.csv", "id|at|sku|qty|price|sku"))
	if _, ok := errors.AsType[*RepeatedColumn](failure(s)); !ok {
		t.Errorf("got %v", failure(s))
	}
	if err := failure(build(t, example(t, nil), Options{}, sheet("orders.csv", "id|at|sku|qty|price|x|x"))); err != nil {
		t.Errorf("a repeated column that nobody uses gave %v", err)
	}
	cfg = example(t, nil)
	cfg.LeaveOut = []config.Rule{{Reason: "x", When: `id startWith "C"`}}
	if _, err := New(cfg, files(), Options{}); err == nil || !strings.Contains(err.Error(), "leave_out[0]") {
		t.Errorf("got %v", err)
	}
}

// TestSpooledRowsBeforeTheWindow: rows that cannot be needed are not kept, and
// the others still make whole orders.
func TestSpooledRowsBeforeTheWindow(t *testing.T) {
	f := sheet("q", "id|at|sku|qty|price|extra", "1|2025-05-01 10:00|a|1|1|x", "2|2026-05-01 10:00|a|1|1|x", "2||b|2|1|x", "3|2027-05-01 10:00|a|1|1|x")
	f.once = true
	later := func() time.Time { return time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC) }
	s := build(t, example(t, nil), Options{Now: later}, f)
	if all := headsOf(t, s); len(all) != 1 || s.Tally().OutsideWindow != 2 {
		t.Fatalf("%+v", s.Tally())
	}
	if items := orderOf(t, s, "2")["2"].Items; len(items) != 2 || items[1].Quantity.String() != "2" {
		t.Errorf("lines are %+v", items)
	}
	rows := 0
	if err := s.read[0].spool.rows.each(func([]byte) error { rows++; return nil }); err != nil || rows != 3 {
		t.Errorf("%d rows were kept (%v), want 3", rows, err)
	}
}

func TestNotes(t *testing.T) {
	s := build(t, example(t, nil), Options{}, sheet("q", "id|at|sku|qty|price", "1|2026-10-25 02:30|a|1|1", " | |", "2|2026-05-01 10:00|a|1|1"))
	if h := headsOf(t, s)["1"]; !h.AmbiguousTime || h.CompletedAt.Hour() != 0 {
		t.Errorf("1 is %+v", h)
	}
	if y := s.Tally(); y.Rows != 2 || len(y.Notes) != 1 || y.Newest.Month() != 10 {
		t.Errorf("tally is %+v", y)
	}
}

// TestOrdersFromTheFuture: they are bad wherever the window ends, and no sign
// of how fresh the source is.
func TestOrdersFromTheFuture(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }
	f := sheet("q", "id|at|sku|qty|price", "1|2026-05-01 10:00|a|1|1", "2|2026-05-02 10:00|a|1|1", "3|2026-05-03 10:00|a|1|1", "4|2062-05-01 10:00|a|1|1")
	s := build(t, example(t, nil), Options{Now: now}, f)
	var bad []string
	for _, h := range headsOf(t, s) {
		for _, p := range h.Bad {
			bad = append(bad, h.Key.Order+" "+string(p.Reason))
		}
	}
	slices.Sort(bad)
	if got := strings.Join(bad, ", "); got != "3 future_time, 4 future_time" {
		t.Errorf("bad are %q", got)
	}
	if tally := s.Tally(); tally.Bad != 2 || tally.Orders != 2 || tally.Newest.Day() != 2 {
		t.Errorf("%+v", tally)
	}
}
