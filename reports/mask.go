package reports

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// address is anything that could be one: too much is masked rather than too
// little. %40 is an @ that an id has escaped.
var address = regexp.MustCompile(`("[^"\n]*"|[^\s@"'<>(),;:=/|]+?)(@|%40)([\pL\pN][\pL\pN._-]*)`)

// Mask replaces the local part of everything that looks like an address:
// j***@example.com. Masking twice changes nothing.
func Mask(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return address.ReplaceAllStringFunc(text, func(found string) string {
		parts := address.FindStringSubmatch(found)
		return hidden(parts[1]) + parts[2] + parts[3]
	})
}

// hidden keeps the first character of a local part; of one in quotes, none.
func hidden(local string) string {
	if local == stars || local[0] == '"' {
		return stars
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + stars
}

const stars = "***"

func maskAll(texts []string) []string {
	var masked []string
	for _, text := range texts {
		masked = append(masked, Mask(text))
	}
	return masked
}
