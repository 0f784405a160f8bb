package reconcile

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOffersAreKept: what was put aside, more than memory takes, comes back as it
// was and in its order, only the goods that are asked for, and no file stays.
func TestOffersAreKept(t *testing.T) {
	dir := t.TempDir()
	p := &planner{Runner: &Runner{StateDir: dir}}
	f := &feed{}
	p.targets = []*targetPlan{{feeds: map[string]*feed{"shop": f}}}
	var want []offer
	for i := range 20_000 {
		o := offerAt(fmt.Sprint("order-", i), i, byte(i%7))
		if i%3 > 0 {
			amount, err := ParseDecimal(fmt.Sprintf("%d.%02d", i, i%100))
			if err != nil {
				t.Fatal(err)
			}
			o.value = Value{Amount: &amount, Currency: "EUR", Of: AmountOf("lines")}
		}
		o.already = i%2 == 0
		if err := p.keepOffer(f, o); err != nil {
			t.Fatal(err)
		}
		if o.n = i; i%7 == 3 || i%7 == 5 {
			want = append(want, o)
		}
	}
	if len(f.offers.runs) == 0 {
		t.Fatal("nothing was put on disk")
	}
	got, err := f.wanted(map[uint64]bool{3: true, 5: true, 9: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(offer{}), cmp.Comparer(func(a, b Decimal) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Error(diff)
	}
	if err := p.keepOffer(f, offerAt("last", 1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.dropOffers(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 || f.offers != nil {
		t.Errorf("left: %v", left)
	}
}
