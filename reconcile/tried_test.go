package reconcile_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

// TestTried tells what was tried apart from orders, and from test carts.
func TestTried(t *testing.T) {
	for name, of := range map[string]string{"activate": "activate", "activate.test": "activate", "activate.again": "activate", "activate.test.again": "activate"} {
		if got, tried := reconcile.TriedAt(name); got != of || tried != (name != of) {
			t.Errorf("%s is of %s, tried %v", name, got, tried)
		}
	}
	for _, c := range []struct {
		name string
		id   reconcile.EventID
		want bool
	}{
		{"activate", "purchase/main/1", false}, {"activate", "purchase/main/TEST-1", false}, {"activate.test", "purchase/main/TEST-1", true},
		{"crm.test", "cart_create/main/1/1", false}, {"activate.again", "purchase/main/1", true}, {"activate.test.again", "purchase/main/TEST-1", true},
	} {
		if got := reconcile.Tried(c.name, c.id); got != c.want {
			t.Errorf("%s at %s: tried %v", c.id, c.name, got)
		}
	}
	if name := reconcile.TestName("crm.test"); name != "crm.test" {
		t.Errorf("the tests of test carts are at %s", name)
	}
}

// TestToSelfLeavesTheCustomerBehind: of a head that is full in every field, the
// test has what is spelled out here. A new field of Head needs a word here.
func TestToSelfLeavesTheCustomerBehind(t *testing.T) {
	full := reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, Email: "ann@example.com", Customer: "c-1", Fields: map[string]string{"phone": "1"},
		Store: "s", Till: "t", Status: "paid", Reverses: "0", Said: 7, CosmeticFields: "names", Chain: []reconcile.ChainStep{{Session: "s"}}, UpdatedAt: time.Now(),
		Currency: "EUR", Channel: "online", Language: "nl", Permitted: true, CartUsed: true, Goods: true, Lines: 1}
	own := reconcile.ToSelf(full, "you@example.com")
	if own.Key.Order != "TEST-1" || own.Email != "you@example.com" || own.Currency != "EUR" || !own.Permitted || !own.CartUsed || !own.Goods {
		t.Errorf("the test is %+v", own)
	}
	stays := []string{"Customer", "Fields", "Store", "Till", "Status", "Reverses", "Said", "Cosmetic", "CosmeticFields", "Chain", "UpdatedAt", "AmbiguousTime", "mark"}
	goes := []string{"Key", "Source", "Origin", "CompletedAt", "OrderedAt", "DayOnly", "Currency", "Channel", "Language", "Email", "Amount", "AmountOf", "LinesSum", "Total",
		"Shipping", "Discount", "Lines", "Goods", "Negative", "Undoes", "Digest", "GoodsDigest", "Permitted", "CartUsed", "Hold", "PendingUntil", "Unpaid", "LeftOut", "Bad", "Merged"}
	value := reflect.ValueOf(own)
	for i := range value.NumField() {
		switch name := value.Type().Field(i).Name; {
		case slices.Contains(stays, name) && !value.Field(i).IsZero():
			t.Errorf("%s goes along", name)
		case !slices.Contains(stays, name) && !slices.Contains(goes, name):
			t.Errorf("nobody says whether %s goes along", name)
		}
	}
}
