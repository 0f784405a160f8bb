package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestREADMEMachines: the commands of the README, typed as they stand there, bring
// two machines to work on one backfill; what the first had sent before is not sent
// again. ssh leads to another folder.
func TestREADMEMachines(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts processes")
	}
	_, place := ownSchema(t, "postgres")
	if place == "" {
		t.Skip("there is no such server")
	}
	text, err := os.ReadFile(projectFile(t, "README.md"))
	check(t, err)
	_, rest, _ := strings.Cut(string(text), "Two machines, in five commands")
	_, rest, _ = strings.Cut(rest, "```sh\n")
	block, _, _ := strings.Cut(rest, "```")
	commands := strings.Split(strings.TrimSpace(block), "\n")
	if len(commands) != 5 {
		t.Fatalf("the README has %d commands:\n%s", len(commands), block)
	}
	s := backfillShop(t, 40, nil)
	s.run(exitDone, "--from", ago(5 * 24 * time.Hour)[:10])
	before := int(s.sim.Counts().Platforms["squeezely"].Orders)
	if before == 0 || before == 40 {
		t.Fatalf("the first machine has sent %d before", before)
	}
	second, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	check(t, err)
	for name, script := range map[string]string{
		"makegood": fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", playVariable, self),
		"ssh":      fmt.Sprintf("#!/bin/sh\n[ \"$1\" = second ] || exit 255\nshift\ncd '%s' && exec sh -c \"$*\"\n", second),
	} {
		check(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700)) //nolint:gosec // it is started
	}
	for i, command := range commands {
		line, _, _ := strings.Cut(command, " #")
		line = strings.TrimSpace(line)
		line = strings.Replace(line, "postgres://makegood@db.example.com/shop", "'"+place+"'", 1)
		line = strings.Replace(line, "--from 2026-01-01 --to 2026-07-01", strings.Join(lastWeek(), " ")+" --json", 1)
		said := &sharedText{}
		line, background := strings.CutSuffix(line, " &")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // the README's own
		cmd.SysProcAttr, cmd.WaitDelay = &syscall.SysProcAttr{Setpgid: true}, time.Minute
		cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, said, said
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		check(t, cmd.Start())
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s\n%s", line, said.String())
			}
		})
		if background {
			t.Cleanup(func() {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // its shell, too
				_ = cmd.Wait()                                      // what the signal makes of a shell is no matter
			})
			continue
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i == 0 {
			if !strings.Contains(said.String(), "ledger: postgres://") {
				t.Errorf("%s does not say what the key ledger names: %s", line, said.String())
			}
			s.conf["ledger"] = place
			s.file()
		}
		if i == 4 && !strings.Contains(said.String(), `"eligible": {`) {
			t.Errorf("%s gives no report: %s", line, said.String())
		}
	}
	if totals := s.sim.Counts().Platforms["squeezely"]; totals.Orders != 40 || totals.Repeats != 0 {
		t.Errorf("the platform holds %+v", totals)
	}
	m := &marketplace{s, place}
	told := m.until("both work", func(w workersJSON) bool { return w.alive() == 2 })
	if told.personNeeded() {
		t.Errorf("a person is needed: %+v", told.Stuck)
	}
	if code, out, errs := makegood(t, "verify", "-c", m.config()); code != exitDone {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}
