package customers_test

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/reconcile/simulation/customers"
)

// way is one way of knowing carts.
type way struct {
	name   string
	carts  bool          // there is an open-carts source
	margin time.Duration // clock_margin
	clock  time.Duration // how far tills are really off
	export bool          // the open carts are written to a file now and then
	within time.Duration // how old that file may be: fresh_within
	clears bool          // cart_update is not sent
	towns  int           // how many of them; 0: as many as usual

	addresses int // in each
}

// TestHistories lets ten thousand addresses live for a day each: carts
// filled and emptied in the shop, by one or two people, purchases there and in
// stores whose clocks are off by up to 30 minutes, exports that come late, out
// of order, or on the next day, and runs now and then, some of which are
// planned first and carried out later.
//
// Whatever happens, nothing is taken out of a cart that is still wanted and was
// not bought. Where clock_margin covers the clocks and the carts are those of
// now, no cart of bought goods stays, as far as customers.Stays asks for it. How
// many mails about bought goods remain is shown with -v.
func TestHistories(t *testing.T) {
	towns, addresses := 5, 500
	if testing.Short() {
		towns, addresses = 1, 100
	}
	var mu sync.Mutex
	var shown []string
	t.Run("all", func(t *testing.T) {
		for _, w := range []way{
			{name: "nobody knows the carts", margin: 15 * time.Minute, clock: 30 * time.Minute},
			{name: "open carts of now, clocks within the margin", carts: true, margin: 30 * time.Minute, clock: 30 * time.Minute},
			{name: "open carts of now, clocks beyond the margin", carts: true, margin: 15 * time.Minute, clock: 30 * time.Minute},
			{name: "open carts that are often old", carts: true, margin: 30 * time.Minute, clock: 30 * time.Minute, export: true, within: time.Second},
			{name: "open carts of now, and only clears are sent", carts: true, margin: 30 * time.Minute, clock: 30 * time.Minute, clears: true, towns: 1},
		} {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				w.addresses = addresses
				var sum tally
				for seed := range cmp.Or(w.towns, towns) {
					sum.add(live(t, uint64(seed+1), w))
				}
				if sum.addresses == 0 || sum.checkouts == 0 || w.carts && (sum.clears == 0 || sum.updates == 0 && !w.clears) {
					t.Errorf("nothing happened: %s", sum)
				}
				mu.Lock()
				shown = append(shown, fmt.Sprintf("%s: %s", w.name, sum))
				mu.Unlock()
			})
		}
	})
	for _, line := range shown {
		t.Log(line)
	}
}

// TestSharesNoCode: the town and its judge know nothing of what they judge.
func TestSharesNoCode(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		judged++
		for _, spec := range file.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); strings.HasPrefix(path, "makegood") || strings.Contains(path, ".") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if judged < 3 {
		t.Errorf("%d files were looked at", judged)
	}
}

// TestTheJudgeSees plays what a careless sender would do, which the oracle must
// notice.
func TestTheJudgeSees(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := &customers.Address{Carts: []*customers.Cart{{Goods: customers.Goods{"tea": 2, "cup": 1}, Used: noon}}}
	all := customers.Goods{"tea": 2, "cup": 1}
	bought := func(at time.Time, goods customers.Goods) {
		a.Checkouts = append(a.Checkouts, &customers.Checkout{At: at, Recorded: at, Exported: at, Goods: goods})
	}
	lost := func(after customers.Goods) string { return fmt.Sprint(customers.Lost(a, all, after, false)) }
	conditions := customers.Conditions{Margin: time.Minute, MaxAge: time.Hour}
	stays := func(platform customers.Goods, at time.Duration) bool {
		return customers.Stays(a, platform, noon.Add(at), conditions)
	}
	for _, c := range []struct{ got, want any }{
		{lost(all), "map[]"}, {lost(nil), "map[cup:1 tea:2]"}, {stays(all, time.Hour/2), false},
	} {
		if c.got != c.want {
			t.Errorf("nothing was bought: %v, want %v", c.got, c.want)
		}
	}
	bought(noon.Add(-time.Hour), customers.Goods{"cup": 1}) // and put into the cart again
	bought(noon.Add(10*time.Minute), customers.Goods{"tea": 1})
	for i, c := range []struct{ got, want any }{
		{lost(customers.Goods{"tea": 1, "cup": 1}), "map[]"}, {lost(customers.Goods{"tea": 1}), "map[cup:1]"}, {lost(nil), "map[cup:1 tea:1]"},
		{fmt.Sprint(customers.Lost(a, all, nil, true)), "map[tea:1]"}, {stays(all, time.Hour/2), false},
		{fmt.Sprint(customers.Bought(a, all)), "map[tea:1]"},
	} {
		if c.got != c.want {
			t.Errorf("%d, a part was bought: %v, want %v", i, c.got, c.want)
		}
	}
	bought(noon.Add(20*time.Minute), customers.Goods{"tea": 1, "cup": 1})
	for i, c := range []struct{ got, want any }{
		{lost(nil), "map[]"}, {stays(all, time.Hour/2), true}, {stays(customers.Goods{"tea": 1}, time.Hour/2), true},
		{stays(nil, time.Hour/2), false}, {stays(all, 15*time.Minute), false}, {stays(all, 2*time.Hour), false},
		{stays(customers.Goods{"pot": 1}, time.Hour/2), false},
	} {
		if c.got != c.want {
			t.Errorf("%d, all was bought: %v, want %v", i, c.got, c.want)
		}
	}
}
