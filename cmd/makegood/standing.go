package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// standing is where one destination is on the way to live. Its JSON form is
// stable.
type standing struct {
	Target           string               `json:"target"`
	Type             string               `json:"type"`
	Mode             string               `json:"mode"`
	Missing          []config.Requirement `json:"-"`
	MissingKeys      []string             `json:"missing"` // before it can go live
	NothingElseSends bool                 `json:"nothing_else_sends"`
	Evidence         *evidenceSeen        `json:"evidence,omitempty"` // nil: no run has compared
	Shadow           *modeRuns            `json:"shadow,omitempty"`   // nil: there was no such run
	Trial            *modeRuns            `json:"trial,omitempty"`
	Live             *modeRuns            `json:"live,omitempty"`         // since it last became live
	ByHand           *sentByHand          `json:"sent_by_hand,omitempty"` // nil: nothing was
	Remembered       *remembered          `json:"remembered,omitempty"`
	Last             *lastOf              `json:"last_run,omitempty"`
	CoveredTo        map[string]time.Time `json:"covered_to,omitempty"` // by source
	InDoubt          int                  `json:"in_doubt"`
	Refused          int                  `json:"refused"`
	Paused           *pausedJSON          `json:"paused,omitempty"`
	Accepted         int                  `json:"accepted"` // problems that people said are known
	Repeats          *reports.Answer      `json:"merges_repeats,omitempty"`
	Steps            []wayStep            `json:"steps"`
	Next             nextStep             `json:"next"`
	PersonNeeded     bool                 `json:"person_needed"`
	Needs            []reports.Need       `json:"needs,omitempty"`
	byHand           []reports.Step       // what to do about the needs
	streakEnded      bool
	backlogKnown     bool
	failed           bool // the last run, and it left no report
}

// modeRuns are the runs in one mode.
type modeRuns struct {
	Runs    int           `json:"runs"`
	Nights  int           `json:"nights"` // days of the zone with such a run
	Since   time.Time     `json:"since"`
	Sent    int           `json:"orders_sent"`
	Missing reports.Count `json:"missing"` // as the last of them found it
	day     string
}

// sentByHand is what makegood send was accepted with: no night, and no trial.
type sentByHand struct {
	Orders int       `json:"orders"`
	Last   time.Time `json:"last"`
}

// evidenceSeen is how a run compared with what others sent.
type evidenceSeen struct {
	reports.EvidenceShare
	At time.Time `json:"at"`
}

// lastOf is the newest run of a destination.
type lastOf struct {
	Run      string        `json:"run"`
	Command  string        `json:"command"`
	Finished time.Time     `json:"finished"`
	Exit     int           `json:"exit"`
	Words    string        `json:"words"`
	Found    string        `json:"found,omitempty"`
	Missing  reports.Count `json:"missing"`
}

// The steps of the way to live.
const (
	stepConfigured = "configured"
	stepCompared   = "compared"
	stepShadow     = "shadow"
	stepTrial      = "trial"
	stepLive       = "live"
)

// wayStep is one step of the way to live.
type wayStep struct {
	Step  string `json:"step"`
	Done  bool   `json:"done"`
	Words string `json:"words"`
}

// nextStep is what to do now, and what to type.
type nextStep struct {
	Words   string `json:"words"`
	Command string `json:"command,omitempty"`
}

// meet takes a run of the destination in a mode; the newer ones came before.
func (d *standing) meet(mode string, started time.Time, b reports.Balance, zone *time.Location) {
	kept := map[string]**modeRuns{config.ModeShadow: &d.Shadow, config.ModeTrial: &d.Trial, config.ModeLive: &d.Live}[mode]
	if mode != config.ModeLive {
		d.streakEnded = true
	}
	if kept == nil || mode == config.ModeLive && d.streakEnded {
		return
	}
	if *kept == nil {
		*kept = &modeRuns{Missing: d.missingThen(b)}
	}
	m := *kept
	m.Runs++
	m.Sent += b.Sent.Orders
	m.Since = started.UTC().Truncate(time.Second)
	if day := started.In(zone).Format(time.DateOnly); day != m.day {
		m.day = day
		m.Nights++
	}
}

// meetByHand takes one order that a person sent; the newer ones came before.
func (d *standing) meetByHand(started time.Time, b reports.Balance) {
	if b.Sent.Orders == 0 {
		return
	}
	if d.ByHand == nil {
		d.ByHand = &sentByHand{Last: started.UTC().Truncate(time.Second)}
	}
	d.ByHand.Orders += b.Sent.Orders
}

// missingThen is what the newest run in a mode found missing.
func (d *standing) missingThen(b reports.Balance) reports.Count {
	if d.Last != nil && d.Last.Missing.Money != nil {
		return d.Last.Missing
	}
	return b.Left
}

// hear takes a person's word that holds.
func (d *standing) hear(w reconcile.Word) {
	switch {
	case w.Kind == reconcile.WordPause:
		d.Paused = &pausedJSON{w.Target, w.At, w.Until, reports.Mask(w.Who), reports.Mask(w.Note)}
	case w.Kind == reconcile.WordAccept:
		d.Accepted++
	case w.About == reports.AboutRepeats:
		answer := reports.AnswerOf(w)
		d.Repeats = &answer
	}
}

// troublesOf counts what nobody has accepted, by source or destination and by
// what a person is needed for.
type troublesOf map[[2]string]int

func (t troublesOf) count(where string, p reconcile.Place) {
	what := string(p.Reason)
	switch p.Bucket {
	case reconcile.BucketBad:
		what = reconcile.NeedBad
	case reconcile.BucketRefused:
		what = reconcile.NeedRefused
	case reconcile.BucketInDoubt:
		what = reconcile.NeedDoubt
	}
	t[[2]string{where, what}]++
}

// over reports whether what a run needed a person for has ended since: by a
// word, or by a resolution.
func (t troublesOf) over(n reports.Need) bool {
	switch n.What {
	case reconcile.NeedFailed, reconcile.NeedLoose, reconcile.NeedQuiet, reconcile.NeedLess, reconcile.NeedSilent, reconcile.NeedBalance,
		reconcile.NeedStopped, reconcile.NeedBrake, reconcile.NeedFallen, string(reconcile.ReasonEvidenceStale), string(reconcile.ReasonEvidenceUnmet), string(reconcile.ReasonNeedsApproval), string(reconcile.ReasonShadowPeriod):
		return false // the next run tells
	case reconcile.NeedDoubt, reconcile.NeedRefused, string(reconcile.ReasonNotUnique), string(reconcile.ReasonManyChanges):
		return t[[2]string{cmp.Or(n.Target, n.Source), n.What}] == 0
	}
	return t[[2]string{cmp.Or(n.Target, n.Source), n.What}] <= n.Known-n.Accepted
}

// needs keeps what the last run needs a person for, as far as it has not ended.
func (d *standing) needs(last reports.Report, from []string, open troublesOf) {
	for _, n := range last.PersonNeeded {
		mine := n.Target == d.Target || n.Target == d.Target+".test" || n.Target == "" && (n.Source == "" || slices.Contains(from, n.Source))
		if mine && !open.over(n) {
			d.Needs, d.byHand = append(d.Needs, n), append(d.byHand, reports.StepFor(last, n))
		}
	}
}

// judge says which steps are done and which is next.
func (d *standing) judge(s *surveyor) {
	d.MissingKeys = []string{}
	for _, m := range d.Missing {
		d.MissingKeys = append(d.MissingKeys, strings.TrimPrefix(m.Source+"."+m.Key, "."))
	}
	d.PersonNeeded = len(d.Needs) > 0 || d.failed
	d.Steps = []wayStep{
		{stepConfigured, len(d.Missing) == 0, d.configuredWords()},
		{stepCompared, d.compared(), d.comparedWords()},
		{stepShadow, d.nights() >= enoughNights, d.shadowWords(s.zone)},
		{stepTrial, d.Trial != nil && d.Trial.Sent > 0, d.trialWords(s.zone)},
		{stepLive, d.isLive(), d.liveWords(s)},
	}
	d.Next = d.next(s)
}

// enoughNights is how many nights in shadow are asked for.
const enoughNights = 4

func (d *standing) isLive() bool { return d.Mode == config.ModeLive && d.Live != nil }

// compared reports whether it is known what others sent: at least half of the
// orders, as a live run asks for.
func (d *standing) compared() bool {
	return d.NothingElseSends || d.Evidence != nil && d.Evidence.Orders > 0 && 2*d.Evidence.Known >= d.Evidence.Orders
}

// next is the one next step.
func (d *standing) next(s *surveyor) nextStep {
	a := s.app
	by := func(words, command string) nextStep { return nextStep{words, a.called(command)} }
	only := " --target " + quotedArgument(d.Target)
	place := "targets." + d.Target
	switch {
	case len(d.byHand) > 0:
		return nextStep{d.byHand[0].What + "; makegood report tells more.", cmp.Or(d.byHand[0].Command, a.called("report"))}
	case d.PersonNeeded:
		return by("the last run failed; its report names why.", "report")
	case d.Paused != nil:
		return by("it is paused; when that is over:", "resume "+quotedArgument(cmp.Or(d.Paused.Target, everything))+` --note "..."`)
	case d.Mode == config.ModeOff:
		return by("write mode: shadow at "+place+"; it is off.", "check")
	case len(d.Missing) > 0:
		return by("add what is missing before it can go live: "+d.Missing[0].String(), "check")
	case d.Last == nil:
		return by("let it run for the first time.", "run"+only)
	case !d.compared() && d.Evidence != nil:
		return by("less than half of the orders are known to the record of the live integration: are its order numbers the same? See order_id.", "check"+only)
	case d.Mode == config.ModeShadow && d.nights() < enoughNights:
		return by(fmt.Sprintf("let it run in shadow on %s more.", counted(enoughNights-d.nights(), "night")), s.nightly(d.Target))
	case d.Mode == config.ModeShadow:
		return by("lay the platform's own counts beside ours"+d.toSelf()+"; where they agree, write mode: trial and trial: {orders: 20} at "+place+".", "compare"+only+" --counts counts.csv")
	case d.Mode == config.ModeTrial && (d.Trial == nil || d.Trial.Sent == 0):
		return by("send the first few: a trial picks the newest of the last day.", "run"+only)
	case d.Mode == config.ModeTrial:
		return by("look up the orders of the last report at the platform; where they are right, widen the trial, or write mode: live at "+place+".", "report")
	case d.Live == nil:
		return by("it is to be live, and has not run so yet.", "run"+only)
	case d.Remembered != nil && d.Remembered.Events > 0:
		return nextStep{"look at what shadow and trials left as a plan, and apply it; a later since leaves it out.", d.Remembered.command}
	}
	if len(s.cfg.Schedule) > 0 {
		return by("nothing to do; makegood serve runs the schedule, else a cron of your own:", s.nightly(d.Target))
	}
	return by("nothing to do; every night:", "run")
}

// nightly is the command that a cron gives for a destination: the entry of the
// schedule that sends it furthest back, so that its moments have their runs, or
// run where the schedule has none for it.
func (s *surveyor) nightly(target string) string {
	command, far := "run", time.Duration(0)
	for _, e := range s.cfg.Schedule {
		if length := lengthOf(lookbackOf(s.cfg, e)); takes(e.Targets, target) && length > far {
			command, far = "run --schedule "+quotedArgument(e.Name), length
		}
	}
	return command
}

// toSelf names the step before a trial, where messages have an address that can
// be one's own.
func (d *standing) toSelf() string {
	if !slices.Contains([]string{"squeezely", "spotler", "collect", "rokt_ads"}, d.Type) {
		return ""
	}
	return ", and send one order to yourself (makegood send --to-self)"
}

// under is the step that is under way: the first that is not done, of those that
// the mode has not passed over; -1 when none is.
func (d *standing) under() int {
	passed := map[string]int{config.ModeTrial: 3, config.ModeLive: 4}[d.Mode]
	for i, s := range d.Steps {
		if i >= passed && !s.Done {
			return i
		}
	}
	return -1
}

func (d *standing) nights() int {
	if d.Shadow == nil {
		return 0
	}
	return d.Shadow.Nights
}
