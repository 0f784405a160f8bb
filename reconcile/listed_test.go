package reconcile_test

import (
	"slices"
	"testing"

	"makegood/reconcile"
)

// An order that may be another one after it was edited does not go while a list
// keeps that one out: both would arrive, one with each run.
func TestAListDividesNoEditedOrder(t *testing.T) {
	for name, req := range map[string]reconcile.Request{
		"asked for":   {From: noon.Add(-10 * day), Orders: []string{"1001-1", "1003-1", "7"}},
		"all but one": {Except: []string{"1001"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, order("1001", oneTea), order("1001-1", oneTea), order("1003-1", oneTea))
			res := h.runOver(req)
			if b := res.Targets[0].Balance; b.Of(reconcile.BucketHeldBack).Events != 1 || b.Of(reconcile.BucketSent).Events != 1 {
				t.Errorf("it ended with %+v", b.Reasons())
			}
			h.accepted(purchase("1003-1"))
			if l := res.Listed; l != nil && (l.Asked != 3 || l.Found != 2 || !slices.Equal(l.Missing, []reconcile.MissingOrder{{Order: "7"}})) {
				t.Errorf("of the list: %+v", l)
			}
			h.run()
			h.accepted(purchase("1001"), purchase("1003-1"))
		})
	}
}
