package collect

import (
	"time"

	"makegood/reconcile"
)

// Expect wants a purchase where purchases are sent, and for checkouts in a store
// or an app a change of the stored cart where cart changes are. The cart waits
// for the purchase, and has no amount.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	var wants []reconcile.Want
	base := reconcile.Want{Person: reconcile.PersonOf(h), Facts: reconcile.FactsOf(h)}
	if s.sends(reconcile.ActionPurchase) {
		purchase := base
		purchase.ID, purchase.Kind = reconcile.NewEventID(reconcile.KindPurchase, h.Key), reconcile.KindPurchase
		purchase.Value = s.options.Value.Of(h)
		purchase.Hold = reconcile.HoldOf(h, asOf, s.headRules(s.options.MaxAge))
		wants = append(wants, purchase)
	}
	if s.sendsCarts() && (h.Channel == channelStore || h.Channel == channelMobile) {
		cart := base
		cart.ID, cart.Kind = reconcile.NewEventID(reconcile.KindCart, h.Key), reconcile.KindCart
		cart.Hold = s.holdCart(h, asOf)
		for _, purchase := range wants {
			cart.After = append(cart.After, purchase.ID)
		}
		wants = append(wants, cart)
	}
	return wants
}

// holdCart judges what a head can say about its cart; the rest is for Compose.
func (s *Sink) holdCart(h reconcile.Head, asOf time.Time) reconcile.Reason {
	hold := reconcile.HoldOf(h, asOf, s.headRules(s.clearAge(h.Channel)))
	rule := s.rule(h.Channel)
	switch {
	case hold != "":
		return hold
	case rule.KnownBy == "", rule.KnownBy == KnownByColumn && !h.CartUsed:
		return reconcile.ReasonCartUnknown
	}
	return ""
}

func (s *Sink) headRules(maxAge time.Duration) reconcile.HeadRules {
	return reconcile.HeadRules{MaxAge: maxAge, ByCustomer: s.options.Identity == IdentityContactKey}
}
