package notice

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"makegood/reports"
)

// RecordVersion is the form of a Record.
const RecordVersion = 1

// Record is what was told after one run, and what is known after it.
type Record struct {
	Version int       `json:"notices"`
	Of      string    `json:"of"`   // the run
	Lane    string    `json:"lane"` // of runs that are compared with each other
	At      time.Time `json:"at"`
	// Told is what each place knows since then, by its name, whether something
	// was said or there was nothing to say.
	Told map[string]Told `json:"told,omitempty"`
	// Sent names those of them that were sent something, with the reason.
	Sent map[string]Reason `json:"sent,omitempty"`
	// Failed says why a place could not be told.
	Failed map[string]string `json:"failed,omitempty"`
	// Lanes repeats what is known of all lanes, so that the newest records are
	// enough however often runs of another lane end.
	Lanes Lanes `json:"lanes,omitempty"`
}

// Lanes is what each place knows, by lane and by its name.
type Lanes map[string]map[string]Standing

// Standing is what a place knows of the runs of a lane.
type Standing struct {
	Told
	At time.Time `json:"at"` // of the record
	// Failed says why it could not be told of what has changed, since FailedAt.
	Failed   string    `json:"failed,omitempty"`
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// Bounds of what is known.
const (
	// slack is how far the clocks of hosts may lie apart. What is later was
	// written by a clock that was wrong, and would be believed for as long.
	slack = 5 * time.Minute
	// maxLanes is how many lanes are known: the newest of those of which there is
	// something to know.
	maxLanes = 100
)

// Late is the moment after which nothing can have happened yet.
func Late(now time.Time) time.Time { return now.Add(slack) }

// Known is what is known at a time, from records in any order.
func Known(past []Record, now time.Time) Lanes {
	known := Lanes{}
	for _, r := range past {
		if r.At.After(Late(now)) {
			continue
		}
		for lane, places := range r.Lanes {
			for name, s := range places {
				if !s.At.After(Late(now)) {
					known.take(lane, name, s)
				}
			}
		}
		for name, told := range r.Told { // records before Lanes
			known.take(r.Lane, name, Standing{Told: told, At: r.At})
		}
	}
	return known
}

// take takes in what is newer. Runs without a lane are compared with none.
func (l Lanes) take(lane, name string, s Standing) {
	if lane == "" || !s.At.After(l[lane][name].At) {
		return
	}
	if l[lane] == nil {
		l[lane] = map[string]Standing{}
	}
	l[lane][name] = s
}

// bound leaves the newest lanes, those of which nothing is to be known last.
func (l Lanes) bound() {
	type age struct {
		news int // 1: there is something to know
		at   time.Time
	}
	ages := map[string]age{}
	for lane, places := range l {
		var a age
		for _, s := range places {
			if s.At.After(a.at) {
				a.at = s.At
			}
			if s.Failed != "" || !s.equal(Told{}) {
				a.news = 1
			}
		}
		ages[lane] = a
	}
	lanes := slices.SortedFunc(maps.Keys(l), func(x, y string) int {
		return cmp.Or(cmp.Compare(ages[y].news, ages[x].news), ages[y].at.Compare(ages[x].at))
	})
	for _, lane := range lanes[min(len(lanes), maxLanes):] {
		delete(l, lane)
	}
}

// outcome is how one place was told.
type outcome struct {
	is   bool // it had to be told, or there was something to know
	now  Told
	was  Standing
	why  Reason
	news []Problem
	err  error
}

// note writes down how a place was told. What it could not be told is news
// after the next run, too, also where the report then knows it.
func (r *Record) note(name string, o outcome) {
	switch {
	case !o.is:
	case o.err != nil:
		text := reports.Mask(o.err.Error())
		r.Failed[name] = text
		since := o.was.FailedAt
		if o.was.Failed == "" {
			since = r.At
		}
		isNews := func(p Problem) bool { return slices.ContainsFunc(o.news, p.same) }
		r.Lanes.take(r.Lane, name, Standing{Told: Told{State: o.was.State, Problems: slices.DeleteFunc(slices.Clone(o.was.Problems), isNews)},
			At: r.At, Failed: text, FailedAt: since})
	default:
		if o.why != Nothing {
			r.Sent[name] = o.why
		}
		r.Told[name] = o.now
		r.Lanes.take(r.Lane, name, Standing{Told: o.now, At: r.At})
	}
}
