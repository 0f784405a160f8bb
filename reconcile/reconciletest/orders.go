// Package reconciletest has what tests of the rules need: orders and sources
// made of values, a sink that follows a script and accuses its caller, and a
// check of the whole balance.
package reconciletest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"makegood/reconcile"
)

// Noon is the time around which tests play.
var Noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Dec reads a decimal and panics on anything else.
func Dec(s string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Order makes an order of lines given as "SKU x QUANTITY @ PRICE", with sums
// and digests as a source would make them. Change it by the options.
func Order(id string, lines []string, change ...func(*reconcile.Order)) reconcile.Order {
	o := reconcile.Order{Head: reconcile.Head{
		Key: reconcile.OrderKey{Shop: "main", Order: id}, Source: "shop", CompletedAt: Noon, Currency: "EUR",
		Channel: "online", Email: "customer" + id + "@example.com", AmountOf: reconcile.AmountOfPrices,
		Goods: true, Permitted: true,
	}}
	for i, text := range lines {
		var sku, quantity, price string
		if _, err := fmt.Sscanf(text, "%s x %s @ %s", &sku, &quantity, &price); err != nil {
			panic(fmt.Sprintf("line %q: %v", text, err))
		}
		unit := Dec(price)
		o.Items = append(o.Items, reconcile.Line{SKU: sku, Quantity: Dec(quantity), Price: &unit})
		o.Origin.AddRow(i + 2)
	}
	o.Origin.File = "orders.csv"
	for _, c := range change {
		c(&o)
	}
	finish(&o)
	return o
}

func finish(o *reconcile.Order) {
	var sum, goods reconcile.DigestSum
	o.Lines, o.Amount, o.LinesSum = len(o.Items), reconcile.Decimal{}, reconcile.Decimal{}
	for _, l := range o.Items {
		worth, figure := lineWorth(l)
		total, err := reconcile.Add(o.LinesSum, worth)
		if err != nil {
			panic(err)
		}
		o.LinesSum = total
		sum.Add(l.SKU, l.Quantity.String(), figure.String())
		goods.Add(l.SKU, l.Quantity.Abs().String())
	}
	o.Amount = o.LinesSum
	o.Digest = reconcile.ContentDigest(o.Key, o.Currency, o.Lines, sum)
	o.GoodsDigest = reconcile.GoodsDigest(goods)
}

// lineWorth gives what a line is worth, and the figure that digests cover.
func lineWorth(l reconcile.Line) (worth, figure reconcile.Decimal) {
	if l.Price == nil {
		return *l.LineTotal, *l.LineTotal
	}
	worth, err := reconcile.Mul(l.Quantity, *l.Price)
	if err != nil {
		panic(err)
	}
	return worth, *l.Price
}

// ByLineTotal turns prices into line totals, as another source of the same
// orders has them.
func ByLineTotal(o *reconcile.Order) {
	o.AmountOf = reconcile.AmountOfLineTotals
	for i, l := range o.Items {
		worth, _ := lineWorth(l)
		o.Items[i].Price, o.Items[i].LineTotal = nil, &worth
	}
}

// InStore makes an in-store checkout of the person behind an address.
func InStore(email string) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.Channel, o.Email = "in_store", email }
}

// From sets shop and source.
func From(shop, source string) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.Key.Shop, o.Source = shop, source }
}

// At sets the completion time.
func At(t time.Time) func(*reconcile.Order) {
	return func(o *reconcile.Order) { o.CompletedAt = t }
}

// Source is a reconcile.Source of orders that a test gives and may change
// between runs.
type Source struct {
	Named  string
	List   []reconcile.Order
	Fail   error                       // yielded after the first order of Heads
	Later  error                       // yielded by Orders after the first order
	Gone   map[reconcile.OrderKey]bool // vanished between Heads and Orders
	Passes int                         // how often Orders was called
	tally  reconcile.Tally
	closed bool
}

var _ reconcile.Source = (*Source)(nil)

// Name is what the test calls it, "shop" by default.
func (s *Source) Name() string {
	if s.Named == "" {
		return "shop"
	}
	return s.Named
}

// Heads yields the orders in the window.
func (s *Source) Heads(_ context.Context, w reconcile.Window) iter.Seq2[reconcile.Head, error] {
	return func(yield func(reconcile.Head, error) bool) {
		s.tally = reconcile.Tally{LeftOut: map[reconcile.Reason]int{}}
		if s.Fail != nil && len(s.List) == 0 {
			yield(reconcile.Head{}, s.Fail)
			return
		}
		for _, o := range s.List {
			s.count(o, w)
			if !w.Holds(o.CompletedAt) {
				continue
			}
			o.Source = s.Name()
			if !yield(o.Head, nil) {
				return
			}
			if s.Fail != nil {
				yield(reconcile.Head{}, s.Fail)
				return
			}
		}
	}
}

func (s *Source) count(o reconcile.Order, w reconcile.Window) {
	s.tally.Read++
	s.tally.Rows += len(o.Items)
	switch {
	case !w.Holds(o.CompletedAt):
		s.tally.OutsideWindow++
	case len(o.Bad) > 0:
		s.tally.Bad++
	case o.LeftOut != "":
		s.tally.LeftOut[o.LeftOut]++
	default:
		s.tally.Orders++
	}
}

// Tally counts what the last Heads met.
func (s *Source) Tally() reconcile.Tally { return s.tally }

// Orders yields the orders of keys.
func (s *Source) Orders(_ context.Context, keys []reconcile.OrderKey) iter.Seq2[reconcile.Order, error] {
	return func(yield func(reconcile.Order, error) bool) {
		s.Passes++
		for _, o := range s.List {
			if s.Gone[o.Key] || !slices.Contains(keys, o.Key) {
				continue
			}
			o.Source = s.Name()
			if !yield(o, nil) {
				return
			}
			if s.Later != nil {
				yield(reconcile.Order{}, s.Later)
				return
			}
		}
	}
}

// Close notes that the source was closed.
func (s *Source) Close() error { s.closed = true; return nil }
