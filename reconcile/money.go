package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/govalues/decimal"
)

// Decimal is an exact decimal number of at most 19 digits. No amount in
// makegood ever passes through a float.
type Decimal = decimal.Decimal

// Errors of exact arithmetic. A caller reports the row and holds the order.
var (
	// ErrNotDecimal is returned for text that is no plain decimal number.
	// An exponent is not plain: it says that a spreadsheet or a float has
	// touched the value.
	ErrNotDecimal = errors.New("is not a plain decimal number")
	// ErrTooManyDigits is returned when a value or a result needs more than
	// 19 digits. Nothing is rounded in silence.
	ErrTooManyDigits = errors.New("has more digits than can be kept exactly (19)")
)

// ParseDecimal reads plain decimal text: an optional sign, digits, at most one
// decimal point. It refuses exponents and anything that needs more than 19
// significant digits.
func ParseDecimal(s string) (Decimal, error) {
	if d, ok := parseShort(s); ok {
		return d, nil
	}
	return parseLong(s)
}

// parseShort reads what fits into a machine word, which is what amounts and
// quantities do; everything else, and every fault, is parseLong's.
func parseShort(s string) (Decimal, bool) {
	const most = 18 // digits of an int64
	digits, scale, point := int64(0), 0, false
	body := strings.TrimPrefix(s, "-")
	if body == "" || len(body) > most {
		return Decimal{}, false
	}
	for i := range len(body) {
		switch c := body[i]; {
		case c >= '0' && c <= '9':
			digits = digits*10 + int64(c-'0')
			if point {
				scale++
			}
		case c == '.' && !point && len(body) > 1:
			point = true
		default:
			return Decimal{}, false
		}
	}
	for ; scale > 0 && digits%10 == 0; scale-- {
		digits /= 10
	}
	if digits == 0 {
		return Decimal{}, true
	}
	if len(body) < len(s) {
		digits = -digits
	}
	d, err := decimal.New(digits, scale)
	return d, err == nil
}

func parseLong(s string) (Decimal, error) {
	digits, point, significant := 0, -1, 0
	body := strings.TrimLeft(s, "+-")
	if len(s)-len(body) > 1 {
		return Decimal{}, ErrNotDecimal
	}
	for i, c := range []byte(body) {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if significant > 0 || c != '0' || point >= 0 {
				significant++
			}
		case c == '.' && point < 0:
			point = i
		default:
			return Decimal{}, ErrNotDecimal
		}
	}
	if digits == 0 {
		return Decimal{}, ErrNotDecimal
	}
	if point >= 0 { // zeros at the end are no digits to keep
		short := strings.TrimRight(s, "0")
		significant -= len(s) - len(short)
		s = strings.TrimSuffix(short, ".")
	}
	if significant == 0 {
		return Decimal{}, nil
	}
	if significant > decimal.MaxPrec {
		return Decimal{}, ErrTooManyDigits
	}
	d, err := decimal.Parse(s)
	if err != nil {
		return Decimal{}, ErrNotDecimal
	}
	return canonical(d), nil
}

// Add gives a + b exactly, or ErrTooManyDigits.
func Add(a, b Decimal) (Decimal, error) {
	sum, err := a.AddExact(b, max(a.Scale(), b.Scale()))
	if err != nil {
		return Decimal{}, ErrTooManyDigits
	}
	return canonical(sum), nil
}

// Mul gives a x b exactly, or ErrTooManyDigits.
func Mul(a, b Decimal) (Decimal, error) {
	scale := a.Scale() + b.Scale()
	if scale > decimal.MaxScale {
		return Decimal{}, ErrTooManyDigits
	}
	product, err := a.MulExact(b, scale)
	if err != nil {
		return Decimal{}, ErrTooManyDigits
	}
	return canonical(product), nil
}

// canonical drops trailing zeros and the sign of zero, so that equal amounts
// have equal text everywhere: digests, bodies, plans, reports.
func canonical(d Decimal) Decimal {
	if d.IsZero() {
		return Decimal{}
	}
	if d.Scale() == 0 {
		return d
	}
	return d.Trim(0)
}

// MinorDigits is how many digits after the decimal point a currency's coins
// have, by ISO 4217. A code that it does not know has two.
func MinorDigits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
		"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// Money is a set of exact amounts by currency (ISO 4217). The zero value is
// no money. A currency whose sum is zero stays in it: "GBP": "0" says that
// events of that currency were counted.
type Money map[string]Decimal

// Plus adds an amount of a currency in place and returns the set, which is
// made when it was nil.
func (m Money) Plus(currency string, amount Decimal) (Money, error) {
	if m == nil {
		m = Money{}
	}
	sum, err := Add(m[currency], amount)
	if err != nil {
		return m, fmt.Errorf("add %s %s: %w", currency, amount, err)
	}
	m[currency] = sum
	return m, nil
}

// Currencies lists the currencies in alphabetical order.
func (m Money) Currencies() []string { return slices.Sorted(maps.Keys(m)) }

// String gives "8785927.524 GBP", several joined by " + ", and "" for none.
func (m Money) String() string {
	var parts []string
	for _, c := range m.Currencies() {
		parts = append(parts, m[c].String()+" "+c)
	}
	return strings.Join(parts, " + ")
}
