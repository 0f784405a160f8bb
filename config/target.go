package config

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Modes of a target. Shadow does everything but send; trial sends the first few.
const (
	ModeOff    = "off"
	ModeShadow = "shadow"
	ModeTrial  = "trial"
	ModeLive   = "live"
)

// Target is one destination of events.
type Target struct {
	Name string `yaml:"-"` // its key in the file, and its name in the ledger: it must never change
	Type string `yaml:"type" enum:"squeezely spotler collect emanage rokt rokt_ads file" required:"squeezely, spotler, collect, emanage, rokt, rokt_ads or file"`
	Mode string `yaml:"mode" enum:"off shadow trial live" default:"shadow"`
	// URL is the platform's: the whole address of a Squeezely target, the host of a Collect target.
	URL     string `yaml:"url" for:"squeezely spotler collect emanage rokt rokt_ads"`
	Account string `yaml:"account" for:"squeezely spotler rokt_ads"`
	APIKey  Secret `yaml:"api_key" for:"squeezely spotler rokt rokt_ads"`
	MID     string `yaml:"mid" for:"collect" need:"collect"`
	// CartURL and ClearURL are the pages that cart updates and clears name.
	CartURL  string `yaml:"cart_url" for:"collect"`
	ClearURL string `yaml:"clear_url" for:"collect"`
	// ClearForm puts clear_cart beside user_info (flat) or into cart (nested).
	ClearForm string `yaml:"clear_form" for:"collect" enum:"flat nested" default:"flat"`
	// PathSuffix ends the path of each call, such as .json.
	PathSuffix string `yaml:"path_suffix" for:"collect"`
	// Identity is what a person is known by at Collect; EmailForm is how Squeezely gets the address.
	Identity  string `yaml:"identity" for:"collect" enum:"email email_sha256 contact_key" default:"email"`
	EmailForm string `yaml:"email" for:"squeezely spotler file" enum:"plain sha256 none" default:"plain"`
	// Path is the absolute path of the file that events are written to; {date} in its last part is the day in Config.Zone.
	Path   string `yaml:"path" for:"file rokt_ads" need:"file"`
	Format string `yaml:"format" for:"file" enum:"jsonl csv" default:"jsonl"`

	// From names sources (default: all), Channels those of RULES R5, Send kinds of events (default: purchase). The
	// Given fields say whether the file spells them out.
	From          []string `yaml:"from"`
	FromGiven     bool     `yaml:"-"`
	Channels      []string `yaml:"channels" enum:"online mobile in_store telephone marketplace b2b subscription other"`
	ChannelsGiven bool     `yaml:"-"`
	Send          []string `yaml:"send" enum:"purchase cart_update cart_clear cart_create cart_upgrade cart_confirm"`
	SendGiven     bool     `yaml:"-"`

	// When is an expression over the order's mapped values that says which orders are for this target (RULES R11), such
	// as 'country == "NL"'; empty: all.
	When string `yaml:"when"`
	// Since: orders completed earlier are not for this target. In Config.Zone when it has no zone; nil: nobody said.
	Since *Date `yaml:"since"`
	// MaxAge holds back older orders, 0 none; MinAge leaves younger ones to the next run (default 30min with
	// already_sent, else 0).
	MaxAge Duration `yaml:"max_age"`
	MinAge Duration `yaml:"min_age"`

	// Rate is 10/s, for Collect 5/s, by default. Concurrency is 1 to 64 requests at once, Batch events in a request.
	// Reserve is the share of the rate, and of what the platform says is left, that stays for the shop's live traffic.
	Rate        Rate    `yaml:"rate"`
	Reserve     Percent `yaml:"reserve" default:"20%"`
	Concurrency int     `yaml:"concurrency" default:"4"`
	// PerPerson is how many orders of one address in one day are believed to be one person's (RULES R12).
	PerPerson PerDay `yaml:"per_person" default:"30/day"`
	// PossibleTwins says what becomes of a purchase that another source shows, too, under another number: the same
	// address, money and goods within 7 days (RULES R3).
	PossibleTwins string     `yaml:"possible_twins" enum:"hold send" default:"hold"`
	Batch         int        `yaml:"batch" default:"1"`
	Timeout       Duration   `yaml:"timeout" default:"30s"`
	ProbeAfter    []Duration `yaml:"probe_after" default:"1m 2m 4m"`

	// MarkLate gives the messages of late orders a field that says so (RULES R17).
	MarkLate *MarkLate `yaml:"mark_late" for:"squeezely spotler file"`

	// Catalog is what the platform knows of products, the configuration's where the target names none; UnknownSKU what
	// becomes of a line that it lacks (RULES R18).
	Catalog    *Catalog `yaml:"catalog"`
	UnknownSKU string   `yaml:"unknown_sku" enum:"send hold drop_line" default:"send"`
	// ConfirmedFields are the custom fields that somebody has seen at the platform; empty: nobody has looked.
	ConfirmedFields []string `yaml:"confirmed_fields" for:"squeezely spotler"`

	// Corrections says what becomes of an order that changes after it was sent: it is listed, or sent again under its
	// number, where the platform puts that in place of what it had.
	Corrections string `yaml:"corrections" enum:"report resend" default:"report"`

	// AlreadySent names evidence of what others sent; NothingElseSends says that nobody else does.
	AlreadySent      []string `yaml:"already_sent"`
	NothingElseSends bool     `yaml:"nothing_else_sends"`
	// OrderID is "= expression" or a column's name for the number that the platform sees; empty: the order's own.
	OrderID string `yaml:"order_id"`

	// Cart says by channel (in_store, mobile) how it is known what a checkout did to the cart.
	Cart map[string]CartRule `yaml:"cart" for:"collect"`
	// ClockMargin is how exact the clocks of tills are taken to be.
	ClockMargin Duration `yaml:"clock_margin" for:"collect" default:"15min"`
	// MailAfter is how long after a checkout the platform's mail about an abandoned cart may start: 15 min to 3 h [C].
	MailAfter Duration `yaml:"mail_after" for:"collect" default:"1h"`
	// MaxClearAge is how old a checkout may be for a cart event; 0: ClearAge has the default.
	MaxClearAge Duration `yaml:"max_clear_age" for:"collect"`

	// Language is that of orders without one, such as nl-NL.
	Language string `yaml:"language" for:"squeezely spotler"`
	// Value is what the platform gets as the amount.
	Value string `yaml:"value" enum:"goods order_total" default:"goods"`
	// Vat is what the platform wants, empty: as the source has it. VatRate is in percent, as decimal text.
	Vat     string `yaml:"vat" enum:"included excluded"`
	VatRate string `yaml:"vat_rate"`
	// ProfileFields says which orders may overwrite names, addresses and such: those completed within 24 h of the plan,
	// by default. An old order would put older data over newer.
	ProfileFields string `yaml:"profile_fields" for:"squeezely spotler" enum:"never fresh_only always" default:"fresh_only"`
	// BatchAnswer says what a refused batch means, which is not documented [U]: all of it was refused, the errors name the
	// refused by index, or nobody knows.
	BatchAnswer string `yaml:"batch_answer" for:"squeezely spotler" enum:"unknown all index" default:"unknown"`
	// MergesRepeats withdraws the belief that the platform merges repeats; nil: as the type has it, see Merges.
	MergesRepeats *bool  `yaml:"merges_repeats"`
	Trial         *Trial `yaml:"trial"`
	// Budget is what one run may send at most; PerRun how many events of one person go in one run, 0 any number.
	Budget *Budget `yaml:"budget"`
	PerRun int     `yaml:"per_run"`

	RoktAds
	Rokt
	Emanage
}

// CartRule says how it is known what a checkout did to the stored cart: from the open carts of Source, from the Column
// of the order's source, or always. With column and always, Source only says whether the cart was used since.
type CartRule struct {
	KnownBy string `yaml:"known_by" enum:"carts column always" required:"carts, column or always"`
	Source  string `yaml:"source"`
	Column  string `yaml:"column"`
}

// Merges says whether the platform is taken to merge a repeated purchase with the first: Squeezely merges on the order
// id [P], a second one from the backend likely [I]; Collect documents no de-duplication [U]; Rokt counts a conversion
// once per confirmation reference [C], which is believed where the file says so.
func (t *Target) Merges() bool {
	if t.MergesRepeats != nil {
		return *t.MergesRepeats
	}
	return t.Type != "collect" && t.Type != "emanage" && t.Type != "rokt" && t.Type != "rokt_ads" || t.Type == "rokt_ads" && t.API == "csv"
}

// Sending says whether the target would really send.
func (t *Target) Sending() bool { return t.Mode == ModeLive || t.Mode == ModeTrial }

// ClearAge is how old a checkout of the channel may be for a cart event: MaxClearAge, else 24 h where the open carts
// are known and 60 min where not.
func (t *Target) ClearAge(channel string) time.Duration {
	switch {
	case t.MaxClearAge > 0:
		return time.Duration(t.MaxClearAge)
	case t.Cart[channel].KnownBy == "carts":
		return 24 * time.Hour
	}
	return time.Hour
}

// fileBatch is how many events are written to a file at once, where nothing else is said: each time waits for the disk.
const fileBatch = 100

func (t *Target) fill(given func(key string) bool, sources []string) {
	t.FromGiven, t.ChannelsGiven, t.SendGiven = given("from"), given("channels"), given("send")
	usual, address, rate := []string{"online", "in_store", "mobile", "telephone"}, "https://api.squeezely.tech/v1/track", "10/s"
	switch t.Type {
	case "collect":
		usual, address, rate = usual[1:], "https://nova.collect.igodigital.com", "5/s"
	case "rokt_ads":
		address, rate = roktAdsAddress[t.API], "100/s" // a full request a second
		t.fillRoktAds(given)
	case "rokt":
		address, rate = "", "2/s"
		if !t.SendGiven {
			t.Send = []string{"cart_confirm"} // which has to be written, see checkRokt
		}
	case "emanage":
		address, rate = "https://sales-prod.tryemanagecrm.com/api", "1/s" // [C]
		t.fillEmanage(given)
	}
	if !t.FromGiven {
		t.From = sources
	}
	if !t.ChannelsGiven {
		t.Channels = usual
	}
	if !t.SendGiven && len(t.Send) == 0 {
		t.Send = []string{"purchase"}
	}
	if !given("min_age") && len(t.AlreadySent) > 0 {
		t.MinAge = Duration(30 * time.Minute)
	}
	if t.Mode == ModeTrial && t.Trial == nil {
		t.Trial = &Trial{Orders: usualTrial}
	}
	if t.Type == "file" {
		if !given("batch") {
			t.Batch = fileBatch
		}
		return
	}
	t.URL = cmp.Or(t.URL, address)
	if !given("rate") {
		_ = t.Rate.UnmarshalText([]byte(rate))
	}
}

var (
	languageTag = regexp.MustCompile(`^[a-z]{2}-[A-Z]{2}$`)
	vatRate     = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,4})?$`)
)

func (t *Target) check(d *document, path string, c *Config) {
	refer(d, path+".from", t.From, c.Sources, "source")
	refer(d, path+".already_sent", t.AlreadySent, c.Evidence, "evidence")
	d.date(path+".since", t.Since, c.Zone)
	t.checkNumbers(d, path)
	t.checkValues(d, path)
	for name, text := range map[string]string{"url": t.URL, "cart_url": t.CartURL, "clear_url": t.ClearURL} {
		if text != "" && !isAddress(text, name == "url") {
			// The value is not shown: it may hold a password.
			d.fail(path+"."+name, "%s.%s is no usable address; write https://host/path, without a user or password", path, name)
		}
	}
	if t.Name == "all" {
		d.fail(path, "%s: all means every target on the command line; choose another name", path)
	}
	if len(t.AlreadySent) > 0 && t.NothingElseSends {
		d.fail(path+".nothing_else_sends", "%s: already_sent and nothing_else_sends contradict each other; keep one", path)
	}
	t.checkCorrections(d, path)
	t.checkLate(d, path, c)
	t.checkCatalog(d, path)
	t.checkSources(d, path, c)
	switch t.Type {
	case "collect":
		t.checkCarts(d, path)
		t.checkCollect(d, path, c)
	case "squeezely", "spotler":
		t.checkPurchaseOnly(d, path)
		if t.EmailForm == "none" {
			d.fail(path+".email", "%s.email: none is for files only; a platform knows people by their address", path)
		}
	case "file":
		t.checkPurchaseOnly(d, path)
		t.checkFile(d, path, c)
	case "rokt_ads":
		t.checkPurchaseOnly(d, path)
		t.checkRoktAds(d, path, c)
	case "emanage":
		t.checkEmanage(d, path, c)
	case "rokt":
		t.checkRokt(d, path, c)
	}
}

func (t *Target) checkNumbers(d *document, path string) {
	for _, n := range []struct {
		key   string
		wrong bool
		text  string
	}{
		{"concurrency", t.Concurrency < 1 || t.Concurrency > 64, "must be from 1 to 64"},
		{"batch", t.Batch < 1, "must be 1 or more"},
		{"timeout", t.Timeout == 0, "must be more than 0"},
		{"reserve", t.Reserve > 90, "must leave something: 90% at most"},
		{"probe_after", len(t.ProbeAfter) == 0 || slices.Contains(t.ProbeAfter, 0), "must name waits of more than 0, as in [1m, 2m, 4m]"},
		{"max_age", t.MaxAge > 0 && t.MaxAge <= t.MinAge, "must be more than min_age, which is " + t.MinAge.String()},
		{"from", len(t.From) == 0 && t.FromGiven, "names no source; mode: off stops a target"},
		{"channels", len(t.Channels) == 0, "names no channel; mode: off stops a target"},
		{"send", len(t.Send) == 0, "names no event; mode: off stops a target"},
	} {
		if at := path + "." + n.key; n.wrong && !d.failed(at) {
			d.fail(at, "%s %s", at, n.text)
		}
	}
}

func (t *Target) checkValues(d *document, path string) {
	if t.Language != "" && !languageTag.MatchString(t.Language) {
		d.fail(path+".language", "%s.language: %s is no language with a country, such as nl-NL", path, d.quote(path+".language"))
	}
	t.VatRate = strings.TrimSuffix(t.VatRate, "%")
	if t.VatRate != "" && !vatRate.MatchString(t.VatRate) {
		d.fail(path+".vat_rate", "%s.vat_rate: %s is no percentage; write one such as 21", path, d.quote(path+".vat_rate"))
	}
	t.checkLimits(d, path)
	if t.Trial != nil && t.Mode != ModeTrial && !d.failed(path+".mode") {
		d.fail(path+".trial", "%s.trial limits nothing in mode %s; take it out", path, t.Mode)
	}
}

// checkCorrections lets an order be sent again only where that makes no second purchase.
func (t *Target) checkCorrections(d *document, path string) {
	if t.Corrections != "resend" || t.Merges() && t.Type != "rokt_ads" || d.failed(path+".corrections") {
		return
	}
	why := "merges_repeats: false says that it counts twice there"
	switch t.Type {
	case "collect":
		why = "Collect is not known to do so, and would count a second purchase"
	case "emanage":
		why = "a cart that EmanageCRM gets twice is charged twice"
	case "rokt_ads":
		why = "Rokt counts the first conversion of an order number and not the second"
	}
	d.fail(path+".corrections", "%s.corrections: a changed order can be sent again only where the platform merges repeats by order number; "+
		"%s; write report, and correct such orders at the platform", path, why)
}

// checkSources compares the target with the sources that feed it.
func (t *Target) checkSources(d *document, path string, c *Config) {
	for _, name := range t.From {
		s := c.Sources[name]
		if s == nil {
			continue
		}
		if len(t.From) > 1 && !s.ShopGiven {
			d.fail("sources."+name, "sources.%s.shop is missing: targets.%s has several sources, and each must name its "+
				"numbering of orders, the same name for the same numbers", name, t.Name)
		}
		switch {
		case t.Vat != "" && s.Vat == "":
			d.fail("sources."+name, "sources.%s.vat is missing: targets.%s wants prices with VAT %s, and nobody says how these are",
				name, t.Name, t.Vat)
		case s.Vat != t.Vat && t.Vat != "" && t.VatRate == "" && !d.failed(path+".vat_rate"):
			d.fail(path+".vat", "%s.vat is %s, but sources.%s.vat is %s; vat_rate: 21 converts, where all goods have one rate",
				path, t.Vat, name, s.Vat)
		}
	}
}

func (t *Target) checkPurchaseOnly(d *document, path string) {
	for i, kind := range t.Send {
		if kind != "purchase" && !d.failed(at(path+".send", i)) {
			d.fail(at(path+".send", i), "%s.send: %s has no %s; it takes purchase", path, t.Type, kind)
		}
	}
}

// isAddress takes absolute http and https addresses. A platform's must be https, except nearby, where a simulator is.
func isAddress(text string, platform bool) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && (!platform || isNear(u.Hostname()))
}

// isNear tells this machine and its private neighbours, also by names without a dot, from the internet.
func isNear(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate()
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost")
}
