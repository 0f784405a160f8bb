package sources_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"makegood/config"
	"makegood/sources"
)

// TestStableFor lets files of different ages be read, by a clock of its own.
func TestStableFor(t *testing.T) {
	const never = -1
	for name, c := range map[string]struct {
		age     time.Duration   // when the source is read
		changes []time.Duration // afterwards
		waits   time.Duration   // never: it is given up
	}{
		"old":                                 {time.Minute, nil, 0},
		"young":                               {50 * time.Second, nil, 10 * time.Second},
		"written on":                          {50 * time.Second, []time.Duration{5 * time.Second}, 65 * time.Second},
		"by a clock that is an hour ahead":    {-time.Hour, nil, time.Minute},
		"that clock, and written on":          {-time.Hour, []time.Duration{30 * time.Second}, 2 * time.Minute},
		"written all the time":                {0, []time.Duration{30 * time.Second, 80 * time.Second, 110 * time.Second}, never},
		"written until it is nearly too late": {0, []time.Duration{59 * time.Second}, 119 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "orders.csv", header+"1,a,x,1,2011-01-02 10:00,1,\n")
			cfg := retail(t, path)
			cfg.StableFor = config.Duration(time.Minute)
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				touch(t, path, begin.Add(-c.age))
				for _, after := range c.changes {
					time.AfterFunc(after, func() { touch(t, path, time.Now().Add(-min(c.age, 0))) })
				}
				var told []string
				err := fail(t, sources.Opener{Waiting: func(source, file string, _ time.Duration) { told = append(told, source+" "+file) }}, cfg)
				waited := time.Since(begin)
				if c.waits == never {
					if !errors.Is(err, sources.ErrGrowing) || !strings.Contains(err.Error(), "orders.csv") || waited > 2*time.Minute {
						t.Errorf("after %s: %v", waited, err)
					}
					return
				}
				if err != nil || waited != c.waits {
					t.Errorf("waited %s, want %s: %v", waited, c.waits, err)
				}
				if (len(told) > 0) != (c.waits > 0) || len(told) > 0 && told[0] != "shop orders.csv" {
					t.Errorf("said %q", told)
				}
			})
		})
	}
}

func touch(t *testing.T, path string, at time.Time) {
	if err := os.Chtimes(path, at, at); err != nil {
		t.Error(err)
	}
}

// TestWaitingEnds: who waits for a file can be stopped.
func TestWaitingEnds(t *testing.T) {
	path := write(t, t.TempDir(), "orders.csv", header)
	cfg := retail(t, path)
	cfg.StableFor = config.Duration(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		touch(t, path, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := open(t, cfg)
		var last error
		for _, last = range s.Heads(ctx, retailWindow) {
		}
		if !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("gave %v", last)
		}
	})
}
