package emanage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
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

// product is a step of quantity 1 with what is due of it.
func product(id, price, due string, change ...func(*reconcile.ChainStep)) reconcile.ChainStep {
	s := reconcile.ChainStep{Product: id, Price: dec(price), Cost: dec(price), Quantity: dec("1"), Shipping: "145", CustomerIP: "72.229.28.185",
		Due: dec(due)}
	for _, c := range change {
		c(&s)
	}
	return s
}

func in(session string) func(*reconcile.ChainStep) {
	return func(s *reconcile.ChainStep) { s.Session = session }
}

// cart is an order with a chain.
func cart(id string, steps ...reconcile.ChainStep) reconcile.Order {
	for i := range steps {
		steps[i].Replaces = i
	}
	return reconcile.Order{Head: reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: id}, CompletedAt: asOf.Add(-time.Hour),
		Currency: "EUR", Channel: "online", Email: "ann@example.com", Chain: steps}}
}

const cartSession, oldSession = "207d39ce-cded-4bbf-91c5-ec98c604cfd0", "1ea3b99e-71e5-4caa-a9ed-9014de376a70"

func real(change ...func(*Options)) Options {
	o := Options{Name: "charges", URL: "http://127.0.0.1:1/api", CID: "c-1", WebKey: "ed1a9cc1", Use: Real,
		MaxCharge: map[string]reconcile.Decimal{"EUR": dec("150")},
		Send:      []reconcile.Action{reconcile.ActionCartCreate, reconcile.ActionCartUpgrade}}
	for _, c := range change {
		c(&o)
	}
	return o
}

func test(o *Options) { o.Use, o.MaxCharge = Test, nil }

func open(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// compose gives the events of an order by their positions, and the holds.
func compose(t *testing.T, s *Sink, o reconcile.Order) (map[int]reconcile.Event, map[int]reconcile.Held) {
	t.Helper()
	list, err := s.Compose(o, s.Expect(o.Head, asOf), reconcile.Carts{}, asOf)
	named, ok := reconcile.HeldIn(err)
	if !ok {
		t.Fatal(err)
	}
	events, holds := map[int]reconcile.Event{}, map[int]reconcile.Held{}
	for _, e := range list {
		events[e.ID.Position()] = e
	}
	for _, h := range named {
		holds[h.ID.Position()] = *h
	}
	return events, holds
}

// same compares two texts as JSON.
func same(t *testing.T, got []byte, want string) {
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

// samples are the bodies of the customer's document, from orders that hold
// their values.
var samples = map[string]struct {
	options Options
	order   reconcile.Order
	n       int
	path    string
	body    string
}{
	"emanage_new.json": {real(test), cart("1", product("918325", "100", "100")), 1, "new?behaviorId=2",
		`{"Product": {"productId": "918325", "price": "100", "quantity": "1", "shippingMethodId": "145"}, "customerIP": "72.229.28.185", "behaviorId": 2}`},
	"emanage_add_upgrade.json": {real(), cart("1", product("918325", "100", "0", in(cartSession)), product("918446", "120", "20")), 2,
		"add?sessionId=" + cartSession, `{"productId": "918446", "price": "120", "quantity": "1", "shippingMethodId": "145",
		"upgradePreviewProductId": 918325, "upgradePreviewQuantity": 1, "upgradeParentSessionId": null}`},
	"emanage_upgrade_of_upgrade.json": {real(func(o *Options) { test(o); o.TestSessions = true }),
		cart("1", product("918325", "100", "0", in(cartSession)), product("918446", "120", "0", in(cartSession)), product("918447", "140", "20", in(cartSession))), 3,
		"add?sessionId=" + cartSession + "&behaviorId=2", `{"productId": "918447", "price": "140", "quantity": "1", "shippingMethodId": "145",
		"upgradePreviewProductId": 918446, "upgradePreviewQuantity": 1}`},
	"emanage_offline_upgrade.json": {real(func(o *Options) { test(o); o.TestSessions = true }),
		cart("1", product("918325", "100", "0", in(oldSession)), product("918446", "120", "20", func(s *reconcile.ChainStep) { s.Parent = oldSession })), 2,
		"new?behaviorId=2", `{"Product": {"productId": "918446", "price": "120", "quantity": "1", "shippingMethodId": "145",
		"upgradePreviewProductId": 918325, "upgradePreviewQuantity": 1, "upgradeParentSessionId": "` + oldSession + `"},
		"customerIP": "72.229.28.185", "behaviorId": 2}`},
}

func TestSamples(t *testing.T) {
	for name, c := range samples {
		t.Run(name, func(t *testing.T) {
			events, holds := compose(t, open(t, c.options), c.order)
			e, made := events[c.n]
			if !made {
				t.Fatalf("held: %v", holds)
			}
			same(t, e.Body, c.body)
			if e.Path != c.path || len(e.Needs) != 0 || string(e.Action) != string(e.Kind) || e.Value.Amount.Cmp(c.order.Chain[c.n-1].Due) != 0 {
				t.Errorf("the event is %+v", e)
			}
			document, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "targets", "samples", name))
			if errors.Is(err, fs.ErrNotExist) {
				t.Log("the customer's own sample is not there to be compared")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, e.Body, string(document))
		})
	}
}

// TestChain: what is due of a chain is charged step by step, in the session
// that the step before was given, and in real carts nothing says test.
func TestChain(t *testing.T) {
	o := cart("1", product("918325", "100", "100"), product("918446", "120", "20"), product("918447", "140", "20"))
	events, holds := compose(t, open(t, real()), o)
	if len(events) != 3 || len(holds) != 0 {
		t.Fatalf("%d events, held %v", len(events), holds)
	}
	first, second := reconcile.EventID("cart_create/main/1/1"), reconcile.EventID("cart_upgrade/main/1/2")
	for n, want := range map[int]struct {
		path  string
		needs []reconcile.EventID
	}{
		1: {"new", nil},
		2: {"add?sessionId={{receipt:cart_create/main/1/1}}", []reconcile.EventID{first}},
		3: {"add?sessionId={{receipt:cart_upgrade/main/1/2}}", []reconcile.EventID{second}},
	} {
		if e := events[n]; e.Path != want.path || !reflect.DeepEqual(e.Needs, want.needs) || strings.Contains(string(e.Body), "behavior") {
			t.Errorf("%d: %s needs %v: %s", n, e.Path, e.Needs, e.Body)
		}
	}
	for i := range o.Chain {
		o.Chain[i].Session = cartSession
	}
	o.Chain[0].Due = dec("0")
	events, _ = compose(t, open(t, real(func(o *Options) { o.Behavior = "7" })), o)
	if e := events[2]; e.Path != "add?sessionId="+cartSession+"&behaviorId=7" || len(e.Needs) != 0 {
		t.Errorf("%s needs %v", e.Path, e.Needs)
	}
	if e := events[3]; len(e.Needs) != 1 || e.Needs[0] != second {
		t.Errorf("the second upgrade needs %v, although the first is still to be charged", e.Needs)
	}
}

func TestHolds(t *testing.T) {
	two := func(change ...func(*reconcile.ChainStep)) reconcile.Order {
		return cart("1", product("918325", "100", "0", in(cartSession)), product("918446", "120", "20", change...))
	}
	one := func(change ...func(*reconcile.ChainStep)) reconcile.Order {
		return cart("1", product("918325", "100", "100", change...))
	}
	head := func(o reconcile.Order, change func(*reconcile.Head)) reconcile.Order { change(&o.Head); return o }
	for name, c := range map[string]struct {
		order   reconcile.Order
		n       int
		reason  reconcile.Reason
		text    string
		options []func(*Options)
	}{
		"no word of what is due":   {cart("1"), 1, reconcile.ReasonNothingDue, "", nil},
		"nothing due":              {two(func(s *reconcile.ChainStep) { s.Due = dec("0") }), 2, reconcile.ReasonNothingDue, "", nil},
		"too much in all":          {cart("1", product("918325", "140", "140"), product("918446", "160", "20")), 1, reconcile.ReasonOverMaxCharge, "", nil},
		"exactly as much as may":   {cart("1", product("918325", "130", "130"), product("918446", "150", "20")), 1, "", "", nil},
		"another currency":         {head(one(), func(h *reconcile.Head) { h.Currency = "SEK" }), 1, reconcile.ReasonNoBudget, "", nil},
		"in the future":            {head(one(), func(h *reconcile.Head) { h.CompletedAt = asOf.Add(time.Hour) }), 1, reconcile.ReasonFutureTime, "", nil},
		"too old":                  {one(), 1, reconcile.ReasonTooOld, "", []func(*Options){func(o *Options) { o.MaxAge = time.Minute }}},
		"another charge":           {two(func(s *reconcile.ChainStep) { s.Due = dec("20.01") }), 2, reconcile.ReasonChargeMismatch, "due are 20.01, the platform would charge 20", nil},
		"the whole price again":    {two(func(s *reconcile.ChainStep) { s.Due = dec("120") }), 2, reconcile.ReasonChargeMismatch, "", nil},
		"with shipping":            {head(one(func(s *reconcile.ChainStep) { s.Due = dec("104.95") }), func(h *reconcile.Head) { d := dec("4.95"); h.Shipping = &d }), 1, "", "", nil},
		"discounted":               {two(func(s *reconcile.ChainStep) { s.Discounted = true }), 2, reconcile.ReasonDiscountedCart, "", nil},
		"beside each other":        {head(two(), func(h *reconcile.Head) { h.Chain[1].Replaces = 0 }), 2, reconcile.ReasonCannotCompose, "beside each other", nil},
		"no shipping method":       {two(func(s *reconcile.ChainStep) { s.Shipping = "" }), 2, reconcile.ReasonCannotCompose, "shipping_method", nil},
		"no address of the client": {one(func(s *reconcile.ChainStep) { s.CustomerIP = "" }), 1, reconcile.ReasonCannotCompose, "customer_ip", nil},
		"a cart that is there":     {one(in(cartSession)), 1, reconcile.ReasonCannotCompose, "has a session already", nil},
		"no number": {head(two(), func(h *reconcile.Head) { h.Chain[0].Product = "A-1" }), 2,
			reconcile.ReasonCannotCompose, "no number", nil},
		"half a product":              {head(two(), func(h *reconcile.Head) { h.Chain[0].Quantity = dec("0.5") }), 2, reconcile.ReasonCannotCompose, "no whole number", nil},
		"no session":                  {two(in("x&y=1")), 2, reconcile.ReasonCannotCompose, "no id", nil},
		"no price":                    {two(func(s *reconcile.ChainStep) { s.Price = dec("0") }), 2, reconcile.ReasonCannotCompose, "more than 0", nil},
		"a customer's cart in a test": {two(), 2, reconcile.ReasonRealSession, "", []func(*Options){test}},
		"a customer's old cart in a test": {two(func(s *reconcile.ChainStep) { s.Parent = oldSession }), 2, reconcile.ReasonRealSession, "",
			[]func(*Options){test}},
	} {
		t.Run(name, func(t *testing.T) {
			events, holds := compose(t, open(t, real(c.options...)), c.order)
			h, held := holds[c.n]
			if h.Reason != c.reason || !strings.Contains(h.Text, c.text) || held == (events[c.n].ID != "") {
				t.Errorf("held %v as %q: %q", held, h.Reason, h.Text)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no limit":             {func(o *Options) { o.MaxCharge = nil }, "max_charge is missing"},
		"a test that pays":     {func(o *Options) { o.Behavior = "2" }, "marks test carts"},
		"a key that is a path": {func(o *Options) { o.WebKey = "a/../b" }, "letters, digits and hyphens"},
		"no key":               {func(o *Options) { o.CID = "" }, "letters, digits and hyphens"},
		"other events":         {func(o *Options) { o.Send = []reconcile.Action{reconcile.ActionPurchase} }, "cart_create and cart_upgrade"},
		"no address":           {func(o *Options) { o.URL = "here" }, "no address"},
	} {
		if _, err := New(real(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, b := open(t, real()).Name(), open(t, real(test)).Name(); a != "charges" || b != "charges.test" {
		t.Errorf("real carts are %s, test carts %s", a, b)
	}
}

// TestShadowSendsNothing: whoever calls.
func TestShadowSendsNothing(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer server.Close()
	s := open(t, real(func(o *Options) { o.Use, o.URL = Look, server.URL }))
	events, _ := compose(t, s, cart("1", product("918325", "100", "100")))
	got := s.Send(t.Context(), []reconcile.Event{events[1]})
	if requests != 0 || got[0].Verdict != reconcile.Unsent || got[0].Reason != reconcile.ReasonShadow {
		t.Errorf("%d requests, %+v", requests, got)
	}
}

// TestAnswers: what both calls may answer, and which session is kept of it.
func TestAnswers(t *testing.T) {
	s := open(t, real())
	for _, c := range []struct {
		path    string
		status  int
		body    string
		verdict reconcile.Verdict
		session string
	}{
		{"new", 200, cartSession, reconcile.Sent, cartSession},
		{"new", 201, "\"" + cartSession + "\"\n", reconcile.Sent, cartSession},
		{"new?behaviorId=2", 200, `{"sessionId": "` + cartSession + `", "isTest": true}`, reconcile.Sent, cartSession},
		{"new", 200, `{"id": "` + cartSession + `"}`, reconcile.InDoubt, ""},
		{"new", 200, `{"sessionId": "` + cartSession + `", "success": false}`, reconcile.InDoubt, ""},
		{"new", 200, "accepted", reconcile.InDoubt, ""},
		{"new", 200, "ann@example.com", reconcile.InDoubt, ""},
		{"new", 200, "", reconcile.InDoubt, ""},
		{"new", 400, cartSession, reconcile.Rejected, ""},
		{"add?sessionId=s-1234567&behaviorId=2", 200, "", reconcile.Sent, "s-1234567"},
		{"add?sessionId=s-1234567", 200, "{}", reconcile.Sent, "s-1234567"},
		{"add?sessionId=s-1234567", 200, `"` + cartSession + `"`, reconcile.Sent, "s-1234567"},
		{"add?sessionId=s-1234567", 200, `{"success": true}`, reconcile.Sent, "s-1234567"},
		{"add?sessionId=s-1234567", 200, `{"sessionId": "s-1234567"}`, reconcile.Sent, "s-1234567"},
		{"add?sessionId=s-1234567", 200, "added", reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, "<html>Sign in</html>", reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `"Payment declined"`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `{"status": "declined"}`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `{"isSuccess": false}`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `[{"error": "no"}]`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, "null", reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `{"errors": ["no"]}`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 200, `{"success": "no"}`, reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 500, "", reconcile.InDoubt, ""},
		{"add?sessionId=s-1234567", 401, "", reconcile.Retryable, ""},
	} {
		f, session := s.judge(reconcile.Event{Path: c.path}, httpapi.Answer{Status: c.status, Body: []byte(c.body), Whole: true})
		if f.Verdict != c.verdict || session != c.session {
			t.Errorf("%s, %d, %q: %s with session %q", c.path, c.status, c.body, f.Verdict, session)
		}
	}
	texts := real()
	texts.AnyText = true
	for body, want := range map[string]reconcile.Verdict{"added": reconcile.Sent, `"declined"`: reconcile.InDoubt, `{"isSuccess": false}`: reconcile.InDoubt} {
		if f, _ := open(t, texts).judge(reconcile.Event{Path: "add"}, httpapi.Answer{Status: 200, Body: []byte(body), Whole: true}); f.Verdict != want {
			t.Errorf("where texts count, %q is %s", body, f.Verdict)
		}
	}
	if f, _ := s.judge(reconcile.Event{Path: "add"}, httpapi.Answer{Status: 200}); f.Verdict != reconcile.InDoubt {
		t.Errorf("an answer that was cut off is %s", f.Verdict)
	}
}

func TestSuite(t *testing.T) {
	sinktest.Run(t, sinktest.Suite{
		New: func(t *testing.T, url string) reconcile.Sink {
			o := real()
			o.URL, o.CID, o.WebKey = url+"/api", sinktest.Canary, sinktest.Canary
			return open(t, o)
		},
		Orders: func() []reconcile.Order {
			var orders []reconcile.Order
			for i := range 3 {
				o := cart(fmt.Sprint(i), product("918325", "100", "100"), product("918446", "120", "20"), product("918447", "140", "20"))
				o.Email = fmt.Sprintf("%s%d@example.com", sinktest.Canary, i)
				orders = append(orders, o)
			}
			return orders
		},
		AsOf: asOf, Accepted: `{"sessionId":"` + cartSession + `"}`,
	})
}

// TestRequest: what goes over the wire, byte for byte where a server may care.
func TestRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	head := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		n, _ := conn.Read(buf) // small enough to come in one piece
		head <- string(buf[:n])
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n"+cartSession)
	}()
	s := open(t, real(test, func(o *Options) { o.URL = "http://" + listener.Addr().String() + "/api/" }))
	events, _ := compose(t, s, cart("1", product("918325", "100", "100")))
	got := s.Send(t.Context(), []reconcile.Event{events[1]})
	if got[0].Verdict != reconcile.Sent || got[0].Receipt != cartSession {
		t.Errorf("the outcome is %+v", got[0])
	}
	text := <-head
	for _, want := range []string{"POST /api/shoppingcart/ed1a9cc1/new?behaviorId=2 HTTP/1.1\r\n", "\r\nX_CID: c-1\r\n", "\r\nContent-Type: application/json\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
