package sources_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
)

// shared finds a file of the data that is kept beside the project.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	path := filepath.Join(dir, "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs ../shared/data/%s beside the project", name)
	}
	return path
}

func zone(t testing.TB, name string) *config.Zone {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return &config.Zone{Location: loc}
}

var retailWindow = reconcile.Window{
	From: time.Date(2010, 12, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)}

// retail is the source of the design's example.
func retail(t testing.TB, path string) *config.Source {
	return &config.Source{
		Name: "shop", Shop: "main", Currency: "GBP", Channel: "online", OrderUnique: "always", Files: "versions",
		Table:   config.Table{Type: "csv", Path: path, Zone: zone(t, "Europe/London")},
		MaySend: &config.MaySend{All: true, Reason: "test"},
		Columns: map[string]string{"order": "InvoiceNo", "completed_at": "InvoiceDate",
			"customer": `= trimSuffix(CustomerID, ".0")`, "sku": "StockCode", "name": "Description",
			"quantity": "Quantity", "price": "UnitPrice"},
		LeaveOut: []config.Rule{{Reason: "cancelled", When: `InvoiceNo startsWith "C"`},
			{Reason: "bad_debt", When: `InvoiceNo startsWith "A"`}},
	}
}

func customers(t testing.TB) config.Join {
	return config.Join{Table: config.Table{Type: "csv", Path: shared(t, "online_retail/customers.csv")},
		On: map[string]string{"customer": "customer_id"}, Take: map[string]string{"email": "email", "language": "language"}}
}

func open(t testing.TB, cfg *config.Source) reconcile.Source {
	t.Helper()
	s, err := sources.Open(cfg, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func heads(t testing.TB, s reconcile.Source, w reconcile.Window) []reconcile.Head {
	t.Helper()
	var all []reconcile.Head
	for h, err := range s.Heads(t.Context(), w) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

// TestOnlineRetail counts a real shop's year to the digit.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	cfg := retail(t, shared(t, "online_retail/online_retail.csv"))
	cfg.Join = []config.Join{customers(t)}
	s := open(t, cfg)
	began := time.Now()
	all, addressed, left := reconcile.Money{}, reconcile.Money{}, 0
	var keys []reconcile.OrderKey
	reachable := 0
	for _, h := range heads(t, s, retailWindow) {
		if h.LeftOut != "" {
			left++
			continue
		}
		all, _ = all.Plus(h.Currency, h.Amount)
		if h.Email != "" {
			reachable++
			addressed, _ = addressed.Plus(h.Currency, h.Amount)
			keys = append(keys, h.Key)
		}
	}
	t.Logf("heads read in %s", time.Since(began))
	tally := s.Tally()
	if tally.Rows != 541909 || tally.Read != 25900 || tally.Orders != 22061 || tally.Bad != 0 || tally.OutsideWindow != 0 ||
		tally.LeftOut["cancelled"] != 3836 || tally.LeftOut["bad_debt"] != 3 || left != 3839 {
		t.Errorf("tally is %+v", tally)
	}
	if got := all.String(); got != "10655622.484 GBP" {
		t.Errorf("all orders make %s", got)
	}
	if got := addressed.String(); got != "8785927.524 GBP" || reachable != 18356 {
		t.Errorf("%d orders with an address make %s", reachable, got)
	}
	checkOrders(t, s, keys)
}

// checkOrders reads the lines and compares their sums with the heads.
func checkOrders(t *testing.T, s reconcile.Source, keys []reconcile.OrderKey) {
	t.Helper()
	began, sum, n := time.Now(), reconcile.Money{}, 0
	for o, err := range s.Orders(t.Context(), keys) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if len(o.Items) != o.Lines {
			t.Fatalf("order %s has %d lines, its head says %d", o.Key.Order, len(o.Items), o.Lines)
		}
		for _, l := range o.Items {
			amount, err := reconcile.Mul(*l.Price, l.Quantity)
			if err != nil {
				t.Fatal(err)
			}
			sum, _ = sum.Plus(o.Currency, amount)
		}
	}
	t.Logf("orders read in %s", time.Since(began))
	if n != len(keys) || sum.String() != "8785927.524 GBP" {
		t.Errorf("%d of %d orders came, with lines of %s", n, len(keys), sum)
	}
}
