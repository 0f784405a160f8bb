package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/govalues/decimal"
)

// SqueezelyRules are the switches for what is unknown [U] about Squeezely, now Spotler Activate. The zero value is the
// strictest reading that a sender with correct events passes.
type SqueezelyRules struct {
	// MaxBatch is the largest number of events in one request; 0 is no limit. Over it the answer is 413.
	MaxBatch int
	// Batch says what happens to the good events of a batch with bad ones.
	Batch BatchPolicy
	// Repeats says what a second backend purchase with a known order id does.
	Repeats RepeatPolicy
	// ErrorsWith200 answers refused events with HTTP 200 and a list of errors instead of 400 [I].
	ErrorsWith200 bool
	// ErrorObjects makes each error an object {"index", "field", "code", "message"} instead of a printable string [C].
	ErrorObjects bool
	// LoginStatus answers a wrong login; 0 is 401. 401 and 403 are both seen [C].
	LoginStatus int
	// SuccessStatus and SuccessBody answer what was accepted; 0 is 200, nil is {"success":true}. 200 and 201 are both
	// seen [C].
	SuccessStatus int
	SuccessBody   []byte
	// SeveralCurrencies and SeveralLanguages require an event's currency and each product's language, as the platform
	// does for an account with several of them [P].
	SeveralCurrencies bool
	SeveralLanguages  bool
	// AnyQuantity accepts quantities of zero and below.
	AnyQuantity bool
	// FutureSlack is how far a timestamp may lie ahead of the platform's clock; 0 is 24 h.
	FutureSlack time.Duration
}

func (r SqueezelyRules) withDefaults() SqueezelyRules {
	r.LoginStatus = cmp.Or(r.LoginStatus, http.StatusUnauthorized)
	r.SuccessStatus = cmp.Or(r.SuccessStatus, http.StatusOK)
	r.FutureSlack = cmp.Or(r.FutureSlack, 24*time.Hour)
	if r.SuccessBody == nil {
		r.SuccessBody = []byte(`{"success":true}`)
	}
	return r
}

// BatchPolicy says what happens to a batch in which some events are bad [U].
type BatchPolicy int

// The ways to treat a batch with bad events.
const (
	AllOrNothing BatchPolicy = iota // nothing is stored
	ByIndex                         // the good ones are stored, the bad ones are named by their index
)

// RepeatPolicy says what a second backend purchase with a known order id does [U]; a merge is likely [I].
type RepeatPolicy int

// The ways to treat a repeated purchase.
const (
	RepeatsMerge  RepeatPolicy = iota // the newer body takes the older one's place
	RepeatsCount                      // it counts, and is worth, as much as another purchase
	RepeatsRefuse                     // it is an error, answered with 409
)

func isTrack(path string) bool {
	return path == "/v1/track" || path == "/api/v1/track"
}

// batch is the events of one request, flat form included.
type batch struct {
	account string
	flat    bool
	events  []event
}

// event is one judged event.
type event struct {
	name     string
	purchase purchase // when name is Purchase and there are no problems
	body     []byte
	problems []problem
}

func (s *Simulator) readTrack(c *call) intake {
	in := intake{platform: Squeezely}
	if in.refusal = s.admit(c); in.refusal != nil {
		return in
	}
	root, err := parseObject(c.body)
	if err != nil {
		in.refusal = refuse(http.StatusBadRequest, err.Error())
		return in
	}
	b := &batch{account: c.r.Header.Get("X-AUTH-ACCOUNT"), flat: true}
	if list, ok := root["events"]; ok {
		b.flat = false
		in.refusal = b.takeList(list, len(root), c.body, s.judgeAt(c.at))
	} else {
		b.events = []event{s.judgeAt(c.at).event(root, c.body)}
	}
	if limit := s.opts.Squeezely.MaxBatch; limit > 0 && len(b.events) > limit {
		in.refusal = refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("events: at most %d in one request", limit))
	}
	in.orders, in.persons, in.pending = b.orders(), b.persons(), b
	return in
}

// admit checks what comes before the body. The login is two headers [P]; a wrong one is 401 or 403 with errors [C].
// Form parameters are documented as well [P], but not how products would look in them, so JSON alone is accepted [C].
func (s *Simulator) admit(c *call) *reply {
	if c.r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "only POST is accepted")
	}
	account, key := c.r.Header.Get("X-AUTH-ACCOUNT"), c.r.Header.Get("X-AUTH-APIKEY")
	if want, known := s.opts.Accounts[account]; account == "" || key == "" ||
		len(s.opts.Accounts) > 0 && (!known || want != key) {
		return refuse(s.opts.Squeezely.LoginStatus, "the account or its key is wrong")
	}
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return refuse(http.StatusUnsupportedMediaType, "the content type is not application/json")
	}
	return nil
}

func (s *Simulator) judgeAt(now time.Time) judge {
	return judge{rules: s.opts.Squeezely, now: now}
}

// takeList judges the batch form {"events": [...]}, as seen in a partner's client [C].
func (b *batch) takeList(list any, keys int, body []byte, j judge) *reply {
	items, ok := list.([]any)
	if !ok || len(items) == 0 || keys != 1 {
		return refuse(http.StatusBadRequest, "events: must be a list with at least one event and nothing beside it")
	}
	var raw struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil || len(raw.Events) != len(items) {
		return refuse(http.StatusBadRequest, errNoObject.Error())
	}
	b.events = make([]event, len(items))
	for i, item := range items {
		if ev, ok := item.(object); ok {
			b.events[i] = j.event(ev, bytes.Clone(raw.Events[i]))
		} else {
			b.events[i].problems = []problem{{field: "event", text: "must be an object"}}
		}
	}
	return nil
}

func (b *batch) orders() []string {
	var ids []string
	for _, e := range b.events {
		if e.purchase.OrderID != "" {
			ids = append(ids, e.purchase.OrderID)
		}
	}
	return ids
}

func (b *batch) persons() []string {
	var masked []string
	for _, e := range b.events {
		if e.purchase.person != "" {
			masked = append(masked, e.purchase.person)
		}
	}
	return masked
}

// store keeps what may be kept. Whether a batch is kept in part is a switch [U]; for another endpoint of the platform a
// 400 can mean "some stored, some not" [C], so by index the answer to a mixed batch is an error as well.
func (b *batch) store(s *Simulator, at time.Time) (reply, []Accepted) {
	rules := s.opts.Squeezely
	status := http.StatusBadRequest
	if rules.Repeats == RepeatsRefuse && b.refuseKnown(&s.memory) {
		status = http.StatusConflict
	}
	problems := b.problems()
	var accepted []Accepted
	if len(problems) == 0 || rules.Batch == ByIndex {
		accepted = b.keep(s, at)
	}
	if len(problems) == 0 {
		return reply{status: rules.SuccessStatus, body: rules.SuccessBody}, accepted
	}
	if rules.ErrorsWith200 {
		status = http.StatusOK
	}
	return reply{status: status, body: rules.errorBody(problems, b.flat)}, accepted
}

func (b *batch) refuseKnown(m *memory) (found bool) {
	seen := make(map[string]bool)
	for i := range b.events {
		e := &b.events[i]
		if e.name != purchaseEvent || len(e.problems) > 0 {
			continue
		}
		id := e.purchase.OrderID
		if seen[id] || m.purchases[orderKey{b.account, id}] != nil {
			e.problems = append(e.problems, problem{field: "orderid", text: "is known already"})
			found = true
		}
		seen[id] = true
	}
	return found
}

func (b *batch) problems() []problem {
	var all []problem
	for i, e := range b.events {
		for _, p := range e.problems {
			p.index = i
			all = append(all, p)
		}
	}
	return all
}

func (b *batch) keep(s *Simulator, at time.Time) []Accepted {
	accepted := make([]Accepted, 0, len(b.events))
	for i := range b.events {
		e := &b.events[i]
		if len(e.problems) > 0 {
			continue
		}
		a := Accepted{Platform: Squeezely, Kind: "event", Account: b.account, ID: e.name}
		if e.name == purchaseEvent {
			a.Kind, a.ID = "purchase", e.purchase.OrderID
			if s.opts.ForgetBodies {
				e.body = nil
			}
			s.memory.keepPurchase(b.account, *e, at, s.opts.Squeezely.Repeats)
			s.memory.keepProfile(b.account, *e, at)
		} else {
			s.memory.otherEvents++
		}
		accepted = append(accepted, a)
	}
	return accepted
}

// keepPurchase stores one purchase. Front end and backend merge on the order id [P], here two backend events do too [I].
func (m *memory) keepPurchase(account string, e event, at time.Time, policy RepeatPolicy) {
	totals := m.totals(Squeezely)
	key := orderKey{account, e.purchase.OrderID}
	known := m.purchases[key]
	if known == nil {
		known = &purchase{account: account, OrderID: key.order, First: at.UnixNano()}
		m.purchases[key] = known
		m.purchaseOrder = append(m.purchaseOrder, known)
		totals.orders++
	} else {
		totals.repeats++
		if policy == RepeatsMerge {
			totals.money.remove(known.Currency, known.Total)
		}
	}
	known.Count++
	known.Last = at.UnixNano()
	known.Currency, known.Total, known.Timestamp = e.purchase.Currency, e.purchase.Total, e.purchase.Timestamp
	known.body = e.body
	totals.money.add(known.Currency, known.Total)
}

// purchase is what the platform believes about one order of one account; as part of an event, what that event says.
type purchase struct {
	account, person string
	OrderID         string
	Count           int
	First, Last     int64 // nanoseconds since 1970
	Timestamp       int64 // seconds since 1970, 0 when the event carried none
	Total           decimal.Decimal
	Currency        string
	body            []byte
}

// problem is one reason to refuse an event.
type problem struct {
	index int    // of the event in its batch
	field string // a path such as products[0].price
	code  string // only codes that are known of the platform
	text  string // completes a sentence that starts with the field
}

// errorBody is {"errors": [...]}: a list whose first element is printable [C].
func (r SqueezelyRules) errorBody(problems []problem, flat bool) []byte {
	list := make([]any, len(problems))
	for i, p := range problems {
		if r.ErrorObjects {
			list[i] = p.object()
		} else {
			list[i] = p.line(flat)
		}
	}
	body, _ := json.Marshal(map[string]any{"errors": list}) // strings and numbers always marshal
	return body
}

func (p problem) line(flat bool) string {
	text := p.code
	if text == "" {
		text = p.field + ": " + p.text
	}
	if flat {
		return text
	}
	return fmt.Sprintf("events[%d]: %s", p.index, text)
}

func (p problem) object() map[string]any {
	o := map[string]any{"index": p.index, "field": p.field, "message": p.text}
	if p.code != "" {
		o["code"] = p.code
	}
	return o
}
