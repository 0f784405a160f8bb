package collect

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Identity is what a person is known by: what the shop's page hands to
// setUserInfo.
type Identity string

// The identities.
const (
	IdentityEmail  Identity = "" // the address as the source has it
	IdentitySHA256 Identity = "email_sha256"
	// IdentityContactKey is the shop's customer id: where the page hands a
	// subscriber's id to setUserInfo, user_info.email takes it, too [P].
	IdentityContactKey Identity = "contact_key"
)

// ClearForm is where a clear says so.
type ClearForm string

// The forms.
const (
	ClearFlat   ClearForm = ""       // payload.clear_cart [P: the customer's document]
	ClearNested ClearForm = "nested" // payload.cart.clear_cart [P: the server reference]
)

// KnownBy says how it is known what a checkout did to the stored cart (RULES
// R1).
type KnownBy string

// The ways of knowing. The zero value is not knowing: purchase only.
const (
	KnownByCarts  KnownBy = "carts"  // an open-carts source
	KnownByColumn KnownBy = "column" // Head.CartUsed
	KnownByAlways KnownBy = "always" // the app's checkout is the cart; for channel mobile only
)

// CartRule is how carts are known for one channel.
type CartRule struct {
	KnownBy KnownBy
	// Source names open carts: KnownByCarts decides by them. The other ways only
	// ask whether the cart was used since the checkout; "": nobody is asked.
	Source string
	MaxAge time.Duration // of a checkout at sending; 0: 24 h by carts, 60 min otherwise
}

// DefaultMargin is how far clocks of tills are taken to differ.
const DefaultMargin = 15 * time.Minute

// The channels that have cart events.
const (
	channelStore  = "in_store"
	channelMobile = "mobile"
)

// Options of a Sink. Name, URL, MID and Send are required; MaxAge for
// purchases, and the page of each cart action that is sent.
type Options struct {
	Name   string // of the target, in the ledger
	URL    string // the host: https://nova.collect.igodigital.com
	MID    string
	Suffix string // of the path: "" or ".json"

	Send     []reconcile.Action
	Cart     map[string]CartRule // by channel
	Margin   time.Duration       // 0: DefaultMargin
	CartURL  string              // the page of the cart
	ClearURL string              // the page that empties it

	Identity Identity
	Clear    ClearForm
	MaxAge   time.Duration // of purchases
	Value    reconcile.ValueOf
	// OrderID gives the number that the platform sees; nil is the order's own.
	// An error holds the purchase back.
	OrderID func(reconcile.Head) (string, error)

	HTTP httpapi.Options
}

// Sink is a reconcile.Sink of one MID.
type Sink struct {
	options Options
	client  *httpapi.Client
}

// New makes a sink, or says what is missing.
func New(o Options) (*Sink, error) {
	sends := func(a reconcile.Action) bool { return slices.Contains(o.Send, a) }
	switch {
	case o.Name == "":
		return nil, errors.New("a target needs a name")
	case o.URL == "":
		return nil, errors.New("a collect target needs a url")
	case o.MID == "":
		return nil, errors.New("a collect target needs a mid")
	case len(o.Send) == 0:
		return nil, errors.New("a collect target needs something to send")
	case sends(reconcile.ActionPurchase) && o.MaxAge <= 0:
		return nil, errors.New("a collect target needs max_age: an old purchase counts as made now")
	case sends(reconcile.ActionCartUpdate) && o.CartURL == "":
		return nil, errors.New("a collect target that sends cart_update needs cart_url")
	case sends(reconcile.ActionCartClear) && o.ClearURL == "":
		return nil, errors.New("a collect target that sends cart_clear needs clear_url")
	}
	o.Margin = cmp.Or(o.Margin, DefaultMargin)
	if o.OrderID == nil {
		o.OrderID = func(h reconcile.Head) (string, error) { return h.Key.Order, nil }
	}
	return &Sink{options: o, client: httpapi.New(o.HTTP)}, nil
}

// Close closes idle connections.
func (s *Sink) Close() { s.client.Close() }

// Name is the target's name.
func (s *Sink) Name() string { return s.options.Name }

func (s *Sink) sends(actions ...reconcile.Action) bool {
	return slices.ContainsFunc(actions, func(a reconcile.Action) bool { return slices.Contains(s.options.Send, a) })
}

func (s *Sink) sendsCarts() bool {
	return s.sends(reconcile.ActionCartClear, reconcile.ActionCartUpdate)
}

// Traits tell of the kinds that are sent. Neither merges repeats: a second
// conversion counts again as far as is known [U], and a second clear may meet a
// cart that was filled since.
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	traits := map[reconcile.Kind]reconcile.KindTraits{}
	if s.sends(reconcile.ActionPurchase) {
		traits[reconcile.KindPurchase] = reconcile.KindTraits{MaxBatch: 1, MaxAge: s.options.MaxAge}
	}
	if s.sendsCarts() {
		oldest := max(s.clearAge(channelStore), s.clearAge(channelMobile))
		traits[reconcile.KindCart] = reconcile.KindTraits{MaxBatch: 1, MaxAge: oldest}
	}
	return traits
}

// rule is how carts of a channel are known; the zero rule is not at all.
func (s *Sink) rule(channel string) CartRule {
	rule := s.options.Cart[channel]
	if rule.KnownBy == KnownByAlways && channel != channelMobile {
		return CartRule{}
	}
	return rule
}

func (s *Sink) clearAge(channel string) time.Duration {
	rule := s.rule(channel)
	switch {
	case rule.MaxAge > 0:
		return rule.MaxAge
	case rule.KnownBy == KnownByCarts:
		return 24 * time.Hour
	}
	return time.Hour
}

func (s *Sink) address(action reconcile.Action) string {
	call := "track_cart"
	if action == reconcile.ActionPurchase {
		call = "track_conversion"
	}
	return strings.TrimRight(s.options.URL, "/") + "/c2/" + url.PathEscape(s.options.MID) + "/" + call + s.options.Suffix
}
