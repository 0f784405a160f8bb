package xlsxfile

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// exactDigits is how many digits a spreadsheet keeps of a number; what a
// float64 has beyond them is noise. None has more than maxDigits.
const (
	exactDigits = 15
	maxDigits   = 767
)

// plain gives the number that a person sees in a cell whose text is a stored
// float64: 2.5499999999999998 is 2.55, 1E-3 is 0.001 (CONTRACTS 7). The
// library's streaming reader does not tell number cells from text cells, so
// the form of the text decides. Changed are only
//
//   - numerals with a decimal point and more than 15 significant digits that
//     are the correctly rounded text of a float64;
//   - numerals with one digit before the point and a negative exponent, the
//     form in which small numbers are stored.
//
// Integers stay, and so does a positive exponent: it says that an id was made
// a float.
func plain(cell string) string {
	n, ok := scan(cell)
	noisy := ok && n.point && n.exponent == 0 && n.significant > exactDigits && n.significant <= maxDigits
	small := ok && n.exponent == '-' && n.whole == 1 && cell[len(cell)-len(strings.TrimPrefix(cell, "-"))] != '0'
	if !noisy && !small {
		return cell
	}
	f, err := strconv.ParseFloat(cell, 64)
	if err != nil || noisy && !n.isText(f) {
		return cell
	}
	return rounded(f)
}

// numeral is the form of a number's text.
type numeral struct {
	mantissa    string
	whole       int  // digits before the point
	point       bool // there is one, with digits behind it
	significant int  // digits from the first that is not 0
	exponent    byte // its sign, '+' where it has none, or 0 without exponent
}

// scan takes a numeral apart: sign, digits, point, digits, exponent.
func scan(s string) (n numeral, ok bool) {
	start := 0
	if s != "" && s[0] == '-' {
		start = 1
	}
	i := n.digits(s, start)
	if n.whole = i - start; n.whole == 0 {
		return n, false
	}
	if i < len(s) && s[i] == '.' {
		after := n.digits(s, i+1)
		if n.point = after > i+1; !n.point {
			return n, false
		}
		i = after
	}
	n.mantissa = s[:i]
	if i == len(s) {
		return n, true
	}
	if s[i] != 'E' && s[i] != 'e' {
		return n, false
	}
	n.exponent = '+'
	if i++; i < len(s) && (s[i] == '-' || s[i] == '+') {
		n.exponent = s[i]
		i++
	}
	end := new(numeral).digits(s, i)
	return n, end > i && end == len(s)
}

// digits counts the significant ones from i on, and gives where they end.
func (n *numeral) digits(s string, i int) int {
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if s[i] != '0' || n.significant > 0 {
			n.significant++
		}
	}
	return i
}

// isText reports whether the mantissa has the digits that f has when it is
// written with as many.
func (n numeral) isText(f float64) bool {
	var room [64]byte
	written := strconv.AppendFloat(room[:0], math.Abs(f), 'e', n.significant-1, 64)
	at := len(n.mantissa) // compared from the last digit on
	for i := bytes.IndexByte(written, 'e') - 1; i >= 0; i-- {
		if written[i] == '.' {
			continue
		}
		if at--; n.mantissa[at] == '.' {
			at--
		}
		if n.mantissa[at] != written[i] {
			return false
		}
	}
	return true
}

// rounded writes f with 15 significant digits, without exponent and without
// trailing zeros.
func rounded(f float64) string {
	near, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', exactDigits-1, 64), 64)
	return strconv.FormatFloat(near, 'f', -1, 64)
}
