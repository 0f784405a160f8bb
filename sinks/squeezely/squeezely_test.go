package squeezely

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
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

// order is a purchase of one product, six for 2.55 each.
func order(id string) reconcile.Order {
	return reconcile.Order{
		Head: reconcile.Head{
			Key: reconcile.OrderKey{Shop: "main", Order: id}, CompletedAt: asOf.Add(-2 * time.Hour),
			Email: "jane@example.com", Customer: "17850", Currency: "GBP", Channel: "online",
			Amount: dec("15.30"), LinesSum: dec("15.30"), AmountOf: reconcile.AmountOfPrices, Lines: 1, Goods: true,
		},
		Items: []reconcile.Line{{SKU: "85123A", Name: "HOLDER <WHITE>", Quantity: dec("6"), Price: some("2.55")}},
	}
}

func open(t *testing.T, o Options) *Sink {
	t.Helper()
	o.Name = "activate"
	if o.URL == "" {
		o.URL = "http://127.0.0.1:1"
	}
	o.Account, o.Key = "shop", "key-"+sinktest.Canary
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func compose(t *testing.T, s *Sink, o reconcile.Order) reconcile.Event {
	t.Helper()
	events, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	if err != nil || len(events) != 1 {
		t.Fatalf("order %s gave %d events: %v", o.Key.Order, len(events), err)
	}
	return events[0]
}

// fields decodes a body with its numbers as they stand.
func fields(t *testing.T, e reconcile.Event) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(e.Body))
	decoder.UseNumber()
	var body map[string]any
	if err := decoder.Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestSuite(t *testing.T) {
	for _, batch := range []int{1, 3} {
		sinktest.Run(t, sinktest.Suite{
			New: func(t *testing.T, url string) reconcile.Sink { return open(t, Options{URL: url, Batch: batch}) },
			Orders: func() []reconcile.Order {
				var orders []reconcile.Order
				for i := range 4 {
					o := order(fmt.Sprint(i))
					o.Email = sinktest.Canary + "@example.com"
					orders = append(orders, o)
				}
				return orders
			},
			AsOf: asOf, Accepted: `{"success":true}`, Batch: map[int]*sinktest.Batch{3: {Events: taken, Refusing: allOrNothing}}[batch],
		})
	}
}

// taken takes a request apart: one event as it is, or a list.
func taken(request []byte) []json.RawMessage {
	var whole struct{ Events []json.RawMessage }
	if json.Unmarshal(request, &whole) != nil || whole.Events == nil {
		return []json.RawMessage{request}
	}
	return whole.Events
}

func allOrNothing([]byte, []int) (status int, body string, keeps bool) {
	return 400, `{"errors":["no"]}`, false
}

func TestMinimumPurchase(t *testing.T) {
	o := order("536365")
	o.Items[0].Name, o.Items[0].Price, o.Currency = "", nil, ""
	e := compose(t, open(t, Options{}), o)
	want := `{"email":"jane@example.com","event":"Purchase","orderid":"536365",` +
		`"products":[{"id":"85123A","quantity":6}],"timestamp":1795168800}`
	if string(e.Body) != want {
		t.Errorf("got  %s\nwant %s", e.Body, want)
	}
	if e.Action != reconcile.ActionPurchase || e.Shown != "536365" || !e.Expiry.IsZero() {
		t.Errorf("got %+v", e)
	}
}

func TestWholePurchase(t *testing.T) {
	o := order("536365")
	o.OrderedAt = asOf.AddDate(0, 0, -12)
	o.Language = "nl_NL"
	o.AmountOf, o.Amount, o.LinesSum = reconcile.AmountOfLineTotals, dec("24.885"), dec("24.885")
	o.Fields = map[string]string{
		"userid": "C-17850", "firstname": "Jane", "gender": "f", "birthdate": "1990-02-30", "country": "nl",
		"newsletter": "Yes", "marketing": "maybe", "custom_store": "Utrecht", "other": "x",
	}
	o.Items = append(o.Items,
		reconcile.Line{SKU: "W1", Quantity: dec("0.734"), LineTotal: some("9.53"), Language: "de-DE", CategoryIDs: []string{"12", "K-7"}},
		reconcile.Line{SKU: "GIFT", Quantity: dec("0"), LineTotal: some("0.055")})
	o.Lines = 3
	s := open(t, Options{
		Profile: ProfileFreshOnly, Email: EmailSHA256, MaxAge: 30 * 24 * time.Hour,
		OrderID: func(h reconcile.Head) (string, error) { return "W" + h.Key.Order, nil },
	})
	o.Email = " Jane@Example.COM "
	e := compose(t, s, o)
	sum := sha256.Sum256([]byte("jane@example.com"))
	want := map[string]any{
		"event": "Purchase", "email": hex.EncodeToString(sum[:]), "orderid": "W536365", "currency": "GBP",
		"language": "nl-NL", "timestamp": json.Number("1794139200"), "totalvalue": json.Number("24.89"), "userid": "C-17850",
		"firstname": "Jane", "gender": "F", "country": "NL", "newsletter": "yes", "custom_store": "Utrecht",
		"products": []any{
			map[string]any{"id": "85123A", "name": "HOLDER <WHITE>", "price": json.Number("2.55"),
				"quantity": json.Number("6"), "language": "nl-NL"},
			map[string]any{"id": "W1", "price": json.Number("12.9837"), "quantity": json.Number("0.734"), "language": "de-DE",
				"category_ids": []any{"12", "K-7"}},
		},
	}
	if got := fields(t, e); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !e.Expiry.Equal(o.CompletedAt.Add(30*24*time.Hour)) || e.Shown != "W536365" {
		t.Errorf("expires %s, shown %q", e.Expiry, e.Shown)
	}
}

func TestTotalValue(t *testing.T) {
	for name, tc := range map[string]struct {
		of                      reconcile.AmountOf
		currency, amount, total string
		value                   reconcile.ValueOf
		want                    string
	}{
		"prices":                   {reconcile.AmountOfPrices, "GBP", "15.30", "", "", ""},
		"prices, and kept fees":    {reconcile.AmountOfPrices, "GBP", "20.25", "", "", "20.25"},
		"line totals, half up":     {reconcile.AmountOfLineTotals, "EUR", "10.125", "", "", "10.13"},
		"total":                    {reconcile.AmountOfTotal, "SEK", "1000", "1000", "", "1000"},
		"yen":                      {reconcile.AmountOfTotal, "JPY", "1000.5", "1000.5", "", "1001"},
		"dinar":                    {reconcile.AmountOfTotal, "KWD", "1.2345", "1.2345", "", "1.235"},
		"order total beside lines": {reconcile.AmountOfPrices, "EUR", "15.30", "20.25", reconcile.ValueOrderTotal, "20.25"},
		"goods beside a total":     {reconcile.AmountOfTotal, "EUR", "20.25", "20.25", reconcile.ValueGoods, "15.3"},
	} {
		o := order("1")
		o.AmountOf, o.Amount, o.Currency, o.Shipping = tc.of, dec(tc.amount), tc.currency, nil
		if tc.total != "" {
			o.Total = some(tc.total)
			shipping, err := reconcile.Add(*o.Total, o.LinesSum.Neg())
			if err != nil {
				t.Fatal(err)
			}
			o.Shipping = &shipping
		}
		got, sent := fields(t, compose(t, open(t, Options{Value: tc.value}), o))["totalvalue"]
		if sent != (tc.want != "") || sent && got != json.Number(tc.want) {
			t.Errorf("%s: got %v, want %q", name, got, tc.want)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, tc := range []struct{ text, fallback, want string }{
		{"", "", ""}, {"", "nl-NL", "nl-NL"}, {"nl_NL", "", "nl-NL"}, {"NL-nl", "", "nl-NL"}, {"en-GB", "nl-NL", "en-GB"},
		{"nl", "nl-BE", "nl-BE"}, {"nl", "", "held"}, {"de", "nl-NL", "held"}, {"Dutch", "nl-NL", "held"},
		{"nl-NLD", "", "held"}, {"n1-NL", "", "held"}, {"nl-NL-x", "", "held"}, {"é-NL", "", "held"},
	} {
		got, ok := languageOf(tc.text, tc.fallback)
		if !ok {
			got = "held"
		}
		if got != tc.want {
			t.Errorf("%q with %q: got %q, want %q", tc.text, tc.fallback, got, tc.want)
		}
	}
	o := order("1")
	o.Language = "Dutch"
	if w := open(t, Options{}).Expect(o.Head, asOf); w[0].Hold != reconcile.ReasonNoLanguage {
		t.Errorf("held as %q", w[0].Hold)
	}
	o.Language, o.Items[0].Language = "", "Dutch"
	s := open(t, Options{})
	_, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	if holds, _ := reconcile.HeldIn(err); len(holds) != 1 || holds[0].Reason != reconcile.ReasonNoLanguage {
		t.Errorf("a line's language: %v", err)
	}
}

// Old orders overwrite nothing that is newer, and nobody is opted out.
func TestProfilePolicies(t *testing.T) {
	for _, tc := range []struct {
		policy ProfileFields
		age    time.Duration
		want   string
	}{
		{ProfileNever, time.Hour, "newsletter"}, {ProfileNever, 25 * time.Hour, ""},
		{ProfileFreshOnly, time.Hour, "firstname newsletter"}, {ProfileFreshOnly, 25 * time.Hour, ""},
		{ProfileAlways, 25 * time.Hour, "firstname newsletter"},
	} {
		o := order("1")
		o.CompletedAt = asOf.Add(-tc.age)
		o.Fields = map[string]string{"firstname": "Jane", "newsletter": "no", "service": "", "marketing": "0"}
		body := fields(t, compose(t, open(t, Options{Profile: tc.policy}), o))
		var got []string
		for _, name := range []string{"firstname", "newsletter", "service", "marketing"} {
			if _, ok := body[name]; ok {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%q after %s: got %v, want %q", tc.policy, tc.age, got, tc.want)
		}
	}
}

func TestExpect(t *testing.T) {
	s := open(t, Options{MaxAge: time.Hour * 24})
	o := order("1/2")
	w := s.Expect(o.Head, asOf)[0]
	if w.ID != "purchase/main/1%2F2" || w.Hold != "" || w.Value.Amount.String() != "15.30" && w.Value.Amount.String() != "15.3" ||
		w.Value.Currency != "GBP" || w.Value.Of != reconcile.AmountOfPrices {
		t.Errorf("got %+v", w)
	}
	o.CompletedAt = asOf.Add(-25 * time.Hour)
	if w := s.Expect(o.Head, asOf)[0]; w.Hold != reconcile.ReasonTooOld {
		t.Errorf("held as %q", w.Hold)
	}
	if traits := s.Traits()[reconcile.KindPurchase]; !traits.MergesRepeats || traits.MaxBatch != 1 {
		t.Errorf("got %+v", traits)
	}
	if open(t, Options{CountsRepeats: true}).Traits()[reconcile.KindPurchase].MergesRepeats {
		t.Error("the belief in merging was withdrawn")
	}
}

func TestComposeHoldsBack(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*reconcile.Order, *Options)
		want   reconcile.Reason
	}{
		"no number": {func(_ *reconcile.Order, o *Options) {
			o.OrderID = func(reconcile.Head) (string, error) { return "", errors.New("no column") }
		}, reconcile.ReasonCannotCompose},
		"no sku":   {func(o *reconcile.Order, _ *Options) { o.Items[0].SKU = "" }, reconcile.ReasonCannotCompose},
		"no lines": {func(o *reconcile.Order, _ *Options) { o.Items[0].Quantity = dec("0") }, reconcile.ReasonNoGoods},
	} {
		o, options := order("1"), Options{}
		tc.change(&o, &options)
		s := open(t, options)
		events, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
		holds, _ := reconcile.HeldIn(err)
		if len(events) != 0 || len(holds) != 1 || holds[0].Reason != tc.want {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {Name: "a"}, {Name: "a", URL: "https://example.com", Key: sinktest.Canary + "\n"}} {
		_, err := New(o)
		if err == nil || strings.Contains(err.Error(), sinktest.Canary) {
			t.Errorf("got %v", err)
		}
	}
}
