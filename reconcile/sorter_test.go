package reconcile

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

func sortedBy(t *testing.T, s *sorter) []string {
	t.Helper()
	var got []string
	for r, err := range s.all() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(r.key)+"="+string(r.value))
	}
	return got
}

func TestSorterSpills(t *testing.T) {
	for _, n := range []int{0, 1, 2, 500} {
		dir := t.TempDir()
		s := newSorter(dir)
		s.budget = 300 // three records at a time
		var want []string
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
			key, value := fmt.Sprintf("key %03d", i), fmt.Sprintf("%*d", i%40, i)
			if i%7 == 0 {
				value = ""
			}
			want = append(want, key+"="+value)
			if err := s.add(key, []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(want)
		for range 2 { // it can be read again
			if got := sortedBy(t, s); !slices.Equal(got, want) {
				t.Errorf("%d records came back as %d, or in another order", n, len(got))
			}
		}
		if n == 500 && len(s.runs) < 100 {
			t.Errorf("%d runs were spilled: the budget was not kept", len(s.runs))
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
	}
}

func TestSorterNoticesAShortFile(t *testing.T) {
	s := newSorter(t.TempDir())
	s.budget = 1
	defer s.close()
	if err := s.add("key", []byte("value")); err != nil {
		t.Fatal(err)
	}
	info, err := s.runs[0].Stat()
	if err != nil {
		t.Fatal(err)
	}
	for size := info.Size() - 1; size > 0; size-- {
		if err := s.runs[0].Truncate(size); err != nil {
			t.Fatal(err)
		}
		var failed error
		for _, err := range s.all() {
			failed = err
		}
		if !errors.Is(failed, io.ErrUnexpectedEOF) {
			t.Errorf("a file cut to %d bytes gave %v", size, failed)
		}
	}
}

func TestHeadsPutAsideComeBackWhole(t *testing.T) {
	dir := t.TempDir()
	f, err := newHeadFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	zero, cents := Decimal{}, decimalOf(t, "0.10")
	heads := []Head{
		{},
		goodHead(t),
		{Total: &zero, Shipping: &zero, Discount: &zero, CompletedAt: time.Date(2026, 11, 20, 12, 0, 0, 1, time.UTC)},
		{Total: &cents, Discount: &zero, Fields: map[string]string{"custom_a": "b"}, Amount: cents,
			Digest: HashFields("x"), Permitted: true, Origin: Origin{File: "a.csv", Rows: []RowRange{{2, 3}}}},
	}
	for _, h := range heads {
		if err := f.write(h); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		var got []Head
		if err := f.read(func(h Head) error { got = append(got, h); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(heads) {
			t.Fatalf("%d heads came back of %d", len(got), len(heads))
		}
		for i, h := range heads {
			if a, b := fmt.Sprintf("%+v %v", plain(got[i]), money(got[i])), fmt.Sprintf("%+v %v", plain(h), money(h)); a != b {
				t.Errorf("head %d came back as\n%s, want\n%s", i, a, b)
			}
		}
	}
	f.remove()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

func plain(h Head) Head { h.Total, h.Shipping, h.Discount = nil, nil, nil; return h }

func money(h Head) (all [3]string) {
	for i, d := range []*Decimal{h.Total, h.Shipping, h.Discount} {
		if d != nil {
			all[i] = d.String()
		}
	}
	return all
}

func TestDiffOfAStateThatNobodyKnows(t *testing.T) {
	w := Want{ID: "purchase/main/1", Kind: KindPurchase}
	steps := Diff([]Want{w}, map[EventID]Entry{w.ID: {ID: w.ID, Version: 3, State: "archived"}},
		map[Kind]KindTraits{KindPurchase: {MergesRepeats: true}}, headNow)
	if s := steps[0]; s.Send || s.Place.Bucket != BucketInDoubt {
		t.Errorf("the step is %+v", s)
	}
}
