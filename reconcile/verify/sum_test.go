package verify

import (
	"testing"

	"makegood/reconcile"
)

func decimal(t *testing.T, text string) reconcile.Decimal {
	t.Helper()
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSums: exact, apart by currency, and what is zero may be left out of a
// report.
func TestSums(t *testing.T) {
	var sum Sum
	for _, amount := range []string{"0.1", "0.2", "-0.3", "1000000000000.001"} {
		d := decimal(t, amount)
		sum = sum.plus(reconcile.Value{Amount: &d, Currency: "EUR"})
	}
	before := sum
	zero := decimal(t, "0")
	sum = sum.plus(reconcile.Value{}).plus(reconcile.Value{Amount: &zero, Currency: "GBP"})
	if got := before.String(); got != "4 events, 1000000000000.001 EUR" {
		t.Errorf("4 events came to %s", got)
	}
	for _, c := range []struct {
		told count
		want bool
	}{
		{count{6, map[string]string{"EUR": "1000000000000.001"}}, true},
		{count{6, map[string]string{"EUR": "1000000000000.0010", "GBP": "0"}}, true},
		{count{6, map[string]string{"EUR": "1000000000000.002"}}, false},
		{count{6, map[string]string{"EUR": "1000000000000.001", "USD": "1"}}, false},
		{count{5, map[string]string{"EUR": "1000000000000.001"}}, false},
		{count{6, map[string]string{"EUR": "much"}}, false},
		{count{6, nil}, false},
	} {
		if got := sum.is(c.told); got != c.want {
			t.Errorf("%s is %s: %v, want %v", sum, c.told, got, c.want)
		}
	}
}

func TestSumOfLines(t *testing.T) {
	price, total := decimal(t, "2.50"), decimal(t, "9.99")
	lines := []reconcile.Line{
		{Quantity: decimal(t, "3"), Price: &price},
		{Quantity: decimal(t, "-1"), Price: &price},
		{Quantity: decimal(t, "7"), Price: &price, LineTotal: &total}, // the line's total counts
		{Quantity: decimal(t, "1")},
	}
	if got := textOf(sumOf(lines)); got != "14.99" {
		t.Errorf("the lines come to %s, want 14.99", got)
	}
}
