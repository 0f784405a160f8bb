package rokt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// ItemColumn says which field of a line holds Rokt's cartItemId; lines without
// one are the shop's own.
type ItemColumn string

// The columns.
const (
	ByUniqueID ItemColumn = "unique_id"
	ByItem     ItemColumn = "item"
	ByLine     ItemColumn = "line"
)

// Options of a Sink. All but MaxAge, OrderID and HTTP are required; without Key
// and Tag it can plan, but the platform refuses the login.
type Options struct {
	Name string // of the target, in the ledger
	URL  string // the host: nobody has printed it [U]
	Key  string // secret
	Tag  string // secret

	// Session and Cart are the fields of orders with Rokt's session id and with
	// the cart's id.
	Session string
	Cart    string
	Item    ItemColumn

	MaxAge time.Duration // older orders are held back; 0: no limit
	// OrderID gives the order's number as Rokt knows it; nil is the order's own.
	// An error holds the event back.
	OrderID func(reconcile.Head) (string, error)

	// HTTP is how requests are made; its Header is set here.
	HTTP httpapi.Options
}

// Sink is a reconcile.Sink of one partner's tag.
type Sink struct {
	options Options
	client  *httpapi.Client
}

// New makes a sink, or says what is missing. The error holds no secret.
func New(o Options) (*Sink, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("a target needs a name")
	case o.URL == "":
		return nil, errors.New("a rokt target needs a url: Rokt tells its partners which")
	case o.Session == "" || o.Cart == "":
		return nil, errors.New("a rokt target needs the fields of orders with Rokt's session and with the cart's id")
	case o.Item != ByUniqueID && o.Item != ByItem && o.Item != ByLine:
		return nil, fmt.Errorf("a rokt target has no cart_item %q; choose unique_id, item or line", o.Item)
	case !isHeader(o.Key) || !isHeader(o.Tag):
		return nil, errors.New("the api_key or the tag_id of a rokt target holds a character that no header can")
	}
	if o.OrderID == nil {
		o.OrderID = func(h reconcile.Head) (string, error) { return h.Key.Order, nil }
	}
	o.HTTP.Header = http.Header{}
	o.HTTP.Header.Set("rokt-api-key", o.Key) // [P]
	o.HTTP.Header.Set("rokt-tag-id", o.Tag)  // [P]
	return &Sink{options: o, client: httpapi.New(o.HTTP)}, nil
}

// isHeader refuses what cannot stand in a header: net/http would refuse it for
// every event anew.
func isHeader(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// Close closes idle connections.
func (s *Sink) Close() { s.client.Close() }

// Name is the target's name.
func (s *Sink) Name() string { return s.options.Name }

// Traits speak of confirmations, of which no repeat is known to be safe [U].
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindCartConfirm: {MaxBatch: 1, MaxAge: s.options.MaxAge}}
}

// Expect wants one confirmation of every head. Orders that name no session and
// no cart of Rokt's are held back: no placement was part of them.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	return []reconcile.Want{{
		ID:     reconcile.NewEventID(reconcile.KindCartConfirm, h.Key),
		Kind:   reconcile.KindCartConfirm,
		Person: reconcile.PersonOf(h),
		Facts:  reconcile.FactsOf(h),
		Hold:   s.hold(h, asOf),
	}}
}

func (s *Sink) hold(h reconcile.Head, asOf time.Time) reconcile.Reason {
	if h.Fields[s.options.Session] == "" || h.Fields[s.options.Cart] == "" {
		return reconcile.ReasonNoCart
	}
	h.Email = "" // Rokt knows the visit, not the address
	return reconcile.HoldOf(h, asOf, reconcile.HeadRules{MaxAge: s.options.MaxAge, KnownOtherwise: true})
}

// confirmation is an event's body: the request, and the session that goes into
// a header. The fields stand in the order of their keys.
type confirmation struct {
	Confirm request `json:"confirm"`
	Session string  `json:"session"`
}

type request struct {
	Cart  string `json:"cartId"`
	Items []item `json:"items"`
	Order string `json:"orderId"`
}

type item struct {
	CartItem string      `json:"cartItemId"`
	Quantity json.Number `json:"quantity"`
}

// Compose makes the confirmation of an order's Rokt items.
func (s *Sink) Compose(o reconcile.Order, wants []reconcile.Want, _ reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	return reconcile.ComposeEach(wants, func(w reconcile.Want) (reconcile.Event, *reconcile.Held) { return s.compose(o, w) })
}

func (s *Sink) compose(o reconcile.Order, w reconcile.Want) (reconcile.Event, *reconcile.Held) {
	cannot := func(text string) (reconcile.Event, *reconcile.Held) {
		return reconcile.Event{}, &reconcile.Held{Reason: reconcile.ReasonCannotCompose, Text: text}
	}
	shown, err := s.options.OrderID(o.Head)
	session := o.Fields[s.options.Session]
	switch {
	case w.Kind != reconcile.KindCartConfirm:
		return cannot("this platform takes confirmations only")
	case err != nil || shown == "":
		return cannot("order_id gives no number")
	case !isHeader(session):
		return cannot("the session holds a character that no header can")
	}
	items, problem := s.items(o.Items)
	if problem != "" {
		return cannot(problem)
	}
	if len(items) == 0 {
		return reconcile.Event{}, &reconcile.Held{Reason: reconcile.ReasonNoCart}
	}
	// json.Marshal escapes < > & as a plan file would, so that the bytes
	// survive it.
	body, err := json.Marshal(confirmation{request{o.Fields[s.options.Cart], items, shown}, session})
	if err != nil {
		return cannot("a value is no JSON")
	}
	e := reconcile.Event{ID: w.ID, Kind: w.Kind, Action: reconcile.ActionCartConfirm, Person: w.Person, Facts: w.Facts,
		After: w.After, Shown: shown, Body: body}
	if s.options.MaxAge > 0 {
		e.Expiry = o.CompletedAt.Add(s.options.MaxAge)
	}
	return e, nil
}

// items are the lines that are Rokt's, each impression once.
func (s *Sink) items(lines []reconcile.Line) (items []item, problem string) {
	seen := map[string]bool{}
	for _, l := range lines {
		id := map[ItemColumn]string{ByUniqueID: l.UniqueID, ByItem: l.Item, ByLine: l.ID}[s.options.Item]
		switch {
		case id == "" || l.Quantity.IsZero():
			continue
		case seen[id]:
			return nil, "one cart item stands on two lines"
		case !l.Quantity.IsInt() || !l.Quantity.IsPos():
			return nil, "a quantity of a cart item is no number of things"
		}
		seen[id] = true
		items = append(items, item{id, json.Number(l.Quantity.Trim(0).String())})
	}
	return items, ""
}

// Send posts each confirmation by itself.
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	address := strings.TrimRight(s.options.URL, "/") + "/v1/cart/confirm" // [P]
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		var c struct {
			Confirm json.RawMessage `json:"confirm"`
			Session string          `json:"session"`
		}
		if json.Unmarshal(e.Body, &c) != nil || c.Session == "" {
			outcomes[i] = reconcile.Outcome{ID: e.ID, Verdict: reconcile.Unsent, Reason: reconcile.ReasonCannotCompose}
			continue
		}
		answer := s.client.PostAs(ctx, address, http.Header{"Rokt-Session-Id": {c.Session}}, c.Confirm) // [P]
		outcomes[i] = judge(answer).Outcome(e.ID, answer)
	}
	return outcomes
}

// judge is the one place where this platform differs from the table: a success
// with an object that names no errors is taken as confirmed [I].
func judge(a httpapi.Answer) httpapi.Finding {
	var answer struct {
		Errors json.RawMessage `json:"errors"`
	}
	if !a.OK() || !a.Whole || !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &answer) != nil {
		return httpapi.Classify(a)
	}
	if text := string(answer.Errors); text == "" || text == "null" || text == "[]" {
		return httpapi.Finding{Verdict: reconcile.Sent, Why: "confirmed"}
	}
	return httpapi.Classify(a)
}
