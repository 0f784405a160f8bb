package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Say where each destination is on the way to live, and what the next step is",
		Long: `Tells of each destination which steps of the way to live are done: configured,
compared with what others sent, nights in shadow, trial, live; how the last run
ended, up to when nothing is left to do, what is in doubt, refused, paused or
accepted as known, then the one next step, and the command to type; and of each
entry of the schedule its last moment, the run that was made for it, where and how
it ended, the next moment, and those that were missed. Where workers share the
ledger: who works and when they were last seen, how far the slices are, how many
messages a second each destination is sent by all of them together, and what does
not go on, why, and what to do.

Only the configuration and the ledger are read: no source, no destination.
Nothing is changed. Exit 2 says that a person is needed now: also where a moment of
the schedule has waited for a run that does its work for more than an hour, or where
nothing has ever started an entry that the runs of before knew of.`,
		GroupID: "daily",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood status\n  makegood status --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.status(c.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// statusJSON is what status tells. Its JSON form is stable.
type statusJSON struct {
	Schema       int        `json:"schema"`
	PersonNeeded bool       `json:"person_needed"`
	Destinations []standing `json:"destinations"`
	// AcceptedOrders are bad orders at their sources that a person accepted.
	AcceptedOrders int          `json:"accepted_orders"`
	Late           []lateSource `json:"seen_late,omitempty"` // by source, in the last 30 days
	Schedule       []momentsOf  `json:"schedule,omitempty"`  // its entries
	Queue          *workersJSON `json:"queue,omitempty"`     // what workers do; nil: there is none
	// Gaps says what the schedule does not send, or does not read far enough back.
	Gaps []string `json:"schedule_gaps,omitempty"`
}

func (a *app) status(ctx context.Context, asJSON bool) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	key, err := ledger.ReadPersonKey(filepath.Join(cfg.StateDir, "person.key"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // before the first run there is none
		return err
	}
	return a.pastOf(ctx, cfg, key, func(led *ledger.Reader, zone *time.Location) error {
		s := &surveyor{app: a, cfg: cfg, led: led, zone: zone, found: map[string]*standing{}, lasts: map[string]lastReport{}}
		told, err := s.survey(ctx)
		if err != nil {
			return err
		}
		if told.Queue, err = a.workersOf(ctx, cfg, led); err != nil {
			return err
		}
		told.PersonNeeded = told.PersonNeeded || told.Queue.personNeeded()
		if told.PersonNeeded {
			a.code = exitPerson
		}
		if asJSON {
			return a.encode(told)
		}
		return a.tellStatus(told, zone)
	})
}

// surveyor finds out where the destinations are.
type surveyor struct {
	*app
	cfg   *config.Config
	led   *ledger.Reader
	zone  *time.Location
	found map[string]*standing
	lasts map[string]lastReport // by destination
	runs  int
	late  []lateSource
	// settings are what the past runs went by
	settings settingsMet
}

// lastReport is the newest run of a destination.
type lastReport struct {
	run    ledger.LastRun
	report reports.Report
}

func (s *surveyor) survey(ctx context.Context) (told statusJSON, err error) {
	told = statusJSON{Schema: 1, Destinations: []standing{}}
	missing := missingLive(s.cfg, config.ModeOff, config.ModeShadow, config.ModeTrial)
	for name, t := range s.cfg.Targets {
		d := &standing{Target: name, Type: t.Type, Mode: t.Mode, Missing: []config.Requirement{}, NothingElseSends: t.NothingElseSends}
		for _, m := range missing {
			if m.Target == name || m.Target == "" {
				d.Missing = append(d.Missing, m)
			}
		}
		s.found[name] = d
	}
	if err := s.led.EachEnded(ctx, time.Time{}, s.meet); err != nil {
		return told, err
	}
	if told.AcceptedOrders, err = s.words(ctx); err != nil {
		return told, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.found)) {
		d := s.found[name]
		if err := s.now(ctx, d); err != nil {
			return told, err
		}
		d.judge(s)
		told.PersonNeeded = told.PersonNeeded || d.PersonNeeded
		told.Destinations = append(told.Destinations, *d)
	}
	told.Late = s.lateSources()
	told.Gaps = leftByAll(s.cfg)
	told.Schedule, err = s.moments(ctx)
	for _, m := range told.Schedule {
		told.PersonNeeded = told.PersonNeeded || m.Overdue
	}
	return told, err
}

// maxHistory bounds how many runs are looked back at.
const maxHistory = 2500

// pastTargets is what is read of the report of each past run.
type pastTargets struct {
	Error    string            `json:"error"`
	Backfill bool              `json:"backfill"`
	Sources  []lateTold        `json:"sources"`
	Settings *reports.Settings `json:"settings"`
	Targets  []struct {
		Target   string                 `json:"target"`
		Mode     string                 `json:"mode"`
		Balance  reports.Balance        `json:"balance"`
		Evidence *reports.EvidenceShare `json:"evidence_share"`
	} `json:"targets"`
}

// meet takes one run, the newer ones came before.
func (s *surveyor) meet(run ledger.LastRun) (bool, error) {
	if run.Command != "run" && run.Command != "apply" && run.Command != "backfill" && run.Command != "send" {
		return false, nil
	}
	s.runs++
	var past pastTargets
	if err := json.Unmarshal(run.Summary, &past); run.Command != "send" && (err != nil || len(past.Targets) == 0 && past.Error != "") {
		for name := range s.found { // it ended before it knew its destinations
			s.last(name, run)
		}
	}
	s.meetLate(run.Started, past.Sources)
	s.settings.meet(run.Started, past.Settings)
	for _, t := range past.Targets {
		d := s.of(t.Target)
		switch {
		case d == nil:
			continue
		case run.Command == "send":
			d.meetByHand(run.Started, t.Balance)
		default:
			s.last(d.Target, run)
			d.meet(t.Mode, run.Started, t.Balance, s.zone)
			if d.Evidence == nil && t.Evidence != nil {
				d.Evidence = &evidenceSeen{*t.Evidence, run.Started.UTC().Truncate(time.Second)}
			}
			d.meetBacklog(run, past.Backfill, t.Mode, t.Balance, s.named())
		}
	}
	return s.runs >= maxHistory, nil
}

// of finds the destination under the name that the ledger has: test carts have
// one of their own.
func (s *surveyor) of(name string) *standing {
	if d := s.found[name]; d != nil {
		return d
	}
	if d := s.found[strings.TrimSuffix(name, ".test")]; d != nil && d.Type == "emanage" {
		return d
	}
	return nil
}

// last keeps the newest run of a destination.
func (s *surveyor) last(name string, run ledger.LastRun) {
	if _, known := s.lasts[name]; known {
		return
	}
	one := lastReport{run: run}
	d := s.found[name]
	report, err := reports.Read(bytes.NewReader(run.Summary))
	if err == nil {
		one.report = report.Naming(s.named())
	}
	s.lasts[name], d.failed = one, err != nil && run.Exit == exitFailed
	d.Last = &lastOf{Run: string(run.Run), Command: run.Command, Finished: run.Finished.UTC().Truncate(time.Second), Exit: run.Exit, Words: exitWords(run.Exit)}
	for _, b := range one.report.Brief().Targets {
		if s.of(b.Target) == d {
			d.Last.Found, d.Last.Missing = b.Words, b.Missing
		}
	}
}

// words reads what people have said, and gives how many bad orders are accepted.
func (s *surveyor) words(ctx context.Context) (orders int, err error) {
	now := s.clock()
	for _, kind := range []reconcile.WordKind{reconcile.WordPause, reconcile.WordAccept, reconcile.WordDecide} {
		words, err := s.led.Words(ctx, kind)
		if err != nil {
			return orders, err
		}
		for _, w := range words {
			switch {
			case !w.Holds(now):
			case w.Target != "":
				if d := s.of(w.Target); d != nil {
					d.hear(w)
				}
			case kind == reconcile.WordAccept:
				orders++
			default:
				for _, d := range s.found {
					d.hear(w)
				}
			}
		}
	}
	return orders, nil
}

// now asks the ledger how a destination stands at this moment.
func (s *surveyor) now(ctx context.Context, d *standing) error {
	name := d.Target
	if d.Type == "emanage" && d.Mode == config.ModeTrial {
		name += ".test"
	}
	covered, err := s.led.Covered(ctx, name, d.Mode)
	if err != nil {
		return err
	}
	d.CoveredTo = covered
	if err := s.remembers(ctx, d, name); err != nil {
		return err
	}
	always := reconcile.Window{From: time.Unix(0, 0), To: s.clock().AddDate(100, 0, 0)}
	entries, err := s.led.Unfinished(ctx, name, always, maxTroubles)
	if err != nil {
		return err
	}
	open, seen := troublesOf{}, map[reconcile.EventID]reconcile.Place{}
	for _, e := range entries {
		switch p := e.Place(); p.Bucket {
		case reconcile.BucketRefused:
			d.Refused++
			seen[e.ID] = p
		case reconcile.BucketInDoubt:
			d.InDoubt++
			seen[e.ID] = p
		}
	}
	last, ran := s.lasts[d.Target]
	if !ran || len(last.report.PersonNeeded) == 0 {
		return nil
	}
	if err := s.unaccepted(ctx, name, seen, func(p reconcile.Place, _ reconcile.EventID) { open.count(name, p) }); err != nil {
		return err
	}
	if err := s.problems(ctx, name, open); err != nil {
		return err
	}
	if err := s.problems(ctx, "", open); err != nil {
		return err
	}
	d.needs(last.report, s.cfg.Targets[d.Target].From, open)
	return nil
}

// problems counts what a person has to look at and has not accepted.
func (s *surveyor) problems(ctx context.Context, target string, open troublesOf) error {
	places, sources := map[reconcile.EventID]reconcile.Place{}, map[reconcile.EventID]string{}
	tell := func() error {
		defer func() { clear(places); clear(sources) }()
		return s.unaccepted(ctx, target, places, func(p reconcile.Place, id reconcile.EventID) {
			if target == "" {
				open.count(sources[id], p)
				return
			}
			open.count(target, p)
		})
	}
	if err := s.led.Problems(ctx, target, func(d reconcile.Decision) error {
		places[d.ID], sources[d.ID] = d.Place, d.Source
		if len(places) < linesAtOnce {
			return nil
		}
		return tell()
	}); err != nil {
		return err
	}
	return tell()
}

// unaccepted calls do for each of these events that nobody has accepted where it
// is.
func (s *surveyor) unaccepted(ctx context.Context, target string, places map[reconcile.EventID]reconcile.Place, do func(reconcile.Place, reconcile.EventID)) error {
	words, err := s.led.Accepted(ctx, target, slices.Collect(maps.Keys(places)))
	if err != nil {
		return err
	}
	for id, p := range places {
		if w, said := words[id]; !said || w.Value != reconcile.AcceptedPlace(p) || !w.Holds(s.clock()) {
			do(p, id)
		}
	}
	return nil
}
