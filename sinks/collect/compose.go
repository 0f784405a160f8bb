package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"makegood/reconcile"
)

// Compose makes conversions, and decides carts by RULES R1. Bodies are
// canonical: sorted keys, no spaces. All values are text, as in the documents'
// samples [P].
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, known reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o, w, known) })
}

func (s *Sink) compose(o reconcile.Order, w reconcile.Want, known reconcile.Carts) (reconcile.Event, *reconcile.Held) {
	e := reconcile.Event{ID: w.ID, Kind: w.Kind, Person: w.Person, Value: w.Value, Facts: w.Facts, After: w.After}
	var payload map[string]any
	var hold *reconcile.Held
	switch {
	case w.Kind == reconcile.KindPurchase:
		payload, hold = s.conversion(o, &e)
	case w.Kind == reconcile.KindCart:
		payload, hold = s.cart(o, known, &e)
	default:
		return e, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "this platform does not know the kind"}
	}
	if hold != nil {
		return e, hold
	}
	payload["user_info"] = map[string]any{"email": s.identity(o.Head)} // takes an address or an id [P]
	// json.Marshal escapes < > & as a plan file would, so that the bytes
	// survive it.
	body, err := json.Marshal(map[string]any{"payload": payload})
	if err != nil {
		return e, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "a value is no JSON"}
	}
	e.Body = body
	return e, nil
}

func (s *Sink) identity(h reconcile.Head) string {
	email := strings.TrimSpace(h.Email)
	switch s.options.Identity {
	case IdentitySHA256:
		sum := sha256.Sum256([]byte(strings.ToLower(email)))
		return hex.EncodeToString(sum[:])
	case IdentityContactKey:
		return h.Customer
	}
	return email
}

// conversion: cart lines and order_number, shipping and discount where they are
// known [P].
func (s *Sink) conversion(o reconcile.Order, e *reconcile.Event) (map[string]any, *reconcile.Held) {
	number, err := s.options.OrderID(o.Head)
	if err != nil || number == "" {
		return nil, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "order_id gives no number"}
	}
	var lines []any
	for _, l := range o.Items {
		if l.Quantity.IsZero() {
			continue
		}
		if l.SKU == "" {
			return nil, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "a line has no sku"}
		}
		cart := reconcile.CartLine{SKU: l.SKU, Quantity: l.Quantity, UniqueID: l.UniqueID, Item: l.Item}
		if price, ok := reconcile.UnitPrice(l); ok {
			cart.Price = &price
		}
		lines = append(lines, lineOf(cart))
	}
	if len(lines) == 0 {
		return nil, &reconcile.Held{Reason: reconcile.ReasonNoGoods}
	}
	payload := map[string]any{"cart": lines, "order_number": number}
	setAmount(payload, "shipping", o.Shipping)
	setAmount(payload, "discount", o.Discount)
	e.Action, e.Shown, e.Expiry = reconcile.ActionPurchase, number, o.CompletedAt.Add(s.options.MaxAge)
	return payload, nil
}

// lineOf writes a line: item and unique_id are required, the price is of one
// unit, no other names are allowed [P].
func lineOf(l reconcile.CartLine) map[string]any {
	line := map[string]any{"item": l.Item, "unique_id": l.UniqueID}
	for key, id := range line {
		if id == "" {
			line[key] = l.SKU
		}
	}
	setAmount(line, "quantity", &l.Quantity)
	setAmount(line, "price", l.Price)
	return line
}

func setAmount(fields map[string]any, key string, d *reconcile.Decimal) {
	switch {
	case d == nil:
	case d.IsZero():
		fields[key] = "0"
	default:
		fields[key] = d.Trim(0).String()
	}
}

// cart decides between a clear, an update and a hold, and leaves with the event
// what must still be true when it is sent.
func (s *Sink) cart(o reconcile.Order, known reconcile.Carts, e *reconcile.Event) (map[string]any, *reconcile.Held) {
	e.Cart = reconcile.CartCheck{
		CheckedOut: o.CompletedAt, Margin: s.options.Margin, Before: o.CompletedAt.Add(s.clearAge(o.Channel)),
	}
	change := s.decide(o, known, e)
	if change.Reason != "" {
		return nil, &reconcile.Held{Reason: change.Reason}
	}
	e.Action = reconcile.ActionCartClear
	if len(change.Rest) > 0 {
		e.Action = reconcile.ActionCartUpdate
	}
	if !s.sends(e.Action) {
		return nil, &reconcile.Held{Reason: reconcile.ReasonCartNotSent}
	}
	return s.change(change.Rest), nil
}

// decide says what the checkout did to the stored cart, by the channel's rule.
func (s *Sink) decide(o reconcile.Order, known reconcile.Carts, e *reconcile.Event) reconcile.CartChange {
	rule := s.rule(o.Channel)
	blind := rule.KnownBy == KnownByAlways || rule.KnownBy == KnownByColumn && o.CartUsed
	switch {
	case rule.Source == "" && blind:
		return reconcile.CartChange{}
	case !known.Read(rule.Source) || !blind && rule.KnownBy != KnownByCarts:
		return reconcile.CartChange{Reason: reconcile.ReasonCartUnknown}
	}
	stored := known.Of(rule.Source, e.Person)
	e.Cart.Carts, e.Cart.Digest = rule.Source, stored.Digest()
	if blind {
		return reconcile.CartChange{Reason: reconcile.CartTouched(stored, o.CompletedAt, s.options.Margin)}
	}
	return reconcile.DecideCart(stored, o.Items, o.CompletedAt, s.options.Margin)
}

// change says what the stored cart is to be. An update replaces all of it [P].
func (s *Sink) change(rest []reconcile.CartLine) map[string]any {
	switch {
	case len(rest) > 0:
		lines := make([]any, len(rest))
		for i, l := range rest {
			lines[i] = lineOf(l)
		}
		return map[string]any{"cart": lines, "url": s.options.CartURL}
	case s.options.Clear == ClearNested:
		return map[string]any{"cart": map[string]any{"clear_cart": true}, "url": s.options.ClearURL}
	}
	return map[string]any{"clear_cart": true, "url": s.options.ClearURL}
}
