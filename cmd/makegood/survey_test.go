package main

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"makegood/reports"
)

// countedDay is what a test counts by itself.
type countedDay struct {
	orders int
	money  *big.Rat
}

// countDays adds up the rows of a CSV file by order, and its orders by day. line
// gives an order's number, day and amount of a row; "" where it does not count.
func countDays(t *testing.T, path string, line func(row []string) (order, day, amount string)) map[string]*countedDay {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	days, met := map[string]*countedDay{}, map[string]string{}
	for _, row := range rows[1:] {
		order, day, amount := line(row)
		if order == "" {
			continue
		}
		if met[order] == "" {
			met[order] = day
			if days[day] == nil {
				days[day] = &countedDay{money: new(big.Rat)}
			}
			days[day].orders++
		}
		sum := new(big.Rat)
		for i, part := range strings.Split(amount, "*") {
			factor, ok := new(big.Rat).SetString(part)
			if !ok {
				t.Fatalf("%q is no number", part)
			}
			if i == 0 {
				sum = factor
			} else {
				sum.Mul(sum, factor)
			}
		}
		money := days[met[order]].money
		money.Add(money, sum)
	}
	return days
}

// sameDays wants the days of a survey to be those that were counted.
func sameDays(t *testing.T, s *reports.Survey, want map[string]*countedDay, currency string) {
	t.Helper()
	if s == nil || len(s.Days) != len(want) {
		t.Fatalf("%d days were counted: %+v", len(want), s)
	}
	for _, d := range s.Days {
		c := want[d.Day]
		got, ok := new(big.Rat).SetString(d.Money[currency])
		if c == nil || c.orders != d.Orders || !ok || got.Cmp(c.money) != 0 || d.Part {
			t.Errorf("%+v, counted %+v", d, c)
		}
	}
}

// TestCheckCountsAYear lays check's table beside an independent count of a real
// shop's year.
func TestCheckCountsAYear(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	config := retailConfig(t, t.TempDir(), "http://127.0.0.1:1", fmt.Sprintf(retailSource(t, "type: csv\npath: "+retail(t, "online_retail.csv")+englishColumns), "InvoiceNo"))
	code, out, errs := makegood(t, append([]string{"check", "--json", "-c", config}, retailWindow...)...)
	if code != exitDone {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	read, err := reports.Read(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	s := read.Sources[0].Survey
	sameDays(t, s, countDays(t, retail(t, "online_retail.csv"), func(row []string) (string, string, string) {
		if strings.HasPrefix(row[0], "C") || strings.HasPrefix(row[0], "A") {
			return "", "", ""
		}
		return row[0], row[4][:len(time.DateOnly)], row[3] + "*" + row[5]
	}), "GBP")
	if s.Orders != 22061 || s.WithAddress != 18356 || s.Negative != nil || s.Lateness != nil {
		t.Errorf("survey: %d orders, %d with an address, %+v, %+v", s.Orders, s.WithAddress, s.Negative, s.Lateness)
	}
}

// TestCheckCountsTheTills lays check's table and stores beside an independent
// count of a real grocer's year, whose days are New York's.
func TestCheckCountsTheTills(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole year is long")
	}
	t.Parallel()
	s := newGrocer(t, "always")
	s.conf["zone"] = "America/New_York"
	s.conf["sources"].(fields)["tills"].(fields)["path"] = grocer(t, "transactions.csv")
	got := s.makegood(exitPerson, "check", "--from", "2016-01-01", "--to", "2019-01-01") // one row is bad
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	stores := map[string]time.Time{}
	want := countDays(t, grocer(t, "transactions.csv"), func(row []string) (string, string, string) {
		if row[ticketNumber] == "32478901200" { // bad: one of its amounts has an exponent
			return "", "", ""
		}
		at, err := time.Parse(time.RFC3339, row[ticketTime])
		if err != nil {
			t.Fatal(err)
		}
		if at.After(stores[row[ticketStore]]) {
			stores[row[ticketStore]] = at
		}
		return row[ticketNumber], at.In(zone).Format(time.DateOnly), row[5]
	})
	survey := got.Sources[0].Survey
	sameDays(t, survey, want, "USD")
	if survey.Orders != 47242 || survey.WithAddress != 37850 || survey.StoresOf != len(stores) || len(survey.Stores) != len(stores) {
		t.Errorf("%d orders, %d with an address, %d of %d stores", survey.Orders, survey.WithAddress, len(survey.Stores), len(stores))
	}
	for i, store := range survey.Stores {
		if !store.Newest.Equal(stores[store.Store]) || i > 0 && store.Newest.Before(survey.Stores[i-1].Newest) {
			t.Errorf("%s: %s, want %s", store.Store, store.Newest, stores[store.Store])
		}
	}
}

// TestHarmCheckOpensNoDestination: check reads everything and asks no platform,
// however live the destinations are; and only check looks at every order.
func TestHarmCheckOpensNoDestination(t *testing.T) {
	t.Parallel()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var knocked atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			knocked.Add(1)
			_ = conn.Close()
		}
	}()
	s := newShop(t)
	s.url = "http://" + door.Addr().String()
	s.tills("tills", fields{"path": "tills.csv"})
	s.activate("activate", fields{"from": []string{"tills"}})
	s.collect("stores", nil)
	s.roktAds("ads", fields{"api_key": "key", "api_secret": "secret", "from": []string{"tills"}})
	s.orders("tills", "S1,"+ago(time.Hour)+",ann@example.com,MUG,1,4.50")
	s.csv("carts.csv", "email,sku,n,price,at", "ann@example.com,MUG,1,4.50,"+ago(2*time.Hour))
	got := s.makegood(exitDone, "check")
	if got.Sources[0].Survey == nil || got.target(t, "activate").Balance.Left.Events != 1 {
		t.Errorf("there was nothing to ask a platform about: %s", got.stdout)
	}
	if _, err := os.Stat(s.dir + "/makegood.db"); err == nil {
		t.Error("check began a ledger")
	}
	if plan := s.makegood(exitLeft, "plan"); plan.Sources[0].Survey != nil {
		t.Error("a plan looked at every order")
	}
	if err := door.Close(); err != nil {
		t.Fatal(err)
	}
	if <-done; knocked.Load() > 0 {
		t.Errorf("check and plan opened %d connections", knocked.Load())
	}
}
