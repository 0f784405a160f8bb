package main

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fileSum is so many rows, orders and money, counted here.
type fileSum struct {
	rows, orders int
	money        map[string]*big.Rat
}

func (s *fileSum) String() string {
	text := fmt.Sprintf("%d rows, %d orders", s.rows, s.orders)
	for _, currency := range []string{"EUR", "USD"} {
		if m := s.money[currency]; m != nil {
			text += ", " + m.RatString() + " " + currency
		}
	}
	return text
}

// randomFile is a file of orders of all kinds, whose places are known because
// each kind was made for one.
type randomFile struct {
	*rand.Rand
	header string
	lines  []string
	sums   map[string]*fileSum
	known  []string // lines of orders that were sent before
}

// Places of a preview.
const placeSend, placeBefore, placeNot, placeOut = "to send", "sent before", "not sendable", "filtered out"

// kindsOfOrder are what orders can be, and where they belong.
var kindsOfOrder = []struct{ what, place string }{
	{"good", placeSend}, {"good", placeSend}, {"good", placeSend}, {"known", placeBefore}, {"staff", placeOut}, {"b2b", placeOut}, {"old", placeOut},
	{"forbidden", placeNot}, {"nobody", placeNot}, {"unread", placeNot}, {"nowhere", placeNot}, {"future", placeNot}, {"loose", placeNot}, {"return", placeNot},
}

func (f *randomFile) pick(list ...string) string { return list[f.IntN(len(list))] }

// order adds an order of one to four rows.
func (f *randomFile) order(n int) {
	kind := kindsOfOrder[f.IntN(len(kindsOfOrder))]
	number, at, email, channel := fmt.Sprintf("N%d", n), ago(3*time.Hour), fmt.Sprintf("c%d@example.com", n), "online"
	currency := f.pick("EUR", "EUR", "USD")
	switch kind.what {
	case "staff":
		email = "staff@example.com"
	case "b2b":
		channel = "b2b"
	case "old":
		at = ago(30 * 24 * time.Hour)
	case "forbidden":
		email = "no@example.com"
	case "nobody":
		email = ""
	case "nowhere":
		channel = "somewhere"
	case "future":
		at = ago(-40 * 24 * time.Hour)
	case "loose":
		number = ""
	}
	sum := f.sums[kind.place]
	if kind.what != "loose" {
		sum.orders++
	}
	lines := 1 + f.IntN(4)
	if kind.what == "loose" {
		lines = 1
	}
	for i := range lines {
		quantity := f.pick("1", "2", "3", "12")
		price := fmt.Sprintf("%d.%s", f.IntN(2000), f.pick("00", "5", "25", "999", "10"))
		if kind.what == "return" {
			quantity = "-" + quantity
		}
		said := currency
		if i > 0 && f.IntN(3) == 0 {
			said = "" // as on the first row of the order
		}
		sum.rows++
		if kind.what == "unread" && i == 0 {
			quantity = "many"
		} else {
			a, _ := new(big.Rat).SetString(quantity)
			b, _ := new(big.Rat).SetString(price)
			if sum.money[currency] == nil {
				sum.money[currency] = new(big.Rat)
			}
			sum.money[currency].Add(sum.money[currency], a.Mul(a, b))
		}
		line := strings.Join([]string{number, at, email, fmt.Sprintf("SKU%d", i), quantity, price, channel, said}, ",")
		f.lines = append(f.lines, line)
		if kind.what == "known" {
			f.known = append(f.known, line)
		}
	}
}

// readSums reads the places of a page.
func readSums(t *testing.T, page string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, row := range tableRows.FindAllStringSubmatch(page, -1) {
		if strings.Contains(row[0], `class="why"`) {
			continue
		}
		number := func(text string) string { return strings.ReplaceAll(text, "\u202f", "") }
		text := fmt.Sprintf("%s rows, %s orders", number(row[3]), number(row[4]))
		for _, amount := range strings.Split(strings.ReplaceAll(row[6], "</span>", "\n"), "\n") {
			if value, currency, is := strings.Cut(number(tags.ReplaceAllString(amount, "")), " "); is {
				rat, ok := new(big.Rat).SetString(value)
				if !ok {
					t.Fatalf("no number: %q", value)
				}
				text += ", " + rat.RatString() + " " + currency
			}
		}
		got[row[1]] = text
	}
	return got
}

// TestUploadAddsUp: of files of all kinds of orders, the four places have the
// rows, the orders and the money that were counted here, and together they are
// the file; before it was sent, and behind.
func TestUploadAddsUp(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	s.source("shop", fields{"channel": nil, "currency": nil, "order_unique": "always", "columns": columns(fields{"channel": "where", "currency": "cur"}),
		"may_send": `email != "no@example.com"`, "leave_out": []fields{{"reason": "internal", "when": `email == "staff@example.com"`}}})
	s.activate("activate", fields{"since": time.Now().AddDate(0, 0, -20).Format(time.DateOnly), "channels": []string{"online"}, "send": []string{"purchase"}})
	u := s.serveUploads()
	ben := u.signedIn("ben")
	for seed := range uint64(6) {
		f := &randomFile{Rand: rand.New(rand.NewPCG(seed, 11)), header: usualHeader + ",where,cur\n", sums: map[string]*fileSum{}}
		for _, place := range []string{placeSend, placeBefore, placeNot, placeOut} {
			f.sums[place] = &fileSum{money: map[string]*big.Rat{}}
		}
		for n := range 10 + f.IntN(300) {
			f.order(int(seed)*1000 + n)
		}
		if len(f.known) > 0 {
			path := ben.upload(http.StatusOK, "before.csv", []byte(f.header+strings.Join(f.known, "\n")+"\n"))
			ben.preview(path, nil)
			ben.sends(path)
		}
		path := ben.upload(http.StatusOK, "all.csv", []byte(f.header+strings.Join(f.lines, "\n")+"\n"))
		f.adds(t, seed, ben.preview(path, nil))
		page := ben.sends(path)
		f.adds(t, seed, strings.Replace(page, `scope="row">sent<`, `scope="row">`+placeSend+"<", 1))
	}
}

// adds wants the places of a page to be those of the file.
func (f *randomFile) adds(t *testing.T, seed uint64, page string) {
	t.Helper()
	got := readSums(t, page)
	whole := &fileSum{money: map[string]*big.Rat{}}
	for place, sum := range f.sums {
		if got[place] != sum.String() {
			t.Errorf("seed %d: %s: %s, want %s\n%s", seed, place, got[place], sum, sums(page))
		}
		whole.rows, whole.orders = whole.rows+sum.rows, whole.orders+sum.orders
		for currency, amount := range sum.money {
			if whole.money[currency] == nil {
				whole.money[currency] = new(big.Rat)
			}
			whole.money[currency].Add(whole.money[currency], amount)
		}
	}
	if got["in the file"] != whole.String() {
		t.Errorf("seed %d: in the file: %s, want %s", seed, got["in the file"], whole)
	}
	if !strings.Contains(page, "All rows and all orders of the file are in one of these places, and their money adds up.") {
		t.Errorf("seed %d: %s", seed, readAloud(page))
	}
}
