package table

import (
	"errors"
	"testing"

	"makegood/reconcile"
)

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		point byte
		text  string
		want  string
	}{
		{'.', "12", "12"}, {'.', "-0.50", "-0.5"}, {'.', "1,234.50", "1234.5"}, {'.', "£2.55", "2.55"}, {'.', "(1)", "-1"},
		{'.', "(£1.50)", "-1.5"}, {'.', "-£1", "-1"}, {'.', "£-1", "-1"}, {'.', "12.50 EUR", "12.5"}, {'.', "USD1,000", "1000"},
		{'.', "1 234 567.1", "1234567.1"}, {'.', "1'234.10", "1234.1"}, {'.', "\u22125", "-5"}, {'.', ".5", "0.5"}, {'.', "+3", "3"},
		{'.', "-0", "0"}, {'.', "0.000", "0"}, {'.', "9999999999999999999", "9999999999999999999"},
		{',', "2,55", "2.55"}, {',', "1.234,50 €", "1234.5"}, {',', "1\u00a0234,5", "1234.5"}, {',', "-1.000", "-1000"}, {',', "7", "7"},
		{'.', "1-", "-1"}, {'.', "12.50-", "-12.5"}, {'.', "12.50 - EUR", "-12.5"}, {'.', "\u2013 5", "-5"}, {'.', "5\u2212", "-5"}, {'.', "$12.50-", "-12.5"},
		{',', "\u20ac 1.299,00", "1299"}, {',', "1.299,00 EUR", "1299"}, {',', "1.299,00-", "-1299"}, {',', "\u20ac 12,-", "12"}, {',', "1.299,-", "1299"},
		{',', "12,--", "12"}, {'.', "CHF 1'299.\u2014", "1299"}, {',', "1\u202f299,00 \u20ac", "1299"}, {',', "1 299,00 kr", "1299"}, {',', "1\u2009299 z\u0142", "1299"},
		{'.', "1\u2019299.05", "1299.05"}, {'.', "US$ 1,299.50", "1299.5"}, {'.', "\u20b91,299", "1299"}, {',', "(\u20ac 1.299,00)", "-1299"}, {'.', "\u200e5\u200b", "5"},
	} {
		d, err := numbers{point: test.point}.parse(test.text)
		if err != nil || d.String() != test.want {
			t.Errorf("%q with %q is %s (%v), want %s", test.text, test.point, d, err, test.want)
		}
	}
}

func TestNoNumbers(t *testing.T) {
	for _, test := range []struct {
		point byte
		text  string
		want  error
	}{
		{'.', "many", errNoNumber}, {'.', "", errNoNumber}, {'.', "-", errNoNumber}, {'.', "1.2.3", errNoNumber}, {'.', "()", errNoNumber},
		{',', "0.125", errGrouping}, {'.', "0,125", errGrouping}, {'.', "-1-", errNoNumber}, {'.', "(1-)", errNoNumber}, {'.', "1---", errNoNumber}, {'.', "1\u2014", errNoNumber},
		{'.', "10-12", errNoNumber}, {'.', "1 - 2", errGrouping}, {'.', "$ kr 1", errNoNumber}, {'.', "12,50-", errGrouping}, {'.', ",-", errGrouping},
		{'.', "--1", errNoNumber}, {'.', "-(1)", errNoNumber}, {'.', "££1", errNoNumber}, {'.', "1 EUR EUR", errNoNumber}, {'.', "EUR", errNoNumber},
		{'.', "2,55", errGrouping}, {'.', "1,23,456", errGrouping}, {'.', "12 34", errGrouping}, {'.', "1,234 567", errGrouping},
		{',', "2.55", errGrouping}, {',', "1,2,3", errNoNumber},
		{'.', "1.234,56", errOtherSign}, {'.', "€ 1.234.567,89", errOtherSign}, {',', "1,234.56", errOtherSign},
		{'.', "4.440892E-16", errExponent}, {'.', "1E+05", errExponent},
		{'.', "1.23456789012345678901", reconcile.ErrTooManyDigits},
	} {
		if d, err := (numbers{point: test.point}).parse(test.text); !errors.Is(err, test.want) {
			t.Errorf("%q with %q is %s (%v), want %v", test.text, test.point, d, err, test.want)
		}
	}
}

func TestDamagedIDs(t *testing.T) {
	for id, want := range map[string]bool{
		"1.9143E+18": true, "1,9143e+18": true, "1E+05": true, "536365.0": true, "17850.00": true, "1.5E5": true,
		"536365": false, "C536365": false, "12E4": false, "85123A": false, "1.5": false, "10.20": false, "": false, ".0": false,
		"1.": false, "E+5": false, "v1.0": false, "12E-": false, "0012": false, "-": false,
	} {
		if got := damaged(id); got != want {
			t.Errorf("%q is damaged: %v, want %v", id, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"1,2,3": `"1,2,3"`, "ann@example.com": `"aaa@aaaaaaa.aaa" (letters and digits hidden)`, "12 EUR": `"12 EUR"`, "Ann 12": `"Ann 12"`, "Anna 12": `"aaaa 99" (letters and digits hidden)`,
		"a\x00b": `"a b"`, "0123456789012345678901234567890123456789x": `"0123456789012345678901234567890123456789..."`,
	} {
		if got := shape(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{" a ": "a", "\u00a0Caf\u0065\u0301\ufeff": "Caf\u00e9", "": "", " ": "", "a b": "a b"} {
		if got := clean(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
