package ledger

import (
	"time"

	"makegood/reconcile"
)

// attempt is one request about one event as it is stored: never what the
// platform answered in words.
type attempt struct {
	Target  string `json:"target"`
	Event   string `json:"event"`
	Run     string `json:"run"`
	Version int64  `json:"version"`
	At      int64  `json:"at"`
	Verdict string `json:"verdict"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Receipt string `json:"receipt"`
	Late    bool   `json:"late"`
	Lost    bool   `json:"lost"`
}

const storeAttempts = `INSERT INTO attempts (target, event, run, version, at, verdict, status, code, receipt, late, lost)
	SELECT value->>'target', value->>'event', value->>'run', value->>'version', value->>'at', value->>'verdict',
		value->>'status', value->>'code', value->>'receipt', value->>'late', value->>'lost'
	FROM jsonb_each(?)`

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
