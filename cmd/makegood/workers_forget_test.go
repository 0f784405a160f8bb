package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"makegood/cmd/makegood/workers"
)

// TestForgetInTheQueue: whoever is forgotten on one machine is erased from the
// plans that wait in the queue, and no worker of another machine sends anything
// about them.
func TestForgetInTheQueue(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 60, nil)
	for range 2 { // before there is a queue; said twice it is the same
		if code, _, errs := makegood(t, "forget", "--email", "p9@example.com", "-c", filepath.Join(m.dir, "makegood.yaml")); code != exitDone {
			t.Fatalf("exit %d\n%s", code, errs)
		}
	}
	m.start("worker", "--only", "plan", "--parallel", "2")
	m.asks()
	m.until("plans wait", func(w workersJSON) bool {
		return w.Slices[workers.Sending] > 10 && w.Slices[workers.Sending] == sum(w.Slices)-w.Slices[workers.Done]
	})
	elsewhere := m.host()
	forget := func(want string) {
		t.Helper()
		code, out, errs := makegood(t, "forget", "--email", "p7@example.com", "-c", filepath.Join(elsewhere, "makegood.yaml"))
		if code != exitDone || !strings.Contains(out, "All workers know. The plans of "+want+" in the queue named them") {
			t.Errorf("forget: exit %d, want %s\n%s%s", code, want, out, errs)
		}
	}
	forget("1 slice")
	m.until("it is planned anew", func(w workersJSON) bool { return w.Slices[workers.Queued] == 0 })
	forget("0 slices")
	known, err := os.ReadFile(filepath.Join(m.dir, ".makegood", forgottenFile))
	if err != nil || strings.Count(string(known), "\n") != 2 || strings.Contains(string(known), "@") {
		t.Errorf("the first machine knows %q, %v", known, err)
	}
	m.startAt(elsewhere, "worker", "--new-host", "--only", "send", "--parallel", "2")
	m.until("all is sent", func(w workersJSON) bool { return w.Slices[workers.Done] == sum(w.Slices) })
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 58 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	for _, r := range m.sim.Requests() {
		if slices.Contains(r.Orders, "7") || slices.Contains(r.Orders, "9") {
			t.Errorf("the platform was told of them: %v", r)
		}
	}
	if there, err := os.ReadFile(filepath.Join(elsewhere, ".makegood", forgottenFile)); err != nil || strings.Count(string(there), "\n") != 2 {
		t.Errorf("the second machine knows %q, %v", there, err)
	}
	if left, _ := filepath.Glob(filepath.Join(elsewhere, ".makegood", "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
