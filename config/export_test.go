package config

import (
	"strings"
	"testing"
)

// TestExport: an export of orders is told where it is, who asks for it, and in
// which zone its times are.
func TestExport(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
sources:
  shop:
    type: emanage
    url: https://api.example.com/public
    login: me
    password: word
    zone: America/New_York
    currency: USD
    channel: online
    columns: {order: Order ID, completed_at: Order Create Date, sku: SKU, quantity: Quantity, price: Total}
`
	c, err := Parse([]byte(whole), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Sources["shop"]; s.Files != "parts" || s.Login.Reveal() != "me" || s.Zone.String() != "America/New_York" {
		t.Errorf("got %+v", s)
	}
	for _, test := range [][2]string{
		{"    zone: America/New_York\n", "sources.shop.zone is missing: the export does not say"},
		{"    login: me\n", "sources.shop.login is missing"},
		{"    password: word\n", "sources.shop.password is missing"},
		{"    url: https://api.example.com/public\n", "sources.shop.url is missing"},
	} {
		_, err := Parse([]byte(strings.Replace(whole, test[0], "", 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), test[1]) {
			t.Errorf("without %q: %v", test[0], err)
		}
	}
	for old, changed := range map[string][2]string{
		"https://api": {"http://api", "sources.shop.url is no usable address"},
		"url:":        {"path: a.csv\n    url:", "sources.shop.path has no effect with type emanage"},
	} {
		_, err := Parse([]byte(strings.Replace(whole, old, changed[0], 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), changed[1]) {
			t.Errorf("with %q: %v", changed[0], err)
		}
	}
}

// TestDiscount: the steps rise, and it is said what prices are.
func TestDiscount(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
sources:
  shop:
    type: csv
    path: a.csv
    currency: USD
    channel: online
    progressive_discount: [{from: 1, percent: 25}, {from: 2, percent: 62.5}]
    prices: list
    columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price}
`
	c, err := Parse([]byte(whole), "makegood.yaml", nil)
	if err != nil || c.Sources["shop"].ProgressiveDiscount[1].Percent != "62.5" {
		t.Fatalf("got %+v (%v)", c, err)
	}
	for old, changed := range map[string][2]string{
		"    prices: list\n": {"", "progressive_discount and prices go together"},
		"from: 2":            {"from: 1", "progressive_discount[1].from must be 1 or more"},
		"percent: 25":        {"percent: 125", "no percentage"},
	} {
		_, err := Parse([]byte(strings.Replace(whole, old, changed[0], 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), changed[1]) {
			t.Errorf("with %q: %v", changed[0], err)
		}
	}
}
