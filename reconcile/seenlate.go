package reconcile

import "time"

// SeenLate counts the orders that a source showed only to a later run than the
// first that read their time: how late they became visible, at most.
type SeenLate struct {
	Orders  int           `json:"orders"`
	Longest time.Duration `json:"longest,omitempty"` // since their completion; nanoseconds in a plan
}

// noteLate counts an order that is new to the ledger although an earlier run has
// covered its time. Who named a period knows nothing of it.
func (p *planner) noteLate(s SourceSpec, t *targetPlan, h Head, steps []Step) {
	covered := p.begins[pair{s.Name(), t.Name()}].covered
	if p.backfill || covered.IsZero() || !h.CompletedAt.Before(covered) {
		return
	}
	for _, step := range steps {
		_, known := t.before[step.Want.ID]
		adopted := step.Place.Bucket == BucketAlreadySent && step.Entry.State != StateDone
		if step.Entry.Version > 0 || known || !step.Send && !adopted {
			return
		}
	}
	res := p.sources[s.Name()]
	if res.late[h.Key] {
		return
	}
	if res.late == nil {
		res.late = map[OrderKey]bool{}
	}
	res.late[h.Key] = true
	res.SeenLate.Orders++
	res.SeenLate.Longest = max(res.SeenLate.Longest, p.asOf.Sub(h.CompletedAt))
}
