package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"makegood/cmd/makegood/workers"
	"makegood/config"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// workersJSON is what status tells of workers and what they do. Its JSON form is
// stable.
type workersJSON struct {
	Workers  []workerJSON   `json:"workers"`
	Slices   map[string]int `json:"slices"`   // by state
	Planning int            `json:"planning"` // of those that are queued: a worker is at them
	Parts    int            `json:"parts_to_send"`
	Lanes    []laneJSON     `json:"destinations"`
	Idle     []string       `json:"without_worker,omitempty"` // kinds of jobs that wait and that nobody does
	Stuck    []stuckJSON    `json:"stuck,omitempty"`
}

type workerJSON struct {
	Name    string    `json:"name"`
	Host    string    `json:"host"`
	Version string    `json:"version"`
	Kinds   []string  `json:"kinds"`
	Lacks   []string  `json:"lacks,omitempty"` // sources whose files its host has none of
	Started time.Time `json:"started"`
	Beat    float64   `json:"seconds_since_beat"`
	Gone    bool      `json:"gone,omitempty"`
	At      []string  `json:"at"`
}

// laneJSON is how fast a destination is sent to, by all processes together.
type laneJSON struct {
	Target    string  `json:"target"`
	PerSecond float64 `json:"per_second"` // over the last minute
	Rate      string  `json:"rate"`       // configured; of all together
	Parts     int     `json:"parts_to_send"`
	AtWork    int     `json:"parts_at_work"`
}

// sentOver is the time over which the pace of a destination is told.
const sentOver = time.Minute

// workersOf looks how far workers are; nil where the ledger has no queue.
func (a *app) workersOf(ctx context.Context, cfg *config.Config, led *ledger.Reader) (*workersJSON, error) {
	q, err := workers.Look(ctx, cfg.Ledger, a.log)
	if err != nil || q == nil {
		return nil, err
	}
	defer q.Close()
	stand, err := q.Stand(ctx)
	if err != nil {
		return nil, err
	}
	sent, err := led.SentLately(ctx, sentOver)
	if err != nil {
		return nil, err
	}
	told := &workersJSON{Workers: []workerJSON{}, Slices: stand.Slices, Planning: stand.Planning, Parts: stand.Parts, Lanes: []laneJSON{}, Idle: stand.Idle()}
	for _, w := range stand.Workers {
		told.Workers = append(told.Workers, workerJSON{w.Name, w.Host, w.Version, w.Kinds, w.Lacks, w.Started.UTC(), w.Beat.Seconds(), w.Gone, w.At})
	}
	told.lanes(cfg, stand.Lanes, sent)
	pauses, err := a.pauses(ctx, led)
	if err != nil {
		return nil, err
	}
	told.Stuck = (&snags{app: a, cfg: cfg, stand: stand}).list(pauses)
	return told, nil
}

// lanes tells of the destinations that workers send to, or that were sent
// something just now.
func (w *workersJSON) lanes(cfg *config.Config, list []workers.Lane, sent map[string]int) {
	for name, t := range cfg.Targets {
		one := laneJSON{Target: name, Rate: t.Rate.String(), PerSecond: math.Round(100*float64(sent[name])/sentOver.Seconds()) / 100}
		if i := slices.IndexFunc(list, func(l workers.Lane) bool { return l.Target == name }); i >= 0 {
			one.Parts, one.AtWork = list[i].Parts, list[i].AtWork
		}
		if one.Parts > 0 || sent[name] > 0 {
			w.Lanes = append(w.Lanes, one)
		}
	}
	slices.SortFunc(w.Lanes, func(a, b laneJSON) int { return strings.Compare(a.Target, b.Target) })
}

// words tells of a worker.
func (w workerJSON) words(zone *time.Location) string {
	text := fmt.Sprintf("%s on %s since %s", reports.Mask(w.Name), w.Host, w.Started.In(zone).Format(momentLayout))
	switch {
	case w.Gone:
		return fmt.Sprintf("%s: gone, last seen %.0f s ago", text, w.Beat)
	case w.Beat >= 5:
		text += fmt.Sprintf(", last seen %.0f s ago", w.Beat)
	}
	if len(w.Kinds) == 1 {
		text += ", only to " + w.Kinds[0]
	}
	if len(w.At) == 0 {
		return text + ": nothing to do"
	}
	return text + ": " + strings.Join(w.At, ", ")
}

// words tells how fast a destination is sent to.
func (l laneJSON) words() string {
	text := fmt.Sprintf("%s: %g messages a second over the last minute, of %s", l.Target, l.PerSecond, l.Rate)
	if l.Parts > 0 {
		text += fmt.Sprintf("; %s to send, %d at work", counted(l.Parts, "part"), l.AtWork)
	}
	return text
}

// slicesWords says how many slices are where.
func (w *workersJSON) slicesWords() string {
	return fmt.Sprintf("%s done, %d being sent, %d being planned, %d waiting", counted(w.Slices[workers.Done], "slice"),
		w.Slices[workers.Sending], w.Planning, w.Slices[workers.Waiting]+w.Slices[workers.Queued]-w.Planning)
}

// alive counts the workers that work.
func (w *workersJSON) alive() (n int) {
	for _, one := range w.Workers {
		if !one.Gone {
			n++
		}
	}
	return n
}

// personNeeded reports whether something waits for a person.
func (w *workersJSON) personNeeded() bool {
	return w != nil && slices.ContainsFunc(w.Stuck, func(s stuckJSON) bool { return s.PersonNeeded })
}

// text tells of workers as people read it.
func (w *workersJSON) text(zone *time.Location) string {
	if w == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nqueue   %s at work; %s\n", counted(w.alive(), "worker"), w.slicesWords())
	for _, one := range w.Workers {
		fmt.Fprintf(&b, "        %s\n", one.words(zone))
	}
	for _, one := range w.Lanes {
		fmt.Fprintf(&b, "        %s\n", one.words())
	}
	for _, s := range w.Stuck {
		fmt.Fprintf(&b, "  !     %s\n", s.words(zone))
		fmt.Fprintf(&b, "  next  %s\n", s.Next.Words)
		if s.Next.Command != "" {
			fmt.Fprintf(&b, "        %s\n", s.Next.Command)
		}
	}
	return b.String()
}
