package placement

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

var began = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func dec(text string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// item is a cart item as JSON: an offer, the impression, and how many.
func item(catalog, impression string, n int) string {
	return fmt.Sprintf(`{"cartItemId":%q,"catalogItemId":%q,"currency":"EUR","name":"Offer","quantity":%d,"unitPrice":4.99}`, impression, catalog, n)
}

// said makes a message of the placement so many seconds after the beginning.
func said(t *testing.T, second int, now, old string) Message {
	t.Helper()
	return parsed(t, fmt.Sprintf(`{"session":"s1","at":%q,"attributes":{"order":"1001","email":"jane@example.com"},"body":{"cartItem":%s,"oldCartItem":%s}}`,
		began.Add(time.Duration(second)*time.Second).Format(time.RFC3339), now, old))
}

func asked(t *testing.T, second int, impression string, n int) Message {
	t.Helper()
	return parsed(t, fmt.Sprintf(`{"message":"V2_UPDATE_CART_ITEM","session":"s1","at":%q,"body":{"cartItemId":%q,"quantity":%d}}`,
		began.Add(time.Duration(second)*time.Second).Format(time.RFC3339), impression, n))
}

func parsed(t *testing.T, text string) Message {
	t.Helper()
	m, err := Parser{Attributes: []string{"order"}}.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

func TestParse(t *testing.T) {
	m := said(t, 0, `{"cartItemId":"i1","catalogItemId":"c1","currency":"eur","name":"Care","linkedProductId":"MUG","unitPrice":"4.990"}`, "null")
	i := m.Item
	if m.Kind != Updated || m.Old != nil || i.CartItem != "i1" || i.Catalog != "c1" || i.Currency != "EUR" || i.Linked != "MUG" ||
		i.Quantity.String() != "1" || i.Price.String() != "4.99" || !m.At.Equal(began) {
		t.Errorf("got %+v, %+v", m, i)
	}
	if !reflect.DeepEqual(m.Attributes, map[string]string{"order": "1001"}) {
		t.Errorf("kept %v", m.Attributes)
	}
	u := asked(t, 0, "i1", 0)
	if u.Kind != Update || u.CartItem != "i1" || !u.Quantity.IsZero() {
		t.Errorf("got %+v", u)
	}
}

// Bad messages say what is wrong, and none of what they hold.
func TestParseRefuses(t *testing.T) {
	const secret = "canary3f9a"
	whole := `{"session":"s1","at":"2026-11-20T10:00:00Z","attributes":{},"body":{"cartItem":{"cartItemId":"i","catalogItemId":"c"},"oldCartItem":null}}`
	for want, change := range map[string][2]string{
		"is no JSON":                    {whole, `{"session":"` + secret},
		"is no message":                 {whole, `["` + secret + `"]`},
		"has no time":                   {"2026-11-20T10:00:00Z", secret},
		"has no session":                {`"s1"`, `""`},
		"names no item":                 {`{"cartItemId":"i","catalogItemId":"c"}`, "null"},
		"cartItem.cartItemId is":        {`"cartItemId":"i"`, `"x":"` + secret + `"`},
		"cartItem.catalogItemId is":     {`"catalogItemId":"c"`, `"x":"` + secret + `"`},
		"cartItem is not as":            {`"c"`, `{"` + secret + `":1}`},
		"quantity is no whole":          {`"c"`, `"c","quantity":1.5`},
		"quantity is out of":            {`"c"`, `"c","quantity":-1`},
		"quantity is not a plain":       {`"c"`, `"c","quantity":1e3`},
		"unitPrice is not a plain":      {`"c"`, `"c","unitPrice":"` + secret + `"`},
		"has more than 500":             {`"c"`, `"` + strings.Repeat("c", 501) + `"`},
		"is neither":                    {`"session"`, `"message":"` + secret + `","session"`},
		"is nested deeper":              {`"attributes":{}`, `"attributes":{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`},
		"is larger than 64":             {`"attributes":{}`, `"attributes":{"a":"` + strings.Repeat("x", 65<<10) + `"}`},
		"has no body with cartItemId":   {`"session"`, `"message":"V2_UPDATE_CART_ITEM","session"`},
		"has no body with cartItem and": {`{"cartItem":{"cartItemId":"i","catalogItemId":"c"},"oldCartItem":null}`, `7`},
	} {
		_, err := Parser{}.Parse([]byte(strings.Replace(whole, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// fold adds messages in an order of their own: it must not matter.
func fold(t *testing.T, messages ...Message) *Session {
	t.Helper()
	var first []State
	for round := range 20 {
		f := &Fold{}
		for _, i := range rand.New(rand.NewPCG(1, uint64(round))).Perm(len(messages)) {
			if err := f.Add(messages[i]); err != nil {
				t.Fatal(err)
			}
		}
		s := f.Sessions()[0]
		if round == 0 {
			first = s.Items()
		}
		if !reflect.DeepEqual(first, s.Items()) {
			t.Fatalf("another order gives %+v, not %+v", s.Items(), first)
		}
		if round == 19 {
			return s
		}
	}
	return nil
}

// Items are folded by the catalog's id: a second impression is the same item.
func TestFold(t *testing.T) {
	s := fold(t, said(t, 0, item("c1", "i1", 1), "null"), said(t, 10, item("c1", "i2", 3), item("c1", "i1", 1)),
		said(t, 20, item("c2", "i3", 1), "null"), said(t, 30, "null", item("c2", "i3", 1)),
		said(t, 40, item("c4", "i5", 2), item("c3", "i4", 1)), said(t, 5, item("c3", "i4", 1), "null"),
		asked(t, 15, "i1", 2), asked(t, 25, "i3", 0), asked(t, 50, "i5", 1), asked(t, 60, "i9", 1))
	got := ""
	for _, i := range s.Items() {
		got += fmt.Sprintf(" %s:%s", i.Item.Catalog, i.Has)
		if i.Asked != nil {
			got += "?" + i.Asked.Quantity.String()
		}
	}
	// i1 was asked for after the last word about c1, i3 was answered.
	if got != " c1:3?2 c2:0 c3:0 c4:2?1" || s.Unknown() != 1 || s.Attributes["order"] != "1001" {
		t.Errorf("got%s, %d unknown, %v", got, s.Unknown(), s.Attributes)
	}
}

func TestFoldIsBounded(t *testing.T) {
	s := NewSession("s")
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = s.Add(Message{Kind: Updated, Session: "s", At: began, Item: &Item{Catalog: fmt.Sprint(i), CartItem: fmt.Sprint(i)}})
	}
	if err == nil || len(s.items) > maxItems {
		t.Errorf("%d items are kept: %v", len(s.items), err)
	}
	for i, err := 0, error(nil); err == nil; i++ {
		if err = s.Add(Message{Kind: Update, Session: "s", At: began, CartItem: fmt.Sprint("x", i)}); i > 10_000 {
			t.Fatal("requests are kept without end")
		}
	}
}

func order(lines ...string) *Order {
	o := &Order{Order: reconcile.Order{Head: reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "1001"}, Currency: "EUR"}}}
	for _, l := range lines {
		sku, n, _ := strings.Cut(l, ":")
		price := dec("5")
		o.Items = append(o.Items, reconcile.Line{SKU: sku, Quantity: dec(n), Price: &price})
	}
	return o
}

func TestCompare(t *testing.T) {
	linked := `{"cartItemId":"i","catalogItemId":"c1","linkedProductId":"MUG","unitPrice":4.99,"currency":"EUR"}`
	noPrice := `{"cartItemId":"i","catalogItemId":"c1","quantity":2}`
	for name, tc := range map[string]struct {
		messages []Message
		order    *Order
		want     string
	}{
		"the same":               {[]Message{said(t, 0, item("c1", "i1", 2), "null")}, order("c1:2", "MUG:1"), ""},
		"removed by both":        {[]Message{said(t, 0, "null", item("c1", "i1", 2))}, order("MUG:1"), ""},
		"not on the order":       {[]Message{said(t, 0, item("c1", "i1", 2), "null")}, order("MUG:1"), "not_on_order 2/0 9.98"},
		"removed at Rokt":        {[]Message{said(t, 0, "null", item("c1", "i1", 2))}, order("c1:1", "c1:2"), "still_on_order 0/3 14.97"},
		"another quantity":       {[]Message{said(t, 0, item("c1", "i1", 2), "null")}, order("c1:5"), "wrong_quantity 2/5 14.97"},
		"a quantity of none":     {[]Message{said(t, 0, item("c1", "i1", 0), "null")}, order("c1:1"), "still_on_order 0/1 4.99"},
		"with its product":       {[]Message{said(t, 0, linked, "null")}, order("c1:1", "MUG:1"), ""},
		"the product is gone":    {[]Message{said(t, 0, linked, "null")}, order("c1:1"), "linked_gone 1/1 4.99"},
		"both are gone":          {[]Message{said(t, 0, linked, "null")}, order("TOWEL:1"), "linked_gone 1/0 4.99"},
		"gone at Rokt, too":      {[]Message{said(t, 0, "null", linked)}, order("TOWEL:1"), ""},
		"never answered":         {[]Message{said(t, 0, item("c1", "i1", 2), "null"), asked(t, 1, "i1", 0)}, order("c1:2"), "loop_open 2/2 9.98"},
		"answered":               {[]Message{said(t, 0, item("c1", "i1", 1), "null"), asked(t, 1, "i1", 2), said(t, 2, item("c1", "i1", 2), item("c1", "i1", 1))}, order("c1:2"), ""},
		"the order's price":      {[]Message{said(t, 0, noPrice, "null")}, order("c1:1"), "wrong_quantity 2/1 5"},
		"nobody's price":         {[]Message{said(t, 0, noPrice, "null")}, order("MUG:1"), "not_on_order 2/0 "},
		"no such order":          {[]Message{said(t, 0, item("c1", "i1", 1), "null")}, nil, "order_unknown 1/0 4.99"},
		"no such order, nothing": {[]Message{said(t, 0, "null", item("c1", "i1", 1))}, nil, ""},
		"an order left out":      {[]Message{said(t, 0, item("c1", "i1", 1), "null")}, &Order{Left: "cancelled"}, "order_unknown 1/0 4.99"},
	} {
		r := Compare([]*Session{fold(t, tc.messages...)}, func(s *Session) (string, *Order) { return s.Attributes["order"], tc.order })
		got := ""
		for _, f := range r.Findings {
			amount := ""
			if f.Amount != nil {
				amount = f.Amount.String()
			}
			got += fmt.Sprintf("%s %s/%s %s", f.Difference, f.AtRokt, f.OnOrder, amount)
		}
		if got != tc.want || (got == "") != (r.Agreed == 1) || r.Sessions != 1 {
			t.Errorf("%s: got %q, want %q; %+v", name, got, tc.want, r)
		}
	}
}

// The findings that are worth most come first, those of unknown worth last.
func TestMoneyComesFirst(t *testing.T) {
	var sessions []*Session
	for i, n := range []int{1, 30, 2, 9} {
		m := said(t, 0, item("c1", "i", n), "null")
		m.Session = fmt.Sprint("s", i)
		if i == 2 {
			m.Item.Price = nil
		}
		s := NewSession(m.Session)
		if err := s.Add(m); err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	sessions = append(sessions, NewSession("nothing"))
	r := Compare(sessions, func(s *Session) (string, *Order) { return "1", order() })
	got := ""
	for _, f := range r.Findings {
		got += " " + f.Session
	}
	n, money := r.Money(NotOnOrder)
	if got != " s1 s3 s0 s2" || n != 4 || money.String() != "199.6 EUR" || r.Sessions != 4 || r.WithOrder != 4 {
		t.Errorf("got%s, %d worth %s, %+v", got, n, money, r)
	}
	if r := Compare(sessions, func(*Session) (string, *Order) { return "", nil }); r.NoOrder != 4 || len(r.Findings) != 0 {
		t.Errorf("without orders: %+v", r)
	}
}
