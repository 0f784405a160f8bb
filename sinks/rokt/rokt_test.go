package rokt

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/simulator"
	"makegood/sinks/sinktest"
)

var asOf = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func dec(text string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// order has two things of the shop's own and two of Rokt's.
func order(id string) reconcile.Order {
	price := dec("5")
	return reconcile.Order{
		Head: reconcile.Head{
			Key: reconcile.OrderKey{Shop: "main", Order: id}, CompletedAt: asOf.Add(-2 * time.Hour), Currency: "EUR", Channel: "online",
			Fields: map[string]string{"custom_visit": "visit-" + id, "custom_cart": "cart-" + id},
			Amount: dec("20"), LinesSum: dec("20"), AmountOf: reconcile.AmountOfPrices, Lines: 3, Goods: true,
		},
		Items: []reconcile.Line{{SKU: "MUG", Quantity: dec("2"), Price: &price}, {SKU: "wrap", UniqueID: "<i1>", Quantity: dec("1"), Price: &price},
			{SKU: "care", UniqueID: "i2", Quantity: dec("3"), Price: &price}, {SKU: "gone", UniqueID: "i3", Quantity: dec("0")}},
	}
}

func usual() Options {
	return Options{Name: "cart", URL: "http://127.0.0.1:1/", Key: "key-" + sinktest.Canary, Tag: "tag", Session: "custom_visit",
		Cart: "custom_cart", Item: ByUniqueID, MaxAge: 48 * time.Hour}
}

func open(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSuite(t *testing.T) {
	sinktest.Run(t, sinktest.Suite{
		New: func(t *testing.T, url string) reconcile.Sink {
			o := usual()
			o.URL = url
			return open(t, o)
		},
		Orders: func() []reconcile.Order {
			var orders []reconcile.Order
			for i := range 3 {
				o := order(fmt.Sprint(i))
				o.Email = fmt.Sprintf("%s%d@example.com", sinktest.Canary, i)
				orders = append(orders, o)
			}
			return orders
		},
		AsOf: asOf, Accepted: `{}`,
	})
}

// compose gives the event of an order, or the reason of its hold.
func compose(t *testing.T, s *Sink, o reconcile.Order) (reconcile.Event, reconcile.Reason) {
	t.Helper()
	list, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	holds, ok := reconcile.HeldIn(err)
	switch {
	case !ok || len(list)+len(holds) != 1:
		t.Fatalf("%d events, %v", len(list), err)
	case len(holds) == 1:
		return reconcile.Event{}, holds[0].Reason
	}
	return list[0], ""
}

func TestConfirmation(t *testing.T) {
	options := usual()
	options.OrderID = func(h reconcile.Head) (string, error) { return "W" + h.Key.Order, nil }
	e, hold := compose(t, open(t, options), order("1"))
	want := `{"confirm":{"cartId":"cart-1","items":[{"cartItemId":"\u003ci1\u003e","quantity":1},{"cartItemId":"i2","quantity":3}],"orderId":"W1"},"session":"visit-1"}`
	if string(e.Body) != want || hold != "" || e.ID != "cart_confirm/main/1" || e.Action != reconcile.ActionCartConfirm || e.Value.Amount != nil ||
		!e.Expiry.Equal(asOf.Add(46*time.Hour)) {
		t.Errorf("got %s, held %q, %+v", e.Body, hold, e)
	}
}

func TestHolds(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*reconcile.Order)
		want   reconcile.Reason
	}{
		"fine":                     {func(*reconcile.Order) {}, ""},
		"a strange address":        {func(o *reconcile.Order) { o.Email = "none" }, ""},
		"no session":               {func(o *reconcile.Order) { o.Fields["custom_visit"] = "" }, reconcile.ReasonNoCart},
		"no cart":                  {func(o *reconcile.Order) { o.Fields["custom_cart"] = "" }, reconcile.ReasonNoCart},
		"nothing of Rokt's":        {func(o *reconcile.Order) { o.Items = o.Items[:1] }, reconcile.ReasonNoCart},
		"too old":                  {func(o *reconcile.Order) { o.CompletedAt = asOf.Add(-50 * time.Hour) }, reconcile.ReasonTooOld},
		"a return":                 {func(o *reconcile.Order) { o.LinesSum = dec("-1") }, reconcile.ReasonReturn},
		"one item twice":           {func(o *reconcile.Order) { o.Items[2].UniqueID = "<i1>" }, reconcile.ReasonCannotCompose},
		"half an item":             {func(o *reconcile.Order) { o.Items[2].Quantity = dec("0.5") }, reconcile.ReasonCannotCompose},
		"a session with line ends": {func(o *reconcile.Order) { o.Fields["custom_visit"] = "a\r\nb" }, reconcile.ReasonCannotCompose},
	} {
		o := order("1")
		tc.change(&o)
		if _, hold := compose(t, open(t, usual()), o); hold != tc.want {
			t.Errorf("%s: held as %q, want %q", name, hold, tc.want)
		}
	}
	for _, by := range []ItemColumn{ByItem, ByLine} {
		options := usual()
		options.Item = by
		o := order("1")
		o.Items[1].Item, o.Items[2].ID = "i7", "i8"
		if e, _ := compose(t, open(t, options), o); !strings.Contains(string(e.Body), map[ItemColumn]string{ByItem: `"i7"`, ByLine: `"i8"`}[by]) {
			t.Errorf("by %s: %s", by, e.Body)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"name": func(o *Options) { o.Name = "" }, "url": func(o *Options) { o.URL = "" }, "session": func(o *Options) { o.Session = "" },
		"cart_item": func(o *Options) { o.Item = "sku" }, "api_key": func(o *Options) { o.Key += "\n" },
	} {
		o := usual()
		spoil(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), sinktest.Canary) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestAtTheSimulator(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		sim := simulator.New(simulator.Options{Rokt: simulator.RoktRules{RefuseRepeats: refuses}, Accounts: map[string]string{"tag": usual().Key}})
		server := httptest.NewServer(sim)
		t.Cleanup(func() { sim.Close(); server.Close() })
		o := usual()
		o.URL = server.URL
		s := open(t, o)
		e, _ := compose(t, s, order("1"))
		if got := s.Send(t.Context(), []reconcile.Event{e})[0]; got.Verdict != reconcile.Sent {
			t.Fatalf("got %+v", got)
		}
		second, want := s.Send(t.Context(), []reconcile.Event{e})[0].Verdict, reconcile.Sent
		if refuses {
			want = reconcile.Rejected
		}
		c := sim.RoktConfirmations()
		if second != want || len(c) != 1 || c[0].Session != "visit-1" || c[0].CartID != "cart-1" || len(c[0].Items) != 2 || c[0].Items[1].Quantity != 3 {
			t.Errorf("refuses %v: %s, the platform has %+v", refuses, second, c)
		}
		o.Tag = "other"
		if got := open(t, o).Send(t.Context(), []reconcile.Event{e})[0]; !got.Stop || got.Why != "403: login refused" {
			t.Errorf("got %+v", got)
		}
	}
}
