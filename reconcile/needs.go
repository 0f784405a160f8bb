package reconcile

import (
	"context"
	"errors"
)

// What a person can be needed for, beside the reasons of holds.
const (
	NeedFailed  = "failed"        // the run, a source or a target ended with an error
	NeedBad     = "bad"           // orders that cannot be read as they stand
	NeedLoose   = "loose"         // rows whose order cannot be known
	NeedQuiet   = "quiet"         // a source that was read and holds nothing at all
	NeedLess    = "source_quiet"  // a source that holds far less than usual
	NeedSilent  = "store_silent"  // stores that have nothing although they usually have
	NeedUnknown = "unknown_order" // numbers of a list that no source holds
	NeedBalance = "balance"       // the equation of a target does not hold
	NeedStopped = "stopped"       // a lane ended early
	NeedBrake   = "brake"         // a lane that did not begin: there is much more to send than usual
	NeedFallen  = "beyond_reach"  // a period that is not done, further back than runs reach
	NeedDoubt   = "doubt"         // sent, and no answer says whether it arrived
	NeedRefused = "refused"       // refused by the platform
)

// Needs lists what only a person can end: first of the run, then of each
// source and of each target in the order of the result. It is empty on an
// ordinary night. An interruption is none of it: the next run goes on.
func (r Result) Needs() []PersonNeeded {
	var needs []PersonNeeded
	if failed(r.Err) {
		needs = append(needs, PersonNeeded{What: NeedFailed, Count: 1})
	}
	if r.Listed != nil && len(r.Listed.Missing) > 0 {
		needs = append(needs, PersonNeeded{What: NeedUnknown, Count: len(r.Listed.Missing)})
	}
	for _, s := range r.Sources {
		needs = append(needs, s.needs()...)
	}
	for i := range r.Targets {
		needs = append(needs, r.Targets[i].needs()...)
	}
	return needs
}

func (s SourceResult) needs() []PersonNeeded {
	var needs []PersonNeeded
	if failed(s.Err) {
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedFailed, Count: 1})
	}
	if s.Err == nil && s.Tally.Rows == 0 && !s.Closed {
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedQuiet, Count: 1})
	}
	if len(s.Quiet) > 0 && s.Tally.Rows > 0 {
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedLess, Count: len(s.Quiet)})
	}
	if n := len(s.SilentStores); n > 0 {
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedSilent, Count: n, Known: s.SilentBefore})
	}
	if s.Tally.Bad > 0 {
		known := s.BadEarlier
		if s.NotUnique { // which holds back the whole source: no habit
			known = Earlier{}
		}
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedBad, Count: s.Tally.Bad,
			Known: min(max(known.Count, known.Accepted), s.Tally.Bad), Accepted: min(known.Accepted, s.Tally.Bad), Since: known.Since})
	}
	if s.Tally.RowsWithoutOrder > 0 {
		needs = append(needs, PersonNeeded{Source: s.Source, What: NeedLoose, Count: s.Tally.RowsWithoutOrder, Known: s.LooseEarlier})
	}
	return needs
}

func (t *TargetResult) needs() []PersonNeeded {
	var needs []PersonNeeded
	add := func(what string, count int, known Earlier) {
		if count > 0 {
			needs = append(needs, PersonNeeded{Target: t.Target, What: what, Count: count, Known: min(max(known.Count, known.Accepted), count),
				Accepted: min(known.Accepted, count), Since: known.Since})
		}
	}
	in := func(b Bucket) Earlier { return t.earlier(func(p Place) bool { return p.Bucket == b }) }
	add(NeedFailed, oneIf(failed(t.Err)), Earlier{})
	add(NeedBalance, oneIf(!t.Balance.Holds()), Earlier{})
	add(NeedStopped, oneIf(t.Stopped != "" && t.Err == nil && !t.Braked), Earlier{})
	if t.Braked {
		add(NeedBrake, t.Balance.Of(BucketLeft).Events, Earlier{})
	}
	add(NeedFallen, oneIf(!t.Fallen.From.IsZero()), Earlier{})
	if !t.DoubtEnds {
		add(NeedDoubt, t.Balance.Of(BucketInDoubt).Events, in(BucketInDoubt))
	}
	add(NeedRefused, t.Balance.Of(BucketRefused).Events, in(BucketRefused))
	for _, p := range t.Balance.Reasons() {
		waits := p == Place{BucketLeft, ReasonNeedsApproval} || p == Place{BucketLeft, ReasonShadowPeriod}
		stale := (p == Place{BucketLeft, ReasonEvidenceStale} || p == Place{BucketLeft, ReasonEvidenceUnmet}) && t.Err == nil && t.Stopped == ""
		if stale || waits || p.Bucket == BucketHeldBack && p.Reason.NeedsLook() {
			known := t.earlier(func(e Place) bool { return e == p })
			if waits {
				known.Count = max(known.Count-t.Falling, 0) // soon nobody reads it any more
			}
			add(string(p.Reason), t.Balance.Places[p].Events, known)
		}
	}
	return needs
}

// Urgent reports whether a need calls a person now. What earlier runs told of
// calls nobody a second time (RULES R15), except doubts and refusals, which stay
// until somebody ends them or accepts them, and what holds back a whole source.
func (r Result) Urgent(n PersonNeeded) bool {
	switch n.What {
	case NeedDoubt, NeedRefused, string(ReasonNotUnique), string(ReasonManyChanges):
		return r.Strict || n.Accepted < n.Count
	}
	return r.Strict || n.Known < n.Count
}

// failed tells an error from a person's own interruption.
func failed(err error) bool { return err != nil && !errors.Is(err, context.Canceled) }

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
