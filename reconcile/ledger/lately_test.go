package ledger_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"makegood/reconcile"
)

// TestSentLately: what was accepted in the last minute is counted by target, also
// behind more transactions than are looked at in one step; what was not accepted,
// or earlier, is not.
func TestSentLately(t *testing.T) {
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "l.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if place == "" {
				place = postgres(t)
			}
			o := options()
			ago := time.Duration(0)
			o.Clock = func() time.Time { return time.Now().Add(-ago) }
			led := open(t, place, o)
			begin(t, led, "a-run")
			n := 0
			settle := func(target string, verdict reconcile.Verdict, times int) {
				t.Helper()
				for range times {
					n++
					e := event(fmt.Sprint(n))
					if _, _, err := led.Claim(t.Context(), target, "a-run", []reconcile.Ticket{{Event: e}}); err != nil {
						t.Fatal(err)
					}
					if _, err := led.Settle(t.Context(), target, "a-run", []reconcile.Outcome{{ID: e.ID, Version: 1, Verdict: verdict}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			is := func(want map[string]int) {
				t.Helper()
				if got, err := led.SentLately(t.Context(), time.Minute); err != nil || !maps.Equal(got, want) {
					t.Errorf("sent lately: %v, %v; want %v", got, err, want)
				}
			}
			is(map[string]int{})
			ago = 2 * time.Minute
			settle("activate", reconcile.Sent, 3)
			ago = 0
			is(map[string]int{})
			settle("activate", reconcile.Sent, 20)
			settle("activate", reconcile.Rejected, 2)
			settle("collect", reconcile.Sent, 1)
			is(map[string]int{"activate": 20, "collect": 1})
		})
	}
}
