package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

const wantsPlacement = `{"cartId":"c1","pageIdentifier":"upsell","url":"https://shop.example.com/upsell","attributes":{"email":"` + canary + `@example.com"},"sessionId":"visit-1"}`

// available opens a handler whose Rokt is at url, and says what it logs.
func available(t *testing.T, url string, clock func() time.Time) (*Availability, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	a := NewAvailability(AvailabilityOptions{URL: url, Key: "key-" + canary, Tag: "tag", ShopKey: shopKey, Timeout: 200 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(log, nil)), Clock: clock})
	t.Cleanup(a.Close)
	return a, log
}

func asked(t *testing.T, a *Availability, body string) (shown, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/rokt/availability", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+shopKey)
	a.ServeHTTP(w, r)
	var got shown
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if strings.Contains(w.Body.String(), canary) {
		t.Errorf("tells too much: %s", w.Body)
	}
	return got, w.Body.String()
}

// On any doubt the page is skipped, in time, and without an error.
func TestAvailabilityFailsOpen(t *testing.T) {
	for name, tc := range map[string]struct {
		rules  simulator.RoktRules
		fault  string
		body   string
		answer shown
	}{
		"a placement":    {body: wantsPlacement, answer: shown{Show: true, Session: "visit-1"}},
		"none":           {rules: simulator.RoktRules{NoPlacements: true}, body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no placement"}},
		"silence":        {fault: "hang", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"slow":           {fault: "slow=5s", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"500":            {fault: "status=500", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"403":            {fault: "status=403", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"a redirect":     {fault: "redirect", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"garbage":        {fault: "garbage", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"a reset":        {fault: "refuse", body: wantsPlacement, answer: shown{Session: "visit-1", Why: "skip: no clear answer in time"}},
		"a slip":         {body: strings.Replace(wantsPlacement, "cartId", "cart", 1), answer: shown{Session: "visit-1", Why: "skip: not asked for what the shop sent"}},
		"no attributes":  {body: `{"cartId":"c","pageIdentifier":"p","url":"https://shop.example.com","sessionId":"v"}`, answer: shown{Show: true, Session: "v"}},
		"a wild session": {body: strings.Replace(wantsPlacement, "visit-1", `a\r\nb`, 1), answer: shown{Why: "skip: not asked for what the shop sent"}},
		"no JSON":        {body: canary, answer: shown{Why: "skip: not asked for what the shop sent"}},
		"too large":      {body: `{"x":"` + strings.Repeat("x", 70<<10) + `"}`, answer: shown{Why: "skip: not asked for what the shop sent"}},
	} {
		sim := simulator.New(simulator.Options{Rokt: tc.rules})
		server := httptest.NewServer(sim)
		t.Cleanup(func() { sim.Close(); server.Close() })
		if tc.fault != "" {
			f, err := simulator.ParseFault(tc.fault)
			if err != nil || sim.SetFaults(f) != nil {
				t.Fatal(err)
			}
		}
		a, log := available(t, server.URL, nil)
		begun := time.Now()
		got, _ := asked(t, a, tc.body)
		if tc.answer.Session == "" {
			if len(got.Session) != 36 {
				t.Errorf("%s: the session is %q", name, got.Session)
			}
			got.Session = ""
		}
		if got != tc.answer || time.Since(begun) > 2*time.Second || strings.Contains(log.String(), canary) {
			t.Errorf("%s: %+v after %s, want %+v; log %s", name, got, time.Since(begun), tc.answer, log)
		}
	}
	a, _ := available(t, "http://127.0.0.1:1", nil)
	if got, _ := asked(t, a, wantsPlacement); got.Show {
		t.Error("nobody listens, and the page is shown")
	}
}

// What Rokt is asked holds what the shop sent and the session in a header; the
// session that Rokt names is handed on.
func TestAvailabilityAsks(t *testing.T) {
	rokt := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for header, want := range map[string]string{"rokt-api-key": "key-" + canary, "rokt-tag-id": "tag", "rokt-session-id": "visit-1"} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s is %q", header, got)
			}
		}
		want := `{"cartId":"c1","pageIdentifier":"upsell","url":"https://shop.example.com/upsell","attributes":{"email":"` + canary + `@example.com"}}`
		if r.URL.Path != "/v1/placements/any" || string(body) != want {
			t.Errorf("%s was asked %s", r.URL.Path, body)
		}
		w.Header().Set("rokt-session-id", "visit-of-rokt")
		_, _ = io.WriteString(w, `{"result":true}`)
	}))
	defer rokt.Close()
	a, _ := available(t, rokt.URL+"/", nil)
	if got, _ := asked(t, a, wantsPlacement); !got.Show || got.Session != "visit-of-rokt" {
		t.Errorf("got %+v", got)
	}
}

// A Rokt that fails again and again is left alone for a while.
func TestAvailabilityRests(t *testing.T) {
	sim := simulator.New(simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: 500}}})
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	a, log := available(t, server.URL, func() time.Time { return now })
	for range 20 {
		asked(t, a, wantsPlacement)
	}
	if n := sim.Counts().Requests; n != failuresInRow || strings.Count(log.String(), "pages are skipped") != 1 {
		t.Errorf("%d requests, log %s", n, log)
	}
	now = now.Add(restFor + time.Second)
	if err := sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	if got, _ := asked(t, a, wantsPlacement); !got.Show {
		t.Errorf("got %+v", got)
	}
	if s := a.Status(); s.Shown != 1 || s.Skipped[whyNoAnswer] != 5 || s.Skipped[whyRest] != 15 {
		t.Errorf("got %+v", s)
	}
}

// Who may not ask is told so, and to skip the page.
func TestAvailabilityRefuses(t *testing.T) {
	a, _ := available(t, "http://127.0.0.1:1", nil)
	for header, status := range map[string]int{"": 401, "Bearer ": 401, "Bearer " + shopKey + "x": 401, "Basic " + shopKey: 401} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/rokt/availability", strings.NewReader(wantsPlacement))
		r.Header.Set("Authorization", header)
		if a.ServeHTTP(w, r); w.Code != status || !strings.HasPrefix(w.Body.String(), `{"show":false`) {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if a.ServeHTTP(w, httptest.NewRequest("GET", "/rokt/availability", nil)); w.Code != 405 || !strings.Contains(w.Body.String(), `"show":false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
