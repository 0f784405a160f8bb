package reports

import (
	"time"
)

// Brief is a run in one line of a list. Its JSON form is stable.
type Brief struct {
	Run          string        `json:"run"`
	Command      string        `json:"command"`
	Started      time.Time     `json:"started"`
	Finished     time.Time     `json:"finished"`
	Schedule     string        `json:"schedule,omitempty"` // the entry that it was for
	Backfill     bool          `json:"backfill,omitempty"`
	Exit         int           `json:"exit"`
	PersonNeeded bool          `json:"person_needed"`
	FirstLine    string        `json:"first_line,omitempty"` // "" of a run that left no report
	Targets      []BriefTarget `json:"targets,omitempty"`
}

// BriefTarget is what was missing at a destination, and what of it the run
// repaired.
type BriefTarget struct {
	Target   string `json:"target"`
	Missing  Count  `json:"missing"`
	Repaired Count  `json:"repaired"`
	Words    string `json:"words"`
}

// Brief gives the report in one line.
func (r Report) Brief() Brief {
	r = r.legible()
	b := Brief{Run: r.Run, Command: r.Command, Started: r.Started, Finished: r.Finished, Schedule: r.Schedule, Backfill: r.Backfill,
		PersonNeeded: len(r.PersonNeeded) > 0, FirstLine: r.firstLine()}
	if r.Exit != nil {
		b.Exit = *r.Exit
	}
	for _, t := range r.Targets {
		b.Targets = append(b.Targets, BriefTarget{t.Target, t.missing(), t.Balance.Sent, r.business(t)})
	}
	return b
}

// Took says how long the run took: "11 minutes", "41 s".
func (b Brief) Took() string {
	took := b.Finished.Sub(b.Started)
	if took < 2*time.Minute {
		return took.Round(time.Second).String()
	}
	return span(took)
}

// Naming is the report with commands that name a configuration; "" where they
// find it without.
func (r Report) Naming(config string) Report {
	r.config = config
	return r
}
