package main

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// How many runs are looked at to know what is usual: ordinary ones to the same
// destinations, and how far back they are looked for.
const (
	usualRuns   = 14
	usualWithin = 60 * 24 * time.Hour
	usualAmong  = 2500 // reports: two weeks of a run every ten minutes and those of the nights
)

// ender lists past runs: a ledger, or a reader of one.
type ender interface {
	Ended(ctx context.Context, limit int) ([]ledger.LastRun, error)
	EachEnded(ctx context.Context, since time.Time, do func(ledger.LastRun) (bool, error)) error
}

// rememberer is what a run asks of a ledger before it begins.
type rememberer interface {
	ender
	hearer
	EverSent(ctx context.Context, target string) (bool, error)
}

// usual finds out what the last ordinary runs found: what they sent live to each
// destination, and the reports of those to just these destinations. Runs over a
// period that a person named are not ordinary, nor are those that failed.
func (s *session) usual(ctx context.Context, led rememberer) error {
	s.LooseBefore, s.SilentBefore, s.toldSettings = map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}
	if err := s.remember(ctx, led); err != nil {
		return err
	}
	looked := 0
	return led.EachEnded(ctx, s.Clock().Add(-usualWithin), func(run ledger.LastRun) (bool, error) {
		if run.Command != "run" || len(run.Summary) == 0 {
			return false, nil
		}
		report, err := reports.Read(bytes.NewReader(run.Summary))
		if err != nil {
			return false, nil // another version's report is no reason to send nothing
		}
		if report.Settings != nil && len(report.Settings.Values) > 0 {
			s.toldSettings[report.Settings.Digest] = true
		}
		if report.Backfill || report.Error != "" {
			return false, nil
		}
		looked++
		if report.Schedule != s.flags.schedule { // a run every ten minutes says nothing about the night's
			return looked == usualAmong, nil
		}
		s.learn(report)
		s.learnUsual(report)
		if s.sameTargets(report) && len(s.past) < usualRuns {
			s.past = append(s.past, report)
		}
		lacks := func(t *reconcile.Target) bool { return t.Mode == reconcile.ModeLive && t.Usual.Runs < usualRuns }
		return looked == usualAmong || len(s.past) == usualRuns && !slices.ContainsFunc(s.Targets, lacks), nil
	})
}

// remember finds out what people said about the platforms, and to which of them
// something was sent before.
func (s *session) remember(ctx context.Context, led rememberer) (err error) {
	if s.answers, err = answersIn(ctx, led); err != nil {
		return err
	}
	s.sentBefore = map[string]bool{}
	for _, t := range s.Targets {
		if s.sentBefore[t.Name()], err = led.EverSent(ctx, t.Name()); err != nil {
			return err
		}
	}
	return nil
}

// learn takes from one run, the newer ones came before, what is usual.
func (s *session) learn(past reports.Report) {
	for _, source := range past.Sources {
		if s.LooseBefore[source.Source] == nil {
			s.LooseBefore[source.Source] = map[string]bool{}
		}
		if s.SilentBefore[source.Source] == nil && source.Error == "" { // the newest alone
			s.SilentBefore[source.Source] = map[string]bool{}
			for _, store := range source.Without {
				s.SilentBefore[source.Source][store.Store] = true
			}
		}
		for _, mark := range source.Loose {
			s.LooseBefore[source.Source][mark] = true
		}
	}
}

// learnUsual takes from one run of the same entry of the schedule how much the
// target is sent. A run that the target could not take everything of says nothing
// of it: an outage of hours has many, and the first one after it is no surprise.
func (s *session) learnUsual(past reports.Report) {
	not := untaken(past)
	for _, t := range s.Targets {
		for _, was := range past.Targets {
			if slices.Contains(not, was.Target) || was.Target != t.Name() || was.Mode != reconcile.ModeLive || t.Usual.Runs >= usualRuns {
				continue
			}
			t.Usual.Runs++
			t.Usual.Most = max(t.Usual.Most, was.Balance.Sent.Events+was.Balance.Refused.Events)
		}
	}
}

// sameTargets reports whether a run was to the destinations of this one.
func (s *session) sameTargets(past reports.Report) bool {
	these, those := map[string]bool{}, map[string]bool{}
	for _, t := range s.Targets {
		these[t.Name()] = true
	}
	for _, t := range past.Targets {
		those[t.Target] = true
	}
	return slices.Equal(slices.Sorted(maps.Keys(these)), slices.Sorted(maps.Keys(those)))
}
