package schedule

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Outcome is what became of a moment.
type Outcome int

// What can become of a moment; the zero value is asked about again.
const (
	Again     Outcome = iota // its run could not begin, failed or was stopped
	Elsewhere                // somebody else is at it
	Done                     // it has a run that did its work, whoever made it
)

// Entry is what is run by the clock.
type Entry struct {
	Name  string
	Clock Clock
	// Last gives the newest moment up to a time for which a run was begun, and
	// whether that run did its work; a zero moment when there never was one.
	Last func(ctx context.Context, upTo time.Time) (slot time.Time, done bool, err error)
	// Run does the work for a moment. It returns when that is done, also soon after
	// ctx ends; it decides itself whether somebody else has the moment.
	Run func(ctx context.Context, slot time.Time) Outcome
}

// Service runs entries by the clock until its context ends.
type Service struct {
	Entries []Entry
	Now     func() time.Time
	Log     *slog.Logger
	// Sleep waits until a time, or for as long as it likes: what is due is asked
	// again afterwards. It reports false when ctx has ended.
	Sleep func(ctx context.Context, until time.Time) bool
}

// longestSleep bounds how late a clock is noticed that was set, or a machine that
// was asleep.
const longestSleep = 30 * time.Second

// Sleep waits until a time at most, and never long.
func Sleep(now func() time.Time) func(context.Context, time.Time) bool {
	return func(ctx context.Context, until time.Time) bool {
		timer := time.NewTimer(min(max(until.Sub(now()), 0), longestSleep))
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		}
	}
}

// longestWait bounds how long a moment waits to be tried again.
const longestWait = 30 * time.Minute

// wait is how long a moment waits that was tried so often: a minute, then twice
// as long each time. By the clock of the service alone, so that it can be told.
func wait(tries int) time.Duration {
	return min(time.Minute<<min(max(tries-1, 0), 10), longestWait)
}

// Serve runs each entry for each of its moments, one after the other: of moments
// that were missed, while nobody ran or an earlier run took long, only the newest
// is run for, which closes all gaps. A moment without a run that did its work is
// tried again soon, until the next one comes. It returns when ctx has ended and
// all runs have come back.
func (s Service) Serve(ctx context.Context) {
	var all sync.WaitGroup
	for _, e := range s.Entries {
		all.Go(func() { s.serve(ctx, e) })
	}
	all.Wait()
}

func (s Service) serve(ctx context.Context, e Entry) {
	t := turns{Service: s, Entry: e, first: e.Clock.Due(s.Now())}
	for ctx.Err() == nil {
		now := s.Now()
		if t.take(ctx, now) {
			continue // meanwhile another moment may have come
		}
		if !s.Sleep(ctx, t.wakes(now)) {
			return
		}
	}
}

// turns is where an entry is in its moments.
type turns struct {
	Service
	Entry
	first time.Time // moments up to here came before the service
	done  time.Time // up to this moment nothing is to be done
	known bool      // done is known from the ledger, or from a run
	tried time.Time // the moment that was tried last,
	tries int       // how often in vain,
	again time.Time // and when it is tried again
}

// take works on the moment that is due, where it is its time, and reports whether
// it was.
func (t *turns) take(ctx context.Context, now time.Time) (ran bool) {
	if t.done.After(now) { // the clock was ahead, and what it did then says nothing
		t.known, t.done, t.first = false, time.Time{}, t.Clock.Due(now)
	}
	if latest := now.Add(longestWait); t.again.After(latest) { // the clock was set back
		t.again = latest
	}
	due := t.Clock.Due(now)
	if due.Equal(t.tried) && now.Before(t.again) {
		return false
	}
	if !t.known && !t.ask(ctx, now) && !due.After(t.first) {
		t.tried = due
		t.later("which moments were missed is not known: the ledger cannot be read; it is asked again")
		return false
	}
	if !due.After(t.done) || !t.known && !due.After(t.first) {
		t.tries, t.again = 0, time.Time{}
		return false
	}
	t.tried = due
	switch t.Run(ctx, due) {
	case Done:
		t.done, t.known, t.tries, t.again = due, true, 0, time.Time{}
	case Elsewhere:
		t.later("")
	default:
		if ctx.Err() == nil {
			t.later("a moment of the schedule has no run that did its work; it is tried again")
		}
	}
	return true
}

// later puts off what could not be done, and says so.
func (t *turns) later(what string) {
	t.tries++
	t.again = t.Now().Add(wait(t.tries))
	if what != "" {
		t.Log.Error(what, "schedule", t.Name, "moment", t.tried.Format(time.RFC3339), "tried", t.tries, "again", t.again.UTC().Format(time.RFC3339))
	}
}

// ask finds out up to which moment nothing is to be done: that of the last run,
// where it did its work, else the one before it. An entry that never ran waits for
// the first moment in the time of the service.
func (t *turns) ask(ctx context.Context, now time.Time) (known bool) {
	last, done, err := t.Last(ctx, now)
	switch {
	case err != nil:
		t.Log.Error("the runs of before cannot be read", "schedule", t.Name, "error", err)
		return false
	case last.IsZero():
		t.done = t.first
	case !done:
		t.done = last.Add(-time.Nanosecond)
	default:
		t.done = last
	}
	t.known = true
	return true
}

// wakes is when there may be something to do.
func (t *turns) wakes(now time.Time) time.Time {
	wake := t.Clock.Next(now)
	if wake.IsZero() {
		wake = now.Add(longestWait)
	}
	if !t.again.IsZero() && t.again.Before(wake) {
		wake = t.again
	}
	return wake
}
