package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// RoktRules are the switches for what is unknown [U] about Rokt's cart API. The zero value is the strictest reading that
// a sender with correct calls passes.
type RoktRules struct {
	// RefuseRepeats answers a second confirmation of an order with 422; otherwise it counts a second time, for nobody
	// says that a repeat is safe.
	RefuseRepeats bool
	// NoPlacements answers that no placement is available.
	NoPlacements bool
}

const (
	roktPlacements = "/v1/placements/any"
	roktConfirm    = "/v1/cart/confirm"
)

// roktCalls are the calls of the cart API [P]. Those that makegood never makes are answered and not remembered.
var roktCalls = []string{roktPlacements, roktConfirm, "/v1/cart/reserve", "/v1/cart/release", "/v1/confirmation/cancel"}

func isRokt(path string) bool { return slices.Contains(roktCalls, path) }

// RoktItem is one confirmed item.
type RoktItem struct {
	CartItem    string `json:"cartItemId"`
	Reservation string `json:"itemReservationId,omitempty"`
	Quantity    int    `json:"quantity,omitempty"`
}

// RoktConfirmation is what Rokt believes about one order.
type RoktConfirmation struct {
	OrderID string     `json:"order_id"`
	CartID  string     `json:"cart_id"`
	Session string     `json:"session"`
	Items   []RoktItem `json:"items"`
	Count   int        `json:"count"` // how often it was confirmed: more than once may be a second charge
	First   time.Time  `json:"first"`
}

// roktCall is one judged request.
type roktCall struct {
	path    string
	confirm RoktConfirmation
}

func (s *Simulator) readRokt(c *call) intake {
	in := intake{platform: Rokt}
	header := c.r.Header.Get
	key, tag, session := header("rokt-api-key"), header("rokt-tag-id"), header("rokt-session-id")
	want, known := s.opts.Accounts[tag]
	switch {
	case c.r.Method != http.MethodPost:
		in.refusal = refuse(http.StatusMethodNotAllowed, "only POST is accepted")
	case key == "" || tag == "" || len(s.opts.Accounts) > 0 && (!known || want != key):
		in.refusal = roktError(http.StatusForbidden, "FORBIDDEN", "the key or the tag is wrong")
	case session == "" && c.r.URL.Path != roktPlacements: // its answer makes one, or pairs with one
		in.refusal = roktError(http.StatusBadRequest, "SESSION", "rokt-session-id is missing")
	case !isJSON(header("Content-Type")):
		in.refusal = roktError(http.StatusBadRequest, "CONTENT_TYPE", "the content type is not application/json")
	}
	if in.refusal != nil {
		return in
	}
	r := &roktCall{path: c.r.URL.Path}
	if problem := r.read(c.body); problem != "" {
		in.refusal = roktError(http.StatusUnprocessableEntity, "INVALID", problem)
		return in
	}
	r.confirm.Session = session
	if r.confirm.OrderID != "" {
		in.orders = []string{r.confirm.OrderID}
	}
	in.pending = r
	return in
}

// roktError is the documented form [P].
func roktError(status int, code, text string) *reply {
	body, _ := json.Marshal(map[string]any{"description": text,
		"errors": []any{map[string]string{"code": code, "message": text, "value": ""}}}) // texts always marshal
	return &reply{status: status, body: body}
}

// read judges the body of a call [P].
func (r *roktCall) read(body []byte) (problem string) {
	switch r.path {
	case roktConfirm:
		return r.readConfirm(body)
	case roktPlacements:
		var p struct {
			CartID         string            `json:"cartId"`
			PageIdentifier string            `json:"pageIdentifier"`
			URL            string            `json:"url"`
			Attributes     map[string]string `json:"attributes"`
		}
		if strictly(body, &p) != nil || p.CartID == "" || p.PageIdentifier == "" || !isURL(p.URL) || p.Attributes == nil {
			return "cartId, pageIdentifier, url and attributes are wanted, and nothing else"
		}
		return ""
	}
	if _, err := parseObject(body); err != nil {
		return err.Error()
	}
	return ""
}

func (r *roktCall) readConfirm(body []byte) (problem string) {
	var b struct {
		CartID  string     `json:"cartId"`
		OrderID string     `json:"orderId"`
		Items   []RoktItem `json:"items"`
	}
	if strictly(body, &b) != nil || b.CartID == "" || b.OrderID == "" || len(b.Items) == 0 {
		return "cartId, orderId and items are wanted, and nothing else"
	}
	seen := map[string]bool{}
	for _, i := range b.Items {
		if i.CartItem == "" || seen[i.CartItem] || (i.Reservation == "") == (i.Quantity == 0) || i.Quantity < 0 {
			return "each item has its own cartItemId, and either an itemReservationId or a quantity"
		}
		seen[i.CartItem] = true
	}
	r.confirm = RoktConfirmation{CartID: b.CartID, OrderID: b.OrderID, Items: b.Items}
	return ""
}

func (r *roktCall) store(s *Simulator, at time.Time) (reply, []Accepted) {
	switch r.path {
	case roktPlacements:
		body, _ := json.Marshal(map[string]bool{"result": !s.opts.Rokt.NoPlacements}) // a bool always marshals
		return reply{status: http.StatusOK, body: body}, []Accepted{{Platform: Rokt, Kind: "placements"}}
	case roktConfirm:
		return r.confirmed(s, at)
	}
	return reply{status: http.StatusOK, body: []byte("{}")}, []Accepted{{Platform: Rokt, Kind: strings.TrimPrefix(r.path, "/v1/")}}
}

func (r *roktCall) confirmed(s *Simulator, at time.Time) (reply, []Accepted) {
	totals := s.memory.totals(Rokt)
	known := s.memory.confirmations[r.confirm.OrderID]
	switch {
	case known == nil:
		known = &r.confirm
		known.First = at.UTC()
		s.memory.confirmations[known.OrderID] = known
		s.memory.confirmationOrder = append(s.memory.confirmationOrder, known)
		totals.orders++
	case s.opts.Rokt.RefuseRepeats:
		return *roktError(http.StatusUnprocessableEntity, "CONFIRMED", "the order is confirmed already"), nil
	default:
		totals.repeats++
	}
	known.Count++
	return reply{status: http.StatusOK, body: []byte("{}")},
		[]Accepted{{Platform: Rokt, Kind: "confirmation", ID: known.OrderID}}
}

// RoktConfirmations returns the confirmed orders in the order in which they came.
func (s *Simulator) RoktConfirmations() []RoktConfirmation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []RoktConfirmation
	for _, c := range s.memory.confirmationOrder {
		views = append(views, *c)
	}
	return views
}
