package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// RoktAdsRules are the switches for what is unknown [U] about Rokt Ads. The zero value is the strictest reading that a
// sender with correct conversions passes.
type RoktAdsRules struct {
	// Repeats counts a conversion again that is told a second time; otherwise it counts once by its type and reference
	// [C].
	Repeats bool
	// Places says how an answer names the items that it refuses.
	Places RoktAdsPlaces
}

// RoktAdsPlaces is the way in which refused items are named.
type RoktAdsPlaces int

// The ways. All of them leave the other items accepted.
const (
	ByPath     RoktAdsPlaces = iota // "Path '[3].events...'" [C]; by index at the Conversions API [I]
	ByPosition                      // only the position in the text [C]; by the conversion's id at the Conversions API [I]
	Nowhere                         // not at all
)

// Limits of the platform, in items and in bytes [P].
const (
	roktAdsItems = 100
	roktAdsItem  = 128 << 10
	roktAdsBody  = 256 << 10
)

// The oldest conversions that are taken [P].
const (
	roktEventsAge      = 30 * 24 * time.Hour
	roktConversionsAge = 365 * 24 * time.Hour
)

const (
	roktBulk        = "/v2/bulkevents"
	roktSingle      = "/v2/events"
	roktConversions = "/v1/conversions"
)

func isRoktAds(path string) bool {
	return path == roktBulk || path == roktSingle || path == roktConversions
}

// adBatch is one judged request to Rokt Ads.
type adBatch struct {
	account string
	path    string
	items   []adItem
	places  RoktAdsPlaces
	starts  []int // where each item begins in the body
	test    bool  // nothing is kept
}

// adItem is one judged conversion.
type adItem struct {
	kind, ref, person string
	identities        map[string]string
	development       bool
	at                time.Time
	amount            decimal.Decimal
	currency          string
	problem           string // the first one; empty: it is accepted
}

func (s *Simulator) readRoktAds(c *call) intake {
	in := intake{platform: RoktAds}
	account, refusal := s.roktLogin(c)
	if refusal != nil {
		in.refusal = refusal
		return in
	}
	b := &adBatch{account: account, path: c.r.URL.Path, places: s.opts.RoktAds.Places}
	items, refusal := b.open(c.body)
	if refusal != nil {
		in.refusal = refusal
		return in
	}
	for _, item := range items {
		b.items = append(b.items, b.judge(item, c.at))
	}
	b.refuseTwice()
	for _, item := range b.items {
		if item.ref != "" {
			in.orders = append(in.orders, item.ref)
		}
		if item.person != "" {
			in.persons = append(in.persons, mask(item.person))
		}
	}
	if b.path != roktConversions && len(b.good()) == 0 { // not one item could be read: 400 [C]
		in.refusal = &reply{status: http.StatusBadRequest, body: b.errors()}
		return in
	}
	in.pending = b
	return in
}

// roktLogin: Basic with key and secret; 401 without, 403 with wrong ones [P].
func (s *Simulator) roktLogin(c *call) (account string, refusal *reply) {
	if c.r.Method != http.MethodPost {
		return "", refuse(http.StatusMethodNotAllowed, "only POST is accepted")
	}
	key, secret, ok := c.r.BasicAuth()
	if !ok || key == "" || secret == "" {
		return "", &reply{status: http.StatusUnauthorized, body: []byte(`""`)}
	}
	if want, known := s.opts.Accounts[key]; len(s.opts.Accounts) > 0 && (!known || want != secret) {
		return "", &reply{status: http.StatusForbidden, body: []byte(`""`)}
	}
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return "", refuse(http.StatusUnsupportedMediaType, "the content type is not application/json")
	}
	return mask(key), nil
}

// open takes a body apart into items, and notes where each begins.
func (b *adBatch) open(body []byte) (items []json.RawMessage, refusal *reply) {
	switch b.path {
	case roktSingle:
		items = []json.RawMessage{body}
	case roktBulk:
		if json.Unmarshal(body, &items) != nil {
			return nil, roktRefusal("the body is no JSON array. Path '', line 1, position 1.")
		}
	default:
		var whole struct {
			AccountID string            `json:"accountId"`
			Test      bool              `json:"test"`
			Events    []json.RawMessage `json:"events"`
		}
		if strictly(body, &whole) != nil || whole.AccountID == "" {
			return nil, roktRefusal("accountId and events are needed, and test may stand beside them")
		}
		b.account, b.test, items = whole.AccountID, whole.Test, whole.Events
	}
	switch {
	case len(items) == 0:
		return nil, roktRefusal("there are no events")
	case len(items) > roktAdsItems, len(body) > roktAdsBody:
		return nil, refuse(http.StatusRequestEntityTooLarge, "at most 100 events and 256 KB in a request")
	}
	from := 0
	for _, item := range items {
		from += strings.Index(string(body[from:]), string(item))
		b.starts = append(b.starts, from)
		from += len(item)
	}
	return items, nil
}

func roktRefusal(text string) *reply {
	body, _ := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": "BAD_REQUEST", "message": text}}})
	return &reply{status: http.StatusBadRequest, body: body}
}

func (b *adBatch) judge(raw json.RawMessage, now time.Time) (item adItem) {
	o, err := parseObject(raw)
	switch {
	case err != nil:
		item.problem = "an event must be an object"
	case len(raw) > roktAdsItem:
		item.problem = "an event has at most 128 KB"
	case b.path == roktConversions:
		item.conversion(o, now)
	default:
		item.event(o, now)
	}
	return item
}

func (i *adItem) blame(text string) {
	if i.problem == "" {
		i.problem = text
	}
}

func (i *adItem) text(o object, key string, fits func(string) bool) string {
	value, ok := o[key].(string)
	if !ok || !fits(value) {
		i.blame(key + " is missing or has the wrong form")
	}
	return value
}

// event judges an item of the Event & Audience API [C].
func (i *adItem) event(o object, now time.Time) {
	i.development = i.text(o, "environment", oneOf("production", "development")) == "development"
	identities, _ := o["user_identities"].(object)
	i.identify(identities, map[string]func(string) bool{"email": isAddress, "other": isHash, "other2": notEmpty})
	events, _ := o["events"].([]any)
	if len(events) != 1 {
		i.blame("events is not one event")
		return
	}
	event, _ := events[0].(object)
	i.text(event, "event_type", oneOf("custom_event"))
	data, _ := event["data"].(object)
	i.text(data, "custom_event_type", oneOf("transaction"))
	i.text(data, "event_name", oneOf("conversion"))
	number, _ := data["timestamp_unixtime_ms"].(json.Number)
	ms, err := number.Int64()
	if i.at = time.UnixMilli(ms); err != nil {
		i.blame("timestamp_unixtime_ms is no whole number")
	}
	i.inTime(now, roktEventsAge)
	attributes, _ := data["custom_attributes"].(object)
	for key, value := range attributes {
		if _, ok := value.(string); !ok {
			i.blame(key + " is no string")
		}
	}
	i.kind, i.ref = i.text(attributes, "conversiontype", notEmpty), i.text(attributes, "confirmationref", notEmpty)
	i.money(attributes)
}

// conversion judges an event of the Conversions API: its own fields, each with a form of its own [P].
func (i *adItem) conversion(o object, now time.Time) {
	i.kind, i.ref = i.text(o, "conversionType", isShort), i.text(o, "conversionId", isShort)
	i.identify(o, map[string]func(string) bool{"email": isAddress, "emailsha256": isHash, "passbackconversiontrackingid": notEmpty})
	var err error
	if i.at, err = time.Parse(time.RFC3339, i.text(o, "eventTime", notEmpty)); err != nil {
		i.blame("eventTime is no RFC 3339 time")
	}
	i.inTime(now, roktConversionsAge)
	i.money(o)
}

func isShort(text string) bool { return text != "" && len(text) <= 255 }

// identify wants at least one identity [P], and each in its form.
func (i *adItem) identify(o object, forms map[string]func(string) bool) {
	i.identities = map[string]string{}
	for key, fits := range forms {
		if _, given := o[key]; given {
			i.identities[key] = i.text(o, key, fits)
			i.person = max(i.person, i.identities[key])
		}
	}
	if i.person == "" {
		i.blame("none of the identities is there")
	}
}

// inTime: nothing from the future, nothing older than the API takes [P].
func (i *adItem) inTime(now time.Time, oldest time.Duration) {
	if i.at.After(now.Add(time.Minute)) || i.at.Before(now.Add(-oldest)) {
		i.blame("the time lies in the future or is too old")
	}
}

func (i *adItem) money(o object) {
	if i.currency, _ = o["currency"].(string); i.currency != "" && (len(i.currency) != 3 || !allCapitals(i.currency)) {
		i.blame("currency has the wrong form")
	}
	if _, given := o["amount"]; !given {
		return
	}
	var ok bool
	if i.amount, ok = parseDecimal(i.text(o, "amount", notEmpty)); !ok {
		i.blame("amount is no decimal number")
	}
}

// refuseTwice: of two events with one id in one request the Conversions API refuses the later [P].
func (b *adBatch) refuseTwice() {
	seen := map[string]bool{}
	for i := range b.items {
		item := &b.items[i]
		if b.path == roktConversions && item.ref != "" && seen[item.ref] {
			item.blame("conversionId stands twice in the request")
		}
		seen[item.ref] = true
	}
}

func (b *adBatch) good() (good []adItem) {
	for _, item := range b.items {
		if item.problem == "" {
			good = append(good, item)
		}
	}
	return good
}

// store keeps what was accepted. What is marked development, or only looked at, is no conversion.
func (b *adBatch) store(s *Simulator, at time.Time) (reply, []Accepted) {
	var accepted []Accepted
	for _, item := range b.good() {
		if b.test {
			break
		}
		s.memory.keepAd(b.account, item, at, s.opts.RoktAds.Repeats)
		accepted = append(accepted, Accepted{Platform: RoktAds, Kind: "conversion", Account: b.account, ID: item.ref})
	}
	refused := len(b.good()) < len(b.items)
	switch {
	case b.path == roktConversions:
		return reply{status: http.StatusOK, body: b.errors()}, accepted
	case refused:
		return reply{status: http.StatusAccepted, body: b.errors()}, accepted
	}
	return reply{status: http.StatusAccepted}, accepted
}

// errors lists what was refused, with its place as the rules say.
func (b *adBatch) errors() []byte {
	list := []any{}
	for i, item := range b.items {
		if item.problem == "" {
			continue
		}
		e := map[string]any{"code": "BAD_REQUEST", "message": item.problem}
		switch {
		case b.places == Nowhere:
		case b.path == roktConversions && b.places == ByPath:
			e["index"] = i
		case b.path == roktConversions:
			e["conversionId"] = item.ref
		case b.places == ByPath:
			e["message"] = fmt.Sprintf("%s. Path '[%d].events', line 1, position %d.", item.problem, i, b.starts[i]+2)
		default:
			e["message"] = fmt.Sprintf("%s. Path 'data.custom_attributes', line 1, position %d.", item.problem, b.starts[i]+2)
		}
		list = append(list, e)
	}
	body, _ := json.Marshal(map[string]any{"errors": list}) // texts and numbers always marshal
	return body
}
