package reconcile

import (
	"context"
	"errors"
	"time"
)

// WordKind is what a person's word is about.
type WordKind string

// The kinds of words.
const (
	WordPause  WordKind = "pause"  // nothing is claimed for the target; "" is all
	WordAccept WordKind = "accept" // About, an event or an order, is known to be in the place that Value names
	WordDecide WordKind = "decide" // Value answers the question About
)

// Word is what a person said and what outlives a run. A newer one with the same
// kind, target and About takes its place.
type Word struct {
	Kind   WordKind
	Target string
	About  string
	Value  string
	Until  time.Time // from then on it holds no longer; zero: it holds
	Who    string
	Note   string
	At     time.Time // set when it is kept
}

// Holds reports whether the word holds at a time.
func (w Word) Holds(at time.Time) bool { return w.Until.IsZero() || at.Before(w.Until) }

// ErrPaused says that a person keeps makegood from sending to the target.
var ErrPaused = errors.New("the destination is paused")

// Speaker keeps words. Ledgers are speakers.
type Speaker interface {
	// Say keeps words, all of them or none.
	Say(ctx context.Context, words []Word) error
	// Words lists the words of a kind, those that no longer hold too, by target
	// and About.
	Words(ctx context.Context, kind WordKind) ([]Word, error)
}

// AcceptedPlace is the Value of a WordAccept.
func AcceptedPlace(p Place) string { return string(p.Bucket) + "/" + string(p.Reason) }
