package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// with returns a good purchase after the changes: a nil value removes a key, "products.x" reaches into the first product.
func with(changes map[string]any) string {
	product := map[string]any{"id": "SKU-1", "quantity": 2, "price": 12.5}
	event := map[string]any{"event": "Purchase", "email": "jo@example.com", "orderid": "A1", "products": []any{product}}
	for key, value := range changes {
		target := event
		if name, found := strings.CutPrefix(key, "products."); found {
			target, key = product, name
		}
		target[key] = value
		if value == nil {
			delete(target, key)
		}
	}
	body, _ := json.Marshal(event)
	return string(body)
}

func TestPurchaseFields(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC).Unix()
	hash := strings.Repeat("0a", 32)
	for _, tt := range []struct {
		field string
		value any
		fault string // what the error names; empty: accepted
	}{
		{"email", "jo@example.com", ""},
		{"email", hash, ""},
		{"email", nil, "email"},
		{"email", "", "email"},
		{"email", "jo", "email"},
		{"email", "jo@example", "email"},
		{"email", "jo@@example.com", "email"},
		{"email", " jo@example.com", "email"},
		{"email", "jo@example.com,al@example.com", "email"},
		{"email", "Jo <jo@example.com>", "email"},
		{"email", hash[1:], "email"},
		{"email", 7, "email"},
		{"orderid", nil, "orderid"},
		{"orderid", 1001, "orderid"},
		{"orderid", " ", "orderid"},
		{"event", nil, "event"},
		{"event", 1, "event"},
		{"products", nil, "products"},
		{"products", []any{}, "products"},
		{"products", "SKU-1", "products"},
		{"products", []any{"SKU-1"}, "products[0]"},
		{"products.id", nil, "products[0].id"},
		{"products.id", 22, "products[0].id"},
		{"products.quantity", nil, "products[0].quantity"},
		{"products.quantity", "2", "products[0].quantity"},
		{"products.quantity", 0, "products[0].quantity"},
		{"products.quantity", -1, "products[0].quantity"},
		{"products.quantity", 0.734, ""},
		{"products.price", nil, ""},
		{"products.price", "12.50", "products[0].price"},
		{"products.price", json.RawMessage("1e3"), "products[0].price"},
		{"products.price", json.RawMessage("12345678901234567.891"), "products[0].price"},
		{"products.price", json.RawMessage("null"), "products[0].price"},
		{"products.price", 0, ""},
		{"products.language", "nl-NL", ""},
		{"products.language", "nl_NL", "products[0].language"},
		{"products.name", "Mug", ""},
		{"products.name", 1, "products[0].name"},
		{"products.category_ids", []any{"1"}, ""},
		{"products.category_ids", "1", "products[0].category_ids"},
		{"language", "nl-NL", ""},
		{"language", "NL-nl", "language"},
		{"language", "ı-NL", "language"},
		{"language", "nl", "language"},
		{"currency", "EUR", ""},
		{"currency", "eur", "currency"},
		{"currency", "E1R", "currency"},
		{"currency", "", "currency"},
		{"totalvalue", 29.95, ""},
		{"totalvalue", "29.95", "totalvalue"},
		{"totalvalue", 29.955, "totalvalue"},
		{"timestamp", now, ""},
		{"timestamp", now + 86_400, ""},
		{"timestamp", now + 86_401, "TIMESTAMP_ERROR"},
		{"timestamp", now * 1000, "TIMESTAMP_ERROR"},
		{"timestamp", 0, "TIMESTAMP_ERROR"},
		{"timestamp", float64(now) + 0.5, "TIMESTAMP_ERROR"},
		{"timestamp", fmt.Sprint(now), "TIMESTAMP_ERROR"},
		{"timestamp", "2026-11-21", ""},
		{"timestamp", "2026-11-21 10:00:00", ""},
		{"timestamp", "2026-11-21T10:00:00+01:00", ""},
		{"timestamp", "21-11-2026", "TIMESTAMP_ERROR"},
		{"timestamp", true, "TIMESTAMP_ERROR"},
		{"newsletter", "yes", ""},
		{"newsletter", "no", ""},
		{"newsletter", true, "newsletter"},
		{"newsletter", "", "newsletter"},
		{"service", "Yes", "service"},
		{"marketing", 1, "marketing"},
		{"gender", "F", ""},
		{"gender", "female", "gender"},
		{"birthdate", "1980-02-29", ""},
		{"birthdate", "29-02-1980", "birthdate"},
		{"country", "NL", ""},
		{"country", "nld", "country"},
		{"firstname", "Jo", ""},
		{"phone", 31, "phone"},
		{"custom_store", "Utrecht", ""},
		{"custom_points", 3, ""},
	} {
		t.Run(fmt.Sprint(tt.field, "=", tt.value), func(t *testing.T) {
			r := start(t, simulator.Options{})
			got := r.track(with(map[string]any{tt.field: tt.value}))
			if tt.fault == "" {
				wantStatus(t, got, 200)
				if got.body != `{"success":true}` || got.header.Get("Content-Type") != "application/json" {
					t.Errorf("answer %q as %s", got.body, got.header.Get("Content-Type"))
				}
				return
			}
			wantError(t, got, 400, tt.fault)
			if all := r.Purchases(account); len(all) != 0 {
				t.Errorf("a refused purchase was stored: %+v", all)
			}
		})
	}
}

func TestTimestampErrorStandsAlone(t *testing.T) {
	r := start(t, simulator.Options{})
	got := r.track(with(map[string]any{"timestamp": "yesterday", "currency": "euro"}))
	if list := errorsOf(t, got); len(list) != 2 || list[1] != "TIMESTAMP_ERROR" {
		t.Errorf("errors %q", list)
	}
}

func TestErrorsNameNoPerson(t *testing.T) {
	r := start(t, simulator.Options{})
	got := r.track(with(map[string]any{"email": "jo@example.com, al@example.com"}))
	if strings.Contains(got.body, "example.com") {
		t.Errorf("the answer repeats the address: %s", got.body)
	}
}

func TestTrackRequests(t *testing.T) {
	change := func(key, value string) map[string]string {
		header := maps.Clone(login)
		header[key] = value
		return header
	}
	for _, tt := range []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
	}{
		{"good", "POST", "/v1/track", purchase("A1"), login, 200},
		{"other path", "POST", "/api/v1/track", purchase("A1"), login, 200},
		{"charset", "POST", "/v1/track", purchase("A1"), change("Content-Type", `application/json; charset="UTF-8"`), 200},
		{"latin", "POST", "/v1/track", purchase("A1"), change("Content-Type", "application/json; charset=latin1"), 415},
		{"form", "POST", "/v1/track", "event=Purchase", change("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"no type", "POST", "/v1/track", purchase("A1"), change("Content-Type", ""), 415},
		{"get", "GET", "/v1/track", "", login, 405},
		{"put", "PUT", "/v1/track", purchase("A1"), login, 405},
		{"no account", "POST", "/v1/track", purchase("A1"), change("X-AUTH-ACCOUNT", ""), 401},
		{"no key", "POST", "/v1/track", purchase("A1"), change("X-AUTH-APIKEY", ""), 401},
		{"empty", "POST", "/v1/track", "", login, 400},
		{"no JSON", "POST", "/v1/track", "{", login, 400},
		{"null", "POST", "/v1/track", "null", login, 400},
		{"list", "POST", "/v1/track", "[" + purchase("A1") + "]", login, 400},
		{"two", "POST", "/v1/track", purchase("A1") + purchase("A2"), login, 400},
		{"not UTF-8", "POST", "/v1/track", with(map[string]any{"custom_x": "X"})[:10] + "\xff", login, 400},
		{"empty batch", "POST", "/v1/track", `{"events":[]}`, login, 400},
		{"no list", "POST", "/v1/track", `{"events":{}}`, login, 400},
		{"batch and event", "POST", "/v1/track", `{"event":"Purchase","events":[{}]}`, login, 400},
		{"batch of text", "POST", "/v1/track", `{"events":["Purchase"]}`, login, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, simulator.Options{})
			got := r.do(t.Context(), tt.method, tt.path, tt.body, tt.header)
			wantStatus(t, got, tt.status)
			if tt.status != 200 {
				errorsOf(t, got)
			}
			if stored := len(r.Purchases("")); stored != 0 != (tt.status == 200) {
				t.Errorf("%d purchases stored", stored)
			}
		})
	}
}

func TestLogins(t *testing.T) {
	r := start(t, simulator.Options{
		Accounts:  map[string]string{account: apiKey, "shop-2": "key-2"},
		Squeezely: simulator.SqueezelyRules{LoginStatus: 403},
	})
	wantStatus(t, r.track(purchase("A1")), 200)
	for _, pair := range [][2]string{{account, "key-2"}, {"shop-3", apiKey}, {"shop-3", ""}, {"", ""}} {
		header := map[string]string{"Content-Type": "application/json", "X-AUTH-ACCOUNT": pair[0], "X-AUTH-APIKEY": pair[1]}
		wantError(t, r.do(t.Context(), "POST", "/v1/track", purchase("A2"), header), 403, "key is wrong")
	}
	if totals := r.Counts().Platforms[simulator.Squeezely]; totals.Refused != 4 || totals.Accepted != 1 {
		t.Errorf("totals %+v", totals)
	}
}

func TestPurchasesMerge(t *testing.T) {
	r := start(t, simulator.Options{})
	r.track(with(map[string]any{"currency": "EUR", "custom_store": "Utrecht"}))
	r.clock.advance(time.Hour)
	last := with(map[string]any{"currency": "GBP", "totalvalue": 19.95, "timestamp": 1_790_000_000, "custom_store": "Delft"})
	r.track(last)
	other := maps.Clone(login)
	other["X-AUTH-ACCOUNT"] = "shop-2"
	wantStatus(t, r.do(t.Context(), "POST", "/v1/track", with(nil), other), 200)

	p, ok := r.Purchase(account, "A1")
	if !ok || p.Count != 2 || p.Last.Sub(p.First) != time.Hour || p.Total.String() != "19.95" || p.Currency != "GBP" {
		t.Errorf("purchase %+v", p)
	}
	if string(p.Body) != last || p.Custom()["custom_store"] != "Delft" || p.OrderedAt.Unix() != 1_790_000_000 {
		t.Errorf("body %s, custom %v, ordered %v", p.Body, p.Custom(), p.OrderedAt)
	}
	if len(r.Purchases(account)) != 1 || len(r.Purchases("")) != 2 {
		t.Error("accounts are not kept apart")
	}
	totals := r.Counts().Platforms[simulator.Squeezely]
	if totals.Orders != 2 || totals.Repeats != 1 || totals.Accepted != 3 ||
		fmt.Sprint(totals.Money) != "map[GBP:19.95 none:25]" {
		t.Errorf("totals %+v", totals)
	}
}

func TestRepeatPolicies(t *testing.T) {
	for _, tt := range []struct {
		policy simulator.RepeatPolicy
		status int
		count  int
		money  string
	}{
		{simulator.RepeatsMerge, 200, 2, "25"},
		{simulator.RepeatsCount, 200, 2, "50"},
		{simulator.RepeatsRefuse, 409, 1, "25"},
	} {
		r := start(t, simulator.Options{Squeezely: simulator.SqueezelyRules{Repeats: tt.policy}})
		wantStatus(t, r.track(purchase("A1")), 200)
		wantStatus(t, r.track(purchase("A1")), tt.status)
		p, _ := r.Purchase(account, "A1")
		if money := r.Counts().Platforms[simulator.Squeezely].Money["EUR"]; p.Count != tt.count || money != tt.money {
			t.Errorf("policy %d: count %d, money %s; want %d, %s", tt.policy, p.Count, money, tt.count, tt.money)
		}
	}
}

func TestBatches(t *testing.T) {
	good := fmt.Sprintf(`{"events":[%s,%s]}`, purchase("A1"), purchase("A2"))
	mixed := fmt.Sprintf(`{"events":[%s,{"event":"Purchase"},%s]}`, purchase("A1"), purchase("A2"))
	twice := fmt.Sprintf(`{"events":[%s,%s]}`, purchase("A1"), purchase("A1"))
	type rules = simulator.SqueezelyRules
	for _, tt := range []struct {
		name   string
		rules  rules
		body   string
		status int
		stored int
		answer string
	}{
		{"good", rules{}, good, 200, 2, `{"success":true}`},
		{"mixed, all or nothing", rules{}, mixed, 400, 0, `"events[1]: email: must be`},
		{"mixed, by index", rules{Batch: simulator.ByIndex}, mixed, 400, 2, `"events[1]: email: must be`},
		{"mixed, 200", rules{ErrorsWith200: true}, mixed, 200, 0, `"errors":[`},
		{"mixed, objects", rules{Batch: simulator.ByIndex, ErrorsWith200: true, ErrorObjects: true}, mixed, 200, 2, `"index":1`},
		{"too many", rules{MaxBatch: 1}, good, 413, 0, "at most 1"},
		{"just enough", rules{MaxBatch: 2}, good, 200, 2, ""},
		{"same order twice", rules{}, twice, 200, 1, ""},
		{"same order twice, refused", rules{Repeats: simulator.RepeatsRefuse}, twice, 409, 0, "events[1]: orderid"},
		{"same order twice, by index", rules{Repeats: simulator.RepeatsRefuse, Batch: simulator.ByIndex}, twice, 409, 1, ""},
		{"own answer", rules{SuccessStatus: 201, SuccessBody: []byte(`{}`)}, good, 201, 2, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, simulator.Options{Squeezely: tt.rules})
			got := r.track(tt.body)
			wantStatus(t, got, tt.status)
			if !strings.Contains(got.body, tt.answer) {
				t.Errorf("answer %s, want %s", got.body, tt.answer)
			}
			if stored := r.Purchases(account); len(stored) != tt.stored {
				t.Errorf("%d purchases stored, want %d", len(stored), tt.stored)
			} else if tt.stored == 2 && string(stored[0].Body) != purchase("A1") {
				t.Errorf("body of the first event: %s", stored[0].Body)
			}
		})
	}
}

func TestErrorObjectsCarryTheCode(t *testing.T) {
	r := start(t, simulator.Options{Squeezely: simulator.SqueezelyRules{ErrorObjects: true}})
	got := r.track(with(map[string]any{"timestamp": "x"}))
	if !strings.Contains(got.body, `"code":"TIMESTAMP_ERROR"`) || !strings.Contains(got.body, `"field":"timestamp"`) {
		t.Errorf("answer %s", got.body)
	}
}

func TestSwitchesOfTheAccount(t *testing.T) {
	several := simulator.Options{Squeezely: simulator.SqueezelyRules{SeveralCurrencies: true, SeveralLanguages: true}}
	r := start(t, several)
	wantError(t, r.track(with(map[string]any{"products.language": "nl-NL"})), 400, "currency: is needed")
	wantError(t, r.track(with(map[string]any{"currency": "EUR"})), 400, "products[0].language: is needed")
	wantStatus(t, r.track(with(map[string]any{"currency": "EUR", "products.language": "nl-NL"})), 200)

	r = start(t, simulator.Options{Squeezely: simulator.SqueezelyRules{AnyQuantity: true, FutureSlack: time.Hour}})
	wantStatus(t, r.track(with(map[string]any{"products.quantity": -1})), 200)
	if money := r.Counts().Platforms[simulator.Squeezely].Money[simulator.NoCurrency]; money != "-12.5" {
		t.Errorf("money %s", money)
	}
	soon := r.clock.Now().Add(2 * time.Hour).Unix()
	wantError(t, r.track(with(map[string]any{"timestamp": soon})), 400, "TIMESTAMP_ERROR")
}

func TestMoneyIsExact(t *testing.T) {
	r := start(t, simulator.Options{})
	for i := range 10 {
		price := json.RawMessage("0.1")
		r.track(with(map[string]any{"orderid": fmt.Sprint("A", i), "currency": "EUR", "products.quantity": 1, "products.price": price}))
	}
	r.track(with(map[string]any{"orderid": "big", "currency": "EUR", "products.quantity": 1,
		"products.price": json.RawMessage("99999999999999999.99")}))
	r.track(with(map[string]any{"orderid": "small", "currency": "EUR", "products.quantity": json.RawMessage("0.001"),
		"products.price": json.RawMessage("0.0001")}))
	if money := r.Counts().Platforms[simulator.Squeezely].Money["EUR"]; money != "100000000000000000.9900001" {
		t.Errorf("money %s", money)
	}
	tooFine := map[string]any{"products.quantity": json.RawMessage("1.0000000001"), "products.price": json.RawMessage("1.0000000001")}
	wantError(t, r.track(with(tooFine)), 400, "more digits")
}

func TestThreeDecimalCurrency(t *testing.T) {
	r := start(t, simulator.Options{})
	wantStatus(t, r.track(with(map[string]any{"currency": "KWD", "totalvalue": 1.234})), 200)
	wantError(t, r.track(with(map[string]any{"currency": "KWD", "totalvalue": 1.2345})), 400, "at most 3")
	wantStatus(t, r.track(with(map[string]any{"totalvalue": json.RawMessage("1.20000")})), 200)
}

func TestForgetBodies(t *testing.T) {
	r := start(t, simulator.Options{ForgetBodies: true})
	r.track(purchase("A1"))
	if p, ok := r.Purchase(account, "A1"); !ok || p.Body != nil || p.Custom() != nil {
		t.Errorf("purchase %+v", p)
	}
	if _, ok := r.Purchase(account, "A2"); ok {
		t.Error("an unknown order was found")
	}
}

func TestOtherEventsCount(t *testing.T) {
	r := start(t, simulator.Options{})
	wantStatus(t, r.track(`{"event":"purchase","orderid":"A1"}`), 200)
	counts := r.Counts()
	if counts.OtherEvents != 1 || counts.Platforms[simulator.Squeezely].Orders != 0 || len(r.Purchases("")) != 0 {
		t.Errorf("counts %+v", counts)
	}
}
