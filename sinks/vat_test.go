package sinks

import (
	"encoding/json"
	"testing"
	"time"

	"makegood/reconcile"
)

// TestVAT converts an order of 2 x 9.99 + 1 x 0.05, shipping 4.95.
func TestVAT(t *testing.T) {
	number := func(s string) reconcile.Decimal {
		d, err := reconcile.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	adding, err := Adding("21")
	if err != nil {
		t.Fatal(err)
	}
	taking, err := Taking("5.5")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rates         map[string]Conversion
		amount, total string // in the balance; for the platform
		price         string // of the first product
	}{
		"as it is": {nil, "20.03", "", "9.99"},
		"another":  {map[string]Conversion{"other": adding}, "20.03", "", "9.99"},
		"on":       {map[string]Conversion{"shop": adding}, "24.2363", "24.24", "12.0879"},
		"off":      {map[string]Conversion{"shop": taking}, "18.9858", "18.99", "9.4692"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := target("squeezely", "http://127.0.0.1:1")
			sink, fuse, err := Open(cfg, Options{VAT: c.rates})
			if err != nil {
				t.Fatal(err)
			}
			defer fuse.Close()
			a, b := number("9.99"), number("0.05")
			total := number("20.03")
			o := reconcile.Order{
				Head: reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, Source: "shop", CompletedAt: time.Now().Add(-time.Hour),
					Email: "jane@example.com", Currency: "EUR", Channel: "online", Lines: 2, Goods: true, Permitted: true,
					Amount: total, LinesSum: total, AmountOf: reconcile.AmountOfPrices},
				Items: []reconcile.Line{{SKU: "A", Quantity: number("2"), Price: &a}, {SKU: "B", Quantity: number("1"), Price: &b}},
			}
			wants := sink.Expect(o.Head, time.Now())
			if got := wants[0].Value.Amount.String(); got != c.amount || wants[0].Hold != "" {
				t.Errorf("the balance counts %s, want %s; hold %q", got, c.amount, wants[0].Hold)
			}
			events, err := sink.Compose(o, wants, reconcile.Carts{}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if a.String() != "9.99" {
				t.Errorf("the order itself was changed: %s", a)
			}
			var e struct {
				Total    json.Number `json:"totalvalue"`
				Products []struct {
					Price json.Number `json:"price"`
				} `json:"products"`
			}
			if err := json.Unmarshal(events[0].Body, &e); err != nil {
				t.Fatal(err)
			}
			if len(e.Products) != 2 || e.Total.String() != c.total || e.Products[0].Price.String() != c.price {
				t.Errorf("sent %s, want totalvalue %s and price %s", events[0].Body, c.total, c.price)
			}
		})
	}
}

func TestVATWithTooManyDigits(t *testing.T) {
	adding, err := Adding("21")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := reconcile.ParseDecimal("123456789012345678.9")
	if err != nil {
		t.Fatal(err)
	}
	sink, fuse, err := Open(target("squeezely", "http://127.0.0.1:1"), Options{VAT: map[string]Conversion{"shop": adding}})
	if err != nil {
		t.Fatal(err)
	}
	defer fuse.Close()
	h := reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, Source: "shop", CompletedAt: time.Now(), Email: "jane@example.com",
		Currency: "EUR", Channel: "online", Lines: 1, Goods: true, Amount: wide, LinesSum: wide}
	if w := sink.Expect(h, time.Now()); w[0].Hold != reconcile.ReasonCannotCompose {
		t.Errorf("held for %q", w[0].Hold)
	}
}
