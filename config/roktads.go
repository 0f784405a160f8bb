package config

import (
	"slices"
	"time"
)

// RoktAds are the keys of a target of type rokt_ads: conversions of a shop that advertises at Rokt.
type RoktAds struct {
	// API is the way in: events is the Event & Audience API, conversions the Conversions API, csv a file for the manual
	// import.
	API string `yaml:"api" for:"rokt_ads" enum:"events conversions csv" default:"events"`
	// Marked is the environment that the Event & Audience API is told: what is marked development is not counted.
	Marked string `yaml:"environment" for:"rokt_ads" enum:"production development"`
	// Test asks the Conversions API to look at conversions and to keep none.
	Test bool `yaml:"test" for:"rokt_ads"`
	// APISecret is the other half of the login.
	APISecret Secret `yaml:"api_secret" for:"rokt_ads"`
	// Identities are what of a customer is sent; click_id is a column of the source.
	Identities []string `yaml:"identities" for:"rokt_ads" enum:"email email_sha256 click_id" default:"email click_id"`
	// ConversionType is what Rokt tells conversions apart by.
	ConversionType string `yaml:"conversion_type" for:"rokt_ads" default:"purchase"`
}

// roktAdsAge is the oldest conversion that an API takes [P].
var roktAdsAge = map[string]Duration{
	"events": Duration(30 * 24 * time.Hour), "conversions": Duration(365 * 24 * time.Hour),
}

// roktAdsAddress is where an API is [P].
var roktAdsAddress = map[string]string{
	"events": "https://s2s.us2.mparticle.com/v2/bulkevents", "conversions": "https://api.rokt.com/v1/conversions",
}

func (t *Target) fillRoktAds(given func(key string) bool) {
	if !given("batch") {
		t.Batch = 100
	}
	if t.API == "csv" && !given("identities") {
		t.Identities = []string{"email"}
	}
	if !given("max_age") {
		t.MaxAge = roktAdsAge[t.API]
	}
}

func (t *Target) checkRoktAds(d *document, path string, c *Config) {
	events, file, counted := t.API == "events", t.API == "csv", t.Marked != "development" && !t.Test
	oldest, limited := roktAdsAge[t.API]
	for _, n := range []struct {
		key   string
		wrong bool
		text  string
	}{
		{"environment", events && t.Marked == "", "is missing: write production, or development, which Rokt does not count"},
		{"environment", !events && t.Marked != "", "goes with api: events; the Conversions API has test: true"},
		{"test", t.API != "conversions" && t.Test, "goes with api: conversions; the Event & Audience API has environment: development"},
		{"account", t.API != "conversions" && t.Account != "", "goes with api: conversions; the Event & Audience API knows the account by its key"},
		{"batch", t.Batch > 100, "must be from 1 to 100: Rokt takes no more in a request"},
		{"max_age", limited && t.MaxAge > oldest, "is more than Rokt takes there, which is " + oldest.String()},
		{"path", file && t.Path == "", "is missing: name the file, such as out/rokt-{date}.csv"},
		{"path", !file && t.Path != "", "goes with api: csv"},
		{"url", file && d.given(path+".url"), "goes with an API; api: csv writes a file"},
		{"api_key", file && t.APIKey != "", "goes with an API; api: csv writes a file"},
		{"api_secret", file && t.APISecret != "", "goes with an API; api: csv writes a file"},
		{"identities", file && slices.Contains(t.Identities, "email_sha256"), "names email_sha256, for which the import has no column"},
		{"identities", len(t.Identities) == 0, "names nothing by which Rokt could know a customer"},
		{"mode", t.Sending() && c.Environment == "production" && !counted,
			"would have the ledger of production take as sent what Rokt does not count; write environment: production for the target, or mode: shadow"},
	} {
		if at := path + "." + n.key; n.wrong && !d.failed(at) {
			d.fail(at, "%s %s", at, n.text)
		}
	}
	if file {
		t.checkFile(d, path, c)
	}
	i := slices.Index(t.Identities, "click_id")
	has := func(name string) bool { s := c.Sources[name]; return s != nil && s.Has("click_id") }
	if i >= 0 && len(t.Identities) == 1 && !slices.ContainsFunc(t.From, has) && !d.failed(at(path+".identities", i)) {
		d.fail(at(path+".identities", i), "%s.identities: no source of the target has a column click_id", path)
	}
}

// missingRoktAds is what a target lacks before it may send.
func (t *Target) missingRoktAds(ask func(lacking bool, key, why, example string)) {
	const login = "The platform takes nothing without its login."
	if t.API == "csv" {
		return
	}
	ask(t.APIKey == "", "api_key", login, "api_key: ${ROKT_ADS_KEY}")
	ask(t.APISecret == "", "api_secret", login, "api_secret: ${ROKT_ADS_SECRET}")
	ask(t.API == "conversions" && t.Account == "", "account", "The Conversions API asks for the account that conversions belong to.",
		"account: ${ROKT_ADS_ACCOUNT}")
}
