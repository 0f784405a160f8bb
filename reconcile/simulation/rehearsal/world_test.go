package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/reconciletest"
	"makegood/sinks"
)

const day = 24 * time.Hour

var (
	personKey = make([]byte, ledger.KeySize)
	dec       = reconciletest.Dec
	// begins is when every world begins, half past a minute; bubble when every
	// bubble does.
	begins = time.Date(2026, 11, 20, 1, 0, 30, 0, time.UTC)
	bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// now is what every clock shows. What decides about orders happened on whole
// minutes, so that nothing becomes too old, or old enough, between half past a
// minute and its end.
func now() time.Time { return begins.Add(time.Since(bubble)).Round(0) }

// world is a shop with its destinations and its ledger.
type world struct {
	dice    *rand.Rand
	dir     string
	targets []config.Target
	lists   map[string]bool // targets that go by the record of the live integration
	orders  []reconcile.Order
	made    int
	carts   map[reconcile.Person]reconcile.Cart
	record  []reconcile.EvidenceRow
	erased  []string
	runs    int
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (w *world) chance(p float64) bool { return w.dice.Float64() < p }

// newWorld makes a world in a folder. Half of them have a ledger already that
// nobody has written to.
func newWorld(seed uint64, dir string, empty []byte) (*world, error) {
	w := &world{dice: rand.New(rand.NewPCG(seed, 8)), dir: dir, lists: map[string]bool{}, carts: map[reconcile.Person]reconcile.Cart{}}
	for _, name := range pick(w.dice, []string{"crm"}, []string{"carts"}, []string{"charges"}, []string{"crm", "carts"}, []string{"crm", "charges"}, []string{"crm", "carts", "charges"}) {
		w.targets = append(w.targets, w.target(name))
		w.lists[name] = name != "charges" && w.chance(0.4)
	}
	if w.chance(0.9) {
		if err := os.WriteFile(w.ledger(dir), empty, 0o600); err != nil {
			return nil, err
		}
	}
	for range 1 + w.dice.IntN(8) {
		w.order(3 * day)
	}
	return w, w.forget()
}

func (w *world) ledger(dir string) string { return filepath.Join(dir, "makegood.db") }

func (w *world) target(name string) config.Target {
	t := config.Target{Name: name, Mode: config.ModeLive, Concurrency: 1 + w.dice.IntN(3), Batch: 1,
		Timeout: config.Duration(30 * time.Second), ProbeAfter: []config.Duration{config.Duration(10 * time.Second)}}
	switch name {
	case "crm":
		t.Type, t.URL, t.Account, t.APIKey, t.Language = "squeezely", "http://127.0.0.1/track", "shop", "key", "nl-NL"
		t.Send, t.Batch = []string{"purchase"}, pick(w.dice, 1, 1, 3)
		t.Mode = pick(w.dice, config.ModeLive, config.ModeLive, config.ModeLive, config.ModeShadow)
	case "carts":
		t.Type, t.URL, t.MID, t.Channels = "collect", "http://127.0.0.1", "123456", []string{"in_store", "mobile"}
		t.Send, t.CartURL, t.ClearURL = []string{"purchase", "cart_update", "cart_clear"}, "https://www.example.com/cart", "https://www.example.com/empty"
		t.MaxAge, t.ClockMargin = config.Duration(pick(w.dice, 48*time.Hour, 30*day)), config.Duration(15*time.Minute)
		t.Cart = map[string]config.CartRule{"in_store": {KnownBy: "carts", Source: "open"}, "mobile": {KnownBy: "always"}}
	case "charges":
		t.Type, t.URL, t.CID, t.WebKey, t.Concurrency = "emanage", "http://127.0.0.1/api", "c-1", "ed1a9cc1", 1
		t.Send, t.MaxCharge = []string{"cart_create", "cart_upgrade"}, map[string]config.Amount{"EUR": "150"}
	}
	return t
}

// order adds an order of some time before now.
func (w *world) order(within time.Duration) {
	r := w.dice
	w.made++
	id := fmt.Sprint(1000 + w.made)
	if w.chance(0.1) {
		id = pick(r, "7/", "7~", "A%2F", "000") + id
	}
	o := reconciletest.Order(id, w.goods(), func(o *reconcile.Order) {
		o.CompletedAt = now().Truncate(time.Minute).Add(-time.Duration(1+r.Int64N(int64(within/time.Minute))) * time.Minute)
		o.Channel, o.Currency, o.Permitted = pick(r, "online", "in_store", "mobile", "in_store"), pick(r, "EUR", "EUR", "EUR", "SEK"), !w.chance(0.05)
		o.Email = pick(r, "ann", "bob", "cas", "dee", "eva", "fay") + "@example.com"
		switch r.IntN(20) {
		case 0:
			o.Email = ""
		case 1:
			o.LeftOut = "cancelled"
		case 2:
			o.Bad = []reconcile.RowProblem{{Reason: reconcile.ReasonBadValue, Row: 2, Text: "a cell that cannot be read"}}
		}
		if o.Channel == "online" {
			o.Chain = w.chain()
		}
	})
	w.orders = append(w.orders, o)
	if w.chance(0.3) {
		w.record = append(w.record, reconcile.EvidenceRow{Key: o.Key, At: o.CompletedAt.Add(time.Minute)})
	}
	if o.Channel == "in_store" && o.Email != "" {
		w.cart(o)
	}
}

func (w *world) goods() (lines []string) {
	for range 1 + w.dice.IntN(3) {
		lines = append(lines, fmt.Sprintf("SKU%d x %d @ %d.%02d", w.dice.IntN(6), 1+w.dice.IntN(3), w.dice.IntN(90), 1+w.dice.IntN(99)))
	}
	return lines
}

// chain is a first product and what was taken in place of it, each dearer than
// the one before; what it costs more is due.
func (w *world) chain() (steps []reconcile.ChainStep) {
	price, before := 0, 0
	for n := range w.dice.IntN(4) {
		price += 10 + w.dice.IntN(40)
		due := price - before
		if w.chance(0.1) {
			due = 0
		}
		steps = append(steps, reconcile.ChainStep{Product: fmt.Sprint(918325 + n), Quantity: dec("1"), Price: dec(fmt.Sprint(price)), Cost: dec(fmt.Sprint(price)),
			Due: dec(fmt.Sprint(due)), Replaces: n, Shipping: "145", CustomerIP: "192.0.2.7"})
		before = price
	}
	return steps
}

// cart is what is stored for the customer of an order: some of what was bought,
// some other things, or both.
func (w *world) cart(o reconcile.Order) {
	c := reconcile.Cart{LastActivity: o.CompletedAt.Add(-time.Duration(w.dice.IntN(600)-60) * time.Minute)}
	for _, l := range o.Items {
		if w.chance(0.6) {
			c.Lines = append(c.Lines, reconcile.CartLine{SKU: l.SKU, Quantity: l.Quantity})
		}
	}
	if w.chance(0.5) {
		c.Lines = append(c.Lines, reconcile.CartLine{SKU: "SKU9", Quantity: dec("1")})
	}
	w.carts[reconcile.EmailPerson(o.Email)] = c
}

// edit changes an order as shops do.
func (w *world) edit() {
	i := w.dice.IntN(len(w.orders))
	o := w.orders[i]
	fresh := reconciletest.Order(o.Key.Order, w.goods(), func(n *reconcile.Order) {
		n.CompletedAt, n.Channel, n.Currency, n.Email, n.Permitted, n.Chain = o.CompletedAt, o.Channel, o.Currency, o.Email, o.Permitted, o.Chain
		switch w.dice.IntN(5) {
		case 0:
			n.LeftOut = "cancelled"
		case 1:
			n.Permitted = !n.Permitted
		case 2:
			n.Email = "late@example.com"
		case 3:
			n.Chain = w.chain()
		}
	})
	w.orders[i] = fresh
}

func (w *world) forget() error {
	return os.WriteFile(filepath.Join(w.dir, "erased.csv"), []byte(strings.Join(append(w.erased, "nobody@example.com"), "\n")+"\n"), 0o600)
}

// process is one start of makegood.
type process struct {
	*reconcile.Runner
	net    *wire
	fuses  []*sinks.Fuse
	dir    string
	name   string
	plans  map[string]planned // of a run: what it planned, kept before it is removed
	closed bool
}

// process starts makegood over a folder.
func (w *world) process(dir string, net *wire) (*process, error) {
	w.runs++
	p := &process{net: net, dir: dir, name: fmt.Sprintf("run-%d", w.runs), plans: map[string]planned{}}
	suppress, err := reconcile.NewSuppression([]string{filepath.Join(dir, "erased.csv")}, now)
	if err != nil {
		return nil, err
	}
	p.Runner = &reconcile.Runner{
		Sources:  []reconcile.SourceSpec{{Source: &reconciletest.Source{List: slices.Clone(w.orders)}, Shop: "main", EditWindow: 30 * day}},
		Evidence: map[string]reconcile.Evidence{"log": {EvidenceReader: &reconciletest.Evidence{Named: "log", Rows: slices.Clone(w.record)}, Side: reconcile.SideBackend, Trust: reconcile.ByProven, CoversFrom: begins.Add(-10 * day)}},
		Accepted: map[string]string{"log": "few orders are no wonder here"},
		Carts:    map[string]reconcile.OpenCarts{"open": {CartFeed: &reconciletest.CartFeed{Named: "open", Stored: w.carts}}},
		Suppress: suppress, StateDir: dir, Key: []byte("plan key"), Zone: time.UTC, Shops: []string{"main"}, Lookback: 1, ReachBack: 60,
		Clock: now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NewRun: func() reconcile.RunID { return reconcile.RunID(p.name) },
		SaveHead: func(reconcile.LedgerHead) error { return nil },
		Summarize: func(r reconcile.Result) ([]byte, int) {
			if kept, err := p.read(filepath.Join(dir, "plans", string(r.Run)+".plan")); err == nil {
				p.plans[string(r.Run)] = kept
			}
			return []byte("{}"), 0
		},
	}
	for i := range w.targets {
		if err := p.addTarget(w.targets[i], w.lists[w.targets[i].Name]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *process) addTarget(t config.Target, listed bool) error {
	var ask atomic.Pointer[func(reconcile.Event) reconcile.Reason]
	sink, fuse, err := sinks.Open(&t, sinks.Options{Clock: now, Dial: p.net.dial(t.Name), Random: func() float64 { return 0.5 }, Fit: func(e reconcile.Event) reconcile.Reason {
		if f := ask.Load(); f != nil {
			return (*f)(e)
		}
		return ""
	}})
	if err != nil {
		return err
	}
	p.fuses = append(p.fuses, fuse)
	rt := &reconcile.Target{Sink: sink, Type: t.Type, Mode: t.Mode, From: []string{"shop"}, Channels: t.Channels, Since: begins.Add(-4 * day), PerPerson: 1000,
		Concurrency: t.Concurrency, Timeout: time.Duration(t.Timeout), ClockMargin: time.Duration(t.ClockMargin), Digest: t.Name, Stopped: fuse.Stopped,
		FrontEndSettles: t.Type != "squeezely", NeedsApproval: t.Type == "emanage", Arm: func(f func(reconcile.Event) reconcile.Reason) { ask.Store(&f) }, Begin: fuse.Begin}
	if t.Type == "collect" {
		rt.CartFeeds = []string{"open"}
	}
	if listed {
		rt.Evidence, rt.MinAge = []string{"log"}, 30*time.Minute
	}
	p.Targets = append(p.Targets, rt)
	return nil
}

// end closes what a process opened, and waits for the platforms' ends.
func (p *process) end() {
	if p.closed {
		return
	}
	p.closed = true
	for _, f := range p.fuses {
		f.Close()
	}
	p.net.served.Wait()
}

func (p *process) options() ledger.Options {
	return ledger.Options{Key: personKey, Environment: "test", Host: p.name, Clock: now, Beat: 40 * time.Second}
}

// withLedger opens the ledger for writing. One that breaks takes nothing more
// after some outcomes, so that its run dies with claims.
func (p *process) withLedger(breaks int, do func(reconcile.Ledger) error) error {
	led, err := ledger.Open(context.Background(), filepath.Join(p.dir, "makegood.db"), p.options())
	if err != nil {
		return err
	}
	var use reconcile.Ledger = led
	if breaks > 0 {
		use = &breaking{Ledger: led, left: int64(breaks)}
	}
	err = do(use)
	p.end()
	return errors.Join(err, led.Close())
}

var errBroken = errors.New("the disk is gone")

// breaking is a ledger whose disk goes.
type breaking struct {
	reconcile.Ledger
	left int64
}

func (b *breaking) Settle(ctx context.Context, target string, run reconcile.RunID, outcomes []reconcile.Outcome) ([]reconcile.EventID, error) {
	if atomic.AddInt64(&b.left, -1) < 0 {
		return nil, errBroken
	}
	return b.Ledger.Settle(ctx, target, run, outcomes)
}

func (b *breaking) End(ctx context.Context, end reconcile.RunEnd) error {
	if atomic.LoadInt64(&b.left) < 0 {
		return errBroken
	}
	return b.Ledger.End(ctx, end)
}
