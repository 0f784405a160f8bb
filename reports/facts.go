package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Fact is one of the things at the end of a report that tell it apart.
type Fact struct{ Name, Text string }

// facts lists period, run, plan and ledger, as far as they are known.
func (r Report) facts() []Fact {
	var list []Fact
	if period := r.period(); period != "" {
		if r.Backfill {
			period += ", given by a person"
		}
		list = append(list, Fact{"Period", period})
	}
	list = append(list, Fact{"Run", r.runWords()})
	if r.Plan != nil && r.Plan.Path != "" {
		list = append(list, Fact{"Plan", r.Plan.Path})
	}
	if r.Plan != nil && r.Plan.Digest != "" {
		list = append(list, Fact{"Plan digest", r.Plan.Digest})
	}
	if a := r.Approved; a != nil {
		list = append(list, Fact{"Approved", fmt.Sprintf("by %s, %s: %s", a.By, moment(a.At, r.location()), a.Note)})
	}
	if r.Head != nil {
		text := fmt.Sprintf("%s, at %d/%d", r.Head.Ledger, r.Head.Epoch, r.Head.Sequence)
		if r.Head.Hash != "" {
			text += ", " + r.Head.Hash
		}
		list = append(list, Fact{"Ledger", text})
	}
	for _, t := range r.Targets {
		if len(t.CoveredTo) > 0 {
			of := "Nothing left to do at "
			if r.Part {
				of = "Nothing left of what " + r.Schedule + " does at "
			}
			list = append(list, Fact{of + t.Target, r.covered(t.CoveredTo)})
		}
	}
	return list
}

func (r Report) runWords() string {
	zone := r.location()
	text := fmt.Sprintf("%s, %s to %s", r.Command,
		moment(r.Started, zone), r.Finished.In(zone).Format("15:04"))
	if r.Schedule != "" {
		text += ", for " + r.Schedule + " of " + moment(r.Slot, zone)
	}
	if r.Run != "" {
		text = r.Run + ", " + text
	}
	return text
}

// covered gives "shop up to 1 Dec 2026 00:00, tills up to ...".
func (r Report) covered(to map[string]time.Time) string {
	var parts []string
	for _, source := range slices.Sorted(maps.Keys(to)) {
		parts = append(parts, source+" up to "+moment(to[source], r.location()))
	}
	return strings.Join(parts, ", ")
}
