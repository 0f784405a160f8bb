package table

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

const goodRow = "1|2026-05-01 10:00|a|1|1"

// TestRowsThatAreNoOrders: a header that stands again and rows of totals are
// left out and said; what only looks like one is a bad row that says so.
func TestRowsThatAreNoOrders(t *testing.T) {
	for name, test := range map[string]struct {
		rows        []string
		notes, says string
		orders      int
	}{
		"headers":          {[]string{goodRow, "id|at|sku|qty|price", "2|2026-05-01 10:00|a|1|1", "\ufeffid|at|sku|qty|price"}, "q has its header again in row 3 and 1 more: left out", "", 2},
		"a word of it":     {[]string{"sku|2026-05-01 10:00|a|1|1"}, "", "", 1},
		"total":            {[]string{goodRow, "Total|||1|1"}, "q has totals, no orders, in row 3: left out", "", 1},
		"summe":            {[]string{goodRow, "|||Summe:|1"}, "q has totals, no orders, in row 3: left out", "", 1},
		"behind a number":  {[]string{goodRow, "||| 1 |GESAMT"}, "q has totals, no orders, in row 3: left out", "", 1},
		"a total order":    {[]string{"Total|2026-05-01 10:00|a|1|1"}, "", "", 1},
		"a total article":  {[]string{goodRow, "1|||Total|1"}, "", "the line has no article number", 0},
		"only numbers":     {[]string{goodRow, "|||1|1.00"}, "", "are they totals?", 1},
		"an end":           {[]string{goodRow, "1 row exported||||"}, "", "a line below the table?", 1},
		"an error":         {[]string{"1|2026-05-01 10:00|a|1|#DIV/0!"}, "", `"#DIV/0!" is an error of a spreadsheet`, 0},
		"an unread error":  {[]string{"1|2026-05-01 10:00|a|1|1|#N/A"}, "", "", 1},
		"an error as name": {[]string{goodRow, "#BEZUG!|2026-05-01 10:00|a|1|1"}, "", `"#BEZUG!" is an error of a spreadsheet`, 1},
		"other money":      {[]string{"1|2026-05-01 10:00|a|1|£1.00"}, "", `"£1.00" is not in EUR`, 0},
		"the same money":   {[]string{"1|2026-05-01 10:00|a|1|EUR 1.00"}, "", "", 1},
	} {
		header := "id|at|sku|qty|price"
		if strings.Count(test.rows[0], "|") == 5 {
			header += "|more"
		}
		s := build(t, example(t, nil), Options{}, sheet("q", append([]string{header}, test.rows...)...))
		headsOf(t, s)
		y := s.Tally()
		if got := strings.Join(y.Notes, "; "); got != test.notes || y.Orders != test.orders {
			t.Errorf("%s: %d orders, notes %q; want %d, %q", name, y.Orders, got, test.orders, test.notes)
		}
		says := test.says == "" && len(y.Problems) == 0
		for _, p := range y.Problems {
			says = says || test.says != "" && strings.Contains(p.Text, test.says)
		}
		if !says {
			t.Errorf("%s: problems %v; want one that says %q", name, y.Problems, test.says)
		}
	}
}

// TestAnotherHeader: behind a header in another order nothing can be read.
func TestAnotherHeader(t *testing.T) {
	s := build(t, example(t, nil), Options{}, sheet("q", "id|at|sku|qty|price", goodRow, "id|at|sku|price|qty"))
	var last error
	for _, err := range s.Heads(context.Background(), year) {
		last = err
	}
	if !errors.Is(last, ErrOtherHeader) || !strings.Contains(last.Error(), "row 3") {
		t.Error(last)
	}
}

func TestMoneyMarks(t *testing.T) {
	for _, test := range []struct {
		text, mark string
		fits       []string
	}{
		{"12.50", "", []string{"EUR", "USD"}}, {"€ 12,-", "€", []string{"EUR"}}, {"12.50 kr.", "kr", []string{"SEK", "DKK"}},
		{"US$ 1", "US$", []string{"USD"}}, {"-$1", "$", []string{"USD", "CAD"}}, {"CHF 1'000.00", "CHF", []string{"CHF"}},
		{"Fr. 12.—", "Fr", []string{"CHF"}}, {"1 dozen", "", []string{"EUR"}}, {"¤ 1", "", []string{"EUR"}},
	} {
		if got := moneyMark(test.text); got != test.mark {
			t.Errorf("%q carries %q, want %q", test.text, got, test.mark)
		}
		for _, currency := range []string{"EUR", "USD", "CAD", "SEK", "DKK", "CHF"} {
			if fits := test.mark == "" || slices.Contains(test.fits, currency); otherMoney(test.text, currency) == fits {
				t.Errorf("%q in %s: other is %v", test.text, currency, !fits)
			}
		}
	}
}
