package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

const (
	purchaseEvent  = "Purchase"
	timestampError = "TIMESTAMP_ERROR" // the one error code that is known [P]
)

// judge looks at one Squeezely event without storing anything.
type judge struct {
	rules    SqueezelyRules
	now      time.Time
	problems []problem
}

// event judges one event. Only purchases have known rules; any other event needs its name and is merely counted.
func (j judge) event(ev object, body []byte) event {
	e := event{body: body, name: j.text(ev, "", "event", "a non-empty string", notEmpty)}
	if e.name == purchaseEvent {
		e.purchase = j.purchase(ev)
	}
	e.problems = j.problems
	return e
}

// purchase judges a Purchase. Its minimum is event, email, orderid, and of each product id and quantity [P].
func (j *judge) purchase(ev object) purchase {
	p := purchase{
		person:  mask(j.text(ev, "", "email", "one plain address, or its SHA-256 as 64 hex digits", isEmail)),
		OrderID: j.text(ev, "", "orderid", "a non-empty string", notEmpty),
	}
	for _, f := range optionalTexts {
		j.optionalText(ev, "", f)
	}
	p.Currency, _ = ev["currency"].(string)
	if j.rules.SeveralCurrencies && p.Currency == "" {
		j.blame("currency", "is needed, the account has several currencies")
	}
	p.Timestamp = j.timestamp(ev)
	p.Total = j.products(ev)
	if total, given := j.optionalNumber(ev, "", "totalvalue"); given {
		p.Total = total
		j.minorUnits(total, p.Currency)
	}
	return p
}

// products judges the lines and returns the sum of price x quantity.
func (j *judge) products(ev object) decimal.Decimal {
	var total decimal.Decimal
	list, ok := ev["products"].([]any)
	if !ok || len(list) == 0 {
		j.blame("products", "must be a list with at least one product")
	}
	for i, item := range list {
		at := fmt.Sprintf("products[%d].", i)
		line, ok := item.(object)
		if !ok {
			j.blame(strings.TrimSuffix(at, "."), "must be an object")
			continue
		}
		var exact bool
		if total, exact = sum(total, j.product(line, at)); !exact {
			j.blame("products", "are worth more digits than an amount can have")
		}
	}
	return total
}

// product judges one line: the price is of one unit, a number with a decimal point; the quantity is a number [P].
func (j *judge) product(line object, at string) decimal.Decimal {
	j.text(line, at, "id", "a non-empty string", notEmpty)
	for _, f := range productTexts {
		j.optionalText(line, at, f)
	}
	if _, given := line["language"]; !given && j.rules.SeveralLanguages {
		j.blame(at+"language", "is needed, the account has several languages")
	}
	if ids, given := line["category_ids"]; given {
		if _, ok := ids.([]any); !ok {
			j.blame(at+"category_ids", "must be a list")
		}
	}
	quantity, ok := jsonDecimal(line["quantity"])
	if !ok || !quantity.IsPos() && !j.rules.AnyQuantity {
		j.blame(at+"quantity", "must be a number above zero")
	}
	price, _ := j.optionalNumber(line, at, "price")
	worth, exact := product(price, quantity)
	if !exact {
		j.blame(at+"price", "times quantity has more digits than an amount can have")
	}
	return worth
}

func (j *judge) blame(field, text string) {
	j.problems = append(j.problems, problem{field: field, text: text})
}

func (j *judge) text(o object, at, key, want string, fits func(string) bool) string {
	value, ok := o[key].(string)
	if !ok || !fits(value) {
		j.blame(at+key, "must be "+want)
		return ""
	}
	return value
}

func (j *judge) optionalText(o object, at string, f textField) {
	if _, given := o[f.key]; given {
		j.text(o, at, f.key, f.want, f.fits)
	}
}

func (j *judge) optionalNumber(o object, at, key string) (d decimal.Decimal, given bool) {
	value, given := o[key]
	if !given {
		return d, false
	}
	d, ok := jsonDecimal(value)
	if !ok {
		j.blame(at+key, "must be a number, without quotes and without an exponent")
	}
	return d, ok
}

// minorUnits: a total has 2 decimals [P]; the currencies that have 3 by ISO 4217 are let through with 3 [I].
func (j *judge) minorUnits(total decimal.Decimal, currency string) {
	allowed := 2
	switch currency {
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		allowed = 3
	}
	if total.MinScale() > allowed {
		j.blame("totalvalue", fmt.Sprintf("must have at most %d decimals", allowed))
	}
}

// timestamp: Unix seconds, or a datetime that starts YYYY-mm-dd in CET or with its zone; anything else is
// TIMESTAMP_ERROR [P]. Milliseconds read as seconds lie far in the future and are caught as that [U].
func (j *judge) timestamp(ev object) int64 {
	value, given := ev["timestamp"]
	if !given {
		return 0
	}
	seconds, ok := readTimestamp(value)
	if !ok || seconds <= 0 || seconds > j.now.Add(j.rules.FutureSlack).Unix() {
		j.problems = append(j.problems, problem{field: "timestamp", code: timestampError,
			text: "must be Unix seconds that are not in the future"})
		return 0
	}
	return seconds
}

func readTimestamp(value any) (seconds int64, ok bool) {
	switch v := value.(type) {
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		return readDatetime(v)
	}
	return 0, false
}

var cet = time.FixedZone("CET", 60*60)

// datetimes are the layouts that start YYYY-mm-dd; fractions of a second are read with each.
var datetimes = []string{
	time.DateOnly, time.DateTime, "2006-01-02T15:04:05",
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700",
}

func readDatetime(text string) (seconds int64, ok bool) {
	for _, layout := range datetimes {
		if t, err := time.ParseInLocation(layout, text, cet); err == nil {
			return t.Unix(), true
		}
	}
	return 0, false
}

// textField is a field that may be missing, but has a form when it is there.
type textField struct {
	key, want string
	fits      func(string) bool
}

var language = textField{"language", "like nl-NL", isLanguage}

// optionalTexts are the forms of an event's fields [P]. Profile fields without a documented form are any text.
var optionalTexts = []textField{
	language,
	{"currency", "three capital letters", func(v string) bool { return len(v) == 3 && allCapitals(v) }},
	{"newsletter", "yes or no", oneOf("yes", "no")},
	{"service", "yes or no", oneOf("yes", "no")},
	{"marketing", "yes or no", oneOf("yes", "no")},
	{"gender", "M, F or U", oneOf("M", "F", "U")},
	{"birthdate", "YYYY-MM-DD", isDate},
	{"country", "two capital letters", func(v string) bool { return len(v) == 2 && allCapitals(v) }},
	{"firstname", "a string", anyText},
	{"lastname", "a string", anyText},
	{"phone", "a string", anyText},
	{"postcode", "a string", anyText},
	{"city", "a string", anyText},
}

var productTexts = []textField{language, {"name", "a string", anyText}}

func anyText(string) bool          { return true }
func notEmpty(value string) bool   { return strings.TrimSpace(value) != "" }
func isDate(value string) bool     { _, err := time.Parse(time.DateOnly, value); return err == nil }
func allCapitals(text string) bool { return strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

func oneOf(values ...string) func(string) bool {
	return func(value string) bool {
		for _, v := range values {
			if v == value {
				return true
			}
		}
		return false
	}
}

// isLanguage: ISO 639-1, a hyphen, ISO 3166-1 alpha-2 [P].
func isLanguage(value string) bool {
	return len(value) == 5 && value[2] == '-' && allCapitals(value[3:]) &&
		strings.Trim(value[:2], "abcdefghijklmnopqrstuvwxyz") == ""
}

// isEmail: a plain address, or its SHA-256 hex under the same key [P].
func isEmail(value string) bool {
	return isHash(value) || isAddress(value)
}

func isHash(value string) bool {
	return len(value) == 64 && strings.Trim(value, "0123456789abcdefABCDEF") == ""
}

// isAddress judges the shape alone: one address, nothing around it, a domain with a dot.
func isAddress(value string) bool {
	local, domain, found := strings.Cut(value, "@")
	if !found || local == "" || len(value) > 254 || strings.ContainsAny(domain, "@") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.ContainsFunc(value, isForeign)
}

// isForeign finds what stands between several addresses in one field, or around one.
func isForeign(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0xa0 || strings.ContainsRune(`,;<>()[]"\`, r)
}

// mask keeps the first letter and the domain of an address, and less of anything else.
func mask(person string) string {
	if person == "" {
		return ""
	}
	local, domain, found := strings.Cut(person, "@")
	if !found {
		return firstRune(person) + "***"
	}
	return firstRune(local) + "***@" + domain
}

func firstRune(text string) string {
	for i, r := range text {
		if i == 0 {
			return string(r)
		}
	}
	return ""
}
