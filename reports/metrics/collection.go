package metrics

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"makegood/reports"
)

// Of makes the numbers of runs.
func Of(runs []Run, want Wanted) Numbers {
	c := Collect(want)
	for _, r := range runs {
		c.Add(r)
	}
	return c.Numbers()
}

// Collection makes numbers of runs, one after another.
type Collection struct {
	want Wanted
	n    *numbers
	seen map[string]bool
	// What only runs of parts have said so far, by destination and entry, and of
	// sources.
	parts   map[string]map[string]part
	sources map[string]reports.Source
	success map[string]map[string]time.Time
}

// part is what a run of a part of the work says of a destination.
type part struct {
	reports.Target
	missing reports.Count
}

// Collect begins a collection.
func Collect(want Wanted) *Collection {
	c := &Collection{want: want, n: &numbers{about: map[string]*prometheus.Desc{}}, seen: map[string]bool{},
		parts: map[string]map[string]part{}, sources: map[string]reports.Source{}, success: map[string]map[string]time.Time{}}
	for _, m := range List() {
		c.n.about[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return c
}

// Numbers are those of what was added: of a source or a destination of which no
// run of the whole work is known, what the runs of parts say together.
func (c *Collection) Numbers() Numbers {
	for _, source := range slices.Sorted(maps.Keys(c.sources)) {
		if c.once("source " + source) {
			c.n.source(c.sources[source])
		}
	}
	for _, target := range slices.Sorted(maps.Keys(c.parts)) {
		c.together(target)
	}
	for _, target := range slices.Sorted(maps.Keys(c.success)) {
		c.worked(target)
	}
	return c.n
}

// once reports whether something is met for the first time.
func (c *Collection) once(what string) bool {
	was := c.seen[what]
	c.seen[what] = true
	return !was
}

// Lacks reports whether something that is wanted was not met yet: a source, a
// destination, or a run to it that did its work.
func (c *Collection) Lacks() bool {
	if slices.ContainsFunc(c.want.Targets, func(name string) bool { return !c.seen["target "+name] || !c.seen["success at "+name] }) {
		return true
	}
	return slices.ContainsFunc(c.want.Sources, func(name string) bool {
		_, inPart := c.sources[name]
		return !c.seen["source "+name] && !inPart
	})
}

// Add takes in a run, the newest first.
func (c *Collection) Add(r Run) {
	report, command := r.Report, r.Command
	if report.Backfill {
		command = backfill
	}
	targets := c.targetsOf(report)
	lane := command + " of " + report.Schedule + " to " + targets
	if c.once("run of " + lane) {
		c.n.at(lastRun, r.Finished, command, report.Schedule, targets)
		c.n.add(lastExit, float64(r.Exit), command, report.Schedule, targets)
		c.n.add(lastDuration, r.Finished.Sub(r.Started).Seconds(), command, report.Schedule, targets)
	}
	if report.Backfill {
		return
	}
	if r.Exit <= worked && report.Error == "" && report.Schema > 0 {
		if c.once("success of " + lane) {
			c.n.at(lastSuccess, r.Finished, command, report.Schedule, targets)
		}
		if next := c.want.Next[report.Schedule]; next != nil && !report.Slot.IsZero() && c.once("moment of "+report.Schedule) {
			c.n.at(scheduleNext, next(report.Slot), report.Schedule)
		}
		for _, t := range report.Targets {
			c.succeeded(t.Target, r)
		}
	}
	if report.Schema > 0 && c.once("problems of "+lane) {
		c.n.add(problems, float64(len(report.PersonNeeded)), command, report.Schedule, targets, "new")
		c.n.add(problems, float64(len(report.StillThere)), command, report.Schedule, targets, "known")
	}
	c.places(report)
}

// part reports whether a run does a part of a destination's work alone, and so
// does not say how the destination stands.
func (c *Collection) part(r reports.Report, target string) bool {
	return c.want.Targets != nil && (r.Part || slices.Contains(c.want.Parts[target], r.Schedule))
}

// succeeded takes in that a run to a destination did its work.
func (c *Collection) succeeded(target string, r Run) {
	if !wanted(c.want.Targets, target) || c.seen["success at "+target] {
		return
	}
	if !c.part(r.Report, target) {
		c.seen["success at "+target] = true
		c.n.at(targetSuccess, r.Finished, target)
		return
	}
	first(c.success, target, r.Report.Schedule, r.Finished)
	if c.all(target, len(c.success[target])) {
		c.worked(target)
	}
}

// all reports whether so many parts are all of a destination's work.
func (c *Collection) all(target string, parts int) bool {
	return c.want.Together[target] && parts >= len(c.want.Parts[target])
}

// worked tells when the parts of a destination's work were last done, all of them.
func (c *Collection) worked(target string) {
	if c.once("success at " + target) {
		c.n.at(targetSuccess, slices.MinFunc(slices.Collect(maps.Values(c.success[target])), time.Time.Compare), target)
	}
}

// first keeps what is met first of an entry at a destination.
func first[T any](kept map[string]map[string]T, target, schedule string, what T) {
	if kept[target] == nil {
		kept[target] = map[string]T{}
	}
	if _, known := kept[target][schedule]; !known {
		kept[target][schedule] = what
	}
}

// places takes in the sources and destinations that no newer run knew. Whether they
// could be read, or were stopped, says the newest run of any kind.
func (c *Collection) places(r reports.Report) {
	short := func(target reports.Target) bool { return c.part(r, target.Target) }
	for _, s := range r.Sources {
		if !wanted(c.want.Sources, s.Source) {
			continue
		}
		if c.once("failure of " + s.Source) {
			c.n.add(sourceFailed, oneIf(s.Error != ""), s.Source)
		}
		switch known, met := c.sources[s.Source]; {
		case !slices.ContainsFunc(r.Targets, short):
			if c.once("source " + s.Source) {
				c.n.source(s)
			}
		case !met:
			c.sources[s.Source] = s
		case s.Newest.After(known.Newest):
			known.Newest = s.Newest
			c.sources[s.Source] = known
		}
	}
	missing := r.Missing()
	for _, t := range r.Targets {
		if !wanted(c.want.Targets, t.Target) {
			continue
		}
		if c.once("stop of " + t.Target) {
			c.n.add(targetStopped, oneIf(t.Stopped != "" || t.Error != ""), t.Target)
		}
		if c.seen["target "+t.Target] {
			continue
		}
		if !c.part(r, t.Target) {
			c.seen["target "+t.Target] = true
			c.n.target(part{t, missing[t.Target]})
			continue
		}
		first(c.parts, t.Target, r.Schedule, part{t, missing[t.Target]})
		if c.all(t.Target, len(c.parts[t.Target])) {
			c.together(t.Target)
		}
	}
}

// together tells what the parts of a destination's work come to.
func (c *Collection) together(target string) {
	if c.once("target " + target) {
		c.n.target(slices.Collect(maps.Values(c.parts[target]))...)
	}
}

func wanted(names []string, name string) bool { return names == nil || slices.Contains(names, name) }

// targetsOf names a run's destinations in one label; a run that failed before it
// knew them is one to all of them.
func (c *Collection) targetsOf(r reports.Report) string {
	var names []string
	for _, t := range r.Targets {
		names = append(names, t.Target)
	}
	if len(names) == 0 {
		names = slices.Clone(c.want.Targets)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}
