package reconcile

import (
	"slices"
	"strings"
	"time"
)

// Scope is the part of the work that an entry of the schedule does: some kinds
// of events, some channels, another lookback. The sources and targets that it
// leaves out are not wired. What it does not do is none of the run's, and stays
// to other entries.
type Scope struct {
	// Name is the entry's.
	Name string
	// Part says that some targets or sources are left out: what is for none of the
	// others may be for these.
	Part bool
	// Send are the kinds that are sent, Channels those of the orders; empty: all.
	Send     []Kind
	Channels []string
	// Lookback gives from when on is read again what was covered up to a time;
	// nil: Runner.Lookback.
	Lookback func(time.Time) time.Time
}

// partial reports whether the scope leaves out some of what its sources hold for
// its targets: then it covers nothing for others.
func (s *Scope) partial() bool { return s != nil && len(s.Send)+len(s.Channels) > 0 }

// covers names under what the coverage of a target in a mode is kept: by what the
// scope sends, not by the entry's name. So an entry that is renamed goes on where it
// was, and one that is to send more begins anew: of what it left out until then
// nothing is known.
func (r *Runner) covers(mode string) string {
	if !r.Scope.partial() {
		return mode
	}
	names := func(list []string) string {
		list = slices.Clone(list)
		slices.Sort(list)
		return strings.Join(slices.Compact(list), ",")
	}
	var kinds []string
	for _, k := range r.Scope.Send {
		kinds = append(kinds, string(k))
	}
	return mode + "/" + names(kinds) + "/" + names(r.Scope.Channels)
}

// lookBack gives from when on is read again what was covered up to a time.
func (r *Runner) lookBack(to time.Time) time.Time {
	if r.Scope != nil && r.Scope.Lookback != nil {
		return r.Scope.Lookback(to.In(r.Zone)).UTC()
	}
	return r.daysBefore(to, r.Lookback)
}

// kept are the wants that the scope sends.
func (s *Scope) kept(wants []Want) []Want {
	if s == nil || len(s.Send) == 0 {
		return wants
	}
	return slices.DeleteFunc(wants, func(w Want) bool { return !slices.Contains(s.Send, w.Kind) })
}

// excludes gives the reason why the scope leaves an order out, or "": it is of
// another channel, or nothing of it is of a kind that is sent.
func (s *Scope) excludes(h Head, expected, kept int) Reason {
	if s == nil {
		return ""
	}
	if expected > kept && kept == 0 || len(s.Channels) > 0 && !slices.Contains(s.Channels, h.Channel) {
		return ReasonNotScheduled
	}
	return ""
}

// looksShort reports whether the scope looks back for less than a day: what is
// quiet, another entry tells.
func (r *Runner) looksShort() bool {
	return r.Scope != nil && r.Scope.Lookback != nil && r.Clock().Sub(r.lookBack(r.Clock())) < 24*time.Hour
}
