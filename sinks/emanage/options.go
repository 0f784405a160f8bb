package emanage

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Use says what a sink's carts are.
type Use int

// The uses. The zero value sends nothing.
const (
	Look Use = iota // shadow: events are made and counted
	Test            // trial: test carts, behaviorId 2 [P]
	Real            // live: they charge
)

// testBehavior marks a test cart [P].
const testBehavior = "2"

// Options of a Sink.
type Options struct {
	Name string
	URL  string // with /api, such as https://sales-prod.tryemanagecrm.com/api [C]
	CID  string // of the header X_CID [C]
	// WebKey is the campaign's GUID, which is part of the address [P].
	WebKey string
	Use    Use
	// Behavior is the behaviorId of real carts, "": none is sent. Which ones
	// there are beside 2 is not known [U].
	Behavior string
	// TestSessions says that the source's sessions are those of test carts; else
	// a test touches only carts that makegood made.
	TestSessions bool
	// MaxCharge is what one order may be charged in all, by currency; it is
	// needed for real carts.
	MaxCharge map[string]reconcile.Decimal
	// Send are the actions that are wanted: cart_create, cart_upgrade.
	Send   []reconcile.Action
	MaxAge time.Duration // older orders are not charged any more; 0: no limit
	// SessionField is where new answers with the session, when the answer is an
	// object; "" is sessionId. A bare text is taken as it stands [U].
	SessionField string
	// AnyText takes a text that is no JSON, in answer to add, as accepted.
	AnyText bool
	HTTP    httpapi.Options
}

// Sink makes carts at one campaign. It implements reconcile.Sink.
type Sink struct {
	options Options
	base    string
	client  *httpapi.Client
}

var _ reconcile.Sink = (*Sink)(nil)

// keyText is what a campaign's GUID and the X_CID may hold: they are put into
// addresses and headers.
var keyText = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// New checks the options; it opens no connection.
func New(o Options) (*Sink, error) {
	base, err := url.Parse(o.URL)
	known := func(a reconcile.Action) bool {
		return a == reconcile.ActionCartCreate || a == reconcile.ActionCartUpgrade
	}
	switch {
	case err != nil || base.Host == "":
		return nil, errors.New("the url is no address")
	case o.Use != Look && (!keyText.MatchString(o.WebKey) || !keyText.MatchString(o.CID)):
		return nil, errors.New("webkey and cid have letters, digits and hyphens")
	case o.Use == Real && len(o.MaxCharge) == 0:
		return nil, errors.New("max_charge is missing: what one order may be charged in all")
	case o.Use == Real && o.Behavior == testBehavior:
		return nil, errors.New("behavior_id 2 marks test carts, which are no real ones")
	case len(o.Send) == 0 || slices.ContainsFunc(o.Send, func(a reconcile.Action) bool { return !known(a) }):
		return nil, errors.New("send takes cart_create and cart_upgrade")
	}
	if o.SessionField == "" {
		o.SessionField = "sessionId"
	}
	if o.Use == Test {
		o.Behavior = testBehavior
	}
	header := http.Header{}
	for name, values := range o.HTTP.Header {
		header[name] = values
	}
	header["X_CID"] = []string{o.CID} // with an underscore, as it is [C]
	o.HTTP.Header = header
	address := strings.TrimSuffix(o.URL, "/") + "/shoppingcart/" + url.PathEscape(o.WebKey) + "/"
	return &Sink{options: o, base: address, client: httpapi.New(o.HTTP)}, nil
}

// Name is the target's. Test carts are another destination, so that nothing
// that was tried counts as charged when real ones are made.
func (s *Sink) Name() string {
	if s.options.Use == Test {
		return s.options.Name + ".test"
	}
	return s.options.Name
}

// Traits: one cart in a request [P], and no repeat merges: none is documented
// [U], and a second charge would be the price of believing it.
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	traits := map[reconcile.Kind]reconcile.KindTraits{}
	for _, a := range s.options.Send {
		traits[reconcile.Kind(a)] = reconcile.KindTraits{MaxBatch: 1, MaxAge: s.options.MaxAge}
	}
	return traits
}

// Close ends the sink's connections.
func (s *Sink) Close() { s.client.Close() }
