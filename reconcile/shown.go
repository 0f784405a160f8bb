package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sheetDigits is how many digits a spreadsheet keeps of a number.
const sheetDigits = 15

// ShownAs reports whether a spreadsheet that was given an order number can
// show another text for it: 00123 as 123, 1914312345678901234 as 1.9143E+18 or
// 1914312345678900000, 3-1 as 3-Jan, 536365 as 536,365.00. A number and itself
// are no such pair.
func ShownAs(number, shown string) bool {
	if number == shown || number == "" || shown == "" || len(number) > MaxOrderID || len(shown) > 40 {
		return false
	}
	whole, ok := wholeNumber(number)
	if !ok {
		return shownDate(number, shown)
	}
	digits, plain := UngroupedShown(shown)
	if !plain {
		digits = shown
	}
	return digits == whole || shownExponent(whole, shown) || shownRounded(whole, digits)
}

// wholeNumber gives the digits that a spreadsheet reads in a text, without
// leading zeros: 00123 is 123, 12E3 is 12000.
func wholeNumber(text string) (string, bool) {
	mantissa, exponent, found := strings.Cut(strings.ToUpper(text), "E")
	if !isDigits(mantissa) || found && (!isDigits(exponent) || len(exponent) > 2) {
		return "", false
	}
	zeros := 0
	if found {
		zeros, _ = strconv.Atoi(exponent)
	}
	digits := strings.TrimLeft(mantissa+strings.Repeat("0", zeros), "0")
	return digits, digits != "" && len(digits) <= MaxOrderID
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// UngroupedShown gives the digits of a number that a spreadsheet shows with
// separators of thousands, or with decimals that are zeros: 536,365.00 is
// 536365. ok is false where there are neither.
func UngroupedShown(shown string) (digits string, ok bool) {
	digits = shown
	if at := strings.LastIndexAny(shown, ".,"); at > 0 {
		if rest := shown[at+1:]; len(rest) < 3 && strings.Trim(rest, "0") == "" {
			digits, ok = shown[:at], true
		}
	}
	if isDigits(digits) {
		return digits, ok
	}
	for _, sign := range []string{",", ".", "'", " ", "\u00a0", "\u202f", "’"} {
		if groups := strings.Split(digits, sign); len(groups) > 1 && inThrees(groups) {
			return strings.Join(groups, ""), true
		}
	}
	return "", false
}

func inThrees(groups []string) bool {
	for i, g := range groups {
		if !isDigits(g) || i > 0 && len(g) != 3 || i == 0 && len(g) > 3 {
			return false
		}
	}
	return true
}

// shownExponent: 1.9143E+18, with as many digits as the column had room for.
func shownExponent(whole, shown string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToUpper(shown), "E")
	power, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if !found || err != nil || power != len(whole)-1 {
		return false
	}
	digits := strings.NewReplacer(".", "", ",", "").Replace(mantissa)
	if !isDigits(digits) || len(digits) > len(whole) || strings.IndexAny(mantissa, ".,") > 1 {
		return false
	}
	return digits == roundedTo(whole, len(digits)) || len(digits) == sheetDigits && strings.HasPrefix(whole, digits)
}

// roundedTo gives the first n digits, half up; "" where rounding needs one
// more.
func roundedTo(whole string, n int) string {
	if n >= len(whole) {
		return whole
	}
	head, up := []byte(whole[:n]), whole[n] >= '5'
	for i := n - 1; up && i >= 0; i-- {
		if head[i]++; head[i] > '9' {
			head[i] = '0'
			continue
		}
		up = false
	}
	if up {
		return ""
	}
	return string(head)
}

// shownRounded: the digits behind the fifteenth are zeros, or what a float
// makes of them.
func shownRounded(whole, shown string) bool {
	if len(whole) <= sheetDigits || len(shown) != len(whole) || !isDigits(shown) || shown == whole {
		return false
	}
	zeros := strings.Repeat("0", len(whole)-sheetDigits)
	if shown == whole[:sheetDigits]+zeros || shown == roundedTo(whole, sheetDigits)+zeros {
		return true
	}
	f, err := strconv.ParseFloat(whole, 64)
	return err == nil && shown == strconv.FormatFloat(f, 'f', 0, 64)
}

// shownDate: 3-1 became a day.
func shownDate(number, shown string) bool {
	parts := strings.FieldsFunc(number, func(r rune) bool { return strings.ContainsRune("-/.", r) })
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	values := make([]int, len(parts))
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || len(p) > 4 {
			return false
		}
		values[i] = n
	}
	for _, d := range DatesShown(shown) {
		if d.from(values) {
			return true
		}
	}
	return false
}

// DateShown is a date as a spreadsheet shows it. Year is 0 where it shows none,
// Day where it shows only month and year.
type DateShown struct{ Year, Month, Day int }

// from reports whether a spreadsheet makes the date of these numbers.
func (d DateShown) from(n []int) bool {
	year := func(y int) bool { return d.Year == 0 || y == d.Year || y < 100 && y == d.Year%100 }
	if len(n) == 2 {
		day := d.Day != 0 && (n[0] == d.Day && n[1] == d.Month || n[0] == d.Month && n[1] == d.Day)
		month := (d.Day == 0 || d.Day == 1) && (n[0] == d.Month && year(n[1]) || n[1] == d.Month && year(n[0]))
		return day || month
	}
	return d.Day != 0 && (n[1] == d.Month && (n[0] == d.Day && year(n[2]) || n[2] == d.Day && year(n[0])) ||
		n[0] == d.Month && n[1] == d.Day && year(n[2]))
}

var dateForms = []string{time.DateOnly, time.DateTime, "2006-01-02T15:04:05Z07:00", "2/1/2006", "1/2/2006", "2-1-2006", "1-2-2006", "2.1.2006",
	"2/1/06", "1/2/06", "2-1-06"}

// DatesShown gives the dates that a text may show, none when it shows no date:
// 3-Jan, Jan-26, 2026-01-03, 3/1/2026 (two dates).
func DatesShown(text string) []DateShown {
	var found []DateShown
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1900 && t.Year() < 2100 {
			found = append(found, DateShown{t.Year(), int(t.Month()), t.Day()})
		}
	}
	first, second, ok := strings.Cut(text, "-")
	if !ok {
		first, second, ok = strings.Cut(text, " ")
	}
	if !ok {
		return found
	}
	if m := monthNamed(second); m > 0 && isDay(first) {
		day, _ := strconv.Atoi(first)
		found = append(found, DateShown{Month: m, Day: day})
	}
	if m := monthNamed(first); m > 0 && isDigits(second) {
		switch n, _ := strconv.Atoi(second); {
		case len(second) == 2:
			found = append(found, DateShown{Year: 2000 + n, Month: m}, DateShown{Month: m, Day: n})
		case len(second) == 4 && n >= 1900 && n < 2100:
			found = append(found, DateShown{Year: n, Month: m})
		}
	}
	return found
}

func isDay(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && len(s) <= 2 && n >= 1 && n <= 31
}

// monthNamed knows how spreadsheets abbreviate months in English, German,
// Dutch, French and Spanish. 0: it is no month.
func monthNamed(text string) int {
	text = strings.TrimSuffix(text, ".")
	for i, names := range monthNames {
		for name := range strings.FieldsSeq(names) {
			if strings.EqualFold(name, text) {
				return i + 1
			}
		}
	}
	return 0
}

var monthNames = [12]string{"jan janv ene", "feb febr févr", "mar mär mrz mrt mars", "apr avr abr", "may mai mei", "jun juin", "jul juil", "aug août ago",
	"sep sept", "oct okt", "nov", "dec dez déc dic"}

// String gives the date in ISO form, without what it does not show.
func (d DateShown) String() string {
	switch {
	case d.Year == 0:
		return fmt.Sprintf("--%02d-%02d", d.Month, d.Day)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}
