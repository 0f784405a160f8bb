package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestShownAs(t *testing.T) {
	for _, c := range []struct {
		number, shown string
		want          bool
	}{
		{"00123", "123", true}, {"123", "00123", false}, {"123", "123", false}, {"00123", "1123", false},
		{"536365", "536365.0", true}, {"536365", "536365,00", true}, {"536365", "536,365", true}, {"536365", "536.365", true},
		{"536365", "53,6365", false}, {"1234567", "1 234 567", true}, {"1234567", "1'234'567.00", true}, {"536365", "536365.5", false},
		{"1914312345678901234", "1.9143E+18", true}, {"1914312345678901234", "1,91E+18", true}, {"1914312345678901234", "1.9144E+18", false},
		{"1914312345678901234", "1.9143E+17", false}, {"1914312345678901234", "2E+18", true}, {"1914362345678901234", "1.9144E+18", true},
		{"1914312345678901234", "1914312345678900000", true}, {"1914312345678951234", "1914312345678950000", true},
		{"1914312345678901234", "1914312345678901248", true}, {"1914312345678901234", "1914312345678901235", false}, // one float for both, but another number
		{"1914312345678901234", "1914312345678910000", false}, {"123456789012345", "123456789012340", false},
		{"4012800001", "4.0128E+09", true}, {"99996", "1E+05", false}, {"12E4", "120000", true}, {"12E4", "1.2E+05", true}, {"W-12", "12", false},
		{"3-1", "3-Jan", true}, {"3-1", "1-Mar", true}, {"3-1", "3-Feb", false}, {"3/1", "03-01-2026", true}, {"1-26", "Jan-26", true}, {"1-2026", "Jan-26", true},
		{"2026-3-1", "2026-03-01", true}, {"1.3.2026", "1-3-2026", true}, {"10-12", "12-Oct", true}, {"10-12", "10-Dez", true}, {"5-2", "2026-02-05", true},
		{"5-2", "2026-03-05", false}, {"3-1-4-1", "3-Jan", false}, {"300-1", "3-Jan", false},
	} {
		if got := ShownAs(c.number, c.shown); got != c.want {
			t.Errorf("ShownAs(%q, %q) = %v", c.number, c.shown, got)
		}
	}
}

// TestShownAsMeetsDigits: what a spreadsheet does to digits is known as such,
// and two numbers that differ in what it keeps are never taken for each other.
func TestShownAsMeetsDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{1,20}`).Draw(t, "number")
		whole := strings.TrimLeft(number, "0")
		if whole == "" {
			return
		}
		forms := []string{whole, whole + ".0"}
		if len(whole) > 5 {
			f, _ := strconv.ParseFloat(whole, 64)
			forms = append(forms, strings.Replace(fmt.Sprintf("%.4E", f), "E+0", "E+", 1), fmt.Sprintf("%.5E", f))
		}
		for _, shown := range forms {
			// A float that rounds up to the next power of ten, or is written
			// half to even, is another text: it is not recognised.
			if shown != number && !ShownAs(number, shown) && !strings.Contains(shown, "E") {
				t.Fatalf("%s is not known as %s", shown, number)
			}
		}
		other := rapid.StringMatching(`[1-9][0-9]{0,14}`).Draw(t, "other")
		if other != whole && ShownAs(number, other) {
			t.Fatalf("%s is taken for %s", other, number)
		}
	})
}
