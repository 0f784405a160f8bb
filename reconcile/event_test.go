package reconcile_test

import (
	"testing"

	"makegood/reconcile"
)

// TestEventIDParts: whatever an order is called, an id gives back its order,
// its position in a chain and its revision.
func TestEventIDParts(t *testing.T) {
	for _, order := range []string{"1001", "00/7", "a~2", "100%", "1/2~3", "Ü"} {
		for _, shop := range []string{"main", "a/b"} {
			key := reconcile.OrderKey{Shop: shop, Order: order}
			plain := reconcile.NewEventID(reconcile.KindCartUpgrade, key)
			for id, want := range map[reconcile.EventID][2]int{
				plain: {0, 1}, plain.Revised(2): {0, 2}, plain.At(1): {1, 1}, plain.At(12): {12, 1}, plain.At(12).Revised(3): {12, 3},
			} {
				got, err := id.Key()
				if err != nil || got != key || id.Kind() != reconcile.KindCartUpgrade {
					t.Errorf("%s is of %v, kind %s: %v", id, got, id.Kind(), err)
				}
				if id.Position() != want[0] || id.Revision() != want[1] {
					t.Errorf("%s has position %d and revision %d, want %v", id, id.Position(), id.Revision(), want)
				}
			}
		}
	}
	for _, odd := range []reconcile.EventID{"cart_upgrade/main/1/x", "cart_upgrade/main/1/0", "cart_upgrade/main/1/-2", "cart_upgrade"} {
		if n := odd.Position(); n != 0 {
			t.Errorf("%s has position %d", odd, n)
		}
	}
}
