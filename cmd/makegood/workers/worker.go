package workers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"makegood/reports"
)

// Options are what a worker is told.
type Options struct {
	Name       string
	Host       string
	Version    string
	Settings   string   // the digest of those that it works with
	Parallel   int      // jobs at a time
	Kinds      []string // of jobs that it does
	UntilEmpty bool     // it ends when nothing is to be done any more
}

// Worker does the jobs of a queue in one process.
type Worker struct {
	*Queue
	o     Options
	id    string
	hands Hands
	lives *presence

	mu        sync.Mutex
	at        map[int64]string // by job: what it is about
	lacks     []string
	forgotten int // whom this machine knows to be forgotten
}

// beatEvery is how often a worker shows that it lives and looks after the others.
const beatEvery = time.Second

// StopWithin is how long a worker that is told to end may take for what it is at.
const StopWithin = 2 * time.Minute

// Work does jobs until ctx ends, and then finishes what is in flight: what was not
// sent yet, another worker goes on with.
func Work(ctx context.Context, q *Queue, hands Hands, o Options) (err error) {
	w := &Worker{Queue: q, o: o, id: uuid.Must(uuid.NewV7()).String(), hands: hands, at: map[int64]string{}} // fails only without random numbers
	bundle := river.NewWorkers()
	// Every worker knows every kind, whatever it does: the one that River's
	// leader is discards jobs of a kind that it does not know.
	river.AddWorker(bundle, &planner{w: w})
	river.AddWorker(bundle, &sender{w: w})
	queues := map[string]river.QueueConfig{}
	for _, kind := range o.Kinds {
		queues[kind] = river.QueueConfig{MaxWorkers: o.Parallel}
	}
	jobs, err := river.NewClient(riverpgxv5.New(q.pool), &river.Config{ID: w.id, Schema: q.schema, Queues: queues, Workers: bundle,
		JobTimeout: -1, // a lease decides how long a run may send; and River rescues no job without a limit
		Logger:     q.river, CompletedJobRetentionPeriod: time.Hour, FetchPollInterval: beatEvery})
	if err != nil {
		return fmt.Errorf("begin to work: %w", err)
	}
	w.look()
	if w.lives, err = w.appear(ctx); err != nil {
		return fmt.Errorf("begin to work: %w", err)
	}
	defer func() { err = errors.Join(err, w.leave()) }()
	if _, err := w.forget(ctx); err != nil {
		return fmt.Errorf("begin to work: %w", err)
	}
	if err := jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("begin to work: %w", err)
	}
	w.watch(ctx)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWithin)
	defer cancel()
	if err := jobs.StopAndCancel(end); err != nil {
		return fmt.Errorf("finish what is in flight: %w", err)
	}
	return nil
}

// watch shows that the worker lives, and looks after the queue, until ctx ends or
// there is nothing to do any more.
func (w *Worker) watch(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		_, err := w.forget(ctx)
		if err = errors.Join(err, w.beat(ctx), w.tidy(ctx)); err != nil && ctx.Err() == nil {
			w.log.Warn("the queue cannot be looked after just now", "error", err)
		} else if err == nil && w.o.UntilEmpty && w.empty(ctx) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// empty reports whether nothing waits and nothing is at work.
func (w *Worker) empty(ctx context.Context) bool {
	var busy bool
	err := w.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM slices WHERE state IN ('waiting', 'queued', 'sending'))`).Scan(&busy)
	return err == nil && !busy
}

// doing runs a job: what it is about is shown while it lasts. No error names a
// person: River stores them. One that was told to end is done by another worker.
func (w *Worker) doing(ctx context.Context, job int64, what string, do func(context.Context) error) (err error) {
	w.mu.Lock()
	w.at[job] = what
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.at, job)
		w.mu.Unlock()
	}()
	err = do(ctx)
	var snooze *river.JobSnoozeError
	switch {
	case err == nil || errors.Is(err, errTurn):
		return nil
	case ctx.Err() != nil:
		return river.JobSnooze(0)
	case errors.As(err, &snooze):
		return snooze
	}
	return errors.New(reports.Mask(err.Error()))
}

// errFault is what a fault of makegood's own is told as.
var errFault = errors.New("a fault of makegood's own; the log of the worker says which")

// sound makes a fault of makegood's own an error like any other.
func (w *Worker) sound(about string, do func() error) (err error) {
	defer func() {
		if broke := recover(); broke != nil {
			w.log.Error("a job broke off by a fault of makegood's own", "job", about, "fault", fmt.Sprint(broke))
			err = errFault
		}
	}()
	return do()
}

// atHand are the jobs at hand: their numbers, and what they are about.
func (w *Worker) atHand() (jobs []int64, about []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for job, what := range w.at {
		jobs, about = append(jobs, job), append(about, what)
	}
	slices.Sort(about)
	return jobs, about
}

// planner does the jobs of slices.
type planner struct {
	river.WorkerDefaults[planJob]
	w *Worker
}

// Work implements river.Worker.
func (p *planner) Work(ctx context.Context, job *river.Job[planJob]) error {
	return p.w.doing(ctx, job.ID, fmt.Sprintf("slice %d", job.Args.Slice), func(ctx context.Context) error { return p.w.slice(ctx, job.Args.Slice) })
}

// NextRetry implements river.Worker.
func (p *planner) NextRetry(job *river.Job[planJob]) time.Time {
	return retryAt(time.Now(), job.Attempt)
}

// sender does the jobs of parts.
type sender struct {
	river.WorkerDefaults[sendJob]
	w *Worker
}

// Work implements river.Worker.
func (s *sender) Work(ctx context.Context, job *river.Job[sendJob]) error {
	return s.w.doing(ctx, job.ID, fmt.Sprintf("part %d", job.Args.Part), func(ctx context.Context) error { return s.w.part(ctx, job.Args.Part) })
}

// NextRetry implements river.Worker.
func (s *sender) NextRetry(job *river.Job[sendJob]) time.Time {
	return retryAt(time.Now(), job.Attempt)
}
