// Package sourcetest holds what every format of rows must give when orders
// are read from it.
package sourcetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/table"
)

// Build writes rows, of which the first one names the columns, in the format
// under test. A cell of "" is an empty one.
type Build func(t testing.TB, rows [][]string) table.File

// Config is the source that the suite reads rows by: columns no, at, email,
// sku, qty, price and status, times in Amsterdam, a status "void" left out.
func Config() *config.Source {
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		loc = time.UTC
	}
	return &config.Source{
		Name: "suite", Shop: "main", Currency: "EUR", Channel: "online", OrderUnique: "always", Files: "versions",
		Table:   config.Table{Zone: &config.Zone{Location: loc}},
		MaySend: &config.MaySend{When: `status != "private"`},
		Columns: map[string]string{"order": "no", "completed_at": "at", "email": "email", "sku": "sku", "quantity": "qty",
			"price": "price", "status": "status"},
		LeaveOut: []config.Rule{{Reason: "void", When: `status == "void"`}},
	}
}

// Window is March 2026 in Amsterdam.
var Window = reconcile.Window{From: time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC)}

var columns = []string{"no", "at", "email", "sku", "qty", "price", "status"}

// sample has each kind of order once, lines of one order scattered.
var sample = [][]string{columns,
	{"A-1", "2026-03-02 10:00:00", "ann@example.com", "0012", "2", "1.10", "paid"},
	{"A-2", "2026-03-02 11:00:00", "bob@example.com", "cup", "1", "5", "void"},
	{"A-3", "2026-03-01 00:00:00", "", "cup", "1", "5", "private"},
	{"A-1", "2026-03-02 09:59:00", "", "cup", "1", "4.35", ""},
	{"A-4", "2026-04-01 00:00:00", "eve@example.com", "cup", "1", "5", "paid"},
	{"A-5", "2026-03-03 10:00:00", "eve@example.com", "cup", "many", "5", "paid"},
	{"", "2026-03-03 10:00:00", "eve@example.com", "cup", "1", "5", "paid"},
	{"A-6", "2026-03-04 10:00:00", "eve@example.com", "cup", "1", "5", "paid"},
}

// Run reads made-up orders in the format that build writes, and checks the
// contract of reconcile.Source.
func Run(t *testing.T, build Build) {
	t.Run("heads", func(t *testing.T) { testHeads(t, build) })
	t.Run("orders", func(t *testing.T) { testOrders(t, build) })
	t.Run("again", func(t *testing.T) { testAgain(t, build) })
	t.Run("shuffled", func(t *testing.T) { testShuffled(t, build) })
	t.Run("memory", func(t *testing.T) { testMemory(t, build) })
	t.Run("cancelled", func(t *testing.T) { testCancelled(t, build) })
	t.Run("bad rows", func(t *testing.T) { testBadRows(t, build) })
	t.Run("touched", func(t *testing.T) { testTouched(t, build) })
	t.Run("swapped", func(t *testing.T) { testSwapped(t, build) })
	t.Run("column", func(t *testing.T) { testColumn(t, build) })
	t.Run("empty", func(t *testing.T) { testEmpty(t, build) })
}

// Only gives one file to a source, whatever the period.
func Only(f table.File) table.Files {
	return func(context.Context, reconcile.Window) ([]table.File, error) { return []table.File{f}, nil }
}

func source(t *testing.T, f table.File) *table.Source {
	t.Helper()
	return open(t, f, table.Options{})
}

func open(t *testing.T, f table.File, o table.Options) *table.Source {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	s, err := table.New(Config(), Only(f), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("close twice: %v", err)
		}
	})
	return s
}

// read collects the heads by order number and refuses repeats.
func read(t *testing.T, s reconcile.Source) map[string]reconcile.Head {
	t.Helper()
	all := map[string]reconcile.Head{}
	for h, err := range s.Heads(t.Context(), Window) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[h.Key.Order]; twice {
			t.Errorf("order %s was yielded twice", h.Key.Order)
		}
		all[h.Key.Order] = h
	}
	return all
}

func testHeads(t *testing.T, build Build) {
	s := source(t, build(t, sample))
	all := read(t, s)
	tally := s.Tally()
	if tally.Rows != 8 || tally.Read != 6 || tally.OutsideWindow != 1 || tally.LeftOut["void"] != 1 || tally.Bad != 1 ||
		tally.Orders != 3 || tally.RowsWithoutOrder != 1 || len(tally.Problems) != 2 {
		t.Errorf("tally is %+v", tally)
	}
	a1 := all["A-1"]
	if a1.Amount.String() != "6.55" || a1.Lines != 2 || a1.Email != "ann@example.com" || !a1.Permitted ||
		!a1.CompletedAt.Equal(time.Date(2026, 3, 2, 8, 59, 0, 0, time.UTC)) || len(a1.Origin.Rows) != 2 {
		t.Errorf("A-1 is %+v", a1)
	}
	if h, ok := all["A-3"]; !ok || h.Permitted {
		t.Errorf("A-3 is at the first moment of the window and private, but is %+v", h)
	}
	if _, ok := all["A-4"]; ok {
		t.Error("A-4 is at the end of the window, which is not in it")
	}
	if bad := all["A-5"].Bad; len(bad) != 1 || bad[0].Column != "qty" || bad[0].Row == 0 || bad[0].Reason != reconcile.ReasonBadValue {
		t.Errorf("A-5 has the problems %v", bad)
	}
	if all["A-2"].LeftOut != "void" {
		t.Errorf("A-2 is %+v", all["A-2"])
	}
}

func testOrders(t *testing.T, build Build) {
	s := source(t, build(t, sample))
	all := read(t, s)
	want := []reconcile.OrderKey{all["A-1"].Key, all["A-6"].Key}
	got := map[string]reconcile.Order{}
	for o, err := range s.Orders(t.Context(), want) {
		if err != nil {
			t.Fatal(err)
		}
		got[o.Key.Order] = o
		if o.Digest != all[o.Key.Order].Digest {
			t.Errorf("order %s has another digest than its head", o.Key.Order)
		}
	}
	if len(got) != 2 || len(got["A-1"].Items) != 2 || got["A-1"].Items[0].SKU != "0012" || got["A-1"].Items[1].SKU != "cup" {
		t.Errorf("orders are %+v", got)
	}
	for _, key := range []reconcile.OrderKey{all["A-2"].Key, {Shop: "main", Order: "none"}, {Shop: "other", Order: "A-1"}} {
		for _, err := range s.Orders(t.Context(), []reconcile.OrderKey{key}) {
			if err == nil {
				t.Errorf("%v was given, though it cannot be sent", key)
			}
		}
	}
}

func testAgain(t *testing.T, build Build) {
	s := source(t, build(t, sample))
	first, tally := read(t, s), s.Tally()
	second := read(t, s)
	if len(first) != len(second) || tally.Read != s.Tally().Read || tally.Rows != s.Tally().Rows {
		t.Fatalf("a second pass gave %d orders, the first %d", len(second), len(first))
	}
	for order, h := range first {
		if second[order].Digest != h.Digest {
			t.Errorf("order %s has another digest in the second pass", order)
		}
	}
}

func testColumn(t *testing.T, build Build) {
	rows := [][]string{{"no", "at", "email", "sku", "qty", "pric", "status"}, sample[1]}
	err := last(t.Context(), source(t, build(t, rows)))
	missing, ok := errors.AsType[*table.MissingColumn](err)
	if !ok || missing.Column != "price" {
		t.Errorf("a missing column gave %v", err)
	}
}
