package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Products are what a target's platform knows (RULES R18).
type Products interface {
	// Has reports whether the platform knows a product, in a language where it
	// keeps them apart; "" is any.
	Has(sku, language string) bool
	// Nearest gives the known product that a number is most like, "" when none
	// is.
	Nearest(sku string) string
}

// What becomes of a line whose product the catalog does not know.
const (
	UnknownSend = "send" // it goes, and is counted
	UnknownHold = "hold" // its order is held back
	UnknownDrop = "drop_line"
)

// CatalogRule says which products a target's platform knows, and what becomes
// of others. A nil Read is no catalog.
type CatalogRule struct {
	Read    func(ctx context.Context) (Products, error)
	Unknown string
}

// UnknownSKUs counts lines of orders to be sent whose products the catalog does
// not know, and lists the most frequent of these.
type UnknownSKUs struct {
	Lines  int          `json:"lines"`
	Orders int          `json:"orders"`
	List   []UnknownSKU `json:"list,omitempty"`
}

// UnknownSKU is one product that the catalog does not know.
type UnknownSKU struct {
	SKU     string `json:"sku"`
	Nearest string `json:"nearest,omitempty"`
	Lines   int    `json:"lines"`
}

// Bounds of what is kept of unknown products.
const (
	maxUnknown   = 10_000 // different ones that are told apart
	unknownShown = 10
)

// strangers are the unknown products of one target.
type strangers struct {
	lines, orders int
	bySKU         map[string]int
	sample        map[OrderKey]bool // orders that were met: one is composed for each of its events
}

// readCatalogs reads what the platforms know. A target whose catalog cannot be
// read is not worked on.
func (p *planner) readCatalogs(ctx context.Context) error {
	for _, t := range p.targets {
		if t.Catalog.Read == nil {
			continue
		}
		products, err := t.Catalog.Read(ctx)
		if err == nil {
			t.products = products
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.stop(ctx, t, ReasonSourceFailed, "its catalog could not be read"); err != nil {
			return err
		}
		t.err = fmt.Errorf("read the catalog of %s: %w", t.Name(), err)
	}
	return nil
}

// compose makes the events of an order by the target's rule for products that
// its platform does not know. Carts are decided on all lines: what was bought
// was bought.
func (p *planner) compose(t *targetPlan, o Order, wants []Want, known Carts) ([]Event, error) {
	unknown := t.unknown(o)
	if len(unknown) == 0 || t.Catalog.Unknown == UnknownSend {
		return t.Compose(o, wants, known, p.asOf)
	}
	if t.Catalog.Unknown == UnknownHold {
		return nil, heldAll(wants, t.strange(unknown[0]))
	}
	goods := o
	goods.Items = slices.DeleteFunc(slices.Clone(o.Items), func(l Line) bool { return slices.Contains(unknown, l.SKU) })
	carts := slices.DeleteFunc(slices.Clone(wants), func(w Want) bool { return w.Kind != KindCart })
	others := slices.DeleteFunc(slices.Clone(wants), func(w Want) bool { return w.Kind == KindCart })
	if !slices.ContainsFunc(goods.Items, func(l Line) bool { return !l.Quantity.IsZero() }) {
		return nil, heldAll(wants, t.strange(unknown[0]))
	}
	var events []Event
	var errs []error
	for _, part := range []struct {
		order Order
		wants []Want
	}{{goods, others}, {o, carts}} {
		if len(part.wants) == 0 {
			continue
		}
		made, err := t.Compose(part.order, part.wants, known, p.asOf)
		events = append(events, made...)
		errs = append(errs, err)
	}
	return events, errors.Join(errs...)
}

// strange says of a product that the catalog does not know it.
func (t *targetPlan) strange(sku string) string {
	text := "the catalog does not know " + sku
	if near := t.products.Nearest(sku); near != "" {
		text += "; the nearest is " + near
	}
	return text
}

// heldAll holds all wants back for one product.
func heldAll(wants []Want, text string) error {
	var errs []error
	for _, w := range wants {
		errs = append(errs, &Held{ID: w.ID, Reason: ReasonUnknownSKU, Text: text})
	}
	return errors.Join(errs...)
}

// unknown lists the products of an order that the catalog does not know, and
// counts them once for the order.
func (t *targetPlan) unknown(o Order) []string {
	if t.products == nil {
		return nil
	}
	var list []string
	lines := 0
	for _, l := range o.Items {
		if l.Quantity.IsZero() || t.products.Has(l.SKU, cmp.Or(l.Language, o.Language)) {
			continue
		}
		lines++
		if !slices.Contains(list, l.SKU) {
			list = append(list, l.SKU)
		}
	}
	if lines > 0 && !t.strangers.sample[o.Key] {
		t.strangers.meet(o, lines, list)
	}
	return list
}

func (s *strangers) meet(o Order, lines int, skus []string) {
	if s.sample == nil {
		s.sample, s.bySKU = map[OrderKey]bool{}, map[string]int{}
	}
	if len(s.sample) < maxUnknown {
		s.sample[o.Key] = true
	}
	s.lines, s.orders = s.lines+lines, s.orders+1
	for _, sku := range skus {
		if _, known := s.bySKU[sku]; known || len(s.bySKU) < maxUnknown {
			for _, l := range o.Items {
				if l.SKU == sku && !l.Quantity.IsZero() {
					s.bySKU[sku]++
				}
			}
		}
	}
}

// told gives what is told of them: the most frequent first.
func (s *strangers) told(p Products) UnknownSKUs {
	u := UnknownSKUs{Lines: s.lines, Orders: s.orders}
	skus := slices.SortedFunc(maps.Keys(s.bySKU), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.bySKU[b], s.bySKU[a]), strings.Compare(a, b))
	})
	for _, sku := range skus[:min(len(skus), unknownShown)] {
		u.List = append(u.List, UnknownSKU{SKU: sku, Nearest: p.Nearest(sku), Lines: s.bySKU[sku]})
	}
	return u
}
