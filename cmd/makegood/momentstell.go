package main

import (
	"fmt"
	"strings"
	"time"

	"makegood/reports"
)

// momentsText tells of the schedule as text, "" where there is none.
func momentsText(list []momentsOf, now time.Time, zone *time.Location) string {
	var text strings.Builder
	at := func(t time.Time) string { return t.In(zone).Format(momentLayout) }
	for i, m := range list {
		if i == 0 {
			text.WriteString("\nSchedule\n")
		}
		fmt.Fprintf(&text, "  %s (%s), next %s\n", reports.Mask(m.Schedule), m.Cron, at(m.Next))
		if m.Last != nil {
			exit := ""
			if m.Last.Exit != nil {
				exit = fmt.Sprintf(" with exit %d at %s", *m.Last.Exit, at(m.Last.Finished))
			}
			fmt.Fprintf(&text, "        last run for %s: %s%s, run %s on %s\n", at(m.Last.Moment), momentWords[m.Last.State], exit, shortOf(m.Last.Run), m.Last.Host)
		}
		if words := m.waitWords(now, zone); words != "" {
			fmt.Fprintf(&text, "        %s\n", words)
		}
		if m.Last != nil && m.Missed > 0 {
			fmt.Fprintf(&text, "        %d of %d moments of the last 7 days had no run of their own, from %s to %s; the next run closes such gaps\n",
				m.Missed, m.Moments, at(m.MissedFirst), at(m.MissedLast))
		}
	}
	return text.String()
}

// waitWords say what a moment waits for, and what to do; "" where none waits.
func (m momentsOf) waitWords(now time.Time, zone *time.Location) string {
	at := func(t time.Time) string { return t.In(zone).Format(momentLayout) }
	start := "makegood run --schedule " + quotedArgument(m.Schedule)
	switch {
	case m.Last == nil && m.Waits.IsZero():
		return "nothing has started it yet: makegood serve does at its moments, or a cron of your own that calls " + start
	case m.Last == nil:
		return "! nothing has started it yet, and its moments come since " + at(m.MissedFirst) + ": is makegood serve up, or the cron that starts it? Else: " + start
	case m.Waits.IsZero() || m.Last.State == "under_way":
		return ""
	case m.Last.Exit != nil && m.Last.Moment.Equal(m.Waits) && now.Sub(m.Last.Finished) <= overdueAfter:
		return fmt.Sprintf("! the run for %s %s (makegood report %s says why): makegood serve tries it again within half an hour, and so does any start of %s",
			at(m.Waits), momentWords[m.Last.State], shortOf(m.Last.Run), start)
	}
	return "! no run has done its work for " + at(m.Waits) + ": is makegood serve up, or the cron that starts it? Else: " + start
}

// shortOf is how much of a run's id tells it apart.
func shortOf(run string) string { return run[:min(len(run), shortRun)] }
