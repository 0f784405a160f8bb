package reconcile

import "time"

// expirySoon is how far ahead it is told what becomes too old: until after the
// next nightly run.
const expirySoon = 24 * time.Hour

// Expiring counts what can still be sent and soon cannot: what is left, what
// waits for a person, and what is in doubt, by when an order becomes too old
// for its destination. Carts are none of it: they expire by the hour.
type Expiring struct {
	Count
	First time.Time `json:"first,omitzero"` // when the first and the last of them expire
	Last  time.Time `json:"last,omitzero"`
}

// note counts an event that is not over, if it expires soon after now.
func (x *Expiring) note(e Want, maxAge time.Duration, now time.Time) error {
	ends := e.Facts.CompletedAt.Add(maxAge)
	if maxAge <= 0 || e.Kind == KindCart || !ends.After(now) || ends.After(now.Add(expirySoon)) {
		return nil
	}
	if x.First.IsZero() || ends.Before(x.First) {
		x.First = ends
	}
	if ends.After(x.Last) {
		x.Last = ends
	}
	return x.Add(countOf(e.ID.counted(e.Value), oneIf(e.ID.Position() <= 1)))
}

// merge adds what another source of the target has.
func (x *Expiring) merge(o Expiring) error {
	if x.First.IsZero() || !o.First.IsZero() && o.First.Before(x.First) {
		x.First = o.First
	}
	if o.Last.After(x.Last) {
		x.Last = o.Last
	}
	return x.Add(o.Count)
}

// unfinished reports whether an event at this place may still be sent, by a
// run or after a person has looked at it.
func (p Place) unfinished() bool {
	switch p.Bucket {
	case BucketLeft:
		return p.Reason != ReasonShadow
	case BucketInDoubt:
		return true
	case BucketHeldBack:
		return p.Reason.NeedsLook()
	}
	return false
}
