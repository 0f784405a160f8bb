package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Source is one place that orders are read from.
type Source struct {
	Name  string `yaml:"-"` // its key in the file
	Table `yaml:",inline"`

	// Preset names an export that is known (PresetNames); what the source says itself comes first.
	Preset string `yaml:"preset" for:"csv xlsx emanage" enum:"shopify woocommerce magento2 lightspeed square emanage"`
	// Shop names the numbering that order ids belong to; ShopGiven says whether the file does so.
	Shop      string `yaml:"shop" default:"main"`
	ShopGiven bool   `yaml:"-"`
	// Currency (ISO 4217) and Channel (RULES R5) hold for every order; empty: there is a column.
	Currency string `yaml:"currency"`
	Channel  string `yaml:"channel" enum:"online mobile in_store telephone marketplace b2b subscription other"`
	// Precision is time, or day where completed_at carries no time of day.
	Precision string `yaml:"precision" enum:"time day" default:"time"`
	// Vat says what prices are; empty: unknown.
	Vat string `yaml:"vat" enum:"included excluded"`
	// OrderUnique says what makes an order number one order; empty: nobody has said it.
	OrderUnique string `yaml:"order_unique" enum:"always per_store per_store_and_day per_till_and_day"`
	// EditedSuffix says what -1 behind an order number means: the same order after it was edited, or another one; empty:
	// nobody has said it.
	EditedSuffix string `yaml:"edited_suffix" enum:"same_order other_order"`
	// OrderShape is a regular expression that every order number fits, or any; empty: the shape is learnt from the numbers.
	OrderShape string `yaml:"order_shape"`
	// MaySend says whose orders may be sent; nil: nobody stands for any.
	MaySend *MaySend `yaml:"may_send"`
	// Columns has names of ColumnNames and, for each, a column's name or "= expression".
	Columns map[string]string `yaml:"columns"`
	Join    []Join            `yaml:"join"`
	// CompletedWhen lists the values of status with which an order is complete, NotCompleted those with which it is not;
	// case does not matter. Without CompletedWhen the status decides nothing.
	CompletedWhen []string `yaml:"completed_when"`
	NotCompleted  []string `yaml:"not_completed"`
	// NegativeLines says what becomes of an order that has lines with negative quantities beside others, ZeroTotal of one
	// that is worth nothing (RULES R10).
	NegativeLines string `yaml:"negative_lines" enum:"hold drop send" default:"hold"`
	ZeroTotal     string `yaml:"zero_total" enum:"send hold" default:"send"`
	// MatchReversals says what is done about a credit note that has the customer, SKUs and quantities of an earlier order
	// but does not name it.
	MatchReversals string `yaml:"match_reversals" enum:"report hold off" default:"report"`
	// ProgressiveDiscount says what an order of so many products and more costs less, Prices whether prices are those before
	// it (list) or after it (discounted).
	ProgressiveDiscount []DiscountStep `yaml:"progressive_discount"`
	Prices              string         `yaml:"prices" enum:"list discounted"`
	// UnpaidUpgrade is what counts of a chain whose last upgrade was not paid: the last product that was, or the one that
	// it began with. WaitForPayment is how long after its completion an order waits for a payment that is pending.
	UnpaidUpgrade  string   `yaml:"unpaid_upgrade" enum:"last_paid main" default:"last_paid"`
	WaitForPayment Duration `yaml:"wait_for_payment"`
	// LeaveOut are whole orders that do not count, SkipLines lines that are no goods; the first rule that fits.
	LeaveOut  []Rule     `yaml:"leave_out"`
	SkipLines []LineRule `yaml:"skip_lines"`
	// Files says what an order in several files is: versions of one, or parts.
	Files string `yaml:"files" for:"csv xlsx" enum:"versions parts" default:"versions"`
	// StableFor is how long a file must be unchanged to be read.
	StableFor Duration `yaml:"stable_for" for:"csv xlsx" default:"60s"`
	// SFTP says how to get at a path on a server; nil: the files lie on this machine.
	SFTP *Server `yaml:"sftp" for:"csv xlsx"`
	// AfterRead says what becomes of files that a run has read; nil: they stay.
	AfterRead *AfterRead `yaml:"after_read" for:"csv xlsx"`
	// Slack widens :from and :to on both sides.
	Slack Duration `yaml:"slack" for:"sql" default:"1h"`
	// Bind is what :from and :to are: empty the wall clock of Zone, instant for columns with a zone.
	Bind string `yaml:"bind" for:"sql" enum:"instant"`
	// EditWindow is how far apart two sights of one order number may lie.
	EditWindow Duration `yaml:"edit_window" default:"30d"`
	// Expect is what it usually holds, Closed when it holds nothing: what is far less is an alarm (RULES R7).
	Expect *Expect  `yaml:"expect"`
	Closed []Closed `yaml:"closed"`
}

// MaySend is the permission to send a source's orders: All with the Reason, or When, an expression over the row.
type MaySend struct {
	All    bool   `yaml:"all"`
	Reason string `yaml:"reason" required:"it says who stands for it and since when, as in \"terms of sale 4.2, 2026-11-01\""`
	When   string `yaml:"-"`
}

// shape takes {all: true, reason: ...} or an expression.
func (m *MaySend) shape(d *document, path string, n *yaml.Node) {
	const form = `{all: true, reason: "terms of sale 4.2, 2026-11-01"}`
	switch {
	case n.Kind == yaml.MappingNode:
		d.structure(path, n, reflect.ValueOf(m).Elem())
		if !m.All && !d.broken[d.values[path+".all"]] {
			d.fail(path, "%s must say all: true, as in %s, or be an expression over the row", path, form)
		}
	case !d.is(path, n, yaml.ScalarNode):
	case slices.Contains([]string{"", "true", "false"}, strings.TrimSpace(n.Value)):
		d.fail(path, "%s does not say why; write %s, or an expression over the row", path, form)
	default:
		m.When = n.Value
	}
}

// Rule leaves out the orders for which When, an expression over the row, is true.
type Rule struct {
	Reason string `yaml:"reason" required:"a word that the report counts by, such as cancelled"`
	When   string `yaml:"when" required:"an expression over the row, such as 'InvoiceNo startsWith \"C\"'"`
}

// LineRule leaves out the lines for which When is true; KeepMoney leaves their money in the order's total.
type LineRule struct {
	Rule      `yaml:",inline"`
	KeepMoney bool `yaml:"keep_money"`
}

// Evidence is a record of what others sent. It is never read as orders.
type Evidence struct {
	Name  string `yaml:"-"` // its key in the file
	Table `yaml:",inline"`

	// Columns has order and perhaps at, shop and target; for each a column's name or "= expression".
	Columns map[string]string `yaml:"columns" required:"it says which column is order, at, shop, target"`
	Shop    string            `yaml:"shop" default:"main"`
	Side    string            `yaml:"side" enum:"backend front_end" required:"who recorded it, backend or front_end"`
	Trust   string            `yaml:"trust" enum:"proven assumed" required:"proven when the platform confirmed it, else assumed"`
	// CoversFrom: orders completed earlier are unknown to it. In Config.Zone when it has no zone.
	CoversFrom Date `yaml:"covers_from" required:"the day from which it is complete"`
	// FreshWithin is how far its newest row may lie behind the newest order; 0: not checked.
	FreshWithin Duration `yaml:"fresh_within"`
	// ExpectShare is the least share of a usual day that it must hold; 0: not checked.
	ExpectShare Percent `yaml:"expect_share"`
}

// CartSource is a feed of open carts, one row for each line of a cart.
type CartSource struct {
	Name  string `yaml:"-"` // its key in the file
	Table `yaml:",inline"`

	// Columns has email, sku, quantity, last_activity and perhaps customer, price, unique_id and item.
	Columns map[string]string `yaml:"columns" required:"it says which column is email, sku, quantity, last_activity"`
	// FreshWithin is how old the carts may be that a file shows: what a customer does after it was written is not known.
	FreshWithin Duration `yaml:"fresh_within" default:"15min"`
}

const (
	sourceColumns = "order completed_at ordered_at updated_at customer email language currency channel status store till " +
		"sku name quantity price line_total line total shipping discount unique_id item category_ids cart_used firstname lastname gender " +
		"birthdate phone postcode city country refers_to reverses newsletter zone " +
		"session parent_session replaces paid test_order click_id charge_due shipping_method customer_ip"
	evidenceColumns = "order at shop target receipt position"
	cartColumns     = "email customer sku quantity price unique_id item last_activity"
)

// ColumnNames are the names that the columns of a source can have, without custom_*.
func ColumnNames() []string { return strings.Fields(sourceColumns) }

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	customColumn = regexp.MustCompile(`^custom_[A-Za-z0-9_]+$`)
)

// Has says whether the source has the column called name, from its rows or from a join.
func (s *Source) Has(name string) bool {
	if _, ok := s.Columns[name]; ok {
		return true
	}
	if p := PresetNamed(s.Preset); p != nil && len(p.Columns[name]) > 0 {
		return true
	}
	return slices.ContainsFunc(s.Join, func(j Join) bool { _, ok := j.Take[name]; return ok })
}

func (s *Source) fill(zone *Zone) {
	s.inherit(zone)
	if s.Type == "emanage" {
		s.Files = "parts" // its pages cut orders
	}
	for i := range s.Join {
		s.Join[i].inherit(s.Zone)
	}
}

// anchor makes the paths of the source absolute.
func (s *Source) anchor(c *Config) {
	s.Table.anchor(c)
	if s.AfterRead != nil && !onServer(s.Path) {
		s.AfterRead.MoveTo = c.absolute(s.AfterRead.MoveTo)
	}
	if s.SFTP != nil {
		s.SFTP.KnownHosts = c.absolute(s.SFTP.KnownHosts)
	}
}

func (s *Source) check(d *document, path string) {
	s.Table.check(d, path)
	s.checkServer(d, path)
	d.name(path+".shop", s.Shop)
	d.columns(path+".columns", s.Columns, ColumnNames())
	s.checkStatuses(d, path)
	s.checkDiscount(d, path)
	if _, err := regexp.Compile(s.OrderShape); err != nil && !d.failed(path+".order_shape") {
		d.fail(path+".order_shape", "%s.order_shape: %s is no regular expression; write one such as '[0-9]{8}', or any", path,
			d.quote(path+".order_shape"))
	}
	for i := range s.Join {
		s.Join[i].check(d, at(path+".join", i))
		s.Join[i].checkLocal(d, at(path+".join", i))
	}
	switch {
	case s.Preset != "" || d.failed(path+".preset"):
	case d.given(path + ".columns"):
		s.checkColumns(d, path)
	case !d.failed(path + ".columns"):
		d.fail(path, "%s.columns is missing: it says which column is order, completed_at, sku, quantity ...; or preset: %s", path,
			strings.Join(PresetNames(), ", "))
	}
	if s.Preset == "square" && s.Currency == "" && !s.Has("currency") {
		d.fail(path, "%s.currency is missing: the export of %s has none", path, s.Preset)
	}
	if s.Currency != "" && !currencyCode.MatchString(s.Currency) {
		d.fail(path+".currency", "%s.currency: %s is no code of ISO 4217, such as EUR; a column goes into columns", path,
			d.quote(path+".currency"))
	}
}

// checkStatuses wants a status to judge, and every value of it on one side.
func (s *Source) checkStatuses(d *document, path string) {
	if len(s.CompletedWhen) > 0 && !s.Has("status") {
		d.fail(path+".completed_when", "%s.completed_when needs columns.status: the column that it is compared with", path)
	}
	if len(s.NotCompleted) > 0 && len(s.CompletedWhen) == 0 {
		d.fail(path+".not_completed", "%s.not_completed needs completed_when: the statuses with which an order counts", path)
	}
	for _, status := range s.NotCompleted {
		if slices.ContainsFunc(s.CompletedWhen, func(other string) bool { return strings.EqualFold(other, status) }) {
			d.fail(path+".not_completed", "%s.not_completed: %q stands in completed_when, too", path, status)
		}
	}
}

// checkColumns asks for what is read on every row before any join.
func (s *Source) checkColumns(d *document, path string) {
	own := func(name string) bool { return d.given(path + ".columns." + name) }
	for _, name := range []string{"order", "completed_at", "sku", "quantity"} {
		if !own(name) && !d.failed(path+".columns."+name) {
			d.fail(path+".columns", "%s.columns.%s is missing: no order can be read without it", path, name)
		}
	}
	if !own("price") && !own("line_total") && !d.failed(path+".columns.price") && !d.failed(path+".columns.line_total") {
		d.fail(path+".columns", "%s.columns needs price (of one unit) or line_total", path)
	}
	for _, name := range []string{"currency", "channel"} {
		switch literal := d.given(path + "." + name); {
		case literal && s.Has(name):
			d.fail(path+"."+name, "%s: write %s once, either for the whole source or in columns", path, name)
		case !literal && !s.Has(name) && !d.failed(path+"."+name) && !d.failed(path+".columns."+name):
			d.fail(path+"."+name, "%s.%s is missing: write it once, either for the whole source or as the name of a column in columns",
				path, name)
		}
	}
	for _, key := range []string{"unpaid_upgrade", "wait_for_payment"} {
		if d.given(path+"."+key) && !own("replaces") {
			d.fail(path+"."+key, "%s.%s needs columns.replaces and columns.paid: it is about upgrades", path, key)
		}
	}
	for _, pair := range [][2]string{{"replaces", "paid"}, {"paid", "replaces"}, {"parent_session", "session"}, {"parent_session", "replaces"},
		{"charge_due", "replaces"}, {"charge_due", "price"}, {"shipping_method", "charge_due"}, {"customer_ip", "charge_due"}} {
		if own(pair[0]) && !own(pair[1]) && !d.failed(path+".columns."+pair[1]) {
			d.fail(path+".columns."+pair[0], "%s.columns.%s needs columns.%s", path, pair[0], pair[1])
		}
	}
	needs := map[string][]string{"per_store": {"store"}, "per_store_and_day": {"store"}, "per_till_and_day": {"store", "till"}}
	for _, name := range needs[s.OrderUnique] {
		if !own(name) {
			d.fail(path+".order_unique", "%s.order_unique: %s needs columns.%s; a single one is a text, as in '= \"1\"'", path,
				s.OrderUnique, name)
		}
	}
}

func (e *Evidence) check(d *document, path string, zone Zone) {
	e.Table.check(d, path)
	e.checkLocal(d, path)
	d.name(path+".shop", e.Shop)
	d.columns(path+".columns", e.Columns, strings.Fields(evidenceColumns))
	d.required(path, e.Columns, "order")
	if e.FreshWithin > 0 || e.ExpectShare > 0 {
		d.required(path, e.Columns, "at")
	}
	d.date(path+".covers_from", &e.CoversFrom, zone)
}

func (s *CartSource) check(d *document, path string) {
	s.Table.check(d, path)
	s.checkLocal(d, path)
	d.columns(path+".columns", s.Columns, strings.Fields(cartColumns))
	d.required(path, s.Columns, "email", "sku", "quantity", "last_activity")
}
