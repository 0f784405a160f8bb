package main

import (
	"bytes"
	"context"
	"fmt"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// remembered is what a destination's nights in shadow and on trial left: in
// shadow and on trial as the ledger has it of all nights, since then as the last
// run has found it.
type remembered struct {
	reports.Count
	// TooEarly messages would have gone twice.
	TooEarly int `json:"too_early"`
	command  string
}

// remembers finds out what shadow and trials left at a destination.
func (s *surveyor) remembers(ctx context.Context, d *standing, ledgerName string) error {
	if d.Mode == config.ModeLive {
		return nil // its runs have told
	}
	if d.Shadow == nil && d.Trial == nil {
		return nil
	}
	var left reconcile.Count
	var found remembered
	since := s.cfg.Targets[d.Target].Since
	if err := s.led.Remembered(ctx, ledgerName, func(was reconcile.Decision) error {
		switch {
		case was.ID.Revision() > 1 || since != nil && was.CompletedAt.Before(since.In(s.zone)):
		case was.WasTooEarly():
			found.TooEarly++
		case was.Waits():
			one := reconcile.Count{Events: 1}
			if was.ID.Kind() == reconcile.KindPurchase {
				one.Orders = 1
			}
			if was.Value.Amount != nil {
				one.Money = reconcile.Money{was.Value.Currency: *was.Value.Amount}
			}
			return left.Add(one)
		}
		return nil
	}); err != nil {
		return err
	}
	found.Count = reports.CountOf(left)
	d.Remembered = &found
	return nil
}

// meetBacklog takes what a live run found that shadow and trials left; the newer
// ones came before. A run of a person's own that sent some of it since leaves that
// to the next ordinary one.
func (d *standing) meetBacklog(run ledger.LastRun, backfill bool, mode string, b reports.Balance, config string) {
	switch {
	case d.backlogKnown || d.Mode != mode || !reconcile.Sends(mode) || mode == reconcile.ModeTrial:
	case backfill || run.Command != "run":
		d.backlogKnown = b.Sent.Events > 0
	default:
		d.backlogKnown = true
		report, err := reports.Read(bytes.NewReader(run.Summary))
		if err != nil {
			return
		}
		if left, command := report.Naming(config).BacklogOf(d.Target); left.Events > 0 {
			d.Remembered = &remembered{Count: left, command: command}
		}
	}
}

// words says what shadow and trials left, "" where it is nothing.
func (m *remembered) words(mode string) string {
	text := ""
	switch {
	case m == nil:
		return ""
	case m.Events > 0 && mode == config.ModeShadow:
		text = "would have been sent up to now: " + reports.ThingsOf(m.Count)
	case m.Events > 0:
		text = "left by shadow or a trial: " + reports.ThingsOf(m.Count)
	}
	if m.TooEarly > 0 {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("too early would have been %s", counted(m.TooEarly, "message"))
	}
	return text
}
