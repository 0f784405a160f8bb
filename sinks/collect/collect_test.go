package collect

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
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

func some(text string) *reconcile.Decimal { d := dec(text); return &d }

// checkout is half an hour old and made in a store.
func checkout(id, email string, lines ...reconcile.Line) reconcile.Order {
	return reconcile.Order{
		Head: reconcile.Head{
			Key: reconcile.OrderKey{Shop: "tills", Order: id}, CompletedAt: asOf.Add(-30 * time.Minute),
			Email: email, Currency: "EUR", Channel: "in_store", Lines: len(lines), Goods: true,
			Amount: dec("10"), LinesSum: dec("10"), AmountOf: reconcile.AmountOfPrices,
		},
		Items: lines,
	}
}

func line(sku, quantity, price string) reconcile.Line {
	return reconcile.Line{SKU: sku, Quantity: dec(quantity), Price: some(price)}
}

// stored is what an open-carts source called web knows of one person.
func stored(email string, lines ...reconcile.CartLine) reconcile.Carts {
	return reconcile.Carts{
		ReadAt: map[string]time.Time{"web": asOf},
		ByName: map[string]map[reconcile.Person]reconcile.Cart{"web": {
			reconcile.EmailPerson(email): {Lines: lines, LastActivity: asOf.Add(-5 * time.Hour)},
		}},
	}
}

// whole sends everything and knows the carts of stores.
func whole() Options {
	return Options{
		Name: "stores", URL: "http://127.0.0.1:1", MID: "123456",
		Send:    []reconcile.Action{reconcile.ActionPurchase, reconcile.ActionCartUpdate, reconcile.ActionCartClear},
		Cart:    map[string]CartRule{"in_store": {KnownBy: KnownByCarts, Source: "web"}, "mobile": {KnownBy: KnownByAlways}},
		CartURL: "https://www.examplestore.com/cart/items.htm", ClearURL: "https://www.examplestore.com/cart/empty.htm",
		MaxAge: 48 * time.Hour,
	}
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

// compose gives the events of an order by kind, and the reasons of its holds,
// those of Expect included.
func compose(t *testing.T, s *Sink, o reconcile.Order, known reconcile.Carts) (map[reconcile.Kind]reconcile.Event, map[reconcile.Kind]reconcile.Reason) {
	t.Helper()
	list, err := s.Compose(o, s.Expect(o.Head, asOf), known, asOf)
	named, ok := reconcile.HeldIn(err)
	if !ok {
		t.Fatal(err)
	}
	events, holds := map[reconcile.Kind]reconcile.Event{}, map[reconcile.Kind]reconcile.Reason{}
	for _, e := range list {
		events[e.Kind] = e
	}
	for _, h := range named {
		holds[h.ID.Kind()] = h.Reason
	}
	return events, holds
}

// same compares two texts as JSON.
func same(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("read %s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSuite(t *testing.T) {
	sinktest.Run(t, sinktest.Suite{
		New: func(t *testing.T, url string) reconcile.Sink {
			o := whole()
			o.URL = url
			return open(t, o)
		},
		Orders: func() []reconcile.Order {
			var orders []reconcile.Order
			for i := range 3 {
				o := checkout(fmt.Sprint(i), fmt.Sprintf("%s%d@example.com", sinktest.Canary, i), line("A", "1", "10"))
				o.Channel = []string{"in_store", "mobile", "telephone"}[i]
				orders = append(orders, o)
			}
			return orders
		},
		Known: stored(sinktest.Canary+"0@example.com", reconcile.CartLine{SKU: "A", Quantity: dec("1")}),
		AsOf:  asOf, Accepted: `{"user_id":"u","session_id":"s"}`,
	})
}

// The customer's document: an order that holds these values makes this body.
func TestSampleUpdate(t *testing.T) {
	const email = "exampleuser@email.com"
	cart := func(item, quantity, price, unique string) reconcile.CartLine {
		return reconcile.CartLine{SKU: unique, Item: item, UniqueID: unique, Quantity: dec(quantity), Price: some(price)}
	}
	known := stored(email, cart("22098765", "2", "29.99", "20080292"), cart("22017432", "4", "49.99", "20088817"),
		cart("22032501", "1", "64.99", "20080089"), cart("9", "1", "5", "9"))
	o := checkout("1", email, line("20088817", "1", "49.99"), line("9", "1", "5"))
	events, holds := compose(t, open(t, whole()), o, known)
	if len(holds) != 0 {
		t.Fatalf("held %v", holds)
	}
	e := events[reconcile.KindCart]
	same(t, e.Body, `{"payload": {"cart": [
		{"item": "22098765", "quantity": "2", "price": "29.99", "unique_id": "20080292"},
		{"item": "22017432", "quantity": "3", "price": "49.99", "unique_id": "20088817"},
		{"item": "22032501", "quantity": "1", "price": "64.99", "unique_id": "20080089"}],
		"url": "https://www.examplestore.com/cart/items.htm", "user_info": {"email": "exampleuser@email.com"}}}`)
	if e.Action != reconcile.ActionCartUpdate {
		t.Errorf("the action is %s", e.Action)
	}
}

func TestSampleClear(t *testing.T) {
	const email = "newuser@example.com"
	known := stored(email, reconcile.CartLine{SKU: "A", Quantity: dec("2")})
	o := checkout("1", email, line("A", "2", "5"))
	events, _ := compose(t, open(t, whole()), o, known)
	same(t, events[reconcile.KindCart].Body, `{"payload": {"clear_cart": true,
		"url": "https://www.examplestore.com/cart/empty.htm", "user_info": {"email": "newuser@example.com"}}}`)
	nested := whole()
	nested.Clear, nested.Identity = ClearNested, IdentitySHA256
	events, _ = compose(t, open(t, nested), o, known)
	same(t, events[reconcile.KindCart].Body, `{"payload": {"cart": {"clear_cart": true},
		"url": "https://www.examplestore.com/cart/empty.htm", "user_info": {"email":
		"f338a2c83bfdde84abe2d3348994d70c34185a234cfbf32f9e323e3578e7e771"}}}`)
}

func TestConversion(t *testing.T) {
	o := checkout("T-1", "jane@example.com", line("A", "2", "3.50"),
		reconcile.Line{SKU: "W1", Item: "W1-item", UniqueID: "W1-unique", Quantity: dec("0.734"), LineTotal: some("9.53")},
		reconcile.Line{SKU: "BAG", Quantity: dec("0"), LineTotal: some("0")})
	o.Shipping, o.Discount = some("4.95"), some("0")
	options := whole()
	options.OrderID = func(h reconcile.Head) (string, error) { return "W" + h.Key.Order, nil }
	events, _ := compose(t, open(t, options), o, reconcile.Carts{})
	e := events[reconcile.KindPurchase]
	same(t, e.Body, `{"payload": {"cart": [
		{"item": "A", "quantity": "2", "price": "3.5", "unique_id": "A"},
		{"item": "W1-item", "quantity": "0.734", "price": "12.9837", "unique_id": "W1-unique"}],
		"order_number": "WT-1", "shipping": "4.95", "discount": "0", "user_info": {"email": "jane@example.com"}}}`)
	if e.Shown != "WT-1" || !e.Expiry.Equal(o.CompletedAt.Add(48*time.Hour)) || e.Value.Amount == nil {
		t.Errorf("got %+v", e)
	}
}

func TestExpect(t *testing.T) {
	onlyPurchases := whole()
	onlyPurchases.Send = []reconcile.Action{reconcile.ActionPurchase}
	onlyClears := whole()
	onlyClears.Send = []reconcile.Action{reconcile.ActionCartClear}
	column := whole()
	column.Cart = map[string]CartRule{"in_store": {KnownBy: KnownByColumn}}
	unwise := whole()
	unwise.Cart = map[string]CartRule{"in_store": {KnownBy: KnownByAlways}}
	for name, tc := range map[string]struct {
		options Options
		change  func(*reconcile.Head)
		want    string
	}{
		"store":                    {whole(), func(*reconcile.Head) {}, "purchase: cart:"},
		"telephone has no cart":    {whole(), func(h *reconcile.Head) { h.Channel = "telephone" }, "purchase:"},
		"online has no cart":       {whole(), func(h *reconcile.Head) { h.Channel = "online" }, "purchase:"},
		"purchases only":           {onlyPurchases, func(*reconcile.Head) {}, "purchase:"},
		"clears only":              {onlyClears, func(*reconcile.Head) {}, "cart:"},
		"no rule for the channel":  {column, func(h *reconcile.Head) { h.Channel = "mobile" }, "purchase: cart:cart_unknown"},
		"column says no":           {column, func(*reconcile.Head) {}, "purchase: cart:cart_unknown"},
		"column says yes":          {column, func(h *reconcile.Head) { h.CartUsed = true }, "purchase: cart:"},
		"always, but in a store":   {unwise, func(*reconcile.Head) {}, "purchase: cart:cart_unknown"},
		"no address":               {whole(), func(h *reconcile.Head) { h.Email = "" }, "purchase:no_email cart:no_email"},
		"too old for any cart":     {whole(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(-25 * time.Hour) }, "purchase: cart:too_old"},
		"too old without carts":    {column, func(h *reconcile.Head) { h.CartUsed, h.CompletedAt = true, asOf.Add(-61*time.Minute) }, "purchase: cart:too_old"},
		"too old for the purchase": {whole(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(-49 * time.Hour) }, "purchase:too_old cart:too_old"},
	} {
		o := checkout("1", "jane@example.com", line("A", "1", "10"))
		tc.change(&o.Head)
		got := ""
		for _, w := range open(t, tc.options).Expect(o.Head, asOf) {
			got += fmt.Sprintf(" %s:%s", w.Kind, w.Hold)
			if (w.Kind == reconcile.KindCart) != (w.Value.Amount == nil) {
				t.Errorf("%s: the value of %s is %v", name, w.Kind, w.Value)
			}
			if after := w.Kind == reconcile.KindCart && tc.options.Send[0] == reconcile.ActionPurchase; after != (len(w.After) == 1) {
				t.Errorf("%s: %s waits for %v", name, w.Kind, w.After)
			}
		}
		if got != " "+tc.want {
			t.Errorf("%s: got%s, want %s", name, got, tc.want)
		}
	}
}

func TestCartsAreTouchedOnKnowledgeOnly(t *testing.T) {
	const email = "jane@example.com"
	a := reconcile.CartLine{SKU: "A", Quantity: dec("1")}
	b := reconcile.CartLine{SKU: "B", Quantity: dec("1")}
	newer := stored(email, a)
	newer.ByName["web"][reconcile.EmailPerson(email)] = reconcile.Cart{Lines: []reconcile.CartLine{a}, LastActivity: asOf}
	undated := stored(email, a)
	undated.ByName["web"][reconcile.EmailPerson(email)] = reconcile.Cart{Lines: []reconcile.CartLine{a}}
	for name, tc := range map[string]struct {
		known  reconcile.Carts
		send   reconcile.Action
		action reconcile.Action
		hold   reconcile.Reason
	}{
		"all bought":         {stored(email, a), "", reconcile.ActionCartClear, ""},
		"part bought":        {stored(email, a, b), "", reconcile.ActionCartUpdate, ""},
		"nothing stored":     {stored("joe@example.com", a), "", "", reconcile.ReasonNoCart},
		"other things":       {stored(email, b), "", "", reconcile.ReasonCartUnrelated},
		"filled since":       {newer, "", "", reconcile.ReasonCartNewer},
		"undated":            {undated, "", "", reconcile.ReasonCartOrderUnknown},
		"carts not read":     {reconcile.Carts{}, "", "", reconcile.ReasonCartUnknown},
		"updates not wanted": {stored(email, a, b), reconcile.ActionCartClear, "", reconcile.ReasonCartNotSent},
		"clears not wanted":  {stored(email, a), reconcile.ActionCartUpdate, "", reconcile.ReasonCartNotSent},
	} {
		options := whole()
		if tc.send != "" {
			options.Send = []reconcile.Action{tc.send}
		}
		events, holds := compose(t, open(t, options), checkout("1", email, line("A", "1", "10")), tc.known)
		e, made := events[reconcile.KindCart]
		if made != (tc.hold == "") || e.Action != tc.action || holds[reconcile.KindCart] != tc.hold {
			t.Errorf("%s: %s, held as %q", name, e.Action, holds[reconcile.KindCart])
		}
	}
}

// What must still be true at the moment of sending goes with the event.
func TestCartCheck(t *testing.T) {
	const email = "jane@example.com"
	known := stored(email, reconcile.CartLine{SKU: "A", Quantity: dec("1")})
	o := checkout("1", email, line("A", "1", "10"))
	s := open(t, whole())
	events, _ := compose(t, s, o, known)
	e := events[reconcile.KindCart]
	want := reconcile.CartCheck{
		Carts: "web", CheckedOut: o.CompletedAt, Margin: DefaultMargin, Before: o.CompletedAt.Add(24 * time.Hour),
		Digest: known.Of("web", reconcile.EmailPerson(email)).Digest(),
	}
	if e.Cart != want {
		t.Errorf("got %+v\nwant %+v", e.Cart, want)
	}
	if len(e.After) != 1 || e.After[0] != "purchase/tills/1" || e.Value.Amount != nil {
		t.Errorf("after %v, worth %v", e.After, e.Value)
	}
	o.Channel = "mobile"
	events, _ = compose(t, s, o, reconcile.Carts{})
	want = reconcile.CartCheck{CheckedOut: o.CompletedAt, Margin: DefaultMargin, Before: o.CompletedAt.Add(time.Hour)}
	if got := events[reconcile.KindCart]; got.Cart != want || got.Action != reconcile.ActionCartClear {
		t.Errorf("mobile: got %s %+v", got.Action, got.Cart)
	}
}

func TestTraits(t *testing.T) {
	for kind, traits := range open(t, whole()).Traits() {
		if traits.MergesRepeats || traits.MaxBatch != 1 || traits.MaxAge == 0 {
			t.Errorf("%s: %+v", kind, traits)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"name":      func(o *Options) { o.Name = "" },
		"url":       func(o *Options) { o.URL = "" },
		"mid":       func(o *Options) { o.MID = "" },
		"send":      func(o *Options) { o.Send = nil },
		"max_age":   func(o *Options) { o.MaxAge = 0 },
		"cart_url":  func(o *Options) { o.CartURL = "" },
		"clear_url": func(o *Options) { o.ClearURL = "" },
	} {
		o := whole()
		spoil(&o)
		if _, err := New(o); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
}

func TestAtTheSimulator(t *testing.T) {
	for _, suffix := range []string{"", ".json"} {
		sim := simulator.New(simulator.Options{Clock: func() time.Time { return asOf }})
		server := httptest.NewServer(sim)
		options := whole()
		options.URL, options.Suffix = server.URL+"/", suffix
		s := open(t, options)
		const email = "jane@example.com"
		web := stored(email, reconcile.CartLine{SKU: "A", Quantity: dec("1"), Price: some("10")},
			reconcile.CartLine{SKU: "B", Quantity: dec("2"), Price: some("2.50")})
		events, holds := compose(t, s, checkout("1", email, line("A", "1", "10")), web)
		if len(holds) != 0 {
			t.Fatal(holds)
		}
		batch := []reconcile.Event{events[reconcile.KindPurchase], events[reconcile.KindCart]}
		for i, o := range s.Send(t.Context(), batch) {
			if o.ID != batch[i].ID || o.Verdict != reconcile.Sent {
				t.Errorf("got %+v", o)
			}
		}
		cart, ok := sim.Cart("123456", email)
		if !ok || len(cart.Lines) != 1 || cart.Lines[0] != (simulator.CartLine{Item: "B", Quantity: "2", Price: "2.5", UniqueID: "B"}) {
			t.Errorf("the platform has %+v", cart)
		}
		if got := sim.Conversions("123456"); len(got) != 1 || got[0].Count != 1 {
			t.Errorf("the platform has %+v", got)
		}
		sim.Close()
		server.Close()
	}
}
