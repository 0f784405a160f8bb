package reports

import (
	"time"

	"makegood/reconcile"
)

// How many orders a list names, and all lists of a page.
const (
	minExamples = 3
	allExamples = 1500
)

// mostExamples is how many orders a list may name, so that a page of many
// destinations with many reasons opens at once, too.
func (r Report) mostExamples() int {
	lists := 1
	for _, t := range r.Targets {
		lists += len(t.Reasons)
	}
	return max(min(reconcile.MaxExamples, allExamples/lists), minExamples)
}

func (r Report) exampleLists(rows []row) []exampleList {
	most := r.mostExamples()
	var lists []exampleList
	for _, row := range rows {
		for _, reason := range row.Reasons {
			if len(reason.Examples) == 0 {
				continue
			}
			list := exampleList{Label: row.Label + ": " + reason.Label, Open: reason.Look, place: reconcile.Place{Bucket: row.Bucket, Reason: reason.Code},
				Of: whole(min(len(reason.Examples), most)) + " of " + whole(reason.Count.Events) + " shown"}
			for _, e := range reason.Examples[:min(len(reason.Examples), most)] {
				list.Rows = append(list.Rows, exampleView{e.Order, kindWords(e.Kind), r.optional(e.CompletedAt),
					thinned(amountText(e.Amount, e.Currency)), e.Origin, e.Text})
				list.Times = list.Times || !e.CompletedAt.IsZero()
			}
			lists = append(lists, list)
		}
	}
	return lists
}

// maxOpen is how many orders of a list are shown at once.
const maxOpen = 5

// split puts what would push all else off the page into a list that is closed.
func (l exampleList) split() []exampleList {
	more := len(l.Rows) - maxOpen
	if more <= 0 {
		return []exampleList{l}
	}
	rest := l
	rest.Open, rest.Next, rest.Of, rest.Label = false, "", "", whole(more)+" more: "+l.Label
	l.Rows, rest.Rows = l.Rows[:maxOpen], l.Rows[maxOpen:]
	return []exampleList{l, rest}
}

// nextOf says what to do about a place that somebody must look at.
func (r Report) nextOf(p reconcile.Place) (next, command string) {
	need := Need{What: string(p.Reason)}
	switch p.Bucket {
	case reconcile.BucketRefused:
		need.What = reconcile.NeedRefused
	case reconcile.BucketInDoubt:
		need.What = reconcile.NeedDoubt
	}
	step := r.next(need)
	return step.Next, step.Command
}

func (r Report) optional(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return moment(t, r.location())
}
