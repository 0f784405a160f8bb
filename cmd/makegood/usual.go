package main

import (
	"bytes"
	"context"
	"slices"

	"makegood/reconcile"
	"makegood/reports"
)

// How many runs are looked at to know what is usual: ordinary ones at a
// destination, among so many of all.
const (
	usualRuns = 14
	amongRuns = 100
)

// usual finds out what the last runs sent to each destination: ordinary ones,
// that were sent live and not over a period that a person named.
func (s *session) usual(ctx context.Context) error {
	runs, err := s.led.Ended(ctx, amongRuns)
	if err != nil {
		return err
	}
	lacks := func(t *reconcile.Target) bool { return t.Usual.Runs < usualRuns }
	for _, run := range runs {
		if !slices.ContainsFunc(s.Targets, lacks) {
			break
		}
		if run.Command != "run" || len(run.Summary) == 0 {
			continue
		}
		report, err := reports.Read(bytes.NewReader(run.Summary))
		if err != nil || report.Backfill {
			continue // another version's report is no reason to send nothing
		}
		for _, t := range s.Targets {
			for _, past := range report.Targets {
				if past.Target != t.Name() || past.Mode != reconcile.ModeLive || !lacks(t) {
					continue
				}
				t.Usual.Runs++
				t.Usual.Most = max(t.Usual.Most, past.Balance.Sent.Events+past.Balance.Refused.Events)
			}
		}
	}
	return nil
}
