package config

import (
	"testing"
)

func TestSettings(t *testing.T) {
	const file = `zone: Europe/Amsterdam
environment: ${WHERE}
ledger: postgres://makegood:canary@db.example.com/ledger
sources:
  shop:
    type: csv
    path: orders.csv
    currency: EUR
    channel: online
    may_send: {all: true, reason: terms of sale}
    columns: {order: id, completed_at: paid, email: email, sku: sku, quantity: n, price: price}
targets:
  activate:
    type: squeezely
    account: a
    api_key: canary
    url: https://platform.example.com/v1/track
    from: [shop]
    max_age: 30d
    mode: ${MODE}
`
	env := func(name string) (string, bool) {
		return map[string]string{"WHERE": "test", "MODE": "shadow"}[name], true
	}
	cfg, err := Parse([]byte(file), "makegood.yaml", env)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"environment": "${WHERE} = #9f86d0", "targets.activate.mode": "${MODE} = shadow", "targets.activate.url": "https://platform.example.com/v1/track", "sources.shop.may_send.reason": "terms of sale",
		"sources.shop.columns.completed_at": "paid", "targets.activate.api_key": "[secret]", "targets.activate.from[0]": "shop", "targets.activate.max_age": "30d",
	} {
		if got := cfg.Settings[path]; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"lookback", "ledger"} { // a default, and what decides nothing
		if _, has := cfg.Settings[path]; has {
			t.Errorf("%s is a setting", path)
		}
	}
}
