package reports

import (
	"cmp"
	"slices"
)

// sharedRuns are the runs of backfills and of the workers that do them. What one of
// them sends stands in its report, and again in that of each run that sums the work
// up: work that was planned anew or that two summed up at once has several of them.
type sharedRuns struct {
	alone []Report // of the period: they sum up no others
	sums  []sumRun
}

// sumRun is a run that sums up what others sent.
type sumRun struct {
	Report
	inside bool // the period
}

// isShared reports whether messages of a report stand in another one, too.
func (r Report) isShared() bool { return r.Command == "worker" || r.Command == "backfill" }

// take keeps of a report what an audit counts. A run outside of the period tells
// only which runs it sums up. One that failed has not summed up all of them.
func (s *sharedRuns) take(r Report, inside bool) {
	few := Report{Run: r.Run, Command: r.Command, Started: r.Started, Finished: r.Finished, CarriedBy: r.CarriedBy, Accepted: r.Accepted}
	for _, t := range r.Targets {
		few.Targets = append(few.Targets, Target{Target: t.Target, Type: t.Type, Balance: Balance{Sent: t.Balance.Sent, Refused: t.Balance.Refused}})
	}
	switch {
	case len(r.CarriedBy) == 0 && inside:
		s.alone = append(s.alone, few)
	case len(r.CarriedBy) > 0 && r.Error == "":
		s.sums = append(s.sums, sumRun{few, inside})
	}
}

// counted lists the reports of the period that hold each message once: of the
// same work the one that sums up the most runs, the newest of several; and those
// that none sums up, of which workers say once what evidence was let pass.
func (s *sharedRuns) counted() (list []Report) {
	slices.SortStableFunc(s.sums, func(x, y sumRun) int {
		return cmp.Or(cmp.Compare(len(y.CarriedBy), len(x.CarriedBy)), y.Finished.Compare(x.Finished))
	})
	told := map[string]bool{}
	for _, sum := range s.sums {
		if slices.ContainsFunc(sum.CarriedBy, func(run string) bool { return told[run] }) {
			continue
		}
		for _, run := range sum.CarriedBy {
			told[run] = true
		}
		if sum.inside {
			list = append(list, sum.Report)
		}
	}
	let := map[[2]string]bool{}
	for _, worker := range s.alone {
		if told[worker.Run] {
			continue
		}
		if worker.Command != "worker" {
			list = append(list, worker)
			continue
		}
		accepted := map[string]string{}
		for name, note := range worker.Accepted {
			if of := [2]string{name, note}; !let[of] {
				let[of], accepted[name] = true, note
			}
		}
		worker.Accepted = accepted
		list = append(list, worker)
	}
	slices.SortStableFunc(list, func(x, y Report) int { return x.Finished.Compare(y.Finished) })
	return list
}
