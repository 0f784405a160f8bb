package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"makegood/cmd/makegood/upload"
	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// overseer is what makegood status tells of workers, for the pages of makegood
// serve.
type overseer struct {
	*app
	cfg *config.Config
}

var _ upload.Overseer = overseer{}

// Machines implements upload.Overseer.
func (o overseer) Machines(ctx context.Context) (found *upload.Machines, err error) {
	err = o.pastOf(ctx, o.cfg, nil, func(led *ledger.Reader, zone *time.Location) error {
		told, err := o.workersOf(ctx, o.cfg, led)
		if err == nil && told != nil {
			found = told.page(zone)
		}
		return err
	})
	return found, err
}

// page tells of workers as the page shows them.
func (w *workersJSON) page(zone *time.Location) *upload.Machines {
	m := &upload.Machines{Slices: []upload.Slices{
		{Place: "Waiting", N: w.Slices[workers.Waiting] + w.Slices[workers.Queued] - w.Planning}, {Place: "Being planned", N: w.Planning},
		{Place: "Being sent", N: w.Slices[workers.Sending]}, {Place: "Done", N: w.Slices[workers.Done]}, {Place: "Taken out", N: w.Slices[workers.Cancelled]}}}
	for _, one := range w.Workers {
		at := strings.Join(one.At, ", ")
		if at == "" {
			at = "nothing to do"
		}
		seen := "now"
		if one.Beat >= 5 {
			seen = fmt.Sprintf("%.0f s ago", one.Beat)
		}
		m.Workers = append(m.Workers, upload.Machine{Name: reports.Mask(one.Name), Host: one.Host, Version: one.Version, Since: one.Started.In(zone).Format(momentLayout),
			Seen: seen, Gone: one.Gone, At: at})
	}
	for _, l := range w.Lanes {
		m.Lanes = append(m.Lanes, upload.Lane{Target: l.Target, Pace: fmt.Sprintf("%g", l.PerSecond), Rate: l.Rate, Parts: l.Parts, AtWork: l.AtWork})
	}
	for _, s := range w.Stuck {
		m.Stuck = append(m.Stuck, upload.Stuck{Text: strings.TrimSuffix(sentenceOf(s.words(zone)), "."), Next: s.Next.Words, Command: s.Next.Command, PersonNeeded: s.PersonNeeded})
	}
	return m
}
