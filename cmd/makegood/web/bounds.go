package web

import (
	"errors"

	"makegood/reconcile/placement"
)

// Bounds on visits, which anybody who can reach the bridge may make.
const (
	maxVisits = 50_000
	// maxBytes is about how much memory all open visits may take together.
	maxBytes = 256 << 20
	// maxItems and maxIDs are what one visit may name. They are within those of
	// placement, so that what was found to fit is taken.
	maxItems = 200
	maxIDs   = 400
)

// ErrTooMuch says that a visit names more than is kept of one.
var ErrTooMuch = errors.New("the visit names more than 200 items, or 400 of their impressions")

// About what Go takes for the parts of a visit, beside their texts.
const (
	visitBytes = 2 << 10
	itemBytes  = 1 << 10
	idBytes    = 256
	lineBytes  = 64
)

// held is what a visit keeps in memory.
type held struct {
	items map[string]int      // by catalogItemId: the bytes of the item as it is
	ids   map[string]struct{} // the cartItemIds
	bytes int                 // of items and ids
	attrs int                 // bytes
	cart  int                 // bytes
}

func newHeld() held { return held{items: map[string]int{}, ids: map[string]struct{}{}} }

func (h *held) size() int { return visitBytes + h.bytes + h.attrs + h.cart }

// fits says whether a message may be added: it is asked before the message is
// written down, so that nothing is on the disk that cannot be remembered.
func (h *held) fits(m placement.Message) error {
	items, ids := named(m)
	if fresh(h.items, items) > maxItems-len(h.items) || fresh(h.ids, ids) > maxIDs-len(h.ids) {
		return ErrTooMuch
	}
	return nil
}

// named lists the items and the impressions that a message names, each once.
func named(m placement.Message) (items map[string]int, ids map[string]struct{}) {
	items, ids = map[string]int{}, map[string]struct{}{}
	if m.CartItem != "" {
		ids[m.CartItem] = struct{}{}
	}
	for _, i := range []*placement.Item{m.Old, m.Item} {
		if i != nil {
			items[i.Catalog] = itemBytes + len(i.CartItem) + len(i.Catalog) + len(i.Name) + len(i.Currency) + len(i.Linked)
			ids[i.CartItem] = struct{}{}
		}
	}
	return items, ids
}

// fresh counts the keys that are not known yet.
func fresh[V any](known, given map[string]V) (n int) {
	for key := range given {
		if _, is := known[key]; !is {
			n++
		}
	}
	return n
}

// add counts a message that was added.
func (h *held) add(m placement.Message) {
	items, ids := named(m)
	for catalog, bytes := range items {
		h.bytes += bytes - h.items[catalog]
		h.items[catalog] = bytes
	}
	for id := range ids {
		if _, known := h.ids[id]; !known {
			h.ids[id] = struct{}{}
			h.bytes += idBytes + len(id)
		}
	}
	attrs := 0
	for name, value := range m.Attributes {
		attrs += len(name) + len(value)
	}
	h.attrs = max(h.attrs, attrs)
}

// carts counts the shop's cart, which replaces the one before.
func (h *held) carts(lines []placement.Line) {
	h.cart = 0
	for _, l := range lines {
		h.cart += lineBytes + len(l.SKU)
	}
}
