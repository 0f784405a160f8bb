package main

import (
	"context"
	"fmt"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// remembered is what a destination's nights in shadow and on trial left, as the
// ledger has it now.
type remembered struct {
	reports.Count
	From time.Time `json:"from,omitzero"` // completions
	To   time.Time `json:"to,omitzero"`   // of the newest
	// TooEarly messages would have gone before the live integration delivered them
	// by itself.
	TooEarly int `json:"too_early"`
}

// remembers asks the ledger what shadow and trials left at a destination; what
// was sent since is none of it.
func (s *surveyor) remembers(ctx context.Context, d *standing, ledgerName string) error {
	if d.Shadow == nil && d.Trial == nil {
		return nil
	}
	var left reconcile.Count
	var found remembered
	if err := s.led.Remembered(ctx, ledgerName, func(was reconcile.Decision) error {
		switch {
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
			if found.From.IsZero() || was.CompletedAt.Before(found.From) {
				found.From = was.CompletedAt
			}
			if was.CompletedAt.After(found.To) {
				found.To = was.CompletedAt
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

// backfill is the command that makes a plan of what was left.
func (m *remembered) backfill(target string, zone *time.Location) string {
	return fmt.Sprintf("plan --target %s --from %s --to %s", quotedArgument(target), m.From.In(zone).Format(time.DateOnly),
		m.To.In(zone).AddDate(0, 0, 1).Format(time.DateOnly))
}
