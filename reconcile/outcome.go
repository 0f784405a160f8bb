package reconcile

import (
	"fmt"
	"time"
)

// Verdict is what is known about one attempt to send one event.
type Verdict int

// The verdicts. The zero value is the safe one: what nobody classified is in
// doubt.
const (
	InDoubt   Verdict = iota // it may have been accepted
	Sent                     // accepted, and the answer says so
	Retryable                // surely not accepted; a later attempt may be
	Rejected                 // refused for what it is
	Unsent                   // no attempt was made: the claim is given back
)

var verdictNames = [...]string{"in_doubt", "sent", "retryable", "rejected", "unsent"}

// String gives the name that ledger and plans use.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) && v >= 0 {
		return verdictNames[v]
	}
	return verdictNames[InDoubt]
}

// MarshalText gives the form of String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the form of String.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("read verdict %q", text)
}

// Attempt is one request about one event, as far as it may be kept: no answer
// text, no personal data.
type Attempt struct {
	At      time.Time `json:"at"`
	Verdict Verdict   `json:"verdict"`
	Status  int       `json:"status,omitempty"` // HTTP status; 0: no answer
	Code    string    `json:"code,omitempty"`   // the platform's error code, only if it is a known one
}

// Outcome is what came back for one event. It carries every attempt that was
// made, the retries included.
type Outcome struct {
	ID      EventID
	Version int64 // of the claim that the attempt was made under; set by the lane
	Verdict Verdict
	// Stop says that the answer is about the target, not about the event: the
	// address or the login is wrong, and going on would only repeat it.
	Stop bool
	// Why tells a person in a few words what came back, without personal data
	// and without secrets: "401: login refused".
	Why       string
	Reason    Reason    // of an Unsent outcome: why no attempt was made
	NotBefore time.Time // of a Retryable one: when the target asked to be left alone until
	Receipt   string
	Attempts  []Attempt
}
