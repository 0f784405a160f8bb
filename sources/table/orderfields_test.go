package table

import (
	"strings"
	"testing"

	"makegood/reconcile"
)

func TestOrderNumber(t *testing.T) {
	h := reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "0042"}, Store: "7", Fields: map[string]string{"custom_erp": "SO-9"}}
	for text, want := range map[string]string{
		`= "W" + order`:         "W0042",
		"order":                 "0042",
		"custom_erp":            "SO-9",
		`= store + "-" + order`: "7-0042",
	} {
		number, err := OrderNumber(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := number(h); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := OrderNumber(`= "W" + ordr`); err == nil || !strings.Contains(err.Error(), "order") {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestOrderRule(t *testing.T) {
	rule, err := OrderRule(`country == "NL" and store startsWith "A"`)
	if err != nil {
		t.Fatal(err)
	}
	for store, want := range map[string]bool{"Amsterdam": true, "Breda": false} {
		h := reconcile.Head{Store: store, Fields: map[string]string{"country": "NL"}}
		if got, err := rule(h); err != nil || got != want {
			t.Errorf("%s: %v, %v", store, got, err)
		}
	}
	if _, err := OrderRule(`contry == "NL"`); err == nil || !strings.Contains(err.Error(), "country") {
		t.Errorf("an unknown field: %v", err)
	}
	if _, err := OrderRule(`store`); err == nil {
		t.Error("a rule that gives no yes or no was taken")
	}
}
