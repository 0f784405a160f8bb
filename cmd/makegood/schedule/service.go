package schedule

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Entry is what is run by the clock.
type Entry struct {
	Name  string
	Clock Clock
	// Last gives the newest moment for which a run was begun, and whether it came
	// to its end; a zero moment when there never was one.
	Last func(context.Context) (slot time.Time, ended bool, err error)
	// Run does the work for a moment. It returns when that is done, also soon after
	// ctx ends; it decides itself whether somebody else has the moment.
	Run func(ctx context.Context, slot time.Time)
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

// Serve runs each entry for each of its moments, one after the other: of moments
// that were missed, while nobody ran or an earlier run took long, only the newest
// is run for, which closes all gaps. It returns when ctx has ended and all runs
// have come back.
func (s Service) Serve(ctx context.Context) {
	var all sync.WaitGroup
	for _, e := range s.Entries {
		all.Go(func() { s.serve(ctx, e) })
	}
	all.Wait()
}

func (s Service) serve(ctx context.Context, e Entry) {
	done := s.begun(ctx, e)
	for ctx.Err() == nil {
		if due := e.Clock.Due(s.Now()); due.After(done) {
			e.Run(ctx, due)
			done = due
			continue
		}
		if !s.Sleep(ctx, e.Clock.Next(s.Now())) {
			return
		}
	}
}

// begun is the moment up to which nothing is to be caught up: that of the last
// run, where it came to its end, else the one before it. An entry that never ran
// waits for its next moment.
func (s Service) begun(ctx context.Context, e Entry) time.Time {
	last, ended, err := e.Last(ctx)
	switch {
	case err != nil:
		s.Log.Error("the runs of before cannot be read; missed ones are caught up with the next moment", "schedule", e.Name, "error", err)
		return e.Clock.Due(s.Now())
	case last.IsZero():
		return e.Clock.Due(s.Now())
	case !ended:
		return last.Add(-time.Nanosecond)
	}
	return last
}
