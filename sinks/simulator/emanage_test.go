package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// cartCall posts to a campaign.
func cartCall(s *Simulator, path, body string) (status int, answer string) {
	r := httptest.NewRequest(http.MethodPost, "/api/shoppingcart/camp/"+path, strings.NewReader(body))
	r.Header.Set("X_CID", "cid")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const (
	newCart    = `{"Product": {"productId": "1", "price": "100", "quantity": "1", "shippingMethodId": "145"}, "customerIP": "192.0.2.1"}`
	newTest    = `{"Product": {"productId": "1", "price": "100", "quantity": "1", "shippingMethodId": "145"}, "customerIP": "192.0.2.1", "behaviorId": 2}`
	addCart    = `{"productId": "%d", "price": "%d", "quantity": "1", "shippingMethodId": "145", "upgradePreviewProductId": %d, "upgradePreviewQuantity": 1}`
	offlineNew = `{"Product": {"productId": "2", "price": "120", "quantity": "1", "shippingMethodId": "145", "upgradePreviewProductId": 1,
		"upgradePreviewQuantity": 1, "upgradeParentSessionId": "%s"}, "customerIP": "192.0.2.1"}`
)

// chain makes 100, 120 and 140 in one session.
func chain(t *testing.T, s *Simulator) EmanageCart {
	t.Helper()
	status, session := cartCall(s, "new", newCart)
	if status != http.StatusOK {
		t.Fatalf("new: %d %s", status, session)
	}
	for i := range 2 {
		if status, text := cartCall(s, "add?sessionId="+session, fmt.Sprintf(addCart, i+2, 120+20*i, i+1)); status != http.StatusOK || text != "" {
			t.Fatalf("add: %d %q", status, text)
		}
	}
	return s.EmanageCarts(false)[0]
}

// TestEmanageChains: one or two charges for 100, 120, 140, the total is 140; of
// what cannot be collected the main product is left.
func TestEmanageChains(t *testing.T) {
	for name, c := range map[string]struct {
		rules          EmanageRules
		charges, ships string
		money          string
	}{
		"each":           {EmanageRules{}, "[100 20 20]", "3", "140"},
		"first and last": {EmanageRules{OneCharge: true}, "[100 40]", "3", "140"},
		"a discount":     {EmanageRules{Discount: 25}, "[75 15 15]", "3", "105"},
		"uncollectable":  {EmanageRules{Uncollectable: true, Repeats: true}, "[100]", "1", "100"},
	} {
		s := New(Options{Emanage: c.rules})
		cart := chain(t, s)
		p := s.Counts().Platforms[Emanage]
		if fmt.Sprint(cart.Charges) != c.charges || cart.Ships != c.ships || p.Money[NoCurrency] != c.money || p.Orders != 1 || p.Accepted != 3 {
			t.Errorf("%s: charged %v, ships %s; %+v", name, cart.Charges, cart.Ships, p)
		}
	}
}

func TestEmanageOffline(t *testing.T) {
	for unpaid, ships := range map[bool][2]string{false: {"", "2"}, true: {"1", ""}} {
		s := New(Options{Emanage: EmanageRules{OfflineUnpaid: unpaid}})
		_, session := cartCall(s, "new", newCart)
		if status, text := cartCall(s, "new", fmt.Sprintf(offlineNew, session)); status != http.StatusOK || text == session {
			t.Fatalf("offline: %d %s", status, text)
		}
		carts := s.EmanageCarts(false)
		if len(carts) != 2 || carts[0].Ships != ships[0] || carts[1].Ships != ships[1] || carts[1].Parent != session || carts[1].Products[0].Discarded != unpaid {
			t.Errorf("unpaid %v: %+v", unpaid, carts)
		}
	}
}

// TestEmanageKeepsTestsApart: test carts charge nobody, and nothing goes from
// one kind to the other.
func TestEmanageKeepsTestsApart(t *testing.T) {
	s := New(Options{})
	if status, text := cartCall(s, "new", newTest); status != http.StatusBadRequest || !strings.Contains(text, "behaviorId") {
		t.Errorf("a test in the body alone: %d %s", status, text)
	}
	_, session := cartCall(s, "new?behaviorId=2", newTest)
	if status, text := cartCall(s, "add?sessionId="+session, fmt.Sprintf(addCart, 2, 120, 1)); status != http.StatusBadRequest {
		t.Errorf("a real upgrade of a test cart: %d %s", status, text)
	}
	if status, _ := cartCall(s, "add?behaviorId=2&sessionId="+session, fmt.Sprintf(addCart, 2, 120, 1)); status != http.StatusOK {
		t.Errorf("a test upgrade of a test cart: %d", status)
	}
	if p := s.Counts().Platforms[Emanage]; len(p.Money) != 0 || p.Orders != 0 || len(s.EmanageCarts(true)) != 1 || len(s.EmanageCarts(false)) != 0 {
		t.Errorf("tests were charged: %+v", p)
	}
}

func TestEmanageRefuses(t *testing.T) {
	s := New(Options{})
	session := chain(t, s).Session
	s.AddEmanageCart(EmanageCart{Session: "elsewhere", WebKey: "other", Products: []EmanageProduct{{ProductID: "1"}}})
	for name, c := range map[string]struct{ path, body, text string }{
		"no session":               {"add", fmt.Sprintf(addCart, 4, 160, 3), "sessionId is missing"},
		"an unknown session":       {"add?sessionId=x", fmt.Sprintf(addCart, 4, 160, 3), "no such session"},
		"another campaign's":       {"add?sessionId=elsewhere", fmt.Sprintf(addCart, 4, 160, 1), "no such session"},
		"not the last product":     {"add?sessionId=" + session, fmt.Sprintf(addCart, 4, 160, 2), "not the last one"},
		"a repeat":                 {"add?sessionId=" + session, fmt.Sprintf(addCart, 3, 140, 2), "not the last one"},
		"a cheaper one":            {"add?sessionId=" + session, fmt.Sprintf(addCart, 4, 10, 3), "nothing can be charged"},
		"an upgrade of nothing":    {"add?sessionId=" + session, `{"productId": "4", "price": "1", "quantity": "1", "shippingMethodId": "145"}`, "says what it replaces"},
		"a price that is a number": {"new", strings.Replace(newCart, `"100"`, "100", 1), "no Product as it should be"},
		"half a product":           {"new", strings.Replace(newCart, `"quantity": "1"`, `"quantity": "0.5"`, 1), "a whole one"},
		"no client":                {"new", strings.Replace(newCart, "192.0.2.1", "", 1), "customerIP"},
		"a key of its own":         {"new", strings.Replace(newCart, "customerIP", "ip", 1), "no Product as it should be"},
		"an unknown parent":        {"new", fmt.Sprintf(offlineNew, "x"), "no such session"},
		"a text for a number":      {"add?sessionId=" + session, strings.Replace(fmt.Sprintf(addCart, 4, 160, 3), ": 3,", `: "3",`, 1), "are numbers"},
	} {
		before := fmt.Sprint(s.EmanageCarts(false))
		if status, text := cartCall(s, c.path, c.body); status != http.StatusBadRequest || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if fmt.Sprint(s.EmanageCarts(false)) != before {
			t.Errorf("%s: a refused request changed a cart", name)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/shoppingcart/camp/new", strings.NewReader(newCart))
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("without X_CID: %d", w.Code)
	}
	if status, _ := cartCall(s, "clear", ""); status != http.StatusNotFound {
		t.Errorf("another call: %d", status)
	}
}

// TestEmanageIsSeeded: carts of the shop itself come through the control
// interface; the answers have the form that was chosen.
func TestEmanageIsSeeded(t *testing.T) {
	s := New(Options{Emanage: EmanageRules{Answers: SessionObject}})
	r := httptest.NewRequest(http.MethodPost, "/_sim/emanage", strings.NewReader(`{"session": "s-1", "webkey": "camp",
		"products": [{"product_id": "1", "price": "100", "quantity": "1"}]}`))
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"ships":"1"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if status, text := cartCall(s, "add?sessionId=s-1", fmt.Sprintf(addCart, 2, 120, 1)); status != http.StatusOK || text != `{"success": true}` {
		t.Errorf("%d %s", status, text)
	}
	if p := s.Counts().Platforms[Emanage]; p.Money[NoCurrency] != "20" {
		t.Errorf("charged %v", p.Money)
	}
	if _, text := cartCall(s, "new", newCart); !strings.HasPrefix(text, `{"sessionId":"`) {
		t.Errorf("new answers %s", text)
	}
}
