package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// chain are the tills of many stores, each with its usual number of baskets a
// day, 20 to 80. Its export holds the day that is over.
type chain struct {
	*shop
	usual []int
	dice  *rand.Rand
	now   time.Time
}

// newChain is a chain whose destination takes what is sold online: nothing is
// decided about its baskets, but they are counted.
func newChain(t *testing.T, stores int) *chain {
	c := &chain{shop: newShop(t), dice: rand.New(rand.NewPCG(20261121, 7)), now: time.Date(2026, 11, 16, 2, 30, 0, 0, time.UTC)}
	for range stores {
		c.usual = append(c.usual, 20+c.dice.IntN(61))
	}
	c.conf["zone"], c.conf["lookback"] = "UTC", "1d"
	c.tills("tills", fields{"columns": columns(fields{"store": "store", "email": nil}), "order_unique": "per_store_and_day",
		"closed": []any{"2026-12-25", fields{"day": "sunday", "stores": []string{"store-7"}}}})
	c.activate("activate", fields{"mode": "shadow", "channels": []string{"online"}, "since": "2026-11-15"})
	return c
}

// day writes what the stores sold on the day that is over, but for those that
// are closed, and those that are named.
func (c *chain) day(without ...string) {
	c.Helper()
	over := c.now.AddDate(0, 0, -1)
	day := over.Format(time.DateOnly)
	rows := bytes.NewBufferString("id,paid,sku,n,price,store\n")
	for i, usual := range c.usual {
		store := fmt.Sprintf("store-%d", i)
		baskets := usual - usual/10 + c.dice.IntN(usual/5+1)
		if day == "2026-12-25" || i == 7 && over.Weekday() == time.Sunday || slices.Contains(without, store) || slices.Contains(without, "all") {
			continue
		}
		for n := range baskets {
			fmt.Fprintf(rows, "%d,%s %02d:%02d:00,MUG,1,5,%s\n", n, day, 8+n%12, c.dice.IntN(60), store)
		}
	}
	if err := os.WriteFile(filepath.Join(c.dir, "tills.csv"), rows.Bytes(), 0o600); err != nil {
		c.Fatal(err)
	}
}

// night runs at half past two, moves to the next one, and gives the alarms.
func (c *chain) night(without ...string) []string {
	c.Helper()
	c.day(without...)
	defer func() { c.now = c.now.AddDate(0, 0, 1) }()
	return c.alarms(time.Until(c.now))
}

// alarms runs as if it were another time by so much, and gives what a person is
// called for.
func (s *shop) alarms(shift time.Duration) []string {
	s.Helper()
	code, out, errs := s.clockedAt(shift, "run", "--json")
	if code > exitPerson {
		s.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	var r reports.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.Fatal(err)
	}
	if r.Sources[0].Bad > 0 {
		s.Fatalf("bad rows: %+v", r.Sources[0].Problems[:1])
	}
	var alarms []string
	for _, n := range r.PersonNeeded {
		alarms = append(alarms, fmt.Sprintf("%s %s %d", n.Source, n.What, n.Count))
	}
	if (code == exitPerson) != (len(alarms) > 0) {
		s.Errorf("exit %d with %v", code, alarms)
	}
	return alarms
}

// lastReport is the last run's report, without its breaks of lines.
func (s *shop) lastReport() string {
	s.Helper()
	_, out, _ := makegood(s.T, "report", "-c", s.file())
	return strings.Join(strings.Fields(out), " ")
}

// TestHarmQuietSources: of seven weeks of a chain of 293 stores, the day on which
// one store had no data is told of, and so is the one of which the view held no
// row. Christmas Day and the Sundays of a store are not, nor any other day: two
// alarms in all.
func TestHarmQuietSources(t *testing.T) {
	if testing.Short() {
		t.Skip("a long one: many nights of many stores")
	}
	t.Parallel()
	c := newChain(t, 293)
	for c.now.Before(time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)) {
		day := c.now.AddDate(0, 0, -1).Format(time.DateOnly)
		without, want, says := "", []string(nil), ""
		switch day {
		case "2026-12-09":
			without, want = "store-2", []string{"tills " + reconcile.NeedSilent + " 1"}
			says = "1 store of tills without any order, unlike on other such days: store-2 on Wed 9 Dec 2026 (usually "
		case "2026-12-16":
			without, want = "all", []string{"tills " + reconcile.NeedQuiet + " 1"}
			says = "tills holds no row at all: 0 orders on Wed 16 Dec 2026, usually "
		}
		if got := c.night(without); !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", day, got, want)
		}
		if says != "" {
			c.contains(c.lastReport(), says)
		}
	}
}

// TestHarmViewWithoutRows: a view of the shop's database has a dozen orders a
// day for five weeks. When it shows two of them, or none at all although its
// query succeeded, a person is called; on a day that is closed nobody is.
func TestHarmViewWithoutRows(t *testing.T) {
	t.Parallel()
	const nights = 38
	s := newShop(t)
	s.conf["zone"] = "UTC"
	today := time.Now().UTC().Truncate(24 * time.Hour)
	on := func(night int) string { return today.AddDate(0, 0, night-1).Format(time.DateOnly) } // the day that is over then
	s.source("shop", fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": "shop.db", "columns": columns(fields{"email": nil}),
		"query": "SELECT * FROM completed WHERE paid >= :from AND paid < :to", "closed": []any{on(nights - 1)}})
	s.activate("activate", fields{"mode": "shadow", "channels": []string{"in_store"}, "since": on(0)})
	script := "CREATE TABLE orders (id TEXT, paid TEXT, sku TEXT, n INTEGER, price TEXT); CREATE VIEW completed AS SELECT * FROM orders;"
	for night := range nights + 1 {
		for n := 0; n < 12 && night != nights-1; n++ {
			script += fmt.Sprintf("INSERT INTO orders VALUES ('%d', '%s %02d:30:00', 'MUG', 1, '5');", 100*night+n, on(night), 8+n)
		}
	}
	s.database("shop.db", script)
	shows := func(where string) {
		s.alter("shop.db", "DROP VIEW completed; CREATE VIEW completed AS SELECT * FROM orders WHERE "+where)
	}
	for night := 1; night <= nights; night++ {
		want, says := []string(nil), ""
		switch night {
		case nights - 10:
			want, says = []string{"shop " + reconcile.NeedLess + " 1"}, "shop holds far fewer orders than usual: 2 orders on "
			shows(fmt.Sprintf("paid < '%s 10:00:00'", on(night)))
		case nights - 3:
			want, says = []string{"shop " + reconcile.NeedQuiet + " 1"}, "shop holds no row at all: 0 orders on "
			shows("false")
		default:
			shows("true")
		}
		at := today.AddDate(0, 0, night).Add(150 * time.Minute)
		if got := s.alarms(time.Until(at)); !slices.Equal(got, want) {
			t.Errorf("night %d: %v, want %v", night, got, want)
		}
		if says != "" {
			s.contains(s.lastReport(), says)
			s.contains(s.lastReport(), ", usually 12.")
		}
	}
}
