package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// CollectRules are the switches for what is unknown [U] about Collect. The zero value is the strictest reading that a
// sender with correct calls passes.
type CollectRules struct {
	// Catalog holds the known items: a line with any other item is dropped in silence, with a success for an answer
	// [P]. Empty: every item is known.
	Catalog []string
	// EmptyCart accepts a cart update without lines as a clear; otherwise it is an error, for clear_cart is the
	// documented form.
	EmptyCart bool
	// MergeConversions makes a repeated order number replace the earlier conversion; otherwise each one counts, for
	// no de-duplication is documented.
	MergeConversions bool
	// AnyQuantity accepts quantities of zero and below, and negative prices.
	AnyQuantity bool
}

const (
	trackCart       = "track_cart"
	trackConversion = "track_conversion"
)

// collectTarget is what the path says: any MID is accepted, there is no login [P].
type collectTarget struct{ mid, action string }

// collectPath reads /c2/{MID}/{action}, with or without .json [P].
func collectPath(path string) (collectTarget, bool) {
	rest, found := strings.CutPrefix(path, "/c2/")
	mid, action, cut := strings.Cut(rest, "/")
	action = strings.TrimSuffix(action, ".json")
	ok := found && cut && mid != "" && (action == trackCart || action == trackConversion)
	return collectTarget{mid, action}, ok
}

// tracking is one judged request to Collect.
type tracking struct {
	collectTarget
	person   string // what user_info.email holds: an address, or a subscriber's id [P]
	userID   string // what the client says that an earlier answer gave it
	clear    bool
	lines    []CartLine
	worth    decimal.Decimal // price x quantity of the lines, and for conversions shipping and discount
	order    string
	problems []string
}

func (s *Simulator) readCollect(c *call, target collectTarget) intake {
	in := intake{platform: Collect}
	envelope, refusal := readEnvelope(c)
	if refusal != nil {
		in.refusal = refusal
		return in
	}
	t := &tracking{collectTarget: target}
	t.judgeEnvelope(envelope, s.opts.Collect)
	if t.order != "" {
		in.orders = []string{t.order}
	}
	if t.person != "" {
		in.persons = []string{mask(t.person)}
	}
	if len(t.problems) > 0 {
		slices.Sort(t.problems)
		in.refusal = refuse(http.StatusBadRequest, t.problems...)
	}
	in.pending = t
	return in
}

// readEnvelope takes the server's form, a POST of JSON [P], or the browser library's, a GET with ?payload= [C]. The
// query holds the payload itself; an envelope in it is accepted too.
func readEnvelope(c *call) (object, *reply) {
	switch c.r.Method {
	case http.MethodGet:
		return readQuery(c.r.URL.Query())
	case http.MethodPost:
	default:
		return nil, refuse(http.StatusMethodNotAllowed, "only POST and GET are accepted")
	}
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "the content type is not application/json")
	}
	root, err := parseObject(c.body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	return root, nil
}

func readQuery(query url.Values) (object, *reply) {
	root, err := parseObject([]byte(query.Get("payload")))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "payload: must be a JSON object")
	}
	if _, whole := root["payload"].(object); whole {
		return root, nil
	}
	envelope := object{"payload": root}
	for _, key := range []string{"user_id", "session_id"} {
		if query.Has(key) {
			envelope[key] = query.Get(key)
		}
	}
	return envelope, nil
}

// judgeEnvelope: payload, and beside it optional user_id and session_id, no more [P].
func (t *tracking) judgeEnvelope(envelope object, rules CollectRules) {
	for key, value := range envelope {
		switch key {
		case "payload":
		case "user_id", "session_id":
			if _, ok := value.(string); !ok {
				t.blame(key, "must be a string")
			}
		default:
			t.problems = append(t.problems, "beside payload only user_id and session_id may stand")
		}
	}
	t.userID, _ = envelope["user_id"].(string)
	payload, ok := envelope["payload"].(object)
	if !ok {
		t.blame("payload", "must be an object")
		return
	}
	t.judgePerson(payload)
	if page, given := payload["url"]; given && !isURL(page) {
		t.blame("payload.url", "must be an absolute URL")
	}
	if t.action == trackConversion {
		t.judgeConversion(payload, rules)
	} else {
		t.judgeCart(payload, rules)
	}
}

func isURL(value any) bool {
	text, _ := value.(string)
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

func (t *tracking) judgePerson(payload object) {
	info, _ := payload["user_info"].(object)
	t.person, _ = info["email"].(string)
	if !notEmpty(t.person) {
		t.blame("payload.user_info.email", "must be a non-empty string")
	}
}

// judgeCart: an update carries the whole cart, which it replaces [P]. A clear is payload.clear_cart = true [P: the
// customer's document], or nested, payload.cart = {"clear_cart": true} [P: the server reference].
func (t *tracking) judgeCart(payload object, rules CollectRules) {
	cart, given := payload["cart"]
	flag, flagged := payload["clear_cart"]
	if nested, ok := cart.(object); ok {
		t.judgeClear(nested["clear_cart"], "payload.cart.clear_cart", len(nested) != 1 || flagged)
		return
	}
	if flagged {
		t.judgeClear(flag, "payload.clear_cart", given)
		return
	}
	t.judgeLines(cart)
	if lines, ok := cart.([]any); ok && len(lines) == 0 {
		if t.clear = rules.EmptyCart; !t.clear {
			t.blame("payload.cart", "has no lines; clear_cart empties a cart")
		}
	}
	t.judgeAmounts(rules)
}

func (t *tracking) judgeClear(flag any, field string, crowded bool) {
	if on, _ := flag.(bool); !on {
		t.blame(field, "must be true")
	}
	if crowded {
		t.blame(field, "must stand alone, without a cart beside it")
	}
	t.clear = true
}

// judgeConversion: cart lines and order_number, optional shipping and discount [P].
func (t *tracking) judgeConversion(payload object, rules CollectRules) {
	t.order, _ = payload["order_number"].(string)
	if !notEmpty(t.order) {
		t.blame("payload.order_number", "must be a non-empty string")
	}
	t.judgeLines(payload["cart"])
	if lines, ok := payload["cart"].([]any); ok && len(lines) == 0 {
		t.blame("payload.cart", "has no lines")
	}
	t.judgeAmounts(rules)
	t.addAmount(payload, "shipping", decimal.One)
	t.addAmount(payload, "discount", decimal.One.Neg())
}

// addAmount: whether shipping and discount are text or numbers is not documented [U], so both are read.
func (t *tracking) addAmount(payload object, key string, sign decimal.Decimal) {
	value, given := payload[key]
	if !given {
		return
	}
	amount, ok := jsonDecimal(value)
	if text, isText := value.(string); isText {
		amount, ok = parseDecimal(text)
	}
	signed, _ := product(amount, sign) // a sign adds no digits
	var exact bool
	if t.worth, exact = sum(t.worth, signed); !ok || !exact {
		t.blame("payload."+key, "must be an amount")
	}
}

// judgeLines: a list of lines of item, quantity, price and unique_id, no other names, every value a string; item and
// unique_id are required [P].
func (t *tracking) judgeLines(cart any) {
	list, ok := cart.([]any)
	if !ok {
		t.blame("payload.cart", "must be a list of lines")
		return
	}
	for i, value := range list {
		at := fmt.Sprintf("payload.cart[%d]", i)
		line, ok := value.(object)
		if !ok {
			t.blame(at, "must be an object")
			continue
		}
		t.lines = append(t.lines, t.judgeLine(line, at))
	}
}

func (t *tracking) judgeLine(line object, at string) CartLine {
	var out CartLine
	fields := map[string]*string{
		"item": &out.Item, "unique_id": &out.UniqueID, "quantity": &out.Quantity, "price": &out.Price,
	}
	for key, value := range line {
		field, known := fields[key]
		text, isText := value.(string)
		switch {
		case !known:
			t.problems = append(t.problems, at+": may hold only item, quantity, price and unique_id")
		case !isText || !notEmpty(text):
			t.blame(at+"."+key, "must be a non-empty string")
		default:
			*field = text
		}
	}
	for _, key := range []string{"item", "unique_id"} {
		if _, given := line[key]; !given {
			t.blame(at+"."+key, "is needed")
		}
	}
	return out
}

// judgeAmounts reads the amounts of the lines; the price is of one unit [P].
func (t *tracking) judgeAmounts(rules CollectRules) {
	for i, line := range t.lines {
		at := fmt.Sprintf("payload.cart[%d]", i)
		quantity, price := decimal.One, decimal.Zero
		var ok bool
		if line.Quantity != "" {
			quantity, ok = parseDecimal(line.Quantity)
			if !ok || !quantity.IsPos() && !rules.AnyQuantity {
				t.blame(at+".quantity", "must be a number above zero, as a string")
			}
		}
		if line.Price != "" {
			price, ok = parseDecimal(line.Price)
			if !ok || price.IsNeg() && !rules.AnyQuantity {
				t.blame(at+".price", "must be an amount, as a string")
			}
		}
		worth, exact := product(price, quantity)
		if t.worth, ok = sum(t.worth, worth); !ok || !exact {
			t.blame(at, "is worth more digits than an amount can have")
		}
	}
}

func (t *tracking) blame(field, text string) {
	t.problems = append(t.problems, field+": "+text)
}

// store keeps the cart or the conversion. The answer carries user_id and session_id, for later calls about the same
// person [P].
func (t *tracking) store(s *Simulator, at time.Time) (reply, []Accepted) {
	m := &s.memory
	p := m.personOf(t.mid, t.person)
	m.noticeMixed(t.userID, p)
	lines := s.knownLines(t.lines)
	m.change++
	kind := "cart_update"
	switch {
	case t.action == trackConversion:
		kind = "conversion"
		m.keepConversion(t, lines, at, s.opts.Collect)
		p.converted, p.convertedAt = m.change, at.UnixNano()
		p.conversions++
	case t.clear:
		kind = "cart_clear"
		p.clears++
		p.lines, p.changed, p.changedAt = nil, m.change, at.UnixNano()
	default:
		p.updates++
		p.lines, p.changed, p.changedAt = lines, m.change, at.UnixNano()
	}
	id := t.person
	if t.order != "" {
		id = t.order
	}
	body := fmt.Appendf(nil, `{"user_id":%q,"session_id":%q}`, p.userID, p.sessionID)
	return reply{status: http.StatusOK, body: body},
		[]Accepted{{Platform: Collect, Kind: kind, Account: t.mid, ID: id}}
}

// knownLines drops lines whose item the catalog lacks: the platform does that in silence [P].
func (s *Simulator) knownLines(lines []CartLine) []CartLine {
	if s.catalog == nil {
		return lines
	}
	kept := make([]CartLine, 0, len(lines))
	for _, line := range lines {
		if s.catalog[line.Item] {
			kept = append(kept, line)
		}
	}
	s.memory.droppedLines += uint64(len(lines) - len(kept))
	return kept
}
