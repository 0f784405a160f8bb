package config

import (
	"strings"
	"testing"
	"time"
)

const roktAdsFile = `zone: Europe/Amsterdam
environment: production
sources:
  shop:
    type: csv
    path: a.csv
    currency: EUR
    channel: online
    may_send: {all: true, reason: "a test"}
    columns: {order: id, completed_at: at, sku: sku, quantity: n, price: price, email: email}
targets:
  ads:
    type: rokt_ads
    mode: live
    environment: production
    api_key: key
    api_secret: secret
    from: [shop]
    channels: [online]
    send: [purchase]
    since: 2026-11-01
    nothing_else_sends: true
`

// TestRoktAds: what is counted is written down, and what is not goes into no
// ledger of production.
func TestRoktAds(t *testing.T) {
	c, err := Parse([]byte(roktAdsFile), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	ads := c.Targets["ads"]
	if len(c.Missing()) != 0 || ads.Merges() || ads.Batch != 100 || ads.Rate.PerSecond != 100 || time.Duration(ads.MaxAge) != 30*24*time.Hour ||
		ads.URL != "https://s2s.us2.mparticle.com/v2/bulkevents" || ads.ConversionType != "purchase" {
		t.Errorf("got %+v, missing %v", ads, c.Missing())
	}
	c, err = Parse([]byte(strings.Replace(roktAdsFile, "    environment: production\n    api_key", "    api: conversions\n    account: \"1\"\n    merges_repeats: true\n    api_key", 1)), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if ads = c.Targets["ads"]; !ads.Merges() || time.Duration(ads.MaxAge) != 365*24*time.Hour || ads.URL != "https://api.rokt.com/v1/conversions" {
		t.Errorf("got %+v", ads)
	}
	login := "    environment: production\n    api_key: key\n    api_secret: secret\n"
	c, err = Parse([]byte(strings.Replace(roktAdsFile, login, "    api: csv\n    path: out/rokt-{date}.csv\n", 1)), "/etc/makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if ads = c.Targets["ads"]; !ads.Merges() || ads.MaxAge != 0 || ads.Path != "/etc/out/rokt-{date}.csv" || len(ads.Identities) != 1 || len(c.Missing()) != 0 {
		t.Errorf("got %+v, missing %v", ads, c.Missing())
	}
	for name, tc := range map[string]struct{ old, changed, want string }{
		"no path":         {login, "    api: csv\n", "targets.ads.path is missing: name the file"},
		"a folder":        {login, "    api: csv\n    path: out/\n", "targets.ads.path names a folder"},
		"a file and keys": {"    environment: production\n    api_key", "    api: csv\n    path: a/b.csv\n    api_key", "targets.ads.api_key goes with an API"},
		"a path":          {"    api_key", "    path: a/b.csv\n    api_key", "targets.ads.path goes with api: csv"},
		"no such column":  {login, "    api: csv\n    path: a/b.csv\n    identities: [email_sha256]\n", "for which the import has no column"},
		"no environment":  {"    environment: production\n", "", "targets.ads.environment is missing: write production"},
		"a test":          {"    environment: production\n    api_key", "    environment: development\n    api_key", "targets.ads.mode would have the ledger of production take as sent"},
		"looked at":       {"    environment: production\n    api_key", "    api: conversions\n    account: a\n    test: true\n    api_key", "take as sent what Rokt does not count"},
		"both":            {"    api_key", "    test: true\n    api_key", "targets.ads.test goes with api: conversions"},
		"marked":          {"    api_key", "    api: conversions\n    api_key", "targets.ads.environment goes with api: events"},
		"an account":      {"    api_key", "    account: a\n    api_key", "targets.ads.account goes with api: conversions"},
		"a batch":         {"    api_key", "    batch: 101\n    api_key", "targets.ads.batch must be from 1 to 100"},
		"an age":          {"    api_key", "    max_age: 31d\n    api_key", "targets.ads.max_age is more than Rokt takes there"},
		"nobody":          {"    api_key", "    identities: []\n    api_key", "names nothing by which Rokt could know a customer"},
		"no click":        {"    api_key", "    identities: [click_id]\n    api_key", "no source of the target has a column click_id"},
		"another sending": {"[purchase]", "[cart_clear]", "rokt_ads has no cart_clear; it takes purchase"},
		"no secret":       {"    api_secret: secret\n", "", "api_secret is missing"},
		"resend":          {"    api_key", "    corrections: resend\n    merges_repeats: true\n    api_key", "counts the first conversion of an order number"},
		"another type":    {"type: rokt_ads", "type: spotler", "api_secret has no effect with type spotler"},
	} {
		c, err := Parse([]byte(strings.Replace(roktAdsFile, tc.old, tc.changed, 1)), "makegood.yaml", nil)
		said := ""
		switch {
		case err != nil:
			said = err.Error()
		case len(c.Missing()) > 0:
			said = c.Missing()[0].String()
		}
		if !strings.Contains(said, tc.want) {
			t.Errorf("%s: %s", name, said)
		}
	}
}
