package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Zone is a time zone by its IANA name. The zero Zone prints as UTC but has no Location; a loaded Config has none.
type Zone struct{ *time.Location }

// UnmarshalText takes an IANA name such as Europe/Amsterdam, or UTC. "Local" is refused: it would mean another zone on
// each machine.
func (z *Zone) UnmarshalText(text []byte) error {
	name := string(text)
	if name == "" || strings.EqualFold(name, "local") {
		return errors.New("no time zone that is the same on every machine; write a name such as Europe/Amsterdam or UTC")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return errors.New("no known time zone; write a name such as Europe/Amsterdam or UTC")
	}
	z.Location = loc
	return nil
}

// Days is a number of calendar days, from 1 to 36500.
type Days int

// UnmarshalText takes "7d".
func (d *Days) UnmarshalText(text []byte) error {
	number, ok := strings.CutSuffix(string(text), "d")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > maxDays {
		return errors.New("no number of days; write 7d")
	}
	*d = Days(n)
	return nil
}

// String is the form that UnmarshalText takes.
func (d Days) String() string { return strconv.Itoa(int(d)) + "d" }

const maxDays = 36500

// Duration is an exact time, never negative, at most a hundred years; a day of it has 24 hours.
type Duration time.Duration

// UnmarshalText takes Go's durations, days and min: 30s, 15min, 1h30m, 48h, 30d, 0s.
func (d *Duration) UnmarshalText(text []byte) error {
	wrong := errors.New("no duration; write one such as 30s, 15min, 48h or 30d")
	rest := strings.ReplaceAll(string(text), "min", "m")
	total := time.Duration(0)
	if days, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n > maxDays {
			return wrong
		}
		total, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" || len(text) == 0 {
		part, err := time.ParseDuration(rest)
		if err != nil || part < 0 || part > maxDays*24*time.Hour-total {
			return wrong
		}
		total += part
	}
	*d = Duration(total)
	return nil
}

// String is Go's form.
func (d Duration) String() string { return time.Duration(d).String() }

// Span is a lookback: whole calendar days (7d) or an exact time (6h); the zero Span is none.
type Span struct {
	Days  Days
	Exact Duration
}

// UnmarshalText takes what Days takes, else what Duration takes.
func (s *Span) UnmarshalText(text []byte) error {
	if s.Days.UnmarshalText(text) == nil {
		return nil
	}
	if s.Exact.UnmarshalText(text) != nil || s.Exact == 0 {
		return errors.New("no lookback; write days such as 7d, or a time such as 6h")
	}
	return nil
}

// Before is the instant that lies the span before t; calendar days are counted in the location of t.
func (s Span) Before(t time.Time) time.Time {
	return t.AddDate(0, 0, -int(s.Days)).Add(-time.Duration(s.Exact))
}

// Date is a date or a date with a time, with or without a zone of its own.
type Date struct {
	wall  time.Time // with a zone: the instant; else the wall clock, held as UTC
	zoned bool
	day   bool // no time of day was given
}

// UnmarshalText takes 2026-11-01, 2026-11-01 02:00 (or with seconds, or with T) and RFC 3339.
func (d *Date) UnmarshalText(text []byte) error {
	if t, err := time.Parse(time.RFC3339, string(text)); err == nil {
		*d = Date{wall: t.UTC(), zoned: true}
		return nil
	}
	s := strings.Replace(string(text), "T", " ", 1)
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			*d = Date{wall: t, day: layout == "2006-01-02"}
			return nil
		}
	}
	return errors.New("no date; write 2026-11-01, 2026-11-01 02:00 or 2026-11-01T02:00:00+01:00")
}

// String is the date as it was written, a zoned one in UTC.
func (d Date) String() string {
	switch {
	case d.zoned:
		return d.wall.Format(time.RFC3339)
	case d.day:
		return d.wall.Format("2006-01-02")
	}
	return d.wall.Format("2006-01-02 15:04:05")
}

// IsZero says whether no date was given.
func (d Date) IsZero() bool { return d.wall.IsZero() }

// In is the instant of d, in UTC. A date without a zone is on the wall clock of loc: midnight when it has no time (the
// first moment of that day where clocks skip midnight), the first of the two when the time occurs twice.
func (d Date) In(loc *time.Location) time.Time {
	t, _ := d.resolve(loc)
	return t
}

// resolve also says whether the wall clock of loc ever shows d.
func (d Date) resolve(loc *time.Location) (time.Time, bool) {
	if d.zoned {
		return d.wall, true
	}
	_, before := d.wall.Add(-24 * time.Hour).In(loc).Zone()
	_, after := d.wall.Add(24 * time.Hour).In(loc).Zone()
	// The larger offset gives the earlier instant.
	for _, offset := range []int{max(before, after), min(before, after)} {
		t := d.wall.Add(-time.Duration(offset) * time.Second)
		if _, now := t.In(loc).Zone(); now == offset {
			return t, true
		}
	}
	return d.wall.Add(-time.Duration(before) * time.Second), d.day
}
