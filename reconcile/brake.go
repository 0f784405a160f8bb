package reconcile

import "fmt"

// Usual is what the last runs say of a target's ordinary nights.
type Usual struct {
	Runs int // ordinary runs that ended, at most those that are looked at
	Most int // events that the largest of them sent or was refused
}

// The brake of RULES R13.
const (
	usualAfter   = 7   // runs, before anything is known to be usual
	brakeTimes   = 3   // the largest, that a run may have to send
	brakeAbove   = 200 // events, for fewer are no matter
	brakeFirst   = 100 // outcomes among which refusals are counted
	brakeRefused = 5   // of them, that may be refusals
)

// known reports whether there were enough runs.
func (u Usual) known() bool { return u.Runs >= usualAfter }

// unusual says in words why a run with so many events to send is not like the
// last ones, "" when it is.
func (u Usual) unusual(sends int) string {
	if !u.known() || sends <= brakeAbove || sends <= brakeTimes*u.Most {
		return ""
	}
	return fmt.Sprintf("%d messages are more than %d times as many as any of the last runs sent (%d at most)", sends, brakeTimes, u.Most)
}

// brake stops a target before it begins, where the run is an ordinary one and
// is not like the last ones. The plan is kept for a person to look at.
func (t *Target) brake(plan *Plan, sends map[Kind]int, tr *TargetResult) bool {
	if !plan.ordinary || plan.Backfill || t.Mode != ModeLive {
		return false
	}
	all := 0
	for _, n := range sends {
		all += n
	}
	why := t.Usual.unusual(all)
	tr.Braked = why != ""
	if tr.Braked {
		tr.Stopped = why
	}
	return tr.Braked
}

// keepPlan reports whether a plan is kept for a person who looks at it.
func keepPlan(res *Result) bool {
	for _, tr := range res.Targets {
		if tr.Braked {
			return true
		}
	}
	return false
}
