package reconcile

import (
	"cmp"
	"slices"
	"time"
)

// MissedBy counts orders of one day, channel or store that front-end evidence
// had or missed (RULES R16): purchases in scope, whoever sent them.
type MissedBy struct {
	By     string `json:"by"`    // day, channel or store
	Value  string `json:"value"` // a day as 2006-01-02 in the zone of the runner
	Had    int    `json:"had"`
	Missed int    `json:"missed"`
}

// maxMissedBy bounds how many values of one sort are told apart.
const maxMissedBy = 1000

// missedBy gathers MissedBy.
type missedBy map[[2]string]*MissedBy

// meetFrontEnd counts an order's purchase for what front-end evidence knows of
// it. Where none is asked, or none speaks of that time, nothing is counted.
func (p *planner) meetFrontEnd(t *targetPlan, f *feed, h Head, steps []Step) {
	if !slices.ContainsFunc(steps, func(s Step) bool { return s.Want.Kind == KindPurchase && s.Place.Bucket != BucketHeldBack }) {
		return
	}
	asked, had := false, false
	for _, name := range t.Evidence {
		k := p.evidence[name]
		if k == nil || k.Side != SideFrontEnd || h.CompletedAt.Before(k.CoversFrom) {
			continue
		}
		_, has := k.orders[h.Key]
		asked, had = true, had || has
	}
	if !asked {
		return
	}
	if f.frontEnd == nil {
		f.frontEnd = missedBy{}
	}
	f.frontEnd.add("day", h.CompletedAt.In(p.Zone).Format(time.DateOnly), had)
	f.frontEnd.add("channel", h.Channel, had)
	f.frontEnd.add("store", h.Store, had)
}

func (m missedBy) add(by, value string, had bool) {
	key := [2]string{by, value}
	if value == "" || m[key] == nil && len(m) >= 3*maxMissedBy {
		return
	}
	if m[key] == nil {
		m[key] = &MissedBy{By: by, Value: value}
	}
	if had {
		m[key].Had++
	} else {
		m[key].Missed++
	}
}

// merge adds what another source of the target showed.
func (m missedBy) merge(o missedBy) {
	for key, c := range o {
		if m[key] == nil {
			m[key] = &MissedBy{By: c.By, Value: c.Value}
		}
		m[key].Had += c.Had
		m[key].Missed += c.Missed
	}
}

// list gives days by date, then channels and stores, most missed first. A sort
// with one value says nothing.
func (m missedBy) list() []MissedBy {
	sorts, values := []string{"day", "channel", "store"}, map[string]int{}
	for key := range m {
		values[key[0]]++
	}
	var list []MissedBy
	for _, c := range m {
		if values[c.By] > 1 {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b MissedBy) int {
		order := cmp.Compare(slices.Index(sorts, a.By), slices.Index(sorts, b.By))
		if a.By == "day" {
			return cmp.Or(order, cmp.Compare(a.Value, b.Value))
		}
		return cmp.Or(order, cmp.Compare(b.Missed, a.Missed), cmp.Compare(a.Value, b.Value))
	})
	return list
}
