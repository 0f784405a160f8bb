package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// EmanageRules are the switches for what is unknown [U] or inferred [I] about EmanageCRM. The zero value is the
// strictest reading that a sender with correct carts passes.
type EmanageRules struct {
	// OneCharge collects all differences of a session as one charge of "first and last" [I]; else each upgrade is
	// charged by itself [P].
	OneCharge bool
	// Uncollectable lets no difference be collected: upgrades are discarded, and the main product ships [P].
	Uncollectable bool
	// OfflineUnpaid leaves carts that upgrade another session unpaid: they are discarded [P].
	OfflineUnpaid bool
	// Repeats charges an upgrade again that stands in the session already; else it is refused.
	Repeats bool
	// Discount is what the campaign takes off every price by itself, in percent: its progressive discount for one
	// product. How it works is not documented beyond the setting [U].
	Discount int
	// Answers is how new tells the session.
	Answers EmanageAnswers
}

// EmanageAnswers is the form of an answer.
type EmanageAnswers int

// The forms [C]: add answers with nothing, or with a text that is no JSON, wherever new does not use an object.
const (
	SessionText   EmanageAnswers = iota // the session as it is
	SessionJSON                         // the session as a JSON text
	SessionObject                       // {"sessionId": ...}; add answers {"success": true}
)

const emanageTest = "2" // the behaviorId of test carts [P]

// emanagePath takes a path apart: .../shoppingcart/{webkey}/new or add.
func emanagePath(path string) (webKey, call string, ok bool) {
	_, rest, ok := strings.Cut(path, "/shoppingcart/")
	if !ok {
		return "", "", false
	}
	webKey, call, ok = strings.Cut(rest, "/")
	return webKey, call, ok && webKey != "" && (call == "new" || call == "add")
}

// EmanageProduct is one product of a cart, as it came.
type EmanageProduct struct {
	ProductID string          `json:"product_id"`
	Price     decimal.Decimal `json:"price"` // of one unit
	Quantity  decimal.Decimal `json:"quantity"`
	Shipping  string          `json:"shipping_method_id"`
	Replaces  string          `json:"replaces,omitempty"` // the product that it was taken in place of
	Discarded bool            `json:"discarded,omitempty"`
}

// EmanageCart is what EmanageCRM believes about one session.
type EmanageCart struct {
	Session  string           `json:"session"`
	WebKey   string           `json:"webkey"`
	Test     bool             `json:"test,omitempty"`
	Parent   string           `json:"parent,omitempty"` // the session whose product it upgrades
	Products []EmanageProduct `json:"products"`         // in the order of upgrades
	// Charges are what the customer was charged through this API, each at the time of its event.
	Charges []decimal.Decimal `json:"charges"`
	Ships   string            `json:"ships,omitempty"` // the product that is sent; empty: none of this session
}

// emanageWrite is one judged request.
type emanageWrite struct {
	webKey, session string // session: that of an add, or the parent of a new one
	test, add       bool
	product         EmanageProduct
	replaced        decimal.Decimal // the quantity of what is replaced
}

func (s *Simulator) readEmanage(c *call) intake {
	in := intake{platform: Emanage}
	webKey, kind, _ := emanagePath(c.r.URL.Path)
	if c.r.Method != http.MethodPost {
		in.refusal = refuse(http.StatusMethodNotAllowed, "carts are posted")
		return in
	}
	if len(c.r.Header["X_cid"]) == 0 || c.r.Header["X_cid"][0] == "" {
		in.refusal = refuse(http.StatusUnauthorized, "X_CID is missing")
		return in
	}
	w := &emanageWrite{webKey: webKey, add: kind == "add"}
	problem := w.read(c)
	if problem != "" {
		in.refusal = refuse(http.StatusBadRequest, problem)
		return in
	}
	in.pending = w
	return in
}

// The bodies [P]: an unknown key, and a value of another type than in the document's samples, is refused.
type (
	emanageNew struct {
		Product  *emanageBody `json:"Product"`
		IP       string       `json:"customerIP"`
		Behavior *json.Number `json:"behaviorId"`
	}
	emanageBody struct {
		ProductID string           `json:"productId"`
		Price     string           `json:"price"`
		Quantity  string           `json:"quantity"`
		Shipping  string           `json:"shippingMethodId"`
		Replaces  *json.RawMessage `json:"upgradePreviewProductId"`
		Replaced  *json.RawMessage `json:"upgradePreviewQuantity"`
		Parent    *string          `json:"upgradeParentSessionId"`
	}
)

// read judges the request as far as it can be without the carts.
func (w *emanageWrite) read(c *call) (problem string) {
	query := c.r.URL.Query()
	behavior := query.Get("behaviorId")
	w.test = behavior == emanageTest
	body := &emanageBody{}
	if w.add {
		if w.session = query.Get("sessionId"); w.session == "" {
			return "sessionId is missing"
		}
		if err := strictly(c.body, body); err != nil {
			return "the body is no product"
		}
	} else {
		var whole emanageNew
		if err := strictly(c.body, &whole); err != nil || whole.Product == nil {
			return "the body has no Product as it should be"
		}
		stated := ""
		if whole.Behavior != nil {
			stated = whole.Behavior.String()
		}
		switch {
		case whole.IP == "":
			return "customerIP is missing"
		case stated != behavior:
			return "behaviorId of the body and of the address differ"
		}
		if body = whole.Product; body.Parent != nil {
			w.session = *body.Parent
		}
	}
	return w.readProduct(body)
}

func (w *emanageWrite) readProduct(body *emanageBody) (problem string) {
	price, priced := parseDecimal(body.Price)
	quantity, counted := parseDecimal(body.Quantity)
	switch {
	case !allDigits(body.ProductID) || !allDigits(body.Shipping):
		return "productId and shippingMethodId are numbers in quotes"
	case !priced || price.IsNeg() || !counted || !quantity.IsPos() || !quantity.IsInt():
		return "price and quantity are numbers in quotes, quantity a whole one"
	case w.add && body.Parent != nil:
		return "an upgrade of the same session has no upgradeParentSessionId"
	case (body.Replaces == nil) != (body.Replaced == nil):
		return "upgradePreviewProductId and upgradePreviewQuantity belong together"
	case (w.add || w.session != "") != (body.Replaces != nil):
		return "an upgrade says what it replaces and which session, a new cart neither"
	}
	w.product = EmanageProduct{ProductID: body.ProductID, Price: price, Quantity: quantity, Shipping: body.Shipping}
	if body.Replaces == nil {
		return ""
	}
	id, replaced := string(*body.Replaces), string(*body.Replaced)
	old, known := parseDecimal(replaced)
	if !allDigits(id) || !known {
		return "upgradePreviewProductId and upgradePreviewQuantity are numbers"
	}
	w.product.Replaces, w.replaced = id, old
	return ""
}

// store makes or upgrades a cart, and charges for it.
func (w *emanageWrite) store(s *Simulator, _ time.Time) (reply, []Accepted) {
	m, rules := &s.memory, s.opts.Emanage
	var before *EmanageCart
	if w.session != "" {
		before = m.carts[w.session]
		if problem := w.fits(before, rules); problem != "" {
			return *refuse(http.StatusBadRequest, problem), nil
		}
	}
	cart := before
	if !w.add {
		cart = m.newEmanageCart(w)
	}
	charge, problem := w.charge(before, rules)
	if problem != "" {
		return *refuse(http.StatusBadRequest, problem), nil
	}
	discarded := w.add && rules.Uncollectable || !w.add && before != nil && (rules.OfflineUnpaid || rules.Uncollectable)
	w.product.Discarded = discarded
	cart.Products = append(cart.Products, w.product)
	if !w.add {
		m.carts[cart.Session] = cart
		m.cartOrder = append(m.cartOrder, cart)
	}
	if !discarded {
		w.collect(cart, charge, rules)
		if cart.Ships = w.product.ProductID; before != nil && before != cart {
			before.Ships = "" // the first product is discarded [P]
		}
		if !w.test {
			m.totals(Emanage).money.add("", charge)
		}
	}
	if !w.test && !w.add {
		m.totals(Emanage).orders++
	}
	kind := map[bool]string{true: "cart_upgrade", false: "cart_create"}[before != nil]
	return w.answer(cart, rules.Answers), []Accepted{{Platform: Emanage, Kind: kind, Account: w.webKey, ID: cart.Session}}
}

// fits tells why an upgrade does not fit the session that it is for.
func (w *emanageWrite) fits(cart *EmanageCart, rules EmanageRules) string {
	switch {
	case cart == nil || cart.WebKey != w.webKey:
		return "no such session in this campaign"
	case cart.Test != w.test:
		return "a test cart and a real one do not mix"
	}
	for i := len(cart.Products) - 1; i >= 0; i-- {
		p := cart.Products[i]
		if p.ProductID == w.product.Replaces && p.Quantity.Cmp(w.replaced) == 0 && (rules.Repeats || i == len(cart.Products)-1 && cart.Ships != "") {
			return ""
		}
	}
	return "the product that is replaced is not the last one of the session, in that quantity"
}

// charge is the new price less the one before [P].
func (w *emanageWrite) charge(before *EmanageCart, rules EmanageRules) (charge decimal.Decimal, problem string) {
	charge, exact := product(w.product.Price, w.product.Quantity)
	if before != nil {
		for _, p := range before.Products {
			if p.ProductID != w.product.Replaces {
				continue
			}
			old, oldExact := product(p.Price, p.Quantity)
			less, lessExact := product(w.product.Price, w.product.Quantity)
			rest, sumExact := sum(less, old.Neg())
			charge, exact = rest, oldExact && lessExact && sumExact
		}
	}
	if rules.Discount > 0 && exact {
		charge, exact = product(charge, decimal.MustNew(int64(100-rules.Discount), 2))
	}
	if !exact || charge.IsNeg() {
		return charge, "nothing can be charged for that"
	}
	return charge, ""
}

// collect charges a session. With one charge for all differences, the last one grows.
func (w *emanageWrite) collect(cart *EmanageCart, charge decimal.Decimal, rules EmanageRules) {
	last := len(cart.Charges) - 1
	if w.add && rules.OneCharge && len(cart.Products) > 2 && last >= 0 {
		if whole, exact := sum(cart.Charges[last], charge); exact {
			cart.Charges[last] = whole
			return
		}
	}
	cart.Charges = append(cart.Charges, charge)
}

func (w *emanageWrite) answer(cart *EmanageCart, form EmanageAnswers) reply {
	r := reply{status: http.StatusOK}
	switch {
	case form == SessionObject && w.add:
		r.body = []byte(`{"success": true}`)
	case form == SessionObject:
		r.body, _ = json.Marshal(map[string]string{"sessionId": cart.Session}) // strings always marshal
	case w.add && form == SessionText:
		r.contentType = "text/plain"
	case w.add:
		r.body, r.contentType = []byte("added"), "text/plain"
	case form == SessionJSON:
		r.body, _ = json.Marshal(cart.Session)
	default:
		r.body, r.contentType = []byte(cart.Session), "text/plain"
	}
	return r
}

// newEmanageCart gives a cart its session: the same numbers in every run.
func (m *memory) newEmanageCart(w *emanageWrite) *EmanageCart {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(m.cartOrder)+1))
	h := sha256.Sum256(append([]byte("session"), n[:]...))
	session := fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	return &EmanageCart{Session: session, WebKey: w.webKey, Test: w.test, Parent: w.session}
}

// AddEmanageCart makes a cart that the shop itself made and the customer paid: nothing of it was charged through this
// API. A session that is there already is replaced.
func (s *Simulator) AddEmanageCart(c EmanageCart) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(c.Products) > 0 {
		c.Ships = c.Products[len(c.Products)-1].ProductID
	}
	if s.memory.carts[c.Session] == nil {
		s.memory.cartOrder = append(s.memory.cartOrder, &c)
		s.memory.carts[c.Session] = &c
		return
	}
	*s.memory.carts[c.Session] = c
}

// EmanageCarts returns the carts of a kind, real or test ones, in the order in which they were made.
func (s *Simulator) EmanageCarts(test bool) []EmanageCart {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []EmanageCart
	for _, c := range s.memory.cartOrder {
		if c.Test == test {
			list = append(list, c.view())
		}
	}
	return list
}

func (c *EmanageCart) view() EmanageCart {
	v := *c
	v.Products, v.Charges = slices.Clone(c.Products), slices.Clone(c.Charges)
	return v
}

// serveEmanage takes a cart that the shop itself made.
func (s *Simulator) serveEmanage(w http.ResponseWriter, r *http.Request) {
	var c EmanageCart
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil || c.Session == "" || c.WebKey == "" || len(c.Products) == 0 {
		writeProblem(w, "a cart has session, webkey, and products with product_id, price and quantity")
		return
	}
	s.AddEmanageCart(c)
	writeJSON(w, s.EmanageCarts(c.Test))
}
