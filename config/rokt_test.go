package config

import (
	"strings"
	"testing"
)

// TestRokt: nothing is confirmed by default, and not without knowing what was
// confirmed, and which orders are paid.
func TestRokt(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
environment: production
sources:
  shop:
    type: csv
    path: a.csv
    currency: EUR
    channel: online
    may_send: {all: true, reason: "a test"}
    completed_when: [paid]
    columns: {order: id, completed_at: at, status: s, sku: sku, quantity: n, price: price, unique_id: item, custom_visit: v, custom_cart: c}
evidence:
  confirmed: {type: csv, path: c.csv, columns: {order: id}, side: backend, trust: proven, covers_from: 2026-10-01}
targets:
  rokt_cart:
    type: rokt
    mode: live
    url: https://cart.example.com
    api_key: key
    tag_id: tag
    rokt_session: custom_visit
    rokt_cart: custom_cart
    cart_item: unique_id
    from: [shop]
    channels: [online]
    send: [cart_confirm]
    since: 2026-11-01
    already_sent: [confirmed]
`
	c, err := Parse([]byte(whole), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if target := c.Targets["rokt_cart"]; target.Merges() || len(c.Missing()) != 0 || target.Rate.PerSecond != 2 {
		t.Errorf("got %+v, missing %v", target, c.Missing())
	}
	for want, change := range map[string][2]string{
		"rokt_cart.url is missing":                         {"    url: https://cart.example.com\n", ""},
		"rokt_cart.send is missing: nothing is confirmed":  {"    send: [cart_confirm]\n", ""},
		"rokt has no purchase; it takes cart_confirm":      {"[cart_confirm]", "[purchase]"},
		"rokt_cart.already_sent is missing":                {"    already_sent: [confirmed]\n", "    nothing_else_sends: true\n"},
		"merges_repeats cannot be true":                    {"    api_key", "    merges_repeats: true\n    api_key"},
		"batch must be 1":                                  {"    api_key", "    batch: 2\n    api_key"},
		"does not say which orders are paid":               {"    completed_when: [paid]\n", ""},
		"rokt_cart.rokt_session is missing":                {"    rokt_session: custom_visit\n", ""},
		"sources.shop has no column custom_visits":         {"rokt_session: custom_visit", "rokt_session: custom_visits"},
		"sources.shop has no column line":                  {"cart_item: unique_id", "cart_item: line"},
		"rokt_cart: tag_id is missing":                     {"    tag_id: tag\n", ""},
		"rokt_cart: api_key is missing":                    {"    api_key: key\n", ""},
		"api_secret has no effect with type rokt; it goes": {"    api_key", "    api_secret: x\n    api_key"},
		"a changed order can be sent again only where":     {"    api_key", "    corrections: resend\n    api_key"},
	} {
		said := ""
		c, err := Parse([]byte(strings.Replace(whole, change[0], change[1], 1)), "makegood.yaml", nil)
		switch {
		case err != nil:
			said = err.Error()
		case len(c.Missing()) > 0:
			said = c.Missing()[0].String()
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s: got %s", want, said)
		}
	}
}
