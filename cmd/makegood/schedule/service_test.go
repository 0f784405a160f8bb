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
		e.Run = func(ctx context.Context, slot time.Time) {
			s.mu.Lock()
			s.runs = append(s.runs, slot.UTC().Format("02 15:04"))
			s.mu.Unlock()
			if ran != nil {
				ran(ctx, slot)
			}
		}
	}
	s.Serve(ctx)
	return s
}

func never(context.Context) (time.Time, bool, error) { return time.Time{}, false, nil }

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
				Last: func(context.Context) (time.Time, bool, error) { return last, tc.ended, tc.err }})
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
	entry.Run = func(_ context.Context, slot time.Time) {
		s.runs = append(s.runs, slot.Format("15:04"))
		if first {
			s.now, first = s.now.Add(35*time.Minute), false
		}
		if len(s.runs) == 3 {
			cancel()
		}
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
