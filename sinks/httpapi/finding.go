package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// Answer is what came back for one request. Status 0 means that no answer came.
type Answer struct {
	At     time.Time // when the attempt began, UTC
	Status int
	Header http.Header
	Body   []byte // at most MaxAnswer bytes
	Whole  bool   // Body is all that was sent
	lost   lost
}

// OK reports a status of 200 to 299. What the body says is the sink's to judge.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Finding is what an answer means for the events of its request. The zero value
// is in doubt. Why is a few words for people: never a piece of the answer, an
// address or a secret.
type Finding struct {
	Verdict   reconcile.Verdict
	Stop      bool      // the answer is about the target, not about the event
	NotBefore time.Time // when the target asked to be left alone until
	Why       string
	Code      string // the platform's error code, only a known one
}

// MaxRetryAfter bounds what a target can ask for.
const MaxRetryAfter = 24 * time.Hour

// Classify is the table of contract 12. It knows no platform: a sink asks it
// for everything that it does not know better itself. A 2xx is in doubt here,
// for only the sink can say what its body must hold.
func Classify(a Answer) Finding {
	if a.Status == 0 {
		return Finding{Verdict: a.lost.verdict, Why: a.lost.why}
	}
	f := byStatus(a.Status)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		if until, ok := retryAfter(a.Header.Get("Retry-After"), a.At); ok {
			f.Verdict, f.NotBefore = reconcile.Retryable, until
			f.Why = "asked to come back later"
		}
	}
	f.Why = strconv.Itoa(a.Status) + ": " + f.Why
	return f
}

func byStatus(status int) Finding {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return Finding{Verdict: reconcile.Retryable, Why: "not accepted this time"}
	case http.StatusTooManyRequests:
		return Finding{Verdict: reconcile.Retryable, Why: "too many requests"}
	case http.StatusUnauthorized, http.StatusForbidden:
		return Finding{Verdict: reconcile.Retryable, Stop: true, Why: "login refused"}
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusLengthRequired,
		http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return Finding{Verdict: reconcile.Retryable, Stop: true, Why: "this address does not take messages"}
	case http.StatusServiceUnavailable:
		return Finding{Why: "not available, and no word when it will be"}
	}
	switch status / 100 {
	case 2:
		return Finding{Why: "the answer could not be read"}
	case 3:
		return Finding{Stop: true, Why: "redirected elsewhere, which is never followed"}
	case 4:
		return Finding{Verdict: reconcile.Rejected, Why: "refused"}
	case 5:
		return Finding{Why: "the platform failed"}
	}
	return Finding{Why: "an answer that nobody knows"}
}

// retryAfter reads seconds or an HTTP date, bounded by MaxRetryAfter. Text that
// is neither is as good as none.
func retryAfter(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, false
	}
	limit := now.Add(MaxRetryAfter)
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return limit, true
		}
		return now.Add(time.Duration(seconds) * time.Second), true
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}, false
	}
	if until = until.UTC(); until.After(limit) {
		until = limit
	}
	return until, true
}

// KnownCode gives code back when it is in the list, else "": what a platform
// writes is kept only when it can be nothing else but a code.
func KnownCode(code string, known ...string) string {
	if slices.Contains(known, code) {
		return code
	}
	return ""
}

// Outcome says of one event what f says of the request that carried it.
func (f Finding) Outcome(id reconcile.EventID, a Answer) reconcile.Outcome {
	o := reconcile.Outcome{ID: id, Verdict: f.Verdict, Stop: f.Stop, Why: f.Why, NotBefore: f.NotBefore}
	if f.Verdict == reconcile.Unsent {
		o.Reason = reconcile.ReasonInterrupted
		return o
	}
	o.Attempts = []reconcile.Attempt{{At: a.At, Verdict: f.Verdict, Status: a.Status, Code: f.Code}}
	return o
}
