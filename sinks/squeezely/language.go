package squeezely

import "strings"

// languageOf writes a language as the platform wants it: nl-NL, ISO 639-1,
// hyphen, ISO 3166-1 alpha-2 [P]; nl_NL is a known fault of clients [C]. An
// empty text is the fallback, which may be empty too. A bare "nl" takes the
// country of a fallback in the same language. Anything else is not ok: a
// product shown in the wrong language is worse than an event held back.
func languageOf(text, fallback string) (tag string, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return fallback, true
	}
	language, country, _ := strings.Cut(strings.ReplaceAll(text, "_", "-"), "-")
	language, country = strings.ToLower(language), strings.ToUpper(country)
	tag = language + "-" + country
	if country == "" && strings.HasPrefix(fallback, tag) {
		tag = fallback
	}
	return tag, isTag(tag)
}

func isTag(tag string) bool {
	return len(tag) == 5 && tag[2] == '-' &&
		isLetters(tag[:2], 'a') && isLetters(tag[3:], 'A')
}

func isLetters(text string, first byte) bool {
	for i := range len(text) {
		if text[i] < first || text[i] > first+25 {
			return false
		}
	}
	return true
}
