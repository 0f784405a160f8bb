package placement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"makegood/reconcile"
)

// Kind says which of the two messages one is.
type Kind string

// The messages [P].
const (
	// Updated is what the placement says: an item as it is now, and as it was.
	Updated Kind = "V2_CART_ITEM_UPDATED"
	// Update is what the shop asks for: a quantity of a cart item.
	Update Kind = "V2_UPDATE_CART_ITEM"
)

// Bounds on messages.
const (
	MaxMessage  = 64 << 10 // bytes of one message with everything around it
	maxDepth    = 12       // how deep its JSON may be
	maxText     = 500      // bytes of an id or a name
	maxQuantity = 1_000_000
)

// Item is an item as a placement shows it.
type Item struct {
	CartItem string            // cartItemId: of this impression only [P]
	Catalog  string            // catalogItemId: for good [P]
	Name     string            // "" where none is given
	Linked   string            // linkedProductId, the SKU that it goes with [P]; "" for none
	Quantity reconcile.Decimal // a missing one is 1: the item was taken [I]
	Currency string
	Price    *reconcile.Decimal // of one; nil where none is given
}

// Message is one message with its circumstances.
type Message struct {
	Kind       Kind
	Session    string
	At         time.Time // UTC
	Attributes map[string]string
	Origin     reconcile.Origin

	Item, Old *Item // of an Updated: nil for removed, and for newly added [P]

	CartItem string            // of an Update
	Quantity reconcile.Decimal // likewise
}

// Parser reads messages.
type Parser struct {
	// Price is the field of an item that has the price of one [U]; "" is
	// DefaultPrice.
	Price string
	// Attributes are the names of those that are kept; others may be personal.
	Attributes []string
}

// DefaultPrice is the field of an item with the price of one [I].
const DefaultPrice = "unitPrice"

// envelope is a message in a file, or as a page posts it.
type envelope struct {
	Message    Kind                       `json:"message"` // missing: Updated
	Session    string                     `json:"session"`
	At         string                     `json:"at"` // RFC 3339
	Attributes map[string]json.RawMessage `json:"attributes"`
	Body       json.RawMessage            `json:"body"`
}

// Parse reads one message with its circumstances: session, at, attributes,
// message and body. Errors tell no value.
func (p Parser) Parse(data []byte) (Message, error) {
	if err := fits(data); err != nil {
		return Message{}, err
	}
	var e envelope
	if json.Unmarshal(data, &e) != nil {
		return Message{}, errors.New("is no message: session, at, attributes and body are wanted")
	}
	m := Message{Kind: e.Message, Session: e.Session, Attributes: map[string]string{}}
	for _, name := range p.Attributes {
		var value any
		if raw, given := e.Attributes[name]; given && json.Unmarshal(raw, &value) == nil && value != nil {
			m.Attributes[name] = strings.TrimSpace(fmt.Sprint(value))
		}
	}
	at, err := time.Parse(time.RFC3339Nano, e.At)
	if err != nil {
		return Message{}, errors.New("has no time; at is wanted as 2026-11-20T10:00:00Z")
	}
	m.At = at.UTC()
	return m, p.ParseBody(&m, e.Body)
}

// ParseBody reads the body of a message whose circumstances are known.
func (p Parser) ParseBody(m *Message, body []byte) error {
	if err := fits(body); err != nil {
		return err
	}
	if m.Session == "" || len(m.Session) > maxText {
		return errors.New("has no session")
	}
	switch m.Kind {
	case "", Updated:
		m.Kind = Updated
		return p.updated(m, body)
	case Update:
		return update(m, body)
	}
	return fmt.Errorf("is neither %s nor %s", Updated, Update)
}

func (p Parser) updated(m *Message, body []byte) (err error) {
	var b struct {
		Item json.RawMessage `json:"cartItem"`
		Old  json.RawMessage `json:"oldCartItem"`
	}
	if json.Unmarshal(body, &b) != nil {
		return errors.New("has no body with cartItem and oldCartItem")
	}
	if m.Item, err = p.item(b.Item, "cartItem"); err != nil {
		return err
	}
	if m.Old, err = p.item(b.Old, "oldCartItem"); err != nil {
		return err
	}
	if m.Item == nil && m.Old == nil {
		return errors.New("names no item: cartItem and oldCartItem are both empty")
	}
	return nil
}

func update(m *Message, body []byte) error {
	var b struct {
		CartItem string       `json:"cartItemId"`
		Quantity *json.Number `json:"quantity"`
	}
	if json.Unmarshal(body, &b) != nil || b.Quantity == nil {
		return errors.New("has no body with cartItemId and quantity")
	}
	var err error
	if m.CartItem, err = text("cartItemId", b.CartItem, true); err != nil {
		return err
	}
	m.Quantity, err = quantity(*b.Quantity)
	return err
}

func (p Parser) item(data json.RawMessage, what string) (*Item, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	var i struct {
		CartItem string       `json:"cartItemId"`
		Catalog  string       `json:"catalogItemId"`
		Name     string       `json:"name"`
		Currency string       `json:"currency"`
		Linked   string       `json:"linkedProductId"`
		Quantity *json.Number `json:"quantity"`
	}
	if err := json.Unmarshal(data, &i); err != nil {
		return nil, errors.New(what + " is not as documented")
	}
	item := &Item{}
	for _, t := range []struct {
		name, value string
		to          *string
		needed      bool
	}{
		{"cartItemId", i.CartItem, &item.CartItem, true}, {"catalogItemId", i.Catalog, &item.Catalog, true},
		{"name", i.Name, &item.Name, false}, {"currency", strings.ToUpper(i.Currency), &item.Currency, false},
		{"linkedProductId", i.Linked, &item.Linked, false},
	} {
		var err error
		if *t.to, err = text(what+"."+t.name, t.value, t.needed); err != nil {
			return nil, err
		}
	}
	var err error
	if item.Quantity, err = quantity("1"); i.Quantity != nil {
		item.Quantity, err = quantity(*i.Quantity)
	}
	if err != nil {
		return nil, err
	}
	item.Price, err = p.price(data)
	return item, err
}

// price is exact: a JSON number is read as the text that it is.
func (p Parser) price(data json.RawMessage) (*reconcile.Decimal, error) {
	name := p.Price
	if name == "" {
		name = DefaultPrice
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || len(fields[name]) == 0 || string(fields[name]) == "null" {
		return nil, nil
	}
	amount, err := reconcile.ParseDecimal(strings.Trim(string(fields[name]), `"`))
	if err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	return &amount, nil
}

func text(what, value string, needed bool) (string, error) {
	value = strings.TrimSpace(value)
	switch {
	case value == "" && needed:
		return "", errors.New(what + " is missing")
	case len(value) > maxText || !utf8.ValidString(value):
		return "", fmt.Errorf("%s has more than %d bytes, or is no text", what, maxText)
	}
	return value, nil
}

func quantity(n json.Number) (reconcile.Decimal, error) {
	d, err := reconcile.ParseDecimal(n.String())
	if err == nil && !d.IsInt() {
		err = errors.New("is no whole number")
	}
	if whole, _, ok := d.Int64(0); err == nil && (!ok || whole < 0 || whole > maxQuantity) {
		err = errors.New("is out of bounds")
	}
	if err != nil {
		return d, fmt.Errorf("quantity %w", err)
	}
	return d, nil
}

// fits refuses what is too large, too deep, or no JSON, before it is read.
func fits(data []byte) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("is larger than %d KiB", MaxMessage>>10)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for depth := 0; ; {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case err != nil:
			return errors.New("is no JSON")
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("is nested deeper than %d", maxDepth)
		}
	}
}
