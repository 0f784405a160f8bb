package main

import (
	"context"
	"fmt"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
)

// limitsOf says what one run may send to a destination.
func limitsOf(t *config.Target) (l reconcile.Limits, err error) {
	l.PerPerson = t.PerRun
	if l.MaxCharge, err = moneyOf("max_charge", t.MaxCharge); err != nil {
		return l, err
	}
	if t.Trial != nil {
		l.TrialOrders, l.TrialShare = t.Trial.Orders, t.Trial.Share.Fraction()
	}
	if t.Budget == nil {
		return l, nil
	}
	l.Orders, l.Refused = t.Budget.Orders, t.Budget.Refused.Fraction()
	l.Money, err = moneyOf("budget.money", t.Budget.Money)
	return l, err
}

// moneyOf reads the amounts of a key by currency; nil where there are none.
func moneyOf[T ~string](key string, list map[string]T) (reconcile.Money, error) {
	var money reconcile.Money
	for currency, text := range list {
		amount, err := reconcile.ParseDecimal(string(text))
		if err != nil {
			return nil, fmt.Errorf("read %s.%s: %w", key, currency, err)
		}
		if money == nil {
			money = reconcile.Money{}
		}
		money[currency] = amount
	}
	return money, nil
}

// catalogOf reads what a destination's platform knows of products.
func (w *wiring) catalogOf(t *config.Target) reconcile.CatalogRule {
	if t.Catalog == nil {
		return reconcile.CatalogRule{}
	}
	read := func(ctx context.Context) (reconcile.Products, error) {
		return sources.Opener{StateDir: w.StateDir}.Catalog(ctx, t.Catalog)
	}
	return reconcile.CatalogRule{Read: read, Unknown: t.UnknownSKU}
}
