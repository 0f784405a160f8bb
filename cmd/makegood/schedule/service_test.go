package schedule_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"makegood/cmd/makegood/schedule"
)

// service is one whose clock jumps to whatever it waits for, until an end.
type service struct {
	schedule.Service
	mu   sync.Mutex
	now  time.Time
	runs []string
}

func played(t *testing.T, from, until string, entries ...schedule.Entry) *service {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, end := &service{now: at(t, from)}, at(t, until)
	s.Service = schedule.Service{Entries: entries, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now },
		Sleep: func(ctx context.Context, wake time.Time) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			if wake.After(end) {
				cancel()
				return false
			}
			if wake.After(s.now) {
				s.now = wake
			}
			return ctx.Err() == nil
		}}
	for i := range s.Entries {
		e := &s.Entries[i]
		ran := e.Run
		e.Run = func(ctx context.Context, slot time.Time) schedule.Outcome {
			s.mu.Lock()
			s.runs = append(s.runs, slot.UTC().Format("02 15:04"))
			s.mu.Unlock()
			if ran != nil {
				return ran(ctx, slot)
			}
			return schedule.Done
		}
	}
	s.Serve(ctx)
	return s
}

func never(context.Context, time.Time) (time.Time, bool, error) { return time.Time{}, false, nil }

func TestServiceRunsEachMomentOnce(t *testing.T) {
	s := played(t, "2026-11-02T12:00:00Z", "2026-11-05T12:00:00Z", schedule.Entry{Name: "nightly", Clock: clock(t, "30 2 * * *"), Last: never})
	if want := []string{"03 01:30", "04 01:30", "05 01:30"}; !slices.Equal(s.runs, want) {
		t.Errorf("ran %v, want %v", s.runs, want)
	}
}

// After three nights without a service one run closes all gaps.
func TestServiceCatchesUpOnce(t *testing.T) {
	last := at(t, "2026-11-01T01:30:00Z")
	for name, tc := range map[string]struct {
		ended bool
		err   error
		from  string
		want  []string
	}{
		"three nights missed":           {true, nil, "2026-11-04T12:00:00Z", []string{"04 01:30", "05 01:30"}},
		"nothing missed":                {true, nil, "2026-11-01T12:00:00Z", []string{"02 01:30", "03 01:30", "04 01:30", "05 01:30"}},
		"the last one did not end":      {false, nil, "2026-11-01T02:00:00Z", []string{"01 01:30", "02 01:30", "03 01:30", "04 01:30", "05 01:30"}},
		"the ledger cannot be read now": {false, errors.New("down"), "2026-11-04T12:00:00Z", []string{"05 01:30"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := played(t, tc.from, "2026-11-05T12:00:00Z", schedule.Entry{Name: "nightly", Clock: clock(t, "30 2 * * *"),
				Last: func(context.Context, time.Time) (time.Time, bool, error) { return last, tc.ended, tc.err }})
			if !slices.Equal(s.runs, tc.want) {
				t.Errorf("ran %v, want %v", s.runs, tc.want)
			}
		})
	}
}

// A run that takes longer than the time between two moments is followed by one,
// for the newest of those that it let pass.
func TestServiceDoesNotPileUp(t *testing.T) {
	var s *service
	entry := schedule.Entry{Name: "carts", Clock: clock(t, "*/10 * * * *"), Last: never}
	first := true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s = &service{now: at(t, "2026-11-02T12:00:00Z")}
	entry.Run = func(_ context.Context, slot time.Time) schedule.Outcome {
		s.runs = append(s.runs, slot.Format("15:04"))
		if first {
			s.now, first = s.now.Add(35*time.Minute), false
		}
		if len(s.runs) == 3 {
			cancel()
		}
		return schedule.Done
	}
	s.Service = schedule.Service{Entries: []schedule.Entry{entry}, Now: func() time.Time { return s.now },
		Sleep: func(ctx context.Context, wake time.Time) bool { s.now = wake; return ctx.Err() == nil }}
	s.Serve(ctx)
	if want := []string{"12:10", "12:40", "12:50"}; !slices.Equal(s.runs, want) {
		t.Errorf("ran %v, want %v", s.runs, want)
	}
}

// The real sleep ends with its context, and is never long.
func TestSleepEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if schedule.Sleep(time.Now)(ctx, time.Now().Add(time.Hour)) {
		t.Error("it went on")
	}
	if !schedule.Sleep(time.Now)(t.Context(), time.Now().Add(-time.Hour)) {
		t.Error("what is past is not waited for")
	}
}

// A moment whose run could not begin, or failed, is tried again after 1, 2, 4, 8,
// 16 and then every 30 minutes, until it has a run or the next moment comes.
func TestServiceTriesAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		spec     string
		becomes  schedule.Outcome
		fails    int
		from, to string
		want     []string // when it was tried
	}{
		"a night": {"30 2 * * *", schedule.Again, 8, "2026-11-02T12:00:00Z", "2026-11-04T12:00:00Z", []string{"03 01:30", "03 01:31", "03 01:33", "03 01:37",
			"03 01:45", "03 02:01", "03 02:31", "03 03:01", "03 03:31", "04 01:30"}},
		"somebody else is at it": {"30 2 * * *", schedule.Elsewhere, 2, "2026-11-02T12:00:00Z", "2026-11-03T12:00:00Z", []string{"03 01:30", "03 01:31", "03 01:33"}},
		"every ten minutes": {"*/10 * * * *", schedule.Again, 6, "2026-11-02T12:05:00Z", "2026-11-02T12:45:00Z", []string{"02 12:10", "02 12:11", "02 12:13",
			"02 12:17", "02 12:20", "02 12:30", "02 12:40"}},
	} {
		t.Run(name, func(t *testing.T) {
			var now func() time.Time
			var tried []string
			e := schedule.Entry{Name: "entry", Clock: clock(t, tc.spec), Last: never}
			e.Run = func(context.Context, time.Time) schedule.Outcome {
				if tried = append(tried, now().UTC().Format("02 15:04")); len(tried) <= tc.fails {
					return tc.becomes
				}
				return schedule.Done
			}
			playing(t, tc.from, tc.to, &now, e)
			if !slices.Equal(tried, tc.want) {
				t.Errorf("tried at %v, want %v", tried, tc.want)
			}
		})
	}
}

// What was missed is asked of a ledger that could not be read until it can; the
// moments of the time in between are not lost either.
func TestServiceAsksTheLedgerAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		last string
		want []string
	}{
		"three nights were missed": {"2026-11-01T01:30:00Z", []string{"04 12:07 04 01:30", "05 01:30 05 01:30"}},
		"an entry that never ran":  {"", []string{"05 01:30 05 01:30"}},
	} {
		t.Run(name, func(t *testing.T) {
			var now func() time.Time
			var tried []string
			asked := 0
			e := schedule.Entry{Name: "nightly", Clock: clock(t, "30 2 * * *")}
			e.Last = func(ctx context.Context, _ time.Time) (time.Time, bool, error) {
				if asked++; asked <= 3 {
					return time.Time{}, false, errors.New("down")
				}
				if tc.last == "" {
					return never(ctx, time.Time{})
				}
				return at(t, tc.last), true, nil
			}
			e.Run = func(_ context.Context, slot time.Time) schedule.Outcome {
				tried = append(tried, now().UTC().Format("02 15:04")+" "+slot.UTC().Format("02 15:04"))
				return schedule.Done
			}
			playing(t, "2026-11-04T12:00:00Z", "2026-11-05T12:00:00Z", &now, e)
			if !slices.Equal(tried, tc.want) {
				t.Errorf("tried %v, want %v", tried, tc.want)
			}
		})
	}
}

// A clock that was ahead and is set back keeps no entry silent until the time comes
// again: what it did is asked of the ledger, up to now.
func TestServiceSurvivesAClockThatWasAhead(t *testing.T) {
	var s *service
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s = &service{now: at(t, "2027-11-02T12:05:00Z")}
	entry := schedule.Entry{Name: "carts", Clock: clock(t, "*/10 * * * *")}
	entry.Last = func(_ context.Context, upTo time.Time) (time.Time, bool, error) {
		return at(t, "2026-11-02T11:50:00Z"), true, nil
	}
	entry.Run = func(_ context.Context, slot time.Time) schedule.Outcome {
		if s.runs = append(s.runs, slot.Format("2006 15:04")); len(s.runs) == 2 {
			s.now = at(t, "2026-11-02T12:05:00Z") // a year earlier
		}
		if len(s.runs) == 4 {
			cancel()
		}
		return schedule.Done
	}
	s.Service = schedule.Service{Entries: []schedule.Entry{entry}, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		Sleep: func(ctx context.Context, wake time.Time) bool { s.now = wake; return ctx.Err() == nil }}
	s.Serve(ctx)
	if want := []string{"2027 12:00", "2027 12:10", "2026 12:00", "2026 12:10"}; !slices.Equal(s.runs, want) {
		t.Errorf("ran %v, want %v", s.runs, want)
	}
}

// playing is played with the clock handed out.
func playing(t *testing.T, from, until string, now *func() time.Time, e schedule.Entry) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, end := &service{now: at(t, from)}, at(t, until)
	*now = func() time.Time { return s.now }
	s.Service = schedule.Service{Entries: []schedule.Entry{e}, Now: *now, Log: slog.New(slog.DiscardHandler),
		Sleep: func(ctx context.Context, wake time.Time) bool {
			if wake.After(end) {
				return false
			}
			s.now = wake
			return ctx.Err() == nil
		}}
	s.Serve(ctx)
}
