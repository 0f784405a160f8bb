package config

import (
	"strings"
	"testing"
)

// TestMessages: it is said whose orders the messages are about, and how one
// is found.
func TestMessages(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
sources:
  shop: {type: csv, path: a.csv, currency: EUR, channel: online, columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price}}
  other: {type: csv, path: b.csv, shop: b, currency: EUR, channel: online, columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price, custom_visit: v}}
messages:
  cart: {path: said.jsonl, from: [shop], order: orderNumber}
  rows: {type: csv, path: said.csv, from: [other], session_field: custom_visit, columns: {session: s, at: t, body: b}}
`
	c, err := Parse([]byte(whole), "/etc/makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Messages["cart"]; m.Type != "rokt" || m.Table.Type != "" || m.Path != "/etc/said.jsonl" || m.Price != "unitPrice" || m.Name != "cart" {
		t.Errorf("got %+v", m)
	}
	if m := c.Messages["rows"]; m.Table.Type != "csv" || m.Zone.String() != "Europe/Amsterdam" {
		t.Errorf("got %+v", m)
	}
	for want, change := range map[string][2]string{
		"messages.cart.order is missing":                {", order: orderNumber", ""},
		"messages.cart.path is missing":                 {"path: said.jsonl, ", ""},
		"messages.cart.from is missing":                 {"from: [shop], ", ""},
		"there is no source called":                     {"from: [shop], ", "from: [shopp], "},
		"number their orders apart":                     {"from: [shop], ", "from: [shop, other], "},
		"messages.rows.columns.body is missing":         {", body: b", ""},
		"messages.rows.order has no effect":             {"session_field: custom_visit", "order: x, session_field: custom_visit"},
		"sources.other has no column custom_visits":     {"session_field: custom_visit", "session_field: custom_visits"},
		"is no field of the shop's own":                 {"session_field: custom_visit", "session_field: visit"},
		"messages.rows.columns.order is missing":        {"session_field: custom_visit, ", ""},
		`messages.cart.type: "emanage" is not known`:    {"cart: {path", "cart: {type: emanage, path"},
		"messages.cart.columns has no effect with type": {"order: orderNumber", "order: orderNumber, columns: {at: t}"},
		"messages.rows.columns: unknown column":         {"body: b", "body: b, page: p"},
		"what Rokt's placements said are no orders":     {"shop: {type: csv", "shop: {type: rokt"},
	} {
		_, err := Parse([]byte(strings.Replace(whole, change[0], change[1], 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
