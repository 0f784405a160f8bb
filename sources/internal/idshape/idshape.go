// Package idshape learns what the ids of a column look like, and finds those
// that a spreadsheet has damaged: leading zeros cut, digits beyond the
// fifteenth lost, dates made of them, exponents. What a column of real ids
// could hold is never taken for damage.
package idshape

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"makegood/reconcile"
)

// Learner sees every id of a column, in bounded memory. The zero value is
// ready. An id that is seen several times may count several times.
type Learner struct {
	layouts map[string]int
	dates   map[string]int  // of these: ids that a spreadsheet may have made dates
	lengths map[int]*digits // of ids that are digits alone, by their number
	total   int
}

// digits is what is known of all-digit ids of one length.
type digits struct {
	all, zeroLed   int
	rounded, round int // nothing behind the fifteenth digit; nothing there and before
}

// maxLayouts bounds the layouts that are told apart: more of them are no shape.
const maxLayouts = 256

// kept is how many digits a spreadsheet keeps of a number.
const kept = 15

// Add counts an id.
func (l *Learner) Add(id string) {
	if id == "" {
		return
	}
	if l.layouts == nil {
		l.layouts, l.dates, l.lengths = map[string]int{}, map[string]int{}, map[int]*digits{}
	}
	l.total++
	layout := layoutOf(id)
	if _, known := l.layouts[layout]; known || len(l.layouts) < maxLayouts {
		l.layouts[layout]++
		if isDate(id, layout) {
			l.dates[layout]++
		}
	}
	if layout == "9" {
		l.count(id)
	}
}

func (l *Learner) count(id string) {
	d := l.lengths[len(id)]
	if d == nil {
		d = &digits{}
		l.lengths[len(id)] = d
	}
	d.all++
	if id[0] == '0' {
		d.zeroLed++
	}
	if isRounded(id) {
		d.rounded++
		if id[kept-1] == '0' && id[kept-2] == '0' {
			d.round++
		}
	}
}

// isRounded reports whether an id has more digits than a spreadsheet keeps, and
// zeros where it keeps none.
func isRounded(id string) bool {
	return len(id) > kept && strings.Trim(id[kept:], "0") == ""
}

// layoutOf writes runs of digits as 9, of letters as a, and keeps the rest.
// Dates that a spreadsheet names by month are letters like others.
func layoutOf(id string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range id {
		switch {
		case r >= '0' && r <= '9':
			r = '9'
		case unicode.IsLetter(r):
			r = 'a'
		}
		if r != last || r != '9' && r != 'a' {
			b.WriteRune(r)
		}
		if last = r; b.Len() > 64 {
			break
		}
	}
	return b.String()
}

// Shape is what a column's ids look like. The zero Shape knows nothing, and
// finds no damage.
type Shape struct {
	padded  int          // width to which numbers are padded with zeros; 0: none
	rounded map[int]bool // lengths whose digits behind the fifteenth are lost
	layouts map[string]int
	dates   map[string]int
	lengths map[int]int // of all-digit ids
	total   int
}

// Shape sums up what was seen. The learner may go on.
func (l *Learner) Shape() Shape {
	s := Shape{rounded: map[int]bool{}, layouts: maps.Clone(l.layouts), dates: maps.Clone(l.dates), lengths: map[int]int{}, total: l.total}
	for length, d := range l.lengths {
		s.lengths[length] = d.all
		s.rounded[length] = length > kept && d.lost(length)
	}
	s.padded = l.width()
	return s
}

// lost reports whether more ids of a length end in zeros than chance would
// have it. Ids with zeros before the sixteenth digit too are made so.
func (d *digits) lost(length int) bool {
	chance := 1.0
	for range min(length-kept, 30) {
		chance /= 10
	}
	expected := chance * float64(d.all)
	many := float64(d.rounded) > 5*expected+3 || d.rounded > 0 && expected < 0.01
	return many && 2*d.round <= d.rounded
}

// width is the number of digits to which numbers are padded: that of all ids
// with leading zeros, where there are enough of them to say so.
func (l *Learner) width() int {
	width, zeroLed, shorter := 0, 0, 0
	for _, length := range slices.Sorted(maps.Keys(l.lengths)) {
		d := l.lengths[length]
		if d.zeroLed == 0 {
			continue
		}
		if width > 0 {
			return 0 // two widths: nothing is padded to one
		}
		width, zeroLed = length, d.zeroLed
	}
	for length, d := range l.lengths {
		if length < width {
			shorter += d.all
		}
	}
	if zeroLed < 3 || shorter > zeroLed {
		return 0
	}
	return width
}

// Damage says in words how an id was damaged, "" when nothing says that it was.
// proposal is the one id that it can have been, "" when that is not known.
func (s Shape) Damage(id string) (what, proposal string) {
	switch {
	case s.padded > 0 && len(id) < s.padded && layoutOf(id) == "9":
		return fmt.Sprintf("has %d digits where the others have %d: leading zeros were cut", len(id), s.padded),
			strings.Repeat("0", s.padded-len(id)) + id
	case s.rounded[len(id)] && isRounded(id):
		return "has zeros behind its fifteenth digit: a spreadsheet keeps no more than 15", ""
	case s.foreignDate(id):
		return "is a date where the others are none: a spreadsheet made it of a number such as 3-1", ""
	case s.foreignGroups(id):
		return "has the separators and decimals of an amount: a spreadsheet wrote it as a number", s.ungrouped(id)
	}
	return "", ""
}

// ungrouped proposes the digits alone, where other ids have as many.
func (s Shape) ungrouped(id string) string {
	digits, _ := reconcile.UngroupedShown(id)
	if s.lengths[len(digits)] == 0 || len(digits) > kept || s.padded > len(digits) {
		return ""
	}
	return digits
}

func onlyDigits(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// isDate reports whether a spreadsheet can show a date in this way.
func isDate(id, layout string) bool {
	return layout != "9" && layout != "a" && len(id) < 30 && strings.Contains(layout, "9") && len(reconcile.DatesShown(id)) > 0
}

// foreignDate: a date among ids that are none. Ids that are written like dates
// but are none (12-400-2026, MAR-10042) show that the others are none either. A
// whole column of what may be dates may be one of ids, unless it names months
// as spreadsheets do: 3-Jan.
func (s Shape) foreignDate(id string) bool {
	layout := layoutOf(id)
	if !isDate(id, layout) || 2*s.dates[layout] <= s.layouts[layout] {
		return false
	}
	return 2*s.layouts[layout] <= s.total || layout == "9-a" && strings.ToUpper(id) != id
}

// foreignGroups: 536,365 among ids of digits alone, 536,365.00 anywhere.
func (s Shape) foreignGroups(id string) bool {
	layout := layoutOf(id)
	digits, grouped := reconcile.UngroupedShown(id)
	if !grouped || layout == "9.9" && s.layouts["9"] == 0 {
		return false
	}
	money := len(digits) < len(strings.Map(onlyDigits, id)) && strings.Count(layout, "9") > 2
	return money || s.layouts["9"] > 0 && 2*s.layouts[layout] <= s.total
}

// String says what most ids look like: "6 to 7 digits", "letters - digits",
// "mostly 6 digits", "" when there are none.
func (s Shape) String() string {
	if s.total == 0 {
		return ""
	}
	best := slices.MaxFunc(slices.Sorted(maps.Keys(s.layouts)), func(a, b string) int {
		return cmp.Compare(s.layouts[a], s.layouts[b])
	})
	text := words(best)
	if best == "9" {
		text = lengthWords(s.lengths)
	}
	if s.padded > 0 {
		text += ", with leading zeros"
	}
	if 10*s.layouts[best] < 9*s.total {
		text = "mostly " + text
	}
	return text
}

func words(layout string) string {
	var parts []string
	for _, r := range layout {
		switch r {
		case '9':
			parts = append(parts, "digits")
		case 'a':
			parts = append(parts, "letters")
		default:
			parts = append(parts, string(r))
		}
	}
	if len(parts) > 12 {
		return "letters, digits and signs"
	}
	return strings.Join(parts, " ")
}

func lengthWords(lengths map[int]int) string {
	all := slices.Sorted(maps.Keys(lengths))
	if len(all) == 0 {
		return "digits"
	}
	if first, last := all[0], all[len(all)-1]; first != last {
		return fmt.Sprintf("%d to %d digits", first, last)
	}
	return fmt.Sprintf("%d digits", all[0])
}
