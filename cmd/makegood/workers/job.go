package workers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"makegood/reconcile"
	"makegood/reports"
)

// The kinds of jobs, and the names of their queues.
const (
	KindPlan = "plan"
	KindSend = "send"
)

// jobAttempts is never reached: what cannot be done is said in the slice or part,
// and a person or time ends it.
const jobAttempts = 10_000

// planJob has a slice planned, and summed up when its parts have ended.
type planJob struct {
	Slice int64 `json:"slice"`
}

// Kind implements river.JobArgs.
func (planJob) Kind() string { return KindPlan }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (planJob) InsertOpts() river.InsertOpts { return insertOpts(KindPlan) }

// sendJob has a part sent.
type sendJob struct {
	Part int64 `json:"part"`
}

// Kind implements river.JobArgs.
func (sendJob) Kind() string { return KindSend }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sendJob) InsertOpts() river.InsertOpts { return insertOpts(KindSend) }

// insertOpts makes jobs unique while they are not over: one that is over may be
// wanted again.
func insertOpts(queue string) river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: jobAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled}}}
}

// put puts jobs for slices and parts into River. A job that is there is that one.
func (q *Queue) put(ctx context.Context, tx pgx.Tx, slices, parts []int64) error {
	var jobs []river.InsertManyParams
	for _, id := range slices {
		jobs = append(jobs, river.InsertManyParams{Args: planJob{id}})
	}
	for _, id := range parts {
		jobs = append(jobs, river.InsertManyParams{Args: sendJob{id}})
	}
	if len(jobs) == 0 {
		return nil
	}
	_, err := q.jobs.InsertManyTx(ctx, tx, jobs)
	return err
}

// Hands do the work that jobs are about.
type Hands interface {
	// Plan makes the plan of a slice, in files, and changes nothing. What it gives
	// beside an error are the files that it has made until then.
	Plan(ctx context.Context, s Slice) (Planned, error)
	// Carry carries out a part that lies in a file, as the run of that name, and
	// goes on where earlier runs of it were left. It tells the part that the run has
	// begun, and claims nothing when that gives an error. A part that no longer holds is
	// not carried out: its slice is planned anew.
	Carry(ctx context.Context, p Part, file string, run reconcile.RunID) (Carried, error)
	// Sum tells how a slice ended, when all parts of its plan have.
	Sum(ctx context.Context, s Slice, file string, parts []Part) (Summed, error)
	// Fail tells of a slice that could not be worked on.
	Fail(s Slice, err error) Summed
	// AnyAlive reports whether one of the runs is still at work, wherever.
	AnyAlive(ctx context.Context, runs []reconcile.RunID) (bool, error)
	// NewRun names a run.
	NewRun() reconcile.RunID
	// Folder is where files with addresses may lie for a while.
	Folder() string
	// Lacks names the sources whose files lie on machines, but not on this one.
	Lacks() []string
	// Forget sees to it that nothing is sent about these any more, by plans that are
	// made or carried out from now on. They are as Queue.Forget was given them, and
	// may be known here.
	Forget(lines []string) error
	// Class says what kind of thing went wrong: one word.
	Class(err error) string
}

// Planned is a plan in files, which go when they are in the queue.
type Planned struct {
	Plan, Decisions string
	Parts           []PlannedPart
	Waits           bool // something is left until the slices before it are over
}

// PlannedPart is a part of a plan.
type PlannedPart struct {
	Target string
	N      int
	Path   string
	Once   bool
}

// remove deletes the files of a plan, of which some may not have been made: they
// hold addresses.
func (p Planned) remove() error {
	var errs []error
	if p.Plan != "" {
		errs = append(errs, reconcile.RemovePlan(p.Plan))
	}
	for _, part := range p.Parts {
		errs = append(errs, os.Remove(part.Path))
	}
	return errors.Join(errs...)
}

// Carried is how a run of a part ended.
type Carried struct {
	Stopped string // why the target takes no more
	Again   bool   // what is left, another run of the part ends
	Cut     bool   // it was told to end before it had decided on everything
}

// Summed is how a slice ended.
type Summed struct {
	Told  []byte // JSON, without personal data
	Ends  string // why no further slice of its period is begun
	Again bool   // what is left, a new plan ends
}

const (
	// sliceTries is how often a slice's job may fail before it is given up.
	sliceTries = 8
	// passes is how many runs of a part come to their end for what another run ends.
	passes = 8
	// lookAgain is after how long a job looks again that waits for somebody.
	lookAgain = time.Second
	// longestRetry is the longest time between two tries of a job.
	longestRetry = time.Minute
)

// retryAt says when a job that failed is tried again.
func retryAt(now time.Time, attempt int) time.Time {
	return now.Add(min(longestRetry, time.Second<<min(attempt, 6)))
}

// trouble is what went wrong with a job, as it is kept: without personal data.
type trouble struct{ class, text string }

// What is wrong with a machine, and a person mends there: other settings than a
// slice was asked for with, or wrong ones; a clock that is wrong.
const (
	ClassSettings = "configuration"
	ClassClock    = "clock"
)

// What kinds of things go wrong that are not told by what is worked on.
const (
	classFault      = "fault"      // of makegood's own
	classConnection = "connection" // to the database
)

func (w *Worker) trouble(err error) trouble {
	class := w.hands.Class(err)
	var server *pgconn.PgError
	var net net.Error
	switch {
	case errors.Is(err, errFault):
		class = classFault
	case class == "" && (errors.As(err, &server) || errors.As(err, &net)):
		class = classConnection
	}
	return trouble{class, reports.Mask(err.Error())}
}

// slice plans a slice, or sums it up.
func (w *Worker) slice(ctx context.Context, id int64) error {
	if left, err := w.leaveSlice(ctx, id); err != nil || left {
		return cmp.Or(err, river.JobSnooze(lookAgain))
	}
	s, ok, err := w.takeSlice(ctx, id)
	if err != nil || !ok {
		return err
	}
	err = w.sound(fmt.Sprintf("slice %d", id), func() error { return w.sliceOnce(ctx, &s) })
	if noFailure(ctx, err) {
		return err
	}
	why := w.trouble(err)
	over, looked := w.givenUp(ctx, s.ID, s.Failures, why)
	if over {
		return w.summed(ctx, s, w.hands.Fail(s, err))
	}
	return errors.Join(err, looked, w.failed(ctx, s, why))
}

// givenUp reports whether a job that failed once more is given up. What a person
// mends on a machine goes on afterwards, unless something was asked for with other
// settings since.
func (w *Worker) givenUp(ctx context.Context, slice int64, failures int, why trouble) (bool, error) {
	switch {
	case failures+1 < sliceTries || why.class == ClassClock:
		return false, nil
	case why.class == ClassSettings:
		return w.superseded(ctx, slice)
	}
	return true, nil
}

// noFailure reports whether a job has not failed: it is done, somebody else's,
// waits, or was told to end.
func noFailure(ctx context.Context, err error) bool {
	var snooze *river.JobSnoozeError
	return err == nil || errors.Is(err, errTurn) || errors.As(err, &snooze) || ctx.Err() != nil
}

// leaveSlice reports whether a slice is left to others.
func (w *Worker) leaveSlice(ctx context.Context, id int64) (bool, error) {
	list, err := w.Slices(ctx, []int64{id})
	if err != nil || len(list) == 0 {
		return false, err
	}
	var lacks []string
	if list[0].State == Queued { // its sources are read
		w.look()
		lacks = w.lacking()
	}
	return w.left(ctx, KindPlan, list[0].Settings, lacks)
}

func (w *Worker) sliceOnce(ctx context.Context, s *Slice) error {
	if s.State == Queued {
		if err := w.plan(ctx, *s); err != nil {
			return err
		}
		s.State = Sending
	}
	parts, err := w.parts(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.State == Waiting {
			return nil // the last one calls again
		}
	}
	file := filepath.Join(w.hands.Folder(), fmt.Sprintf("slice-%d-%d-%s.plan", s.ID, s.turn, w.id))
	defer func() { _ = reconcile.RemovePlan(file) }() // what is left, the next start of the day removes
	if err := errors.Join(w.load(ctx, s.ID, filePlan, file), w.load(ctx, s.ID, fileDecisions, reconcile.DiaryOf(file))); err != nil {
		return err
	}
	got, err := w.hands.Sum(ctx, *s, file, parts)
	if err != nil {
		return err
	}
	if err := w.summed(ctx, *s, got); err != nil {
		return err
	}
	if got.Again {
		return river.JobSnooze(0)
	}
	return w.feed(ctx)
}

// plan plans a slice, once nobody works any more on what was planned before.
func (w *Worker) plan(ctx context.Context, s Slice) error {
	if busy, err := w.hands.AnyAlive(ctx, s.Runs); err != nil || busy {
		return cmp.Or(err, river.JobSnooze(lookAgain))
	}
	forgotten, err := w.forget(ctx)
	if err != nil {
		return err
	}
	p, err := w.hands.Plan(ctx, s)
	if err != nil {
		return errors.Join(err, p.remove())
	}
	return errors.Join(w.stored(ctx, s, p, forgotten), p.remove())
}

// onceOver is said of a part that one run alone may carry out, and that began it.
const onceOver = "a worker that was sending ended early; what one run may send is limited, and how much of it is left is not known. The same command goes on"

// part sends a part.
func (w *Worker) part(ctx context.Context, id int64) error {
	if left, err := w.leavePart(ctx, id); err != nil || left {
		return cmp.Or(err, river.JobSnooze(lookAgain))
	}
	p, ok, err := w.takePart(ctx, id)
	if err != nil || !ok {
		return err
	}
	err = w.sound(fmt.Sprintf("part %d", id), func() error { return w.partOnce(ctx, p) })
	if noFailure(ctx, err) {
		return err
	}
	why := w.trouble(err)
	if why.class == ClassSettings {
		if over, looked := w.givenUp(ctx, p.Slice.ID, p.failures, why); over || looked != nil {
			return cmp.Or(looked, w.ended(ctx, p, why.text))
		}
	}
	return errors.Join(err, w.partFailed(ctx, p, why))
}

// leavePart reports whether a part is left to others.
func (w *Worker) leavePart(ctx context.Context, id int64) (bool, error) {
	settings, err := w.settingsOf(ctx, id)
	if err != nil || settings == "" {
		return false, err
	}
	return w.left(ctx, KindSend, settings, nil)
}

func (w *Worker) partOnce(ctx context.Context, p Part) error {
	busy, err := w.hands.AnyAlive(ctx, p.Runs)
	if err == nil && busy {
		return river.JobSnooze(lookAgain)
	}
	var got Carried
	if err == nil {
		got.Stopped, err = w.stoppedBy(ctx, p)
	}
	if p.Once && len(p.Runs) > 0 {
		got.Stopped = onceOver
	}
	if err == nil && got.Stopped == "" {
		got, err = w.carry(ctx, p)
	}
	if err == nil && got.Cut {
		err = ctx.Err() // what is left goes on elsewhere
	}
	ctx = context.WithoutCancel(ctx) // the rest says what was done
	if err == nil && got.Again && got.Stopped == "" && !p.Once && p.passes+1 < passes {
		return cmp.Or(w.passed(ctx, p), river.JobSnooze(lookAgain))
	}
	if err != nil {
		return err
	}
	return w.ended(ctx, p, reports.Mask(got.Stopped))
}

func (w *Worker) carry(ctx context.Context, p Part) (got Carried, err error) {
	run := w.hands.NewRun()
	file := filepath.Join(w.hands.Folder(), string(run)+".part")
	defer func() { _ = os.Remove(file) }() // it may not have been made
	if err := w.load(ctx, p.Slice.ID, filePart(p.Target, p.N), file); err != nil {
		return got, err
	}
	p.Begun = func(ctx context.Context) error { return w.begun(ctx, p, run) }
	return w.hands.Carry(ctx, p, file, run)
}
