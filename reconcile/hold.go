package reconcile

import (
	"errors"
	"fmt"
	"strings"
)

// Held is the error by which Compose holds one want back.
type Held struct {
	ID     EventID
	Reason Reason
	Text   string // for people, without personal data; may be ""
}

// Error gives the reason and the text.
func (h *Held) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("hold %s back: %s: %s", h.ID, h.Reason, h.Text), ": ")
}

// HeldIn lists the holds inside an error of Compose. ok is false when the
// error holds anything else: then every want of the call is held back as
// cannot_compose.
func HeldIn(err error) (holds []*Held, ok bool) {
	if err == nil {
		return nil, true
	}
	if many, is := err.(interface{ Unwrap() []error }); is {
		ok = true
		for _, e := range many.Unwrap() {
			h, one := HeldIn(e)
			holds, ok = append(holds, h...), ok && one
		}
		return holds, ok
	}
	var held *Held
	if errors.As(err, &held) {
		return []*Held{held}, true
	}
	return nil, false
}

// ComposeEach composes wants one by one. A want with a hold of its own never
// gets there; a *Held that compose returns is of the want that it was given.
func ComposeEach(wants []Want, compose func(Want) (Event, *Held)) ([]Event, error) {
	var events []Event
	var held []error
	for _, w := range wants {
		e, hold := Event{}, &Held{Reason: w.Hold}
		if w.Hold == "" {
			e, hold = compose(w)
		}
		if hold != nil {
			hold.ID = w.ID
			held = append(held, hold)
			continue
		}
		events = append(events, e)
	}
	return events, errors.Join(held...)
}
