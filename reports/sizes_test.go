package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// spread is how many reasons of each bucket the orders of a sized night have.
var spread = []reconcile.Place{
	{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonProven}, {Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere},
	{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}, {Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonFuse},
	{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}, {Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonSuppressed},
	{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonIDReused}, {Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonTotalMismatch},
	{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonPossibleTwin}, {Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonSharedAddress},
	{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonReturn}, {Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonTooOld},
	{Bucket: reconcile.BucketRefused, Reason: reconcile.ReasonRejected}, {Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer},
}

// sized is a night with so many orders at each of some destinations, with all
// the examples that a run keeps.
func sized(t *testing.T, orders, destinations int) Report {
	r := night("run")
	source := reconcile.SourceResult{Source: "shop", Tally: reconcile.Tally{Rows: 4 * orders, Read: orders + 100, Orders: orders, Bad: min(orders, 100), Newest: at("2026-11-21T01:21:00Z")}}
	if orders > 1000 {
		source.Bad = badOrders(reconcile.MaxProblems)
		for i := range reconcile.MaxProblems {
			source.Tally.Notes = append(source.Tally.Notes, fmt.Sprintf("the file orders-%d.csv was read as UTF-8, its numbers with a comma", i))
		}
	} else {
		source.Tally.Bad = 0
	}
	r.Sources = []reconcile.SourceResult{source}
	for d := range destinations {
		target := reconcile.TargetResult{Target: fmt.Sprintf("destination-%d", d), Type: "squeezely", Mode: reconcile.ModeLive, Attempts: orders}
		target.Balance.Places, target.Balance.Examples = places{}, map[reconcile.Place][]reconcile.Example{}
		left := orders
		for i, place := range spread {
			n := orders / 100
			if i == 0 {
				n = orders - (len(spread)-1)*n
			}
			left -= n
			if n == 0 {
				continue
			}
			target.Balance.Places[place] = &reconcile.Count{Orders: n, Events: n, Money: money(fmt.Sprintf("%d.25", 40*n), "EUR", fmt.Sprintf("%d", 31*n), "SEK")}
			_ = target.Balance.Eligible.Add(*target.Balance.Places[place])
			for e := range min(n, reconcile.MaxExamples) {
				target.Balance.Examples[place] = append(target.Balance.Examples[place], reconcile.Example{
					Order: fmt.Sprintf("1000%d%05d", i, e), Kind: reconcile.KindPurchase, CompletedAt: at("2026-11-19T15:02:00Z"), Value: value("31.25", "EUR"),
					Text:   "422: " + strings.Repeat("the platform says at length what it does not like about it ", 3),
					Origin: reconcile.Origin{File: "exports/orders-2026-11-19.csv", Rows: []reconcile.RowRange{{First: 1000 * e, Last: 1000*e + 4}}}})
			}
		}
		r.Targets = append(r.Targets, target)
	}
	report := Build(r, Options{Zone: amsterdam(t)})
	for i := range report.Targets {
		if orders > 1 {
			report.Targets[i].Timeline = sizedTimeline(orders)
		}
	}
	return report
}

func sizedTimeline(orders int) *Timeline {
	from := at("2026-11-13T23:00:00Z")
	all := func(int, time.Time) bool { return true }
	t := &Timeline{Unit: UnitHour, From: from, Events: map[reconcile.Bucket][]int{}, Money: map[string]map[reconcile.Bucket][]string{"EUR": {}, "SEK": {}}}
	for i, b := range shown {
		t.Events[b] = shapeOf(from, maxHours, max(orders/2000/(i+1), 1), all)
		for _, n := range t.Events[b] {
			t.Money["EUR"][b] = append(t.Money["EUR"][b], fmt.Sprintf("%d.25", 40*n))
			t.Money["SEK"][b] = append(t.Money["SEK"][b], fmt.Sprint(31*n))
		}
	}
	return t
}

// TestSizes bounds every form, whatever number of orders a run had: pages open
// at once, and tickets and pipelines take what they are given.
func TestSizes(t *testing.T) {
	most := map[string]int{"html": 2 << 20, "json": 2 << 20, "txt": 256 << 10, "csv": 100 << 10, "md": 65_000, "xml": 200 << 10, "xlsx.txt": 4 << 20}
	for _, c := range []struct{ orders, destinations int }{{0, 1}, {1, 1}, {20_000, 3}, {500_000, 4}, {500_000, 20}} {
		report := sized(t, c.orders, c.destinations)
		for _, target := range report.Targets {
			if !target.Balance.Holds || target.Balance.Eligible.Orders != c.orders {
				t.Fatalf("the sample has %+v", target.Balance.Eligible)
			}
		}
		for _, f := range forms {
			var b bytes.Buffer
			if err := f.render(&b, report); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d orders, %d destinations, %s: %d bytes", c.orders, c.destinations, f.ext, b.Len())
			if b.Len() > most[f.ext] && (f.ext != "json" || c.destinations < 10) {
				t.Errorf("%d orders at %d destinations take %d bytes as %s, more than %d", c.orders, c.destinations, b.Len(), f.ext, most[f.ext])
			}
		}
	}
}
