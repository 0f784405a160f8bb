package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Expect is what a source usually holds; without it, that is learnt.
type Expect struct {
	// Orders is how many a day there usually are: far fewer are an alarm.
	Orders PerDay `yaml:"orders"`
	// NewestWithin is how old the newest order may be.
	NewestWithin Duration `yaml:"newest_within"`
}

// Closed is when no orders are expected of a source, or of some of its stores.
type Closed struct {
	Day    ClosedDay `yaml:"day" required:"a day such as 2026-12-25, 12-25 of every year, or sunday"`
	Stores []string  `yaml:"stores"` // none: all
}

// shape takes a day, or {day: ..., stores: [...]}.
func (c *Closed) shape(d *document, path string, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		d.structure(path, n, reflect.ValueOf(c).Elem())
		return
	}
	d.text(path, n, reflect.ValueOf(&c.Day).Elem(), "")
}

// ClosedDay is a date, a date of every year, or a day of the week.
type ClosedDay struct{ text string }

// UnmarshalText takes 2026-12-25, 12-25 and sunday.
func (c *ClosedDay) UnmarshalText(text []byte) error {
	day := strings.ToLower(string(text))
	for _, layout := range []string{time.DateOnly, "01-02"} {
		if _, err := time.Parse(layout, day); err == nil || day == "02-29" {
			c.text = day
			return nil
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.ToLower(d.String()) == day {
			c.text = day
			return nil
		}
	}
	return errors.New("no day; write one such as 2026-12-25, 12-25 for every year, or sunday")
}

// String is the form that UnmarshalText takes.
func (c ClosedDay) String() string { return c.text }

// MarshalText gives the form that UnmarshalText takes.
func (c ClosedDay) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// ClosedOn reports whether no orders are expected of a store on the day of a
// time, in the time's zone; store "" is the whole source.
func (s *Source) ClosedOn(at time.Time, store string) bool {
	names := []string{at.Format(time.DateOnly), at.Format("01-02"), strings.ToLower(at.Weekday().String())}
	return slices.ContainsFunc(s.Closed, func(c Closed) bool {
		return slices.Contains(names, c.Day.text) && (len(c.Stores) == 0 || slices.Contains(c.Stores, store))
	})
}
