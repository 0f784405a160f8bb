package main

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"makegood/cmd/makegood/workers"
	"makegood/sinks/simulator"
)

// after gives a channel that is closed when the platform has accepted so many.
func (m *marketplace) after(n int64) <-chan struct{} {
	reached, accepted := make(chan struct{}), new(atomic.Int64)
	m.sim.OnAccept(func(simulator.Accepted) {
		if accepted.Add(1) == n {
			close(reached)
		}
	})
	return reached
}

// TestWorkersCancelled: what was not begun is taken out of the queue, before
// anybody works and while they do; what was begun goes on to its end, and the next
// backfill sends the rest.
func TestWorkersCancelled(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 40, nil)
	cancel := func() string {
		t.Helper()
		code, out, errs := makegood(t, "backfill", "--workers", "--cancel", "-c", m.config())
		if code != exitDone {
			t.Errorf("--cancel: exit %d\n%s%s", code, out, errs)
		}
		return out
	}
	m.start("worker", "--only", "send")
	m.until("one works", func(w workersJSON) bool { return w.alive() == 1 })
	m.asks()
	told := m.until("nobody plans", func(w workersJSON) bool { return w.stuck(snagIdle) != nil })
	if all := sum(told.Slices); told.Slices[workers.Waiting]+told.Slices[workers.Queued] != all || !slices.Equal(told.Idle, []string{workers.KindPlan}) {
		t.Errorf("a worker that only sends: %+v", told)
	}
	if out := cancel(); !strings.Contains(out, counted(sum(told.Slices), "slice")+" taken out") {
		t.Errorf("before: %s", out)
	}
	told = m.until("nothing waits", func(w workersJSON) bool { return w.Slices[workers.Cancelled] == sum(w.Slices) })
	if len(told.Stuck) > 0 {
		t.Errorf("what a person took out is stuck: %+v", told.Stuck)
	}
	before := sum(told.Slices)
	m.asks("--slice", "1h") // far more than are planned by the time it is cancelled
	planner := m.start("worker", "--only", "plan", "--parallel", "1")
	m.until("some are planned", func(w workersJSON) bool { return w.Slices[workers.Sending]+w.Slices[workers.Done] > 0 })
	if out := cancel(); strings.HasPrefix(out, "0 slices") {
		t.Errorf("while they work: %s", out)
	}
	told = m.until("what was begun is done", func(w workersJSON) bool { return w.Slices[workers.Cancelled]+w.Slices[workers.Done] == sum(w.Slices) })
	if told.Slices[workers.Done] == 0 || told.Slices[workers.Cancelled] <= before {
		t.Errorf("in the end: %+v", told.Slices)
	}
	check(t, planner.Process.Signal(syscall.SIGTERM))
	<-planner.over
	if planner.err != nil {
		t.Errorf("SIGTERM: %v", planner.err)
	}
	m.start("worker")
	b := m.backfilled(exitDone, "--workers").Targets[0].Balance
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 40 || totals.Repeats != 0 || b.Eligible.Events != 40 || !b.Holds {
		t.Errorf("the next backfill: %+v, the platform holds %+v", b, totals)
	}
}

// TestWorkersToldToEnd: a worker that is told to end in the middle of sending
// finishes what is in flight and gives the rest back: nothing is in doubt, and
// another one goes on, also where repeats count.
func TestWorkersToldToEnd(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 60, fields{"merges_repeats": false, "send": []string{"purchase"}, "concurrency": 2})
	setFaults(t, m.sim, "slow=50ms")
	reached := m.after(7)
	follower := m.start(append([]string{"backfill", "--workers", "--json"}, append(lastWeek(), "--slice", "30d")...)...)
	first := m.start("worker", "--name", "first")
	<-reached
	check(t, first.Process.Signal(syscall.SIGTERM))
	<-first.over
	if first.err != nil {
		t.Errorf("SIGTERM: %v", first.err)
	}
	told := m.until("it has left", func(w workersJSON) bool { return len(w.Workers) == 0 })
	if got := int(m.sim.Counts().Platforms["squeezely"].Orders); got < 7 || got == 60 || told.Parts != 1 || told.Lanes[0].AtWork != 0 {
		t.Errorf("%d were sent when it had ended: %+v", got, told)
	}
	_, out, _ := makegood(t, "status", "--json", "-c", m.config())
	if !strings.Contains(out, `"in_doubt": 0,`) {
		t.Errorf("something is in doubt: %s", out)
	}
	setFaults(t, m.sim)
	m.start("worker", "--name", "second")
	<-follower.over
	text := follower.said.String()
	var got backfillReport
	if err := json.Unmarshal([]byte(text[max(0, strings.Index(text, "{\n")):]), &got); err != nil || !got.Targets[0].Balance.Holds || got.Targets[0].Balance.Sent.Events != 60 {
		t.Errorf("one report: %v\n%s", err, text)
	}
	if totals := m.sim.Counts().Platforms["squeezely"]; totals.Orders != 60 || totals.Repeats != 0 || len(m.sim.Requests()) != 60 {
		t.Errorf("the platform holds %+v after %d requests", totals, len(m.sim.Requests()))
	}
}

// TestWorkersAndABudget: what one run may send to a destination is in one part,
// which one worker carries out; where that worker is killed, no other sends the
// rest, the report says why, and the same command goes on.
func TestWorkersAndABudget(t *testing.T) {
	t.Parallel()
	m := newMarketplace(t, 60, fields{"budget": fields{"orders": 25}, "merges_repeats": false, "send": []string{"purchase"}, "concurrency": 1})
	setFaults(t, m.sim, "slow=50ms")
	reached := m.after(5)
	follower := m.start(append([]string{"backfill", "--workers"}, append(lastWeek(), "--slice", "30d")...)...)
	first := m.start("worker", "--name", "first", "--parallel", "4")
	<-reached
	var parts, once int
	m.queue(&parts, `SELECT count(*) FROM parts`)
	m.queue(&once, `SELECT count(*) FROM parts WHERE once`)
	if parts != 1 || once != 1 {
		t.Errorf("there are %d parts, %d of them for one run", parts, once)
	}
	check(t, first.Process.Kill())
	<-first.over
	setFaults(t, m.sim)
	m.start("worker", "--name", "second")
	<-follower.over
	got := m.sim.Counts().Platforms["squeezely"].Orders
	if got < 5 || got > 25 || !strings.Contains(follower.said.String(), "a worker that was sending ended early") {
		t.Errorf("%d were sent: %v\n%s", got, follower.err, follower.said.String())
	}
	told := m.until("it has ended", func(w workersJSON) bool { return w.stuck(workers.StuckEnded) != nil })
	if snag := told.stuck(workers.StuckEnded); !snag.PersonNeeded || !strings.HasPrefix(snag.Next.Command, "makegood backfill --workers --from ") {
		t.Errorf("status says %+v", snag)
	}
	b := m.backfilled(exitPerson, "--workers", "--slice", "30d").Targets[0].Balance
	if b.Sent.Events == 0 { // on a busy machine a run may lose its session; what it was to send stays for the next
		_, out, _ := makegood(t, "runs", "-c", m.config())
		t.Log(out)
		b = m.backfilled(exitPerson, "--workers", "--slice", "30d").Targets[0].Balance
	}
	now := m.sim.Counts().Platforms["squeezely"]
	if !b.Holds || b.Sent.Events != 25 || now.Orders != got+25 || now.Repeats != 0 {
		t.Errorf("the next one: %+v, the platform holds %+v", b, now)
	}
}
