package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// planned is what a plan says: its digest, and the lines that it covers.
type planned struct {
	digest string
	lines  string
	steps  []reconcile.PlannedStep
}

// read reads a plan.
func (p *process) read(path string) (planned, error) {
	plan, err := p.OpenPlan(path)
	if err != nil {
		return planned{}, err
	}
	var lines bytes.Buffer
	if err := plan.Canonical(&lines); err != nil {
		return planned{}, err
	}
	read := planned{digest: plan.Digest, lines: lines.String()}
	for step, err := range plan.All() {
		if err != nil {
			return planned{}, err
		}
		read.steps = append(read.steps, step)
	}
	return read, nil
}

// past lets some nights go by, until half past a minute.
func (w *world) past() error {
	for range w.dice.IntN(4) {
		if err := w.night(); err != nil {
			return err
		}
		time.Sleep(time.Duration(1+w.dice.IntN(40*60)) * time.Minute)
		for range w.dice.IntN(3) {
			w.order(day)
		}
		for range w.dice.IntN(3) {
			w.edit()
		}
		if w.chance(0.1) {
			w.erased = append(w.erased, "bob@example.com")
		}
		if err := errors.Join(w.forget(), w.person()); err != nil {
			return err
		}
	}
	time.Sleep(now().Truncate(time.Minute).Add(90 * time.Second).Sub(now()))
	return nil
}

// night is a run, or an approved plan, over platforms that answer in every way.
func (w *world) night() error {
	p, err := w.process(w.dir, newWire(1+w.dice.Uint64()))
	if err != nil {
		return err
	}
	breaks, approved := 0, w.chance(0.4)
	if w.chance(0.2) {
		breaks = 1 + w.dice.IntN(4)
	}
	err = p.withLedger(breaks, func(led reconcile.Ledger) error {
		if !approved {
			_, err := p.Run(context.Background(), led, reconcile.Request{})
			return err
		}
		_, err := p.approvedPlan(led)
		return err
	})
	if breaks > 0 {
		return nil // it died, or ended before its disk went
	}
	return err
}

// approvedPlan plans, approves and applies.
func (p *process) approvedPlan(led reconcile.Ledger) (planned, error) {
	res, err := p.Plan(context.Background(), led, reconcile.Request{})
	if err != nil {
		return planned{}, err
	}
	made, err := p.read(res.Plan.Path)
	if err != nil {
		return planned{}, err
	}
	return made, p.apply(led, res.Plan.Path)
}

// apply approves a plan and applies it.
func (p *process) apply(led reconcile.Ledger, path string) error {
	plan, err := p.OpenPlan(path)
	if err != nil {
		return err
	}
	if _, err := p.Approve(plan, "night desk", "compared"); err != nil {
		return err
	}
	_, err = p.Apply(context.Background(), led, plan, reconcile.Request{})
	return err
}

// person says of some doubts and refusals what became of them.
func (w *world) person() error {
	if w.chance(0.6) {
		return nil
	}
	p, err := w.process(w.dir, newWire(0))
	if err != nil {
		return err
	}
	return p.withLedger(0, func(led reconcile.Ledger) error {
		for _, t := range w.targets {
			found, err := led.Unfinished(context.Background(), t.Name, reconcile.Window{From: begins.Add(-30 * day), To: now()}, 100)
			if err != nil {
				return err
			}
			for _, e := range found {
				if e.State != reconcile.StateDoubtful && e.State != reconcile.StateRefused || w.chance(0.5) {
					continue
				}
				word := reconcile.Resolution{State: reconcile.StateOpen, Note: "said", Who: "a person"}
				if e.State == reconcile.StateDoubtful && w.chance(0.5) {
					word.State, word.By = reconcile.StateDone, reconcile.ByAssumed
				}
				if err := led.Resolve(context.Background(), t.Name, e.ID, word); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// reader opens the ledger as makegood plan does.
func (p *process) reader() (*ledger.Reader, error) {
	return ledger.OpenReader(context.Background(), p.dir+"/makegood.db", p.options())
}
