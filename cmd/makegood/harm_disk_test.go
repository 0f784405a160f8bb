package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// confined runs makegood in a process of its own that has less freedom than
// others: name=value of largestVariable or userVariable.
func (s *shop) confined(limit string, args ...string) (code int, said string) {
	s.Helper()
	cmd := play(s.T, append(args, "-c", s.file())...)
	cmd.Env = append(cmd.Env, limit)
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), all.String()
}

// TestHarmNoRoomForAnyFile lets every file end at a size, from so small that
// not even a key can be written to so large that the ledger is full while it
// sends. Whatever cannot be written down is not sent, and the next night, with
// room again, sends what is missing and nothing twice.
func TestHarmNoRoomForAnyFile(t *testing.T) {
	if testing.Short() {
		t.Skip("many small disks take their time")
	}
	const orders = 150
	for kind, begun := range map[string]bool{"squeezely": false, "collect": true} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.tills("tills", nil)
			if s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil}); kind == "squeezely" {
				s.activate("stores", nil)
			}
			failed := 0
			for _, size := range sizes() {
				s.sim.Reset()
				s.fresh(begun)
				s.manyTickets(orders)
				failed += s.fullAt(size, kind, orders)
			}
			if failed < 10 {
				t.Errorf("only %d sizes were too small: this tests little", failed)
			}
		})
	}
}

// sizes are close together where the ledger is.
func sizes() []int {
	list := []int{16, 64, 128, 256, 2 << 10, 16 << 10}
	for size := 32 << 10; size < 1<<20; size += size / 4 {
		list = append(list, size)
	}
	return list
}

// fresh takes the ledger away, and begins a new one when that is wanted.
func (s *shop) fresh(begun bool) {
	s.Helper()
	for _, pattern := range []string{"makegood.db*", ".makegood"} {
		found, err := filepath.Glob(filepath.Join(s.dir, pattern))
		check(s.T, err)
		for _, path := range found {
			check(s.T, os.RemoveAll(path))
		}
	}
	if begun {
		s.orders("tills", "1,2019-12-01 10:00:00,ann@example.com,MUG,1,5")
		s.run(exitDone)
	}
}

// fullAt plays a night in which no file can become larger than a size, and the
// next one. It gives 1 when the first one met the limit.
func (s *shop) fullAt(size int, kind string, orders int) int {
	s.Helper()
	code, said := s.confined(fmt.Sprintf("%s=%d", largestVariable, size), "run")
	switch {
	case code == exitDone:
	case code != exitFailed:
		s.Errorf("files of %d bytes: exit %d\n%s", size, code, said)
	case strings.Contains(said, "No one is needed"), strings.Contains(said, "goroutine "):
		s.Errorf("files of %d bytes: told as %s", size, said)
	}
	night, out, errs := makegood(s.T, "run", "--json", "-c", s.file())
	if night != exitDone && night != exitPerson {
		s.Fatalf("files of %d bytes: the next night: exit %d\n%s%s\nafter:\n%s", size, night, errs, out, said)
	}
	b := readReport(s.T, out).balance(s.T, "stores")
	if got := b.Sent.Events + b.AlreadySent.Events + b.InDoubt.Events; got != orders || b.InDoubt.Events > 4 {
		s.Errorf("files of %d bytes: the next night ends with %+v", size, b)
	}
	p := s.sim.Counts().Platforms[kind]
	if n := int(p.Orders); n < orders-b.InDoubt.Events || n > orders || kind == "collect" && p.Repeats > 0 {
		s.Errorf("files of %d bytes: the platform holds %+v, %d in doubt", size, p, b.InDoubt.Events)
	}
	if code == exitDone {
		return 0
	}
	return 1
}

// nobody is a user whom no folder belongs to.
const nobody = 65534

// TestHarmFolderMayNotBeWritten: the ledger, or the folder of plans and keys,
// is somebody else's. Nothing is sent, and once it is put right all goes.
func TestHarmFolderMayNotBeWritten(t *testing.T) {
	for name, c := range map[string]struct {
		begun bool   // there is a ledger
		what  string // may not be written
	}{
		"no ledger yet":             {false, "."},
		"the ledger":                {true, "makegood.db"},
		"its folder":                {true, "."},
		"the folder of plans":       {true, ".makegood .makegood/plans"},
		"the folder of all of them": {true, ". makegood.db .makegood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.tills("tills", nil)
			s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
			s.fresh(c.begun)
			s.manyTickets(3)
			limit := s.handOver(os.Getuid() == 0)
			for _, path := range strings.Fields(c.what) {
				s.allow(path, 0o555)
			}
			for _, command := range []string{"plan", "run"} {
				code, said := s.confined(limit, command)
				if code != exitFailed {
					t.Errorf("%s: exit %d\n%s", command, code, said)
				}
				s.contains(said, "correct ")
			}
			if s.requests() != 0 {
				t.Error("something was sent")
			}
			for _, path := range strings.Fields(c.what) {
				s.allow(path, 0o755)
			}
			if code, said := s.confined(limit, "run"); code != exitDone {
				t.Errorf("once it may be written: exit %d\n%s", code, said)
			}
			s.onePurchaseEach(3)
		})
	}
}

// handOver gives everything in the folder to nobody, whom a confined makegood
// then plays: root may write anywhere.
func (s *shop) handOver(root bool) (limit string) {
	s.Helper()
	s.file()
	if !root {
		return userVariable + "="
	}
	check(s.T, os.Chmod(filepath.Dir(s.dir), 0o755)) // the test's own, in which all its folders are
	check(s.T, filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	}))
	return fmt.Sprintf("%s=%d", userVariable, nobody)
}

func (s *shop) allow(path string, mode os.FileMode) {
	s.Helper()
	check(s.T, os.Chmod(filepath.Join(s.dir, path), mode))
	s.Cleanup(func() { _ = os.Chmod(filepath.Join(s.dir, path), 0o755) }) // so that the folder can be removed
}
