package reconcile

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"
)

// trialYoung is how old an order may be that a trial picks by itself: the
// platform's own pages show what came in the last day.
const trialYoung = 24 * time.Hour

// candidate is an order that a trial may pick: when it was completed, in Unix
// nanoseconds, and which it is.
type candidate struct {
	at    int64
	order uint64
}

// candidates are what a trial may pick from, by kind.
type candidates map[Kind][]candidate

// add takes a step that sends. Where a person named the period or the orders,
// the trial picks among all of them; else among the young ones.
func (c candidates) add(e Event, asOf time.Time, named bool) {
	if named || e.Facts.CompletedAt.After(asOf.Add(-trialYoung)) {
		c[e.Kind] = append(c[e.Kind], candidate{e.Facts.CompletedAt.UnixNano(), orderMark(e.ID)})
	}
}

// orderMark stands for an order where many are remembered.
func orderMark(id EventID) uint64 {
	key, _ := id.Key() // ids of events were built by NewEventID
	h := fnv.New64a()
	_, _ = h.Write([]byte(key.Shop + "\x00" + key.Order)) // never fails
	return h.Sum64()
}

// picks chooses the orders of a trial: of each kind the newest, so many and no
// larger share of what it may pick from, one at least. All that is to be sent of
// an order goes with it, for one event may need another.
func (l Limits) picks(from candidates) map[uint64]bool {
	picked := map[uint64]bool{}
	for _, list := range from {
		slices.SortFunc(list, func(a, b candidate) int { // the newest first, each order once
			if a.at != b.at {
				return cmp.Compare(b.at, a.at)
			}
			return cmp.Compare(a.order, b.order)
		})
		list = slices.CompactFunc(list, func(a, b candidate) bool { return a.order == b.order })
		most := len(list)
		if share := l.TrialShare; share > 0 {
			most = int(share*float64(len(list)) + 1e-9) // 29 % of 100 is 29
		}
		if l.TrialOrders > 0 {
			most = min(most, l.TrialOrders)
		}
		for _, c := range list[:min(max(most, 1), len(list))] {
			picked[c.order] = true
		}
	}
	return picked
}

// candidates gathers what a trial of the target may pick from; nil without one.
func (p *Plan) candidates(t *Target) (candidates, error) {
	if t.Mode != ModeTrial {
		return nil, nil
	}
	found := candidates{}
	for _, kind := range p.Kinds(t.Name()) {
		for step, err := range p.Steps(t.Name(), kind) {
			if err != nil {
				return nil, err
			}
			if step.Do == DoSend {
				found.add(step.Event, p.AsOf, p.Named)
			}
		}
	}
	return found, nil
}
