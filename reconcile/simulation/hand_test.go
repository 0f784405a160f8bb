package simulation

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"makegood/reconcile"
)

// hand is a process's hold of the ledger. At its door everything durable is
// seen (watch_test.go), and here the process meets its fate: it is killed
// before or after a step, or the disk is full.
type hand struct {
	reconcile.Ledger
	p    *process
	once sync.Once
}

var (
	errKilled = errors.New("the process is dead")
	errFull   = &diskError{}
)

type diskError struct{}

func (*diskError) Error() string { return "write the ledger: " + syscall.ENOSPC.Error() }
func (*diskError) Unwrap() error { return syscall.ENOSPC }

// leave closes the handle, which is what a death does to it, too: what it
// claimed stays claimed, and its locks are free.
func (h *hand) leave() {
	h.once.Do(func() {
		if err := h.Ledger.Close(); err != nil {
			h.p.w.mu.Lock()
			defer h.p.w.mu.Unlock()
			h.p.w.violate("%s closes its ledger: %v", h.p.name, err)
		}
	})
}

// step does one durable step, unless fate is against it. seen is called when
// the step was done, before anybody else can do one.
func (h *hand) step(what string, do func() error, seen func()) error {
	p := h.p
	time.Sleep(p.w.dice.moment("step", p.name, what, p.count(what)))
	p.w.mu.Lock()
	p.steps++
	p.look()
	n, f, dead := p.steps, p.fate, p.dead
	p.w.mu.Unlock()
	switch {
	case dead:
		return errKilled
	case f.what == killedBefore && n == f.step:
		p.kill("before " + what)
		return errKilled
	case f.what == diskFull && n >= f.step && n < f.step+f.steps:
		p.w.tell("%s cannot %s: the disk is full", p.name, what)
		return errFull
	}
	err := do()
	if err == nil {
		p.w.mu.Lock()
		seen()
		p.w.mu.Unlock()
	}
	if f.what == killedAfter && n == f.step {
		p.kill("after " + what)
		return errKilled
	}
	return err
}

// look remembers the latest time that the process has seen.
func (p *process) look() {
	if now := p.clock(); now.After(p.newest) {
		p.newest = now
	}
}

// Begin registers the run.
func (h *hand) Begin(ctx context.Context, run reconcile.RunRecord) error {
	return h.step("begin", func() error { return h.Ledger.Begin(ctx, run) }, func() {})
}

// Claim takes events.
func (h *hand) Claim(ctx context.Context, name string, run reconcile.RunID, tickets []reconcile.Ticket) (
	taken []reconcile.EventID, moved map[reconcile.EventID]reconcile.Entry, err error,
) {
	err = h.step("claim "+name+" "+string(tickets[0].Event.ID), func() (err error) {
		taken, moved, err = h.Ledger.Claim(ctx, name, run, tickets)
		return err
	}, func() {
		for _, t := range tickets {
			for _, id := range taken {
				if t.Event.ID == id {
					h.p.w.sawClaim(h.p, name, t.Event)
				}
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return taken, moved, nil
}

// Settle keeps what came back.
func (h *hand) Settle(ctx context.Context, name string, run reconcile.RunID, outcomes []reconcile.Outcome) (repeats []reconcile.EventID, err error) {
	err = h.step("settle "+name+" "+string(outcomes[0].ID), func() (err error) {
		repeats, err = h.Ledger.Settle(ctx, name, run, outcomes)
		return err
	}, func() {
		for _, o := range outcomes {
			h.p.w.sawSettle(h.p, name, o, repeats)
		}
	})
	return repeats, err
}

// Adopt records what others sent.
func (h *hand) Adopt(ctx context.Context, name string, run reconcile.RunID, adoptions []reconcile.Adoption) (n int, err error) {
	err = h.step("adopt "+name+" "+string(adoptions[0].Want.ID), func() (err error) {
		n, err = h.Ledger.Adopt(ctx, name, run, adoptions)
		return err
	}, func() {
		for _, a := range adoptions {
			h.p.w.sawAdoption(name, a)
		}
	})
	return n, err
}

// End stores the run's end.
func (h *hand) End(ctx context.Context, end reconcile.RunEnd) error {
	return h.step("end", func() error { return h.Ledger.End(ctx, end) }, func() { h.p.over = true })
}

// Alive is false for the dead.
func (h *hand) Alive(run reconcile.RunID, d time.Duration) bool {
	h.p.w.mu.Lock()
	dead := h.p.dead
	h.p.w.mu.Unlock()
	return !dead && h.Ledger.Alive(run, d)
}
