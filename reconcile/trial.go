package reconcile

import (
	"slices"
	"time"
)

// trialYoung is how old an order may be that a trial picks by itself: the
// platform's own pages show what came in the last day.
const trialYoung = 24 * time.Hour

// trialTimes are the moments of completion, in Unix nanoseconds, of what a
// trial may pick from, by kind.
type trialTimes map[Kind][]int64

// add takes a step that sends. Where a person named the period or the orders,
// the trial picks among all of them; else among the young ones.
func (t trialTimes) add(e Event, asOf time.Time, named bool) {
	if named || e.Facts.CompletedAt.After(asOf.Add(-trialYoung)) {
		t[e.Kind] = append(t[e.Kind], e.Facts.CompletedAt.UnixNano())
	}
}

// trialPick is what a trial sends of one kind: everything completed later than
// a moment, and so many of that moment.
type trialPick struct {
	after int64 // Unix nanoseconds
	at    int
}

// picks chooses the newest of each kind, within the bounds of the trial: so many,
// and no larger share of what it may pick from; one at least.
func (l Limits) picks(times trialTimes) map[Kind]*trialPick {
	picks := map[Kind]*trialPick{}
	for kind, list := range times {
		most := len(list)
		if share := l.TrialShare; share > 0 {
			most = int(share*float64(len(list)) + 1e-9) // 29 % of 100 is 29
		}
		if l.TrialOrders > 0 {
			most = min(most, l.TrialOrders)
		}
		slices.Sort(list)
		newest := list[len(list)-max(most, 1):]
		last, _ := slices.BinarySearch(newest, newest[0]+1)
		picks[kind] = &trialPick{after: newest[0], at: last}
	}
	return picks
}

// take reports whether an event is one of those that were picked, and takes it
// off what is left of its moment.
func (p *trialPick) take(e Event) bool {
	if p == nil {
		return false
	}
	at := e.Facts.CompletedAt.UnixNano()
	if at != p.after {
		return at > p.after
	}
	p.at--
	return p.at >= 0
}

// trialTimes gathers what a trial of the target may pick from; nil without one.
func (p *Plan) trialTimes(t *Target) (trialTimes, error) {
	if t.Mode != ModeTrial {
		return nil, nil
	}
	times := trialTimes{}
	for _, kind := range p.Kinds(t.Name()) {
		for step, err := range p.Steps(t.Name(), kind) {
			if err != nil {
				return nil, err
			}
			if step.Do == DoSend {
				times.add(step.Event, p.AsOf, p.Backfill)
			}
		}
	}
	return times, nil
}
