package table

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
)

// memory is a File of rows that a test makes; the first row is the header.
type memory struct {
	name  string
	rows  [][]string
	once  bool
	stamp string
}

func (m *memory) Name() string          { return m.name }
func (m *memory) Mark() (string, error) { return m.stamp, nil }
func (m *memory) Twice() bool           { return !m.once }
func (m *memory) Open(context.Context) (Cursor, error) {
	return &memoryCursor{m, &Header{File: m.name, Columns: m.rows[0]}, 0}, nil
}

type memoryCursor struct {
	*memory
	header *Header
	at     int
}

func (c *memoryCursor) Next() (Row, error) {
	if c.at++; c.at >= len(c.rows) {
		return Row{}, io.EOF
	}
	cells := make([]string, len(c.header.Columns))
	copy(cells, c.rows[c.at])
	return Row{Header: c.header, Number: c.at + 1, Cells: cells}, nil
}
func (c *memoryCursor) Header() *Header { return c.header }
func (c *memoryCursor) Notes() []string { return nil }
func (c *memoryCursor) Close() error    { return nil }

// sheet reads "a|b" lines into a file.
func sheet(name string, lines ...string) *memory {
	m := &memory{name: name}
	for _, l := range lines {
		m.rows = append(m.rows, strings.Split(l, "|"))
	}
	return m
}

func files(list ...*memory) Files {
	return func(context.Context, reconcile.Window) ([]File, error) {
		all := make([]File, len(list))
		for i, f := range list {
			all[i] = f
		}
		return all, nil
	}
}

var year = reconcile.Window{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}

func amsterdam(t testing.TB) *config.Zone {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return &config.Zone{Location: loc}
}

// example is a source over columns id, at, sku, qty, price and those of more.
func example(t testing.TB, more map[string]string) *config.Source {
	cfg := &config.Source{
		Name: "shop", Shop: "main", Currency: "EUR", Channel: "online", OrderUnique: "always", Files: "versions",
		Table:   config.Table{Zone: amsterdam(t)},
		MaySend: &config.MaySend{All: true, Reason: "test"},
		Columns: map[string]string{"order": "id", "completed_at": "at", "sku": "sku", "quantity": "qty", "price": "price"},
	}
	maps.Copy(cfg.Columns, more)
	if _, ok := more["currency"]; ok {
		cfg.Currency = ""
	}
	if _, ok := more["channel"]; ok {
		cfg.Channel = ""
	}
	return cfg
}

func build(t testing.TB, cfg *config.Source, o Options, list ...*memory) *Source {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	s, err := New(cfg, files(list...), o)
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

// headsOf reads a whole year by order number.
func headsOf(t testing.TB, s *Source) map[string]reconcile.Head {
	t.Helper()
	all := map[string]reconcile.Head{}
	for h, err := range s.Heads(context.Background(), year) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[h.Key.Order]; twice {
			t.Fatalf("order %q came twice", h.Key.Order)
		}
		all[h.Key.Order] = h
	}
	balanced(t, s.Tally(), len(all))
	return all
}

// balanced checks the equation of a source.
func balanced(t testing.TB, y reconcile.Tally, yielded int) {
	t.Helper()
	left := 0
	for _, n := range y.LeftOut {
		left += n
	}
	if y.Read != y.OutsideWindow+left+y.Bad+y.Merged+y.Orders || yielded != left+y.Bad+y.Orders {
		t.Fatalf("the tally does not add up: %+v, %d yielded", y, yielded)
	}
}

// one reads a file with one order.
func one(t testing.TB, cfg *config.Source, lines ...string) reconcile.Head {
	t.Helper()
	all := headsOf(t, build(t, cfg, Options{}, sheet("orders.csv", lines...)))
	if len(all) != 1 {
		t.Fatalf("%d orders: %v", len(all), slices.Sorted(maps.Keys(all)))
	}
	for _, h := range all {
		return h
	}
	panic("unreachable")
}

// failure is the error of a pass.
func failure(s *Source) (last error) {
	for _, err := range s.Heads(context.Background(), year) {
		last = err
	}
	return last
}

func orderOf(t testing.TB, s *Source, ids ...string) map[string]reconcile.Order {
	t.Helper()
	keys := make([]reconcile.OrderKey, len(ids))
	for i, id := range ids {
		keys[i] = reconcile.OrderKey{Shop: s.cfg.Shop, Order: id}
	}
	got := map[string]reconcile.Order{}
	for o, err := range s.Orders(context.Background(), keys) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := got[o.Key.Order]; twice {
			t.Fatalf("order %q was given twice", o.Key.Order)
		}
		got[o.Key.Order] = o
	}
	return got
}
