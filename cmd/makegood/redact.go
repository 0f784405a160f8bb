package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"makegood/config"
	"makegood/reports"
)

// redactor hides secrets and customers in what a request or an answer holds, and
// leaves the person's own address as it is.
type redactor struct {
	own     *regexp.Regexp // nil: nobody's
	ownText []string       // the address and its hash
	secrets []string
	hidden  []string // what was masked so far
}

const hiddenText = "***"

func newRedactor(t *config.Target, own string) *redactor {
	r := &redactor{}
	for _, secret := range []config.Secret{t.APIKey, t.APISecret, t.TagID, t.CID, t.WebKey} {
		if text := secret.Reveal(); text != "" {
			r.secrets = append(r.secrets, text)
		}
	}
	if own != "" {
		sum := sha256.Sum256([]byte(strings.ToLower(own)))
		r.ownText = []string{own, hex.EncodeToString(sum[:])}
		// It stands by itself: somebody else's address may end or begin with it.
		r.own = regexp.MustCompile(`(?i)(^|[\s"'<>(),;:\[\]])` + regexp.QuoteMeta(own) + `($|[\s"'<>(),;:\[\]])`)
	}
	return r
}

// learn hides texts wherever they stand.
func (r *redactor) learn(texts []string) { r.hidden = append(r.hidden, texts...) }

// ofPersons are keys of the platforms' messages under which somebody is named.
var ofPersons = []string{"email", "userid", "user_id", "session_id", "firstname", "lastname", "phone", "birthdate", "gender", "postcode", "city",
	"other", "other2", "customerip", "session", "sessionid", "upgradeparentsessionid", "mobile", "passbackconversiontrackingid", "ip", "click_id", "emailsha256"}

// ofOrders are the keys of what goes whose values are shown: of numbers, goods
// and money, of times, and of the platforms' own flags. Under every other key may
// stand what names a customer.
var ofOrders = []string{
	"event", "event_type", "event_name", "action", "type", "conversiontype", "environment", "test", "behaviorid", "clear_cart", "url", "channel", "shop",
	"account", "accountid", "id", "order", "orderid", "order_number", "confirmationref", "conversionid", "reference", "source_message_id",
	"currency", "language", "category_ids", "item", "unique_id", "sku", "productid", "cartitemid", "upgradepreviewproductid", "shippingmethodid",
	"quantity", "upgradepreviewquantity", "price", "line_total", "amount", "value", "total", "totalvalue", "shipping", "discount",
	"timestamp", "timestamp_unixtime_ms", "time", "eventtime", "ordered_at", "completed_at",
}

// ownField reports whether a key is of the shop's own fields, in which anything may
// stand.
func ownField(key string) bool { return key == "custom" || strings.HasPrefix(key, "custom_") }

// namesSomebody reports whether somebody may be named under a key.
func namesSomebody(key string) bool { return ownField(key) || slices.Contains(ofPersons, key) }

// beyondOrders reports whether what stands under a key of a request is hidden.
func beyondOrders(key string) bool { return !slices.Contains(ofOrders, key) }

// body gives the JSON of a request with everything hidden that is not of its
// order, indented.
func (r *redactor) body(body []byte) string {
	text, ok := r.json(body, beyondOrders)
	if !ok {
		return hiddenText
	}
	return text
}

// maxAnswerShown bounds how much of an answer is shown, in bytes.
const maxAnswerShown = 4000

// answer gives what came back with everybody hidden, and cut where nobody reads
// on.
func (r *redactor) answer(body []byte, whole bool) string {
	text, ok := r.json(body, namesSomebody)
	if !ok {
		text = r.text(strings.TrimSpace(string(body)))
	}
	if cut := len(text) - maxAnswerShown; cut > 0 || !whole {
		end := min(len(text), maxAnswerShown)
		for end > 0 && end < len(text) && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + fmt.Sprintf("... (%d bytes in all, as far as it was read)", len(body))
	}
	return text
}

// json gives JSON with what stands under the keys hidden that hides names.
func (r *redactor) json(body []byte, hides func(key string) bool) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil || d.More() {
		return "", false
	}
	r.value("", value, hides) // learns whom it names, wherever else that stands
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(r.value("", value, hides)) != nil {
		return "", false
	}
	return strings.TrimSpace(b.String()), true
}

// value hides in a value that stands under a key, in small letters.
func (r *redactor) value(key string, v any, hides func(string) bool) any {
	switch v := v.(type) {
	case map[string]any:
		made := make(map[string]any, len(v))
		for name, one := range v {
			under := strings.ToLower(name)
			if key == "custom" {
				under = key // of a file's line: whatever its fields are called
			}
			made[r.text(name)] = r.value(under, one, hides)
		}
		return made
	case []any:
		made := make([]any, len(v))
		for i, one := range v {
			made[i] = r.value(key, one, hides)
		}
		return made
	case string:
		return r.field(key, v, hides)
	case json.Number:
		if text := r.field(key, v.String(), hides); text != v.String() {
			return text
		}
	case bool:
		if hides(key) {
			return hiddenText
		}
	}
	return v
}

func (r *redactor) field(key, text string, hides func(string) bool) string {
	if slices.Contains(r.ownText, text) || text == "" {
		return text
	}
	if namesSomebody(key) && len(text) > 3 && !slices.Contains(r.hidden, text) {
		r.hidden = append(r.hidden, text)
	}
	if !hides(key) {
		return r.text(text)
	}
	if masked := r.text(text); key == "email" && strings.Contains(masked, "@") {
		return masked
	}
	return hiddenText
}

// hashes of addresses name people, too; a cart's session is a person's.
var (
	hashText    = regexp.MustCompile(`\b[0-9a-fA-F]{64}\b`)
	sessionPart = regexp.MustCompile(`(?i)(session_?id=)[^&\s"]+`)
)

// text hides in any text: what stands in place of one's own address while the
// others are masked is no text that can come from outside.
func (r *redactor) text(text string) string {
	const place = "\x00own\x00"
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, hiddenText)
	}
	for range 2 { // of two beside each other, the first takes what is between them
		if r.own != nil {
			text = r.own.ReplaceAllString(text, "${1}"+place+"${2}")
		}
	}
	for _, hidden := range r.hidden {
		if !strings.Contains(hidden, "@") {
			text = strings.ReplaceAll(text, hidden, hiddenText)
		}
	}
	text = sessionPart.ReplaceAllString(text, "${1}"+hiddenText)
	text = hashText.ReplaceAllStringFunc(text, func(found string) string {
		if slices.Contains(r.ownText, strings.ToLower(found)) {
			return found
		}
		return hiddenText
	})
	text = reports.Mask(text)
	if r.own != nil {
		text = strings.ReplaceAll(text, place, r.ownText[0])
	}
	return text
}
