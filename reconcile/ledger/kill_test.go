package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// childEnv makes this test binary a process that claims until it is killed.
const childEnv = "MAKEGOOD_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := claimForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// claimForever prints each event once its claim is durable, and settles every
// second one.
func claimForever(path string) error {
	ctx := context.Background()
	led, err := ledger.Open(ctx, path, options())
	if err != nil {
		return err
	}
	run := reconcile.RunID("child-" + fmt.Sprint(os.Getpid()))
	if err := led.Begin(ctx, reconcile.RunRecord{Run: run, Started: noon}); err != nil {
		return err
	}
	for n := 0; ; n++ {
		e := event(fmt.Sprintf("%s-%d", run, n))
		if _, _, err := led.Claim(ctx, "activate", run, []reconcile.Ticket{{Event: e}}); err != nil {
			return err
		}
		fmt.Println("claimed", e.Shown)
		if n%2 == 0 {
			continue
		}
		sent := reconcile.Outcome{ID: e.ID, Version: 1, Verdict: reconcile.Sent}
		if _, err := led.Settle(ctx, "activate", run, []reconcile.Outcome{sent}); err != nil {
			return err
		}
		fmt.Println("settled", e.Shown)
	}
}

// child is a process that claims.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	said  map[string]string // order: the last word about it
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &child{cmd: cmd, lines: bufio.NewScanner(out), said: map[string]string{}}
}

// listen reads at most n lines.
func (c *child) listen(n int) {
	for ; n > 0 && c.lines.Scan(); n-- {
		if word, order, ok := strings.Cut(c.lines.Text(), " "); ok {
			c.said[order] = word
		}
	}
}

// kill ends the process by SIGKILL and reads what it had said until then.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.listen(1 << 30)
	if err := c.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was not killed: %v", err)
	}
}

// TestKilled kills processes while they claim: what they said is in the
// ledger, their open claims read as lost at once, and the next run takes them.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	for round := range 4 {
		c := startChild(t, path)
		c.listen(20 + 37*round)
		if round%2 == 0 { // else the reader comes first to what the crash left
			checkNoneLost(t, path)
		}
		c.kill(t)
		r, err := ledger.OpenReader(t.Context(), path, options())
		if err != nil {
			t.Fatal(err)
		}
		checkSaid(t, r, c.said)
		_ = r.Close()
		live := open(t, path, options())
		takeLost(t, live, reconcile.RunID(fmt.Sprintf("parent-%d", round)))
		_ = live.Close()
	}
}

func checkNoneLost(t *testing.T, path string) {
	t.Helper()
	live := open(t, path, options())
	if _, n, err := live.Lost(t.Context(), "activate", 1); n != 0 || err != nil {
		t.Errorf("%d claims of a live process are lost, %v", n, err)
	}
	if err := live.Close(); err != nil {
		t.Error(err)
	}
}

func checkSaid(t *testing.T, r reconcile.Reader, said map[string]string) {
	t.Helper()
	if len(said) == 0 {
		t.Error("the child said nothing")
	}
	for order, word := range said {
		e := find(t, r, order)
		switch {
		case word == "settled" && e.State != reconcile.StateDone:
			t.Errorf("%s was settled and is %q", order, e.State)
		case e.State == reconcile.StateDoubtful && !e.Lost, e.State == reconcile.StateClaimed, e.Version == 0:
			t.Errorf("%s was claimed and is %+v", order, e)
		}
	}
}

// takeLost claims and settles everything that dead runs left.
func takeLost(t *testing.T, led *ledger.Store, run reconcile.RunID) {
	t.Helper()
	begin(t, led, run)
	lost, n, err := led.Lost(t.Context(), "activate", 10000)
	if err != nil || n == 0 || n != len(lost) {
		t.Fatalf("%d lost, %d listed, %v", n, len(lost), err)
	}
	for _, e := range lost {
		order := strings.TrimPrefix(string(e.ID), "purchase/main/")
		if taken := claim(t, led, run, e.Version, order); len(taken) != 1 {
			t.Errorf("the lost claim of %s was not taken", e.ID)
		}
		sent := reconcile.Outcome{ID: e.ID, Version: e.Version + 1, Verdict: reconcile.Sent}
		if _, err := led.Settle(t.Context(), "activate", run, []reconcile.Outcome{sent}); err != nil {
			t.Error(err)
		}
		if got := find(t, led, order); got.State != reconcile.StateDone || got.Attempts != 2 {
			t.Errorf("%s is %q after %d attempts, want done after 2", e.ID, got.State, got.Attempts)
		}
	}
	if _, n, err := led.Lost(t.Context(), "activate", 1); n != 0 || err != nil {
		t.Errorf("%d are still lost, %v", n, err)
	}
	if err := led.End(t.Context(), reconcile.RunEnd{Run: run, Finished: noon}); err != nil {
		t.Error(err)
	}
}

// clock is a wall clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestSilentRun: a run that holds its lock but beats no more is dead, for
// others and for itself, and stays dead when it wakes up.
func TestSilentRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	mine, theirs := &clock{now: noon}, &clock{now: noon}
	sleepy := options()
	sleepy.Clock, sleepy.Beat = mine.Now, time.Hour
	led := open(t, path, sleepy)
	begin(t, led, "sleepy")
	claim(t, led, "sleepy", 0, "1")

	o := options()
	o.Clock = theirs.Now
	other := open(t, path, o)
	begin(t, other, "other")
	theirs.add(ledger.DefaultDead)
	if e := find(t, other, "1"); e.State != reconcile.StateClaimed {
		t.Errorf("at the limit the claim reads as %q", e.State)
	}
	theirs.add(time.Microsecond)
	if e := find(t, other, "1"); e.State != reconcile.StateDoubtful || !e.Lost {
		t.Errorf("past the limit the claim reads as %q", e.State)
	}
	mine.add(ledger.DefaultDead - 10*time.Second)
	if !led.Alive("sleepy", 10*time.Second) || led.Alive("sleepy", 11*time.Second) {
		t.Error("a beat 110 s ago leaves 10 s")
	}
	mine.add(11 * time.Second)
	if led.Alive("sleepy", 0) {
		t.Error("a run that others take for dead calls itself alive")
	}
	if _, _, err := led.Claim(t.Context(), "activate", "sleepy", nil); err == nil {
		t.Error("a run that others take for dead may claim")
	}
	e := event("1")
	if _, err := led.Settle(t.Context(), "activate", "sleepy", []reconcile.Outcome{{ID: e.ID, Version: 1, Verdict: reconcile.Sent}}); err != nil {
		t.Errorf("a late answer was not taken: %v", err)
	}
	if got := find(t, other, "1"); got.State != reconcile.StateDone {
		t.Errorf("the late answer left the entry %q", got.State)
	}
}
