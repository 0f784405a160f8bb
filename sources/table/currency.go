package table

import (
	"slices"
	"strings"
	"unicode"
)

// moneyMarks are the currencies that a sign can stand for.
var moneyMarks = map[string][]string{
	"€": {"EUR"}, "£": {"GBP", "EGP", "GIP", "FKP", "SHP", "LBP", "SYP", "SDG"}, "¥": {"JPY", "CNY"}, "₹": {"INR"}, "₺": {"TRY"},
	"₽": {"RUB"}, "₩": {"KRW"}, "₪": {"ILS"}, "฿": {"THB"}, "₫": {"VND"}, "₴": {"UAH"}, "₱": {"PHP"},
	"US$": {"USD"}, "CA$": {"CAD"}, "C$": {"CAD", "NIO"}, "AU$": {"AUD"}, "A$": {"AUD"}, "NZ$": {"NZD"}, "HK$": {"HKD"}, "R$": {"BRL"},
	"S$": {"SGD"}, "kr": {"SEK", "NOK", "DKK", "ISK"}, "Kč": {"CZK"}, "zł": {"PLN"}, "Ft": {"HUF"},
	"Fr": {"CHF"}, "lei": {"RON", "MDL"},
	"$": {"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "BRL", "JMD", "BBD", "BSD", "BZD", "BMD",
		"KYD", "XCD", "TTD", "FJD", "GYD", "LRD", "NAD", "SRD", "SBD", "BND", "DOP"},
}

// moneyMark is the currency sign, word or code that an amount carries.
func moneyMark(text string) string {
	if isPlain(text) {
		return ""
	}
	mark := strings.TrimFunc(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.Is(unicode.Sc, r), r == '.':
			return r
		}
		return ' '
	}, text), func(r rune) bool { return r == ' ' || r == '.' })
	if _, known := moneyMarks[mark]; known || isCode(mark) {
		return mark
	}
	return ""
}

// otherMoney reports whether an amount says that it is of another currency
// than its order.
func otherMoney(text, currency string) bool {
	mark := moneyMark(text)
	if mark == "" || currency == "" {
		return false
	}
	if isCode(mark) {
		return mark != currency
	}
	return !slices.Contains(moneyMarks[mark], currency)
}
