package table

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"makegood/config"
)

// moment is what a date text says. at is UTC.
type moment struct {
	at        time.Time
	dayOnly   bool // there was no time of day
	ambiguous bool // the wall clock shows it twice; the first was taken
	zone      *time.Location
	err       error
}

var (
	errNoDate   = errors.New("is not a date that can be read; ISO forms such as 2026-11-01 14:30 are, others need date_format")
	errFormat   = errors.New("does not have the form of date_format")
	errNoTime   = errors.New("has no time of day; a source of dates alone says precision: day")
	errSkipped  = errors.New("does not exist: the clocks skip it in the source's zone")
	errNoSerial = errors.New("is a serial number that is no date")
	errNobodys  = errors.New("is no order's date, but what a program writes where it has none")
)

// clock reads the date texts of one header. What it has read it remembers:
// exports repeat their times on every line.
type clock struct {
	zone    *time.Location
	layouts []string // of date_format, with seconds and without; none: ISO forms
	daily   bool     // the source says precision: day
	serial  func(days float64) (time.Time, error)
	seen    map[string]moment
	last    struct { // most rows have the time of the row above
		text string
		moment
	}
}

// zones reads times that carry no zone by what another column says of it.
type zones struct {
	config.Table
	precision string
	serial    func(float64) (time.Time, error)
	clocks    map[string]*clock // by zone as it is written; nil: no zone
}

// maxZones bounds how many different zones are remembered: there are some 600.
const maxZones = 1 << 10

var errNoZone = errors.New("is no time zone; write a name such as Europe/Amsterdam or UTC")

// clock gives the clock of a zone. An empty text is the source's own zone.
func (z *zones) clock(text string) (*clock, error) {
	c, known := z.clocks[text]
	if !known {
		if len(z.clocks) >= maxZones {
			clear(z.clocks)
		}
		table := z.Table
		zone := &config.Zone{}
		if text == "" {
			zone = z.Zone
		} else if zone.UnmarshalText([]byte(text)) != nil {
			zone = nil
		}
		if zone != nil {
			table.Zone = zone
			var err error
			if c, err = newClock(&table, z.precision, z.serial); err != nil {
				return nil, err
			}
		}
		z.clocks[strings.Clone(text)] = c
	}
	if c == nil {
		return nil, errNoZone
	}
	return c, nil
}

const maxMoments = 1 << 13

func newClock(t *config.Table, precision string, serial func(float64) (time.Time, error)) (*clock, error) {
	c := &clock{zone: time.UTC, daily: precision == "day", serial: serial, seen: map[string]moment{}}
	if t.Zone != nil && t.Zone.Location != nil {
		c.zone = t.Zone.Location
	}
	if t.DateFormat != "" {
		layout, err := config.Layout(t.DateFormat)
		if err != nil {
			return nil, err
		}
		c.layouts = []string{layout}
		switch minute := strings.Index(layout, ":04"); {
		case minute < 0:
		case strings.Contains(layout, ":05"):
			c.layouts = append(c.layouts, strings.Replace(layout, ":05", "", 1))
		default:
			c.layouts = append(c.layouts, layout[:minute+3]+":05"+layout[minute+3:])
		}
	}
	return c, nil
}

// read gives the moment of a cleaned text that is not empty.
func (c *clock) read(text string) moment {
	if text == c.last.text {
		return c.last.moment
	}
	m, ok := c.seen[text]
	if !ok {
		if len(c.seen) >= maxMoments {
			clear(c.seen)
		}
		m = c.parse(text)
		c.seen[strings.Clone(text)] = m
	}
	c.last.text, c.last.moment = text, m
	return m
}

// placeholder tells the dates that stand for none: year 1, the first days of a
// spreadsheet (also a time of day alone), the first second of Unix; and years
// that cannot be written any more.
func placeholder(t time.Time) bool {
	return t.Year() < 1902 || t.Year() > 9998 || t.Unix() == 0
}

func (c *clock) parse(text string) moment {
	wall, zoned, dayOnly, err := c.wall(text)
	if err == nil && placeholder(wall) {
		err = errNobodys
	}
	if err != nil {
		return moment{err: err}
	}
	if dayOnly && !c.daily {
		return moment{err: errNoTime}
	}
	m := moment{at: wall.UTC(), dayOnly: c.daily && wall.Equal(wall.Truncate(24*time.Hour))}
	m.zone = c.zone
	if zoned {
		m.dayOnly = false
		return m
	}
	m.at, m.ambiguous, m.err = instant(wall, c.zone)
	if m.err != nil && m.dayOnly {
		// Some zones skip midnight; the day then begins with its first moment.
		m.at, m.ambiguous, m.err = instant(wall.Add(time.Hour), c.zone)
	}
	m.ambiguous = m.ambiguous && !m.dayOnly
	return m
}

// wall reads a text as a wall clock held in UTC, or, when it names its own
// zone, as an instant.
func (c *clock) wall(text string) (t time.Time, zoned, dayOnly bool, err error) {
	for _, layout := range c.layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, false, !strings.ContainsAny(layout, "35"), nil
		}
	}
	if c.serial != nil {
		if days, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64); err == nil {
			if t, err = c.serial(days); err != nil {
				return t, false, false, errNoSerial
			}
			return t, false, false, nil
		}
	}
	if len(c.layouts) > 0 {
		return t, false, false, errFormat
	}
	return isoTime(text)
}

var isoZones = [...]string{"", "Z07:00", "Z0700", "Z07", " -0700", " -07:00", " Z07:00"}

// isoTime reads 2026-11-01, with ' ' or 'T' and a time to the minute, the
// second or a fraction of it, and with an offset or none.
func isoTime(text string) (t time.Time, zoned, dayOnly bool, err error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, false, true, nil
	}
	if len(text) < len("2006-01-02 15:04") {
		return t, false, false, errNoDate
	}
	if text[10] == 'T' || text[10] == 't' {
		text = text[:10] + " " + text[11:]
	}
	if rest, ok := strings.CutSuffix(text, " UTC"); ok {
		text = rest + "Z"
	}
	for _, minutes := range []string{time.DateTime, "2006-01-02 15:04"} {
		for _, zone := range isoZones {
			if t, err := time.Parse(minutes+zone, text); err == nil {
				return t, zone != "", false, nil
			}
		}
	}
	return t, false, false, errNoDate
}

// instant finds when the wall clock of zone shows wall: never (an error),
// once, or twice, and then the first of them.
func instant(wall time.Time, zone *time.Location) (at time.Time, twice bool, err error) {
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	shows := func(offset int) bool {
		_, now := wall.Add(-time.Duration(offset) * time.Second).In(zone).Zone()
		return now == offset
	}
	early, late := max(before, after), min(before, after) // the larger offset is the earlier instant
	switch {
	case shows(early):
		return wall.Add(-time.Duration(early) * time.Second), early != late && shows(late), nil
	case shows(late):
		return wall.Add(-time.Duration(late) * time.Second), false, nil
	}
	return time.Time{}, false, errSkipped
}
