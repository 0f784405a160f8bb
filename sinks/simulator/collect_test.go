package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// The customer's sample bodies, at example.com.
const (
	updateCart = `{"payload": {"cart": [
		{"item": "22098765", "quantity": "2", "price": "29.99", "unique_id": "20080292"},
		{"item": "22017432", "quantity": "3", "price": "49.99", "unique_id": "20088817"},
		{"item": "22032501", "quantity": "1", "price": "64.99", "unique_id": "20080089"}],
		"url": "https://www.example.com/cart/items.htm",
		"user_info": {"email": "exampleuser@example.com"}}}`
	clearCart = `{"payload": {"clear_cart": true, "url": "https://www.example.com/cart/empty.htm",
		"user_info": {"email": "newuser@example.com"}}}`
)

// conversion is a good conversion of 2 x 29.99 by the person of updateCart.
func conversion(order string) string {
	return fmt.Sprintf(`{"payload":{"cart":[{"item":"22098765","quantity":"2","price":"29.99","unique_id":"20080292"}],
		"order_number":%q,"user_info":{"email":"exampleuser@example.com"}}}`, order)
}

func TestCustomersSamples(t *testing.T) {
	r := start(t, simulator.Options{})
	wantStatus(t, r.collect("track_cart", updateCart), 200)
	wantStatus(t, r.collect("track_cart.json", clearCart), 200)
	cart, ok := r.Cart("123456", "exampleuser@example.com")
	if !ok || len(cart.Lines) != 3 || !cart.MailDue || cart.Updates != 1 || cart.Clears != 0 {
		t.Fatalf("cart %+v", cart)
	}
	want := simulator.CartLine{Item: "22017432", Quantity: "3", Price: "49.99", UniqueID: "20088817"}
	if cart.Lines[1] != want {
		t.Errorf("line %+v, want %+v", cart.Lines[1], want)
	}
	if cart, ok := r.Cart("123456", "newuser@example.com"); !ok || len(cart.Lines) != 0 || cart.Clears != 1 || cart.MailDue {
		t.Errorf("cleared cart %+v", cart)
	}
	if _, ok := r.Cart("654321", "newuser@example.com"); ok {
		t.Error("the cart shows under another MID")
	}
}

func TestCartsAreReplaced(t *testing.T) {
	r := start(t, simulator.Options{})
	r.collect("track_cart", updateCart)
	r.clock.advance(time.Minute)
	r.collect("track_cart", `{"payload":{"cart":[{"item":"1","unique_id":"2"}],"user_info":{"email":"exampleuser@example.com"}}}`)
	cart, _ := r.Cart("123456", "exampleuser@example.com")
	if len(cart.Lines) != 1 || cart.Lines[0].Item != "1" || cart.Updates != 2 || !cart.ChangedAt.Equal(r.clock.Now()) {
		t.Errorf("cart %+v", cart)
	}
	if all := r.Carts(""); len(all) != 1 || len(r.Carts("654321")) != 0 {
		t.Errorf("carts %+v", all)
	}
}

func TestMailDue(t *testing.T) {
	const clearMine = `{"payload":{"cart":{"clear_cart":true},"user_info":{"email":"exampleuser@example.com"}}}`
	for _, tt := range []struct {
		name  string
		calls []string
		due   bool
	}{
		{"filled", []string{updateCart}, true},
		{"filled, bought", []string{updateCart, conversion("A1")}, false},
		{"bought, filled", []string{conversion("A1"), updateCart}, true},
		{"bought only", []string{conversion("A1")}, false},
		{"filled, cleared", []string{updateCart, clearMine}, false},
		{"filled, bought, cleared, filled", []string{updateCart, conversion("A1"), clearMine, updateCart}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, simulator.Options{})
			for _, body := range tt.calls {
				action := "track_cart"
				if body == conversion("A1") {
					action = "track_conversion"
				}
				wantStatus(t, r.collect(action, body), 200)
			}
			if cart, _ := r.Cart("123456", "exampleuser@example.com"); cart.MailDue != tt.due {
				t.Errorf("mail due %v, want %v: %+v", cart.MailDue, tt.due, cart)
			}
		})
	}
}

// envelope wraps a payload for one person.
func envelope(payload string) string {
	return `{"payload":{"user_info":{"email":"jo@example.com"},` + payload + `}}`
}

func TestCollectBodies(t *testing.T) {
	const line = `{"item":"1","quantity":"2","price":"3.50","unique_id":"4"}`
	for _, tt := range []struct {
		name, action, body string
		fault              string // what the error names; empty: accepted
	}{
		{"line", "track_cart", envelope(`"cart":[` + line + `]`), ""},
		{"least line", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4"}]`), ""},
		{"subscriber id", "track_cart", `{"payload":{"clear_cart":true,"user_info":{"email":"0031234"}}}`, ""},
		{"known session", "track_cart", `{"user_id":"a","session_id":"b",` + envelope(`"clear_cart":true`)[1:], ""},
		{"clear", "track_cart", envelope(`"clear_cart":true`), ""},
		{"nested clear", "track_cart", envelope(`"cart":{"clear_cart":true}`), ""},
		{"conversion", "track_conversion", envelope(`"order_number":"A1","cart":[` + line + `]`), ""},
		{"with shipping", "track_conversion", envelope(`"order_number":"A1","shipping":"4.95","discount":1,"cart":[` + line + `]`), ""},

		{"no payload", "track_cart", `{"clear_cart":true}`, "beside payload"},
		{"empty object", "track_cart", `{}`, "payload: must be an object"},
		{"payload list", "track_cart", `{"payload":[]}`, "payload: must be an object"},
		{"not JSON", "track_cart", `payload`, "no JSON object"},
		{"user_id number", "track_cart", `{"user_id":1,` + envelope(`"clear_cart":true`)[1:], "user_id"},
		{"user_info outside", "track_cart", `{"payload":{"clear_cart":true},"user_info":{"email":"jo@example.com"}}`, "beside payload"},
		{"no user_info", "track_cart", `{"payload":{"clear_cart":true}}`, "user_info.email"},
		{"empty email", "track_cart", `{"payload":{"clear_cart":true,"user_info":{"email":" "}}}`, "user_info.email"},
		{"email number", "track_cart", `{"payload":{"clear_cart":true,"user_info":{"email":7}}}`, "user_info.email"},
		{"neither", "track_cart", envelope(`"url":"https://www.example.com/"`), "payload.cart"},
		{"relative url", "track_cart", envelope(`"clear_cart":true,"url":"/cart"`), "payload.url"},
		{"clear false", "track_cart", envelope(`"clear_cart":false`), "must be true"},
		{"clear text", "track_cart", envelope(`"clear_cart":"true"`), "must be true"},
		{"clear beside cart", "track_cart", envelope(`"clear_cart":true,"cart":[` + line + `]`), "must stand alone"},
		{"nested clear with more", "track_cart", envelope(`"cart":{"clear_cart":true,"item":"1"}`), "must stand alone"},
		{"both clears", "track_cart", envelope(`"clear_cart":true,"cart":{"clear_cart":true}`), "must stand alone"},
		{"empty cart", "track_cart", envelope(`"cart":[]`), "has no lines"},
		{"line of text", "track_cart", envelope(`"cart":["1"]`), "payload.cart[0]: must be an object"},
		{"no item", "track_cart", envelope(`"cart":[{"unique_id":"4"}]`), "payload.cart[0].item: is needed"},
		{"no unique_id", "track_cart", envelope(`"cart":[{"item":"1"}]`), "payload.cart[0].unique_id: is needed"},
		{"empty item", "track_cart", envelope(`"cart":[{"item":"","unique_id":"4"}]`), "payload.cart[0].item"},
		{"quantity number", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","quantity":2}]`), "payload.cart[0].quantity"},
		{"price number", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","price":2.5}]`), "payload.cart[0].price"},
		{"quantity words", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","quantity":"two"}]`), "payload.cart[0].quantity"},
		{"quantity zero", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","quantity":"0"}]`), "payload.cart[0].quantity"},
		{"price comma", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","price":"2,50"}]`), "payload.cart[0].price"},
		{"other name", "track_cart", envelope(`"cart":[{"item":"1","unique_id":"4","name":"Mug"}]`), "may hold only"},
		{"conversion without order", "track_conversion", envelope(`"cart":[` + line + `]`), "order_number"},
		{"order number as number", "track_conversion", envelope(`"order_number":1,"cart":[` + line + `]`), "order_number"},
		{"conversion without cart", "track_conversion", envelope(`"order_number":"A1"`), "payload.cart"},
		{"conversion without lines", "track_conversion", envelope(`"order_number":"A1","cart":[]`), "has no lines"},
		{"conversion that clears", "track_conversion", envelope(`"order_number":"A1","cart":{"clear_cart":true}`), "payload.cart"},
		{"shipping words", "track_conversion", envelope(`"order_number":"A1","shipping":"free","cart":[` + line + `]`), "payload.shipping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, simulator.Options{})
			got := r.collect(tt.action, tt.body)
			if tt.fault == "" {
				wantStatus(t, got, 200)
				return
			}
			wantError(t, got, 400, tt.fault)
			if len(r.Carts(""))+len(r.Conversions("")) != 0 {
				t.Error("a refused call was stored")
			}
		})
	}
}

func TestCollectRequests(t *testing.T) {
	r := start(t, simulator.Options{})
	wantStatus(t, r.do(t.Context(), "POST", "/c2/1/track_cart", clearCart, map[string]string{"Content-Type": "text/plain"}), 415)
	wantStatus(t, r.do(t.Context(), "PUT", "/c2/1/track_cart", clearCart, login), 405)
	wantError(t, r.get("/c2/1/track_cart"), 400, "payload")
	wantError(t, r.get("/c2/1/track_cart?payload="+url.QueryEscape("[1]")), 400, "payload")
	if len(r.Carts("")) != 0 {
		t.Error("a refused call was stored")
	}
}

func TestBrowserForm(t *testing.T) {
	r := start(t, simulator.Options{})
	inner := `{"cart":[{"item":"1","unique_id":"2"}],"user_info":{"email":"jo@example.com"}}`
	wantStatus(t, r.get("/c2/1/track_cart?user_id=u&payload="+url.QueryEscape(inner)), 200)
	wantStatus(t, r.get("/c2/1/track_cart.json?payload="+url.QueryEscape(clearCart)), 200)
	if cart, _ := r.Cart("1", "jo@example.com"); len(cart.Lines) != 1 {
		t.Errorf("cart %+v", cart)
	}
	if cart, ok := r.Cart("1", "newuser@example.com"); !ok || cart.Clears != 1 {
		t.Errorf("cart %+v", cart)
	}
}

func TestSessionsAreStable(t *testing.T) {
	type session struct {
		User    string `json:"user_id"`
		Session string `json:"session_id"`
	}
	r := start(t, simulator.Options{})
	read := func(action, body string) (s session) {
		t.Helper()
		got := r.collect(action, body)
		wantStatus(t, got, 200)
		if err := json.Unmarshal([]byte(got.body), &s); err != nil || s.User == "" || s.Session == "" || s.User == s.Session {
			t.Fatalf("answer %q: %v", got.body, err)
		}
		return s
	}
	first := read("track_cart", updateCart)
	if again := read("track_conversion", conversion("A1")); again != first {
		t.Errorf("the same person got %v, then %v", first, again)
	}
	if other := read("track_cart", clearCart); other.User == first.User || other.Session == first.Session {
		t.Errorf("two persons share %v", first)
	}
	r.collect("track_cart", `{"user_id":"`+first.User+`",`+updateCart[1:])
	if mixed := r.Counts().MixedPersons; mixed != 0 {
		t.Errorf("%d mixed persons after a correct call", mixed)
	}
	r.collect("track_cart", `{"user_id":"`+first.User+`",`+clearCart[1:])
	if mixed := r.Counts().MixedPersons; mixed != 1 {
		t.Errorf("%d mixed persons, want 1", mixed)
	}
}

func TestConversions(t *testing.T) {
	for _, merge := range []bool{false, true} {
		r := start(t, simulator.Options{Collect: simulator.CollectRules{MergeConversions: merge}})
		for _, order := range []string{"A1", "A2", "A1"} {
			wantStatus(t, r.collect("track_conversion", conversion(order)), 200)
			r.clock.advance(time.Second)
		}
		list := r.Conversions("123456")
		if len(list) != 2 || list[0].OrderNumber != "A1" || list[0].Count != 2 || list[0].Total.String() != "59.98" ||
			list[0].Last.Sub(list[0].First) != 2*time.Second || list[0].Person != "exampleuser@example.com" {
			t.Errorf("conversions %+v", list)
		}
		want := map[bool]string{false: "179.94", true: "119.96"}[merge]
		totals := r.Counts().Platforms[simulator.Collect]
		if totals.Money[simulator.NoCurrency] != want || totals.Orders != 2 || totals.Repeats != 1 {
			t.Errorf("merge %v: totals %+v, want %s", merge, totals, want)
		}
	}
}

func TestConversionTotal(t *testing.T) {
	r := start(t, simulator.Options{})
	r.collect("track_conversion", envelope(`"order_number":"A1","shipping":"4.95","discount":1.5,
		"cart":[{"item":"1","unique_id":"1","price":"3.10","quantity":"3"},{"item":"2","unique_id":"2","price":"0.70"}]`))
	if list := r.Conversions(""); len(list) != 1 || list[0].Total.String() != "13.45" || len(list[0].Lines) != 2 {
		t.Errorf("conversions %+v", list)
	}
}

func TestCatalogDropsInSilence(t *testing.T) {
	r := start(t, simulator.Options{Collect: simulator.CollectRules{Catalog: []string{"22098765", "22032501"}}})
	wantStatus(t, r.collect("track_cart", updateCart), 200)
	if cart, _ := r.Cart("123456", "exampleuser@example.com"); len(cart.Lines) != 2 || cart.Lines[1].Item != "22032501" {
		t.Errorf("cart %+v", cart)
	}
	if dropped := r.Counts().DroppedLines; dropped != 1 {
		t.Errorf("%d lines dropped, want 1", dropped)
	}
}

func TestCollectSwitches(t *testing.T) {
	r := start(t, simulator.Options{Collect: simulator.CollectRules{EmptyCart: true, AnyQuantity: true}})
	wantStatus(t, r.collect("track_cart", envelope(`"cart":[{"item":"1","unique_id":"2","quantity":"-1","price":"-2"}]`)), 200)
	wantStatus(t, r.collect("track_cart", envelope(`"cart":[]`)), 200)
	if cart, _ := r.Cart("123456", "jo@example.com"); len(cart.Lines) != 0 || cart.Clears != 1 || cart.Updates != 1 {
		t.Errorf("cart %+v", cart)
	}
}
