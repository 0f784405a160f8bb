package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

var channels = []string{"online", "mobile", "in_store", "telephone", "marketplace", "b2b", "subscription", "other"}

// finisher makes the head of one order.
type finisher struct {
	m       *mapping
	headers []*Header
	p       *partial
	h       reconcile.Head
	r       *resolved
	reduced reconcile.Decimal // what the lines come to with a progressive discount
}

// finish gives the head that a partial, now whole, comes to. What is wrong
// with it stands in Bad.
func finish(m *mapping, headers []*Header, p *partial) reconcile.Head {
	f := &finisher{m: m, headers: headers, p: p}
	f.p.settle(m)
	f.r = m.resolve(p.values(), p.number)
	m.judgeStatus(f.r)
	for _, fault := range f.r.faults {
		f.fail(f.at(fault.label), fault)
	}
	f.identity()
	f.times()
	f.texts()
	f.count()
	f.money()
	f.unique()
	f.h.LeftOut, f.h.Hold, f.h.Permitted = f.r.leftOut, f.r.hold, f.r.permitted
	if f.h.Hold == "" && f.m.cfg.ZeroTotal == "hold" && f.h.Amount.IsZero() && !f.h.Unpaid {
		f.h.Hold = reconcile.ReasonZeroTotal
	}
	f.blame()
	if len(f.h.Bad) > 0 && !f.damagedOnly() {
		f.h.Amount, f.h.AmountOf = reconcile.Decimal{}, ""
		return f.h
	}
	f.digests()
	return f.h
}

func (f *finisher) fail(at place, what fault) {
	if !slices.ContainsFunc(f.p.faults, func(p problem) bool { return p.fault == what }) {
		f.p.fail(problem{at, what})
	}
}

func (f *finisher) failField(name string, reason reconcile.Reason, text string) {
	label := name
	if i, ok := f.m.index[name]; ok {
		label = f.m.fields[i].label
	}
	f.fail(f.at(label), fault{label, reason, text})
}

// at is where the order's own value of a column stands, else its first row.
func (f *finisher) at(label string) place {
	for i, k := range f.m.kept {
		if k.name == label && f.p.first[i].text != "" {
			return f.p.first[i].at
		}
	}
	return f.p.place0()
}

func (f *finisher) identity() {
	header := f.headers[f.p.origin.header]
	f.h.Key = reconcile.OrderKey{Shop: f.m.cfg.Shop, Order: f.p.key}
	f.h.Source, f.h.Said = f.m.cfg.Name, f.p.said
	f.h.Origin = reconcile.Origin{File: header.File, Sheet: header.Sheet, Rows: f.p.origin.rows, More: f.p.origin.more}
}

func (f *finisher) times() {
	if f.p.completed.at.IsZero() && len(f.p.faults) == 0 {
		f.fail(f.p.place0(), fault{f.m.rows[rowCompleted].label, reconcile.ReasonMissingValue, "the order has no time of completion"})
	}
	f.h.CompletedAt, f.h.DayOnly, f.h.AmbiguousTime = f.p.completed.at, f.p.completed.dayOnly, f.p.completed.ambiguous
	f.h.OrderedAt, f.h.UpdatedAt = f.p.ordered, f.p.updated
}

func (f *finisher) value(name string) string {
	if i, ok := f.m.index[name]; ok {
		return f.r.values[i]
	}
	return ""
}

func (f *finisher) texts() {
	f.h.Currency = strings.ToUpper(f.value("currency"))
	f.h.Channel = f.value("channel")
	f.h.Store, f.h.Till, f.h.Status = f.value("store"), f.value("till"), f.value("status")
	f.h.Reverses = f.value("reverses")
	f.h.Email, f.h.Customer, f.h.Language = f.value("email"), f.value("customer"), f.value("language")
	switch {
	case f.h.Currency == "":
		f.failField("currency", reconcile.ReasonMissingValue, "the order has no currency; write currency: for the whole source where it has only one")
	case !isCode(f.h.Currency):
		f.failField("currency", reconcile.ReasonBadValue, shape(f.h.Currency)+" is no code of ISO 4217, such as EUR")
	}
	switch {
	case f.h.Channel == "":
		f.failField("channel", reconcile.ReasonMissingValue, "the order has no channel")
	case !slices.Contains(channels, f.h.Channel):
		f.failField("channel", reconcile.ReasonBadChannel, shape(f.h.Channel)+" is no channel; there are "+strings.Join(channels, ", "))
	}
	f.flags()
	f.profile()
}

func (f *finisher) flags() {
	used, known := yes(f.value("cart_used"))
	if f.h.CartUsed = used; !known {
		f.failField("cart_used", reconcile.ReasonBadValue, shape(f.value("cart_used"))+" is neither yes nor no")
	}
}

// yes reads a word that says yes or no; known is false for any other.
func yes(text string) (yes, known bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "y", "1", "t":
		return true, true
	case "", "false", "no", "n", "0", "f":
		return false, true
	}
	return false, false
}

// profileFields are columns that a head carries by their names, beside custom_*.
var profileFields = map[string]bool{"firstname": true, "lastname": true, "gender": true, "birthdate": true, "phone": true,
	"postcode": true, "city": true, "country": true, "newsletter": true, "click_id": true}

func (f *finisher) profile() {
	for i := range f.m.fields {
		name, value := f.m.fields[i].name, f.r.values[i]
		if value == "" || !profileFields[name] && !strings.HasPrefix(name, "custom_") {
			continue
		}
		if f.h.Fields == nil {
			f.h.Fields = map[string]string{}
		}
		f.h.Fields[name] = value
	}
}

// count adds up lines with ids of their own, each id once, and of chains of
// upgrades what is left.
func (f *finisher) count() {
	lines := f.distinct()
	if f.m.upgrades() {
		lines = f.follow(lines)
	}
	if f.m.progressive() {
		f.reduce(lines)
	}
	for i := range lines {
		l := &lines[i]
		into := f.p.sumsOf(&line{dropped: l.dropped})
		if err := into.merge(&l.sums); err != nil {
			f.fail(l.at, fault{"", reconcile.ReasonBadValue, err.Error()})
		}
	}
	f.p.counted = nil
}

// distinct are the lines, each id once: of two rows that differ in the name
// only, the one that order takes.
func (f *finisher) distinct() []countedLine {
	slices.SortStableFunc(f.p.counted, func(a, b countedLine) int {
		return cmp.Or(strings.Compare(a.id, b.id), strings.Compare(b.name, a.name))
	})
	var lines []countedLine
	for _, l := range f.p.counted {
		if n := len(lines); n == 0 || l.id == "" || l.id != lines[n-1].id {
			lines = append(lines, l)
			continue
		}
		before := lines[len(lines)-1]
		if l.sums.content != before.sums.content || l.sums.amount.Cmp(before.sums.amount) != 0 || !l.cart.same(before.cart) {
			f.fail(l.at, fault{f.m.rows[rowLine].label, reconcile.ReasonConflict,
				fmt.Sprintf("the line has the same id as row %d of the same order, but is another one", before.at.row)})
		}
	}
	return lines
}

func (f *finisher) money() {
	s := f.counted()
	f.h.LinesSum, f.h.Lines, f.h.Goods, f.h.Negative = s.amount, s.lines, s.some, s.negative
	f.h.Undoes = s.negative && !s.positive
	if f.m.cfg.NegativeLines == "send" && s.amount.IsPos() {
		f.h.Negative = false
	}
	f.h.Amount, f.h.AmountOf = s.amount, reconcile.AmountOfPrices
	if s.totaled {
		f.h.AmountOf = reconcile.AmountOfLineTotals
	}
	f.h.Total, f.h.Shipping, f.h.Discount = f.amount("total"), f.amount("shipping"), f.amount("discount")
	if f.m.upgrades() {
		f.h.Total = nil // that of one cart, before or after an upgrade
	}
	if f.m.progressive() && s == &f.p.sums {
		f.expect()
	}
	if f.h.Total != nil {
		f.h.Amount, f.h.AmountOf = *f.h.Total, reconcile.AmountOfTotal
	}
	double, err := reconcile.Add(s.gap, s.gap)
	if unit := minorUnit(f.h.Currency); err != nil || double.Cmp(unit) > 0 {
		f.fail(s.gapAt, fault{f.m.rows[rowLineTotal].label, reconcile.ReasonConflict,
			fmt.Sprintf("price x quantity and the line total differ by %s", s.gap)})
	}
}

// counted are the sums that the order is worth: where negative_lines drops
// lines and there are no others, it is still the return that it was.
func (f *finisher) counted() *sums {
	if f.p.dropped.some && !f.p.sums.some {
		return &f.p.dropped
	}
	return &f.p.sums
}

// minorUnit is the value of a currency's smallest coin.
func minorUnit(currency string) reconcile.Decimal {
	text := "1"
	if n := reconcile.MinorDigits(currency); n > 0 {
		text = "0." + strings.Repeat("0", n-1) + "1"
	}
	d, _ := reconcile.ParseDecimal(text)
	return d
}

func (f *finisher) amount(name string) *reconcile.Decimal {
	text := f.value(name)
	if text == "" {
		return nil
	}
	if otherMoney(text, f.h.Currency) {
		f.failField(name, reconcile.ReasonConflict, fmt.Sprintf("%s is not in %s, the currency of the order", shape(text), f.h.Currency))
	}
	d, err := f.m.numbers.parse(text)
	if err != nil {
		f.failField(name, reconcile.ReasonBadValue, shape(text)+" "+err.Error())
		return nil
	}
	return &d
}

// unique applies RULES R3: an in-store number that is said to be unique, but
// shows two stores, customers or days, is not an identity.
func (f *finisher) unique() {
	if f.h.Channel != "in_store" || f.m.cfg.OrderUnique != "always" {
		return
	}
	for i := range f.p.faults {
		p := &f.p.faults[i]
		if p.reason == reconcile.ReasonConflict && (p.label == f.label("store") || p.label == f.label("customer")) {
			p.reason = reconcile.ReasonNotUnique
		}
	}
	first, last := f.p.completed, f.p.completed
	if last.at = f.p.latest; !last.at.IsZero() && first.day() != last.day() {
		f.fail(f.p.place0(), fault{f.m.rows[rowOrder].label, reconcile.ReasonNotUnique,
			fmt.Sprintf("one order number stands for several days, %s and %s; order_unique: per_store_and_day builds the id from them",
				first.day(), last.day())})
	}
}

func (f *finisher) label(field string) string {
	if i, ok := f.m.index[field]; ok {
		return f.m.fields[i].label
	}
	return field
}

// blame writes the problems in the order of their rows.
func (f *finisher) blame() {
	slices.SortStableFunc(f.p.faults, func(a, b problem) int {
		switch {
		case a.at.before(b.at):
			return -1
		case b.at.before(a.at):
			return 1
		}
		return 0
	})
	for _, p := range f.p.faults {
		f.h.Bad = append(f.h.Bad, rowProblem(f.headers, p))
	}
	if f.p.manyFaults {
		f.h.Bad[len(f.h.Bad)-1].Text += "; and more"
	}
}

func rowProblem(headers []*Header, p problem) reconcile.RowProblem {
	h := headers[p.at.header]
	return reconcile.RowProblem{File: h.File, Sheet: h.Sheet, Row: int(p.at.row), Column: p.label,
		Cell: h.cell(p.label, int(p.at.row)), Reason: p.reason, Text: p.text}
}

// damagedOnly reports whether nothing but a number is wrong with the order: what
// it holds is known, and can tell which order it is.
func (f *finisher) damagedOnly() bool {
	return !slices.ContainsFunc(f.h.Bad, func(p reconcile.RowProblem) bool { return p.Reason != reconcile.ReasonDamagedID })
}

func (f *finisher) digests() {
	s := f.counted()
	f.h.Digest = reconcile.ContentDigest(f.h.Key, f.h.Currency, s.lines, s.content)
	f.h.GoodsDigest = reconcile.GoodsDigest(s.goods)
	f.h.CosmeticFields = f.m.cosmetic
	f.h.Cosmetic = reconcile.CosmeticDigest(f.m.cosmetic, s.names, f.h.Store, f.h.Channel, f.h.CompletedAt.Unix())
}

// order gives the whole order: its head and its lines, those with an id once.
// Rows with one id may differ in texts that the platform shows; which of them
// counts must not depend on which was read first.
func order(h reconcile.Head, items []reconcile.Line) reconcile.Order {
	seen := map[string]int{}
	var lines []reconcile.Line
	for _, l := range items {
		at, twice := seen[l.ID]
		switch {
		case l.ID == "" || !twice:
			seen[l.ID] = len(lines)
			lines = append(lines, l)
		case texts(l) > texts(lines[at]):
			lines[at] = l
		}
	}
	return reconcile.Order{Head: h, Items: lines}
}

func texts(l reconcile.Line) string {
	return strings.Join([]string{l.Name, l.UniqueID, l.Item, l.Language}, "\x00")
}
