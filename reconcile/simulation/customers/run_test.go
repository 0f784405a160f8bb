package customers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/reconciletest"
	"makegood/reconcile/simulation/customers"
	"makegood/sinks"
	"makegood/sinks/simulator"
)

// What every town has in common.
const (
	days      = 1
	mid       = "123456"
	mailAfter = time.Hour      // the platform's mail starts so long after the cart's last change
	maxAge    = 24 * time.Hour // max_clear_age
)

// tally is what came of towns.
type tally struct {
	addresses, checkouts, runs, clears, updates int
	mails, wrong                                int // wrong: about something that was bought in a store
	stayed                                      int // carts of bought goods that makegood had to leave
}

func (t *tally) add(o tally) {
	t.addresses += o.addresses
	t.checkouts += o.checkouts
	t.runs += o.runs
	t.clears += o.clears
	t.updates += o.updates
	t.mails += o.mails
	t.wrong += o.wrong
	t.stayed += o.stayed
}

func (t tally) String() string {
	return fmt.Sprintf("%d histories, %d store checkouts, %d runs, %d carts cleared and %d updated; %d mails about carts, %d of them with something that was bought; "+
		"%d carts of bought goods lay there at the end", t.addresses, t.checkouts, t.runs, t.clears, t.updates, t.mails, t.wrong, t.stayed)
}

// scene is a town, the platform and makegood.
type scene struct {
	t      *testing.T
	way    way
	town   *customers.Town
	dice   *rand.Rand
	now    atomic.Int64
	sim    *simulator.Simulator
	url    string
	runner *reconcile.Runner
	led    *ledger.Store
	source *reconciletest.Source
	feed   *reconciletest.CartFeed
	runs   int

	byEmail map[string]*customers.Address
	heard   sync.Mutex // the platform accepts several messages at a time
	changed []change   // that no mail can have been sent about yet, by time
	tally   tally
}

var start = time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)

func (s *scene) clock() time.Time      { return time.Unix(0, s.now.Load()).UTC() }
func (s *scene) set(at time.Time)      { s.now.Store(at.UnixNano()) }
func (s *scene) chance(p float64) bool { return s.dice.Float64() < p }
func (s *scene) minutes(n int) time.Duration {
	return time.Duration(1+s.dice.IntN(n*60)) * time.Second
}

// live lets a town live with makegood.
func live(t *testing.T, seed uint64, w way) tally {
	s := newScene(t, seed, w)
	for next := start.Add(s.minutes(110)); next.Before(start.Add((days*24 + 28) * time.Hour)); {
		s.until(next)
		s.run()
		wait := s.minutes(110)
		if s.chance(0.1) {
			wait = s.minutes(300)
		}
		next = s.clock().Add(wait)
	}
	for _, a := range s.town.Addresses {
		if len(customers.Bought(a, s.stored(a))) > 0 && customers.Bought(a, s.stored(a)).Within(s.stored(a)) && s.stored(a).Within(customers.Bought(a, s.stored(a))) {
			s.tally.stayed++
		}
	}
	s.tally.addresses, s.tally.checkouts, s.tally.runs = len(s.town.Addresses), len(s.town.Checkouts), s.runs
	return s.tally
}

func newScene(t *testing.T, seed uint64, w way) *scene {
	s := &scene{t: t, way: w, dice: rand.New(rand.NewPCG(seed, 2)), byEmail: map[string]*customers.Address{},
		source: &reconciletest.Source{Named: "tills"}, feed: &reconciletest.CartFeed{Named: "open"}}
	s.set(start)
	s.town = customers.NewTown(seed, customers.Rules{Start: start, Days: days, Addresses: w.addresses, Clock: w.clock})
	for _, a := range s.town.Addresses {
		s.byEmail[a.Email] = a
	}
	s.sim = simulator.New(simulator.Options{Clock: s.clock, KeepRequests: -1})
	s.sim.OnAccept(func(a simulator.Accepted) {
		s.heard.Lock()
		defer s.heard.Unlock()
		switch a.Kind {
		case "cart_clear":
			s.tally.clears++
		case "cart_update":
			s.tally.updates++
			s.changed = append(s.changed, change{s.byEmail[a.ID], s.clock()})
		}
	})
	server := httptest.NewServer(s.sim)
	t.Cleanup(server.Close)
	t.Cleanup(s.sim.Close)
	s.url = server.URL
	s.wire(t.TempDir())
	return s
}

// wire sets makegood up as the configuration would.
func (s *scene) wire(dir string) {
	cfg := config.Target{Name: "stores", Type: "collect", Mode: config.ModeLive, URL: s.url, MID: mid, Channels: []string{"in_store"},
		Send: []string{"purchase", "cart_update", "cart_clear"}, CartURL: "https://www.example.com/cart", ClearURL: "https://www.example.com/empty",
		MaxAge: config.Duration(48 * time.Hour), ClockMargin: config.Duration(s.way.margin), Concurrency: 4, Batch: 1,
		Timeout: config.Duration(30 * time.Second), ProbeAfter: []config.Duration{config.Duration(time.Second)}, Cart: map[string]config.CartRule{}}
	if s.way.clears {
		cfg.Send = []string{"purchase", "cart_clear"}
	}
	target := &reconcile.Target{Type: "collect", Mode: reconcile.ModeLive, From: []string{"tills"}, Channels: cfg.Channels, Since: start.Add(-time.Hour),
		ClockMargin: s.way.margin, Concurrency: 4, Timeout: 30 * time.Second, Digest: "stores", FrontEndSettles: true}
	if s.way.carts {
		cfg.Cart["in_store"] = config.CartRule{KnownBy: "carts", Source: "open"}
		target.CartFeeds = []string{"open"}
	}
	var ask atomic.Pointer[func(reconcile.Event) reconcile.Reason]
	sink, fuse, err := sinks.Open(&cfg, sinks.Options{Clock: s.clock, Fit: func(e reconcile.Event) reconcile.Reason { return (*ask.Load())(e) }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(fuse.Close)
	target.Sink, target.Stopped = sink, fuse.Stopped
	target.Arm = func(f func(reconcile.Event) reconcile.Reason) { ask.Store(&f) }
	s.runner = &reconcile.Runner{
		Sources: []reconcile.SourceSpec{{Source: s.source, Shop: "main", EditWindow: 30 * 24 * time.Hour}}, Targets: []*reconcile.Target{target},
		Evidence: map[string]reconcile.Evidence{}, Carts: map[string]reconcile.OpenCarts{"open": {CartFeed: s.feed, FreshWithin: s.way.within}},
		StateDir: dir, Key: []byte("plan key"), Zone: time.UTC, Shops: []string{"main"}, Lookback: 1, ReachBack: 60,
		Clock: s.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		NewRun:    func() reconcile.RunID { s.runs++; return reconcile.RunID(fmt.Sprint("run-", s.runs)) },
		SaveHead:  func(reconcile.LedgerHead) error { return nil },
		Summarize: func(reconcile.Result) ([]byte, int) { return []byte("{}"), 0 },
	}
	s.led, err = ledger.Open(s.t.Context(), filepath.Join(dir, "makegood.db"), ledger.Options{Key: make([]byte, ledger.KeySize), Environment: "test", Clock: s.clock})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.led.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

// until lets everything happen that happens before a time.
func (s *scene) until(end time.Time) {
	for {
		at, more := s.town.Next()
		if !more || at.After(end) {
			break
		}
		s.mail(at)
		s.set(at)
		if told := s.town.Happen(); told != nil {
			s.tell(told)
		}
	}
	s.mail(end)
	s.set(end)
}

// tell is the page's script.
func (s *scene) tell(told *customers.Told) {
	person := map[string]any{"email": told.Who.Email}
	if told.Bought != nil {
		s.post("track_conversion", map[string]any{"cart": lines(told.Bought), "order_number": told.Number, "user_info": person})
	}
	if len(told.Cart) == 0 {
		s.post("track_cart", map[string]any{"clear_cart": true, "user_info": person})
		s.tally.clears--
		return
	}
	s.post("track_cart", map[string]any{"cart": lines(told.Cart), "user_info": person})
	s.tally.updates--
}

func lines(g customers.Goods) []any {
	var list []any
	for _, sku := range slices.Sorted(maps.Keys(g)) {
		list = append(list, map[string]any{"item": sku, "unique_id": sku, "quantity": strconv.Itoa(g[sku]), "price": "1"})
	}
	return list
}

func (s *scene) post(call string, payload map[string]any) {
	body, err := json.Marshal(map[string]any{"payload": payload})
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/c2/"+mid+"/"+call, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	if s.sim.ServeHTTP(answer, r); answer.Code != http.StatusOK {
		s.t.Fatalf("the page's %s is refused: %s", call, answer.Body)
	}
}

// stored is the cart of an address at the platform.
func (s *scene) stored(a *customers.Address) customers.Goods {
	goods := customers.Goods{}
	cart, _ := s.sim.Cart(mid, a.Email)
	for _, l := range cart.Lines {
		n, err := strconv.Atoi(l.Quantity)
		if err != nil {
			s.t.Fatal(err)
		}
		goods = goods.Plus(customers.Goods{l.Item: n})
	}
	return goods
}

// mail lets the platform send its mails until a time: those about carts that
// were changed mailAfter before, and neither changed nor bought since.
func (s *scene) mail(until time.Time) {
	for len(s.changed) > 0 && !s.changed[0].at.Add(mailAfter).After(until) {
		c := s.changed[0]
		s.changed = s.changed[1:]
		cart, _ := s.sim.Cart(mid, c.who.Email)
		if !cart.MailDue || !cart.ChangedAt.Equal(c.at) {
			continue
		}
		s.tally.mails++
		if len(customers.Bought(c.who, s.stored(c.who))) > 0 {
			s.tally.wrong++
		}
	}
}

// change is when a cart was changed at the platform.
type change struct {
	who *customers.Address
	at  time.Time
}

// read gives makegood what the exports have, and the open carts.
func (s *scene) read() {
	s.source.List = s.source.List[:0]
	for _, c := range s.town.Seen(s.clock()) {
		var list []string
		for _, sku := range slices.Sorted(maps.Keys(c.Goods)) {
			list = append(list, fmt.Sprintf("%s x %d @ 1", sku, c.Goods[sku]))
		}
		s.source.List = append(s.source.List, reconciletest.Order(c.Number, list, reconciletest.From("main", "tills"),
			reconciletest.InStore(c.Who.Email), reconciletest.At(c.Recorded.Truncate(time.Second))))
	}
	if s.way.export && s.feed.Stored != nil && s.chance(0.5) {
		return // no new file has come
	}
	s.feed.Stored = map[reconcile.Person]reconcile.Cart{}
	if s.way.export {
		s.feed.AsOf = s.clock()
	}
	for _, a := range s.town.Addresses {
		cart := reconcile.Cart{LastActivity: a.Used()}
		for sku, n := range a.Wanted() {
			cart.Lines = append(cart.Lines, reconcile.CartLine{SKU: sku, Quantity: reconciletest.Dec(strconv.Itoa(n))})
		}
		if len(cart.Lines) > 0 {
			s.feed.Stored[reconcile.EmailPerson(a.Email)] = cart
		}
	}
}

// run lets makegood work: at once, or a plan that is carried out later.
func (s *scene) run() {
	s.read()
	if s.chance(0.8) {
		before := s.all()
		res, err := s.runner.Run(s.t.Context(), s.led, reconcile.Request{})
		s.judge(res, err, before, s.feed.AsOf.IsZero() || s.feed.AsOf.Equal(s.clock()))
		return
	}
	planned, err := s.runner.Plan(s.t.Context(), s.led, reconcile.Request{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.until(s.clock().Add(s.minutes(20)))
	s.read()
	plan, err := reconcile.OpenPlan(planned.Plan.Path, s.runner.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	before := s.all()
	res, err := s.runner.Apply(context.Background(), s.led, plan, reconcile.Request{SkipMoved: true})
	s.judge(res, err, before, false)
}

func (s *scene) all() map[string]customers.Goods {
	carts := map[string]customers.Goods{}
	for _, a := range s.town.Addresses {
		carts[a.Email] = s.stored(a)
	}
	return carts
}

// judge compares the platform's carts before and after a run.
func (s *scene) judge(res reconcile.Result, err error, before map[string]customers.Goods, fresh bool) {
	if err != nil {
		s.t.Fatal(err)
	}
	for _, fault := range reconciletest.Faults(res, s.runner.Targets) {
		s.t.Errorf("%s: %s", res.Run, fault)
	}
	beyond := s.way.clock > s.way.margin
	for _, a := range s.town.Addresses {
		after := s.stored(a)
		if lost := customers.Lost(a, before[a.Email], after, beyond); len(lost) > 0 {
			s.t.Errorf("%s took %v out of the cart of %s\n%s", res.Run, lost, a.Email, s.story(a, before[a.Email], after))
		}
		if s.way.carts && fresh && !beyond && !s.way.clears && customers.Stays(a, after, s.clock(), customers.Conditions{Margin: s.way.margin, MaxAge: maxAge}) {
			s.t.Errorf("%s leaves a cart of bought goods to %s\n%s", res.Run, a.Email, s.story(a, before[a.Email], after))
		}
	}
}

// story is everything about an address, for one that went wrong.
func (s *scene) story(a *customers.Address, before, after customers.Goods) string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %s the platform had %v, now %v; the carts are", s.clock().Format(time.TimeOnly), before, after)
	for _, c := range a.Carts {
		fmt.Fprintf(&b, " %v of %s", c.Goods, c.Used.Format(time.DateTime))
	}
	for _, c := range a.Checkouts {
		s.known(&b, c)
		fmt.Fprintf(&b, "\n%s %v at %s, recorded %s, exported %s", c.Number, c.Goods, c.At.Format(time.DateTime), c.Recorded.Format(time.DateTime), c.Exported.Format(time.DateTime))
	}
	return b.String()
}

// known is what the ledger says of a checkout's cart event.
func (s *scene) known(b *strings.Builder, c *customers.Checkout) {
	id := reconcile.NewEventID(reconcile.KindCart, reconcile.OrderKey{Shop: "main", Order: c.Number})
	entries, err := s.led.Find(s.t.Context(), "stores", []reconcile.EventID{id})
	if err != nil {
		s.t.Fatal(err)
	}
	decided, err := s.led.Decided(s.t.Context(), "stores", []reconcile.EventID{id})
	if err != nil {
		s.t.Fatal(err)
	}
	if e := entries[id]; e.State != "" {
		fmt.Fprintf(b, "\n%s %s at %s", e.State, e.Action, e.At.Format(time.DateTime))
	}
	for _, d := range decided {
		fmt.Fprintf(b, "\n%s %s %s", d.Place.Bucket, d.Place.Reason, d.Detail)
	}
}
