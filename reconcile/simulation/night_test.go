package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// play is a world from its beginning to its end.
func (w *world) play() {
	defer w.close()
	r := w.dice.of("nights")
	for n := range 1 + r.IntN(3) {
		if len(w.faults) > 0 {
			return
		}
		w.night(n)
	}
	w.last()
}

// night is a day of the shop, and then some runs.
func (w *world) night(n int) {
	r := w.dice.of("night", n)
	gap := between(r, 3*time.Hour, 60*time.Hour)
	if n > 0 {
		time.Sleep(gap)
		w.day(r, gap)
	}
	w.mu.Lock()
	w.turn(newWeather(r))
	w.tracef("night %d: %d%% bad", n, int(100*w.weather().bad))
	w.mu.Unlock()
	switch r.IntN(9) {
	case 0, 1, 2:
		w.lone(newFate(r), reconcile.Request{})
	case 3, 4:
		w.twoAtOnce(r)
	case 5, 6:
		w.whileTheClockJumps(r)
	default:
		w.stalePlan(r)
	}
	w.check()
}

// day is what happens in the shop, and what a person does.
func (w *world) day(r *rand.Rand, gap time.Duration) {
	w.mu.Lock()
	for range r.IntN(4) {
		w.newOrder(r, between(r, 0, gap))
	}
	for range r.IntN(3) {
		w.tracef("%s", w.shop.change(r))
	}
	if chance(r, 0.1) {
		w.erase(fmt.Sprintf("c%d@example.com", r.IntN(6)))
	}
	if chance(r, 0.2) {
		w.purge()
	}
	w.mu.Unlock()
	if chance(r, 0.3) {
		w.person(r)
	}
	if chance(r, 0.05) {
		w.jump(pick(r, []time.Duration{-time.Hour, time.Hour, 30 * time.Hour}))
	}
}

// lone is one run, whose balance is compared with an independent count.
func (w *world) lone(f fate, req reconcile.Request) *process {
	before := w.entries()
	p := w.start("run", f)
	p.run(req)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clean(p)
	w.judgeBalance(p, before)
	return p
}

// twoAtOnce are two runs that begin within seconds.
func (w *world) twoAtOnce(r *rand.Rand) {
	w.together(newFate(r), newFate(r), func() { time.Sleep(between(r, 0, 20*time.Second)) })
}

// together begins a second run after some time.
func (w *world) together(one, other fate, meanwhile func()) {
	var both sync.WaitGroup
	first := w.start("one", one)
	both.Go(func() { first.run(reconcile.Request{}) })
	meanwhile()
	second := w.start("other", other)
	both.Go(func() { second.run(reconcile.Request{}) })
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clean(first)
	w.clean(second)
}

// whileTheClockJumps are two runs, the second of which takes the first for dead
// although it is at work: the clock jumped, or the first one's beats do not
// come through.
func (w *world) whileTheClockJumps(r *rand.Rand) {
	sky := w.weather()
	sky.slow = 0.7
	if chance(r, 0.5) { // a refused batch is taken apart while the run loses its lease
		sky.bad, sky.kinds = 0.3, []answer{refusal}
	}
	w.turn(sky)
	var one, other fate
	if chance(r, 0.3) {
		other = newFate(r)
	}
	w.together(one, other, func() {
		time.Sleep(between(r, 0, 40*time.Second))
		switch {
		case chance(r, 0.7):
			w.jump(between(r, 2*time.Minute, 10*time.Minute))
		case chance(r, 0.5):
			w.jump(-between(r, time.Second, time.Hour))
		}
		time.Sleep(between(r, 0, 20*time.Second))
	})
}

// stalePlan makes a plan and carries it out when something has happened.
func (w *world) stalePlan(r *rand.Rand) {
	planner := w.start("plan", fate{})
	path := planner.plan()
	w.mu.Lock()
	w.clean(planner)
	w.mu.Unlock()
	if chance(r, 0.3) {
		w.mu.Lock()
		for range 1 + r.IntN(3) {
			w.tracef("%s", w.shop.change(r))
		}
		w.mu.Unlock()
	}
	if chance(r, 0.6) {
		w.lone(newFate(r), reconcile.Request{})
		w.check()
	}
	if chance(r, 0.3) {
		w.person(r)
	}
	w.mu.Lock()
	if chance(r, 0.4) {
		w.tracef("%s", w.shop.change(r))
	}
	if chance(r, 0.4) {
		w.erase(fmt.Sprintf("c%d@example.com", r.IntN(6)))
	}
	w.mu.Unlock()
	if chance(r, 0.5) {
		time.Sleep(between(r, 0, 26*time.Hour))
	}
	if path == "" {
		return
	}
	p := w.start("apply", newFate(r))
	p.apply(path, reconcile.Request{SkipMoved: chance(r, 0.6)})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clean(p)
}

// person gives their word on some of what is in doubt or was refused: that it
// was sent, or that it is to be sent again. Nobody knows whether they are right.
func (w *world) person(r *rand.Rand) {
	led, err := ledger.Open(context.Background(), w.ledger, ledger.Options{Key: personKey, Environment: "test", Clock: w.now})
	if err != nil {
		w.violate("open the ledger: %v", err)
		return
	}
	defer led.Close()
	entries := w.entries()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.targets {
		for _, o := range w.shop.orders {
			at := pick(r, w.versions(t, o.id))
			e := entries[at]
			if e.State != reconcile.StateDoubtful && e.State != reconcile.StateRefused || chance(r, 0.4) {
				continue
			}
			word := reconcile.Resolution{State: reconcile.StateOpen, Note: "said", Who: "a person"}
			if e.State == reconcile.StateDoubtful && chance(r, 0.5) {
				word.State, word.By = reconcile.StateDone, reconcile.ByAssumed
			}
			w.tracef("a person says that %v is %s", at, word.State)
			if err := led.Resolve(context.Background(), at.target, e.ID, word); err != nil {
				w.violate("resolve %v: %v", at, err)
			}
			h := w.history(at)
			h.state, h.by, h.unknown, h.not = word.State, word.By, false, time.Time{}
			if word.State == reconcile.StateOpen {
				h.words++
			}
		}
	}
}

// last are nights on which all is well: then everything must have come to its
// end.
func (w *world) last() {
	wrong := time.Duration(w.ahead.Load()) - start.Sub(bubble)
	w.jump(-wrong)
	time.Sleep(max(0, wrong)) // until then the ledger is ahead of the clock
	w.turn(calm)
	// What was held back for long is read again when a person asks for it.
	for _, req := range []reconcile.Request{{}, {From: w.since}} {
		time.Sleep(31 * time.Hour)
		p := w.lone(fate{}, req)
		w.check()
		if p.err != nil {
			w.violate("the last run, on a good night: %v", p.err)
		}
		w.judgeEnd(p, req)
		if len(w.faults) > 0 {
			return
		}
	}
}

// bubble is when every bubble begins.
var bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
