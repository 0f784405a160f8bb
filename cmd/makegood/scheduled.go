package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"makegood/cmd/makegood/schedule"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// clockOf reads when an entry of the schedule is due.
func clockOf(e *config.ScheduleEntry, zone *time.Location) (schedule.Clock, error) {
	c, err := schedule.Parse(strings.TrimSpace(e.Cron), zone)
	if err != nil {
		return c, &configError{fmt.Errorf("schedule %s: %w; write minute, hour, day, month and weekday, as in \"30 2 * * *\"", e.Name, err)}
	}
	return c, nil
}

// entry finds the entry of the schedule that was named, and what it stands for:
// its destinations, and the moment that is due. It does nothing where none was.
func (f *runFlags) entry(cfg *config.Config, now time.Time) error {
	if f.schedule == "" {
		return nil
	}
	usage := func(format string, args ...any) error {
		return &usageError{command: "makegood run", err: fmt.Errorf(format, args...)}
	}
	if len(f.targets) > 0 || f.from+f.to+f.orders+f.except != "" {
		return usage("--schedule %s says what is done: --target, --from, --to, --orders and --except do not go with it", f.schedule)
	}
	var names []string
	for i := range cfg.Schedule {
		if names = append(names, cfg.Schedule[i].Name); cfg.Schedule[i].Name == f.schedule {
			f.scheduled = &cfg.Schedule[i]
		}
	}
	if f.scheduled == nil && len(names) == 0 {
		return usage("there is no entry %q: the configuration has no schedule", f.schedule)
	}
	if f.scheduled == nil {
		return usage("there is no entry %q of the schedule; there are %s", f.schedule, strings.Join(names, ", "))
	}
	clock, err := clockOf(f.scheduled, cfg.Zone.Location)
	if err != nil {
		return err
	}
	f.targets = f.scheduled.Targets
	if f.slot.IsZero() {
		f.slot = clock.Due(now)
	}
	return nil
}

// scope is the part of the work that an entry of the schedule does; nil where
// none was named.
func (f *runFlags) scope() *reconcile.Scope {
	e := f.scheduled
	if e == nil {
		return nil
	}
	s := &reconcile.Scope{Name: e.Name, Part: len(e.Targets)+len(e.Sources) > 0, Channels: e.Channels}
	s.Send = kindsOf(e.Send)
	if e.Lookback != (config.Span{}) {
		s.Lookback = e.Lookback.Before
	}
	return s
}

// kindsOf gives the kinds of events that names of the configuration stand for.
func kindsOf(names []string) (kinds []reconcile.Kind) {
	for _, name := range names {
		k := reconcile.Kind(name)
		if name == "cart_update" || name == "cart_clear" { // which of them it is, its order decides
			k = reconcile.KindCart
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// reads leaves the sources that the entry of the schedule reads.
func (f *runFlags) reads(from []string) []string {
	if f.scheduled == nil || len(f.scheduled.Sources) == 0 {
		return from
	}
	return slices.DeleteFunc(slices.Clone(from), func(name string) bool { return !slices.Contains(f.scheduled.Sources, name) })
}

// unmade makes sure that the moment of the schedule has no run that did its work:
// nobody else is told of a start then. One that ended without leaves it.
func (a *app) unmade(ctx context.Context, cfg *config.Config, f *runFlags) error {
	if f.slot.IsZero() {
		return nil
	}
	return a.pastOf(ctx, cfg, nil, func(led *ledger.Reader, _ *time.Location) error {
		made, err := madeFor(ctx, led, f.schedule, reconcile.Window{From: f.slot, To: f.slot.Add(time.Microsecond)})
		switch {
		case err != nil || made == nil:
			return err
		case made.worked():
			return &reconcile.SlotTaken{Schedule: f.schedule, Slot: f.slot, Run: made.Run, Ended: true}
		case made.last != nil:
			f.insteadOf = made.Run
		}
		return nil
	})
}

// made is the run that was begun for a moment.
type made struct {
	reconcile.ScheduledRun
	last   *ledger.LastRun // how it ended; nil: it lives, or was cut off
	report reports.Report
}

// madeFor finds the run for the newest moment in a period that has one; nil when
// none has.
func madeFor(ctx context.Context, led *ledger.Reader, schedule string, w reconcile.Window) (*made, error) {
	slots, err := led.Slots(ctx, schedule, w, 1)
	if err != nil || len(slots) == 0 {
		return nil, err
	}
	m := &made{ScheduledRun: slots[0]}
	ended, err := led.EndedUpTo(ctx, string(m.Run), 1)
	if err != nil || len(ended) == 0 || ended[0].Run != m.Run {
		return m, err
	}
	m.last = &ended[0]
	m.report, err = reports.Read(bytes.NewReader(m.last.Summary))
	if err != nil { // another version's: its exit code says enough
		m.report = reports.Report{}
	}
	return m, nil
}

// worked reports whether the run did its work: it came to its end, did not fail,
// was not stopped by a signal, and left nothing that the next run can send now.
func (m *made) worked() bool {
	return m.last != nil && m.last.Exit < exitFailed && m.report.Error == "" && !interrupted(m.report) && len(untaken(m.report)) == 0
}

// interrupted reports whether a signal kept a run from sending something.
func interrupted(r reports.Report) bool {
	return slices.ContainsFunc(r.Targets, func(t reports.Target) bool { return leftFor(t, reconcile.ReasonInterrupted) })
}

// untaken lists the destinations that could not take everything, where the next
// run may send it: they were out of reach, gave no answer about what may go again,
// asked for time, or were stopped. What waits for its hour or for a person is none
// of it. Nor is it tried again at once where the platform refused messages, or
// doubts are left that a person ends: each trial would add to them.
func untaken(r reports.Report) (targets []string) {
	for _, t := range r.Targets {
		ownWord := slices.ContainsFunc(r.PersonNeeded, func(n reports.Need) bool {
			return n.Target == t.Target && (n.What == reconcile.NeedDoubt || n.What == reconcile.NeedRefused)
		})
		if ownWord || t.Mode == reconcile.ModeShadow {
			continue
		}
		if leftFor(t, reconcile.ReasonRetryable, reconcile.ReasonRetryLater, reconcile.ReasonFuse) || newDoubts(t) {
			targets = append(targets, t.Target)
		}
	}
	return targets
}

// newDoubts reports whether the run got no answer about something that the next
// one sends again; what is in doubt of before, and cannot go again, is none of it.
func newDoubts(t reports.Target) bool {
	stay := 0
	for _, d := range t.Doubts {
		if !d.Resends {
			stay++
		}
	}
	return t.Balance.InDoubt.Events > stay
}

// leftFor reports whether something of a destination is left for one of the
// reasons.
func leftFor(t reports.Target, reasons ...reconcile.Reason) bool {
	return slices.ContainsFunc(t.Reasons, func(r reports.Reason) bool {
		return r.Bucket == reconcile.BucketLeft && r.Events > 0 && slices.Contains(reasons, reconcile.Reason(r.Reason))
	})
}

// alreadyRun tells of a moment that has its run: that is no error.
func (a *app) alreadyRun(err error) error {
	var taken *reconcile.SlotTaken
	if !errors.As(err, &taken) {
		return err
	}
	a.code = exitDone
	a.log.Info(taken.Error()+"; nothing is to be done for it", "schedule", taken.Schedule)
	return nil
}

// byTheClock is the service that runs the schedule of the configuration.
func (a *app) byTheClock(cfg *config.Config) (schedule.Service, error) {
	s := schedule.Service{Now: a.clock, Sleep: schedule.Sleep(a.clock), Log: a.log}
	for _, text := range leftByAll(cfg) {
		a.log.Warn(text)
	}
	for i := range cfg.Schedule {
		e := &cfg.Schedule[i]
		clock, err := clockOf(e, cfg.Zone.Location)
		if err != nil {
			return s, err
		}
		a.log.Info("the schedule waits", "schedule", e.Name, "next", clock.Next(a.clock()).In(cfg.Zone.Location).Format(time.RFC3339))
		s.Entries = append(s.Entries, schedule.Entry{Name: e.Name, Clock: clock,
			Last: func(ctx context.Context, upTo time.Time) (time.Time, bool, error) {
				return a.lastScheduled(ctx, cfg, e.Name, upTo)
			},
			Run: func(ctx context.Context, slot time.Time) schedule.Outcome { return a.runScheduled(ctx, e.Name, slot) }})
	}
	return s, nil
}

// lastScheduled is the newest moment of an entry up to a time for which a run was
// begun, and whether that run did its work.
func (a *app) lastScheduled(ctx context.Context, cfg *config.Config, name string, upTo time.Time) (slot time.Time, worked bool, err error) {
	err = a.pastOf(ctx, cfg, nil, func(led *ledger.Reader, _ *time.Location) error {
		last, err := madeFor(ctx, led, name, reconcile.Window{To: upTo.Add(time.Microsecond)})
		if last != nil {
			slot, worked = last.Slot, last.worked()
		}
		return err
	})
	return slot, worked, err
}

// apart is a start of the program of its own, in this process: what it says goes to
// out, and to no terminal: lines of several stand beside each other.
func (a *app) apart(out io.Writer) *app {
	return &app{env: a.env, io: stdio{strings.NewReader(""), out, struct{ io.Writer }{a.io.err}}, clock: a.clock, dial: a.dial, file: a.file,
		logFormat: a.logFormat, logLevel: a.logLevel}
}

// runScheduled runs an entry for a moment, as its own start of the program.
func (a *app) runScheduled(ctx context.Context, name string, slot time.Time) (became schedule.Outcome) {
	one := a.apart(struct{ io.Writer }{a.io.err})
	defer func() {
		if broke := recover(); broke != nil { // what it was stands in the log of the run
			a.log.Error("a scheduled run broke off by a fault of makegood's own", "schedule", name, "fault", fmt.Sprint(broke))
			became = schedule.Again
		}
	}()
	if err := one.startLog(); err != nil {
		a.exit(err)
		return schedule.Again
	}
	err := one.runOnce(ctx, &runFlags{schedule: name, slot: slot, brief: true})
	code := one.exit(one.alreadyRun(err))
	var taken *reconcile.SlotTaken
	switch {
	case errors.As(err, &taken) && !taken.Ended:
		return schedule.Elsewhere
	case code >= exitFailed || ctx.Err() != nil, one.built != nil && len(untaken(*one.built)) > 0:
		return schedule.Again
	}
	return schedule.Done
}
