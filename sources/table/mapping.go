package table

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"makegood/config"
	"makegood/reconcile"
)

// The fields that are read on every row.
const (
	rowOrder = iota
	rowCompleted
	rowOrdered
	rowUpdated
	rowStore // these two only where the order's id is built from them
	rowTill
	rowSKU
	rowName
	rowQuantity
	rowPrice
	rowLineTotal
	rowLine
	rowUniqueID
	rowItem
	rowLanguage
	rowZone
	rowCategories
	rowSession // these four where upgrades are mapped
	rowParent
	rowReplaces
	rowPaid
	rowDue // these three where something is still to be collected
	rowShipping
	rowCustomerIP
	rowFields
)

var rowNames = [rowFields]string{"order", "completed_at", "ordered_at", "updated_at", "store", "till", "sku", "name",
	"quantity", "price", "line_total", "line", "unique_id", "item", "language", "zone", "category_ids",
	"session", "parent_session", "replaces", "paid", "charge_due", "shipping_method", "customer_ip"}

// field is one mapped value: a column or an expression over columns.
type field struct {
	key    string // where it stands in the configuration
	label  string // how a problem names it: the column, else the field
	column string
	eval   *evaluator
}

func (f *field) mapped() bool { return f.column != "" || f.eval != nil }

// newField reads "Column" or "= expression".
func newField(key, name, value string, n numbers) (field, error) {
	if !strings.HasPrefix(strings.TrimSpace(value), "=") {
		return field{key: key, label: clean(value), column: clean(value)}, nil
	}
	e, err := compile(key, value, reflect.String, n)
	if err != nil {
		return field{}, err
	}
	return field{key: key, label: name, eval: newEvaluator(e)}, nil
}

// keptColumn is a column of which an order keeps the first filled value.
// Where a strict one has several, everything that is made of it is judged on
// each of them.
type keptColumn struct {
	name, usedBy string
	strict       bool
}

// orderField is a value that the whole order has.
type orderField struct {
	field
	name     string
	kept     int    // index into mapping.kept, -1
	args     []int  // of eval: index into mapping.kept, or ^index into mapping.fields for a joined name
	late     bool   // eval reads joined names
	literal  string // currency and channel of the source
	conflict bool   // two values make the order bad
	id       bool   // a float here is damage
}

// orderRule is leave_out or may_send.
type orderRule struct {
	key    string
	reason reconcile.Reason
	eval   *evaluator
	args   []int
}

// lineRule is an entry of skip_lines.
type lineRule struct {
	eval      *evaluator
	keepMoney bool
}

// mapping is what the configuration says of a source's rows, compiled once.
type mapping struct {
	cfg     *config.Source
	numbers numbers
	rows    [rowFields]field
	skips   []lineRule

	kept   []keptColumn
	fields []orderField
	index  map[string]int // of fields, by name
	rules  []orderRule
	permit *orderRule // nil: permitAll says it
	joins  []*join

	// statuses says of a status in lower case whether an order with it is
	// complete; nil: the status decides nothing.
	statuses  map[string]bool
	shape     *regexp.Regexp // of order numbers; nil: it is learnt
	permitAll bool
	cosmetic  string // which cosmetic fields are mapped
}

var conflicting = map[string]bool{"customer": true, "email": true, "currency": true, "channel": true,
	"status": true, "store": true, "total": true, "test_order": true}

func newMapping(cfg *config.Source) (*mapping, error) {
	m := &mapping{cfg: cfg, numbers: newNumbers(&cfg.Table), index: map[string]int{}, statuses: statuses(cfg)}
	steps := []func() error{m.mapRows, m.mapOrder, m.mapJoins, m.bindFields, m.mapRules, m.mapSkips}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("prepare source %s: %w", cfg.Name, err)
		}
	}
	m.cosmetic = m.cosmeticFields()
	if cfg.OrderShape != "" && cfg.OrderShape != anyShape {
		var err error
		if m.shape, err = regexp.Compile("^(?:" + cfg.OrderShape + ")$"); err != nil {
			return nil, fmt.Errorf("prepare source %s: order_shape: %w", cfg.Name, err)
		}
	}
	return m, nil
}

// statuses lists what completed_when and not_completed say.
func statuses(cfg *config.Source) map[string]bool {
	if len(cfg.CompletedWhen) == 0 {
		return nil
	}
	complete := map[string]bool{}
	for _, status := range cfg.NotCompleted {
		complete[strings.ToLower(clean(status))] = false
	}
	for _, status := range cfg.CompletedWhen {
		complete[strings.ToLower(clean(status))] = true
	}
	return complete
}

// anyShape is the order_shape of numbers that nothing can be said about.
const anyShape = "any"

// learns reports whether the shape of order numbers is found out.
func (m *mapping) learns() bool { return m.cfg.OrderShape == "" }

func (m *mapping) key(name string) string { return "columns." + name }

// mapRows compiles what is read on every row.
func (m *mapping) mapRows() error {
	for i, name := range rowNames {
		value, ok := m.cfg.Columns[name]
		if !ok || (i == rowStore || i == rowTill) && !m.composed() {
			continue
		}
		var err error
		if m.rows[i], err = newField(m.key(name), name, value, m.numbers); err != nil {
			return err
		}
	}
	for _, need := range m.needed() {
		if !m.rows[need].mapped() {
			return fmt.Errorf("columns.%s is missing", rowNames[need])
		}
	}
	if err := m.checkUpgrades(); err != nil {
		return err
	}
	if !m.rows[rowPrice].mapped() && !m.rows[rowLineTotal].mapped() {
		return fmt.Errorf("columns needs price or line_total")
	}
	return nil
}

// composed reports whether the order's id is built from several columns.
func (m *mapping) composed() bool { return strings.HasPrefix(m.cfg.OrderUnique, "per_") }

func (m *mapping) needed() []int {
	need := []int{rowOrder, rowCompleted, rowSKU, rowQuantity}
	switch m.cfg.OrderUnique {
	case "per_store", "per_store_and_day":
		need = append(need, rowStore)
	case "per_till_and_day":
		need = append(need, rowStore, rowTill)
	}
	return need
}

// mapOrder compiles what the whole order has, in the order of names so that
// nothing depends on chance.
func (m *mapping) mapOrder() error {
	for _, name := range slices.Sorted(maps.Keys(m.cfg.Columns)) {
		if at := slices.Index(rowNames[:], name); at >= 0 && !slices.Contains([]string{"store", "till", "language"}, name) {
			continue
		}
		f, err := newField(m.key(name), name, m.cfg.Columns[name], m.numbers)
		if err != nil {
			return err
		}
		m.add(name, orderField{field: f})
	}
	m.add("currency", orderField{literal: m.cfg.Currency, field: field{key: "currency", label: "currency"}})
	m.add("channel", orderField{literal: m.cfg.Channel, field: field{key: "channel", label: "channel"}})
	return nil
}

// add appends a field of the order, or finds the one that there is.
func (m *mapping) add(name string, f orderField) int {
	if at, ok := m.index[name]; ok {
		return at
	}
	f.name, f.kept = name, -1
	f.conflict, f.id = conflicting[name] && !m.perSession(name), name == "customer"
	m.fields = append(m.fields, f)
	m.index[name] = len(m.fields) - 1
	return len(m.fields) - 1
}

// keep asks for the first filled value of a column.
func (m *mapping) keep(name, usedBy string, strict bool) int {
	for i := range m.kept {
		if m.kept[i].name == name {
			m.kept[i].strict = m.kept[i].strict || strict
			return i
		}
	}
	m.kept = append(m.kept, keptColumn{name, usedBy, strict})
	return len(m.kept) - 1
}

// joined are the names that joins give.
func (m *mapping) joined() map[string]bool {
	names := map[string]bool{}
	for _, j := range m.joins {
		for _, at := range j.takes {
			names[m.fields[at].name] = true
		}
	}
	return names
}

// bindFields says for every field of the order where its columns are kept.
func (m *mapping) bindFields() error {
	joined := m.joined()
	for i := range m.fields {
		f := &m.fields[i]
		switch {
		case f.eval != nil:
			f.late = f.eval.uses(joined)
			f.args = m.arguments(f.eval, f.key, joined)
		case f.column != "":
			f.kept = m.keep(f.column, f.key, f.conflict)
		}
	}
	for _, j := range m.joins {
		if j.key >= 0 && m.fields[j.key].late {
			return fmt.Errorf("join.on: %s is itself made of what a join gives", m.fields[j.key].name)
		}
	}
	return nil
}

// arguments finds the values that an expression of the order reads: a joined
// name is the order's own value, or else the joined one.
func (m *mapping) arguments(v *evaluator, usedBy string, joined map[string]bool) []int {
	args := make([]int, len(v.columns))
	for i, name := range v.columns {
		if joined[name] && !v.member[i] {
			args[i] = ^m.index[name]
		} else {
			args[i] = m.keep(name, usedBy, true)
		}
	}
	return args
}

func (m *mapping) mapRules() error {
	joined := m.joined()
	rule := func(key, when string, reason reconcile.Reason) (orderRule, error) {
		e, err := compile(key, when, reflect.Bool, m.numbers)
		if err != nil {
			return orderRule{}, err
		}
		r := orderRule{key: key, reason: reason, eval: newEvaluator(e)}
		r.args = m.arguments(r.eval, key, joined)
		return r, nil
	}
	for i, r := range m.cfg.LeaveOut {
		one, err := rule(fmt.Sprintf("leave_out[%d]", i), r.When, reconcile.Reason(r.Reason))
		if err != nil {
			return err
		}
		m.rules = append(m.rules, one)
	}
	if may := m.cfg.MaySend; may != nil {
		m.permitAll = may.All
		if may.When != "" {
			one, err := rule("may_send", may.When, "")
			if err != nil {
				return err
			}
			m.permit = &one
		}
	}
	return nil
}

func (m *mapping) mapSkips() error {
	for i, r := range m.cfg.SkipLines {
		e, err := compile(fmt.Sprintf("skip_lines[%d]", i), r.When, reflect.Bool, m.numbers)
		if err != nil {
			return err
		}
		m.skips = append(m.skips, lineRule{newEvaluator(e), r.KeepMoney})
	}
	return nil
}

// habits are the fields by which the decimal sign and the form of dates are
// found out.
func (m *mapping) habits() habits {
	h := habits{dates: []*field{&m.rows[rowCompleted], &m.rows[rowOrdered], &m.rows[rowUpdated]},
		numbers: []*field{&m.rows[rowPrice], &m.rows[rowLineTotal], &m.rows[rowQuantity], &m.rows[rowDue]}}
	for _, name := range []string{"total", "shipping", "discount"} {
		if at, ok := m.index[name]; ok && !m.joined()[name] {
			h.numbers = append(h.numbers, &m.fields[at].field)
		}
	}
	return h
}

// ids are the fields that must be intact to the last digit.
func (m *mapping) ids() []*field {
	list := []*field{&m.rows[rowOrder], &m.rows[rowStore], &m.rows[rowTill], &m.rows[rowSKU], &m.rows[rowLine], &m.rows[rowUniqueID]}
	for i := range m.fields {
		if m.fields[i].id && m.fields[i].eval == nil {
			list = append(list, &m.fields[i].field)
		}
	}
	return list
}

func (m *mapping) cosmeticFields() string {
	fields := []string{"completed_at"}
	for _, name := range []string{"channel", "name", "store"} {
		if _, ok := m.cfg.Columns[name]; ok || name == "channel" {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return strings.Join(fields, ",")
}
