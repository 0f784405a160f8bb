package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// shelf is a catalog that knows some products.
type shelf []string

func (s shelf) Has(sku, _ string) bool { return slices.Contains(s, sku) }

func (s shelf) Nearest(sku string) string {
	for _, known := range s {
		if strings.EqualFold(known, sku) {
			return known
		}
	}
	return ""
}

func (s shelf) read(context.Context) (reconcile.Products, error) { return s, nil }

func TestProductsThatTheCatalogLacks(t *testing.T) {
	orders := []reconcile.Order{
		order("1", []string{"tea x 1 @ 2.50", "TEA x 1 @ 1"}), order("2", []string{"TEA x 1 @ 1", "TEA x 2 @ 1"}),
		order("3", oneTea), order("4", []string{"gin x 1 @ 9"}),
	}
	for unknown, want := range map[string]map[string]int{
		reconcile.UnknownSend: {"sent/sent_now": 4},
		reconcile.UnknownHold: {"sent/sent_now": 1, "held_back/unknown_sku": 3},
		reconcile.UnknownDrop: {"sent/sent_now": 2, "held_back/unknown_sku": 2},
	} {
		h := newHouse(t, orders...)
		h.target.Catalog = reconcile.CatalogRule{Read: shelf{"tea"}.read, Unknown: unknown}
		res := h.run()
		h.ends(res, want)
		u := res.Targets[0].Unknown
		if u.Lines != 4 || u.Orders != 3 || len(u.List) != 2 || u.List[0] != (reconcile.UnknownSKU{SKU: "TEA", Nearest: "tea", Lines: 3}) ||
			u.List[1] != (reconcile.UnknownSKU{SKU: "gin", Lines: 1}) {
			t.Errorf("%s: told are %+v", unknown, u)
		}
		if unknown == reconcile.UnknownDrop && !strings.Contains(string(h.sink.Event(purchase("1")).Body), `"lines":1`) {
			t.Errorf("order 1 went as %s", h.sink.Event(purchase("1")).Body)
		}
	}
}

// A catalog that cannot be read stops its own target.
func TestACatalogThatCannotBeRead(t *testing.T) {
	h := newHouse(t, order("1", oneTea))
	_, other := h.addTarget("other", "shop")
	h.target.Catalog.Read = func(context.Context) (reconcile.Products, error) { return nil, errors.New("it is gone") }
	res := h.run()
	h.ends(res, map[string]int{"left/source_failed": 1})
	h.endsAt(res, "other", map[string]int{"sent/sent_now": 1})
	if err := res.Targets[0].Err; err == nil || !strings.Contains(err.Error(), "it is gone") || len(other.Order()) != 1 {
		t.Errorf("the error is %v", err)
	}
}

// A cart is decided on everything that was bought, whatever the catalog knows.
func TestALineThatIsDroppedWasBought(t *testing.T) {
	h := newHouse(t, checkout("1", noon, "tea x 1 @ 2.50", "gin x 1 @ 9"))
	h.addCarts(map[string]reconcile.Cart{jane: cartAt(noon.Add(-2*time.Hour), "tea x 1", "gin x 1", "jam x 1")})
	h.target.Catalog = reconcile.CatalogRule{Read: shelf{"tea", "jam"}.read, Unknown: reconcile.UnknownDrop}
	h.run()
	if body := string(h.sink.Event(purchase("1")).Body); !strings.Contains(body, `"lines":1`) {
		t.Errorf("the purchase went as %s", body)
	}
	if rest := h.rest(cartOf("1")); rest != "map[jam:1]" {
		t.Errorf("the cart is left with %q", rest)
	}
}
