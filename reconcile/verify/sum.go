package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"makegood/reconcile"
)

// Sum is events and money, in fractions.
type Sum struct {
	Events int
	money  map[string]*big.Rat
}

func ratOf(d reconcile.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		return new(big.Rat) // a decimal always has a text
	}
	return r
}

// plus adds one event.
func (s Sum) plus(v reconcile.Value) Sum {
	s.Events++
	if v.Amount == nil {
		return s
	}
	money := maps.Clone(s.money)
	if money == nil {
		money = map[string]*big.Rat{}
	}
	sum := ratOf(*v.Amount)
	if before := money[v.Currency]; before != nil {
		sum.Add(sum, before)
	}
	money[v.Currency] = sum
	s.money = money
	return s
}

// sumOf adds lines up.
func sumOf(lines []reconcile.Line) *big.Rat {
	sum := new(big.Rat)
	for _, l := range lines {
		switch {
		case l.LineTotal != nil:
			sum.Add(sum, ratOf(*l.LineTotal))
		case l.Price != nil:
			sum.Add(sum, new(big.Rat).Mul(ratOf(*l.Price), ratOf(l.Quantity)))
		}
	}
	return sum
}

// textOf is exact: amounts are decimals.
func textOf(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// is compares with a report's count; what is zero may be left out there.
func (s Sum) is(c count) bool {
	if s.Events != c.Events {
		return false
	}
	for _, currency := range slices.Concat(slices.Collect(maps.Keys(s.money)), slices.Collect(maps.Keys(c.Money))) {
		then, ok := new(big.Rat), true
		if text := c.Money[currency]; text != "" {
			then, ok = new(big.Rat).SetString(text)
		}
		now := s.money[currency]
		if now == nil {
			now = new(big.Rat)
		}
		if !ok || now.Cmp(then) != 0 {
			return false
		}
	}
	return true
}

// String gives "3 events, 12.5 EUR".
func (s Sum) String() string {
	text := make(map[string]string, len(s.money))
	for currency, sum := range s.money {
		text[currency] = textOf(sum)
	}
	return count{s.Events, text}.String()
}

// String gives the same for a report's count.
func (c count) String() string {
	parts := []string{fmt.Sprintf("%d events", c.Events)}
	for _, currency := range slices.Sorted(maps.Keys(c.Money)) {
		parts = append(parts, c.Money[currency]+" "+currency)
	}
	return strings.Join(parts, ", ")
}

// MarshalJSON writes events and money as reports do.
func (s Sum) MarshalJSON() ([]byte, error) {
	money := map[string]string{}
	for currency, sum := range s.money {
		money[currency] = textOf(sum)
	}
	return json.Marshal(map[string]any{"events": s.Events, "money": money})
}

// sameValue compares amounts; where one side has none there is nothing to
// compare.
func sameValue(now, then reconcile.Value) bool {
	if now.Amount == nil || then.Amount == nil {
		return true
	}
	return now.Currency == then.Currency && ratOf(*now.Amount).Cmp(ratOf(*then.Amount)) == 0
}

func valueText(v reconcile.Value) string {
	if v.Amount == nil {
		return "nothing"
	}
	return v.Amount.String() + " " + v.Currency
}
