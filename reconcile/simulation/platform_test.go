package simulation

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"
)

// spot is one event: one version of one order at one platform, from 1.
type spot struct {
	target, order string
	version       int
}

// acceptance is a line in a platform's book. Which version of an order it is
// about, the platform does not know: it was noted when it was sent.
type acceptance struct {
	by    string // a process, or integration
	money *big.Rat
}

// integration is who sends some orders beside makegood, and records it.
const integration = "the live integration"

// request is what a platform was asked about one order.
type request struct {
	at       spot
	by       *process
	accepted bool
	clear    bool // the answer that it gave leaves no doubt
	arrived  bool // the answer was read to its end by a process that lives
}

// platform keeps a book of what it accepted. Whether it accepts a request and
// whether it answers it are two throws of the dice.
type platform struct {
	name     string
	merges   bool
	book     map[spot][]acceptance
	requests map[spot][]*request
	asked    map[string]int // by order
	followed int            // requests to the address that redirects name
}

func newPlatform(name string, merges bool) *platform {
	return &platform{name: name, merges: merges, book: map[spot][]acceptance{}, requests: map[spot][]*request{}, asked: map[string]int{}}
}

// answer is what a platform does with a request.
type answer struct {
	name   string
	accept float64 // how probable it is that it accepts before it answers
	status int     // 0: the connection ends without an answer
	header string
	body   string
	cut    bool // the answer breaks off
	silent bool // nothing ever comes back
	clear  bool // it says what happened
}

var good = answer{name: "accepts", accept: 1, status: 200, body: `{"success":true}`, clear: true}

var refusal = answer{name: "refuses", status: 400, body: `{"errors":[{"code":"TIMESTAMP_ERROR"}]}`, clear: true}

// faults are what goes wrong on the way to a platform and back. Those with a
// chance to accept leave the sender in doubt; of the others the answer says
// that nothing was accepted.
var faults = []answer{
	{name: "hangs up", accept: 0.5},
	{name: "is silent", accept: 0.5, silent: true},
	{name: "breaks off", accept: 0.5, status: 200, body: `{"success":true}`, cut: true},
	{name: "fails with 500", accept: 0.5, status: 500, body: `{}`},
	{name: "fails with 502", accept: 0.5, status: 502, body: `bad gateway`},
	{name: "is not available", accept: 0.5, status: 503, body: `{}`},
	{name: "mumbles", accept: 0.5, status: 200, body: `<html>`},
	{name: "redirects", accept: 0.3, status: 302, header: "Location: http://127.0.0.1/elsewhere\r\n", body: ``},
	{name: "is busy", status: 429, header: "Retry-After: 2\r\n", body: `{}`, clear: true},
	{name: "is busy for hours", status: 503, header: "Retry-After: 7200\r\n", body: `{}`, clear: true},
	{name: "is too slow to read", status: 408, body: `{}`, clear: true},
	{name: "refuses the login", status: 401, body: `{}`, clear: true},
	{name: "is elsewhere", status: 404, body: `{}`, clear: true},
	refusal,
}

// weather is how bad a night is on the way to the platforms.
type weather struct {
	bad    float64 // of requests
	broken float64 // of connections that cannot be made
	slow   float64 // of answers that take their time
	kinds  []answer
}

var calm = weather{}

func (w *world) weather() weather { return *w.sky.Load() }

func (w *world) turn(to weather) { w.sky.Store(&to) }

func newWeather(r *rand.Rand) weather {
	w := weather{bad: pick(r, []float64{0, 0.1, 0.3, 0.3, 0.6, 1}), slow: pick(r, []float64{0, 0, 0.1, 0.5})}
	if chance(r, 0.2) {
		w.broken = 0.3
	}
	for range 1 + r.IntN(4) {
		w.kinds = append(w.kinds, pick(r, faults))
	}
	return w
}

// message is what a platform reads in a body.
type message struct {
	order string
	money *big.Rat
}

// messages reads a body of either platform.
func messages(body []byte) ([]message, error) {
	type product struct {
		Price    json.Number `json:"price"`
		Quantity json.Number `json:"quantity"`
	}
	type event struct {
		OrderID  string    `json:"orderid"`
		Products []product `json:"products"`
	}
	var read struct {
		event
		Events  []event `json:"events"`
		Payload *struct {
			Number string `json:"order_number"`
			Cart   []struct {
				Price    string `json:"price"`
				Quantity string `json:"quantity"`
			} `json:"cart"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, err
	}
	events := read.Events
	if p := read.Payload; p != nil {
		e := event{OrderID: p.Number}
		for _, l := range p.Cart {
			e.Products = append(e.Products, product{json.Number(l.Price), json.Number(l.Quantity)})
		}
		events = append(events, e)
	} else if len(events) == 0 {
		events = append(events, read.event)
	}
	var list []message
	for _, e := range events {
		m := message{e.OrderID, new(big.Rat)}
		for _, p := range e.Products {
			price, is := new(big.Rat).SetString(p.Price.String())
			quantity, also := new(big.Rat).SetString(p.Quantity.String())
			if !is || !also {
				return nil, fmt.Errorf("price %q, quantity %q", p.Price, p.Quantity)
			}
			m.money.Add(m.money, price.Mul(price, quantity))
		}
		list = append(list, m)
	}
	return list, nil
}

// decide throws the dice for one request.
func (w *world) decide(p *platform, list []message) (a answer, accepted bool) {
	first := list[0].order
	r := w.dice.of("answer", p.name, first, p.asked[first], len(list))
	p.asked[first]++
	refused := slices.ContainsFunc(list, func(m message) bool {
		o := w.shop.find(m.order)
		return o == nil || o.cursed
	})
	switch {
	case refused:
		a = refusal
	case chance(r, w.weather().bad):
		a = pick(r, w.weather().kinds)
	default:
		a = good
	}
	return a, chance(r, a.accept)
}

// think is how long a platform takes for a step of a request.
func (w *world) think(what ...any) time.Duration {
	r := w.dice.of(what...)
	if chance(r, w.weather().slow) {
		return between(r, time.Second, 40*time.Second)
	}
	return between(r, time.Microsecond, 20*time.Millisecond)
}

// accept writes into the platform's book. What it accepts again must have an
// older doubt.
func (w *world) accept(p *platform, at spot, by string, money *big.Rat) {
	w.tracef("%s accepts %v of %s, %s", p.name, at, by, money.FloatString(2))
	before := len(p.book[at])
	p.book[at] = append(p.book[at], acceptance{by, money})
	if before > 0 {
		w.judgeRepeat(p, at)
	}
}
