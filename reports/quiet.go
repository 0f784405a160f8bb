package reports

import (
	"fmt"
	"strings"
	"time"

	"makegood/reconcile"
)

// maxStoresTold is how many silent stores a sentence names.
const maxStoresTold = 5

// quietWhy says what is quiet of a source.
func (r Report) quietWhy(n Need) string {
	for _, s := range r.Sources {
		if s.Source != n.Source {
			continue
		}
		if n.What == reconcile.NeedSilent {
			return silentWords(s.Without, r.location())
		}
		var parts []string
		for _, q := range s.Quiet {
			parts = append(parts, quietWords(q, r.location()))
		}
		return strings.Join(parts, "; ")
	}
	return ""
}

// quietWords gives "12 orders on Fri 20 Nov 2026, usually 340".
func quietWords(q reconcile.QuietDay, zone *time.Location) string {
	switch {
	case q.Day == "" && q.Newest.IsZero():
		return "no completed order was met"
	case q.Day == "":
		return "its newest order is of " + moment(q.Newest, zone)
	}
	return plural(q.Orders, "order") + " on " + dayWords(q.Day) + ", usually " + number(q.Usual)
}

// silentWords gives "north (usually 60), south (usually 35, the last on ...)".
func silentWords(list []reconcile.QuietDay, zone *time.Location) string {
	var parts []string
	for _, q := range list[:min(len(list), maxStoresTold)] {
		text := fmt.Sprintf("%s on %s (usually %s", q.Store, dayWords(q.Day), number(q.Usual))
		if !q.Newest.IsZero() {
			text += ", its last order " + moment(q.Newest, zone)
		}
		parts = append(parts, text+")")
	}
	if more := len(list) - maxStoresTold; more > 0 {
		parts = append(parts, "and "+number(more)+" more")
	}
	return strings.Join(parts, ", ")
}

func dayWords(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.Format("Mon 2 Jan 2006")
}
