package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/reconciletest"
	"makegood/sinks"
)

// fate is what becomes of a process before its end. The zero value is a
// process that nothing happens to.
type fate struct {
	step    int           // the step at the ledger, from 1, at which it happens; 0: none
	what    string        // killed before, killed after, disk full
	steps   int           // how many steps the disk stays full
	request int           // it is killed when this request, from 1, is under way; 0: never
	term    time.Duration // after which it is asked to stop; 0: never
	broken  string        // what cannot be read: source, lines or evidence
	mute    bool          // its beats do not come through
}

const (
	killedBefore = "killed before"
	killedAfter  = "killed after"
	diskFull     = "disk full"
)

func newFate(r *rand.Rand) (f fate) {
	switch r.IntN(12) {
	case 0, 1:
		f.step, f.what = 1+r.IntN(12), killedBefore
	case 2, 3:
		f.step, f.what = 1+r.IntN(12), killedAfter
	case 4:
		f.step, f.what, f.steps = 1+r.IntN(10), diskFull, 1+r.IntN(6)
	case 5:
		f.request = 1 + r.IntN(4)
	case 6:
		f.term = between(r, time.Millisecond, 20*time.Second)
	case 7:
		f.broken = pick(r, []string{"source", "lines", "evidence", "evidence"})
	}
	return f
}

// process is one start of makegood: its own sinks, its own handle of the
// ledger, and the shop as it reads it.
type process struct {
	*reconcile.Runner
	w      *world
	name   string
	fate   fate
	orders map[string]*order
	began  time.Time // by the bubble's clock
	jumps  int       // of the clock, when it began
	newest time.Time // the latest time that its clock has shown

	ctx     context.Context
	cancel  context.CancelFunc
	hand    *hand // nil as long as no ledger is open
	closers []func()

	dead  bool
	ended bool
	over  bool // its run has ended in the ledger
	conns []net.Conn
	steps int
	asked int
	times map[string]int // how often something was done, for the dice

	counted map[spot]reconcile.Verdict // what it settled

	result reconcile.Result
	err    error
}

// start makes a process that sees the shop as it is now.
func (w *world) start(name string, f fate) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
	p := &process{w: w, name: fmt.Sprintf("%s-%d", name, w.started), fate: f, orders: w.shop.seen(), began: time.Now(),
		jumps: w.jumps, newest: w.now(), times: map[string]int{}, counted: map[spot]reconcile.Verdict{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	source := w.shop.read()
	broken := errors.New("read the shop: the connection was lost")
	switch f.broken {
	case "source":
		source.Fail = broken
	case "lines":
		source.Later = broken
	}
	p.Runner = &reconcile.Runner{
		Sources:  []reconcile.SourceSpec{{Source: source, Shop: "main", EditWindow: 30 * day}},
		Evidence: map[string]reconcile.Evidence{}, Accepted: map[string]string{"log": "few orders are no wonder here"},
		Suppress: w.suppression(), StateDir: w.dir, Key: []byte("plan key"), Zone: time.UTC, Shops: []string{"main"},
		Lookback: 1, ReachBack: 60, Clock: p.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		NewRun:    func() reconcile.RunID { return reconcile.RunID(p.name) },
		SaveHead:  p.saveHead,
		Summarize: func(reconcile.Result) ([]byte, int) { return []byte("{}"), 0 },
	}
	for _, t := range w.targets {
		p.addTarget(t)
	}
	if f.term > 0 {
		go p.stopAfter(f.term)
	}
	return p
}

// clock is the host's: it shows what the world makes it show.
func (p *process) clock() time.Time { return p.w.now() }

// stopAfter is a SIGTERM.
func (p *process) stopAfter(d time.Duration) {
	select {
	case <-p.ctx.Done():
	case <-time.After(d):
		p.w.tell("%s is asked to stop", p.name)
		p.cancel()
	}
}

func (p *process) addTarget(t *target) {
	var ask atomic.Pointer[func(reconcile.Event) reconcile.Reason]
	fit := func(e reconcile.Event) reconcile.Reason {
		if f := ask.Load(); f != nil {
			return (*f)(e)
		}
		return ""
	}
	sink, fuse, err := sinks.Open(&t.config, sinks.Options{Clock: p.clock, Fit: fit, Dial: p.dial(t.platform),
		Random: func() float64 {
			return p.w.dice.of("pause", p.name, t.config.Name, p.count("pause "+t.config.Name)).Float64()
		}})
	if err != nil {
		panic(err)
	}
	p.closers = append(p.closers, fuse.Close)
	rt := &reconcile.Target{
		Sink: &orderly{sink, p}, Type: t.config.Type, Mode: reconcile.ModeLive, From: []string{"shop"}, Channels: t.config.Channels,
		Since: p.w.since, PerPerson: 1000, Concurrency: t.config.Concurrency, Timeout: time.Duration(t.config.Timeout),
		Digest: t.config.Name, Stopped: fuse.Stopped, FrontEndSettles: t.config.Type == "collect",
		Resend: t.asked, Arm: func(f func(reconcile.Event) reconcile.Reason) { ask.Store(&f) },
	}
	if t.evidence {
		rt.Evidence, rt.MinAge = []string{"log"}, 30*time.Minute
		p.Evidence["log"] = reconcile.Evidence{EvidenceReader: p.w.log(p.fate), Side: reconcile.SideBackend,
			Trust: reconcile.ByProven, CoversFrom: p.w.since.Add(-day)}
	}
	p.Targets = append(p.Targets, rt)
}

// orderly is a sink whose workers take turns: what they do at one moment would
// be another world each time.
type orderly struct {
	reconcile.Sink
	p *process
}

type sending struct{}

// Send takes a moment of its own before and after. Connections are made for the event that
// asks for them.
func (s *orderly) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	first := string(batch[0].ID)
	time.Sleep(s.p.w.dice.moment("send", s.p.name, s.Name(), first))
	defer func() { time.Sleep(s.p.w.dice.moment("sent", s.p.name, s.Name(), first)) }()
	return s.Sink.Send(context.WithValue(ctx, sending{}, first), batch)
}

// log is what the live integration recorded. A log that cannot be read gives
// some rows, or none, and then the error.
func (w *world) log(f fate) *reconciletest.Evidence {
	log := &reconciletest.Evidence{Named: "log", Rows: slices.Clone(w.recorded)}
	if f.broken == "evidence" {
		log.Rows = log.Rows[:len(log.Rows)/3]
		log.Fail = errors.New("read the log: the connection was lost")
	}
	return log
}

// count tells how often something was done before.
func (p *process) count(what string) int {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.times[what]++
	return p.times[what]
}

// onRequest kills a process whose hour has come.
func (p *process) onRequest() {
	p.w.mu.Lock()
	p.asked++
	now := p.asked == p.fate.request
	p.w.mu.Unlock()
	if now {
		p.kill("while a request is under way")
	}
}

// kill ends a process as SIGKILL does: nothing of it reaches the ledger or a
// platform any more, its connections break, and its locks are free.
func (p *process) kill(when string) {
	p.w.mu.Lock()
	if p.dead || p.ended {
		p.w.mu.Unlock()
		return
	}
	p.dead = true
	p.w.tracef("%s is killed %s", p.name, when)
	conns := p.conns
	p.w.mu.Unlock()
	p.cancel()
	for _, c := range conns {
		c.Close()
	}
	if p.hand != nil {
		p.hand.leave()
	}
}

// options are those of every handle of the ledger.
func (p *process) options() ledger.Options {
	beat := 40 * time.Second // a beat takes real time: fewer of them make more worlds
	if p.fate.mute {
		beat = day
	}
	return ledger.Options{Key: personKey, Environment: "test", Host: p.name, Clock: p.clock, Beat: beat}
}

// run is makegood run.
func (p *process) run(req reconcile.Request) {
	p.withLedger(func(led reconcile.Ledger) {
		p.result, p.err = p.Run(p.ctx, led, req)
	})
}

// apply is makegood apply.
func (p *process) apply(path string, req reconcile.Request) {
	p.withLedger(func(led reconcile.Ledger) {
		plan, err := reconcile.OpenPlan(path, p.Key)
		if err != nil {
			p.err = err
			return
		}
		p.result, p.err = p.Apply(p.ctx, led, plan, req)
	})
}

func (p *process) withLedger(do func(reconcile.Ledger)) {
	defer p.end()
	led, err := ledger.Open(p.ctx, p.w.ledger, p.options())
	if err != nil {
		p.err = err
		return
	}
	p.hand = &hand{Ledger: led, p: p}
	p.w.mu.Lock()
	stored := p.w.head
	p.w.mu.Unlock()
	head := led.Head()
	if p.err = ledger.CheckHead(stored, &head, led.KnowsRuns() && stored != nil); p.err == nil {
		p.err = led.CheckHistory(p.ctx, stored)
	}
	if p.err == nil {
		do(p.hand)
		return
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.violate("%s does not know its own ledger again: %v", p.name, p.err)
}

// saveHead keeps the newest head beside the ledger, as the living do.
func (p *process) saveHead(head reconcile.LedgerHead) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if !p.dead {
		p.w.head = &head
	}
	return nil
}

// end gives back what a process holds, as its end does.
func (p *process) end() {
	p.cancel()
	p.w.tell("%s ends: %v", p.name, p.err)
	if p.hand != nil {
		p.hand.leave()
	}
	for _, c := range p.closers {
		c()
	}
	p.w.mu.Lock()
	p.ended = true
	p.w.mu.Unlock()
}

// plan is makegood plan: the path of the plan, "" when it could not be made.
func (p *process) plan() string {
	defer p.end()
	led, err := ledger.OpenReader(p.ctx, p.w.ledger, p.options())
	if err != nil {
		p.err = err
		return ""
	}
	defer led.Close()
	if p.result, p.err = p.Plan(p.ctx, led, reconcile.Request{}); p.err != nil || p.result.Plan == nil {
		return ""
	}
	return p.result.Plan.Path
}

// target is one destination, as it is configured, with its platform.
type target struct {
	config   config.Target
	platform *platform
	evidence bool
	asked    bool // what changed after it was sent is to be sent again
	resend   bool // and it is: repeats are merged
}

var personKey = make([]byte, ledger.KeySize)

func newTarget(kind string, r *rand.Rand) *target {
	t := &target{platform: newPlatform(kind, kind == "squeezely")}
	t.config = config.Target{Name: kind, Type: kind, Mode: config.ModeLive, Send: []string{"purchase"}, Concurrency: 1 + r.IntN(3),
		Batch: 1, Timeout: config.Duration(30 * time.Second),
		ProbeAfter: []config.Duration{config.Duration(10 * time.Second), config.Duration(20 * time.Second)}}
	t.asked = chance(r, 0.5)
	t.resend = t.asked && t.platform.merges
	if kind == "squeezely" {
		t.config.URL, t.config.Account, t.config.APIKey = "http://127.0.0.1/track", "shop", "key"
		t.config.Language = "nl-NL"
		if chance(r, 0.4) {
			t.config.Batch = 3
		}
		return t
	}
	t.config.URL, t.config.MID, t.config.Channels = "http://127.0.0.1", "123456", []string{"in_store", "telephone"}
	t.config.MaxAge = config.Duration(pick(r, []time.Duration{30 * day, 30 * day, 48 * time.Hour}))
	t.evidence = chance(r, 0.5)
	return t
}

const day = 24 * time.Hour

func (w *world) suppression() *reconcile.Suppression {
	list, err := reconcile.NewSuppression([]string{filepath.Join(w.dir, "erased.csv")}, w.now)
	if err != nil {
		panic(err)
	}
	return list
}
