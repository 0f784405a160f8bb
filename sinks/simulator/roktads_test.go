package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"makegood/sinks/simulator"
)

const roktTime = 1795255200000 // 10:00 of the rig's day, in ms

// ad is a good item of the Event & Audience API after one change: a nil value
// removes the key.
func ad(key string, value any) string {
	attributes := map[string]any{"conversiontype": "purchase", "confirmationref": "A1", "amount": "25", "currency": "EUR"}
	data := map[string]any{"custom_event_type": "transaction", "event_name": "conversion", "timestamp_unixtime_ms": roktTime, "custom_attributes": attributes}
	event := map[string]any{"event_type": "custom_event", "data": data}
	identities := map[string]any{"email": "jo@example.com"}
	item := map[string]any{"environment": "production", "user_identities": identities, "events": []any{event}}
	for _, at := range []map[string]any{attributes, data, event, identities, item} {
		if _, here := at[key]; !here && !(key == "other" && at["email"] != nil) {
			continue
		}
		at[key] = value
		if value == nil {
			delete(at, key)
		}
	}
	body, _ := json.Marshal(item)
	return string(body)
}

func (r *rig) rokt(path, body string) answer {
	r.t.Helper()
	return r.do(r.t.Context(), "POST", path, body, map[string]string{
		"Content-Type": "application/json", "Authorization": "Basic a2V5OnNlY3JldA=="})
}

func TestRoktAdsFields(t *testing.T) {
	day := int64(24 * 3600 * 1000)
	for _, tc := range []struct {
		key   string
		value any
		good  bool
	}{
		{"", nil, true}, {"environment", "development", true}, {"other", strings.Repeat("0a", 32), true},
		{"amount", nil, true}, {"amount", "25.10", true}, {"timestamp_unixtime_ms", roktTime - 29*day, true},
		{"environment", nil, false}, {"environment", "test", false}, {"email", nil, false}, {"email", "jo", false},
		{"other", "0a", false}, {"user_identities", nil, false}, {"events", nil, false}, {"events", []any{}, false},
		{"event_type", "purchase", false}, {"custom_event_type", "other", false}, {"event_name", "buy", false},
		{"timestamp_unixtime_ms", nil, false}, {"timestamp_unixtime_ms", "now", false}, {"timestamp_unixtime_ms", roktTime / 1000, false},
		{"timestamp_unixtime_ms", roktTime + day, false}, {"timestamp_unixtime_ms", roktTime - 31*day, false},
		{"conversiontype", nil, false}, {"confirmationref", "", false}, {"confirmationref", 7, false}, {"amount", 25.1, false},
		{"amount", "25,10", false}, {"currency", "eur", false},
	} {
		r := start(t, simulator.Options{})
		got := r.rokt("/v2/bulkevents", "["+ad(tc.key, tc.value)+"]")
		if want := map[bool]int{true: http.StatusAccepted, false: http.StatusBadRequest}[tc.good]; got.status != want || tc.good != (got.body == "") {
			t.Errorf("%s = %v: %d %s", tc.key, tc.value, got.status, got.body)
		}
		if n := len(r.AdConversions("")); (n == 1) != tc.good {
			t.Errorf("%s = %v: %d conversions", tc.key, tc.value, n)
		}
	}
}

func TestRoktAdsRequests(t *testing.T) {
	r := start(t, simulator.Options{Accounts: map[string]string{"key": "secret"}})
	many := strings.Repeat(ad("", nil)+",", 100) + ad("", nil)
	for _, tc := range []struct {
		path, body string
		status     int
	}{
		{"/v2/bulkevents", "[]", 400}, {"/v2/bulkevents", ad("", nil), 400}, {"/v2/bulkevents", "[" + many + "]", 413},
		{"/v2/bulkevents", `["` + strings.Repeat("x", 257<<10) + `"]`, 413}, {"/v2/events", ad("", nil), 202},
		{"/v2/events", ad("environment", nil), 400}, {"/v1/conversions", `{"events":[{}]}`, 400}, {"/v1/conversions", `{"accountId":"1","events":[]}`, 400},
		{"/v1/conversions", `{"accountId":"1","events":[{}],"more":1}`, 400}, {"/v1/conversions", `{"accountId":"1","events":[{}]}`, 200},
	} {
		if got := r.rokt(tc.path, tc.body); got.status != tc.status {
			t.Errorf("%s with %.40s: %d %s, want %d", tc.path, tc.body, got.status, got.body, tc.status)
		}
	}
	for header, status := range map[string]int{"": 401, "Basic a2V5Og==": 401, "Basic a2V5Om90aGVy": 403} {
		got := r.do(t.Context(), "POST", "/v2/events", ad("", nil), map[string]string{"Content-Type": "application/json", "Authorization": header})
		wantStatus(t, got, status)
	}
	wantStatus(t, r.do(t.Context(), "GET", "/v2/events", "", nil), 405)
}

// Two events with one id in one request: the Conversions API refuses the later.
func TestRoktAdsTwice(t *testing.T) {
	r := start(t, simulator.Options{})
	one := `{"conversionId":"A1","conversionType":"purchase","eventTime":"2026-11-21T09:00:00Z","email":"jo@example.com","amount":"25","currency":"EUR"}`
	got := r.rokt("/v1/conversions", fmt.Sprintf(`{"accountId":"1","events":[%s,%s]}`, one, one))
	if wantStatus(t, got, 200); !strings.Contains(got.body, `"index":1`) || strings.Contains(got.body, `"index":0`) {
		t.Errorf("got %s", got.body)
	}
	c := r.Counts().Platforms[simulator.RoktAds]
	if c.Accepted != 1 || c.Orders != 1 || c.Money["EUR"] != "25" {
		t.Errorf("got %+v", c)
	}
	if state := r.get("/_sim/state"); !strings.Contains(state.body, `"rokt_ads":{"1":[{"conversiontype":"purchase","confirmationref":"A1","person":"j***@example.com"`) {
		t.Errorf("got %s", state.body)
	}
}

// What comes under one identity is one person's, also when only a later
// conversion shows that two identities are.
func TestRoktAdsProfiles(t *testing.T) {
	r := start(t, simulator.Options{})
	tell := func(ref, identities string) {
		item := strings.Replace(ad("confirmationref", ref), `{"email":"jo@example.com"}`, identities, 1)
		wantStatus(t, r.rokt("/v2/bulkevents", "["+item+"]"), 202)
	}
	tell("A1", `{"email":"jo@example.com"}`)
	tell("A2", `{"other2":"click-1"}`)
	tell("A3", `{"email":"al@example.com"}`)
	tell("A3", `{"email":"al@example.com"}`)
	account := r.AdConversions("")[0].Account
	if p, _ := r.AdProfile(account, "al@example.com"); len(p.Conversions) != 1 || p.Identities["email"] != "a***@example.com" {
		t.Errorf("got %+v", p)
	}
	tell("A4", `{"email":"jo@example.com","other2":"click-1"}`)
	p, ok := r.AdProfile(account, "click-1")
	if q, _ := r.AdProfile(account, "jo@example.com"); !ok || len(p.Conversions) != 3 || len(q.Conversions) != 3 || len(p.Identities) != 2 {
		t.Errorf("got %+v and %+v", p, q)
	}
	if all := r.AdProfiles()[account]; len(all) != 2 || len(all[0].Conversions)+len(all[1].Conversions) != 4 {
		t.Errorf("all persons: %+v", all)
	}
	if _, ok := r.AdProfile(account, "nobody@example.com"); ok {
		t.Error("nobody is somebody")
	}
}
