package reports

import (
	"cmp"
	"time"

	"makegood/reconcile"
)

// AboutRepeats is the question whether a platform counts an order that it is
// sent twice once.
const AboutRepeats = "merges_repeats"

// Answer is what a person said about a platform.
type Answer struct {
	Value string    `json:"value"` // yes or no
	Who   string    `json:"who"`
	Note  string    `json:"note"`
	At    time.Time `json:"at"`
}

// AnswerOf gives a person's word as an answer, masked.
func AnswerOf(w reconcile.Word) Answer {
	return Answer{Value: Mask(w.Value), Who: Mask(w.Who), Note: Mask(w.Note), At: seconds(w.At)}
}

// Words tell the answer about repeats, its time in a zone: "a person said on 21
// Nov 2026 14:00 that it counts a repeated order once: yes (night desk: ...)".
func (a Answer) Words(zone *time.Location) string {
	return "a person said on " + moment(a.At, zone) + " that it counts a repeated order once: " + cmp.Or(a.Value, "?") + " (" + a.Who + ": " + a.Note + ")"
}

// answered gives what a person said of a target of the report about repeats; ""
// where nobody did.
func (r Report) answered(target string) string {
	for _, t := range r.Targets {
		if t.Target == target && t.MergesRepeats != nil {
			return t.MergesRepeats.Words(r.location())
		}
	}
	return ""
}
