package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/placement"
)

//go:embed rokt-bridge.js
var script []byte

// BridgeOptions of a Bridge. All but Log and Clock are required.
type BridgeOptions struct {
	// Origins are the pages that may talk to it: https://shop.example.com.
	Origins []string
	// Key is what the shop's backend proves itself with. It is never shown.
	Key    string
	Parser placement.Parser
	Rules  placement.Rules
	// Append makes lines durable before it returns.
	Append func(ctx context.Context, lines []byte) error
	Log    *slog.Logger
	Clock  func() time.Time // nil is time.Now
}

// Bridge takes messages of placements, and hands out what would align them with
// the shop's cart. It is an http.Handler, safe for concurrent use:
//
//	GET  /rokt-bridge.js            the page's part
//	POST /rokt/messages             the page: a message, answered with updates
//	POST /rokt/updates              the page: {"session": ID}, answered with updates
//	PUT  /rokt/carts/ID             the shop: its cart, {"lines": [{"sku", "quantity"}]}
//	GET  /rokt/sessions/ID          the shop: where every item of a visit stands
//	GET  /rokt/status               the shop: counts, and what was refused
//
// Pages are known by their origin, the shop by "Authorization: Bearer KEY". What
// pages ask is a POST, for browsers tell no origin with a GET of a page at the
// bridge's own host, where the shop's proxy may put it.
type Bridge struct {
	options BridgeOptions
	mux     *http.ServeMux
	visits  *visits
}

// NewBridge makes a bridge that knows no visit yet.
func NewBridge(o BridgeOptions) *Bridge {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bridge{options: o, mux: http.NewServeMux(), visits: newVisits(o.Rules)}
	b.mux.HandleFunc("GET /rokt-bridge.js", b.script)
	b.mux.HandleFunc("/rokt/messages", b.page(b.message))
	b.mux.HandleFunc("/rokt/updates", b.page(b.updates))
	b.mux.HandleFunc("PUT /rokt/carts/{session}", b.shop(b.cart))
	b.mux.HandleFunc("GET /rokt/sessions/{session}", b.shop(b.session))
	b.mux.HandleFunc("GET /rokt/status", b.shop(b.status))
	return b
}

// ServeHTTP implements http.Handler.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

// Remember takes in a message of an earlier run of the service. ErrTooMuch says
// that its visit has no room for it, which is no reason to stop.
func (b *Bridge) Remember(m placement.Message) error {
	return b.visits.take(m.Session, m.At, func(v *visit) error {
		if err := v.held.fits(m); err != nil {
			return err
		}
		return v.add(m)
	})
}

func (b *Bridge) script(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(script) // a client that left is no concern
}

// page lets the pages of the listed origins in, and tells their browsers so.
func (b *Bridge) page(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		if !slices.Contains(b.options.Origins, origin) {
			fail(w, http.StatusForbidden, "this page's origin is not among serve.bridge.origins")
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		switch r.Method {
		case http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
			w.Header().Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
		case http.MethodPost:
			next(w, r)
		default:
			w.Header().Set("Allow", "POST, OPTIONS")
			fail(w, http.StatusMethodNotAllowed, "only POST is answered here")
		}
	}
}

// shop lets in who knows the key.
func (b *Bridge) shop(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !is || !sameSecret(given, b.options.Key) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "the key of serve.bridge is wanted: Authorization: Bearer KEY")
			return
		}
		next(w, r)
	}
}

// sameSecret takes as long for a near miss as for a far one.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return b != "" && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// body reads a request's JSON within bounds.
func body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(media) != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "the content type is not application/json")
		return nil, false
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, placement.MaxMessage))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		fail(w, http.StatusRequestEntityTooLarge, "the body is larger than 64 KiB")
		return nil, false
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "the body ended early")
		return nil, false
	}
	return data, true
}

// updatesOf is what a page gets: what to ask of its placement.
type updatesOf struct {
	Updates []placement.Change `json:"updates"`
}

// message takes one message: it is on the disk before it counts or is answered.
func (b *Bridge) message(w http.ResponseWriter, r *http.Request) {
	data, ok := body(w, r)
	if !ok {
		return
	}
	m, err := b.options.Parser.Parse(data)
	if err != nil {
		fail(w, http.StatusBadRequest, "the message "+err.Error())
		return
	}
	var got updatesOf
	now := b.options.Clock().UTC()
	err = b.visits.take(m.Session, now, func(v *visit) error {
		if err := v.held.fits(m); err != nil {
			return err
		}
		// Times are this clock's: those of browsers order nothing.
		page := m.At
		if m.At = now; !m.At.After(v.Last) {
			m.At = v.Last.Add(time.Microsecond)
		}
		// A page that is left has said it all the same.
		if err := b.options.Append(context.WithoutCancel(r.Context()), record(m, page, data)); err != nil {
			return &unstored{err}
		}
		b.visits.messages++
		if err := v.add(m); err != nil {
			return err
		}
		got.Updates = v.Changes(m.At)
		b.tell(v.Visit, m)
		return nil
	})
	b.reply(w, got, err)
}

// unstored says that a message could not be made durable.
type unstored struct{ err error }

func (e *unstored) Error() string { return e.err.Error() }
func (e *unstored) Unwrap() error { return e.err }

func (b *Bridge) reply(w http.ResponseWriter, got updatesOf, err error) {
	var lost *unstored
	switch {
	case errors.As(err, &lost):
		b.options.Log.Error("a message could not be kept", "error", err)
		fail(w, http.StatusServiceUnavailable, "the message could not be kept")
	case err != nil: // no 5xx: said again it stays wrong
		fail(w, http.StatusUnprocessableEntity, err.Error())
	default:
		answer(w, http.StatusOK, got)
	}
}

// record is the line that a message is kept as: what reconcile/placement
// reads, with the attributes that are kept and no others.
func record(m placement.Message, page time.Time, data []byte) []byte {
	var whole struct {
		Body json.RawMessage `json:"body"`
	}
	_ = json.Unmarshal(data, &whole) // it was parsed before
	line, _ := json.Marshal(map[string]any{
		"at": m.At.Format(time.RFC3339Nano), "attributes": m.Attributes, "body": whole.Body, "message": m.Kind,
		"page_at": page.Format(time.RFC3339Nano), "session": m.Session,
	}) // texts and JSON always marshal
	return append(line, '\n')
}

// tell logs refusals: item ids and quantities, nothing of the customer.
func (b *Bridge) tell(v *placement.Visit, m placement.Message) {
	if m.Item == nil {
		return
	}
	for _, s := range v.Standings(m.At) {
		if s.Item == m.Item.Catalog && s.Stand == placement.Refused {
			b.options.Log.Warn("Rokt did not take a change", "item", s.Item, "asked", s.Asked, "has", s.Rokt)
		}
	}
}

func (b *Bridge) updates(w http.ResponseWriter, r *http.Request) {
	data, ok := body(w, r)
	if !ok {
		return
	}
	var of struct {
		Session string `json:"session"`
	}
	if json.Unmarshal(data, &of) != nil || of.Session == "" {
		fail(w, http.StatusBadRequest, `the body names no session: {"session": "ID"} is wanted`)
		return
	}
	got := updatesOf{Updates: []placement.Change{}}
	b.visits.look(of.Session, func(v *placement.Visit) { got.Updates = v.Changes(b.options.Clock().UTC()) })
	answer(w, http.StatusOK, got)
}

// maxLines is how many products a shop's cart may have.
const maxLines = 500

// cart takes the shop's whole cart, which replaces the one before.
func (b *Bridge) cart(w http.ResponseWriter, r *http.Request) {
	data, ok := body(w, r)
	if !ok {
		return
	}
	lines, problem := readCart(data)
	if problem != "" {
		fail(w, http.StatusBadRequest, problem)
		return
	}
	now := b.options.Clock().UTC()
	var got []placement.Standing
	err := b.visits.take(r.PathValue("session"), now, func(v *visit) error {
		v.Cart(lines, now)
		v.held.carts(lines)
		got = v.Standings(now)
		return nil
	})
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answer(w, http.StatusOK, map[string]any{"items": got})
}

func readCart(data []byte) (lines []placement.Line, problem string) {
	var cart struct {
		Lines []struct {
			SKU      string      `json:"sku"`
			Quantity json.Number `json:"quantity"`
		} `json:"lines"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cart); err != nil || cart.Lines == nil {
		return nil, `the body is no cart: {"lines": [{"sku": "A1", "quantity": 2}]} is wanted`
	}
	if len(cart.Lines) > maxLines {
		return nil, "the cart has more than 500 lines"
	}
	sums := map[string]reconcile.Decimal{}
	for _, l := range cart.Lines {
		n, err := reconcile.ParseDecimal(l.Quantity.String())
		if err != nil || n.IsNeg() || l.SKU == "" {
			return nil, "a line of the cart has no sku, or a quantity that is no number of things"
		}
		if sums[l.SKU], err = reconcile.Add(sums[l.SKU], n); err != nil {
			return nil, "a quantity has too many digits"
		}
	}
	for sku, n := range sums {
		lines = append(lines, placement.Line{SKU: sku, Quantity: n})
	}
	return lines, ""
}

func (b *Bridge) session(w http.ResponseWriter, r *http.Request) {
	var got []placement.Standing
	if !b.visits.look(r.PathValue("session"), func(v *placement.Visit) { got = v.Standings(b.options.Clock().UTC()) }) {
		fail(w, http.StatusNotFound, "nothing is known of this session")
		return
	}
	answer(w, http.StatusOK, map[string]any{"items": got})
}

func (b *Bridge) status(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, b.Status()) }

// Status counts what the bridge has seen since it began.
func (b *Bridge) Status() Status { return b.visits.status(b.options.Clock().UTC()) }
