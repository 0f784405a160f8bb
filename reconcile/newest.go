package reconcile

import (
	"slices"
	"time"
)

// Accepted is an order that a platform accepted in this run: Shown is the number
// under which the platform knows it.
type Accepted struct {
	Order       string
	Shown       string
	CompletedAt time.Time
}

// maxNewest is how many accepted orders a result names.
const maxNewest = 3

// keepNewest keeps the accepted orders that were completed last, the newest
// first: those that a person finds most easily at the platform.
func (t *TargetResult) keepNewest(e Event) {
	if e.Kind == KindCart || e.ID.Revision() > 1 || e.ID.Position() > 1 {
		return
	}
	one := Accepted{Order: orderOf(e.ID), Shown: e.Shown, CompletedAt: e.Facts.CompletedAt}
	if one.Shown == "" {
		one.Shown = one.Order
	}
	at, _ := slices.BinarySearchFunc(t.Newest, one, func(a, b Accepted) int { return b.CompletedAt.Compare(a.CompletedAt) })
	t.Newest = slices.Insert(t.Newest, at, one)
	t.Newest = t.Newest[:min(len(t.Newest), maxNewest)]
}
