package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// stuckJSON is something that does not go on just now, and what to do about it.
type stuckJSON struct {
	Kind         string            `json:"kind"`
	Window       *reconcile.Window `json:"window,omitempty"` // nil: it is about no slice
	Target       string            `json:"target,omitempty"`
	Worker       string            `json:"worker,omitempty"`
	Failures     int               `json:"failures,omitempty"`
	Class        string            `json:"class,omitempty"` // of the error
	Why          string            `json:"why"`
	Again        *time.Time        `json:"again_at,omitempty"` // when it is tried again by itself
	Next         nextStep          `json:"next"`
	PersonNeeded bool              `json:"person_needed,omitempty"`
}

// Kinds of what does not go on, beside those of the queue.
const (
	snagIdle     = "without_worker"
	snagPaused   = "paused"
	snagGone     = "worker_gone"
	snagLacks    = "without_files"
	snagVersions = "versions"
	snagSettings = "configurations"
)

// snags finds out what does not go on, and what to do about it.
type snags struct {
	*app
	cfg   *config.Config
	stand workers.Stand
	found []stuckJSON
}

func (s *snags) list(pauses []reconcile.Word) []stuckJSON {
	for _, kind := range s.stand.Idle() {
		s.add(stuckJSON{Kind: snagIdle, Why: "nobody does what waits (" + kind + ")", PersonNeeded: true, Next: nextStep{"start a worker, on this machine or on others", "makegood worker"}})
	}
	s.disagreeing()
	for _, w := range s.stand.Workers {
		s.worker(w)
	}
	for _, l := range s.stand.Lanes {
		for _, w := range pauses {
			if w.Target == "" || w.Target == l.Target {
				s.add(stuckJSON{Kind: snagPaused, Target: l.Target, Why: pausedJSON{w.Target, w.At, w.Until, w.Who, w.Note}.words(s.cfg.Zone.Location),
					Next: nextStep{"resume it, and say the backfill again: what was left goes then", "makegood resume " + pausedName(w.Target) + ` --note "..."`}})
			}
		}
	}
	for _, one := range s.stand.Stuck {
		s.job(one)
	}
	return s.found
}

// pausedName is what resume is told.
func pausedName(target string) string {
	if target == "" {
		return everything
	}
	return target
}

func (s *snags) add(one stuckJSON) {
	one.Why = reports.Mask(one.Why)
	s.found = append(s.found, one)
}

// disagreeing tells of workers that are not all of one version.
func (s *snags) disagreeing() {
	by := map[string][]string{}
	for _, w := range s.stand.Workers {
		if !w.Gone {
			by[w.Version] = append(by[w.Version], w.Name)
		}
	}
	if len(by) < 2 {
		return
	}
	var parts []string
	for version, names := range by {
		parts = append(parts, strings.Join(names, ", ")+" "+version)
	}
	slices.Sort(parts)
	s.add(stuckJSON{Kind: snagVersions, Why: "workers are of different versions: " + strings.Join(parts, "; "), PersonNeeded: true,
		Next: nextStep{Words: "give all machines the newest of them, and start the others' workers again"}})
}

// worker tells of one worker what keeps it from its work.
func (s *snags) worker(w workers.Living) {
	where := "worker " + w.Name + " on " + w.Host
	others := slices.ContainsFunc(s.stand.Workers, func(o workers.Living) bool {
		return !o.Gone && slices.Contains(o.Kinds, workers.KindPlan) && len(o.Lacks) == 0
	})
	own := append(slices.Clone(s.stand.Asked), reports.NewSettings(s.cfg.Settings).Digest)
	switch {
	case w.Gone:
		s.add(stuckJSON{Kind: snagGone, Worker: w.Name, Why: fmt.Sprintf("%s has not been seen for %.0f s, and its session is over", where, w.Beat.Seconds()),
			Next: nextStep{"nothing, where other workers live: they take up what it was at. Else start one", "makegood worker"}})
	case !slices.Contains(own, w.Settings):
		s.add(stuckJSON{Kind: snagSettings, Worker: w.Name, PersonNeeded: true, Why: where + " works with another configuration than this machine's, and than that of what waits",
			Next: nextStep{Words: "give it the same configuration file, and start it again: until then it does nothing while another worker can"}})
	case len(w.Lacks) > 0 && slices.Contains(w.Kinds, workers.KindPlan):
		one := stuckJSON{Kind: snagLacks, Worker: w.Name, Why: fmt.Sprintf("%s has no file of %s, and plans nothing while another worker has", where, strings.Join(w.Lacks, ", ")),
			Next: nextStep{"bring the files there, or say that it only sends", "makegood worker --only send"}}
		if !others {
			one.PersonNeeded = true
			one.Why = fmt.Sprintf("%s has no file of %s, nor has any other worker", where, strings.Join(w.Lacks, ", "))
			one.Next = nextStep{"start a worker where the files are, or bring them to one", "makegood worker"}
		}
		s.add(one)
	}
}

// failsTooOften is how often a job fails before a person is called, although it is
// tried again: over some minutes by then.
const failsTooOften = 8

// job tells of a slice or a part.
func (s *snags) job(j workers.Stuck) {
	one := stuckJSON{Kind: j.Kind, Window: &reconcile.Window{From: j.From.UTC(), To: j.To.UTC()}, Target: j.Target, Worker: j.Worker,
		Failures: j.Failures, Class: j.Class, Why: j.Why}
	if j.Again != nil {
		at := j.Again.UTC()
		one.Again = &at
	}
	again := "makegood backfill --workers --from " + j.From.In(s.cfg.Zone.Location).Format(time.DateOnly) + " --to " + dayAfter(j.To, s.cfg.Zone.Location)
	switch j.Kind {
	case workers.StuckLost:
		one.Why = "the worker that was at it is gone"
		if j.Worker != "" {
			one.Why = "its worker " + j.Worker + " is gone"
		}
		one.Next = nextStep{Words: "another worker takes it up within 2 minutes, where one is at work"}
	case workers.StuckStopped:
		one.PersonNeeded = true
		one.Next = nextStep{"look into why the destination takes no more; then the backfill goes on with", again}
	case workers.StuckEnded:
		one.PersonNeeded = true
		one.Why = "the backfill begins no further slice: " + j.Why
		one.Next = nextStep{"mend that; then it goes on with", again}
	default:
		one.Next = s.failed(j)
		one.PersonNeeded = j.Class == classSettings || j.Class == workers.ClassClock || j.Failures >= failsTooOften
	}
	s.add(one)
}

// failed is what to do about a job that failed.
func (s *snags) failed(j workers.Stuck) nextStep {
	when := ""
	if j.Again != nil {
		when = " at " + j.Again.In(s.cfg.Zone.Location).Format("15:04:05")
	}
	switch j.Class {
	case workers.ClassClock:
		return nextStep{Words: "set the clock of the machine that tried it; it goes on by itself" + when}
	case classSettings:
		return nextStep{Words: "give all machines the same configuration file, and start their workers again"}
	case classSource:
		return nextStep{Words: "see to it that the workers can read the source; it is tried again by itself" + when}
	}
	return nextStep{Words: "it is tried again by itself" + when + "; the log of the worker says more"}
}

// dayAfter is the first day that no longer touches a period.
func dayAfter(to time.Time, zone *time.Location) string {
	day := dayBegins(to, 0, zone)
	if day.Before(to) {
		day = dayBegins(to, 1, zone)
	}
	return day.In(zone).Format(time.DateOnly)
}

// words says what does not go on.
func (s stuckJSON) words(zone *time.Location) string {
	var about []string
	if s.Window != nil {
		about = append(about, (&slice{Window: *s.Window}).name(zone))
	}
	if s.Target != "" {
		about = append(about, s.Target)
	}
	if s.Failures > 0 {
		times := counted(s.Failures, "time")
		if s.Class != "" {
			times += " (" + s.Class + ")"
		}
		about = append(about, "failed "+times)
	}
	if len(about) == 0 {
		return s.Why
	}
	return strings.Join(about, ", ") + ": " + s.Why
}
