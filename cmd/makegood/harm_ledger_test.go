package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ledgerShop is a shop that has sent orders 1 and 2 to a platform that counts
// repeats as purchases, in two nights; old has its files as they were after
// the first one, and new after the second. Order 3 is still to send.
//
// last is the head that the report of the second night names.
func ledgerShop(t *testing.T) (s *shop, old, recent string, last string) {
	s = newShop(t)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil})
	s.tickets(1)
	s.wants(s.run(exitDone), "stores", "sent 1")
	old = s.copyFiles("old")
	s.tickets(2)
	got := s.run(exitDone)
	s.wants(got, "stores", "already_sent sent_here 1, sent 1")
	last = s.head(got)
	recent = s.copyFiles("recent")
	s.tickets(3)
	return s, old, recent, last
}

// head is the head of the ledger as a report names it.
func (s *shop) head(g told) string {
	s.Helper()
	text, err := json.Marshal(g.Head)
	check(s.T, err)
	return string(text)
}

// tickets writes the first n tickets of the day.
func (s *shop) tickets(n int) {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,%s,visitor%d@example.com,MUG,1,5", i+1, ago(time.Duration(9-i)*time.Hour), i)
	}
	s.orders("tills", rows...)
}

// ledgerFiles are what a ledger and the folder that knows it consist of.
var ledgerFiles = []string{"makegood.db", "makegood.db-wal", ".makegood/head.json", ".makegood/person.key"}

// copyFiles keeps the ledger and what knows it in a folder.
func (s *shop) copyFiles(name string) string {
	s.Helper()
	kept := filepath.Join(s.dir, name)
	s.putFiles(s.dir, kept, ledgerFiles...)
	return kept
}

// putFiles copies files from folder to folder; what is not there is removed.
func (s *shop) putFiles(from, to string, names ...string) {
	s.Helper()
	for _, name := range names {
		check(s.T, os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700))
		text, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			check(s.T, os.RemoveAll(filepath.Join(to, name)))
			continue
		}
		check(s.T, err)
		check(s.T, os.WriteFile(filepath.Join(to, name), text, 0o600))
	}
}

// refuses wants run and plan to end with an error that says what is to be
// done, and no request.
func (s *shop) refuses(says ...string) {
	s.Helper()
	before := s.requests()
	for _, command := range []string{"run", "plan"} {
		code, out, errs := makegood(s.T, command, "-c", s.file())
		if code != exitFailed {
			s.Errorf("%s: exit %d\n%s%s", command, code, errs, out)
		}
		for _, text := range says {
			s.contains(errs, text)
		}
	}
	if s.requests() != before {
		s.Error("something was sent")
	}
}

// TestHarmLedgerIsNotTheOneItWas: each is noticed before anything is sent, and
// with the copy of last night put back the work goes on where it was.
func TestHarmLedgerIsNotTheOneItWas(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s *shop, old string)
		says  []string
	}{
		"it is gone": {func(s *shop, _ string) { remove(s.T, filepath.Join(s.dir, "makegood.db")) }, []string{"the ledger is missing", "put it back"}},
		"an old copy": {func(s *shop, old string) { s.putFiles(old, s.dir, "makegood.db", "makegood.db-wal") },
			[]string{"older than what this machine has seen of it", "put the newest copy back"}},
		"an old copy that was used": {func(s *shop, old string) {
			s.putFiles(old, s.dir, "makegood.db", "makegood.db-wal", ".makegood/head.json")
			s.tickets(0)
			s.run(exitPerson)
			s.run(exitPerson)
			s.run(exitPerson)
			s.tickets(3)
			s.putFiles(filepath.Join(s.dir, "recent"), s.dir, ".makegood/head.json")
		}, []string{"another history", "put the newest copy back"}},
		"cut short":    {func(s *shop, _ string) { check(s.T, os.Truncate(filepath.Join(s.dir, "makegood.db"), 30_000)) }, []string{"makegood.db"}},
		"cut to a bit": {func(s *shop, _ string) { check(s.T, os.Truncate(filepath.Join(s.dir, "makegood.db"), 50)) }, []string{"makegood.db"}},
		"emptied":      {func(s *shop, _ string) { check(s.T, os.Truncate(filepath.Join(s.dir, "makegood.db"), 0)) }, []string{"the ledger is missing", "put it back"}},
		"another shop's": {func(s *shop, _ string) {
			other := newShop(s.T)
			other.tills("tills", nil)
			other.activate("activate", nil)
			other.tickets(1)
			other.run(exitDone)
			s.putFiles(other.dir, s.dir, "makegood.db", ".makegood/person.key")
		}, []string{"not the ledger that this machine has used", "correct 'ledger'"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, old, recent, _ := ledgerShop(t)
			c.spoil(s, old)
			s.refuses(c.says...)
			s.refuses(c.says...) // to look at it changes nothing
			s.putFiles(recent, s.dir, ledgerFiles...)
			s.wants(s.run(exitDone), "stores", "already_sent sent_here 2, sent 1")
			s.onePurchaseEach(3)
		})
	}
}

// TestHarmOnlyAnOldCopyIsLeft: what was sent since is taken from the
// platform's own list of orders, and nothing goes twice.
func TestHarmOnlyAnOldCopyIsLeft(t *testing.T) {
	t.Parallel()
	s, old, _, _ := ledgerShop(t)
	s.putFiles(old, s.dir, "makegood.db", "makegood.db-wal")
	s.refuses("older than what this machine has seen of it")
	s.csv("sent.csv", "order_id,sent_at", "1,"+ago(8*time.Hour), "2,"+ago(7*time.Hour))
	s.evidence(fields{"fresh_within": nil, "shop": "main"})
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": "1s"})
	s.wants(s.run(exitDone, "--new-host"), "stores", "already_sent proven 1, already_sent sent_here 1, sent 1")
	s.wants(s.run(exitDone), "stores", "already_sent proven 1, already_sent sent_here 2")
	s.onePurchaseEach(3)
}

// TestHarmLedgerOnASecondHost: a copy of the ledger with the key, but without
// the folder that knows it, does nothing until a person says how far it must
// have come; the first host then notices that it is behind.
func TestHarmLedgerOnASecondHost(t *testing.T) {
	t.Parallel()
	s, old, _, last := ledgerShop(t)
	second := newShop(t)
	second.sim, second.url, second.conf = s.sim, s.url, s.conf
	second.putFiles(s.dir, second.dir, "makegood.db")
	second.tickets(3)
	second.refuses("person.key is missing", "from another host")
	second.putFiles(s.dir, second.dir, ".makegood/person.key")
	second.refuses("--expect-head", "--new-host")

	second.putFiles(old, second.dir, "makegood.db")
	if code, _, errs := makegood(t, "run", "-c", second.file(), "--expect-head", last); code != exitFailed {
		t.Errorf("an old copy on the second host: exit %d\n%s", code, errs)
	}
	second.putFiles(s.dir, second.dir, "makegood.db")
	moved := second.run(exitDone, "--expect-head", last)
	second.wants(moved, "stores", "already_sent sent_here 2, sent 1")

	code, _, errs := makegood(t, "run", "-c", s.file(), "--expect-head", s.head(moved))
	if code != exitFailed {
		t.Errorf("the first host: exit %d", code)
	}
	s.contains(errs, "older than what this machine has seen of it")
	second.wants(second.run(exitDone), "stores", "already_sent sent_here 3")
	s.onePurchaseEach(3)
}

// TestHarmHeadOfALedgerIsDamaged: what this machine remembers cannot be read,
// and the report says how far the ledger must have come.
func TestHarmHeadOfALedgerIsDamaged(t *testing.T) {
	t.Parallel()
	s, _, _, last := ledgerShop(t)
	write(t, s.dir, ".makegood/head.json", `{"ledger": "01`)
	s.refuses("the file is damaged", "--expect-head")
	remove(t, filepath.Join(s.dir, ".makegood/head.json"))
	if code, _, errs := makegood(t, "run", "-c", s.file(), "--expect-head", "null"); code != exitUsage {
		t.Errorf("a head that names no ledger: exit %d\n%s", code, errs)
	}
	s.wants(s.run(exitDone, "--expect-head", last), "stores", "already_sent sent_here 2, sent 1")
	s.wants(s.run(exitDone), "stores", "already_sent sent_here 3")
	s.onePurchaseEach(3)
}

// TestHarmLogOfTheLedgerIsLost: a run was killed, and somebody tidied up what
// lay beside the ledger. It held the newest of it.
func TestHarmLogOfTheLedgerIsLost(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.tills("tills", nil)
	s.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "concurrency": 1})
	s.tickets(1)
	s.run(exitDone)
	s.manyTickets(40)
	setFaults(t, s.sim, "delay=30ms")
	cmd := play(t, "run", "-c", s.file())
	enough := s.accepted(5)
	check(t, cmd.Start())
	<-enough
	check(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	setFaults(t, s.sim)
	kept := s.copyFiles("kept")
	for _, name := range []string{"makegood.db-wal", "makegood.db-shm"} {
		check(t, os.RemoveAll(filepath.Join(s.dir, name)))
	}
	s.refuses("older than what this machine has seen of it", "put the newest copy back")
	s.putFiles(kept, s.dir, ledgerFiles...)
	got := s.run(exitPerson) // what the killed run had in its hand
	if b := got.target(t, "stores").Balance; b.InDoubt.Events != 1 || b.AlreadySent.Events+b.Sent.Events != 39 {
		t.Errorf("ended as %s", got.ends(t, "stores"))
	}
	if p := s.sim.Counts().Platforms["collect"]; p.Repeats != 0 || p.Orders < 40 {
		t.Errorf("Collect holds %+v", p)
	}
}
