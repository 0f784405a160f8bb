package simulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"makegood/sinks/simulator"
)

// TestCustomer: one person under an address, and under its hash.
func TestCustomer(t *testing.T) {
	r := start(t, simulator.Options{})
	sum := sha256.Sum256([]byte("jane@example.com"))
	hash := hex.EncodeToString(sum[:])
	first := `{"event":"Purchase","email":"Jane@example.com","orderid":"A1","products":[{"id":"S","quantity":1,"price":5}],"city":"Utrecht","newsletter":"no"}`
	second := `{"event":"Purchase","email":"` + hash + `","orderid":"A2","products":[{"id":"S","quantity":1,"price":5}],"city":"Gouda","userid":"C1"}`
	third := strings.Replace(strings.Replace(first, "A1", "A3", 1), `"city":"Utrecht","newsletter":"no"`, `"city":"Delft","newsletter":"yes"`, 1)
	for _, body := range []string{first, second, third} {
		wantStatus(t, r.track(body), 200)
	}
	r.collect("track_cart", `{"payload":{"cart":[{"item":"S","unique_id":"S","quantity":"2","price":"5"}],"user_info":{"email":"jane@example.com"}}}`)
	look := r.Customer
	c := look(" Jane@example.com ")
	if len(c.Profiles) != 2 || len(c.Purchases) != 3 || len(c.Carts) != 1 || !c.MailDue() || !c.Known() {
		t.Fatalf("the address finds %+v", c)
	}
	if p, known := r.Profile(c.Profiles[0].Account, "Jane@example.com"); !known || strings.Join(p.Orders, " ") != "A1 A3" {
		t.Errorf("the profile is %+v", p)
	}
	for _, p := range c.Profiles {
		if p.Email == "Jane@example.com" && (p.Fields["city"] != "Delft" || p.Consent["newsletter"] != "yes") || p.Email == hash && (p.UserID != "C1" || len(p.Consent) != 0) {
			t.Errorf("the profile is %+v", p)
		}
	}
	if c := look(hash); len(c.Profiles) != 1 || len(c.Purchases) != 1 || len(c.Carts) != 0 || c.MailDue() {
		t.Errorf("the hash finds %+v", c)
	}
	if c := look("A1"); len(c.Purchases) != 1 || len(c.Profiles) != 0 {
		t.Errorf("the order finds %+v", c)
	}
	for _, who := range []string{"", "nobody@example.com"} {
		if look(who).Known() {
			t.Errorf("%q is known", who)
		}
	}
	if got := r.get("/_sim/customer?who=A2").body; !strings.Contains(got, `"orderid":"A2"`) || strings.Contains(got, "jane@") {
		t.Errorf("as JSON: %s", got)
	}
	page := r.do(t.Context(), "POST", "/_sim/customer", url.Values{"who": {"jane@example.com"}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	wantStatus(t, page, 200)
	for _, text := range []string{"An abandoned-cart mail would go out", "2 x S", "would go out"} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	r.collect("track_conversion", `{"payload":{"cart":[{"item":"S","unique_id":"S","quantity":"2","price":"5"}],"order_number":"A9","user_info":{"email":"jane@example.com"}}}`)
	page = r.do(t.Context(), "POST", "/_sim/customer", url.Values{"who": {"jane@example.com"}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if !strings.Contains(page.body, "No abandoned-cart mail would go out") || !strings.Contains(page.body, "stays away: bought since") || !strings.Contains(page.body, "A9") {
		t.Error("the page does not say that the mail stays away")
	}
	page = r.do(t.Context(), "POST", "/_sim/customer", url.Values{"who": {"<script>"}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if strings.Contains(page.body, "<script>") || !strings.Contains(page.body, "No platform has ever heard") {
		t.Error("the page of nobody is wrong")
	}
	if simulator.New(simulator.Options{ForgetBodies: true}).Customer("x").Known() {
		t.Error("an empty simulator knows somebody")
	}
}
