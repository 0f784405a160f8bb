package reports

import (
	"cmp"
	"slices"

	"makegood/reconcile"
)

// usualFrom is from how many runs on it is known what is usual.
const usualFrom = 3

// compareWith lays the report of r beside ordinary runs before it, the newest
// first: which problems are new since the last one, which are gone, how much is
// usually missing, and which stores are still silent. A run over a period that a
// person named has other problems, and is laid beside none.
func (r *Report) compareWith(past []Report, found reconcile.Result) {
	for i := range r.Targets {
		r.Targets[i].Usual = usual(r.Targets[i].Target, past)
	}
	if len(past) == 0 || r.Backfill || r.Command == "apply" {
		return
	}
	last := past[0]
	r.Last = &Last{Run: last.Run, Finished: last.Finished, Changes: changes(r.known(last.needs()), r.needs())}
	if last.Exit != nil {
		r.Last.Exit = *last.Exit
	}
	for i, s := range found.Sources {
		r.Sources[i].stillSilent(last, s)
	}
}

// known leaves out problems of what was not read this time: nobody knows
// whether they are gone.
func (r *Report) known(before []Need) []Need {
	unread := func(n Need) bool {
		for _, s := range r.Sources {
			if s.Source == n.Source && s.Error != "" {
				return true
			}
		}
		for _, t := range r.Targets {
			if t.Target == n.Target && n.Target != "" && (len(t.Unread) > 0 || t.Error != "") {
				return true
			}
		}
		return r.Error != ""
	}
	return slices.DeleteFunc(slices.Clone(before), unread)
}

// needs lists all problems, those that earlier runs told of too.
func (r *Report) needs() []Need { return slices.Concat(r.PersonNeeded, r.StillThere) }

// usual is what was missing at a destination in runs that sent to it.
func usual(target string, past []Report) *Usual {
	var u Usual
	for _, r := range past {
		i := slices.IndexFunc(r.Targets, func(t Target) bool { return t.Target == target && t.Mode == reconcile.ModeLive })
		if i < 0 {
			continue
		}
		missing := r.Targets[i].missing().Orders
		if u.Runs++; u.Runs == 1 {
			u.Least, u.Most = missing, missing
		}
		u.Least, u.Most = min(u.Least, missing), max(u.Most, missing)
	}
	if u.Runs < usualFrom {
		return nil
	}
	return &u
}

// changes lists the problems that are not what they were.
func changes(before, now []Need) []Change {
	var list []Change
	of := func(needs []Need, like Need) Need {
		i := slices.IndexFunc(needs, like.same)
		if i < 0 {
			return Need{}
		}
		return needs[i]
	}
	add := func(like Need) {
		was, is := of(before, like).Count, of(now, like)
		c := Change{Target: like.Target, Source: like.Source, What: like.What, Before: was, Now: is.Count}
		c.New = is.Count - is.Known
		if !counts(like.What) { // whoever failed yesterday too has not failed anew
			c.New = max(is.Count-was, 0)
		}
		c.Gone = max(was-(is.Count-c.New), 0)
		if c.New+c.Gone > 0 {
			list = append(list, c)
		}
	}
	for _, n := range now {
		add(n)
	}
	for _, n := range before {
		if !slices.ContainsFunc(now, n.same) {
			add(n)
		}
	}
	slices.SortStableFunc(list, func(a, b Change) int { return cmp.Compare(min(b.New, 1), min(a.New, 1)) })
	return list
}

// same reports whether two needs are about the same problem.
func (n Need) same(o Need) bool {
	return n.Target == o.Target && n.Source == o.Source && n.What == o.What
}

// counts reports whether a need counts orders, messages or rows that are told
// apart from run to run.
func counts(what string) bool {
	switch what {
	case reconcile.NeedFailed, reconcile.NeedBalance, reconcile.NeedStopped, reconcile.NeedBrake, reconcile.NeedFallen, reconcile.NeedQuiet, reconcile.NeedLess, reconcile.NeedUnknown,
		string(reconcile.ReasonEvidenceStale), string(reconcile.ReasonEvidenceUnmet), string(reconcile.ReasonNeedsApproval):
		return false
	}
	return true
}
