package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// TestServeTriesAgainSoon: a night whose run could not begin, or failed, is tried
// again within minutes, not the next night. The log and the notices say so, and
// each moment has one run that did its work.
func TestServeTriesAgainSoon(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	check(t, err)
	from := time.Date(2026, 11, 2, 0, 0, 0, 0, zone)
	at := func(days, hour, minute int) time.Time {
		return from.AddDate(0, 0, days).Add(time.Duration(hour*60+minute) * time.Minute)
	}
	for name, where := range map[string]string{"the ledger is gone": "makegood.db", "the source is down": "shop.db", "state_dir is no folder": ".makegood"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &noticed{nightsOf(t, from, 4), listen()}
			t.Cleanup(s.place.Close)
			s.conf["ledger"] = "makegood.db"
			s.conf["notify"] = fields{"to": fields{"desk": fields{"type": "slack", "url": s.place.URL + "/desk"}}}
			s.serveUntil(at(0, 13, 0), at(1, 13, 0))
			s.wantsCount(1)
			s.heard()
			is, put := filepath.Join(s.dir, where), filepath.Join(s.dir, "elsewhere")
			broken, mended, heard := false, false, ""
			log := s.serveUntil(at(1, 14, 0), at(2, 3, 0), func(now time.Time) {
				switch {
				case !broken:
					check(t, os.Rename(is, put))
					if where == ".makegood" {
						check(t, os.WriteFile(is, nil, 0o600))
					}
					broken = true
				case !mended && now.After(at(2, 2, 40)):
					heard = s.heard()
					check(t, os.RemoveAll(is))
					check(t, os.Rename(put, is))
					mended = true
				}
			})
			s.wantsCount(2)
			if n := strings.Count(log, "it is tried again"); n != 4 || !strings.Contains(log, "again=2026-11-04T01:45:00Z") {
				t.Errorf("%d trials\n%s", n, log)
			}
			if n := strings.Count(heard, "A person is needed: "); n != 1 {
				t.Errorf("it was told %d times\n%s", n, heard)
			}
			s.contains(s.heard(), "Well again")
			s.serveUntil(at(2, 4, 0), at(2, 5, 0))
			if got := s.serveUntil(at(2, 4, 0), at(2, 5, 0)); strings.Contains(got, "has been sent") {
				t.Errorf("it ran again\n%s", got)
			}
		})
	}
}

// TestServeOverAClockChange: a service that runs while the clocks change makes one
// run for that night, also where its hour is skipped or comes twice, and skips and
// repeats nothing of an entry of every half hour beside it. Both send to one
// destination, at the same minutes, and each order goes once.
func TestServeOverAClockChange(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	check(t, err)
	for name, tc := range map[string]struct {
		from   time.Time
		nights []string
		often  int // moments of the entry of every half hour
	}{
		"in spring": {time.Date(2026, 3, 28, 0, 0, 0, 0, zone), []string{"2026-03-30T00:30:00Z", "2026-03-29T01:00:00Z"}, 2*(48-1) + 1},
		"in autumn": {time.Date(2026, 10, 24, 0, 0, 0, 0, zone), []string{"2026-10-26T01:30:00Z", "2026-10-25T00:30:00Z"}, 2*(48+1) + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := nightsOf(t, tc.from, 2)
			s.scheduled(fields{"name": "nightly", "cron": "30 2 * * *"}, fields{"name": "often", "cron": "*/30 * * * *", "lookback": "6h"})
			noon := func(days int) time.Time {
				return time.Date(tc.from.Year(), tc.from.Month(), tc.from.Day()+days, 11, 45, 0, 0, zone)
			}
			if log := s.serveUntil(noon(0), noon(2).Add(15*time.Minute)); strings.Contains(log, "exit=3") || strings.Contains(log, "tried again") {
				t.Errorf("a run failed\n%s", log)
			}
			s.wantsCount(2)
			if got := s.moments("nightly"); !slices.Equal(got, tc.nights) {
				t.Errorf("nights %v, want %v", got, tc.nights)
			}
			if got := s.moments("often"); len(got) != tc.often {
				t.Errorf("%d runs of every half hour, want %d: %v", len(got), tc.often, got)
			}
		})
	}
}

// moments lists for which moments an entry had a run, the newest first.
func (s *shop) moments(schedule string) (list []string) {
	s.Helper()
	a := &app{env: os.LookupEnv, io: stdio{err: &strings.Builder{}}, clock: time.Now, file: s.file(), logFormat: logAuto, logLevel: "info"}
	check(s.T, a.startLog())
	check(s.T, a.pastRuns(s.Context(), func(led *ledger.Reader, _ *time.Location) error {
		made, err := led.Slots(s.Context(), schedule, reconcile.Window{To: time.Now().AddDate(10, 0, 0)}, 10_000)
		for _, one := range made {
			list = append(list, one.Slot.Format(time.RFC3339))
		}
		return err
	}))
	return list
}
