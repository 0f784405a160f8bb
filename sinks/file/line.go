package file

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/outfile"
)

// line is what a file says of an event. The fields stand in the order of their
// keys, amounts are exact decimal text, times are UTC.
type line struct {
	Action      reconcile.Action  `json:"action"`
	Amount      string            `json:"amount,omitempty"`
	Channel     string            `json:"channel,omitempty"`
	CompletedAt string            `json:"completed_at"`
	Currency    string            `json:"currency,omitempty"`
	Custom      map[string]string `json:"custom,omitempty"` // custom_* by their names
	Email       string            `json:"email,omitempty"`
	ID          reconcile.EventID `json:"id"`
	Language    string            `json:"language,omitempty"`
	Lines       []product         `json:"lines"`
	Order       string            `json:"order"`
	OrderedAt   string            `json:"ordered_at"`
	Shop        string            `json:"shop,omitempty"`
	Store       string            `json:"store,omitempty"`
}

type product struct {
	LineTotal string `json:"line_total,omitempty"`
	Name      string `json:"name,omitempty"`
	Price     string `json:"price,omitempty"` // of one unit
	Quantity  string `json:"quantity"`
	SKU       string `json:"sku"`
}

// columns are those of a CSV file: its first line.
var columns = []string{"id", "action", "order", "shop", "channel", "store", "ordered_at", "completed_at", "amount", "currency",
	"email", "language", "custom", "lines"}

// row writes an event as a line of CSV. Its lines and custom fields are JSON
// in one cell each.
func row(body []byte) ([]byte, error) {
	var l line
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, err
	}
	lines, err := json.Marshal(l.Lines)
	if err != nil {
		return nil, err
	}
	custom := ""
	if len(l.Custom) > 0 {
		text, err := json.Marshal(l.Custom)
		if err != nil {
			return nil, err
		}
		custom = string(text)
	}
	return outfile.CSVLine([]string{string(l.ID), string(l.Action), l.Order, l.Shop, l.Channel, l.Store, l.OrderedAt, l.CompletedAt,
		l.Amount, l.Currency, l.Email, l.Language, custom, string(lines)}), nil
}

// Compose makes the line of an order, as JSON in either format.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, _ reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o, w) })
}

func (s *Sink) compose(o reconcile.Order, w reconcile.Want) (reconcile.Event, *reconcile.Held) {
	e := reconcile.Event{ID: w.ID, Kind: w.Kind, Action: reconcile.ActionPurchase, Person: w.Person, Value: w.Value, Facts: w.Facts, After: w.After}
	if w.Kind != reconcile.KindPurchase {
		return e, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "a file takes purchases only"}
	}
	shown, err := s.options.OrderID(o.Head)
	if err != nil || shown == "" {
		return e, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "order_id gives no number"}
	}
	ordered := o.OrderedAt
	if ordered.IsZero() {
		ordered = o.CompletedAt
	}
	l := line{Action: e.Action, ID: w.ID, Order: shown, Shop: o.Key.Shop, Channel: o.Channel, Store: o.Store, Language: o.Language,
		Currency: w.Value.Currency, CompletedAt: instant(o.CompletedAt), OrderedAt: instant(ordered), Email: s.email(o.Email)}
	if w.Value.Amount != nil {
		l.Amount = number(*w.Value.Amount)
	}
	for name, value := range o.Fields {
		if strings.HasPrefix(name, "custom_") {
			if l.Custom == nil {
				l.Custom = map[string]string{}
			}
			l.Custom[name] = value
		}
	}
	if l.Lines = products(o.Items); len(l.Lines) == 0 {
		return e, &reconcile.Held{Reason: reconcile.ReasonNoGoods}
	}
	// json.Marshal escapes < > & as a plan file would, so that the bytes
	// survive it.
	if e.Body, err = json.Marshal(l); err != nil {
		return e, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: "a value is no JSON"}
	}
	e.Shown = shown
	if s.options.MaxAge > 0 {
		e.Expiry = o.CompletedAt.Add(s.options.MaxAge)
	}
	return e, nil
}

// products lists the lines of a quantity other than 0.
func products(items []reconcile.Line) []product {
	var list []product
	for _, item := range items {
		if item.Quantity.IsZero() {
			continue
		}
		p := product{SKU: item.SKU, Name: item.Name, Quantity: number(item.Quantity)}
		if price, ok := reconcile.UnitPrice(item); ok {
			p.Price = number(price)
		}
		if item.LineTotal != nil {
			p.LineTotal = number(*item.LineTotal)
		}
		list = append(list, p)
	}
	return list
}

func (s *Sink) email(address string) string {
	address = strings.TrimSpace(address)
	switch s.options.Email {
	case EmailNone:
		return ""
	case EmailSHA256:
		sum := sha256.Sum256([]byte(strings.ToLower(address)))
		return hex.EncodeToString(sum[:])
	}
	return address
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// number writes a decimal without exponent and trailing zeros.
func number(d reconcile.Decimal) string {
	if d.IsZero() {
		return "0"
	}
	return d.Trim(0).String()
}
