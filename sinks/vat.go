package sinks

import (
	"fmt"
	"time"

	"github.com/govalues/decimal"

	"makegood/reconcile"
)

// vatDigits is how many digits after the point a price without VAT keeps: as
// many as unit prices made of line totals have (RULES R9).
const vatDigits = 4

// Conversion turns the money of a source into what a target wants.
type Conversion struct {
	factor reconcile.Decimal // 1.21 for a rate of 21 percent
	divide bool              // take VAT off instead of putting it on
}

// Adding puts VAT of a rate in percent, such as 21 or 5.5, on every amount.
func Adding(percent string) (Conversion, error) {
	rate, err := reconcile.ParseDecimal(percent)
	if err != nil {
		return Conversion{}, fmt.Errorf("read the VAT rate: %w", err)
	}
	hundredth := decimal.MustNew(1, 2)
	share, err := reconcile.Mul(rate, hundredth)
	if err != nil {
		return Conversion{}, fmt.Errorf("read the VAT rate: %w", err)
	}
	factor, err := reconcile.Add(decimal.One, share)
	return Conversion{factor: factor}, err
}

// Taking takes VAT of a rate in percent off every amount.
func Taking(percent string) (Conversion, error) {
	c, err := Adding(percent)
	c.divide = true
	return c, err
}

// VAT converts the money of orders from the sources that rates names, before
// anything is made of it. Amounts that VAT is put on are exact; those that it
// is taken off have 4 digits. An amount with more digits than can be kept holds
// the order back as cannot_compose.
func VAT(s reconcile.Sink, rates map[string]Conversion) reconcile.Sink {
	if len(rates) == 0 {
		return s
	}
	return &vat{s, rates}
}

type vat struct {
	reconcile.Sink
	rates map[string]Conversion
}

// Unwrap gives what it wears, so that it can be asked.
func (v *vat) Unwrap() reconcile.Sink { return v.Sink }

func (v *vat) Expect(h reconcile.Head, asOf time.Time) []reconcile.Want {
	rate, ok := v.rates[h.Source]
	if !ok {
		return v.Sink.Expect(h, asOf)
	}
	converted, err := rate.head(h)
	wants := v.Sink.Expect(converted, asOf)
	for i := range wants {
		if err != nil && wants[i].Hold == "" {
			wants[i].Hold = reconcile.ReasonCannotCompose
		}
	}
	return wants
}

func (v *vat) Compose(o reconcile.Order, wants []reconcile.Want, known reconcile.Carts, asOf time.Time) ([]reconcile.Event, error) {
	rate, ok := v.rates[o.Source]
	if !ok {
		return v.Sink.Compose(o, wants, known, asOf)
	}
	head, err := rate.head(o.Head)
	if err != nil {
		return nil, err
	}
	converted := reconcile.Order{Head: head, Items: make([]reconcile.Line, len(o.Items))}
	for i, line := range o.Items {
		if converted.Items[i], err = rate.line(line); err != nil {
			return nil, err
		}
	}
	return v.Sink.Compose(converted, wants, known, asOf)
}

func (c Conversion) head(h reconcile.Head) (reconcile.Head, error) {
	var err error
	for _, amount := range []*reconcile.Decimal{&h.Amount, &h.LinesSum} {
		if *amount, err = c.of(*amount); err != nil {
			return h, err
		}
	}
	for _, amount := range []**reconcile.Decimal{&h.Total, &h.Shipping, &h.Discount} {
		if *amount, err = c.optional(*amount); err != nil {
			return h, err
		}
	}
	if h.AmountOf == reconcile.AmountOfPrices { // rounded prices need not add up to it
		h.AmountOf = reconcile.AmountOfLineTotals
	}
	return h, nil
}

func (c Conversion) line(l reconcile.Line) (reconcile.Line, error) {
	var err error
	for _, amount := range []**reconcile.Decimal{&l.Price, &l.LineTotal} {
		if *amount, err = c.optional(*amount); err != nil {
			return l, err
		}
	}
	return l, nil
}

// optional converts what is there, and leaves the order's own as it is.
func (c Conversion) optional(d *reconcile.Decimal) (*reconcile.Decimal, error) {
	if d == nil {
		return nil, nil
	}
	converted, err := c.of(*d)
	return &converted, err
}

func (c Conversion) of(d reconcile.Decimal) (reconcile.Decimal, error) {
	if !c.divide {
		return reconcile.Mul(d, c.factor)
	}
	q, err := d.Quo(c.factor)
	if err != nil {
		return q, reconcile.ErrTooManyDigits
	}
	return reconcile.Add(q.Round(vatDigits), reconcile.Decimal{})
}
