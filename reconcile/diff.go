package reconcile

import "time"

// Step is what a plan says of one event: where it ends if nothing is sent, or
// that it is to be sent.
type Step struct {
	Want  Want
	Entry Entry // as the ledger has it; Version is what a claim rests on
	Place Place // of a step that sends: left, planned
	Send  bool
	shown string // of a correction: the number under which the platform knows the order
	// receipt is what evidence knows of a step that it ends.
	receipt string
}

// Diff compares wants with what the ledger has of them and gives one step per
// want, in the same order. Pure. An entry that is missing from have is absent.
//
// A done event is never sent again, nor is one that a live run has claimed, a
// refused one whose order is unchanged, or a doubtful one of a kind that the
// target does not merge. What the rules hold back is held back, unless its
// end is known already.
func Diff(want []Want, have map[EventID]Entry, traits map[Kind]KindTraits, now time.Time) []Step {
	steps := make([]Step, len(want))
	for i, w := range want {
		e := have[w.ID]
		place, send := decide(w, e, traits[w.Kind], now)
		steps[i] = Step{Want: w, Entry: e, Place: place, Send: send}
	}
	return steps
}

// longestWait is how long a target is left alone at most: a time further off
// was written down by a clock that was wrong.
const longestWait = 7 * 24 * time.Hour

func decide(w Want, e Entry, t KindTraits, now time.Time) (Place, bool) {
	if w.Hold == ReasonIDReused || w.Hold == ReasonIDCollision {
		return Place{BucketHeldBack, w.Hold}, false
	}
	switch e.State {
	case StateDone:
		return Place{BucketAlreadySent, Reason(e.By)}, false
	case StateClaimed:
		return Place{BucketLeft, ReasonBusy}, false
	case StateRefused:
		if e.Facts.Digest == w.Facts.Digest {
			return Place{BucketRefused, ReasonRejected}, false
		}
	case StateDoubtful:
		if !t.MergesRepeats || w.Hold != "" {
			return Place{BucketInDoubt, doubtReason(e)}, false
		}
	case StateAbsent, StateOpen:
	default: // a state that nobody knows
		return Place{BucketInDoubt, ReasonUnreadable}, false
	}
	switch {
	case w.Hold != "":
		return Place{BucketHeldBack, w.Hold}, false
	case e.State == StateOpen && e.NotBefore.After(now) && e.NotBefore.Sub(now) <= longestWait:
		return Place{BucketLeft, ReasonRetryLater}, false
	}
	return Place{BucketLeft, ReasonPlanned}, true
}

func doubtReason(e Entry) Reason {
	if e.Lost {
		return ReasonLostClaim
	}
	return ReasonNoAnswer
}

// Reason says by what an entry stands where it is, "" for one that is still to
// send: what keeps that one is a decision.
func (e Entry) Reason() Reason {
	switch e.State {
	case StateDone:
		return Reason(e.By)
	case StateClaimed:
		return ReasonBusy
	case StateRefused:
		return ReasonRejected
	case StateDoubtful:
		return doubtReason(e)
	case StateAbsent, StateOpen:
		return ""
	}
	return ReasonUnreadable
}

// Reused reports whether an order id that the ledger knows now names another
// order: another store, or a completion further away than window (RULES R3).
func Reused(w Want, e Entry, window time.Duration) bool {
	if e.Version == 0 {
		return false
	}
	if e.Facts.Store != "" && w.Facts.Store != "" && e.Facts.Store != w.Facts.Store {
		return true
	}
	if e.Facts.CompletedAt.IsZero() || w.Facts.CompletedAt.IsZero() {
		return false
	}
	apart := w.Facts.CompletedAt.Sub(e.Facts.CompletedAt).Abs()
	return window > 0 && apart > window
}

// ticketSlack is how far apart two sights of one till ticket may lie, however
// alike they are: a wrong zone is up to half a day, the next morning is not.
const ticketSlack = 12 * time.Hour

// Reissued reports whether the number of a till ticket that the ledger knows
// is now another ticket's. A checkout is completed at once: another time with
// other goods, or another day, is another checkout.
func Reissued(h Head, w Want, e Entry) bool {
	if h.Channel != "in_store" || e.Version == 0 || e.Facts.CompletedAt.IsZero() {
		return false
	}
	apart := h.CompletedAt.Sub(e.Facts.CompletedAt).Abs()
	comparable, differs := contentDiffers(w, e)
	return apart > ticketSlack || apart > FutureSlack && comparable && differs
}

// What became of an order after it was sent.
const (
	ChangeCorrection = "correction" // other goods, or more money
	ChangeRefund     = "refund"     // less money
	ChangeCosmetic   = "cosmetic"   // another name, store, channel or time
)

// Changed tells how an order differs from what was sent of it: "" (as far as
// can be compared, not at all), correction, refund or cosmetic. Compared is
// only what both sides have, so that the way by which an order came makes no
// change.
func Changed(w Want, e Entry) string {
	if e.State != StateDone {
		return ""
	}
	if content, differs := contentDiffers(w, e); content {
		if !differs {
			return cosmeticChange(w, e)
		}
		if lower(w.Value, e.Value) {
			return ChangeRefund
		}
		return ChangeCorrection
	}
	return ""
}

func contentDiffers(w Want, e Entry) (comparable, differs bool) {
	known := w.Facts.Digest != Digest{} && e.Facts.Digest != Digest{}
	switch {
	case known && w.Value.Of == e.Value.Of:
		return true, w.Facts.Digest != e.Facts.Digest
	case w.Value.Amount == nil || e.Value.Amount == nil || w.Value.Currency != e.Value.Currency:
		return false, false
	case (w.Value.Of == AmountOfTotal) != (e.Value.Of == AmountOfTotal):
		return false, false
	}
	return true, w.Value.Amount.Cmp(*e.Value.Amount) != 0
}

func cosmeticChange(w Want, e Entry) string {
	same := w.Facts.CosmeticFields == e.Facts.CosmeticFields && e.Facts.Cosmetic != Digest{} && w.Facts.Cosmetic != Digest{}
	if same && w.Facts.Cosmetic != e.Facts.Cosmetic {
		return ChangeCosmetic
	}
	return ""
}

func lower(now, sent Value) bool {
	return now.Amount != nil && sent.Amount != nil && now.Currency == sent.Currency &&
		now.Amount.Cmp(*sent.Amount) < 0
}
