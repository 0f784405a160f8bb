// Package notice tells people of runs where they are: a health check hears of
// every run, chats, mail and webhooks of what has changed since they were last
// told: all is well, a person is needed, the run failed, or a problem is new.
// Nobody is told the same every night.
//
// What was told is a [Record], which the caller keeps where every host finds it.
// Who could not be reached is told with the next run. No text holds an address
// of a customer, and no error the address of a place that is told.
package notice

import (
	"slices"

	"makegood/reports"
)

// State is how things stand after a run.
type State string

// The states.
const (
	Well   State = "well"
	Person State = "person_needed"
	Failed State = "failed"
)

// failedExit is the least exit code of a run that did not do its work.
const failedExit = 3

// Problems that call nobody in the report, and are told of all the same.
const (
	NeedMissing  = "missing_over" // more orders were missing than somebody wants to know of
	NeedExpiring = "expiring"     // messages become too old for the destination within a day
)

// Problem is one thing that somebody is told of. Source and Target are "" where
// it concerns none.
type Problem struct {
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
	What   string `json:"what"` // as in the report, or one of the above
	Count  int    `json:"count"`

	counted bool // more of it is news; else only that it is there
	grown   bool // the report itself knows that some of it are new
}

func (p Problem) same(o Problem) bool {
	return p.Source == o.Source && p.Target == o.Target && p.What == o.What
}

// Told is how things stand, as somebody was told. The zero Told is that of
// somebody who was never told anything.
type Told struct {
	State    State     `json:"state"`
	Problems []Problem `json:"problems,omitempty"`
}

func (t Told) state() State {
	if t.State == "" {
		return Well
	}
	return t.State
}

func (t Told) equal(o Told) bool {
	return t.state() == o.state() && slices.EqualFunc(t.Problems, o.Problems, func(a, b Problem) bool {
		return a.same(b) && !a.grown && (a.Count == b.Count || !a.counted)
	})
}

// Affairs says how things stand after a run. missingOver is the number of
// orders missing at one destination beyond which that is a problem, 0 for none.
// A run that somebody interrupted knows only a part: known is false.
func Affairs(r reports.Report, missingOver int) (now Told, known bool) {
	now.State = Well
	for _, n := range slices.Concat(r.PersonNeeded, r.StillThere) {
		now.State = Person
		now.Problems = append(now.Problems, Problem{Source: n.Source, Target: n.Target, What: n.What, Count: n.Count,
			counted: n.Counted(), grown: n.Counted() && r.Last != nil && n.Known < n.Count})
	}
	if r.Exit != nil && *r.Exit >= failedExit {
		now.State = Failed
	}
	missing := r.Missing()
	for _, t := range r.Targets {
		if t.Expiring != nil && t.Expiring.Events > 0 {
			now.Problems = append(now.Problems, Problem{Target: t.Target, What: NeedExpiring, Count: t.Expiring.Events})
		}
		if n := missing[t.Target].Orders; missingOver > 0 && n > missingOver {
			now.Problems = append(now.Problems, Problem{Target: t.Target, What: NeedMissing, Count: n})
		}
	}
	return now, r.Error == "" || now.State == Failed
}

// Reason is why somebody is told, "" for not at all.
type Reason string

// The reasons.
const (
	Nothing  Reason = ""
	Changed  Reason = "changed" // well, a person needed and failed are not what they were
	New      Reason = "new"     // problems that nobody was told of
	Again    Reason = "well_again"
	Tested   Reason = "test"
	Exceeded Reason = "exceeded" // nothing but a bound
)

// Decide says whether somebody who was told was is to be told now, why, and
// which problems are news.
func Decide(now, was Told) (why Reason, news []Problem) {
	for _, p := range now.Problems {
		i := slices.IndexFunc(was.Problems, p.same)
		if i < 0 || p.grown || p.counted && p.Count > was.Problems[i].Count {
			news = append(news, p)
		}
	}
	bound := func(p Problem) bool { return p.What == NeedMissing }
	switch {
	case now.state() == Well && was.state() != Well:
		return Again, news
	case now.state() != was.state():
		return Changed, news
	case len(news) > 0 && !slices.ContainsFunc(news, func(p Problem) bool { return !bound(p) }):
		return Exceeded, news
	case len(news) > 0:
		return New, news
	}
	return Nothing, nil
}
