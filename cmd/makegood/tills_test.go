package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reports"
)

// grocer finds a file of a real grocer's tills, or skips.
func grocer(t *testing.T, name string) string {
	t.Helper()
	path := projectFile(t, filepath.Join("..", "shared", "data", "instore_dunnhumby", name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the grocer's data is not there: %v", err)
	}
	return path
}

// ticketRows reads the grocer's lines, header first. One basket's number was
// written as 4.0128e+10 by the program that exported it: all its digits.
func ticketRows(t *testing.T) [][]string {
	t.Helper()
	f, err := os.Open(grocer(t, "transactions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The columns of the grocer's lines that these tests look at.
const (
	ticketStore  = 1
	ticketNumber = 2
	ticketTime   = 10
)

// restarted gives the lines with ticket numbers as a till makes them that
// begins with 1 in each store each morning.
func restarted(t *testing.T, rows [][]string) [][]string {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	type basket struct{ number, store, day, at string }
	met := map[string]basket{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[ticketTime])
		if err != nil {
			t.Fatal(err)
		}
		met[row[ticketNumber]] = basket{row[ticketNumber], row[ticketStore], at.In(zone).Format(time.DateOnly), row[ticketTime]}
	}
	baskets := slices.SortedFunc(maps.Values(met), func(a, b basket) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.number, b.number))
	})
	last, tickets := map[[2]string]int{}, map[string]string{}
	for _, b := range baskets {
		last[[2]string{b.store, b.day}]++
		tickets[b.number] = fmt.Sprint(last[[2]string{b.store, b.day}])
	}
	changed := [][]string{rows[0]}
	for _, row := range rows[1:] {
		row = slices.Clone(row)
		row[ticketNumber] = tickets[row[ticketNumber]]
		changed = append(changed, row)
	}
	return changed
}

// halves gives the lines up to the middle of the year, and those after it.
func halves(rows [][]string) (first, rest [][]string) {
	const middle = "2017-07-01T04:00:00Z" // midnight in New York
	first, rest = [][]string{rows[0]}, [][]string{rows[0]}
	for _, row := range rows[1:] {
		if row[ticketTime] < middle {
			first = append(first, row)
		} else {
			rest = append(rest, row)
		}
	}
	return first, rest
}

// newGrocer is the grocer with one live destination.
func newGrocer(t *testing.T, unique string) *shop {
	s := newShop(t)
	s.tills("tills", fields{
		"path": "tickets.csv", "order_unique": unique, "zone": "America/New_York", "currency": "USD",
		"columns": fields{"order": `= basket_id == "4.0128e+10" ? "40128000000" : basket_id`,
			"completed_at": "transaction_timestamp", "store": "store_id", "customer": "household_id",
			"sku": "product_id", "quantity": "quantity", "line_total": "sales_value"},
		"join": []fields{{"path": grocer(t, "loyalty.csv"), "on": fields{"customer": "household_id"}, "take": fields{"email": "email"}}},
	})
	s.activate("activate", fields{"since": "2016-01-01", "rate": "100000/s", "concurrency": 8})
	return s
}

// night runs over the grocer's whole year as the file has it now.
func (s *shop) night(code int, rows [][]string) told {
	s.Helper()
	f, err := os.Create(filepath.Join(s.dir, "tickets.csv"))
	if err != nil {
		s.Fatal(err)
	}
	w := csv.NewWriter(f)
	if err := w.WriteAll(rows); err != nil {
		s.Fatal(err)
	}
	if err := f.Close(); err != nil {
		s.Fatal(err)
	}
	return s.run(code, "--from", "2016-01-01", "--to", "2019-01-01")
}

// holdsTheYear wants every basket with an address and goods at the platform,
// once, to the cent.
func (s *shop) holdsTheYear() {
	s.Helper()
	p := s.sim.Counts().Platforms["squeezely"]
	if p.Orders != 37685 || p.Accepted != 37685 || p.Repeats != 0 || fmt.Sprint(p.Money) != "map[USD:187900.32]" {
		s.Errorf("the platform holds %+v", p)
	}
}

// TestTillTickets sends a real grocer's year: as it is, and with numbers that
// begin anew in each store each day, in one night and in two.
func TestTillTickets(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	rows := ticketRows(t)
	anew := restarted(t, rows)
	// readAll checks how a night read the whole year; bad is how the report names
	// the one that is.
	readAll := func(t *testing.T, got told, bad string) {
		t.Helper()
		source := got.source(t, "tills")
		if source.Rows != 75000 || source.OrdersRead != 47243 || source.Orders != 47242 || source.Bad != 1 || len(source.LeftOut) != 0 {
			t.Errorf("source: %+v", source)
		}
		if p := source.Problems; len(p) != 1 || p[0].Column != "sales_value" || !strings.Contains(p[0].Order, bad) {
			t.Errorf("problems: %+v", p)
		}
	}
	const badBasket = "32478901200"
	t.Run("as they are, in one night", func(t *testing.T) {
		t.Parallel()
		s := newGrocer(t, "always")
		got := s.night(exitPerson, rows)
		readAll(t, got, badBasket)
		s.wants(got, "activate", "held_back no_email 9392, held_back no_goods 165, sent 37685")
		s.holdsTheYear()
	})
	for _, c := range []struct {
		name, unique string
		rows         [][]string
		bad          string
	}{
		{"as they are", "always", rows, badBasket},
		{"restarted", "per_store_and_day", anew, "-"},
	} {
		t.Run(c.name+", in two nights", func(t *testing.T) {
			t.Parallel()
			s := newGrocer(t, c.unique)
			first, rest := halves(c.rows)
			sent := s.night(exitPerson, first).target(t, "activate").Balance.Sent.Events
			if sent == 0 || sent == 37685 {
				t.Fatalf("the first night sent %d", sent)
			}
			got := s.night(exitDone, rest).target(t, "activate").Balance
			if got.Sent.Events != 37685-sent || got.AlreadySent.Events != 0 {
				t.Errorf("the second night sent %d after %d, and takes %d for sent", got.Sent.Events, sent, got.AlreadySent.Events)
			}
			s.holdsTheYear()
			all := s.night(exitDone, c.rows)
			readAll(t, all, c.bad)
			s.wants(all, "activate", "already_sent sent_here 37685, held_back no_email 9392, held_back no_goods 165")
			s.holdsTheYear()
		})
	}
	t.Run("restarted, said to be unique", func(t *testing.T) {
		s := newGrocer(t, "always")
		first, rest := halves(anew)
		for _, night := range [][][]string{first, rest, anew} {
			got := s.night(exitPerson, night)
			source := got.source(t, "tills")
			named := slices.ContainsFunc(source.Problems, func(p reports.Problem) bool { return p.Order == "1" && p.Reason == "order_not_unique" })
			if !named || source.Bad == 0 || s.requests() != 0 {
				t.Errorf("%d bad, ticket 1 named: %t, %d requests", source.Bad, named, s.requests())
			}
			if b := got.target(t, "activate").Balance; b.HeldBack.Events != b.Eligible.Events {
				t.Errorf("not all is held back: %+v", b)
			}
		}
	})
}
