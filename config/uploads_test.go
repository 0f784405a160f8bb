package config

import (
	"strings"
	"testing"
)

// TestUploads: what an uploaded file falls under, and who is believed, is
// written down.
func TestUploads(t *testing.T) {
	const whole = `zone: Europe/Amsterdam
sources:
  shop: {type: csv, path: a.csv, currency: EUR, channel: online, columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price}}
  other: {type: csv, path: b.csv, currency: EUR, channel: online, columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price}}
targets:
  activate: {type: squeezely, mode: shadow, url: https://api.squeezely.tech/v1/track, from: [shop]}
serve:
  uploads:
    users: users.txt
    source: shop
    targets: [activate]
    max_size: 50MB
    second_person_above: {EUR: 1000, GBP: 849.95}
    proxy: {header: X-Forwarded-User, addresses: [127.0.0.1, 10.0.0.0/8]}
`
	c, err := Parse([]byte(whole), "/etc/makegood/makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	u := c.Serve.Uploads
	if u.Users != "/etc/makegood/users.txt" || u.MaxSize != 50_000_000 || u.Keep != 30 || u.SecondPerson || u.SecondPersonAbove["GBP"] != "849.95" || len(u.Proxy.Allowed()) != 2 {
		t.Errorf("got %+v", u)
	}
	for want, change := range map[string][2]string{
		"there is no source called":                  {"source: shop\n", "source: shops\n"},
		"there is no target called":                  {"targets: [activate]", "targets: [activ]"},
		"names no destination":                       {"targets: [activate]", "targets: []"},
		"serve.uploads.users is missing":             {"    users: users.txt\n", ""},
		"activate charges customers":                 {"type: squeezely, mode: shadow, url: https://api.squeezely.tech/v1/track", "type: emanage, mode: shadow, url: https://shop.example.com"},
		"activate does not read the source other":    {"source: shop\n", "source: other\n"},
		`"50" is no size up to 2GB`:                  {"50MB", `"50"`},
		`"3GB" is no size up to 2GB`:                 {"50MB", "3GB"},
		"\"anybody\" is no address or network":       {"10.0.0.0/8", "anybody"},
		"\"0.0.0.0/0\" is no address or network":     {"10.0.0.0/8", "0.0.0.0/0"},
		"asks for a second person always":            {"    max_size: 50MB\n", "    second_person: true\n"},
		"a currency is written in three":             {"GBP: 849", "gbp: 849"},
		"no amount of more than 0":                   {"EUR: 1000", "EUR: 0"},
		"is no name of a header":                     {"X-Forwarded-User", "\"X User\""},
		"serve.uploads.proxy.addresses is empty":     {"[127.0.0.1, 10.0.0.0/8]", "[]"},
		"serve.uploads.keep: \"0d\" is no number of": {"    max_size: 50MB\n", "    keep: 0d\n"},
	} {
		_, err := Parse([]byte(strings.Replace(whole, change[0], change[1], 1)), "makegood.yaml", nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
