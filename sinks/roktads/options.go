package roktads

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
	"makegood/sinks/outfile"
)

// API is one of the ways in.
type API string

// The ways in.
const (
	// Events is the Event & Audience API, the current one.
	Events API = "events"
	// Conversions is the Conversions API: a fixed set of fields.
	Conversions API = "conversions"
	// CSV is a file in the shape of the manual import, for accounts without
	// keys [P]. Its lines are written as outfile writes them, so a line that is
	// there is not written again.
	CSV API = "csv"
)

// The oldest conversions that are taken, by API [P]. Twelve months are as many
// days as the shortest of them have.
const (
	MaxAgeEvents      = 30 * 24 * time.Hour
	MaxAgeConversions = 365 * 24 * time.Hour
)

// Sizes in bytes and in items. The platform takes 256 KB in all and 128 KB an
// item [P]; what is sent stays below both.
const (
	MaxBatch = 100 // [P]
	maxBody  = 200_000
	maxItem  = 128_000
)

// Identity is one of the things that a customer is known by.
type Identity string

// The identities. An item needs one of them [P].
const (
	Email   Identity = "email"        // as the source has it, trimmed
	Hash    Identity = "email_sha256" // hexadecimal SHA-256 of the trimmed lower-case address [P]
	ClickID Identity = "click_id"     // what Rokt put behind the link of its offer
)

// Options of a Sink. Name and Type are required, Path with CSV and URL with the
// others, Environment with Events and Account with Conversions. Without Key and
// Secret it can plan, but the platform refuses the login.
type Options struct {
	Name    string // of the target, in the ledger
	URL     string // the whole address of the API
	API     API
	Key     string // secret
	Secret  string // secret
	Account string // of the Conversions API

	Path string         // of the file, as outfile has it
	Zone *time.Location // of the day in Path

	// Environment is "production", or "development", which is not counted [P].
	Environment string
	// Test asks the Conversions API to look at events and to keep none [P].
	Test bool

	Type       string     // the conversion type: "purchase"
	Identities []Identity // what of a customer is sent; empty: nobody could be
	Batch      int        // items in one request, at most MaxBatch; 0 is that
	// MergesRepeats says that a conversion that is told twice counts once.
	MergesRepeats bool

	MaxAge time.Duration // 0 and more than the API takes: what it takes; 0 with CSV: no limit is known [U]
	Value  reconcile.ValueOf
	// OrderID gives the order's number as the shop's front end sends it; nil is
	// the order's own. An error holds the event back.
	OrderID func(reconcile.Head) (string, error)

	// Pace is waited for before each request beyond the first of a batch, with
	// the number of its events; nil does not wait.
	Pace func(ctx context.Context, events int) error
	// Fit is asked about each event of such a request right before it is sent:
	// the reason why it must not go any more, or ""; nil has none.
	Fit func(reconcile.Event) reconcile.Reason

	// HTTP is how requests are made; its Header is set here.
	HTTP httpapi.Options
}

// Sink is a reconcile.Sink of one Rokt Ads account.
type Sink struct {
	options Options
	client  *httpapi.Client
	file    *outfile.Sender // with CSV
}

// New makes a sink, or says what is missing. The error holds no secret.
func New(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	oldest := map[API]time.Duration{Events: MaxAgeEvents, Conversions: MaxAgeConversions}[o.API]
	if oldest > 0 && (o.MaxAge <= 0 || o.MaxAge > oldest) {
		o.MaxAge = oldest
	}
	if o.Batch <= 0 || o.Batch > MaxBatch {
		o.Batch = MaxBatch
	}
	if o.OrderID == nil {
		o.OrderID = func(h reconcile.Head) (string, error) { return h.Key.Order, nil }
	}
	if o.Pace == nil {
		o.Pace = func(context.Context, int) error { return nil }
	}
	if o.Fit == nil {
		o.Fit = func(reconcile.Event) reconcile.Reason { return "" }
	}
	login := base64.StdEncoding.EncodeToString([]byte(o.Key + ":" + o.Secret))
	o.HTTP.Header = http.Header{"Authorization": {"Basic " + login}} // [P]
	s := &Sink{options: o, client: httpapi.New(o.HTTP)}
	if o.API == CSV {
		s.file = s.openFile()
	}
	return s, nil
}

func (o Options) check() error {
	switch {
	case o.Name == "":
		return errors.New("a target needs a name")
	case o.URL == "" && o.API != CSV:
		return errors.New("a rokt_ads target needs a url")
	case o.Path == "" && o.API == CSV:
		return errors.New("a rokt_ads target with api csv needs a path")
	case o.API != Events && o.API != Conversions && o.API != CSV:
		return fmt.Errorf("a rokt_ads target has no api %q; choose events, conversions or csv", o.API)
	case o.API == CSV && slices.Contains(o.Identities, Hash):
		return errors.New("a rokt_ads target with api csv cannot send email_sha256: the import knows no such column")
	case o.API == Events && o.Environment != "production" && o.Environment != "development":
		return errors.New("a rokt_ads target needs an environment: production or development")
	case o.API == Conversions && o.Account == "":
		return errors.New("a rokt_ads target with api conversions needs an account")
	case o.Type == "":
		return errors.New("a rokt_ads target needs a conversion_type")
	case strings.Contains(o.Key, ":"):
		return errors.New("the api_key of a rokt_ads target holds a colon, which belongs between key and secret")
	}
	return nil
}

// Close closes idle connections.
func (s *Sink) Close() { s.client.Close() }

// Begin makes the book beside the file, so that a crash from now on can be
// looked into.
func (s *Sink) Begin(ctx context.Context) error {
	if s.file == nil {
		return nil
	}
	return s.file.Begin(ctx)
}

// Name is the target's name.
func (s *Sink) Name() string { return s.options.Name }

// Traits speak of purchases, which are told as conversions.
func (s *Sink) Traits() map[reconcile.Kind]reconcile.KindTraits {
	return map[reconcile.Kind]reconcile.KindTraits{reconcile.KindPurchase: {
		MaxBatch: s.options.Batch, MergesRepeats: s.options.MergesRepeats || s.file != nil, MaxAge: s.options.MaxAge,
	}}
}

// Expect wants one conversion of every head.
func (s *Sink) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	return []reconcile.Want{{
		ID:     reconcile.NewEventID(reconcile.KindPurchase, h.Key),
		Kind:   reconcile.KindPurchase,
		Person: reconcile.PersonOf(h),
		Value:  s.options.Value.Of(h),
		Facts:  reconcile.FactsOf(h),
		Hold:   s.hold(h, asOf),
	}}
}

// hold judges a head. The age is that of the time which the platform is told.
func (s *Sink) hold(h reconcile.Head, asOf time.Time) reconcile.Reason {
	hold := reconcile.HoldOf(h, asOf, reconcile.HeadRules{
		MaxAge: s.options.MaxAge, KnownOtherwise: s.sends(ClickID) && clickID(h) != "",
	})
	if hold == "" && s.options.MaxAge > 0 && orderedAt(h).Before(asOf.Add(-s.options.MaxAge)) {
		return reconcile.ReasonTooOld
	}
	return hold
}
