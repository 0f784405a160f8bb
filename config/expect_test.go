package config

import (
	"strings"
	"testing"
	"time"
)

func TestClosed(t *testing.T) {
	file := func(closed string) string {
		return `zone: Europe/Amsterdam
sources:
  tills:
    type: csv
    path: orders.csv
    currency: EUR
    channel: in_store
    columns: {order: id, completed_at: paid, email: email, sku: sku, quantity: n, price: price}
    expect: {orders: 500/day, newest_within: 6h}
    closed: ` + closed + "\n"
	}
	cfg, err := Parse([]byte(file(`[2026-12-25, 01-01, {day: Sunday, stores: [north]}]`)), "makegood.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Sources["tills"]
	if s.Expect.Orders != 500 || time.Duration(s.Expect.NewestWithin) != 6*time.Hour {
		t.Errorf("expected is %+v", s.Expect)
	}
	for day, want := range map[string]map[string]bool{
		"2026-12-25": {"": true, "north": true}, "2027-12-25": {"": false}, "2030-01-01": {"": true, "south": true},
		"2026-11-22": {"": false, "north": true, "south": false},
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		for store, closed := range want {
			if got := s.ClosedOn(at, store); got != closed {
				t.Errorf("%q is closed on %s: %v", store, day, got)
			}
		}
	}
	for _, bad := range []string{"[christmas]", "[2026-13-01]", "[{stores: [north]}]", "[{day: sunday, shops: [north]}]"} {
		if _, err := Parse([]byte(file(bad)), "makegood.yaml", nil); err == nil || !strings.Contains(err.Error(), "makegood.yaml:10") {
			t.Errorf("%s gave %v", bad, err)
		}
	}
}
