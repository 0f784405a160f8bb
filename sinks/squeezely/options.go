package squeezely

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// EmailForm is how an address is written.
type EmailForm string

// The forms. Both stand under the same key [P].
const (
	EmailPlain  EmailForm = ""       // as the source has it
	EmailSHA256 EmailForm = "sha256" // hexadecimal, of the trimmed lower-case address [I]
)

// ProfileFields says which orders may carry names, addresses and such, which
// overwrite what the platform knows [P]. A replay of an old order would put
// older data over newer.
type ProfileFields string

// The policies. The zero value is the safe one.
const (
	ProfileNever     ProfileFields = ""
	ProfileFreshOnly ProfileFields = "fresh_only" // completed within Fresh of the plan
	ProfileAlways    ProfileFields = "always"
)

// Fresh is the age up to which an order is news about its customer.
const Fresh = 24 * time.Hour

// BatchAnswer says what a refusal of a batch means [U].
type BatchAnswer string

// The readings of a refused batch.
const (
	// BatchUnknown makes no claim: where repeats merge, the batch is halved
	// until the refused event stands alone; elsewhere it is in doubt.
	BatchUnknown BatchAnswer = ""
	// BatchAll says that nothing of a refused batch was stored: it is halved.
	BatchAll BatchAnswer = "all"
	// BatchIndex says that the errors name the refused events by their index
	// and that the others were stored. An answer that does not is in doubt.
	BatchIndex BatchAnswer = "index"
)

// Options of a Sink. Name and URL are required; without Account and Key it can
// plan, but the platform refuses the login.
type Options struct {
	Name    string // of the target, in the ledger
	URL     string // the whole address, https://api.squeezely.tech/v1/track
	Account string
	Key     string // secret

	Batch       int // events in one request; 0 is 1
	BatchAnswer BatchAnswer
	// CountsRepeats withdraws the belief that a repeated purchase merges with
	// the first.
	CountsRepeats bool

	MaxAge   time.Duration // older orders are held back; 0: no limit
	Email    EmailForm
	Language string // nl-NL; of orders without one, and the country of a bare "nl"
	Value    reconcile.ValueOf
	Profile  ProfileFields
	// OrderID gives the order's number as the shop's front end sends it; nil is
	// the order's own. An error holds the event back.
	OrderID func(reconcile.Head) (string, error)

	// Pace is waited for before each request that a refused batch is cut into,
	// with the number of its events; nil does not wait.
	Pace func(ctx context.Context, events int) error
	// Fit is asked about each event of such a request right before it is sent:
	// the reason why it must not go any more, or ""; nil has none.
	Fit func(reconcile.Event) reconcile.Reason

	// HTTP is how requests are made; its Header is set here.
	HTTP httpapi.Options
}

// Sink is a reconcile.Sink of one Squeezely account.
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
		return nil, errors.New("a squeezely target needs a url")
	case !isHeader(o.Account), !isHeader(o.Key):
		return nil, errors.New("the account or the api_key of a squeezely target holds a character that no header can")
	}
	o.Batch = max(o.Batch, 1)
	if o.OrderID == nil {
		o.OrderID = func(h reconcile.Head) (string, error) { return h.Key.Order, nil }
	}
	if o.Pace == nil {
		o.Pace = func(context.Context, int) error { return nil }
	}
	if o.Fit == nil {
		o.Fit = func(reconcile.Event) reconcile.Reason { return "" }
	}
	o.HTTP.Header = http.Header{}
	o.HTTP.Header.Set("X-AUTH-ACCOUNT", o.Account) // [P]
	o.HTTP.Header.Set("X-AUTH-APIKEY", o.Key)      // [P]
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

// Traits speak of purchases, the only kind there is: no event for refunds or
// carts from the backend is documented [U].
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {
		MaxBatch: s.options.Batch, MergesRepeats: !s.options.CountsRepeats, MaxAge: s.options.MaxAge,
	}}
}

// Expect wants one purchase of every head.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	want := reconcile.Want{
		ID:     reconcile.NewEventID(reconcile.KindPurchase, h.Key),
		Kind:   reconcile.KindPurchase,
		Person: reconcile.PersonOf(h),
		Value:  s.options.Value.Of(h),
		Facts:  reconcile.FactsOf(h),
		Hold:   reconcile.HoldOf(h, asOf, reconcile.HeadRules{MaxAge: s.options.MaxAge}),
	}
	if _, ok := languageOf(h.Language, s.options.Language); !ok && want.Hold == "" {
		want.Hold = reconcile.ReasonNoLanguage
	}
	return []reconcile.Want{want}
}
