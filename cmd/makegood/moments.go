package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"makegood/cmd/makegood/schedule"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// momentsOf is where an entry of the schedule is in its moments. Its JSON form is
// stable.
type momentsOf struct {
	Schedule string      `json:"schedule"`
	Cron     string      `json:"cron"`
	Last     *momentMade `json:"last,omitempty"` // nil: it never ran
	Next     time.Time   `json:"next,omitzero"`
	// Waits is the moment that is due and has no run that did its work, where there
	// is one.
	Waits time.Time `json:"waits,omitzero"`
	// Moments are those of the last 7 days since the first run, Missed those that
	// had no run of their own; MissedFirst and MissedLast are the ends of them.
	Moments     int       `json:"moments"`
	Missed      int       `json:"missed"`
	MissedFirst time.Time `json:"missed_first,omitzero"`
	MissedLast  time.Time `json:"missed_last,omitzero"`
	Overdue     bool      `json:"overdue"` // a person is to look
}

// momentMade is the newest moment for which a run was begun, and what became of it.
type momentMade struct {
	Moment   time.Time `json:"moment"`
	Run      string    `json:"run"`
	Host     string    `json:"host"`
	State    string    `json:"state"`
	Exit     *int      `json:"exit,omitempty"` // nil: it has not ended
	Finished time.Time `json:"finished,omitzero"`
}

// States of the run of a moment, and what people read of them.
var momentWords = map[string]string{"done": "done", "failed": "failed", "stopped": "stopped before the end", "untaken": "left what could not be sent",
	"under_way": "under way", "cut_off": "cut off"}

const (
	momentsWithin = 7 * 24 * time.Hour
	momentsListed = 7 * 24 * 60 // one a minute
	// overdueAfter is how late a moment may be that a service tries again: by then
	// it has tried six times.
	overdueAfter = time.Hour
)

// moments finds out where the entries of the schedule are.
func (s *surveyor) moments(ctx context.Context) (list []momentsOf, err error) {
	for i := range s.cfg.Schedule {
		e := &s.cfg.Schedule[i]
		clock, err := clockOf(e, s.zone)
		if err != nil {
			return nil, err
		}
		one, err := s.momentsOf(ctx, e, clock)
		if err != nil {
			return nil, err
		}
		list = append(list, *one)
	}
	return list, nil
}

func (s *surveyor) momentsOf(ctx context.Context, e *config.ScheduleEntry, clock schedule.Clock) (*momentsOf, error) {
	now := s.clock()
	m := &momentsOf{Schedule: e.Name, Cron: strings.TrimSpace(e.Cron), Next: clock.Next(now)}
	upTo := now.Add(time.Microsecond)
	last, err := madeFor(ctx, s.led, e.Name, reconcile.Window{To: upTo})
	if err != nil {
		return nil, err
	}
	if last == nil {
		m.neverRan(clock, now, s.knownSince(e))
		return m, nil
	}
	m.Last = last.told()
	due := clock.Due(now)
	if due.After(last.Slot) || !last.worked() {
		m.Waits = due
	}
	since := now.Add(-momentsWithin)
	made, err := s.led.Slots(ctx, e.Name, reconcile.Window{From: since, To: upTo}, momentsListed)
	if err != nil {
		return nil, err
	}
	own := map[time.Time]bool{}
	for _, one := range made {
		own[one.Slot] = true
	}
	if earlier, err := s.led.Slots(ctx, e.Name, reconcile.Window{To: since}, 1); err != nil {
		return nil, err
	} else if len(earlier) == 0 && len(made) > 0 {
		since = made[len(made)-1].Slot.Add(-time.Nanosecond)
	}
	for at := clock.Next(since); !at.IsZero() && !at.After(now); at = clock.Next(at) {
		if m.Moments++; own[at] {
			continue
		}
		if m.Missed++; m.Missed == 1 {
			m.MissedFirst = at
		}
		m.MissedLast = at
	}
	m.Overdue = !m.Waits.IsZero() && !last.Alive && now.Sub(m.Waits) > overdueAfter || m.overdueOften(clock, now, last)
	return m, nil
}

// neverRan judges an entry for which no run was ever begun. since is when a run
// first knew of it, zero where none did: then nobody can tell whether one of its
// moments has passed.
func (m *momentsOf) neverRan(clock schedule.Clock, now, since time.Time) {
	if since.IsZero() {
		return
	}
	if first := clock.Next(since); !first.IsZero() && !first.After(now) {
		m.Waits, m.MissedFirst, m.Overdue = clock.Due(now), first, now.Sub(first) > overdueAfter
	}
}

// knownSince is when the first of the past runs began whose configuration has the
// entry, zero where none has.
func (s *surveyor) knownSince(e *config.ScheduleEntry) (since time.Time) {
	for digest, began := range s.settings.began {
		values := s.settings.values[digest]
		for i := 0; values[fmt.Sprintf("schedule[%d].name", i)] != ""; i++ {
			same := values[fmt.Sprintf("schedule[%d].name", i)] == reports.Mask(e.Name) && values[fmt.Sprintf("schedule[%d].cron", i)] == reports.Mask(e.Cron)
			if same && (since.IsZero() || began.Before(since)) {
				since = began
			}
		}
	}
	return since
}

// settingsMet are the configurations that past runs went by, by their digests.
type settingsMet struct {
	values map[string]map[string]string
	began  map[string]time.Time // the first run with it
}

// meet takes the configuration of one run, the newer ones came before.
func (m *settingsMet) meet(started time.Time, settings *reports.Settings) {
	if settings == nil {
		return
	}
	if m.began == nil {
		m.began, m.values = map[string]time.Time{}, map[string]map[string]string{}
	}
	m.began[settings.Digest] = started
	if len(settings.Values) > 0 {
		m.values[settings.Digest] = settings.Values
	}
}

// overdueOften reports whether an entry of every few minutes has had no run for
// longer than a moment may be late.
func (m *momentsOf) overdueOften(clock schedule.Clock, now time.Time, last *made) bool {
	if last.Alive {
		return false
	}
	waiting := last.Slot
	if last.worked() {
		waiting = clock.Next(last.Slot)
	}
	return now.Sub(waiting) > overdueAfter
}

// told says what became of a moment.
func (m *made) told() *momentMade {
	is := &momentMade{Moment: m.Slot, Run: string(m.Run), Host: reports.Mask(m.Host)}
	switch {
	case m.last == nil && m.Alive:
		is.State = "under_way"
		return is
	case m.last == nil:
		is.State = "cut_off"
		return is
	case m.worked():
		is.State = "done"
	case m.last.Exit >= exitFailed:
		is.State = "failed"
	case m.report.Error != "" || interrupted(m.report):
		is.State = "stopped"
	default:
		is.State = "untaken"
	}
	is.Exit, is.Finished = &m.last.Exit, m.last.Finished.UTC().Truncate(time.Second)
	return is
}
