package table

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"makegood/reconcile"
)

// identity is which order a row belongs to. Where a number is unique only
// within a store or a till, the id of the order is built from all that makes
// it one (RULES R3), joined with '-':
//
//	per_store          STORE-ORDER
//	per_store_and_day  STORE-2026-11-01-ORDER
//	per_till_and_day   STORE-TILL-2026-11-01-ORDER
//
// The day is the wall clock's in the source's zone. '-' and '%' inside STORE
// and TILL are written %2D and %25, so that no two orders get one id.
type identity struct {
	number, store, till, day string
	key                      string
}

var idPart = strings.NewReplacer("%", "%25", "-", "%2D")

// identify reads the order's id; false when the row does not show it.
func (p *pass) identify(cells []string, m moment) bool {
	s := &p.bound.slots[rowOrder]
	number := p.number(s, cells)
	if number == "" {
		p.id = identity{}
		p.row.missing(s, p.bound.numberless(cells))
		return false
	}
	if holdsAddress(number) {
		p.row.add(s.label, reconcile.ReasonOrderIsAddress, "the order number is an e-mail address; choose the column that holds the order numbers, "+
			"or take the number out with an expression")
	}
	if !p.m.composed() {
		p.id = identity{number: number, key: p.checkLength(s, number)}
		return true
	}
	return p.compose(number, cells, m)
}

// number reads the order number. What it must look like is said by
// order_shape, else learnt from all of them when the last row is read; an
// exponent is damage at once.
func (p *pass) number(s *slot, cells []string) string {
	if p.m.learns() {
		return p.row.id(s, cells)
	}
	number := p.row.text(s, cells)
	p.row.apostrophe(s, number)
	if p.m.shape != nil && number != "" && !p.m.shape.MatchString(number) {
		p.row.add(s.label, reconcile.ReasonDamagedID, shape(number)+" does not fit order_shape; correct the cell, or the setting")
	}
	return number
}

// holdsAddress reports whether an order number, or a part of it between blanks
// and signs that separate, has the form of an e-mail address: that of net/mail,
// with a dot in its domain. Other numbers may hold an @.
func holdsAddress(number string) bool {
	if !strings.Contains(number, "@") {
		return false
	}
	isAddress := func(text string) bool {
		parsed, err := mail.ParseAddress(text)
		return err == nil && strings.Contains(parsed.Address[strings.LastIndexByte(parsed.Address, '@'):], ".")
	}
	return isAddress(number) || slices.ContainsFunc(strings.FieldsFunc(number, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:<>()\"|", r)
	}), isAddress)
}

func (p *pass) checkLength(s *slot, id string) string {
	if len(id) > reconcile.MaxOrderID {
		p.row.add(s.label, reconcile.ReasonBadOrderID, "the order number is longer than 200 bytes")
	}
	return reconcile.ShortID(id)
}

func (p *pass) compose(number string, cells []string, m moment) bool {
	b := p.bound
	id := identity{number: reconcile.ShortID(number), store: p.row.id(&b.slots[rowStore], cells), till: p.row.id(&b.slots[rowTill], cells)}
	if p.m.cfg.OrderUnique != "per_store" && !m.at.IsZero() {
		id.day = m.day()
	}
	if id.number == p.id.number && id.store == p.id.store && id.till == p.id.till && id.day == p.id.day && p.id.key != "" {
		return true
	}
	parts := p.parts(id)
	p.id = id
	if parts == nil {
		return false
	}
	p.id = identity{number: strings.Clone(id.number), store: strings.Clone(id.store), till: strings.Clone(id.till), day: id.day}
	p.id.key = p.checkLength(&b.slots[rowOrder], strings.Join(append(parts, number), "-"))
	return true
}

// parts lists what stands before the number, nil when one of them is missing.
func (p *pass) parts(id identity) []string {
	b := p.bound
	var parts []string
	add := func(s *slot, text, what string) {
		if text == "" {
			p.row.missing(s, "the row has no "+what+", which the order's id is built from")
		}
		parts = append(parts, text)
	}
	before := len(p.row.list)
	add(&b.slots[rowStore], idPart.Replace(id.store), "store")
	if p.m.cfg.OrderUnique == "per_till_and_day" {
		add(&b.slots[rowTill], idPart.Replace(id.till), "till")
	}
	if p.m.cfg.OrderUnique != "per_store" {
		add(&b.slots[rowCompleted], id.day, "readable time")
	}
	if len(p.row.list) > before {
		return nil
	}
	return parts
}

// day is the business day of a moment in the zone that it was read in.
func (m moment) day() string {
	zone := time.UTC
	if m.zone != nil {
		zone = m.zone
	}
	return m.at.In(zone).Format(time.DateOnly)
}

// dayOf is the business day of an instant in the source's zone.
func dayOf(m *mapping, t time.Time) string {
	zone := time.UTC
	if m.cfg.Zone != nil && m.cfg.Zone.Location != nil {
		zone = m.cfg.Zone.Location
	}
	return t.In(zone).Format(time.DateOnly)
}
