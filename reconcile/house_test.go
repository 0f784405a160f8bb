package reconcile_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/reconciletest"
)

var (
	noon   = reconciletest.Noon
	order  = reconciletest.Order
	at     = reconciletest.At
	dec    = reconciletest.Dec
	oneTea = []string{"tea x 1 @ 2.50"}
)

const day = 24 * time.Hour

// house is a whole makegood around values: a temporary folder, a clock that
// stands until it is moved, scripted sources and sinks, and a real ledger.
type house struct {
	*reconcile.Runner
	t      *testing.T
	dir    string
	source *reconciletest.Source
	sink   *reconciletest.Sink
	target *reconcile.Target
	lamps  map[string]string // why a target is stopped
	sinks  []*reconciletest.Sink
	led    *ledger.Store
	runs   int

	mu  sync.Mutex
	now time.Time
}

var personKey = make([]byte, ledger.KeySize)

// newHouse has one source, "shop", with the given orders, completed between
// noon less 10 days and noon, and one live target, "target", that reads it.
func newHouse(t *testing.T, orders ...reconcile.Order) *house {
	h := &house{t: t, dir: t.TempDir(), now: noon.Add(time.Hour), lamps: map[string]string{},
		source: &reconciletest.Source{List: orders}}
	h.Runner = &reconcile.Runner{
		Sources:  []reconcile.SourceSpec{{Source: h.source, Shop: "main", EditWindow: 30 * day}},
		Evidence: map[string]reconcile.Evidence{}, Carts: map[string]reconcile.OpenCarts{},
		StateDir: h.dir, Key: []byte("plan key"), Zone: time.UTC, Lookback: 7, ReachBack: 60,
		Clock: h.clock, NewRun: h.newRun, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		SaveHead:  func(reconcile.LedgerHead) error { return nil },
		Summarize: func(reconcile.Result) ([]byte, int) { return []byte("{}"), 0 },
	}
	h.target, h.sink = h.addTarget("target", "shop")
	t.Cleanup(func() { h.close() })
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) newRun() reconcile.RunID {
	h.runs++
	return reconcile.RunID(fmt.Sprintf("run-%d", h.runs))
}

func (h *house) addTarget(name string, from ...string) (*reconcile.Target, *reconciletest.Sink) {
	sink := &reconciletest.Sink{Named: name, Accuse: h.t.Errorf}
	target := &reconcile.Target{Sink: sink, Type: "scripted", Mode: reconcile.ModeLive, From: from,
		Since: noon.Add(-10 * day), Concurrency: 2, PerPerson: 30, Timeout: time.Second, Digest: "digest of " + name,
		Stopped: func() string { h.mu.Lock(); defer h.mu.Unlock(); return h.lamps[name] }}
	h.Targets = append(h.Targets, target)
	h.sinks = append(h.sinks, sink)
	return target, sink
}

// stop makes a target take no more.
func (h *house) stop(target, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lamps[target] = why
}

func (h *house) addSource(name, shop string, orders ...reconcile.Order) *reconciletest.Source {
	s := &reconciletest.Source{Named: name, List: orders}
	h.Sources = append(h.Sources, reconcile.SourceSpec{Source: s, Shop: shop, EditWindow: 30 * day})
	return s
}

func (h *house) path() string { return filepath.Join(h.dir, "makegood.db") }

func (h *house) options() ledger.Options {
	return ledger.Options{Key: personKey, Environment: "test", Clock: h.clock}
}

// ledger opens the ledger at its first use.
func (h *house) ledger() *ledger.Store {
	h.t.Helper()
	if h.led == nil {
		led, err := ledger.Open(context.Background(), h.path(), h.options())
		if err != nil {
			h.t.Fatal(err)
		}
		h.led = led
	}
	return h.led
}

// close is what a crash does to the ledger too: claims stay as they are, and
// the locks are gone.
func (h *house) close() {
	if h.led != nil {
		if err := h.led.Close(); err != nil {
			h.t.Error(err)
		}
		h.led = nil
	}
}

// check holds after every run, whatever happened in it.
func (h *house) check(res reconcile.Result) {
	h.t.Helper()
	for _, fault := range reconciletest.Faults(res, h.Targets) {
		h.t.Errorf("%s %s: %s", res.Command, res.Run, fault)
	}
	for _, s := range h.sinks {
		for id, n := range s.Accepted() {
			if n > 1 && !s.Traits()[id.Kind()].MergesRepeats {
				h.t.Errorf("%s: %s was accepted %d times", s.Name(), id, n)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(h.dir, "*.tmp"))
	if err != nil || len(left) > 0 {
		h.t.Errorf("planning left %v, %v", left, err)
	}
}

// attempt runs with any ledger and context, and checks what must always hold.
func (h *house) attempt(ctx context.Context, led reconcile.Ledger, req reconcile.Request) (reconcile.Result, error) {
	h.t.Helper()
	res, err := h.Run(ctx, led, req)
	h.check(res)
	return res, err
}

// run is a run that must reach its end.
func (h *house) run() reconcile.Result {
	h.t.Helper()
	return h.runOver(reconcile.Request{})
}

func (h *house) runOver(req reconcile.Request) reconcile.Result {
	h.t.Helper()
	before := h.plans()
	res, err := h.attempt(context.Background(), h.ledger(), req)
	if err != nil {
		h.t.Fatal(err)
	}
	if after := h.plans(); !slices.Equal(before, after) {
		h.t.Errorf("the plans were %v, a run made them %v", before, after)
	}
	return res
}

// plan makes a plan from a ledger that is only read.
func (h *house) plan() reconcile.Result {
	h.t.Helper()
	led, err := ledger.OpenReader(context.Background(), h.path(), h.options())
	if err != nil {
		h.t.Fatal(err)
	}
	defer led.Close()
	res, err := h.Plan(context.Background(), led, reconcile.Request{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.check(res)
	return res
}

// apply carries out the plan of a result.
func (h *house) apply(planned reconcile.Result, req reconcile.Request) (reconcile.Result, error) {
	h.t.Helper()
	plan, err := reconcile.OpenPlan(planned.Plan.Path, h.Key)
	if err != nil {
		return reconcile.Result{}, err
	}
	res, err := h.Apply(context.Background(), h.ledger(), plan, req)
	if len(res.Targets) > 0 {
		h.check(res)
	}
	return res, err
}

func (h *house) plans() []string {
	plans, err := filepath.Glob(filepath.Join(h.dir, "plans", "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return plans
}

// ends compares the places of the only target's events with what is wanted:
// "bucket/reason" to events.
func (h *house) ends(res reconcile.Result, want map[string]int) {
	h.t.Helper()
	h.endsAt(res, "target", want)
}

func (h *house) endsAt(res reconcile.Result, target string, want map[string]int) {
	h.t.Helper()
	got := map[string]int{}
	b := targetOf(h.t, res, target).Balance
	for _, p := range b.Reasons() {
		got[string(p.Bucket)+"/"+string(p.Reason)] = b.Places[p].Events
	}
	if fmt.Sprint(got) != fmt.Sprint(want) { // maps print sorted
		h.t.Errorf("%s of %s: events are at %v, want %v", res.Command, target, got, want)
	}
}

func targetOf(t *testing.T, res reconcile.Result, name string) *reconcile.TargetResult {
	t.Helper()
	i := slices.IndexFunc(res.Targets, func(tr reconcile.TargetResult) bool { return tr.Target == name })
	if i < 0 {
		t.Fatalf("no result of target %s", name)
	}
	return &res.Targets[i]
}

func purchase(id string) reconcile.EventID {
	return reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: id})
}

func cartOf(id string) reconcile.EventID {
	return reconcile.NewEventID(reconcile.KindCart, reconcile.OrderKey{Shop: "main", Order: id})
}

func (h *house) entry(id reconcile.EventID) reconcile.Entry {
	h.t.Helper()
	found, err := h.ledger().Find(context.Background(), "target", []reconcile.EventID{id})
	if err != nil {
		h.t.Fatal(err)
	}
	return found[id]
}

// accepted compares what the sink accepted, in any order.
func (h *house) accepted(want ...reconcile.EventID) {
	h.t.Helper()
	got := h.sink.Order()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Errorf("accepted were %v, want %v", got, want)
	}
}

// refused expects a plan that is refused with a code.
func (h *house) refused(err error, code int) *reconcile.PlanRefused {
	h.t.Helper()
	var refused *reconcile.PlanRefused
	if !errors.As(err, &refused) || refused.Code != code || refused.Text == "" {
		h.t.Fatalf("got %v, want a plan refused with %d", err, code)
	}
	return refused
}

// outcomes makes a script that gives each attempt at an event the next outcome,
// the last one again and again.
func outcomes(list ...reconcile.Outcome) func(reconcile.EventID, int) reconcile.Outcome {
	return func(_ reconcile.EventID, attempt int) reconcile.Outcome {
		return list[min(attempt, len(list))-1]
	}
}

func many(n int, change ...func(*reconcile.Order)) []reconcile.Order {
	orders := make([]reconcile.Order, n)
	for i := range orders {
		orders[i] = order(fmt.Sprintf("%04d", i), oneTea, change...)
	}
	return orders
}

func hashOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

type ctx = context.Context

// suppress makes files the list of those who must not be sent.
func (h *house) suppress(paths ...string) {
	h.t.Helper()
	list, err := reconcile.NewSuppression(paths, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Suppress = list
}

// busy gives other workers time to get in each other's way.
func busy([]reconcile.Event) {
	for range 20 {
		runtime.Gosched()
	}
}
