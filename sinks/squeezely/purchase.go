package squeezely

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// Compose makes the Purchase event of an order. Bodies are canonical: sorted
// keys, no spaces, and numbers as exact decimal text.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, _ reconcile.Carts, asOf time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o, w, asOf) })
}

func (s *Sink) compose(o reconcile.Order, w reconcile.Want, asOf time.Time) (reconcile.Event, *reconcile.Held) {
	hold := func(reason reconcile.Reason, text string) (reconcile.Event, *reconcile.Held) {
		return reconcile.Event{}, &reconcile.Held{Reason: reason, Text: text}
	}
	if w.Kind != reconcile.KindPurchase {
		return hold(reconcile.ReasonCannotCompose, "this platform takes purchases only")
	}
	shown, err := s.options.OrderID(o.Head)
	if err != nil || shown == "" {
		return hold(reconcile.ReasonCannotCompose, "order_id gives no number")
	}
	language, ok := languageOf(o.Language, s.options.Language)
	if !ok {
		return hold(reconcile.ReasonNoLanguage, "")
	}
	goods, reason := products(o.Items, language)
	if reason != "" {
		return hold(reason, "")
	}
	body := s.head(o.Head, asOf)
	body["orderid"], body["products"] = shown, goods
	if needsTotal(w.Value, o.Items) {
		body["totalvalue"] = number(reconcile.HalfUp(*w.Value.Amount, reconcile.MinorDigits(o.Currency)))
	}
	setText(body, "language", language)
	// json.Marshal sorts the keys of maps, writes a json.Number as it stands,
	// and escapes < > & as a plan file would, so that the bytes survive it.
	data, err := json.Marshal(body)
	if err != nil {
		return hold(reconcile.ReasonCannotCompose, "a value is no JSON")
	}
	e := reconcile.Event{
		ID: w.ID, Kind: w.Kind, Action: reconcile.ActionPurchase, Person: w.Person, Value: w.Value, Facts: w.Facts,
		After: w.After, Shown: shown, Body: data,
	}
	if s.options.MaxAge > 0 {
		e.Expiry = o.CompletedAt.Add(s.options.MaxAge)
	}
	return e, nil
}

// head gives everything of the event but its number, language, products and
// total.
func (s *Sink) head(h reconcile.Head, asOf time.Time) map[string]any {
	at := h.OrderedAt
	if at.IsZero() {
		at = h.CompletedAt
	}
	body := map[string]any{
		"event":     "Purchase", // [P]
		"email":     emailOf(h.Email, s.options.Email),
		"timestamp": json.Number(strconv.FormatInt(at.Unix(), 10)), // seconds [P]: no question of zones
	}
	// An amount without its currency is wrong, so no setting drops it.
	setText(body, "currency", h.Currency)
	// The highest of all identifiers [P]: only what the configuration calls
	// userid, never the customer id by itself. Strangers got merged that way [C].
	setText(body, "userid", h.Fields["userid"])
	maps.Copy(body, s.profile(h, asOf))
	for name, value := range h.Fields {
		if strings.HasPrefix(name, "custom_") { // must exist at the platform [P]
			setText(body, name, value)
		}
	}
	return body
}

// needsTotal reports whether the platform, which sums price x quantity itself
// [P], would come to another amount: where the source has totals, which are
// more exact, and where skip_lines kept the money of lines that are no goods.
func needsTotal(worth reconcile.Value, lines []reconcile.Line) bool {
	switch {
	case worth.Amount == nil:
		return false
	case worth.Of != reconcile.AmountOfPrices:
		return worth.Of == reconcile.AmountOfLineTotals || worth.Of == reconcile.AmountOfTotal
	}
	var sum reconcile.Decimal
	for _, l := range lines {
		if l.Price == nil {
			return false // it sums nothing
		}
		part, err := reconcile.Mul(*l.Price, l.Quantity)
		if err == nil {
			sum, err = reconcile.Add(sum, part)
		}
		if err != nil {
			return true // more digits than the platform could keep either
		}
	}
	return sum.Cmp(*worth.Amount) != 0
}

func emailOf(email string, form EmailForm) string {
	email = strings.TrimSpace(email)
	if form != EmailSHA256 {
		return email
	}
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return hex.EncodeToString(sum[:])
}

// product is a line as the platform takes it. Its fields stand in the order of
// their keys, as those of a map would.
type product struct {
	CategoryIDs []string    `json:"category_ids,omitempty"`
	ID          string      `json:"id"`
	Language    string      `json:"language,omitempty"`
	Name        string      `json:"name,omitempty"`
	Price       json.Number `json:"price,omitempty"`
	Quantity    json.Number `json:"quantity"`
}

// products lists the lines of a quantity other than 0. A line's own language
// stands above the order's.
func products(lines []reconcile.Line, language string) ([]product, reconcile.Reason) {
	goods := make([]product, 0, len(lines))
	for _, l := range lines {
		if l.Quantity.IsZero() {
			continue
		}
		if l.SKU == "" {
			return nil, reconcile.ReasonCannotCompose
		}
		tag, ok := languageOf(l.Language, language)
		if !ok {
			return nil, reconcile.ReasonNoLanguage
		}
		one := product{CategoryIDs: l.CategoryIDs, ID: l.SKU, Language: tag, Name: l.Name, Quantity: number(l.Quantity)}
		if price, ok := reconcile.UnitPrice(l); ok {
			one.Price = number(price)
		}
		goods = append(goods, one)
	}
	if len(goods) == 0 {
		return nil, reconcile.ReasonNoGoods
	}
	return goods, ""
}

// number writes a decimal as it is, without trailing zeros.
func number(d reconcile.Decimal) json.Number {
	if d.IsZero() {
		return "0"
	}
	return json.Number(d.Trim(0).String())
}

func setText(body map[string]any, key, value string) {
	if value != "" {
		body[key] = value
	}
}

// profile gives the fields that overwrite the platform's profile of a person.
//
// Consent is none of them: a known yes or no goes with every fresh order, and
// with old ones only where profile fields do too, for an old answer would undo a
// newer one. What is not plainly yes or no is left out: no is an opt-out [P].
func (s *Sink) profile(h reconcile.Head, asOf time.Time) map[string]any {
	always := s.options.Profile == ProfileAlways
	fresh := !h.CompletedAt.Before(asOf.Add(-Fresh))
	fields := map[string]any{}
	for name, value := range h.Fields {
		value = strings.TrimSpace(value)
		switch {
		case isConsent(name) && (always || fresh):
			setText(fields, name, oneOf(strings.ToLower(value), "yes", "no"))
		case always || fresh && s.options.Profile == ProfileFreshOnly:
			setText(fields, name, profileValue(name, value))
		}
	}
	return fields
}

func isConsent(name string) bool {
	return name == "newsletter" || name == "service" || name == "marketing"
}

// profileValue gives a profile field in the form that the platform wants [P],
// or "": a field that is no profile field or cannot be read is left out.
func profileValue(name, value string) string {
	switch name {
	case "firstname", "lastname", "phone", "postcode", "city":
		return value
	case "gender":
		return oneOf(strings.ToUpper(value), "M", "F", "U")
	case "birthdate":
		if _, err := time.Parse(time.DateOnly, value); err == nil {
			return value
		}
	case "country":
		if code := strings.ToUpper(value); len(code) == 2 && isLetters(code, 'A') {
			return code
		}
	}
	return ""
}

func oneOf(value string, known ...string) string {
	if slices.Contains(known, value) {
		return value
	}
	return ""
}
