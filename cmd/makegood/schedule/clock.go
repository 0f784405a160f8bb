// Package schedule says for which moments an entry of the schedule is due, and
// runs entries by the clock.
//
// A moment is an instant, the same on every host. An entry with an hour of its own
// ("30 2 * * *") goes by the wall clock: when the clocks skip that hour it is due
// when they have, and when they repeat it, it is due once. One for every hour, or
// every few ("*/10 * * * *"), goes by the time that passes: nothing is skipped and
// nothing repeated.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Clock knows the moments of one entry.
type Clock struct {
	spec cron.Schedule
	zone *time.Location
	wall bool // by the wall clock
}

// ErrNever says that a schedule names no moment that ever comes, such as 30
// February.
var ErrNever = errors.New("this moment never comes")

// Parse reads five fields (minute, hour, day, month, weekday) or @daily and the
// like, in a zone.
func Parse(text string, zone *time.Location) (Clock, error) {
	spec, err := cron.ParseStandard(text)
	if err != nil {
		return Clock{}, fmt.Errorf("read the schedule %q: %w", text, err)
	}
	c := Clock{spec: spec, zone: zone, wall: text != "@hourly"}
	if fields := strings.Fields(text); len(fields) == 5 {
		c.wall = !strings.HasPrefix(fields[1], "*")
	}
	if c.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Clock{}, fmt.Errorf("read the schedule %q: %w", text, ErrNever)
	}
	return c, nil
}

// Next gives the first moment after a time; zero when none comes within the
// years that are looked ahead.
func (c Clock) Next(after time.Time) time.Time {
	if !c.wall {
		return c.spec.Next(after.In(c.zone)).UTC()
	}
	local := after.In(c.zone)
	// Both clock changes are less than a day; what the wall shows is looked at from
	// before it.
	wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC).Add(-4 * time.Hour)
	for {
		if wall = c.spec.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := instant(wall, c.zone); at.After(after) {
			return at
		}
	}
}

// instant is when a wall clock shows a time for the first time; when it skips it,
// the moment at which it does.
func instant(wall time.Time, zone *time.Location) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	start, end := at.ZoneBounds()
	if at.Hour() != wall.Hour() || at.Minute() != wall.Minute() { // skipped: at lies shortly before or after
		if !end.IsZero() && end.Sub(at) < at.Sub(start) {
			return end.UTC()
		}
		return start.UTC()
	}
	if start.IsZero() {
		return at.UTC()
	}
	_, now := at.Zone()
	_, before := start.Add(-time.Second).In(zone).Zone()
	if earlier := at.Add(-time.Duration(before-now) * time.Second); before > now && earlier.Before(start) {
		return earlier.UTC()
	}
	return at.UTC()
}

// furthest is how far back a moment that is due is looked for.
const furthest = 5 * 366 * 24 * time.Hour

// Due gives the newest moment that is not later than a time; zero when there was
// none for years.
func (c Clock) Due(now time.Time) (due time.Time) {
	for back := time.Hour; due.IsZero() && back <= 2*furthest; back *= 8 {
		for at := c.Next(now.Add(-back)); !at.IsZero() && !at.After(now); at = c.Next(at) {
			due = at
		}
	}
	return due
}
