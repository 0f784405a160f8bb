package schedule_test

import (
	"errors"
	"testing"
	"time"

	"makegood/cmd/makegood/schedule"
)

func amsterdam(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func clock(t *testing.T, spec string) schedule.Clock {
	t.Helper()
	c, err := schedule.Parse(spec, amsterdam(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// On 29 March 2026 the clocks of Amsterdam skip from 2 to 3, on 25 October they
// repeat the hour from 2 to 3.
func TestClockChanges(t *testing.T) {
	for name, tc := range map[string]struct {
		spec, from string
		want       []string
	}{
		"a night whose hour is skipped": {"30 2 * * *", "2026-03-28T00:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		"a night whose hour comes twice": {"30 2 * * *", "2026-10-24T00:00:00Z",
			[]string{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		"twice in the skipped hour is once": {"15,45 2 * * *", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z", "2026-03-30T00:45:00Z"}},
		"every half hour, skipped": {"*/30 * * * *", "2026-03-29T00:29:00Z",
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}},
		"every half hour, twice": {"*/30 * * * *", "2026-10-24T23:59:00Z",
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
		"after the change":   {"0 3 * * *", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"}},
		"@daily":             {"@daily", "2026-03-28T12:00:00Z", []string{"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}},
		"@hourly":            {"@hourly", "2026-10-25T00:10:00Z", []string{"2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"}},
		"once in four years": {"0 4 29 2 *", "2026-01-01T00:00:00Z", []string{"2028-02-29T03:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, now := clock(t, tc.spec), at(t, tc.from)
			for _, want := range tc.want {
				now = c.Next(now)
				if !now.Equal(at(t, want)) {
					t.Fatalf("next is %s, want %s", now.Format(time.RFC3339), want)
				}
				if due := c.Due(now); !due.Equal(now) {
					t.Errorf("due at %s is %s", now, due)
				}
				if due := c.Due(now.Add(59 * time.Second)); !due.Equal(now) {
					t.Errorf("due a little after %s is %s", now, due)
				}
			}
		})
	}
}

// Over ten years and in zones with odd changes each moment is due once, in order,
// and a nightly entry comes once each calendar day.
func TestEveryNightOnce(t *testing.T) {
	for _, name := range []string{"Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range []string{"30 2 * * *", "0 0 * * *", "45 1 * * *", "59 23 * * *"} {
			c, err := schedule.Parse(spec, zone)
			if err != nil {
				t.Fatal(err)
			}
			now, n := time.Date(2020, 1, 1, 23, 59, 30, 0, zone), 0
			for day := now.AddDate(0, 0, 1); day.Year() < 2030; day = day.AddDate(0, 0, 1) {
				next := c.Next(now)
				if got := next.In(zone).Format(time.DateOnly); got != day.Format(time.DateOnly) || !next.After(now) {
					t.Fatalf("%s, %s: after %s comes %s, want %s", name, spec, now, next.In(zone), day.Format(time.DateOnly))
				}
				now = next
				n++
			}
			if n < 3650 {
				t.Errorf("%d nights", n)
			}
		}
	}
}

func TestDueOfLongAgo(t *testing.T) {
	if due := clock(t, "0 4 29 2 *").Due(at(t, "2027-06-01T00:00:00Z")); !due.Equal(at(t, "2024-02-29T03:00:00Z")) {
		t.Errorf("due is %s", due)
	}
	if due := clock(t, "*/10 * * * *").Due(at(t, "2026-11-21T10:19:59Z")); !due.Equal(at(t, "2026-11-21T10:10:00Z")) {
		t.Errorf("due is %s", due)
	}
}

func TestWhatNeverComes(t *testing.T) {
	for _, spec := range []string{"0 4 30 2 *", "0 4 31 4,6 *"} {
		if _, err := schedule.Parse(spec, time.UTC); !errors.Is(err, schedule.ErrNever) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, spec := range []string{"", "61 * * * *", "* * * *", "every day"} {
		if _, err := schedule.Parse(spec, time.UTC); err == nil {
			t.Errorf("%q was read", spec)
		}
	}
}
