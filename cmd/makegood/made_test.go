package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/reconciletest"
	"makegood/reports"
)

// TestUntaken: which destinations a moment is left open for. What waits for its
// hour or for a person is tried again by the next moment, not by this one.
func TestUntaken(t *testing.T) {
	left := func(reasons ...reconcile.Reason) reports.Report {
		var r reports.Report
		r.Targets = []reports.Target{{Target: "activate"}}
		for _, reason := range reasons {
			r.Targets[0].Reasons = append(r.Targets[0].Reasons, reports.Reason{Bucket: reconcile.BucketLeft, Reason: string(reason), Count: reports.Count{Events: 1}})
		}
		return r
	}
	needing := func(r reports.Report, target, what string) reports.Report {
		r.PersonNeeded = append(r.PersonNeeded, reports.Need{Target: target, What: what, Count: 1})
		return r
	}
	for name, c := range map[string]struct {
		report reports.Report
		open   bool
	}{
		"nothing":                        {left(), false},
		"could not take it":              {left(reconcile.ReasonTooYoung, reconcile.ReasonRetryable), true},
		"asked to wait":                  {left(reconcile.ReasonRetryLater), true},
		"stopped":                        {needing(left(reconcile.ReasonFuse), "activate", reconcile.NeedStopped), true},
		"stopped with doubts":            {needing(left(reconcile.ReasonFuse), "activate", reconcile.NeedDoubt), false},
		"stopped after refusals":         {needing(left(reconcile.ReasonFuse), "activate", reconcile.NeedRefused), false},
		"a doubt at another destination": {needing(left(reconcile.ReasonFuse), "other", reconcile.NeedDoubt), true},
		"its hour or a person": {left(reconcile.ReasonTooYoung, reconcile.ReasonWaits, reconcile.ReasonPaused, reconcile.ReasonBudget, reconcile.ReasonBrake,
			reconcile.ReasonNeedsApproval, reconcile.ReasonEvidenceStale, reconcile.ReasonShadow, reconcile.ReasonTrial, reconcile.ReasonPerRun, reconcile.ReasonBusy), false},
	} {
		if got := len(untaken(c.report)) > 0; got != c.open {
			t.Errorf("%s: open is %v", name, got)
		}
	}
}

// TestUsualWithoutOutages: runs that a destination could take nothing of are not
// what is usual, however many there were in one night.
func TestUsualWithoutOutages(t *testing.T) {
	report := func(sent int, left reconcile.Reason) (r reports.Report) {
		one := reports.Target{Target: "activate", Mode: reconcile.ModeLive}
		one.Balance.Sent.Events = sent
		if left != "" {
			one.Reasons = []reports.Reason{{Bucket: reconcile.BucketLeft, Reason: string(left), Count: reports.Count{Events: 300}}}
		}
		r.Targets = []reports.Target{one}
		return r
	}
	target := &reconcile.Target{Sink: &reconciletest.Sink{Named: "activate"}}
	s := &session{wiring: &wiring{Runner: &reconcile.Runner{Targets: []*reconcile.Target{target}}}}
	for range usualRuns {
		s.learnUsual(report(0, reconcile.ReasonFuse))
	}
	s.learnUsual(report(250, ""))
	if target.Usual.Runs != 1 || target.Usual.Most != 250 {
		t.Errorf("usual are %+v", target.Usual)
	}
}

// TestServeAfterAnOutage: a platform that cannot take orders at half past two gets
// them when it can again, in the same night, from the same moment.
func TestServeAfterAnOutage(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	check(t, err)
	from := time.Date(2026, 11, 2, 0, 0, 0, 0, zone)
	for _, fault := range []string{"status=503", "status=401"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := nightsOf(t, from, 2)
			setFaults(t, s.sim, fault)
			night := from.AddDate(0, 0, 1)
			log := s.serveUntil(from.Add(13*time.Hour), night.Add(4*time.Hour), func(now time.Time) {
				if now.After(night.Add(2*time.Hour + 40*time.Minute)) {
					setFaults(t, s.sim)
				}
			})
			s.wantsCount(1)
			if n := strings.Count(log, "it is tried again"); n != 4 {
				t.Errorf("%d trials\n%s", n, log)
			}
			if got := s.moments("nightly"); !slices.Equal(got, []string{night.Add(2*time.Hour + 30*time.Minute).UTC().Format(time.RFC3339)}) {
				t.Errorf("moments %v", got)
			}
		})
	}
}
