package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// chain are the tills of many stores, each with its usual number of baskets a
// day, written day by day.
type chain struct {
	*shop
	usual []int
	dice  *rand.Rand
	now   time.Time
	rows  map[string][]string // by day
}

func newChain(t *testing.T, stores int) *chain {
	c := &chain{shop: newShop(t), dice: rand.New(rand.NewPCG(20261121, 7)), now: time.Date(2026, 11, 16, 2, 30, 0, 0, time.UTC), rows: map[string][]string{}}
	for range stores {
		c.usual = append(c.usual, 20+c.dice.IntN(181))
	}
	c.conf["zone"] = "UTC"
	c.tills("tills", fields{"columns": columns(fields{"store": "store"}), "order_unique": "per_store_and_day", "closed": []any{"2026-12-25", fields{"day": "sunday", "stores": []string{"store-7"}}}})
	c.activate("activate", fields{"mode": "shadow"})
	return c
}

// day lets the stores sell, but for those that are named, and writes the export
// of the last days.
func (c *chain) day(without ...string) {
	day := c.now.AddDate(0, 0, -1).Format(time.DateOnly)
	closed := day == "2026-12-25"
	for i, usual := range c.usual {
		store := fmt.Sprintf("store-%d", i)
		sunday := c.now.AddDate(0, 0, -1).Weekday() == time.Sunday && i == 7
		if closed || sunday || slices.Contains(without, store) || slices.Contains(without, "all") {
			continue
		}
		for n := range usual - usual/10 + c.dice.IntN(usual/5+1) {
			at := fmt.Sprintf("%s %02d:%02d:00", day, 8+n%12, c.dice.IntN(60))
			c.rows[day] = append(c.rows[day], fmt.Sprintf("%d,%s,,MUG,1,5,%s", n, at, store))
		}
	}
	var rows []string
	for back := range 8 {
		rows = append(rows, c.rows[c.now.AddDate(0, 0, -back).Format(time.DateOnly)]...)
	}
	c.csv("tills.csv", usualHeader+",store", rows...)
}

// night runs at half past two, and moves to the next one.
func (c *chain) night(without ...string) []string {
	c.Helper()
	c.day(without...)
	code, out, errs := c.clockedAt(time.Until(c.now), "run", "--json")
	c.now = c.now.AddDate(0, 0, 1)
	if code > exitPerson {
		c.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	var r reports.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		c.Fatal(err)
	}
	if r.Sources[0].Bad > 0 {
		c.Fatalf("bad rows: %+v", r.Sources[0].Problems[:1])
	}
	var alarms []string
	for _, n := range r.PersonNeeded {
		alarms = append(alarms, strings.TrimSpace(n.What+" "+fmt.Sprint(n.Count)))
	}
	if (code == exitPerson) != (len(alarms) > 0) {
		c.Errorf("exit %d with %v", code, alarms)
	}
	return alarms
}

// TestHarmQuietSources: of seven weeks of a chain, the day on which a store had no
// data, and the one on which the view was all but empty, are told of; Christmas
// Day and the Sundays of a store are not, nor any other day.
func TestHarmQuietSources(t *testing.T) {
	if testing.Short() {
		t.Skip("a long one: many nights of many stores")
	}
	t.Parallel()
	stores := 8
	if text := os.Getenv("MAKEGOOD_TEST_STORES"); text != "" {
		stores, _ = strconv.Atoi(text) // 293 take some minutes
	}
	c := newChain(t, stores)
	for c.now.Before(time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)) {
		day := c.now.AddDate(0, 0, -1).Format(time.DateOnly)
		var without, want []string
		switch day {
		case "2026-12-09":
			without, want = []string{"store-2"}, []string{reconcile.NeedSilent + " 1"}
		case "2026-12-16":
			for i := range stores - 3 {
				without = append(without, fmt.Sprintf("store-%d", i))
			}
			want = []string{reconcile.NeedLess + " 1"}
		}
		if got := c.night(without...); !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", day, got, want)
		}
	}
}
