package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"makegood/reconcile"
)

// Separators of thousands, by where the number is read.
const (
	comma = ","
	thin  = "\u202f" // narrow, and never at the end of a line
)

// canonical gives the text that equal amounts share: no exponent, no trailing
// zeros, no sign of zero.
func canonical(d reconcile.Decimal) string {
	if d.IsZero() {
		return "0"
	}
	return d.Trim(0).String()
}

// grouped sets thousands apart in plain decimal text: 8785927.524 becomes
// 8,785,927.524.
func grouped(text, separator string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, cut := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(digit)
	}
	if cut {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// number gives a count as people read it on a terminal.
func number(n int) string { return grouped(fmt.Sprint(n), comma) }

// plural gives "1 order" and "1,200 orders".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// currencies lists the currencies of money in alphabetical order.
func currencies(money map[string]string) []string { return slices.Sorted(maps.Keys(money)) }

// moneyText gives "8,785,927.524 GBP", several joined by " + ", "" for none.
func moneyText(money map[string]string) string {
	var parts []string
	for _, currency := range currencies(money) {
		parts = append(parts, amountText(money[currency], currency))
	}
	return strings.Join(parts, " + ")
}

// Money gives amounts as people read them on a terminal: "1,200.50 EUR".
func Money(m reconcile.Money) string {
	texts := map[string]string{}
	for currency, amount := range m {
		texts[currency] = canonical(amount)
	}
	return moneyText(texts)
}

func amountText(amount, currency string) string {
	if amount == "" {
		return ""
	}
	return strings.TrimSpace(grouped(coins(amount, currency), comma) + " " + currency)
}

// coins fills the fraction up to the digits that the currency's coins have;
// it never takes a digit away.
func coins(amount, currency string) string {
	_, fraction, _ := strings.Cut(amount, ".")
	missing := reconcile.MinorDigits(currency) - len(fraction)
	if missing <= 0 || amount == "" {
		return amount
	}
	if fraction == "" {
		amount += "."
	}
	return amount + strings.Repeat("0", missing)
}

// sum adds counts. Text that is no amount, which only a report from elsewhere
// can hold, counts nothing.
func sum(counts ...Count) Count {
	var total reconcile.Count
	for _, c := range counts {
		part := reconcile.Count{Orders: c.Orders, Events: c.Events}
		for currency, text := range c.Money {
			if amount, err := reconcile.ParseDecimal(text); err == nil {
				part.Money, _ = part.Money.Plus(currency, amount)
			}
		}
		_ = total.Add(part) // the parts fit into one balance before
	}
	return count(total)
}
