package emanage

import (
	"slices"
	"time"

	"makegood/reconcile"
)

// Expect wants one event for each step of the order's chain: the first makes
// the cart, the others upgrade it. Its value is what is due of the step. An
// order of which nobody says what is due has one want, which is held back.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	var wants []reconcile.Want
	over := s.over(h)
	for n := 1; n <= max(len(h.Chain), 1); n++ {
		w := reconcile.Want{ID: eventID(h, n), Person: reconcile.PersonOf(h), Facts: reconcile.LinkFacts(h, n), Hold: reconcile.ReasonNothingDue}
		w.Kind = w.ID.Kind()
		if !slices.Contains(s.options.Send, reconcile.Action(w.Kind)) {
			continue
		}
		if n <= len(h.Chain) && h.Chain[n-1].Due.IsPos() {
			due := h.Chain[n-1].Due
			w.Value = reconcile.Value{Amount: &due, Currency: h.Currency, Of: reconcile.AmountOfDue}
			w.Hold = s.hold(h, over, asOf)
		}
		wants = append(wants, w)
	}
	return wants
}

// eventID names the nth step of an order's chain.
func eventID(h reconcile.Head, n int) reconcile.EventID {
	kind := reconcile.KindCartUpgrade
	if n == 1 {
		kind = reconcile.KindCartCreate
	}
	return reconcile.NewEventID(kind, h.Key).At(n)
}

func (s *Sink) hold(h reconcile.Head, over reconcile.Reason, asOf time.Time) reconcile.Reason {
	switch {
	case over != "":
		return over
	case h.CompletedAt.After(asOf.Add(reconcile.FutureSlack)):
		return reconcile.ReasonFutureTime
	case s.options.MaxAge > 0 && h.CompletedAt.Before(asOf.Add(-s.options.MaxAge)):
		return reconcile.ReasonTooOld
	}
	return ""
}

// over compares all that is due of an order with what one may be charged.
// Without limits, which real carts have, there is nothing to compare.
func (s *Sink) over(h reconcile.Head) reconcile.Reason {
	if len(s.options.MaxCharge) == 0 {
		return ""
	}
	most, has := s.options.MaxCharge[h.Currency]
	if !has {
		return reconcile.ReasonNoBudget
	}
	var sum reconcile.Decimal
	for _, step := range h.Chain {
		var err error
		if sum, err = reconcile.Add(sum, step.Due); err != nil {
			return reconcile.ReasonOverMaxCharge
		}
	}
	if sum.Cmp(most) > 0 {
		return reconcile.ReasonOverMaxCharge
	}
	return ""
}
