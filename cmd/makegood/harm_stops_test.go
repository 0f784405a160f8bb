package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// manyTickets writes n tickets of the last hours.
func (s *shop) manyTickets(n int) {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,%s,visitor%d@example.com,MUG,1,5", 10000+i, ago(time.Duration(1+i%600)*time.Minute), i)
	}
	s.orders("tills", rows...)
}

// onePurchaseEach wants every one of n tickets at Collect, none of them twice.
func (s *shop) onePurchaseEach(n int) {
	s.Helper()
	s.conversions()
	if p := s.sim.Counts().Platforms["collect"]; int(p.Orders) != n || p.Repeats != 0 {
		s.Errorf("Collect holds %d purchases, %d of them twice; want %d", p.Orders, p.Repeats, n)
	}
}

// accepted is closed when the platforms have accepted n messages.
func (s *shop) accepted(n int) <-chan struct{} {
	enough := make(chan struct{})
	var mu sync.Mutex
	s.sim.OnAccept(func(simulator.Accepted) {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			close(enough)
		}
	})
	return enough
}

func TestHarmInterruptedWhileSending(t *testing.T) {
	for name, c := range map[string]struct {
		kind string
		by   os.Signal
	}{
		"squeezely by a person":   {"squeezely", os.Interrupt},
		"squeezely by the system": {"squeezely", syscall.SIGTERM},
		"collect by a person":     {"collect", os.Interrupt},
		"collect by the system":   {"collect", syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const orders = 150
			kind := c.kind
			s := newShop(t, "delay=30ms")
			s.tills("tills", nil)
			if kind == "collect" {
				s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "concurrency": 2})
			} else {
				s.activate("stores", fields{"concurrency": 2})
			}
			s.manyTickets(orders)
			cmd := play(t, "run", "--json", "-c", s.file())
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			enough := s.accepted(5)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			over := make(chan error, 1)
			go func() { over <- cmd.Wait() }()
			select {
			case <-enough:
			case err := <-over:
				t.Fatalf("the run ended too early: %v\n%s", err, errs.String())
			}
			asked := time.Now()
			if err := cmd.Process.Signal(c.by); err != nil {
				t.Fatal(err)
			}
			<-over
			if took := time.Since(asked); took > 5*time.Second {
				t.Errorf("it took %s to stop", took)
			}
			if code := cmd.ProcessState.ExitCode(); code != exitLeft {
				t.Errorf("exit %d, want %d\n%s", code, exitLeft, errs.String())
			}
			s.interrupted(out.String(), kind, orders)
			s.sim.OnAccept(nil)
			setFaults(t, s.sim)
			s.run(exitDone)
			if p := s.sim.Counts().Platforms[kind]; p.Orders != orders || p.Repeats != 0 {
				t.Errorf("the platform holds %+v", p)
			}
		})
	}
}

// TestHarmInterruptedWhilePlanning: nothing was sent, nothing is claimed, and
// the next run does it all.
func TestHarmInterruptedWhilePlanning(t *testing.T) {
	for _, command := range []string{"run", "plan"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			const orders = 20
			s := newShop(t)
			s.tills("tills", fields{"stable_for": "10min"}) // so that it waits while it reads
			s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
			s.manyTickets(orders)
			cmd := play(t, command, "--json", "-c", s.file())
			said, err := cmd.StderrPipe()
			check(t, err)
			check(t, cmd.Start())
			lines := bufio.NewScanner(said)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "waiting") {
					break
				}
			}
			check(t, cmd.Process.Signal(syscall.SIGTERM))
			var rest strings.Builder
			for lines.Scan() {
				rest.WriteString(lines.Text())
			}
			_ = cmd.Wait() // its exit code is looked at
			if code := cmd.ProcessState.ExitCode(); code != exitLeft {
				t.Errorf("exit %d, want %d", code, exitLeft)
			}
			s.contains(rest.String(), "the same command goes on from here")
			if s.requests() != 0 {
				t.Error("something was sent")
			}
			s.noRemains()
			s.tills("tills", nil)
			s.wants(s.run(exitDone), "stores", fmt.Sprintf("sent %d", orders))
			s.onePurchaseEach(orders)
		})
	}
}

// interrupted checks what a run that was interrupted leaves and says.
func (s *shop) interrupted(out, kind string, orders int) {
	s.Helper()
	b := readReport(s.T, out).balance(s.T, "stores")
	accepted := int(s.sim.Counts().Platforms[kind].Accepted)
	if b.Sent.Events != accepted || b.Left.Events != orders-accepted || accepted >= orders {
		s.Errorf("%d were accepted of %d; the report says %+v", accepted, orders, b)
	}
	if n := s.entries("state NOT IN ('done', 'open') OR state = 'open' AND attempts > 0"); n != 0 {
		s.Errorf("%d entries are neither done nor given back", n)
	}
	if n := s.entries("state = 'done'"); n != accepted {
		s.Errorf("%d entries are done, %d were accepted", n, accepted)
	}
	s.noRemains()
}

// noRemains wants nothing in state_dir that a finished run needs no more.
func (s *shop) noRemains() {
	s.Helper()
	for _, pattern := range []string{"plans/*", "*.tmp", "spill/*", "xlsx/*"} {
		found, err := filepath.Glob(filepath.Join(s.dir, ".makegood", pattern))
		if err != nil || len(found) > 0 {
			s.Errorf("there remain %v (%v)", found, err)
		}
	}
}

func TestHarmTwoRunsAtTheSameTime(t *testing.T) {
	for name, first := range map[string]bool{"on a ledger that is there": true, "on one that is not there yet": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const orders = 80
			s := newShop(t, "delay=5ms")
			s.tills("tills", nil)
			s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
			s.orders("tills", "1,2019-12-01 10:00:00,ann@example.com,MUG,1,5")
			if first {
				s.run(exitDone)
			}
			s.manyTickets(orders)
			config := s.file()
			var runs sync.WaitGroup
			sent := make([]int, 3)
			for i := range sent {
				runs.Go(func() { sent[i] = s.besides(config, first, orders) })
			}
			runs.Wait()
			if sum := sent[0] + sent[1] + sent[2]; sum != orders {
				t.Errorf("the runs sent %v, which is %d in all, want %d", sent, sum, orders)
			}
			s.onePurchaseEach(orders)
			s.run(exitDone)
			s.onePurchaseEach(orders)
		})
	}
}

// besides runs makegood beside others and tells how much it sent. Where the
// ledger is being made, a run may refuse, and sends nothing.
func (s *shop) besides(config string, there bool, orders int) int {
	code, out, errs := makegood(s.T, "run", "--json", "-c", config)
	if code == exitFailed && !there && out == "" {
		s.Logf("refused: %s", errs)
		return 0
	}
	if code != exitDone && code != exitLeft {
		s.Errorf("exit %d\n%s%s", code, errs, out)
		return 0
	}
	b := readReport(s.T, out).balance(s.T, "stores")
	if b.Eligible.Events != orders || b.InDoubt.Events != 0 || b.Refused.Events != 0 {
		s.Errorf("one run says %+v", b)
	}
	return b.Sent.Events
}

func TestHarmLedgerThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		make func(s *shop, path string)
		says string
	}{
		"its folder is not there": {func(s *shop, _ string) { s.conf["ledger"] = "gone/makegood.db" }, "gone"},
		"it is a folder":          {func(s *shop, path string) { check(s.T, os.Mkdir(path, 0o700)) }, "makegood.db"},
		"it is something else":    {func(s *shop, path string) { write(s.T, s.dir, "makegood.db", "id,paid,email\n1,2,3\n") }, "makegood.db"},
		"it is another database":  {func(s *shop, _ string) { s.database("makegood.db", "CREATE TABLE orders (id TEXT);") }, "makegood.db"},
		"it was cut off": {func(s *shop, path string) {
			s.orders("tills", "1,2019-12-01 10:00:00,ann@example.com,MUG,1,5")
			s.run(exitDone)
			s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			check(s.T, os.Truncate(path, 5000))
		}, "makegood.db"},
		"its state_dir is a file": {func(s *shop, _ string) { write(s.T, s.dir, ".makegood", "") }, "state_dir"},
		"the key is another one": {func(s *shop, _ string) {
			s.orders("tills", "1,2019-12-01 10:00:00,ann@example.com,MUG,1,5")
			s.run(exitDone)
			s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			write(s.T, s.dir, ".makegood/person.key", strings.Repeat("ab", 32)+"\n")
		}, "key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.tills("tills", nil)
			s.activate("activate", nil)
			s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			c.make(s, filepath.Join(s.dir, "makegood.db"))
			code, out, errs := makegood(t, "run", "-c", s.file())
			if code != exitFailed {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
			s.contains(errs+out, c.says)
			if s.requests() != 0 {
				t.Error("something was sent")
			}
		})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onDisk runs a shell script in a world of its own where the folder small is a
// disk; $MAKEGOOD starts makegood.
func (s *shop) onDisk(script string) string {
	s.Helper()
	small := filepath.Join(s.dir, "small")
	check(s.T, os.Mkdir(small, 0o700))
	cmd := play(s.T)
	cmd.Env = append(cmd.Env, "MAKEGOOD="+cmd.Path, "SMALL="+small, "CONFIG="+s.file())
	if out, err := ownWorld(cmd.Env, `mount -t tmpfs -o size=64k none "$SMALL"`); err != nil {
		s.Skipf("this system lends no disk of its own: %v\n%s", err, out)
	}
	out, err := ownWorld(cmd.Env, script)
	if err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	return out
}

func ownWorld(env []string, script string) (string, error) {
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestHarmDiskIsFull lets the disk of the ledger run full while sending. What
// cannot be written down is not sent.
func TestHarmDiskIsFull(t *testing.T) {
	t.Parallel()
	const orders = 1500
	s := newShop(t)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.conf["ledger"] = "small/makegood.db"
	s.manyTickets(orders)
	out := s.onDisk(`mount -t tmpfs -o size=700k none "$SMALL" || exit 1
"$MAKEGOOD" run -c "$CONFIG"; echo "FIRST $?"
mount -o remount,size=64m "$SMALL" || exit 1
"$MAKEGOOD" run -c "$CONFIG"; echo "SECOND $?"`)
	s.contains(out, fmt.Sprintf("FIRST %d", exitFailed))
	s.contains(out, "full")
	// What four workers had in their hands is in doubt, all else has gone once.
	if p := s.sim.Counts().Platforms["collect"]; p.Orders > orders || p.Orders < orders-4 || p.Repeats != 0 {
		t.Errorf("Collect holds %+v\n%s", p, out)
	}
	if first, _, _ := strings.Cut(out, "FIRST"); strings.Contains(first, "No one is needed") {
		t.Error("the first run is told as a success")
	}
}

func TestHarmFolderIsReadOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.tills("tills", nil)
	s.activate("activate", nil)
	s.conf["ledger"] = "small/makegood.db"
	s.orders("tills", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	out := s.onDisk(`mount -t tmpfs -o size=8m none "$SMALL" && mount -o remount,ro "$SMALL" || exit 1
"$MAKEGOOD" run -c "$CONFIG"; echo "FIRST $?"
mount -o remount,rw "$SMALL" && "$MAKEGOOD" run -c "$CONFIG" --to 2020-01-02 && mount -o remount,ro "$SMALL" || exit 1
"$MAKEGOOD" run -c "$CONFIG"; echo "SECOND $?"
"$MAKEGOOD" plan -c "$CONFIG"; echo "PLAN $?"`)
	for _, want := range []string{"FIRST 3", "SECOND 3", "read-only"} {
		s.contains(out, want)
	}
	if s.requests() != 0 {
		t.Error("something was sent")
	}
}
