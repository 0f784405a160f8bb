package notice

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"makegood/reports"
)

// Notifier tells one place. A nil error says that the message was accepted
// there; an error names no secret and no address. It returns soon after ctx
// ends.
type Notifier interface {
	Notify(ctx context.Context, m Message) error
}

// Member is one place that is told of changes.
type Member struct {
	Name        string // in the records; must never change
	MissingOver int    // orders missing at a destination beyond which it is told; 0: never for that
	Notifier
}

// Board is everybody who is told of changes.
type Board struct {
	Members   []Member
	Shop      string // the environment, which stands in every message
	ReportURL string // {run} in it stands for the run
	Clock     func() time.Time
}

// Within is how long everybody together is given.
const Within = 30 * time.Second

// RecordVersion is the form of a Record.
const RecordVersion = 1

// Record is what was told after one run.
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
}

// Last is what a place was last told about runs of a lane, and when; the zero
// Told where it never was told anything.
func Last(past []Record, lane, name string) (told Told, at time.Time) {
	for _, r := range past {
		known, is := r.Told[name]
		if is && (lane == "" || r.Lane == lane) && r.At.After(at) {
			told, at = known, r.At
		}
	}
	return told, at
}

// Tell tells everybody of a run what is news to them. The record is to be kept
// if there is one: it changes what is news after the next run.
func (b *Board) Tell(ctx context.Context, r reports.Report, lane string, past []Record) (record Record, kept bool) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	record = Record{Version: RecordVersion, Of: r.Run, Lane: lane, At: b.Clock().UTC(), Told: map[string]Told{}, Sent: map[string]Reason{}, Failed: map[string]string{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, m := range b.Members {
		now, known := Affairs(r, m.MissingOver)
		was, _ := Last(past, lane, m.Name)
		if !known || now.equal(was) {
			continue
		}
		all.Go(func() {
			message := b.newMessage(r, now, was, record.At)
			var err error
			if message.Why != Nothing {
				err = m.Notify(ctx, message)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				record.Failed[m.Name] = reports.Mask(err.Error())
				return
			case message.Why != Nothing:
				record.Sent[m.Name] = message.Why
			}
			record.Told[m.Name] = now
		})
	}
	all.Wait()
	return record, len(record.Told)+len(record.Failed) > 0
}

// Tried is what came back when a place was told of a test; nil: it took it.
type Tried struct {
	Name string
	Err  error
}

// Test sends everybody a test, and lists what came back by name.
func (b *Board) Test(ctx context.Context) []Tried {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	message := b.testMessage(b.Clock())
	tried := make([]Tried, len(b.Members))
	var all sync.WaitGroup
	for i, m := range b.Members {
		all.Go(func() { tried[i] = Tried{m.Name, m.Notify(ctx, message)} })
	}
	all.Wait()
	slices.SortFunc(tried, func(a, b Tried) int { return cmp.Compare(a.Name, b.Name) })
	return tried
}
