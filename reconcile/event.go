package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is the kind of an event, the first part of its id.
type Kind string

// The kinds. A cart event becomes a clear or an update when it is composed.
// Creations, upgrades and confirmations of carts may cost the customer money.
const (
	KindPurchase    Kind = "purchase"
	KindCart        Kind = "cart"
	KindCartCreate  Kind = "cart_create"  // a cart, or an order on account, that is made
	KindCartUpgrade Kind = "cart_upgrade" // a dearer product in place of one that a cart has
	KindCartConfirm Kind = "cart_confirm" // a cart whose order was paid
)

// sendOrder is the order in which a target's kinds are sent: what others may
// wait for first, cart changes last.
var sendOrder = [...]Kind{KindCartCreate, KindCartUpgrade, KindPurchase, KindCartConfirm, KindCart}

// Action is what an event became: what goes over the wire.
type Action string

// The actions.
const (
	ActionPurchase    Action = "purchase"
	ActionCartClear   Action = "cart_clear"
	ActionCartUpdate  Action = "cart_update"
	ActionCartCreate  Action = "cart_create"
	ActionCartUpgrade Action = "cart_upgrade"
	ActionCartConfirm Action = "cart_confirm"
)

// EventID names one event at every target: kind/shop/order, with /1, /2 and so
// on behind it for its position in a chain of upgrades, and ~2, ~3 and so on
// for corrections. Its parts are percent-encoded where they hold '%', '/', '~'
// or control characters.
type EventID string

// NewEventID builds the id of an order's event of a kind.
func NewEventID(kind Kind, key OrderKey) EventID {
	return EventID(string(kind) + "/" + escapeID(key.Shop) + "/" + escapeID(key.Order))
}

// MaxChain is how many products of one order may replace each other.
const MaxChain = 64

// At is the id of the same kind of event at a position in the order's chain of
// upgrades, from 1. id is one without a position.
func (id EventID) At(n int) EventID { return id + EventID("/"+strconv.Itoa(n)) }

// Position is where in a chain of upgrades an event stands, from 1; 0 for one
// that stands in none.
func (id EventID) Position() int {
	base, _, _ := strings.Cut(string(id), "~")
	parts := strings.Split(base, "/")
	if len(parts) < 4 {
		return 0
	}
	n, err := strconv.Atoi(parts[3])
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// Kind is the id's first part.
func (id EventID) Kind() Kind {
	kind, _, _ := strings.Cut(string(id), "/")
	return Kind(kind)
}

// Key gives back the order that the id was built from.
func (id EventID) Key() (OrderKey, error) {
	parts := strings.Split(string(id), "/")
	if len(parts) < 3 {
		return OrderKey{}, fmt.Errorf("read event id %q: want kind/shop/order", string(id))
	}
	order, _, _ := strings.Cut(parts[2], "~")
	return OrderKey{Shop: unescapeID(parts[1]), Order: unescapeID(order)}, nil
}

// Revised is the id of the nth version of an event that a target is told of,
// n from 2: a correction, an event of its own that needs the version before it
// done. id is that of the first version.
func (id EventID) Revised(n int) EventID { return id + EventID("~"+strconv.Itoa(n)) }

// Revision tells which version of an event an id is of: 1 for the first, more
// for a correction.
func (id EventID) Revision() int {
	_, text, _ := strings.Cut(string(id), "~")
	if n, err := strconv.Atoi(text); err == nil && n > 1 {
		return n
	}
	return 1
}

const hexDigits = "0123456789ABCDEF"

func mustEscape(c byte) bool {
	return c < 0x20 || c == 0x7f || c == '%' || c == '/' || c == '~'
}

func escapeID(s string) string {
	clean := true
	for i := range len(s) {
		clean = clean && !mustEscape(s[i])
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; mustEscape(c) {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unescapeID(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// MaxOrderID is how long an order id may be, in bytes.
const MaxOrderID = 200

// ShortID gives an id that is no longer than an order id may be. A longer one
// belongs to a bad order; it keeps its beginning and a hash of the whole.
func ShortID(id string) string {
	if len(id) <= MaxOrderID {
		return id
	}
	cut := MaxOrderID - 20
	for !utf8.RuneStart(id[cut]) {
		cut--
	}
	return id[:cut] + "..." + HashFields(id).String()[:16]
}

// Person identifies whom an event is about: "email:" and the trimmed,
// lower-case address, else "customer:", shop, "/" and the customer id, else "".
// It is personal data: it is never logged, and the ledger keeps a keyed hash.
type Person string

// PersonOf names the person of a head.
func PersonOf(h Head) Person {
	if h.Email != "" {
		return EmailPerson(h.Email)
	}
	if h.Customer != "" {
		return Person("customer:" + h.Key.Shop + "/" + h.Customer)
	}
	return ""
}

// EmailPerson names the person behind an address.
func EmailPerson(email string) Person {
	return Person("email:" + strings.ToLower(strings.TrimSpace(email)))
}

// Value is an event's amount. A nil Amount means that the event has none, as
// cart clears and updates do; nothing is then added to the money.
type Value struct {
	Amount   *Decimal `json:"amount,omitempty"`
	Currency string   `json:"currency,omitempty"`
	Of       AmountOf `json:"of,omitempty"`
}

// Facts are what the ledger keeps of the order beside the event. None of them
// is personal data. The fields stand in the order of their keys, as everywhere
// in a plan's steps: a step's JSON is canonical.
type Facts struct {
	Chain          Digest    `json:"chain,omitzero"` // ChainDigest of a charge; not read back
	CompletedAt    time.Time `json:"completed_at"`
	Cosmetic       Digest    `json:"cosmetic"`
	CosmeticFields string    `json:"cosmetic_fields,omitempty"`
	Digest         Digest    `json:"digest"`
	Goods          Digest    `json:"goods,omitzero"` // for likenesses; not read back
	Mark           Digest    `json:"-"`              // Head.Mark; not read back
	Source         string    `json:"source"`
	Store          string    `json:"store,omitempty"` // StoreMark, not the name
}

// StoreMark is the short hash of a store that entries keep.
func StoreMark(store string) string {
	if store == "" {
		return ""
	}
	return HashFields("store", store).String()[:16]
}

// FactsOf gathers what the ledger keeps of a head.
func FactsOf(h Head) Facts {
	return Facts{
		Source: h.Source, CompletedAt: h.CompletedAt, Store: StoreMark(h.Store),
		Digest: h.Digest, Cosmetic: h.Cosmetic, CosmeticFields: h.CosmeticFields,
	}
}

// Want is one event that a head should give, before anything is known of what
// the ledger says. Hold, when it is set, is why it must not be sent.
type Want struct {
	ID     EventID
	Kind   Kind
	Person Person
	Value  Value
	Facts  Facts
	Hold   Reason
	After  []EventID // must have ended before this one is sent
}

// CartCheck is what must still be true of a person's stored cart when a cart
// event is sent (RULES R1). The zero value asks for nothing.
type CartCheck struct {
	// Before is when the event becomes too old to be sent.
	Before time.Time `json:"before,omitzero"`
	// Carts names the open-carts source that must be asked again; "" when the
	// channel is known by a column or always.
	Carts string `json:"carts,omitempty"`
	// CheckedOut is the checkout's time; Margin how far clocks may differ.
	CheckedOut time.Time `json:"checked_out,omitzero"`
	// Digest is the stored cart on which the decision rests.
	Digest Digest        `json:"digest,omitzero"`
	Margin time.Duration `json:"margin,omitempty"`
	// Others is what the ledger knew of the person's other cart events.
	Others Digest `json:"others,omitzero"`
}

// Event is what one target is told about one order: final bytes, ready to be
// claimed and sent.
type Event struct {
	Action   Action          `json:"action"`
	After    []EventID       `json:"after,omitempty"`
	Body     json.RawMessage `json:"body,omitempty"` // canonical JSON of this event alone
	Cart     CartCheck       `json:"cart,omitzero"`
	Customer string          `json:"customer,omitempty"` // for suppression only
	Doubt    Doubting        `json:"-"`                  // of this attempt; set by the lane
	Expiry   time.Time       `json:"expiry,omitzero"`    // not sent from then on: too_old
	Facts    Facts           `json:"facts"`
	ID       EventID         `json:"id"`
	Kind     Kind            `json:"kind"`
	Needs    []EventID       `json:"needs,omitempty"` // must be done, with a receipt, before this one is sent
	// Path is what stands behind the target's address: path and query, where
	// the sink's events differ in them. Like Body it may hold ReceiptMark of
	// what the event needs.
	Path   string `json:"path,omitempty"`
	Person Person `json:"person,omitempty"`
	Shown  string `json:"shown,omitempty"` // the order id that the platform sees
	Value  Value  `json:"value,omitzero"`
}

// Doubting says why an earlier run may have sent an event, "" when none can
// have, and when the ledger last wrote of it: of a lost claim, when it was made.
type Doubting struct {
	Reason Reason
	At     time.Time
}

// KindTraits say how a target treats one kind of event.
type KindTraits struct {
	MaxBatch      int           // events in one request, at least 1
	MergesRepeats bool          // a second event with the same id changes nothing
	MaxAge        time.Duration // oldest order it may be about; 0: no limit
}

// Sink delivers events to one target. Implementations are safe for concurrent
// use.
type Sink interface {
	// Name identifies the target in the ledger; it must never change.
	Name() string
	// Traits tells of every kind that the target is sent.
	Traits() map[Kind]KindTraits
	// Expect says without lines which events a head should give, and for each
	// perhaps a Hold of the target's own. Pure. The balance counts these.
	// Rules that hold for every target (permission, suppression, since,
	// identity of the number, evidence) are not the sink's.
	Expect(h Head, asOf time.Time) []Want
	// Compose makes the bodies of the wants that will be sent, and decides
	// between clear, update and a hold for a want of kind cart. Pure. It
	// returns the events that could be made, and for each of the others a
	// *Held (errors.Join for several).
	Compose(o Order, wants []Want, known Carts, asOf time.Time) ([]Event, error)
	// Send attempts each event once and reports one outcome per event, in the
	// order of batch. It does not retry. An outcome whose verdict nobody set
	// is in doubt: that is the zero value.
	Send(ctx context.Context, batch []Event) []Outcome
}
