package reconcile_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// timed is a ledger with nothing but its times.
type timed struct {
	reconcile.Reader
	newest, shared, last time.Time
}

func (l timed) Newest(context.Context) (time.Time, error) { return l.newest, nil }

func (l timed) SharedClock(context.Context) (now, last time.Time, err error) {
	return l.shared, l.last, nil
}

// TestCheckClock: where hosts share a ledger only the one whose clock is wrong is
// refused; a host of its own is refused when its clock has jumped back.
func TestCheckClock(t *testing.T) {
	after := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, test := range map[string]struct {
		ledger timed
		takes  time.Duration // to ask
		want   string
	}{
		"alone, at first":                 {},
		"alone":                           {ledger: timed{newest: after(5 * time.Second)}},
		"alone, it jumped back":           {ledger: timed{newest: after(6 * time.Second)}, want: "the ledger was written at 2026"},
		"many":                            {ledger: timed{newest: noon, shared: noon, last: noon}},
		"many, slightly apart":            {ledger: timed{newest: noon, shared: after(5 * time.Second), last: noon}},
		"many, behind":                    {ledger: timed{newest: noon, shared: after(90 * time.Second), last: noon}, want: "this machine's clock is 1m30s behind it: set it"},
		"many, ahead":                     {ledger: timed{newest: noon, shared: after(-6 * time.Second), last: noon}, want: "this machine's clock is 6s ahead of it: set it"},
		"many, the answer is slow":        {ledger: timed{newest: noon, shared: after(time.Second), last: noon}, takes: time.Minute},
		"many, behind and slow":           {ledger: timed{newest: noon, shared: after(time.Hour), last: noon}, takes: time.Minute, want: "59m0s behind"},
		"many, another host was wrong":    {ledger: timed{newest: after(time.Hour), shared: noon, last: noon}},
		"many, the database jumped back":  {ledger: timed{newest: after(time.Hour), shared: noon, last: after(time.Hour)}, want: "the ledger was written at 2026"},
		"many, it jumped back before now": {ledger: timed{newest: noon, shared: noon, last: after(time.Hour)}},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			clock := func() time.Time { defer func() { now = now.Add(test.takes) }(); return now }
			err := reconcile.CheckClock(t.Context(), test.ledger, clock, false)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "--clock-is-right")) {
				t.Errorf("%v; want %q", err, test.want)
			}
			if err := reconcile.CheckClock(t.Context(), test.ledger, clock, true); err != nil {
				t.Errorf("on a person's word: %v", err)
			}
		})
	}
}
