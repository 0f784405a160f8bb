package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// dateToken is what Go's layouts call a token, and the part of a date that it reads.
type dateToken struct{ layout, part string }

func (t dateToken) digits() bool { return t.layout != "" && t.layout != "PM" }

// dateTokens are the tokens of date_format. Go reads an hour of one digit with 15 as well.
var dateTokens = map[string]dateToken{
	"yyyy": {"2006", "year"}, "yy": {"06", "year"},
	"MM": {"01", "month"}, "M": {"1", "month"},
	"dd": {"02", "day"}, "d": {"2", "day"},
	"HH": {"15", "hour"}, "H": {"15", "hour"}, "hh": {"03", "hour"}, "h": {"3", "hour"},
	"mm": {"04", "minute"}, "m": {"4", "minute"},
	"ss": {"05", "second"}, "s": {"5", "second"},
	"a": {"PM", "half of the day"},
}

// Layout translates the tokens of date_format (yyyy yy MM M dd d HH H hh h mm m ss s a) into a layout for time.Parse.
// Other characters stand for themselves, of the letters only T. It refuses formats without year, month and day, and
// what a Go layout would read as something else.
func Layout(tokens string) (string, error) {
	const known = "known are yyyy yy MM M dd d HH H hh h mm m ss s a"
	var layout, sample strings.Builder
	at := time.Date(2017, 9, 8, 19, 6, 3, 0, time.UTC) // unlike every number that a layout gives a meaning to
	parts := map[string]string{}
	for rest := tokens; rest != ""; {
		run := firstRun(rest)
		rest = rest[len(run):]
		token, isToken := dateTokens[run]
		next := dateTokens[firstRun(rest)]
		switch {
		case isToken && len(run) == 1 && token.digits() && next.digits():
			return "", fmt.Errorf("not usable: after %s it needs a separator, or %s", run, run+run)
		case isToken && parts[token.part] != "":
			return "", fmt.Errorf("not usable: %s and %s both give the %s", parts[token.part], run, token.part)
		case isToken:
			parts[token.part] = run
			layout.WriteString(token.layout)
			sample.WriteString(at.Format(token.layout))
		case isLetterOrDigit(run[0]) && run != "T":
			return "", fmt.Errorf("not usable: %q is no part of a date; %s", run, known)
		default:
			layout.WriteString(run)
			sample.WriteString(run)
		}
	}
	for _, part := range []string{"year", "month", "day"} {
		if parts[part] == "" {
			return "", fmt.Errorf("not usable: it has no %s (MM is the month, mm the minute); %s", part, known)
		}
	}
	if half := strings.HasPrefix(parts["hour"], "h"); half != (parts["half of the day"] != "") {
		return "", errors.New("not usable: hh and a go together; hours from 0 to 23 are HH")
	}
	if at.Format(layout.String()) != sample.String() { // _ before d means a padded day, for one
		return "", errors.New("not usable: its separators have a meaning of their own; use others")
	}
	return layout.String(), nil
}

// firstRun is the first byte of s with its repetitions.
func firstRun(s string) string {
	n := 0
	for n < len(s) && s[n] == s[0] {
		n++
	}
	return s[:n]
}

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
