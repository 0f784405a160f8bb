package simulator

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/govalues/decimal"
)

// NoCurrency is the key of amounts that came without a currency.
const NoCurrency = "none"

// parseDecimal reads a plain decimal number exactly. It refuses an exponent, and more digits than the decimal type
// holds, for that would round them in silence.
func parseDecimal(text string) (decimal.Decimal, bool) {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if !allDigits(whole) || point && !allDigits(fraction) || len(fraction) > decimal.MaxScale {
		return decimal.Decimal{}, false
	}
	if len(strings.TrimLeft(whole+fraction, "0")) > decimal.MaxPrec {
		return decimal.Decimal{}, false
	}
	d, err := decimal.Parse(text)
	return d.Trim(0), err == nil
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// jsonDecimal reads a JSON number; a number in quotes is none.
func jsonDecimal(value any) (decimal.Decimal, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return decimal.Decimal{}, false
	}
	return parseDecimal(number.String())
}

// product is price x quantity, or false when the decimal type would have to round it.
func product(price, quantity decimal.Decimal) (decimal.Decimal, bool) {
	d, err := price.Mul(quantity)
	return d.Trim(0), err == nil && d.Scale() == price.Scale()+quantity.Scale()
}

// sum is a + b, or false when the decimal type would have to round it.
func sum(a, b decimal.Decimal) (decimal.Decimal, bool) {
	d, err := a.Add(b)
	return d.Trim(0), err == nil && d.Scale() == max(a.Scale(), b.Scale())
}

// tally holds exact totals by currency, without a limit.
type tally map[string]*pot

type pot struct {
	units   big.Int // in 10^-19, the smallest step of the decimal type
	amounts int     // how many amounts are in it
}

var steps = powersOfTen()

func powersOfTen() [decimal.MaxScale + 1]*big.Int {
	var powers [decimal.MaxScale + 1]*big.Int
	powers[0] = big.NewInt(1)
	for i := 1; i < len(powers); i++ {
		powers[i] = new(big.Int).Mul(powers[i-1], big.NewInt(10))
	}
	return powers
}

func units(d decimal.Decimal) *big.Int {
	u := new(big.Int).SetUint64(d.Coef())
	u.Mul(u, steps[decimal.MaxScale-d.Scale()])
	if d.IsNeg() {
		u.Neg(u)
	}
	return u
}

func (t tally) add(currency string, d decimal.Decimal) {
	if currency == "" {
		currency = NoCurrency
	}
	p := t[currency]
	if p == nil {
		p = new(pot)
		t[currency] = p
	}
	p.units.Add(&p.units, units(d))
	p.amounts++
}

// remove takes out an amount that was added before; a currency without amounts is gone.
func (t tally) remove(currency string, d decimal.Decimal) {
	if currency == "" {
		currency = NoCurrency
	}
	p := t[currency]
	p.units.Sub(&p.units, units(d))
	if p.amounts--; p.amounts == 0 {
		delete(t, currency)
	}
}

// texts gives the totals as decimal text without exponent and without trailing zeros.
func (t tally) texts() map[string]string {
	money := make(map[string]string, len(t))
	for currency, p := range t {
		money[currency] = unitsText(&p.units)
	}
	return money
}

func unitsText(u *big.Int) string {
	digits := new(big.Int).Abs(u).String()
	if missing := decimal.MaxScale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	cut := len(digits) - decimal.MaxScale
	text := strings.TrimRight(digits[:cut]+"."+digits[cut:], "0")
	text = strings.TrimSuffix(text, ".")
	if u.Sign() < 0 {
		text = "-" + text
	}
	return text
}
