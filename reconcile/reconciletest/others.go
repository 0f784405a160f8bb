package reconciletest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"makegood/reconcile"
)

// Evidence is a reconcile.EvidenceReader of rows that a test gives.
type Evidence struct {
	Named string
	Rows  []reconcile.EvidenceRow
	Fail  error
}

var _ reconcile.EvidenceReader = (*Evidence)(nil)

// Name is what the test calls it.
func (e *Evidence) Name() string { return e.Named }

// Read yields the rows of the window, then the error.
func (e *Evidence) Read(_ context.Context, w reconcile.Window) iter.Seq2[reconcile.EvidenceRow, error] {
	return func(yield func(reconcile.EvidenceRow, error) bool) {
		for _, row := range e.Rows {
			if (row.At.IsZero() || w.Holds(row.At)) && !yield(row, nil) {
				return
			}
		}
		if e.Fail != nil {
			yield(reconcile.EvidenceRow{}, e.Fail)
		}
	}
}

// CartFeed is a reconcile.CartFeed of carts that a test gives.
type CartFeed struct {
	Named  string
	Stored map[reconcile.Person]reconcile.Cart
	AsOf   time.Time // zero: the moment of reading
	Fail   error
	Reads  int
	During func() // what happens while they are read; nil: nothing
}

var _ reconcile.CartFeed = (*CartFeed)(nil)

// Name is what the test calls it.
func (f *CartFeed) Name() string { return f.Named }

// Read gives the carts of the persons asked for.
func (f *CartFeed) Read(_ context.Context, persons map[reconcile.Person]bool) (map[reconcile.Person]reconcile.Cart, time.Time, error) {
	f.Reads++
	if f.During != nil {
		f.During()
	}
	if f.Fail != nil {
		return nil, time.Time{}, f.Fail
	}
	found := map[reconcile.Person]reconcile.Cart{}
	for person := range persons {
		if cart, ok := f.Stored[person]; ok {
			found[person] = cart
		}
	}
	return found, f.AsOf, nil
}

// Faults lists every way in which a result does not add up: the equation of a
// source, that of a target, and between them that every order of a target's
// sources is either in its scope or not for it.
func Faults(res reconcile.Result, targets []*reconcile.Target) []string {
	var faults []string
	orders := map[string]int{}
	for _, s := range res.Sources {
		t := s.Tally
		sum := t.OutsideWindow + t.Bad + t.Merged + t.Orders
		for _, n := range t.LeftOut {
			sum += n
		}
		if t.Read != sum {
			faults = append(faults, fmt.Sprintf("source %s: %d orders read, %d accounted for", s.Source, t.Read, sum))
		}
		orders[s.Source] = t.Orders
	}
	for i := range res.Targets {
		faults = append(faults, targetFaults(&res.Targets[i], targets, orders)...)
	}
	return faults
}

func targetFaults(tr *reconcile.TargetResult, targets []*reconcile.Target, orders map[string]int) []string {
	var faults []string
	if b := &tr.Balance; !b.Holds() {
		faults = append(faults, fmt.Sprintf("target %s: eligible %+v, but %+v", tr.Target, b.Eligible, b.Reasons()))
	}
	faults = append(faults, timeFaults(tr)...)
	i := slices.IndexFunc(targets, func(t *reconcile.Target) bool { return t.Name() == tr.Target })
	if i < 0 {
		return append(faults, "target "+tr.Target+" is not configured")
	}
	read := 0
	for _, source := range targets[i].From {
		read += orders[source]
	}
	if got := tr.Balance.NotForTarget.Orders + tr.Balance.Eligible.Orders; got != read {
		faults = append(faults, fmt.Sprintf("target %s: its sources have %d orders, the balance %d", tr.Target, read, got))
	}
	return faults
}

// timeFaults lists where the timeline of a target and its balance disagree.
func timeFaults(tr *reconcile.TargetResult) []string {
	var faults []string
	sums := map[reconcile.Bucket]reconcile.Count{}
	for _, s := range tr.Balance.Times.Slots() {
		sum := sums[s.Bucket]
		if err := sum.Add(reconcile.Count{Events: s.Events, Money: s.Money}); err != nil {
			faults = append(faults, err.Error())
		}
		sums[s.Bucket] = sum
	}
	for _, bucket := range reconcile.Buckets {
		want, got := tr.Balance.Of(bucket), sums[bucket]
		same := want.Events == got.Events
		for _, money := range []reconcile.Money{want.Money, got.Money} {
			for currency := range money {
				same = same && want.Money[currency].Cmp(got.Money[currency]) == 0
			}
		}
		if !same {
			faults = append(faults, fmt.Sprintf("target %s: %s is %+v, over time %+v", tr.Target, bucket, want, got))
		}
	}
	return faults
}
