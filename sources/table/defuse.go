package table

import (
	"strings"
	"unicode/utf8"
)

// Defuse makes a text harmless for spreadsheets, which execute what begins
// with = + - @, these signs in full width, or a control character: an
// apostrophe goes before it. Numbers stay. [Restore] is its inverse, for every text.
func Defuse(text string) string {
	if executable(text) {
		return "'" + text
	}
	return text
}

// Restore takes away the apostrophe that Defuse put before a text.
func Restore(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && executable(rest) {
		return rest
	}
	return text
}

// executable reports whether a text, behind apostrophes, may be taken for a
// formula.
func executable(text string) bool {
	text = strings.TrimLeft(text, "'")
	first, _ := utf8.DecodeRuneInString(text)
	return text != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) && !signedNumber(text)
}

// signedNumber reports a sign before digits, with at most one sign between
// them: -12.50, +3,7.
func signedNumber(text string) bool {
	digits, points := 0, 0
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case (c == '.' || c == ',') && digits > 0 && points == 0:
			points++
		default:
			return false
		}
	}
	return digits > 0 && (text[0] == '-' || text[0] == '+')
}
