package sourcetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"makegood/reconcile"
	"makegood/sources/table"
)

// touched is a file whose mark changes when a pass over it has begun.
type touched struct {
	table.File
	mark string
	next string // the mark from the next Open on; "": it stays
}

func (f *touched) Mark() (string, error) { return f.mark, nil }

func (f *touched) Open(ctx context.Context) (table.Cursor, error) {
	if f.next != "" {
		f.mark = f.next
	}
	return f.File.Open(ctx)
}

// testTouched: a file that is written to while it is read, or between the two
// passes where it is read twice, is not believed.
func testTouched(t *testing.T, build Build) {
	f := &touched{build(t, sample), "1", "2"}
	if err := last(t.Context(), source(t, f)); !errors.Is(err, reconcile.ErrChanged) {
		t.Errorf("a file that changed in the first pass gave %v", err)
	}
	f.next = ""
	s := source(t, f)
	key := read(t, s)["A-1"].Key
	f.mark = "3"
	if err := lastOrder(t, s, key); f.Twice() != errors.Is(err, reconcile.ErrChanged) {
		t.Errorf("a file that changed between the passes gave %v", err)
	}
}

// swapped is a file whose rows become others, though its mark stays.
type swapped struct{ table.File }

func (f *swapped) Mark() (string, error) { return "", nil }

// testSwapped: rows that are others in the second pass are noticed without the
// mark, where they are read again; where they were kept, nothing changes.
func testSwapped(t *testing.T, build Build) {
	for name, change := range map[string]func(rows [][]string) [][]string{
		"a price":      func(rows [][]string) [][]string { rows[1][5] = "1.20"; return rows },
		"a line more":  func(rows [][]string) [][]string { return append(rows, rows[4]) },
		"a line less":  func(rows [][]string) [][]string { return slices.Delete(rows, 4, 5) },
		"no order":     func(rows [][]string) [][]string { return slices.DeleteFunc(rows, isA1) },
		"an unhappy 1": func(rows [][]string) [][]string { rows[4][4] = "one"; return rows },
	} {
		f := &swapped{build(t, sample)}
		s := source(t, f)
		head := read(t, s)["A-1"]
		f.File = build(t, change(copied(sample)))
		if f.Twice() {
			if err := lastOrder(t, s, head.Key); !errors.Is(err, reconcile.ErrChanged) {
				t.Errorf("%s: other rows gave %v", name, err)
			}
			continue
		}
		for o, err := range s.Orders(t.Context(), []reconcile.OrderKey{head.Key}) {
			if err != nil || o.Digest != head.Digest || len(o.Items) != head.Lines {
				t.Errorf("%s: rows that were kept gave %+v, error %v", name, o, err)
			}
		}
	}
}

func isA1(row []string) bool { return row[0] == "A-1" }

func copied(rows [][]string) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		all[i] = slices.Clone(row)
	}
	return all
}

func lastOrder(t *testing.T, s reconcile.Source, key reconcile.OrderKey) (err error) {
	t.Helper()
	for _, err = range s.Orders(t.Context(), []reconcile.OrderKey{key}) {
	}
	return err
}
