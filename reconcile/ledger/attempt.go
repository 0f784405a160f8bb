package ledger

import (
	"time"

	"makegood/reconcile"
)

// attempt is one request about one event as it is stored: never what the
// platform answered in words.
type attempt struct {
	Attempt int64  `db:"attempt" journal:"key" json:"attempt"`
	Target  string `db:"target" json:"target"`
	Event   string `db:"event" json:"event"`
	Run     string `db:"run" json:"run"`
	Version int64  `db:"version" json:"version"`
	At      int64  `db:"at" json:"at"`
	Verdict string `db:"verdict" json:"verdict"`
	Status  int    `db:"status" json:"status"`
	Code    string `db:"code" json:"code"`
	Receipt string `db:"receipt" journal:"sealed" json:"receipt"`
	Late    bool   `db:"late" json:"late"`
	Lost    bool   `db:"lost" json:"lost"`
}

// attemptsOf lists the requests behind an outcome: those that it carries, else
// the one that its verdict speaks of.
func attemptsOf(o reconcile.Outcome, now time.Time) []reconcile.Attempt {
	var made []reconcile.Attempt
	for _, a := range o.Attempts {
		if a.Verdict != reconcile.Unsent {
			made = append(made, a)
		}
	}
	if len(made) == 0 && o.Verdict != reconcile.Unsent {
		made = append(made, reconcile.Attempt{At: now, Verdict: o.Verdict})
	}
	return made
}

// onWire counts the requests that reached the platform, or may have: a
// retryable one without an answer never left.
func onWire(made []reconcile.Attempt) (n int) {
	for _, a := range made {
		if a.Verdict != reconcile.Retryable || a.Status != 0 {
			n++
		}
	}
	return n
}

// maxCode is the longest error code that is kept.
const maxCode = 64

// codeOnly keeps an error code and drops anything that looks like a sentence.
func codeOnly(code string) string {
	if len(code) > maxCode {
		return ""
	}
	for _, c := range []byte(code) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return ""
		}
	}
	return code
}
