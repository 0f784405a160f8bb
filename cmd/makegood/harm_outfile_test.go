package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// outfile adds a live destination that is a file of JSON lines.
func (s *shop) outfile(name string, over fields) {
	s.set("targets", name, with(fields{"type": "file", "mode": "live", "path": "out/" + name + ".jsonl", "since": "2020-01-01",
		"nothing_else_sends": true, "channels": []string{"online", "in_store"}, "probe_after": []string{"1ms", "2ms", "4ms"}}, over))
}

// lines counts by event how often each stands in a destination's file.
func (s *shop) lines(name string) map[string]int {
	s.Helper()
	file, err := os.Open(filepath.Join(s.dir, "out", name+".jsonl"))
	if err != nil {
		s.Fatal(err)
	}
	defer file.Close()
	all := map[string]int{}
	in := bufio.NewScanner(file)
	for in.Scan() {
		var line struct{ ID string }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			s.Errorf("a line that is none: %q", in.Text())
		}
		all[line.ID]++
	}
	return all
}

// TestHarmKilledWhileItWritesAFile kills run after run at a destination that is
// a file. In the end each order stands in it exactly once, and no person was
// needed.
func TestHarmKilledWhileItWritesAFile(t *testing.T) {
	if testing.Short() {
		t.Skip("killing takes its time")
	}
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.outfile("book", fields{"batch": 7})
	random := rand.New(rand.NewPCG(5, uint64(number(t, seedVariable, 1))))
	var rows []string
	killed := 0
	for range number(t, killsVariable, 20) {
		for range 60 {
			rows = append(rows, fmt.Sprintf("%d,%s,ann%[1]d@example.com,MUG,1,5", 1000+len(rows), ago(time.Hour)))
		}
		s.orders("shop", rows...)
		cmd := play(t, "run", "-c", s.file())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(60+random.IntN(160)) * time.Millisecond)
		_ = cmd.Process.Kill() // it may be over
		if cmd.Wait() != nil {
			killed++
		}
	}
	s.run(exitDone)
	lines := s.lines("book")
	for id, n := range lines {
		if n != 1 {
			t.Errorf("%s stands %d times", id, n)
		}
	}
	if len(lines) != len(rows) || killed == 0 {
		t.Errorf("%d of %d orders are in the file, after %d kills", len(lines), len(rows), killed)
	}
	t.Logf("%d kills, %d lines", killed, len(lines))
}

// TestHarmTheFileOfACrashIsTakenAway: whether its lines were written cannot be
// known any more. They are not written again, and a person is told.
func TestHarmTheFileOfACrashIsTakenAway(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.outfile("book", nil)
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5")
	s.run(exitDone)
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.cutOff("book")
	check(t, os.Remove(filepath.Join(s.dir, "out", "book.jsonl")))
	got := s.run(exitPerson)
	s.wants(got, "book", "already_sent sent_here 1, in_doubt no_answer 1")
	s.contains(got.stdout, "makegood resolve")
	if _, err := os.Stat(filepath.Join(s.dir, "out", "book.jsonl")); err == nil {
		t.Error("it was written again")
	}
}

// cutOff kills a run between its claims and what it writes into a
// destination's file.
func (s *shop) cutOff(name string) {
	s.Helper()
	lock := flock.New(filepath.Join(s.dir, "out", "."+name+".jsonl.book"))
	check(s.T, lock.Lock())
	defer lock.Unlock()
	cmd := play(s.T, "run", "-c", s.file())
	check(s.T, cmd.Start())
	for begun := time.Now(); s.entries("state = 'claimed'") == 0 && time.Since(begun) < 30*time.Second; {
		time.Sleep(5 * time.Millisecond)
	}
	check(s.T, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
}

// TestHarmARunIsCutOffBeforeItWrites: the next one writes the line.
func TestHarmARunIsCutOffBeforeItWrites(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.outfile("book", nil)
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5")
	s.run(exitDone)
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.cutOff("book")
	s.wants(s.run(exitDone), "book", "already_sent sent_here 1, sent 1")
	if lines := s.lines("book"); len(lines) != 2 || lines["purchase/main/2"] != 1 {
		t.Errorf("the file holds %v", lines)
	}
}

// TestHarmNoRoomForTheFile: the destination stops, and what was not written is
// written when there is room.
func TestHarmNoRoomForTheFile(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.outfile("book", nil)
	if err := os.WriteFile(filepath.Join(s.dir, "out"), nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	s.orders("shop", "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5")
	got := s.run(exitPerson)
	s.wants(got, "book", "left retryable 1")
	s.contains(got.stdout, "the folder cannot be made")
	check(t, os.Remove(filepath.Join(s.dir, "out")))
	s.run(exitDone)
	if lines := s.lines("book"); len(lines) != 1 || lines["purchase/main/1"] != 1 {
		t.Errorf("the file holds %v", lines)
	}
}

func TestHarmSpreadsheetsWorkNothingOut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", fields{"columns": with(usual, fields{"store": "store"})})
	s.outfile("book", fields{"format": "csv", "email": "sha256"})
	s.csv("shop.csv", usualHeader+",store", "=1,"+ago(time.Hour)+",ann@example.com,MUG,1,5,@SUM(1)")
	s.run(exitDone)
	text, err := os.ReadFile(filepath.Join(s.dir, "out", "book.jsonl"))
	if err != nil || !strings.Contains(string(text), ",'=1,main,online,'@SUM(1),") || strings.Contains(string(text), "@example") {
		t.Errorf("the file holds %s (%v)", text, err)
	}
}

// TestHarmAFileCanBeAsked: what a run was cut off over behind its line is ended
// by asking the file, and is not written again.
func TestHarmAFileCanBeAsked(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{true, false} {
		s := newShop(t)
		s.source("shop", nil)
		s.outfile("book", nil)
		first, second := "1,"+ago(2*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",ann@example.com,MUG,1,5"
		s.orders("shop", first)
		s.run(exitDone)
		s.orders("shop", first, second)
		s.cutOff("book")
		path := filepath.Join(s.dir, "out", "book.jsonl")
		text, err := os.ReadFile(path)
		check(t, err)
		check(t, os.WriteFile(path, append(text, strings.ReplaceAll(string(text), "/main/1", "/main/2")...), 0o600)) // as that run would have
		want := "already_sent sent_here 1, sent 1"
		if asked {
			code, out, errs := makegood(t, "resolve", "--ask", "--note", "the file says so", "-c", s.file())
			s.contains(fmt.Sprint(code, out, errs), "1 in doubt; 1 was sent")
			want = "already_sent proven 1, already_sent sent_here 1"
		}
		s.wants(s.run(exitDone), "book", want)
		if lines := s.lines("book"); len(lines) != 2 || lines["purchase/main/2"] != 1 {
			t.Errorf("asked %t: the file holds %v", asked, lines)
		}
	}
}
