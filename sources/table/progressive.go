package table

import (
	"github.com/govalues/decimal"

	"makegood/reconcile"
)

// progressive reports whether the number of products decides on a discount.
func (m *mapping) progressive() bool { return len(m.cfg.ProgressiveDiscount) > 0 }

// share is what is left to pay, in percent, of an order of so many products.
func (m *mapping) share(units reconcile.Decimal) (reconcile.Decimal, error) {
	if m.cfg.Prices != "list" {
		return decimal.Hundred, nil
	}
	return m.left(units)
}

// left is what the discount leaves of the price before it, in percent.
func (m *mapping) left(units reconcile.Decimal) (reconcile.Decimal, error) {
	percent := reconcile.Decimal{}
	for _, step := range m.cfg.ProgressiveDiscount { // ascending
		from, err := decimal.New(int64(step.From), 0)
		if err != nil {
			return percent, err
		}
		if units.Cmp(from) < 0 {
			break
		}
		if percent, err = reconcile.ParseDecimal(string(step.Percent)); err != nil {
			return percent, err
		}
	}
	return reconcile.Add(decimal.Hundred, percent.Neg())
}

// reduce adds up what the lines come to with the discount, each rounded once to
// the currency's coins. Lines that are no goods have none.
func (f *finisher) reduce(lines []countedLine) {
	sum, err := f.reducedSum(lines)
	if f.reduced = sum; err != nil {
		f.fail(f.p.place0(), fault{"progressive_discount", reconcile.ReasonBadValue, "the discounted sum " + err.Error()})
	}
}

func (f *finisher) reducedSum(lines []countedLine) (sum reconcile.Decimal, err error) {
	var units reconcile.Decimal
	for i := range lines {
		if !lines[i].dropped {
			if units, err = reconcile.Add(units, lines[i].units); err != nil {
				return sum, err
			}
		}
	}
	share, err := f.m.share(units)
	for i := range lines {
		if l := &lines[i]; !l.dropped && err == nil {
			sum, err = f.addReduced(sum, l, share)
		}
	}
	return sum, err
}

func (f *finisher) addReduced(sum reconcile.Decimal, l *countedLine, share reconcile.Decimal) (reconcile.Decimal, error) {
	amount := l.sums.amount
	if l.sums.lines > 0 {
		product, err := reconcile.Mul(amount, share)
		if err != nil {
			return sum, err
		}
		if amount, err = quotient(product, decimal.Hundred, reconcile.MinorDigits(f.h.Currency)); err != nil {
			return sum, err
		}
	}
	return reconcile.Add(sum, amount)
}

// expect makes the discounted sum the order's. Where the order has a total that
// is another one, the total counts, and the difference is told.
func (f *finisher) expect() {
	f.h.LinesSum, f.h.Amount = f.reduced, f.reduced
	if f.h.Total == nil {
		return
	}
	lines, err := *f.h.Total, error(nil) // what the total says that the lines come to
	if f.h.Shipping != nil {
		lines, err = reconcile.Add(lines, f.h.Shipping.Neg())
	}
	if f.h.Discount != nil && err == nil {
		lines, err = reconcile.Add(lines, *f.h.Discount)
	}
	if err != nil {
		f.failField("total", reconcile.ReasonBadValue, "the total "+err.Error())
		return
	}
	f.p.unexpected = lines.Cmp(f.reduced) != 0
	f.h.LinesSum = lines
}
