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

// Tell tells everybody of a run what is news to them. Runs of one lane are
// compared with each other, a run without a lane with none. The record is to be
// kept if there is one: it changes what is news after the next run.
func (b *Board) Tell(ctx context.Context, r reports.Report, lane string, past []Record) (record Record, kept bool) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	at := b.Clock().UTC()
	record = Record{Version: RecordVersion, Of: r.Run, Lane: lane, At: at, Told: map[string]Told{}, Sent: map[string]Reason{}, Failed: map[string]string{}, Lanes: Known(past, at)}
	outcomes := make([]outcome, len(b.Members))
	var all sync.WaitGroup
	for i, m := range b.Members {
		now, known := Affairs(r, m.MissingOver)
		was := record.Lanes[lane][m.Name]
		if !known || now.equal(was.Told) && was.Failed == "" {
			continue
		}
		all.Go(func() {
			message := b.newMessage(r, now, was.Told, at)
			outcomes[i] = outcome{is: true, now: now, was: was, why: message.Why, news: message.News}
			if message.Why != Nothing {
				outcomes[i].err = m.Notify(ctx, message)
			}
		})
	}
	all.Wait()
	for i, m := range b.Members {
		record.note(m.Name, outcomes[i])
	}
	record.Lanes.bound()
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
