package sourcetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sources/table"
)

// crowd is many orders whose lines stand in no order, and what they come to.
type crowd struct {
	rows [][]string
	want map[string]known
}

// known is an order as the crowd was made: lines are "sku quantity price".
type known struct {
	lines []string
	cents int
	at    time.Time
}

// newCrowd makes orders of one to seven lines; each row has size bytes more
// than it needs, in a column that nothing is mapped to.
func newCrowd(orders, size int) crowd {
	random := rand.New(rand.NewPCG(7, uint64(orders)))
	c := crowd{want: make(map[string]known, orders)}
	for i := range orders {
		number := fmt.Sprintf("%06d", i)
		k := known{at: Window.From.Add(time.Duration(i%44_000) * time.Minute)}
		lines := 1 + random.IntN(7)
		for line := range lines {
			quantity, cents := 1+random.IntN(5), random.IntN(100_00)
			row := []string{number, clock(k.at.Add(time.Duration(line) * time.Second)), "", fmt.Sprintf("%04d", random.IntN(900)),
				fmt.Sprint(quantity), money(cents), "paid", strings.Repeat(string(rune('a'+line)), size)}
			if line == lines/2 {
				row[2] = "o" + number + "@example.com"
			}
			c.rows = append(c.rows, row)
			k.cents += quantity * cents
			k.lines = append(k.lines, strings.Join([]string{row[3], row[4], plain(cents)}, " "))
		}
		slices.Sort(k.lines)
		c.want[number] = k
	}
	random.Shuffle(len(c.rows), func(i, j int) { c.rows[i], c.rows[j] = c.rows[j], c.rows[i] })
	c.rows = slices.Insert(c.rows, 0, append(slices.Clone(columns), "note"))
	return c
}

// clock writes a time as the rows do, in the zone of Config.
func clock(t time.Time) string { return t.In(Config().Zone.Location).Format(time.DateTime) }

// money writes cents as a shop does, plain as makegood compares them.
func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func plain(cents int) string { return strings.TrimRight(strings.TrimRight(money(cents), "0"), ".") }

// checkHead compares one head with how it was made.
func (c crowd) checkHead(t *testing.T, h reconcile.Head) {
	t.Helper()
	k := c.want[h.Key.Order]
	if h.Lines != len(k.lines) || h.Amount.String() != plain(k.cents) || !h.CompletedAt.Equal(k.at) || !h.Permitted ||
		h.Email != "o"+h.Key.Order+"@example.com" || h.Bad != nil || h.LeftOut != "" || h.Hold != "" {
		t.Errorf("order %s is %+v, but was made with %+v", h.Key.Order, h, k)
	}
}

func (c crowd) checkOrder(t *testing.T, o reconcile.Order) {
	t.Helper()
	var lines []string
	for _, item := range o.Items {
		lines = append(lines, strings.Join([]string{item.SKU, item.Quantity.String(), item.Price.String()}, " "))
	}
	slices.Sort(lines)
	if k := c.want[o.Key.Order]; !slices.Equal(lines, k.lines) {
		t.Errorf("order %s has the lines %q, but was made with %q", o.Key.Order, lines, k.lines)
	}
}

// both reads the heads and then the orders of all of them, each of which must
// come once and be as it was made. look is told of every head and order.
func (c crowd) both(t *testing.T, s *table.Source, look func()) {
	t.Helper()
	keys := make([]reconcile.OrderKey, 0, len(c.want))
	left := make(map[string]bool, len(c.want))
	for h, err := range s.Heads(t.Context(), Window) {
		if err != nil {
			t.Fatal(err)
		}
		if _, made := c.want[h.Key.Order]; !made || left[h.Key.Order] {
			t.Fatalf("order %s was made up or yielded twice", h.Key.Order)
		}
		c.checkHead(t, h)
		left[h.Key.Order] = true
		keys = append(keys, h.Key)
		look()
	}
	if tally := s.Tally(); len(keys) != len(c.want) || tally.Orders != len(keys) || tally.Read != len(keys) || tally.Bad != 0 {
		t.Fatalf("%d orders were yielded, %d made; the tally is %+v", len(keys), len(c.want), tally)
	}
	for o, err := range s.Orders(t.Context(), keys) {
		if err != nil {
			t.Fatal(err)
		}
		if !left[o.Key.Order] {
			t.Fatalf("order %s was given twice", o.Key.Order)
		}
		c.checkOrder(t, o)
		delete(left, o.Key.Order)
		look()
	}
	if len(left) > 0 {
		t.Errorf("%d orders were not given", len(left))
	}
}
