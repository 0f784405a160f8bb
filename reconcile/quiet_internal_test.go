package reconcile

import (
	"testing"
	"time"
)

// TestClosedDays: what is expected of a source that is closed at Christmas.
func TestClosedDays(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	e := Expectation{Closed: func(day time.Time, _ string) bool { return day.Format(time.DateOnly) == "2026-12-25" }}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"2026-12-25 00:00", "2026-12-26 02:30", true}, // the night after it
		{"2026-12-25 20:30", "2026-12-26 02:30", true}, // a run of the last hours
		{"2026-12-25 00:00", "2026-12-26 00:00", true},
		{"2026-12-24 00:00", "2026-12-26 02:30", false},
		{"2026-12-25 00:00", "2026-12-27 02:30", false},
		{"2026-12-26 00:00", "2026-12-26 02:30", false},
	} {
		if got := e.closedOver(Window{From: at(c.from), To: at(c.to)}, zone); got != c.want {
			t.Errorf("from %s to %s: %v", c.from, c.to, got)
		}
		if (Expectation{}).closedOver(Window{From: at(c.from), To: at(c.to)}, zone) {
			t.Errorf("from %s to %s: closed without a word", c.from, c.to)
		}
	}
	sundays := func(day time.Time, _ string) bool { return day.Weekday() == time.Sunday }
	for _, c := range []struct {
		newest, now string
		within      time.Duration
		closed      func(time.Time, string) bool
		want        bool
	}{
		{"2026-12-24 18:00", "2026-12-26 02:30", 6 * time.Hour, e.Closed, false}, // the night after it
		{"2026-12-24 18:00", "2026-12-26 10:00", 6 * time.Hour, e.Closed, true},  // business should have begun
		{"2026-12-24 18:00", "2026-12-27 10:00", 6 * time.Hour, e.Closed, true},
		{"2026-12-24 18:00", "2026-12-25 01:00", 6 * time.Hour, e.Closed, false},
		{"2026-12-24 16:00", "2026-12-24 23:00", 6 * time.Hour, e.Closed, true},
		{"2026-12-01 18:00", "2026-12-26 02:30", 6 * time.Hour, e.Closed, true},
		{"2026-12-01 12:00", "2026-12-21 12:00", 7 * 24 * time.Hour, sundays, true}, // a closed day each week drops no alarm
		{"2026-12-01 12:00", "2026-12-08 12:00", 7 * 24 * time.Hour, sundays, false},
		{"2026-12-04 18:00", "2026-12-07 12:00", 36 * time.Hour, sundays, false}, // over a weekend
		{"2020-01-01 00:00", "2026-12-07 12:00", 36 * time.Hour, sundays, true},
		{"2026-12-04 18:00", "2026-12-07 12:00", 36 * time.Hour, nil, true},
	} {
		if got := (Expectation{NewestWithin: c.within, Closed: c.closed}).tooOld(at(c.newest), at(c.now)); got != c.want {
			t.Errorf("the newest of %s at %s, within %s: %v", c.newest, c.now, c.within, got)
		}
	}
}
