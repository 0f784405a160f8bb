package table

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"makegood/reconcile"
)

// numbers reads decimal numbers as people and tills write them.
type numbers struct {
	point  byte // '.' or ',': the decimal sign
	strict bool // nothing has shown the sign: what it would decide is refused
}

var (
	errNoNumber  = errors.New("is not a number")
	errExponent  = errors.New("has an exponent: a spreadsheet or a float has touched it; export the column as plain numbers")
	errOtherSign = errors.New("is not a number with this decimal sign; set decimal to the sign before the cents")
	errVague     = errors.New("may have thousands or thousandths, and the numbers before it do not say; set decimal to the sign before the cents")
	errGrouping  = errors.New("has separators that do not stand in groups of three; set decimal to the sign before the cents")
)

// groupSigns stand between thousands; '.' and ',' only where they are not the
// decimal sign.
const groupSigns = ".,'`\u00b4\u2019 \u00a0\u202f\u2009\u2007"

// minusSigns are the characters that programs write for a minus.
const minusSigns = "-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"

// parse reads a number: digits with the decimal sign, thousands separators in
// groups of three, a currency sign or code before or behind it, a minus before
// or behind it or brackets for negative ones, "12,-" for a round amount.
// Nothing is rounded.
func (n numbers) parse(text string) (reconcile.Decimal, error) {
	if n.strict {
		if _, vague := signOf(text); vague {
			return reconcile.Decimal{}, errVague
		}
	}
	if n.point == '.' && isPlain(text) {
		return known(reconcile.ParseDecimal(text))
	}
	body, negative, ok := bare(text)
	if !ok {
		return reconcile.Decimal{}, whyNot(text)
	}
	whole, fraction, hasPoint := strings.Cut(body, string(n.point))
	digits, err := n.ungroup(whole)
	if err != nil {
		return reconcile.Decimal{}, whyNot(text, err)
	}
	if hasPoint {
		digits += "." + fraction
	}
	if negative {
		digits = "-" + digits
	}
	d, err := known(reconcile.ParseDecimal(digits))
	if errors.Is(err, errNoNumber) {
		return d, whyNot(text, n.otherSign(text))
	}
	return d, err
}

// otherSign tells a number whose last sign is not the decimal sign, such as
// 1.234,56 where the point is set.
func (n numbers) otherSign(text string) error {
	other := byte(',')
	if n.point == ',' {
		other = '.'
	}
	if strings.LastIndexByte(text, other) > strings.IndexByte(text, n.point) {
		return errOtherSign
	}
	return nil
}

// format writes d as the source would, so that what one expression gives can
// be read by the next.
func (n numbers) format(d reconcile.Decimal) string {
	s := d.String()
	if n.point == ',' {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

func known(d reconcile.Decimal, err error) (reconcile.Decimal, error) {
	if errors.Is(err, reconcile.ErrNotDecimal) {
		return d, errNoNumber
	}
	return d, err
}

// isPlain tells what ParseDecimal may judge alone.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && (c != '-' || i > 0) {
			return false
		}
	}
	return s != ""
}

// bare strips brackets, sign and currency, each at most once and in any order.
func bare(s string) (body string, negative, ok bool) {
	var bracket, sign, money bool
	for s != "" {
		s = strings.TrimFunc(s, isBlank)
		unsigned, minus := cutSign(s)
		switch rest, found := cutMoney(s); {
		case s == "":
			return "", false, false
		case s[0] == '(' && strings.HasSuffix(s, ")") && !bracket && !sign:
			bracket, negative, s = true, true, s[1:len(s)-1]
		case found && !money:
			money, s = true, rest
		case unsigned != s && !sign && !bracket:
			sign, negative, s = true, minus, unsigned
		case !found && (s[0] >= '0' && s[0] <= '9' || s[0] == '.' || s[0] == ','):
			return s, negative, true
		default:
			return "", false, false
		}
	}
	return "", false, false
}

// cutSign takes a sign off either end. A dash behind the decimal sign is none:
// "12,-" is twelve and no cents; the decimal sign stays, for it tells which one
// it is.
func cutSign(s string) (rest string, minus bool) {
	first, size := utf8.DecodeRuneInString(s)
	if first == '+' || strings.ContainsRune(minusSigns, first) {
		return s[size:], first != '+'
	}
	rest = strings.TrimRight(s, minusSigns+"\u2014")
	dashes := utf8.RuneCountInString(s[len(rest):])
	switch before, _ := utf8.DecodeLastRuneInString(rest); {
	case dashes > 0 && dashes < 3 && (before == '.' || before == ','):
		return rest, false
	case dashes == 1 && !strings.HasSuffix(s, "\u2014"):
		return rest, true
	}
	return s, false
}

// moneyWords are currency signs of letters.
var moneyWords = [...]string{"US$", "CA$", "AU$", "NZ$", "HK$", "R$", "A$", "C$", "S$", "kr.", "kr", "K\u010d", "z\u0142", "Ft", "Fr.", "lei"}

// cutMoney takes one currency sign or ISO 4217 code off either end.
func cutMoney(s string) (string, bool) {
	for _, word := range moneyWords {
		if rest, ok := strings.CutPrefix(s, word); ok {
			return rest, true
		}
		if rest, ok := strings.CutSuffix(s, word); ok {
			return rest, true
		}
	}
	first, size := utf8.DecodeRuneInString(s)
	if unicode.Is(unicode.Sc, first) {
		return s[size:], true
	}
	last, size := utf8.DecodeLastRuneInString(s)
	if unicode.Is(unicode.Sc, last) {
		return s[:len(s)-size], true
	}
	if len(s) > 3 && isCode(s[:3]) {
		return s[3:], true
	}
	if len(s) > 3 && isCode(s[len(s)-3:]) {
		return s[:len(s)-3], true
	}
	return s, false
}

// isCode tells three capital letters.
func isCode(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// ungroup takes the thousands separators out of the part before the point:
// one kind of sign, groups of three.
func (n numbers) ungroup(s string) (string, error) {
	at := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if at < 0 {
		return s, nil
	}
	sign, size := utf8.DecodeRuneInString(s[at:])
	if sign == rune(n.point) || !strings.ContainsRune(groupSigns, sign) {
		return "", errNoNumber
	}
	groups := strings.Split(s, s[at:at+size])
	if len(groups[0]) < 1 || len(groups[0]) > 3 || groups[0][0] == '0' {
		return "", errGrouping
	}
	for _, g := range groups[1:] {
		if len(g) != 3 || strings.Trim(g, "0123456789") != "" {
			return "", errGrouping
		}
	}
	return strings.Join(groups, ""), nil
}

// whyNot finds the best word for what cannot be read.
func whyNot(text string, errs ...error) error {
	lower := strings.ToLower(text)
	if i := strings.LastIndexByte(lower, 'e'); i > 0 && lower[i-1] >= '0' && lower[i-1] <= '9' &&
		strings.Trim(lower[:i]+lower[i+1:], "0123456789.,+-") == "" {
		return errExponent
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return errNoNumber
}
