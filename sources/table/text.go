package table

import (
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean gives a text without surrounding space and in Unicode's composed form,
// so that one name written in two ways is one name.
func clean(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return norm.NFC.String(strings.TrimFunc(s, isBlank))
		}
	}
	if s == "" || s[0] > ' ' && s[len(s)-1] > ' ' {
		return s
	}
	return strings.TrimSpace(s)
}

// isBlank also knows the byte order mark, which joined files leave inside, and
// the marks without width that are copied along from screens.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r == '\uFEFF' || r >= '\u200b' && r <= '\u200f' || r == '\u2060'
}

// damaged reports whether an id looks like a number that a spreadsheet or a
// float has touched: 1.9143E+18 or 536365.0. 12E4 is an article number.
func damaged(id string) bool {
	if id == "" || id[len(id)-1] < '0' || id[len(id)-1] > '9' {
		return false
	}
	rest := strings.TrimLeft(strings.TrimPrefix(id, "-"), "0123456789")
	if rest == "" || len(rest) == len(id) {
		return false
	}
	point := rest[0] == '.' || rest[0] == ','
	if point {
		zeros := strings.Trim(rest[1:], "0") == ""
		rest = strings.TrimLeft(rest[1:], "0123456789")
		if rest == "" {
			return zeros && id[len(id)-len(rest)-1] == '0' && strings.Contains(id, ".")
		}
	}
	if rest[0] != 'E' && rest[0] != 'e' {
		return false
	}
	exponent := strings.TrimPrefix(rest[1:], "+")
	signed := len(exponent) < len(rest)-1
	exponent = strings.TrimPrefix(exponent, "-")
	return (point || signed) && exponent != "" && strings.Trim(exponent, "0123456789") == ""
}

// shape shows a value to a person: as it is when it is made of digits and
// signs, else with every letter as "a" and every digit as "9", because it
// could be a name or an address that slipped into a wrong column.
func shape(s string) string {
	const most = 40
	letters := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	hide := letters > 3 || strings.Contains(s, "@")
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteString("...")
			break
		}
		switch {
		case hide && unicode.IsLetter(r):
			r = 'a'
		case hide && unicode.IsDigit(r):
			r = '9'
		case !unicode.IsPrint(r):
			r = ' '
		}
		b.WriteRune(r)
	}
	if hide {
		return `"` + b.String() + `" (letters and digits hidden)`
	}
	return `"` + b.String() + `"`
}

// interner keeps one copy of texts that repeat, and takes what it keeps out of
// the record that it was read from.
type interner map[string]string

const maxInterned = 1 << 15

func (in interner) keep(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := in[s]; ok {
		return kept
	}
	kept := strings.Clone(s)
	if len(in) < maxInterned && len(s) <= 64 {
		in[kept] = kept
	}
	return kept
}

// hasher gives the hash by which orders are spread over partitions and found
// again within one process.
type hasher struct{ seed maphash.Seed }

func (h hasher) of(key string) uint64 { return maphash.String(h.seed, key) }
