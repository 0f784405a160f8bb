package sourcetest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"makegood/reconcile"
	"makegood/sources/table"
)

// testShuffled: lines in any order make the same orders, in memory and spilled.
func testShuffled(t *testing.T, build Build) {
	c := newCrowd(500, 0)
	f := &watched{File: build(t, c.rows)}
	for _, budget := range []int{0, 16 << 10, 1} {
		c.both(t, open(t, f, table.Options{Budget: budget}), func() {})
		f.checkClosed(t)
	}
}

// testMemory: four times the rows take little more memory: an entry of the
// catalog for each order, and what a caller has to remember of it.
func testMemory(t *testing.T, build Build) {
	if testing.Short() {
		t.Skip("memory is measured in whole runs, not under a race detector")
	}
	const few, many, each = 1_250, 4_000, 800 // bytes; an order that is held takes twice that
	small, large := held(t, build, few), held(t, build, many)
	if most := small + each*(many-few); large > most {
		t.Errorf("%d orders took %d bytes of memory and %d orders %d, which is more than %d", few, small, many, large, most)
	}
}

// held reads orders whose rows take 2 KB each under a small budget, and gives
// the memory that it took.
func held(t *testing.T, build Build, orders int) int {
	t.Helper()
	c := newCrowd(orders, 450)
	rows := len(c.rows) - 1
	f := &watched{File: build(t, c.rows)}
	c.rows = nil
	state := t.TempDir()
	s := open(t, f, table.Options{StateDir: state, Budget: 256 << 10})
	m, met := newMemory(), 0
	f.each = func(n int) {
		if n%(rows/4) == 0 {
			m.look()
		}
	}
	c.both(t, s, func() {
		if met++; met%(orders/4) == 0 {
			m.look()
		}
	})
	if left, err := os.ReadDir(state); err != nil || s.Close() != nil || len(left) > 0 {
		t.Errorf("%d files were left in the folder for spilled rows, error %v", len(left), err)
	}
	return m.most
}

var errGone = errors.New("the caller has gone home")

// testCancelled: a pass ends soon after its caller has given up, and leaves
// nothing open; so does one whose caller stops listening.
func testCancelled(t *testing.T, build Build) {
	c := newCrowd(1_000, 0)
	f := &watched{File: build(t, c.rows)}
	s := open(t, f, table.Options{})
	for _, at := range []int{0, 1, 1500} {
		if err := f.cancelAt(t, s, at); !gone(err) || f.rows > at+2048 {
			t.Errorf("a pass that was cancelled at row %d read %d rows and gave %v", at, f.rows, err)
		}
	}
	f.each = nil
	for _, err := range s.Heads(t.Context(), Window) {
		if err == nil {
			break
		}
		t.Error(err)
	}
	keys := keysOf(t, s)
	if given, err := cancelOrders(t, s, keys); !gone(err) || given >= len(keys) {
		t.Errorf("a second pass that was cancelled gave %d of %d orders and %v", given, len(keys), err)
	}
	for _, err := range s.Orders(t.Context(), keys) {
		if err == nil {
			break
		}
		t.Error(err)
	}
	f.checkClosed(t)
	c.both(t, s, func() {})
}

func gone(err error) bool { return errors.Is(err, errGone) || errors.Is(err, context.Canceled) }

// cancelAt is the error of a pass that is cancelled at a row; 0: before it.
func (w *watched) cancelAt(t *testing.T, s reconcile.Source, row int) error {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	w.rows, w.each = 0, func(n int) {
		if n == row {
			cancel(errGone)
		}
	}
	if row == 0 {
		cancel(errGone)
	}
	return last(ctx, s)
}

// cancelOrders cancels a second pass at its first order.
func cancelOrders(t *testing.T, s reconcile.Source, keys []reconcile.OrderKey) (given int, err error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	for _, err = range s.Orders(ctx, keys) {
		if err == nil {
			given++
		}
		cancel(errGone)
	}
	return given, err
}

// last is the error of a pass.
func last(ctx context.Context, s reconcile.Source) (err error) {
	for _, err = range s.Heads(ctx, Window) {
	}
	return err
}

func keysOf(t *testing.T, s reconcile.Source) (keys []reconcile.OrderKey) {
	t.Helper()
	for h, err := range s.Heads(t.Context(), Window) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, h.Key)
	}
	return keys
}

// testBadRows: a row that cannot be read costs its own order, whichever column
// is wrong and wherever it stands.
func testBadRows(t *testing.T, build Build) {
	good := []string{"", "2026-03-02 10:00:00", "ann@example.com", "cup", "1", "5", "paid"}
	wrong := []struct{ column, value string }{
		{"at", "yesterday"}, {"at", ""}, {"at", "2026-02-30 10:00:00"}, {"at", "2026-03-29 02:30:00"}, {"qty", "a few"}, {"qty", ""},
		{"qty", strings.Repeat("9", 40)}, {"price", "free"}, {"price", ""}, {"price", "1E999999999"}, {"price", "NaN"}, {"sku", ""},
		{"no", strings.Repeat("x", 300)}, {"no", "1.9143E+18"},
	}
	rows := [][]string{columns}
	for i, w := range wrong {
		row := append([]string{"bad-" + string(rune('a'+i))}, good[1:]...)
		for n, column := range columns {
			if column == w.column {
				row[n] = w.value
			}
		}
		rows = append(rows, row, append([]string{"good-" + string(rune('a'+i))}, good[1:]...))
	}
	s := source(t, build(t, rows))
	all := read(t, s)
	var keys []reconcile.OrderKey
	for number, h := range all {
		switch fine := strings.HasPrefix(number, "good-"); {
		case fine != (len(h.Bad) == 0):
			t.Errorf("order %.20s has the problems %v", number, h.Bad)
		case fine:
			keys = append(keys, h.Key)
		case h.Bad[0].Row == 0 || h.Bad[0].Column == "":
			t.Errorf("a bad row is told without its place: %v", h.Bad)
		}
	}
	tally := s.Tally()
	if len(keys) != len(wrong) || tally.Rows != 2*len(wrong) || tally.Bad+tally.RowsWithoutOrder != len(wrong) || len(tally.Problems) < len(wrong) {
		t.Errorf("%d of %d good orders; the tally is %+v", len(keys), len(wrong), tally)
	}
	given := 0
	for _, err := range s.Orders(t.Context(), keys) {
		if given++; err != nil {
			t.Fatal(err)
		}
	}
	if given != len(keys) {
		t.Errorf("%d of %d good orders were given", given, len(keys))
	}
}

// testEmpty: a file that only names its columns has no orders, and one that
// names others is not taken for it.
func testEmpty(t *testing.T, build Build) {
	s := source(t, build(t, sample[:1]))
	if all := read(t, s); len(all) != 0 || s.Tally().Rows != 0 {
		t.Errorf("no rows gave %v", all)
	}
	renamed := [][]string{{"no", "at", "email", "sku", "qty", "pric", "status"}}
	missing, ok := errors.AsType[*table.MissingColumn](last(t.Context(), source(t, build(t, renamed))))
	if !ok || missing.Column != "price" {
		t.Errorf("a missing column of a file without rows gave %v", missing)
	}
}
