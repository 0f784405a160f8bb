package main

import (
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
	for _, kind := range e.Send {
		k := reconcile.Kind(kind)
		if kind == "cart_update" || kind == "cart_clear" { // which of them it is, its order decides
			k = reconcile.KindCart
		}
		if !slices.Contains(s.Send, k) {
			s.Send = append(s.Send, k)
		}
	}
	if e.Lookback != (config.Span{}) {
		s.Lookback = e.Lookback.Before
	}
	return s
}

// reads leaves the sources that the entry of the schedule reads.
func (f *runFlags) reads(from []string) []string {
	if f.scheduled == nil || len(f.scheduled.Sources) == 0 {
		return from
	}
	return slices.DeleteFunc(slices.Clone(from), func(name string) bool { return !slices.Contains(f.scheduled.Sources, name) })
}

// unmade makes sure that the moment of the schedule has no run that came to its
// end: nobody else is told of a start then.
func (a *app) unmade(ctx context.Context, cfg *config.Config, f *runFlags) error {
	if f.slot.IsZero() {
		return nil
	}
	return a.pastOf(ctx, cfg, nil, func(led *ledger.Reader, _ *time.Location) error {
		made, err := led.Slots(ctx, f.schedule, f.slot, 1)
		if err != nil || len(made) == 0 || !made[0].Slot.Equal(f.slot) {
			return err
		}
		ended, err := led.RunsEnded(ctx, []reconcile.RunID{made[0].Run})
		if err == nil && len(ended) > 0 {
			err = &reconcile.SlotTaken{Schedule: f.schedule, Slot: f.slot, Run: made[0].Run, Ended: true}
		}
		return err
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
	for i := range cfg.Schedule {
		e := &cfg.Schedule[i]
		clock, err := clockOf(e, cfg.Zone.Location)
		if err != nil {
			return s, err
		}
		a.log.Info("the schedule waits", "schedule", e.Name, "next", clock.Next(a.clock()).In(cfg.Zone.Location).Format(time.RFC3339))
		s.Entries = append(s.Entries, schedule.Entry{Name: e.Name, Clock: clock,
			Last: func(ctx context.Context) (time.Time, bool, error) { return a.lastScheduled(ctx, cfg, e.Name) },
			Run:  func(ctx context.Context, slot time.Time) { a.runScheduled(ctx, e.Name, slot) }})
	}
	return s, nil
}

// lastScheduled is the newest moment of an entry for which a run was begun, and
// whether that run came to its end.
func (a *app) lastScheduled(ctx context.Context, cfg *config.Config, name string) (slot time.Time, ended bool, err error) {
	err = a.pastOf(ctx, cfg, nil, func(led *ledger.Reader, _ *time.Location) error {
		made, err := led.Slots(ctx, name, time.Time{}, 1)
		if err != nil || len(made) == 0 {
			return err
		}
		over, err := led.RunsEnded(ctx, []reconcile.RunID{made[0].Run})
		slot, ended = made[0].Slot, len(over) > 0
		return err
	})
	return slot, ended, err
}

// runScheduled runs an entry for a moment, as its own start of the program, and
// gives its exit code.
func (a *app) runScheduled(ctx context.Context, name string, slot time.Time) (code int) {
	errs := struct{ io.Writer }{a.io.err} // no terminal: lines of several runs stand beside each other
	one := &app{env: a.env, io: stdio{strings.NewReader(""), errs, errs}, clock: a.clock, dial: a.dial, file: a.file,
		logFormat: a.logFormat, logLevel: a.logLevel}
	defer func() {
		if broke := recover(); broke != nil { // what it was stands in the log of the run
			a.log.Error("a scheduled run broke off by a fault of makegood's own", "schedule", name, "fault", fmt.Sprint(broke))
			code = exitFailed
		}
	}()
	if err := one.startLog(); err != nil {
		return a.exit(err)
	}
	return one.exit(one.run(ctx, &runFlags{schedule: name, slot: slot, brief: true}))
}
