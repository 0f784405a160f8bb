package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"os"
	"slices"
	"time"
)

// openLedger opens the ledger for a run, and makes sure that it is the one
// that this state_dir knows, and of this environment.
func (w *wiring) openLedger(ctx context.Context, f *runFlags) (*ledger.Store, error) {
	led, err := w.openOnce(ctx, f)
	if errors.Is(err, ledger.ErrHeadMissing) { // another first run may just have made both
		led, err = w.openOnce(ctx, f)
	}
	if err == nil && led.Shared() {
		for name, pace := range w.paces {
			pace.Share(seller{led, name})
		}
	}
	return led, err
}

// seller is where the pace of one destination is bought that processes on several
// machines keep to together.
type seller struct {
	led    *ledger.Store
	target string
}

// Buy takes a share of the pace.
func (l seller) Buy(ctx context.Context, worth time.Duration) (time.Duration, error) {
	return l.led.Buy(ctx, l.target, worth)
}

func (w *wiring) openOnce(ctx context.Context, f *runFlags) (*ledger.Store, error) {
	stored, err := w.storedHead(f)
	if err != nil {
		return nil, err
	}
	begun, err := ledger.Begun(ctx, w.cfg.Ledger)
	if err != nil {
		return nil, err
	}
	if !begun && stored != nil {
		return nil, ledger.CheckHead(stored, nil, false)
	}
	if err := mayWrite(w.cfg.Ledger); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only shown
	led, err := ledger.Open(ctx, w.cfg.Ledger, ledger.Options{Key: w.Key, Environment: w.cfg.Environment, Host: host, Clock: w.Clock})
	if err != nil {
		return nil, err
	}
	if err := w.checkLedger(ctx, led, stored, f); err != nil {
		return nil, errors.Join(err, led.Close())
	}
	return led, nil
}

// storedHead is the head that must be matched: the one a person gave, or the
// one in state_dir, or none.
func (w *wiring) storedHead(f *runFlags) (*reconcile.LedgerHead, error) {
	if f.newHost {
		return nil, nil
	}
	if f.expectHead != "" {
		var head reconcile.LedgerHead
		err := json.Unmarshal([]byte(f.expectHead), &head)
		if err == nil && head.Ledger == "" {
			err = errors.New("it names no ledger")
		}
		if err != nil {
			return nil, &usageError{command: "makegood run", err: fmt.Errorf("read --expect-head: %w; copy head from the last report", err)}
		}
		return &head, nil
	}
	head, exists, err := ledger.ReadHead(w.head)
	if err != nil || !exists {
		return nil, err
	}
	return &head, nil
}

func (w *wiring) checkLedger(ctx context.Context, led *ledger.Store, stored *reconcile.LedgerHead, f *runFlags) error {
	head := led.Head()
	if !f.newHost {
		err := ledger.CheckHead(stored, &head, led.KnowsRuns())
		if err == nil {
			err = led.CheckHistory(ctx, stored)
		}
		if err != nil {
			return err
		}
	}
	stamp := led.Environment()
	live := slices.ContainsFunc(w.Targets, func(t *reconcile.Target) bool { return reconcile.Sends(t.Mode) })
	if live && stamp != w.cfg.Environment {
		return &configError{fmt.Errorf("this ledger belongs to environment %q, the configuration says %q; nothing is sent live",
			cmp.Or(stamp, "none"), w.cfg.Environment)}
	}
	if !led.KnowsRuns() { // before the first run is in it: from then on a head must be there
		return ledger.WriteHead(w.head, head)
	}
	return nil
}

// readLedger opens the ledger for planning: nothing is made or changed. It
// must be the one that this state_dir knows: a ledger that is gone would read
// as if nothing had ever been sent.
func (w *wiring) readLedger(ctx context.Context) (*ledger.Reader, error) {
	stored, err := w.storedHead(&runFlags{})
	if err != nil {
		return nil, err
	}
	if err := mayWrite(w.cfg.Ledger); err != nil {
		return nil, err
	}
	led, err := ledger.OpenReader(ctx, w.cfg.Ledger, ledger.Options{Key: w.Key, Clock: w.Clock})
	if err != nil {
		return nil, err
	}
	var found *reconcile.LedgerHead
	if !led.Absent() {
		head := led.Head()
		found = &head
	}
	err = ledger.CheckHead(stored, found, led.KnowsRuns())
	if err == nil {
		err = led.CheckHistory(ctx, stored)
	}
	if err != nil {
		return nil, errors.Join(err, led.Close())
	}
	return led, nil
}
