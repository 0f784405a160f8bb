package config

import (
	"strings"
	"testing"
)

const emanageFile = `zone: Europe/Amsterdam
environment: production
sources:
  shop:
    type: csv
    path: a.csv
    currency: EUR
    channel: online
    may_send: {all: true, reason: "a test"}
    unpaid_upgrade: main
    wait_for_payment: 3d
    columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price, replaces: old, paid: paid,
      charge_due: due, shipping_method: method, customer_ip: ip}
targets:
  charges:
    type: emanage
    mode: live
    cid: cid-key
    webkey: campaign-key
    max_charge: {EUR: 150.50}
    from: [shop]
    channels: [online]
    send: [cart_create, cart_upgrade]
    since: 2026-11-01
    nothing_else_sends: true
`

// TestEmanage: one charge at a time, of one source, up to a limit; everything
// that is missing before customers are charged is said.
func TestEmanage(t *testing.T) {
	c, err := Parse([]byte(emanageFile), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	to := c.Targets["charges"]
	if len(c.Missing()) != 0 || to.Merges() || to.Concurrency != 1 || to.Batch != 1 || to.Rate.PerSecond != 1 || to.MailAfter != 0 ||
		to.URL != "https://sales-prod.tryemanagecrm.com/api" || to.SessionField != "sessionId" || to.MaxCharge["EUR"] != "150.50" {
		t.Errorf("got %+v, missing %v", to, c.Missing())
	}
	for name, tc := range map[string]struct{ old, changed, want string }{
		"two at once":          {"    cid: cid-key", "    cid: cid-key\n    concurrency: 2", "targets.charges.concurrency must be 1"},
		"several in a request": {"    cid: cid-key", "    cid: cid-key\n    batch: 2", "targets.charges.batch must be 1"},
		"merging":              {"    cid: cid-key", "    cid: cid-key\n    merges_repeats: true", "a cart that is made twice is charged twice"},
		"resending":            {"    cid: cid-key", "    cid: cid-key\n    corrections: resend", "a cart that EmanageCRM gets twice is charged twice"},
		"a test behavior":      {"    cid: cid-key", "    cid: cid-key\n    behavior_id: 2", "targets.charges.behavior_id cannot be 2"},
		"no behavior":          {"    cid: cid-key", "    cid: cid-key\n    behavior_id: x", "targets.charges.behavior_id is no number"},
		"vat":                  {"    cid: cid-key", "    cid: cid-key\n    vat: included", "targets.charges.vat has no effect"},
		"purchases":            {"[cart_create, cart_upgrade]", "[purchase]", "emanage has no purchase; it takes cart_create and cart_upgrade"},
		"carts elsewhere":      {"type: emanage", "type: collect\n    mid: \"1\"", "collect has no cart_create"},
		"no limit":             {"    max_charge: {EUR: 150.50}\n", "", "max_charge is missing. Customers are charged"},
		"a limit of nothing":   {"EUR: 150.50", "EUR: 0", "no amount of more than 0"},
		"no currency":          {"EUR: 150.50", "euro: 150", "write the currency as a code of ISO 4217"},
		"two currencies":       {"EUR: 150.50", "EUR: 150, SEK: 1500", "max_charge must name one currency"},
		"two that charge":      {"targets:\n", "targets:\n  again: {type: emanage, mode: live, cid: c, webkey: w, max_charge: {EUR: 1}, from: [shop], when: 'channel == \"online\"', since: 2026-11-01, nothing_else_sends: true}\n", "targets.charges and targets.again read one source, and each would charge its carts"},
		"no campaign":          {"    webkey: campaign-key\n", "", "webkey is missing"},
		"no key":               {"    cid: cid-key\n", "", "cid is missing"},
		"nothing due":          {"charge_due: due, shipping_method: method, customer_ip: ip", "email: mail", "map columns.charge_due there"},
		"due of no price":      {"price: price", "line_total: price", "columns.charge_due needs columns.price"},
		"due of no upgrades":   {"replaces: old, paid: paid,", "email: mail,", "columns.charge_due needs columns.replaces"},
		"a wait for nothing": {"replaces: old, paid: paid,\n      charge_due: due, shipping_method: method, customer_ip: ip", "email: mail",
			"sources.shop.wait_for_payment needs columns.replaces"},
		"two sources": {"targets:\n", "  tills: {type: csv, path: b.csv, currency: EUR, channel: online, shop: b, columns: {order: id, completed_at: at, sku: s, quantity: n, price: p}}\ntargets:\n",
			"targets.charges.from must name one source"},
	} {
		text := emanageFile
		if name == "two sources" {
			text = strings.Replace(text, "    from: [shop]\n", "", 1)
		}
		c, err := Parse([]byte(strings.Replace(text, tc.old, tc.changed, 1)), "makegood.yaml", nil)
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			for _, r := range c.Missing() {
				said += r.String() + "\n"
			}
		}
		if !strings.Contains(said, tc.want) || strings.Contains(said, "cid-key") || strings.Contains(said, "campaign-key") {
			t.Errorf("%s: want %q in:\n%s", name, tc.want, said)
		}
	}
	shadow := strings.NewReplacer("    mode: live\n    cid: cid-key\n    webkey: campaign-key\n    max_charge: {EUR: 150.50}\n", "").Replace(emanageFile)
	if c, err := Parse([]byte(shadow), "makegood.yaml", nil); err != nil || len(c.Missing()) != 0 {
		t.Errorf("shadow needs no key: %v", err)
	}
	trial := strings.NewReplacer("mode: live", "mode: trial", "    max_charge: {EUR: 150.50}\n", "").Replace(emanageFile)
	if c, err := Parse([]byte(trial), "makegood.yaml", nil); err != nil || len(c.Missing()) != 0 {
		t.Errorf("test carts need no limit: %v", err)
	}
}
