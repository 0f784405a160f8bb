package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// deadline is when the first of what a person is needed for comes too late;
// zero where nothing does.
func (r Report) deadline() time.Time {
	var first time.Time
	for _, n := range r.PersonNeeded {
		first = earliest(first, r.deadlineOf(n))
	}
	return first
}

// deadlineOf is when something of the need's destination becomes too old for
// it, or the plan that waits for a person expires.
func (r Report) deadlineOf(n Need) time.Time {
	var first time.Time
	for _, t := range r.Targets {
		if t.Expiring != nil && n.Target == t.Target {
			first = earliest(first, t.Expiring.First)
		}
	}
	if r.Plan != nil && (n.What == reconcile.NeedBrake || n.What == string(reconcile.ReasonNeedsApproval)) {
		first = earliest(first, r.Plan.Expires)
	}
	return first
}

// earliest is the earlier one of two times, of which a zero one counts nothing.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// knownWords says which part of a need is no news.
func (r Report) knownWords(n Need) string {
	if n.Known == 0 {
		return ""
	}
	text := " (" + number(n.Known) + " of them still there"
	if n.Known >= n.Count {
		text = " (still there"
	}
	if !n.Since.IsZero() {
		text += " since " + moment(n.Since, r.location())
	}
	return text + ")"
}

// news is how one problem stands against the last run.
type news struct {
	Mark, Kind, Text string // "+", "new", "2 bad orders in tills"
}

// changed lists what is new since the last run, what is still there, and what
// is gone.
func (r Report) changed() []news {
	var list []news
	var changes []Change
	if r.Last != nil {
		changes = r.Last.Changes
	}
	for _, c := range changes {
		if c.New > 0 {
			list = append(list, news{"+", "new", needWords(c.need(c.New))})
		}
	}
	for _, n := range slices.Concat(r.PersonNeeded, r.StillThere) {
		if n.Known == 0 {
			continue
		}
		text := needWords(Need{Target: n.Target, Source: n.Source, What: n.What, Count: n.Known})
		if !n.Since.IsZero() {
			text += ", since " + moment(n.Since, r.location())
		}
		list = append(list, news{"=", "still there", text})
	}
	for _, c := range changes {
		if c.Gone > 0 {
			list = append(list, news{"-", "gone", needWords(c.need(c.Gone))})
		}
	}
	return list
}

func (c Change) need(count int) Need {
	return Need{Target: c.Target, Source: c.Source, What: c.What, Count: count}
}

// changedTitle names the run that this one is compared with.
func (r Report) changedTitle() string {
	if r.Last == nil {
		return "Told of before"
	}
	return "Since the run of " + moment(r.Last.Finished, r.location())
}

// usualWords says how much is missing on an ordinary day, and whether this is
// one; "" while that is not known.
func usualWords(u *Usual, missing Count) string {
	if u == nil || u.Runs == 0 {
		return ""
	}
	usual := "usually " + number(u.Least) + " to " + number(u.Most)
	if u.Least == u.Most {
		usual = "usually " + number(u.Most)
	}
	switch {
	case missing.Orders > u.Most:
		usual = "more than usual: " + strings.TrimPrefix(usual, "usually ")
	case missing.Orders < u.Least:
		usual = "less than usual: " + strings.TrimPrefix(usual, "usually ")
	}
	return usual + " in the last " + plural(u.Runs, "run")
}

// silentWords says which stores of a source have not been heard of, and since
// when; at most limit of them are named.
func (r Report) silentWords(s Source, limit int) string {
	silent := s.silent()
	if len(silent) == 0 {
		return ""
	}
	text := plural(len(silent), "store") + " silent"
	if s.StoresOf > 0 {
		text = number(len(silent)) + " of " + plural(s.StoresOf, "store") + " silent"
	}
	if len(silent) >= maxStores {
		text = "at least " + text
	}
	var parts []string
	for _, one := range silent[:min(len(silent), limit)] {
		parts = append(parts, fmt.Sprintf("%s since %s", cmp.Or(one.Store, "(no name)"), moment(one.Newest, r.location())))
	}
	if more := len(silent) - limit; more > 0 {
		parts = append(parts, "and "+number(more)+" more")
	}
	return text + ": " + strings.Join(parts, ", ")
}

func (s Source) silent() []Store {
	return slices.DeleteFunc(slices.Clone(s.Stores), func(one Store) bool { return !one.Silent })
}
