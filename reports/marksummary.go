package reports

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"makegood/reconcile"
)

// RowSummary sums up the marks of one file: rows of cells, texts and whole
// numbers, of which those from ChartFrom to ChartEnd, counted from 1, have a
// status and how many rows it stands beside.
type RowSummary struct {
	Rows                [][]any
	ChartTitle          string
	ChartFrom, ChartEnd int
}

// Summary sums up the rows that were marked since the last Summary, and what r
// says of the destinations.
func (m *Marks) Summary(r Report) RowSummary {
	m.mu.Lock()
	defer m.mu.Unlock()
	tally := m.tally
	m.tally, m.counted = map[string]*statusCount{}, nil
	r = r.legible()
	s := RowSummary{ChartTitle: "Rows by status"}
	s.add(r.firstLine())
	s.add("Run " + r.Run + ", " + r.Command + ", ended " + moment(r.Finished, r.location()))
	s.add("Period: " + r.period())
	s.add()
	s.statuses(tally)
	s.add()
	s.first(r)
	s.balances(r)
	if tally[statusFix] != nil || tally[statusOrder] != nil {
		s.add("How to give it back")
		s.add("Correct the rows with the status \"" + statusFix + "\", save the workbook, and put it in the place of the one that was read: whole, or with the sheet of rows to fix alone.")
		s.add("What makegood wrote is not read again. Orders that were sent are not sent twice.")
	}
	return s
}

func (s *RowSummary) add(cells ...any) { s.Rows = append(s.Rows, cells) }

func (s *RowSummary) statuses(tally map[string]*statusCount) {
	names := slices.SortedFunc(maps.Keys(tally), func(a, b string) int {
		return cmp.Or(rank(a)-rank(b), tally[b].rows-tally[a].rows, cmp.Compare(a, b))
	})
	s.add("Status", "rows", "orders")
	if len(names) > 0 {
		s.ChartFrom, s.ChartEnd = len(s.Rows)+1, len(s.Rows)+len(names)
	}
	for _, name := range names {
		if tally[name].orders == 0 {
			s.add(name, tally[name].rows) // its orders are counted elsewhere, or not known
			continue
		}
		s.add(name, tally[name].rows, tally[name].orders)
	}
}

// rank puts first what somebody has to correct.
func rank(status string) int {
	if at := slices.Index([]string{statusFix, statusOrder}, status); at >= 0 {
		return at
	}
	return 2
}

// first lists what to do, the most urgent first.
func (s *RowSummary) first(r Report) {
	steps := r.steps()
	if len(steps) == 0 {
		return
	}
	s.add("What to do first")
	for i, step := range steps {
		text := strconv.Itoa(i+1) + ". " + step.What
		if step.Why != "" {
			text += ": " + step.Why
		}
		s.add(text)
		if what := r.PersonNeeded[i].What; what == reconcile.NeedBad || what == reconcile.NeedLoose {
			step.Next, step.Command = "Correct the rows with the status \""+statusFix+"\", and give the workbook back.", ""
		}
		if step.Next != "" {
			s.add("    " + step.Next + " " + step.Command)
		}
	}
	s.add()
}

func (s *RowSummary) balances(r Report) {
	for _, t := range r.Targets {
		s.add("Orders at "+t.Target, "orders", "messages", "  money")
		for _, b := range reconcile.Buckets {
			c := t.Balance.of(b)
			s.add(BucketWords(b), c.Orders, c.Events, "  "+moneyText(c.Money))
		}
		s.add("orders in this period", t.Balance.Eligible.Orders, t.Balance.Eligible.Events, "  "+moneyText(t.Balance.Eligible.Money))
		s.add()
	}
}
