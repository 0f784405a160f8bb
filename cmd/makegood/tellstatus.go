package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/config"
	"makegood/reports"
)

// counted gives "1 night" and "3 nights".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func (d *standing) configuredWords() string {
	if len(d.Missing) == 0 {
		return "configured: nothing is missing to go live"
	}
	return "configured; missing to go live: " + strings.Join(d.MissingKeys, ", ")
}

func (d *standing) comparedWords() string {
	switch {
	case d.Evidence != nil && d.Evidence.Orders > 0:
		return fmt.Sprintf("compared with what others sent: %d of %s are known there", d.Evidence.Known, counted(d.Evidence.Orders, "order"))
	case d.NothingElseSends:
		return "nothing else sends, by the configuration"
	}
	return "not yet compared with what others sent"
}

const momentLayout = "2 Jan 2006 15:04"

func (d *standing) shadowWords(zone *time.Location) string {
	if d.Shadow == nil {
		if d.Mode == config.ModeTrial || d.Mode == config.ModeLive {
			return "no night in shadow"
		}
		return "in shadow: no night yet"
	}
	text := fmt.Sprintf("in shadow: %s on %s since %s", counted(d.Shadow.Runs, "run"), counted(d.Shadow.Nights, "night"), d.Shadow.Since.In(zone).Format(momentLayout))
	if d.Shadow.Missing.Events == 0 {
		return text + "; nothing was missing in the last one"
	}
	return text + "; missing in the last one: " + reports.ThingsOf(d.Shadow.Missing)
}

func (d *standing) trialWords(zone *time.Location) string {
	switch {
	case d.Trial == nil && d.Mode == config.ModeLive:
		return "no trial"
	case d.Trial != nil:
		return fmt.Sprintf("on trial: %s accepted by the platform in %s since %s", counted(d.Trial.Sent, "order"), counted(d.Trial.Runs, "run"), d.Trial.Since.In(zone).Format(momentLayout))
	}
	return "on trial: nothing was sent"
}

func (d *standing) liveWords(s *surveyor) string {
	if !d.isLive() {
		return "live: not yet"
	}
	text := "live since " + d.Live.Since.In(s.zone).Format(momentLayout)
	if s.runs >= maxHistory {
		text += " or earlier"
	}
	ends := "their end"
	if d.Live.Runs == 1 {
		ends = "its end"
	}
	return fmt.Sprintf("%s: %s accepted by the platform in %s that came to %s", text, counted(d.Live.Sent, "order"), counted(d.Live.Runs, "run"), ends)
}

// tellStatus writes the status as text.
func (a *app) tellStatus(told statusJSON, zone *time.Location) error {
	var text strings.Builder
	if told.PersonNeeded {
		var where []string
		for _, d := range told.Destinations {
			if d.PersonNeeded {
				where = append(where, d.Target)
			}
		}
		for _, m := range told.Schedule {
			if m.Overdue {
				where = append(where, "the schedule, "+reports.Mask(m.Schedule))
			}
		}
		if told.Queue.personNeeded() {
			where = append(where, "the queue")
		}
		fmt.Fprintf(&text, "A person is needed now: %s.\n", strings.Join(where, ", "))
	} else {
		text.WriteString("No one is needed.\n")
	}
	if told.AcceptedOrders > 0 {
		fmt.Fprintf(&text, "Accepted as known at the sources: %s.\n", counted(told.AcceptedOrders, "problem"))
	}
	for _, d := range told.Destinations {
		fmt.Fprintf(&text, "\n%s (%s, %s)\n", d.Target, d.Type, d.Mode)
		for i, s := range d.Steps {
			sign := "then"
			switch {
			case s.Done:
				sign = "done"
			case i == d.under():
				sign = "now"
			case i < d.under() || d.isLive():
				sign = "-" // passed over
			}
			fmt.Fprintf(&text, "  %-4s  %s\n", sign, s.Words)
		}
		for _, fact := range d.facts(zone) {
			fmt.Fprintf(&text, "        %s\n", fact)
		}
		fmt.Fprintf(&text, "  next  %s\n", reports.Mask(d.Next.Words))
		if d.Next.Command != "" {
			fmt.Fprintf(&text, "        %s\n", d.Next.Command)
		}
	}
	text.WriteString(momentsText(told.Schedule, a.clock(), zone))
	for _, gap := range told.Gaps {
		fmt.Fprintf(&text, "  ! %s\n", reports.Mask(gap))
	}
	text.WriteString(lateWords(told.Late))
	text.WriteString(told.Queue.text(zone))
	_, err := fmt.Fprint(a.io.out, text.String())
	return err
}

// facts are what is known beside the steps.
func (d *standing) facts(zone *time.Location) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if d.Last == nil {
		add("no run yet")
	} else {
		words := d.Last.Words
		if d.Last.Exit == exitPerson && len(d.Needs) == 0 {
			words += ", not here or no longer"
		}
		add("last run %s: %s", d.Last.Finished.In(zone).Format(momentLayout), words)
		if d.Last.Found != "" {
			add("  %s", d.Last.Found)
		}
	}
	if d.ByHand != nil {
		add("sent by hand (makegood send): %s, the last %s", counted(d.ByHand.Orders, "order"), d.ByHand.Last.In(zone).Format(momentLayout))
	}
	if words := d.Remembered.words(d.Mode); words != "" {
		add("%s", words)
	}
	for i, step := range d.byHand {
		if i > 0 { // the first one is the next step
			add("a person is needed for this, too: %s", step.What)
		}
	}
	for _, source := range slices.Sorted(maps.Keys(d.CoveredTo)) {
		add("nothing left to do of %s up to %s", source, d.CoveredTo[source].In(zone).Format(momentLayout))
	}
	if d.InDoubt > 0 {
		add("sent, answer unknown: %s", counted(d.InDoubt, "message"))
	}
	if d.Refused > 0 {
		add("refused by the platform: %s", counted(d.Refused, "message"))
	}
	if d.Paused != nil {
		add("%s", d.Paused.words(zone))
	}
	if d.Accepted > 0 {
		add("accepted as known: %s", counted(d.Accepted, "problem"))
	}
	if d.Repeats != nil {
		add("%s", d.Repeats.Words(zone))
	}
	return list
}
