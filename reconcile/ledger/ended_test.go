package ledger_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// TestEnded: runs that ended are listed, and found by how their ids begin;
// those that go on are not.
func TestEnded(t *testing.T) {
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "l.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if place == "" {
				place = postgres(t)
			}
			led := open(t, place, options())
			for _, run := range []reconcile.RunID{"0193-a", "0193-b", "0194-a"} {
				begin(t, led, run)
				if err := led.End(t.Context(), reconcile.RunEnd{Run: run, Summary: []byte(run)}); err != nil {
					t.Fatal(err)
				}
			}
			begin(t, led, "0195-alive")
			told := reconcile.RunRecord{Run: "0194-told", Command: ledger.CommandTold, Started: time.Now()}
			if err := errors.Join(led.Begin(t.Context(), told), led.End(t.Context(), reconcile.RunEnd{Run: told.Run, Finished: time.Now(), Summary: []byte("told")})); err != nil {
				t.Fatal(err)
			}
			if list, err := led.Told(t.Context(), time.Now().Add(time.Hour), 10); err != nil || len(list) != 1 || string(list[0].Summary) != "told" {
				t.Errorf("told: %+v, %v", list, err)
			}
			if list, err := led.Told(t.Context(), time.Now().Add(-time.Hour), 10); err != nil || len(list) != 0 {
				t.Errorf("told before it was: %+v, %v", list, err)
			}
			err := led.EndedIn(t.Context(), reconcile.Window{From: time.Unix(0, 0).Add(-time.Hour), To: time.Now().Add(100 * 365 * 24 * time.Hour)}, func(r ledger.LastRun) error {
				if r.Run == told.Run {
					t.Error("what was told counts as a run")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if all, err := led.Ended(t.Context(), 10); err != nil || len(all) != 3 || string(all[0].Summary) != string(all[0].Run) {
				t.Errorf("ended: %+v, %v", all, err)
			}
			for upTo, want := range map[string][]reconcile.RunID{
				"0193~": {"0193-b", "0193-a"}, "0193-a": {"0193-a"}, "0199": {"0194-a", "0193-b"}, "0": nil,
			} {
				list, err := led.EndedUpTo(t.Context(), upTo, 2)
				var got []reconcile.RunID
				for _, r := range list {
					got = append(got, r.Run)
				}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("up to %s: %v, want %v, %v", upTo, got, want, err)
				}
			}
			var met []reconcile.RunID
			worker := reconcile.RunRecord{Run: "0194-worker", Command: ledger.CommandWorker, Started: time.Now()}
			err = errors.Join(led.Begin(t.Context(), worker), led.End(t.Context(), reconcile.RunEnd{Run: worker.Run, Finished: time.Now(), Summary: []byte("part")}),
				led.EachEnded(t.Context(), time.Time{}, func(r ledger.LastRun) (bool, error) {
					met = append(met, r.Run)
					return false, nil
				}))
			if err != nil || len(met) != 3 || slices.Contains(met, worker.Run) {
				t.Errorf("met %v, %v", met, err)
			}
		})
	}
}
