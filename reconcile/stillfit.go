package reconcile

import (
	"strings"
	"time"
)

// Known is what judging a step again needs: who must not be sent, and the
// stored carts as they are now.
type Known struct {
	Suppress *Suppression
	Carts    Carts
}

// StillFit judges a step again just before it is claimed, and gives the reason
// why it must not be sent any more, or "". It never changes the step.
func StillFit(e Event, now time.Time, known Known) (Reason, error) {
	if !e.Expiry.IsZero() && !now.Before(e.Expiry) {
		return ReasonTooOld, nil
	}
	hit, err := known.Suppress.Hits(e.Person, e.Customer, orderOf(e.ID))
	switch {
	case err != nil:
		return "", err
	case hit:
		return ReasonSuppressed, nil
	}
	return cartStillFits(e, now, known.Carts), nil
}

func cartStillFits(e Event, now time.Time, carts Carts) Reason {
	c := e.Cart
	switch {
	case !c.Before.IsZero() && !now.Before(c.Before):
		return ReasonTooOld
	case c.Carts == "":
		return ""
	case !carts.Read(c.Carts):
		return ReasonCartUnknown
	}
	stored := carts.Of(c.Carts, e.Person)
	switch {
	case stored.Digest() == c.Digest:
		return ""
	case len(stored.Lines) == 0:
		return ReasonNoCart
	case stored.LastActivity.After(c.CheckedOut.Add(-c.Margin)):
		return ReasonCartNewer
	}
	return ReasonCartOrderUnknown
}

func orderOf(id EventID) string {
	key, err := id.Key()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(key.Order)
}
