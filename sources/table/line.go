package table

import (
	"fmt"
	"strings"

	"makegood/reconcile"
)

// problem is a fault of one row.
type problem struct {
	at place
	fault
}

// problems collects what is wrong with one row.
type problems struct {
	at   place
	list []problem
}

func (p *problems) add(column string, reason reconcile.Reason, text string) {
	p.list = append(p.list, problem{p.at, fault{column, reason, text}})
}

// text reads a slot; a failing expression is a problem of the row.
func (p *problems) text(s *slot, cells []string) string {
	if !s.mapped() {
		return ""
	}
	text, err := s.text(cells)
	if err != nil {
		p.add(s.label, reconcile.ReasonBadValue, err.Error())
	}
	return text
}

// id reads a slot that must hold an intact id, or "" .
func (p *problems) id(s *slot, cells []string) string {
	text := p.text(s, cells)
	if damaged(text) {
		p.add(s.label, reconcile.ReasonDamagedID, damageText(s.label))
	}
	p.apostrophe(s, text)
	return text
}

// apostrophe finds an id that was made harmless for spreadsheets, and came back
// in a file that does not say so.
func (p *problems) apostrophe(s *slot, id string) {
	if Restore(id) != id {
		p.add(s.label, reconcile.ReasonDamagedID, shape(id)+" begins with an apostrophe, as makegood writes such ids into marked files; "+
			"take it away, or give the file back with the columns of makegood")
	}
}

// number reads a slot as a number; nil when it is empty or unreadable.
func (p *problems) number(s *slot, n numbers, cells []string) (d reconcile.Decimal, ok bool) {
	text := p.text(s, cells)
	if text == "" {
		return d, false
	}
	d, err := n.parse(text)
	if err != nil {
		p.add(s.label, reconcile.ReasonBadValue, shape(text)+" "+err.Error())
		return d, false
	}
	return d, true
}

// checkMoney compares the currency that amounts carry with that of the row.
func (p *problems) checkMoney(b *binding, cells []string) {
	currency := b.currencyOf(cells)
	for _, field := range []int{rowPrice, rowLineTotal, rowDue} {
		if s := &b.slots[field]; s.at >= 0 {
			if text := clean(cells[s.at]); otherMoney(text, currency) {
				p.add(s.label, reconcile.ReasonConflict, fmt.Sprintf("%s is not in %s, the currency of the order", shape(text), currency))
			}
		}
	}
}

// currencyOf is the currency that a row names, or that its source has; "" where
// neither does.
func (b *binding) currencyOf(cells []string) string {
	if b.money >= 0 {
		return strings.ToUpper(clean(cells[b.money]))
	}
	return b.currency
}

func (p *problems) missing(s *slot, what string) {
	p.add(s.label, reconcile.ReasonMissingValue, what)
}

// line is one product row of an order as it was read.
type line struct {
	id, sku, name   string
	unique, item    string
	language        string
	categories      string // as the cell has them
	quantity        reconcile.Decimal
	price, total    reconcile.Decimal
	priced, totaled bool
	amount          reconcile.Decimal // what it adds to the order, exact
	skipped         bool              // by skip_lines: only its amount may count
	dropped         bool              // by negative_lines: counts only where the order has nothing else
}

// readLine reads the product of a row; ok is false when the row counts for
// nothing, because a rule skips it or because it cannot be read.
func (p *problems) readLine(m *mapping, b *binding, cells []string) (l line, ok bool) {
	before := len(p.list)
	for i, rule := range m.skips {
		yes, err := rule.eval.holds(b.skips[i].values(cells))
		if err != nil {
			p.add("", reconcile.ReasonBadValue, rule.eval.key+": "+err.Error())
		}
		if yes && !rule.keepMoney {
			return l, false
		}
		if yes {
			l.skipped = true
			break
		}
	}
	p.readTexts(b, cells, &l)
	p.readMoney(m.numbers, b, cells, &l)
	return l, len(p.list) == before
}

func (p *problems) readTexts(b *binding, cells []string, l *line) {
	l.sku = p.id(&b.slots[rowSKU], cells)
	if l.sku == "" && !l.skipped {
		p.missing(&b.slots[rowSKU], "the line has no article number")
	}
	l.id = p.id(&b.slots[rowLine], cells)
	l.name = p.text(&b.slots[rowName], cells)
	l.unique = p.id(&b.slots[rowUniqueID], cells)
	l.item = p.text(&b.slots[rowItem], cells)
	l.language = p.text(&b.slots[rowLanguage], cells)
	l.categories = p.text(&b.slots[rowCategories], cells)
}

// readMoney reads quantity, price and line total. The line total, where there
// is one, is what counts; that it agrees with the price is checked when the
// order's currency is known.
func (p *problems) readMoney(n numbers, b *binding, cells []string, l *line) {
	before := len(p.list)
	var counted bool
	l.quantity, counted = p.number(&b.slots[rowQuantity], n, cells)
	l.price, l.priced = p.number(&b.slots[rowPrice], n, cells)
	l.total, l.totaled = p.number(&b.slots[rowLineTotal], n, cells)
	p.checkMoney(b, cells)
	if len(p.list) > before {
		return
	}
	if !counted {
		p.missing(&b.slots[rowQuantity], "the line has no quantity")
		return
	}
	if !l.priced && !l.totaled {
		s := &b.slots[rowPrice]
		if !s.mapped() {
			s = &b.slots[rowLineTotal]
		}
		p.missing(s, "the line has no price")
		return
	}
	if l.totaled {
		l.amount = l.total
		return
	}
	var err error
	if l.amount, err = reconcile.Mul(l.price, l.quantity); err != nil {
		p.add(b.slots[rowPrice].label, reconcile.ReasonBadValue, fmt.Sprintf("price x quantity %v", err))
	}
}

// content is the line's part of the order's digest.
func (l *line) content(s *reconcile.DigestSum) {
	money := l.price
	if !l.priced {
		money = l.total
	}
	s.Add(l.sku, l.quantity.String(), money.String())
}

// product gives the line as the order carries it.
func (l *line) product() reconcile.Line {
	out := reconcile.Line{ID: l.id, SKU: l.sku, Name: l.name, Quantity: l.quantity, UniqueID: l.unique, Item: l.item,
		Language: l.language, CategoryIDs: categoryIDs(l.categories)}
	if l.priced {
		price := l.price
		out.Price = &price
	}
	if l.totaled {
		total := l.total
		out.LineTotal = &total
	}
	return out
}

// categoryIDs are the ids in a cell: one, or several with | ; or , between them.
func categoryIDs(text string) []string {
	var ids []string
	for id := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("|;,", r) }) {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
