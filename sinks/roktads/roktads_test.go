package roktads

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
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
			Email: " Jane@example.com ", Currency: "GBP", Channel: "online", Fields: map[string]string{},
			Amount: dec("15.30"), LinesSum: dec("15.30"), AmountOf: reconcile.AmountOfPrices, Lines: 1, Goods: true,
		},
		Items: []reconcile.Line{{SKU: "85123A", Name: "HOLDER", Quantity: dec("6"), Price: some("2.55")}},
	}
}

func events() Options {
	return Options{Name: "ads", URL: "http://127.0.0.1:1", API: Events, Key: "key", Secret: "s-" + sinktest.Canary,
		Environment: "production", Type: "purchase", Identities: []Identity{Email, Hash, ClickID}}
}

func conversions() Options {
	o := events()
	o.API, o.Environment, o.Account = Conversions, "", "12345"
	return o
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

func compose(t *testing.T, s *Sink, o reconcile.Order) reconcile.Event {
	t.Helper()
	list, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	if err != nil || len(list) != 1 {
		t.Fatalf("order %s gave %d events: %v", o.Key.Order, len(list), err)
	}
	return list[0]
}

// same compares a body with JSON text, keys in any order.
func same(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(want), &value); err != nil {
		t.Fatal(err)
	}
	canonical, err := json.Marshal(value)
	if err != nil || !bytes.Equal(got, canonical) {
		t.Errorf("got  %s\nwant %s (%v)", got, canonical, err)
	}
}

// refusing answers as the platform does: by the path at the Event & Audience
// API, by the index at the other one.
func refusing(api API) func(request []byte, bad []int) (int, string, bool) {
	return func(request []byte, bad []int) (int, string, bool) {
		all := len(bad) == len(taken(api)(request))
		var list []string
		for _, i := range bad {
			one := fmt.Sprintf(`{"code":"BAD_REQUEST","message":"Error. Path '[%d].events[0]', line 1, position 9."}`, i)
			if api == Conversions {
				one = fmt.Sprintf(`{"index":%d,"message":"no"}`, i)
			}
			list = append(list, one)
		}
		body := `{"errors":[` + strings.Join(list, ",") + `]}`
		switch {
		case api == Conversions:
			return 200, body, true
		case all:
			return 400, body, false
		}
		return 202, body, true
	}
}

func taken(api API) func(request []byte) []json.RawMessage {
	return func(request []byte) (items []json.RawMessage) {
		if api == Conversions {
			var whole struct{ Events []json.RawMessage }
			_ = json.Unmarshal(request, &whole) // what cannot be read has no events
			return whole.Events
		}
		_ = json.Unmarshal(request, &items) // likewise
		return items
	}
}

func TestSuite(t *testing.T) {
	for _, options := range []Options{events(), conversions()} {
		t.Run(string(options.API), func(t *testing.T) {
			status, body := 202, ""
			if options.API == Conversions {
				status, body = 200, `{"errors":[]}`
			}
			sinktest.Run(t, sinktest.Suite{
				New: func(t *testing.T, url string) reconcile.Sink {
					o := options
					o.URL = url
					return open(t, o)
				},
				Orders: func() []reconcile.Order {
					var orders []reconcile.Order
					for i := range 7 {
						o := order(fmt.Sprintf("%d", i))
						o.Email = fmt.Sprintf("%s%d@example.com", sinktest.Canary, i)
						orders = append(orders, o)
					}
					orders[3].Items[0].SKU = "<ü🙂>"
					return orders
				},
				AsOf: asOf, Accepted: body, AcceptedStatus: status,
				Batch: &sinktest.Batch{Events: taken(options.API), Refusing: refusing(options.API), MaxBody: maxBody,
					TooLarge: maxItem, Sized: func(n, bytes int) reconcile.Order {
						o := order(fmt.Sprint(n))
						o.Email = fmt.Sprintf("%s%d@example.com", sinktest.Canary, n)
						o.Fields["click_id"] = strings.Repeat("x", bytes)
						return o
					}},
			})
		})
	}
}

// The item, in the words of the sheet of facts.
func TestItem(t *testing.T) {
	o := order("536365")
	o.OrderedAt, o.Fields["click_id"] = asOf.Add(-26*time.Hour), "rclid-1"
	options := events()
	options.OrderID = func(h reconcile.Head) (string, error) { return "W" + h.Key.Order, nil }
	e := compose(t, open(t, options), o)
	same(t, e.Body, `{"environment": "production",
		"user_identities": {"email": "Jane@example.com", "other2": "rclid-1",
			"other": "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d"},
		"events": [{"event_type": "custom_event", "data": {"custom_event_type": "transaction", "event_name": "conversion",
			"source_message_id": "purchase/main/536365", "timestamp_unixtime_ms": 1795082400000,
			"custom_attributes": {"conversiontype": "purchase", "confirmationref": "W536365", "amount": "15.3",
				"currency": "GBP", "quantity": "6", "sku": "85123A"}}}]}`)
	if e.Shown != "W536365" || !e.Expiry.Equal(o.OrderedAt.Add(MaxAgeEvents)) {
		t.Errorf("shown %q, expiry %s", e.Shown, e.Expiry)
	}
}

func TestConversionItem(t *testing.T) {
	o := order("536365")
	o.Items = append(o.Items, reconcile.Line{SKU: "W", Quantity: dec("0.734"), Price: some("1")})
	options := conversions()
	options.Identities = []Identity{Hash}
	e := compose(t, open(t, options), o)
	same(t, e.Body, `{"conversionId": "536365", "conversionType": "purchase", "eventTime": "2026-11-20T10:00:00.000Z",
		"emailsha256": "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d", "amount": "15.3", "currency": "GBP"}`)
	options.Test = true
	f := open(t, options).frame([]reconcile.Event{e, e})
	same(t, f.body, `{"accountId":"12345","events":[`+string(e.Body)+`,`+string(e.Body)+`],"test":true}`)
}

func TestHolds(t *testing.T) {
	for name, tc := range map[string]struct {
		options Options
		change  func(*reconcile.Head)
		want    reconcile.Reason
	}{
		"fine":                     {events(), func(*reconcile.Head) {}, ""},
		"30 days and an hour":      {events(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(-MaxAgeEvents - time.Hour) }, reconcile.ReasonTooOld},
		"placed long ago":          {events(), func(h *reconcile.Head) { h.OrderedAt = asOf.Add(-MaxAgeEvents - time.Hour) }, reconcile.ReasonTooOld},
		"a year takes it":          {conversions(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(-300 * 24 * time.Hour) }, ""},
		"more than a year":         {conversions(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(-366 * 24 * time.Hour) }, reconcile.ReasonTooOld},
		"from tomorrow":            {conversions(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(24 * time.Hour) }, reconcile.ReasonFutureTime},
		"nobody":                   {events(), func(h *reconcile.Head) { h.Email = "" }, reconcile.ReasonNoEmail},
		"known by the click":       {events(), func(h *reconcile.Head) { h.Email, h.Fields["click_id"] = "", "c" }, ""},
		"the click is not sent":    {Options{Identities: []Identity{Email}}, func(h *reconcile.Head) { h.Email, h.Fields["click_id"] = "", "c" }, reconcile.ReasonNoEmail},
		"a click, and two persons": {events(), func(h *reconcile.Head) { h.Email, h.Fields["click_id"] = "a@example.com, b@example.com", "c" }, reconcile.ReasonBadEmail},
	} {
		options := tc.options
		if options.Name == "" {
			options = events()
			options.Identities = tc.options.Identities
		}
		o := order("1")
		tc.change(&o.Head)
		if got := open(t, options).Expect(o.Head, asOf)[0].Hold; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	only := events()
	only.Identities = []Identity{ClickID}
	o := order("1")
	s := open(t, only)
	_, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	if holds, ok := reconcile.HeldIn(err); !ok || len(holds) != 1 || holds[0].Reason != reconcile.ReasonNoEmail {
		t.Errorf("without the only identity: %v", err)
	}
}

// A till whose clock is ahead makes nothing that comes from the future.
func TestClockAhead(t *testing.T) {
	o := order("1")
	o.CompletedAt = asOf.Add(10 * time.Minute)
	if e := compose(t, open(t, events()), o); !strings.Contains(string(e.Body), fmt.Sprint(asOf.UnixMilli())) {
		t.Errorf("got %s", e.Body)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"name": func(o *Options) { o.Name = "" }, "url": func(o *Options) { o.URL = "" }, "api": func(o *Options) { o.API = "fax" },
		"environment": func(o *Options) { o.Environment = "" }, "account": func(o *Options) { *o = conversions(); o.Account = "" },
		"conversion_type": func(o *Options) { o.Type = "" }, "path": func(o *Options) { o.API = CSV },
		"email_sha256": func(o *Options) { *o = inFile("x", Hash) }, "api_key": func(o *Options) { o.Key = "a:" + sinktest.Canary },
	} {
		o := events()
		spoil(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), sinktest.Canary) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestUnknownAnswers: a success counts only as far as it is understood, whichever
// API says it.
func TestUnknownAnswers(t *testing.T) {
	for _, options := range []Options{events(), conversions()} {
		s, status := open(t, options), 202
		if options.API == Conversions {
			status = 200
		}
		list := []reconcile.Event{compose(t, s, order("1")), compose(t, s, order("2"))}
		for body, want := range map[string]reconcile.Verdict{
			`{}`: reconcile.Sent, `{"errors":[]}`: reconcile.Sent, `{"errors":null,"message":null}`: reconcile.Sent,
			`{"success":true}`: reconcile.Sent, `{"warnings":[{"index":0,"message":"slow"}]}`: reconcile.Sent,

			`{"unprocessedRecords":[{"index":1}]}`: reconcile.InDoubt, `{"success":false}`: reconcile.InDoubt,
			`{"success":false,"errors":[]}`: reconcile.InDoubt, `{"success":"true"}`: reconcile.InDoubt,
			`{"message":"Path '[3].events[0]', line 1, position 9."}`: reconcile.InDoubt, `{"failed":2}`: reconcile.InDoubt,
			`{"error":true}`: reconcile.InDoubt, `{"accepted":[]}`: reconcile.InDoubt, `{"Errors":[{"index":1}]}`: reconcile.InDoubt,
			`{"data":{"unprocessedRecords":[1]},"errors":[{"index":1}]}`: reconcile.InDoubt, `[]`: reconcile.InDoubt, `true`: reconcile.InDoubt,
		} {
			findings, again := s.judge(httpapi.Answer{Status: status, Body: []byte(body), Whole: true}, list, s.frame(list))
			if findings[0].Verdict != want || findings[1].Verdict != want || len(again) > 0 {
				t.Errorf("%s: %s is %s and %s, again %v, want %s", options.API, body, findings[0].Verdict, findings[1].Verdict, again, want)
			}
		}
	}
}

// Places: every way in which an answer can name an item, and those in which it
// names none.
func TestPlaces(t *testing.T) {
	s := open(t, events())
	var list []reconcile.Event
	for i := range 12 {
		o := order(fmt.Sprint("ü", i))
		list = append(list, compose(t, s, o))
	}
	f := s.frame(list)
	for i, e := range f.spans {
		if string(f.body[e.from:e.from+len(`{"environment"`)]) != `{"environment"` || f.body[e.to-1] != '}' {
			t.Errorf("item %d stands elsewhere: %s", i, f.body[e.from:e.to])
		}
	}
	list[7].Shown = list[6].Shown // of another shop
	zero, far := 0, 12
	for _, tc := range []struct {
		p    problem
		want int
	}{
		{problem{Message: "Error. Path '[11].events[0].data', line 1, position 3."}, 11},
		{problem{Message: "Error. Path '[12]', line 1, position 3."}, -1},
		{problem{Message: fmt.Sprintf("Error. Path 'data.x', line 1, position %d.", f.spans[5].from+1)}, 5},
		{problem{Message: fmt.Sprintf("Error. Path 'data.x', line 1, position %d.", f.spans[5].to)}, 5},
		{problem{Message: fmt.Sprintf("Error. Path 'data.x', line 1, position %d.", f.spans[5].to+1)}, -1}, // the comma
		{problem{Message: "Error. Path 'data.x', line 1, position 0."}, -1},
		{problem{Message: "Error. Path 'data.x', line 2, position 9."}, -1},
		{problem{Message: "Error"}, -1}, {problem{}, -1},
		{problem{Index: &zero}, 0}, {problem{Index: &far}, -1},
		{problem{ConversionID: "ü3"}, 3}, {problem{ConversionID: "u3"}, -1},
		{problem{ConversionID: "ü6"}, -1}, {problem{ConversionID: "ü0", Index: &zero}, 0}, {problem{ConversionID: "ü1", Index: &zero}, -1},
	} {
		if got := tc.p.place(list, f); got != tc.want {
			t.Errorf("%+v: %d, want %d", tc.p, got, tc.want)
		}
	}
}
