package sources_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// TestTills reads a real grocer's baskets: UTC times of shops in New York,
// lines of quantity 0, one amount and one basket number that floats have
// damaged (4.440892e-16 and 4.0128e+10).
func TestTills(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	cfg := &config.Source{
		Name: "tills", Shop: "tills", Currency: "USD", Channel: "in_store", OrderUnique: "per_store_and_day", Files: "versions",
		Table: config.Table{Type: "csv", Path: shared(t, "instore_dunnhumby/transactions.csv"), Zone: zone(t, "America/New_York")},
		Columns: map[string]string{"order": "basket_id", "completed_at": "transaction_timestamp", "store": "store_id",
			"customer": "household_id", "sku": "product_id", "quantity": "quantity", "line_total": "sales_value"},
	}
	cfg.Join = []config.Join{{Table: config.Table{Type: "csv", Path: shared(t, "instore_dunnhumby/loyalty.csv")},
		On: map[string]string{"customer": "household_id"}, Take: map[string]string{"email": "email"}}}
	s := open(t, cfg)
	window := reconcile.Window{From: time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)}
	noGoods, addressed := 0, 0
	var bad []string
	for _, h := range heads(t, s, window) {
		for _, b := range h.Bad {
			bad = append(bad, h.Key.Order[len("309-2017-01-28-"):]+" "+b.Column+" "+string(b.Reason))
		}
		if len(h.Bad) == 0 && !h.Goods {
			noGoods++
		}
		if h.Permitted {
			t.Fatal("nobody stands for these orders")
		}
		if h.Email != "" {
			addressed++
		}
	}
	if y := s.Tally(); y.Rows != 75000 || y.Read != 47243 || y.Orders != 47241 || y.Bad != 2 || y.RowsWithoutOrder != 0 {
		t.Errorf("tally is %+v", y)
	}
	slices.Sort(bad)
	if got := strings.Join(bad, ", "); got != "32478901200 sales_value bad_value, 4.0128e+10 basket_id damaged_id" {
		t.Errorf("bad are %s", got)
	}
	if noGoods != 208 || addressed != 37851 { // the 209th without goods is the bad one
		t.Errorf("%d baskets without goods, %d with an address", noGoods, addressed)
	}
}
