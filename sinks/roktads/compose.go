package roktads

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// maxText is how long a text of the Conversions API may be [P].
const maxText = 255

// Compose makes the item of an order: one conversion. Bodies are canonical:
// sorted keys, no spaces.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, _ reconcile.Carts, asOf time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o, w, asOf) })
}

func (s *Sink) compose(o reconcile.Order, w reconcile.Want, asOf time.Time) (reconcile.Event, *reconcile.Held) {
	cannot := func(text string) (reconcile.Event, *reconcile.Held) {
		return reconcile.Event{}, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: text}
	}
	if w.Kind != reconcile.KindPurchase {
		return cannot("this platform takes purchases only")
	}
	shown, err := s.options.OrderID(o.Head)
	if err != nil || shown == "" || len(shown) > maxText {
		return cannot("order_id gives no number, or one of more than 255 bytes")
	}
	if len(s.identities(o.Head)) == 0 {
		return reconcile.Event{}, &reconcile.Held{Reason: reconcile.ReasonNoEmail}
	}
	item := s.item(o, w, shown, asOf)
	if line, is := item.(row); is && line.changed() {
		return cannot("the address or the number has a sign that a CSV file cannot hold, or begins like a formula")
	}
	// json.Marshal sorts the keys of maps and escapes < > & as a plan file
	// would, so that the bytes survive it.
	body, err := json.Marshal(item)
	switch {
	case err != nil:
		return cannot("a value is no JSON")
	case len(ascii(body)) > maxItem:
		return cannot("the message would be larger than the platform takes, which is 128 KB")
	}
	e := reconcile.Event{
		ID: w.ID, Kind: w.Kind, Action: reconcile.ActionPurchase, Person: w.Person, Value: w.Value, Facts: w.Facts,
		After: w.After, Shown: shown, Body: body,
	}
	if s.options.MaxAge > 0 {
		e.Expiry = orderedAt(o.Head).Add(s.options.MaxAge)
	}
	return e, nil
}

// item is the order in the words of the API.
func (s *Sink) item(o reconcile.Order, w reconcile.Want, shown string, asOf time.Time) any {
	at := orderedAt(o.Head)
	if at.After(asOf) { // a till whose clock is ahead; the platform takes nothing from the future [P]
		at = asOf
	}
	attributes := map[string]any{}
	set := func(key, value string) {
		if value != "" {
			attributes[key] = value
		}
	}
	amount := ""
	if w.Value.Amount != nil {
		amount = reconcile.HalfUp(*w.Value.Amount, reconcile.MinorDigits(o.Currency)).String()
	}
	if s.options.API == CSV {
		return s.row(o, amount, shown, at)
	}
	set("amount", amount)
	set("currency", o.Currency)
	set("quantity", quantityOf(o.Items))
	if s.options.API == Conversions {
		return s.conversion(o.Head, attributes, shown, at)
	}
	set("conversiontype", s.options.Type)
	set("confirmationref", shown)
	set("sku", onlySKU(o.Items))
	return map[string]any{ // [C]
		"environment":     s.options.Environment,
		"user_identities": s.identities(o.Head),
		"events": []any{map[string]any{
			"event_type": "custom_event",
			"data": map[string]any{
				"custom_event_type":     "transaction",
				"event_name":            "conversion",
				"source_message_id":     string(w.ID),
				"timestamp_unixtime_ms": json.Number(strconv.FormatInt(at.UnixMilli(), 10)),
				"custom_attributes":     attributes,
			},
		}},
	}
}

// conversion is the order for the Conversions API: id, type, time and
// identities [P], the attributes under the names that they have elsewhere [I].
func (s *Sink) conversion(h reconcile.Head, attributes map[string]any, shown string, at time.Time) map[string]any {
	attributes["conversionId"], attributes["conversionType"] = shown, s.options.Type
	attributes["eventTime"] = at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	for name, value := range s.identities(h) {
		attributes[name] = value
	}
	return attributes
}

// names of the identities, by API [C] [P]. That of the click id in the
// Conversions API is the one that Rokt's other interfaces have [I].
var names = map[API]map[Identity]string{
	Events:      {Email: "email", Hash: "other", ClickID: "other2"},
	Conversions: {Email: "email", Hash: "emailsha256", ClickID: "passbackconversiontrackingid"},
	CSV:         {Email: "email", ClickID: "click_id"},
}

// identities are those of a head that are sent, by the names of the API.
func (s *Sink) identities(h reconcile.Head) map[string]string {
	email := strings.TrimSpace(h.Email)
	known := map[string]string{}
	for _, id := range s.options.Identities {
		value := clickID(h)
		switch {
		case id == Email:
			value = email
		case id == Hash && email != "":
			sum := sha256.Sum256([]byte(strings.ToLower(email)))
			value = hex.EncodeToString(sum[:])
		case id == Hash:
			value = ""
		}
		if value != "" {
			known[names[s.options.API][id]] = value
		}
	}
	return known
}

func (s *Sink) sends(id Identity) bool { return slices.Contains(s.options.Identities, id) }

func clickID(h reconcile.Head) string { return strings.TrimSpace(h.Fields["click_id"]) }

func orderedAt(h reconcile.Head) time.Time {
	if h.OrderedAt.IsZero() {
		return h.CompletedAt
	}
	return h.OrderedAt
}

// quantityOf is the number of things bought, "" where something is weighed:
// the platform counts items.
func quantityOf(lines []reconcile.Line) string {
	var sum reconcile.Decimal
	for _, l := range lines {
		var err error
		if sum, err = reconcile.Add(sum, l.Quantity); err != nil || !l.Quantity.IsInt() {
			return ""
		}
	}
	return sum.Trim(0).String()
}

// onlySKU is the product of an order that has one: the platform takes one [C].
func onlySKU(lines []reconcile.Line) (sku string) {
	for _, l := range lines {
		switch {
		case l.Quantity.IsZero(), l.SKU == sku:
		case sku != "":
			return ""
		default:
			sku = l.SKU
		}
	}
	return sku
}
