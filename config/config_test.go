package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testEnv = environment{
	"ACTIVATE_ACCOUNT": "account-1",
	"ACTIVATE_KEY":     "key-1",
	"CARTS_DSN":        "postgres://carts:pw@db.example.com/carts",
	"EMPTY":            "",
}

type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

func example(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustParse(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Parse([]byte(text), "/etc/makegood/makegood.yaml", testEnv.lookup)
	if err != nil {
		t.Fatalf("Parse:\n%v", err)
	}
	return c
}

// replaced is the example with each old text, which must be in it, exchanged for the new one.
func replaced(t testing.TB, oldnew ...string) string {
	t.Helper()
	text := example(t)
	for i := 0; i+1 < len(oldnew); i += 2 {
		if !strings.Contains(text, oldnew[i]) {
			t.Fatalf("the example has no %q", oldnew[i])
		}
		text = strings.Replace(text, oldnew[i], oldnew[i+1], 1)
	}
	return text
}

func TestExample(t *testing.T) {
	c := mustParse(t, example(t))
	shop, tills := c.Sources["shop"], c.Sources["tills"]
	activate, stores := c.Targets["activate"], c.Targets["stores"]
	zones := []string{c.Zone.String(), shop.Zone.String(), shop.Join[0].Zone.String(), tills.Zone.String()}
	since := activate.Since.In(c.Zone.Location)
	for _, tc := range []struct {
		what      string
		got, want any
	}{
		{"zones", zones, []string{"Europe/Amsterdam", "Europe/London", "Europe/London", "Europe/Amsterdam"}},
		{"paths", []string{c.Dir, c.Ledger, c.StateDir, c.Suppress[0], shop.Path, shop.Join[0].Path, tills.Path},
			[]string{"/etc/makegood", "/etc/makegood/makegood.db", "/etc/makegood/.makegood", "/etc/makegood/erased.csv",
				"/etc/makegood/exports/orders-*.csv", "/etc/makegood/customers.csv", "/data/tills.xlsx"}},
		{"dsn", []string{c.Evidence["live_log"].DSN.Reveal(), c.Carts["open_carts"].DSN.Reveal()},
			[]string{"/etc/makegood/live.db?mode=ro", "postgres://carts:pw@db.example.com/carts"}},
		{"days", []Days{c.Lookback, c.ReachBack}, []Days{7, 60}},
		{"permission", *shop.MaySend, MaySend{All: true, Reason: "terms of sale 4.2, 2026-11-01"}},
		{"expression", *tills.MaySend, MaySend{When: `consent == "yes"`}},
		{"sheets", tills.Sheet, Sheets{Pick: []Sheet{{Name: "Sales"}, {Number: 2}}}},
		{"names", []string{shop.Name, activate.Name, c.Evidence["live_log"].Name, c.Carts["open_carts"].Name},
			[]string{"shop", "activate", "live_log", "open_carts"}},
		{"source defaults", []any{shop.Encoding, shop.Decimal, shop.HeaderRow, shop.Precision, shop.Files, shop.Join[0].Type},
			[]any{"", "", 0, "time", "versions", "csv"}},
		{"source times", []Duration{shop.StableFor, shop.Slack, shop.EditWindow},
			[]Duration{Duration(time.Minute), Duration(time.Hour), Duration(720 * time.Hour)}},
		{"line rule", tills.SkipLines, []LineRule{{Rule{"deposit", `sku == "9"`}, true}}},
		{"credentials", activate.Account + activate.APIKey.Reveal(), "account-1key-1"},
		{"since", since.Format(time.RFC3339), "2026-10-31T23:00:00Z"},
		{"rates", []float64{activate.Rate.PerSecond, stores.Rate.PerSecond}, []float64{10, 5}},
		{"ages", []Duration{activate.MinAge, stores.MinAge, stores.MaxAge},
			[]Duration{Duration(30 * time.Minute), 0, Duration(48 * time.Hour)}},
		{"clear ages", []time.Duration{stores.ClearAge("in_store"), stores.ClearAge("mobile")},
			[]time.Duration{24 * time.Hour, time.Hour}},
		{"merges", []bool{activate.Merges(), stores.Merges()}, []bool{true, false}},
		{"probes", stores.ProbeAfter, []Duration{Duration(time.Minute), Duration(2 * time.Minute), Duration(4 * time.Minute)}},
		{"target defaults", []string{stores.ClearForm, stores.Identity, activate.EmailForm, activate.ProfileFields, activate.Value},
			[]string{"flat", "email", "plain", "fresh_only", "goods"}},
		{"share", c.Evidence["live_log"].ExpectShare.Fraction(), 0.5},
		{"schedule", c.Schedule[1].Lookback, Span{Exact: Duration(6 * time.Hour)}},
		{"given", []bool{shop.ShopGiven, activate.FromGiven, activate.ChannelsGiven, activate.SendGiven}, []bool{true, true, true, true}},
		{"missing", len(c.Missing()), 0},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
}

func TestDefaultsOfTargets(t *testing.T) {
	c := mustParse(t, replaced(t,
		"    from: [shop]\n    channels: [online, in_store]\n    send: [purchase]\n", "",
		"    url: https://api.squeezely.tech/v1/track\n", "",
		"    url: https://nova.collect.igodigital.com\n", "",
		"    rate: 10/s\n", "",
		"    mode: live ", "    min_age: 0s # ",
		"    channels: [in_store, mobile]\n", ""))
	activate, stores := c.Targets["activate"], c.Targets["stores"]
	got := []any{activate.URL, stores.URL, activate.Rate.String(), activate.Mode, activate.MinAge, activate.FromGiven,
		activate.From, activate.Channels, activate.Send, stores.Channels}
	want := []any{"https://api.squeezely.tech/v1/track", "https://nova.collect.igodigital.com", "10/s", "shadow", Duration(0), false,
		[]string{"shop", "tills"}, []string{"online", "in_store", "mobile", "telephone"}, []string{"purchase"},
		[]string{"in_store", "mobile", "telephone"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOtherForms(t *testing.T) {
	c := mustParse(t, replaced(t,
		"sheet: [Sales, 2]", "sheet: all",
		"    type: csv ", "    delimiter: tab\n    encoding: iso-8859-1\n    type: csv #",
		"path: customers.csv", "path: customers.XLSX, sheet: Customers",
		"https://api.squeezely.tech/v1/track", "http://127.0.0.1:8080/v1/track",
		"    batch: 1", "    merges_repeats: false\n    corrections: report\n    vat_rate: 21%",
		"    max_age: 48h", "    max_age: 48h\n    max_clear_age: 30min"))
	shop, activate := c.Sources["shop"], c.Targets["activate"]
	got := []any{c.Sources["tills"].Sheet.All, shop.Delimiter, shop.Join[0].Type, shop.Join[0].Sheet.Pick, activate.Merges(),
		activate.VatRate, c.Targets["stores"].ClearAge("in_store"), c.LedgerName()}
	want := []any{true, "\t", "xlsx", []Sheet{{Name: "Customers"}}, false, "21", 30 * time.Minute, c.Ledger}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		// keys
		{"channels: [online", "chanels: [online", `unknown key "chanels"; did you mean "channels"?`},
		{"{name: nightly, cron", "{name: nightly, zzzzzzz: 1, cron", `unknown key "zzzzzzz"; known are name, cron, targets, send, sources, channels and lookback`},
		{"    batch: 1", "    batch: 1\n    rate: 5/s", `duplicate key "rate"; it is in line`},
		{"    batch: 1", "    keep_plans: 7d", `key "keep_plans" is planned but not built yet`},
		{"    batch: 1", "    catalog: {path: skus.csv}", "targets.activate.catalog.sku is missing: the column of the article numbers"},
		{"    batch: 1", "    catalog: {sku: id}", "targets.activate.catalog.path is missing: the file of the products"},
		{"    batch: 1", "    unknown_sku: hold", "targets.activate.unknown_sku says what becomes of products that a catalog does not know"},
		{"    batch: 1", "    confirmed_fields: [shoe]", `targets.activate.confirmed_fields: "shoe" is no custom field`},
		{"zone: Europe/Amsterdam ", "#", "makegood.yaml:2:1: zone is missing: write the zone"},
		{`cron: "30 2 * * *"`, "targets: [stores]", "schedule[0].cron is missing: five fields"},
		// shapes
		{"from: [shop]", "from: shop", "targets.activate.from must be a list, as in [a, b], not one value"},
		{"rate: 10/s", "rate: [1]", "targets.activate.rate must be one value, not a list"},
		{"rate: 10/s", "rate:", "targets.activate.rate has no value"},
		{"rate: 10/s", "rate: ''", "targets.activate.rate is empty"},
		{"rate: 10/s", "rate: ${EMPTY}", "targets.activate.rate is empty"},
		{"from: [shop]", "from: [shop, shop]", `targets.activate.from: "shop" stands twice`},
		{"suppress: [erased.csv]", "suppress: &a [x]", "anchors (&name) and aliases (*name) are not allowed"},
		{"api_key: ${ACTIVATE_KEY}", "api_key: *key", "anchors (&name) and aliases (*name) are not allowed"},
		{"api_key: ${ACTIVATE_KEY}", "api_key: !key x", "tags are not allowed"},
		{"suppress: [erased.csv]", "suppress: [" + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "]", "more than 16 levels"},
		{"suppress: [erased.csv]", "suppress: [erased.csv", "cannot be read as YAML: while parsing a flow sequence"},
		{"suppress: [erased.csv]", "? [a]\n: b", "a key must be plain text"},
		// values
		{"zone: Europe/Amsterdam", "zone: Europe/Amsterdamm", `zone: "Europe/Amsterdamm" is no known time zone`},
		{"zone: Europe/Amsterdam", "zone: Local", `zone: "Local" is no time zone that is the same on every machine`},
		{"lookback: 7d", "lookback: 7", `lookback: "7" is no number of days; write 7d`},
		{"since: 2026-11-01", "since: 2026-13-01", `targets.activate.since: "2026-13-01" is no date`},
		{"since: 2026-11-01", "since: 2026-03-29 02:30", `"2026-03-29 02:30" does not occur in Europe/Amsterdam`},
		{"max_age: 30d", "max_age: 30", `targets.activate.max_age: "30" is no duration`},
		{"max_age: 30d", "max_age: 10min", "targets.activate.max_age must be more than min_age, which is 30m0s"},
		{"rate: 10/s", "rate: 10", `targets.activate.rate: "10" is no rate`},
		{"expect_share: 50%", "expect_share: 150%", `"150%" is no share between 0% and 100%`},
		{"concurrency: 4", "concurrency: many", `targets.activate.concurrency: "many" is no whole number`},
		{"concurrency: 4", "concurrency: 65", "targets.activate.concurrency must be from 1 to 64"},
		{"batch: 1", "timeout: 0s", "targets.activate.timeout must be more than 0"},
		{"batch: 1", "probe_after: []", "targets.activate.probe_after must name waits"},
		{"batch: 1", "language: nl_NL", "is no language with a country, such as nl-NL"},
		{"keep_money: true", "keep_money: yes", `"yes" is neither true nor false`},
		{"mode: live", "mode: liv", `targets.activate.mode: "liv" is not known; did you mean "live"? allowed are off, shadow, trial and live`},
		{"    mode: live ", "    mode: trial\n    trial: {orders: 0} # ", "targets.activate.trial.orders must be 1 or more"},
		{"    mode: live ", "    mode: trial\n    trial: {} # ", "targets.activate.trial names no bound; write trial: {orders: 20, share: 5%}"},
		{"    mode: live ", "    mode: live\n    trial: {orders: 5} # ", "targets.activate.trial limits nothing in mode live"},
		{"    batch: 1", "    budget: {money: {EURO: 5}}", "targets.activate.budget.money.EURO: a currency is three capital letters"},
		{"    batch: 1", "    budget: {money: {EUR: 5e3}}", `targets.activate.budget.money.EUR: "5e3" is no amount; write one such as "50000"`},
		{"    batch: 1", "    budget: {}", "targets.activate.budget names no bound"},
		{"    batch: 1", "    budget: {orders: -1}", "targets.activate.budget.orders must be more than 0"},
		{"    batch: 1", "    mark_late: {after: 24h}", "targets.activate.mark_late.field is missing: a custom field that exists at the platform"},
		{"    batch: 1", "    mark_late: {after: 0h, field: custom_late}", "targets.activate.mark_late.after must be more than 0"},
		{"    batch: 1", "    mark_late: {after: 1d, field: sent_late}", `targets.activate.mark_late.field: "sent_late" is no custom field`},
		{"    mid: ", "    mark_late: {after: 24h, field: custom_late}\n    mid: ", "targets.stores.mark_late has no effect with type collect; it goes with squeezely, spotler and file"},
		{"    batch: 1", "    reserve: 95%", "targets.activate.reserve must leave something: 90% at most"},
		{"    batch: 1", "    per_run: 0", "targets.activate.per_run must be 1 or more"},
		{"mode: live", "trial: {orders: 20}", "targets.activate.trial limits nothing in mode shadow"},
		{"type: collect", "type: fax", `"fax" is not known; allowed are squeezely, spotler, collect, emanage, rokt, rokt_ads and file`},
		{"type: csv", "type: rokt", `sources.shop.type: what Rokt's placements said are no orders; name the file under messages`},
		{"type: csv", "decimal: '.'", "sources.shop.type is missing: csv, xlsx or sql"},
		{"channel: online", "channel: web", `"web" is not known; allowed are online, mobile`},
		{"currency: GBP", "currency: Pounds", `sources.shop.currency: "Pounds" is no code of ISO 4217`},
		{"type: csv", "type: csv\n    encoding: utf-88", `sources.shop.encoding: "utf-88" is not known; did you mean "utf-8"?`},
		{"type: csv", "type: csv\n    encoding: hz-gb-2312", "has no decoder"},
		{"type: csv", "type: csv\n    delimiter: tabs", `sources.shop.delimiter: "tabs" is not usable`},
		{"type: csv", "type: csv\n    date_format: yyyy-mm-dd", "sources.shop.date_format: \"yyyy-mm-dd\" is not usable: it has no month"},
		{"type: csv", "type: csv\n    header_row: 0", "rows are counted from 1"},
		{"sheet: [Sales, 2]", "sheet: 0", "sheets are counted from 1"},
		{"https://api.squeezely.tech/v1/track", "http://api.squeezely.tech/v1/track", "targets.activate.url is no usable address"},
		{"https://api.squeezely.tech", "https://me:pass@api.squeezely.tech", "targets.activate.url is no usable address"},
		{`"30 2 * * *"`, `"CRON_TZ=UTC 30 2 * * *"`, "schedule[0].cron: \"CRON_TZ=UTC 30 2 * * *\" is no schedule"},
		{"name: carts, cron", "name: nightly, cron", `schedule[1].name: "nightly" stands twice`},
		{"  activate:", "  act/ivate:", "a name has letters, digits, - and _"},
		{"  activate:", "  all:", "all means every target on the command line"},
		// sources
		{"      sku: StockCode", "      skuu: StockCode", `sources.shop.columns: unknown column "skuu"; did you mean "sku"?`},
		{"      sku: StockCode", "      custom_a b: StockCode", `unknown column "custom_a b"`},
		{"      sku: StockCode\n", "", "sources.shop.columns.sku is missing"},
		{"      price: UnitPrice\n    join:\n      - {path: customers.csv, on: {customer: customer_id}, take: {", "    join:\n      - {path: customers.csv, on: {customer: customer_id}, take: {price: p, ", "sources.shop.columns needs price"},
		{"      price: UnitPrice\n", "", "sources.shop.columns needs price (of one unit) or line_total"},
		{"    currency: GBP", "    currency: GBP\n    completed_when: [paid]", "sources.shop.completed_when needs columns.status"},
		{"    currency: GBP", "    currency: GBP\n    not_completed: [new]", "sources.shop.not_completed needs completed_when"},
		{"    currency: GBP", "    currency: GBP\n    completed_when: [paid]\n    not_completed: [Paid]", `not_completed: "Paid" stands in completed_when, too`},
		{"    currency: GBP", "    #", "sources.shop.currency is missing: write it once"},
		{"      sku: StockCode", "      sku: StockCode\n      channel: C", "sources.shop: write channel once"},
		{"store: store, email", "email", "sources.tills.order_unique: per_store_and_day needs columns.store"},
		{"may_send: {all: true, reason: \"terms of sale 4.2, 2026-11-01\"}", "may_send: true", "sources.shop.may_send does not say why"},
		{"{all: true, reason: \"terms of sale 4.2, 2026-11-01\"}", "{all: true}", "sources.shop.may_send.reason is missing: it says who stands for it"},
		{"{all: true, reason", "{all: false, reason", "sources.shop.may_send must say all: true"},
		{"on: {customer: customer_id}", "on: {customer: a, email: b}", "sources.shop.join[0].on must have one entry"},
		{"take: {email: email,", "take: {emial: email,", `sources.shop.join[0].take: unknown column "emial"; did you mean "email"?`},
		{"{path: customers.csv,", "{type: sql, dsn: x, query: y,", "sources.shop.join[0].type: a join reads csv or xlsx"},
		{"{path: customers.csv,", "{", "sources.shop.join[0].path is missing"},
		{"type: csv", "type: csv\n    query: select", "sources.shop.query has no effect with type csv; it goes with sql"},
		{"path: /data/tills.xlsx", "header_row: 2", "sources.tills.path is missing: type xlsx cannot do without"},
		{"columns: {order: order_id, at: sent_at}", "columns: {at: sent_at}", "evidence.live_log.columns.order is missing"},
		{"columns: {order: order_id, at: sent_at}", "columns: {order: order_id}", "evidence.live_log.columns.at is missing"},
		{"side: backend, ", "", "evidence.live_log.side is missing: who recorded it"},
		{"covers_from: 2026-10-01, ", "", "evidence.live_log.covers_from is missing"},
		{", last_activity: updated_at", "", "carts.open_carts.columns.last_activity is missing"},
		// targets
		{"from: [shop]", "from: [shoop]", `targets.activate.from: there is no source called "shoop"; did you mean "shop"?`},
		{"already_sent: [live_log]", "already_sent: [lifelog]", `there is no evidence called "lifelog"`},
		{"already_sent: [live_log]", "already_sent: [live_log]\n    nothing_else_sends: true", "contradict each other"},
		{"targets: [stores]", "targets: [store]", `schedule[1].targets: there is no target called "store"; did you mean "stores"?`},
		{"    send: [purchase]", "    send: [purchase, cart_clear]", "targets.activate.send: squeezely has no cart_clear"},
		{"    batch: 1", "    mid: x", "targets.activate.mid has no effect with type squeezely; it goes with collect"},
		{"    batch: 1", "    vat: excluded", "targets.activate.vat is excluded, but sources.shop.vat is included; vat_rate: 21 converts"},
		{`    mid: "123456"`, "    batch: 1", "targets.stores.mid is missing: type collect cannot do without"},
		{`    mid: "123456"`, "    merges_repeats: true", "a purchase that Collect gets twice counts twice"},
		{`    mid: "123456"`, "    corrections: resend", "Collect is not known to do so, and would count a second purchase"},
		{"    batch: 1", "    corrections: resend\n    merges_repeats: false", "merges_repeats: false says that it counts twice there"},
		{"    batch: 1", "    corrections: send", `"send"`},
		{`    mid: "123456"`, "    batch: 2", "Collect takes one event in a request"},
		{"    max_age: 48h\n", "", "targets.stores.max_age is missing: Collect has no time field"},
		{"    cart_url: https://www.example.com/cart\n", "", "targets.stores.cart_url is missing"},
		{"    clear_url: https://www.example.com/cart/empty\n", "", "targets.stores.clear_url is missing"},
		{"channels: [in_store, mobile]", "channels: [telephone]", "targets.stores.cart is missing: cart events need to know"},
		{"channels: [in_store, mobile]", "channels: [online, in_store]", "online goes to Collect only with evidence of side front_end"},
		{"source: open_carts", "source: open_cart", `there is no carts called "open_cart"; did you mean "open_carts"?`},
		{"{known_by: carts, source: open_carts}", "{known_by: carts}", "targets.stores.cart.in_store.source is missing"},
		{"{known_by: carts, source: open_carts}", "{known_by: always}", "always is for mobile only"},
		{"{known_by: carts, source: open_carts}", "{known_by: column, column: cart_used}", "must name a column that a source of the target has"},
		{"{known_by: always}", "{known_by: always, source: closed_carts}", "targets.stores.cart.mobile.source: there is no carts called \"closed_carts\""},
		{"cart: {in_store:", "cart: {telephone:", "carts are touched for in_store and mobile only"},
		// values from outside
		{"${ACTIVATE_KEY}", "${NO_KEY}", "the environment variable NO_KEY is not set"},
		{"${ACTIVATE_KEY}", "${NO KEY}", "${ does not begin the name of a variable"},
		{"${ACTIVATE_KEY}", "${ACTIVATE_KEY", "${ does not begin the name of a variable"},
		{"${ACTIVATE_KEY}", "file:/nowhere/key", `read "file:/nowhere/key": no such file or directory`},
		{"${ACTIVATE_KEY}", "file:/", `read "file:/": not a regular file`},
	} {
		t.Run(tc.want, func(t *testing.T) {
			text := replaced(t, tc.old, tc.new)
			_, err := Parse([]byte(text), "makegood.yaml", testEnv.lookup)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got\n%v\nwant\n%s", err, tc.want)
			}
			if n := len(err.(Errors)); n > 3 {
				t.Errorf("one slip gives %d problems:\n%v", n, err)
			}
		})
	}
}

func TestPlaceOfProblems(t *testing.T) {
	text := "zone: Europe/Amsterdam\nenvironmet: test\nlookback: 1w\ntargets:\n  t:\n    type: squeezely\n" +
		"    channels: [online, shop]\n    api_key: ${KEY}\n"
	_, err := Parse([]byte(text), "a/makegood.yaml", nil)
	want := strings.Join([]string{
		`a/makegood.yaml:2:1: unknown key "environmet"; did you mean "environment"?`,
		`a/makegood.yaml:3:11: lookback: "1w" is no number of days; write 7d`,
		`a/makegood.yaml:7:24: targets.t.channels[1]: "shop" is not known; allowed are online, mobile, in_store, telephone, marketplace, b2b, subscription and other`,
		`a/makegood.yaml:8:14: the environment variable KEY is not set`,
	}, "\n")
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	p, ok := errors.AsType[Problem](err)
	if !ok || p.Key != "environmet" || p.Line != 2 || p.Column != 1 || p.File != "a/makegood.yaml" {
		t.Errorf("first problem: %+v", p)
	}
}

func TestOneSlipIsOneProblem(t *testing.T) {
	for _, slip := range [][2]string{
		{"    currency: GBP", "    curency: GBP"}, {"      price: UnitPrice", "      prise: UnitPrice"},
		{"      order: InvoiceNo", "      ordr: InvoiceNo"}, {"zone: Europe/Amsterdam ", "zon: Europe/Amsterdam "},
	} {
		_, err := Parse([]byte(replaced(t, slip[0], slip[1])), "makegood.yaml", testEnv.lookup)
		if list, ok := err.(Errors); !ok || len(list) != 1 || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: %v", slip[1], err)
		}
	}
}

func TestTwoSourcesNameTheirShop(t *testing.T) {
	text := replaced(t, "from: [shop]", "from: [shop, tills]", "    shop: tills\n", "")
	_, err := Parse([]byte(text), "makegood.yaml", testEnv.lookup)
	if err == nil || !strings.Contains(err.Error(), "sources.tills.shop is missing: targets.activate has several sources") {
		t.Error(err)
	}
}

func TestOnlineToCollectWithFrontEndEvidence(t *testing.T) {
	mustParse(t, replaced(t, "channels: [in_store, mobile]", "channels: [in_store, mobile, online]",
		"side: backend", "side: front_end", "    nothing_else_sends: true", "    already_sent: [live_log]"))
}

func TestNoConfiguration(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty":         {"", "m.yaml: the file is empty"},
		"comment":       {"# nothing\n", "m.yaml: the file is empty"},
		"list":          {"- a\n", "the file is not a list of keys"},
		"null":          {"---\n", "the file is not a list of keys"},
		"two":           {"zone: UTC\n---\nzone: UTC\n", "more than one YAML document"},
		"second broken": {"zone: UTC\n---\n[\n", "cannot be read as YAML"},
		"large":         {strings.Repeat("#", maxFile+1), "larger than 1 MiB"},
		"deep":          {strings.Repeat("[", 20000), "cannot be read as YAML"},
		"bytes":         {"zone: \xff", "cannot be read as YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse([]byte(tc.text), "m.yaml", nil)
			if c != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "makegood.yaml")
	if _, err := Load(path, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("zone: UTC\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, nil)
	if err != nil || c.Dir != dir || c.Ledger != filepath.Join(dir, "makegood.db") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestMissing(t *testing.T) {
	text := replaced(t,
		"environment: production ", "#",
		`    may_send: {all: true, reason: "terms of sale 4.2, 2026-11-01"}`, "#",
		"    already_sent: [live_log]", "#",
		"    api_key: ${ACTIVATE_KEY}\n", "",
		"    type: collect\n", "    type: collect\n    mode: live\n",
		"    channels: [in_store, mobile]\n", "",
		"    from: [tills] ", "#",
		"    send: [purchase, cart_update, cart_clear]\n", "",
		"    order_unique: per_store_and_day\n", "")
	text = strings.ReplaceAll(text, "    since: 2026-11-01", "#")
	var got []string
	for _, r := range mustParse(t, text).Missing() {
		if r.Why == "" || r.Example == "" || !strings.Contains(r.String(), r.Key+" is missing. ") {
			t.Errorf("incomplete: %+v", r)
		}
		got = append(got, strings.Join([]string{r.Target, r.Source, r.Key}, "/"))
	}
	want := []string{"//environment", "activate//since", "activate//already_sent", "activate//api_key", "activate/shop/may_send",
		"stores//since", "stores//from", "stores//channels", "stores//send", "stores/shop/may_send", "stores/tills/order_unique"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMissingInShadow(t *testing.T) {
	c := mustParse(t, "zone: UTC\ntargets: {t: {type: squeezely}, u: {type: spotler, mode: off}}\n")
	if got := c.Missing(); len(got) > 0 {
		t.Error(got)
	}
}

func TestLedgerName(t *testing.T) {
	c := &Config{Ledger: "postgres://makegood:canary@db.example.com/makegood?password=canary"}
	if got := c.LedgerName(); strings.Contains(got, "canary") || !strings.Contains(got, "db.example.com") {
		t.Error(got)
	}
}
