package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// evidenceShop is a shop whose live integration sends too: 25 orders of the
// last hours, and its record of all but the last three of them.
func evidenceShop(t *testing.T, over fields) (s *shop, recorded []string) {
	s = newShop(t)
	s.source("shop", nil)
	s.activate("activate", fields{"nothing_else_sends": nil, "already_sent": []string{"live_log"}})
	s.evidence(over)
	rows, recorded := soldAndRecorded(0)
	s.orders("shop", rows...)
	s.csv("sent.csv", sentHeader, recorded...)
	return s, recorded
}

const sentHeader = "order_id,sent_at"

// soldAndRecorded are the orders that a shop had before the night so many days
// ahead, and those that its live integration recorded.
func soldAndRecorded(ahead int) (rows, recorded []string) {
	for i := range 25 {
		age := time.Duration(25-i)*10*time.Minute + time.Hour - time.Duration(ahead)*24*time.Hour
		number := 1000 + 100*ahead + i
		rows = append(rows, fmt.Sprintf("%d,%s,shopper%d@example.com,MUG,1,5", number, ago(age), i))
		if i < 22 {
			recorded = append(recorded, fmt.Sprintf("%d,%s", number, ago(age-time.Minute)))
		}
	}
	return rows, recorded
}

// sentTable writes the record of the live integration as a file or into a
// database.
func (s *shop) sentTable(kind, header string, rows ...string) {
	s.Helper()
	if kind == "csv" {
		s.csv("sent.csv", header, rows...)
		return
	}
	names := strings.Split(header, ",")
	script := fmt.Sprintf("DROP TABLE IF EXISTS sent; CREATE TABLE sent (%s TEXT, %s TEXT);", names[0], names[1])
	for _, row := range rows {
		number, at, _ := strings.Cut(row, ",")
		script += fmt.Sprintf("INSERT INTO sent VALUES ('%s', '%s');", number, at)
	}
	s.alter("sent.db", script)
}

// TestHarmEvidenceThatIsNotTonights: the record of a second night is emptied,
// cut off, has another column, or is the one of the night before. Nothing is
// sent, and each says what it looks like and what to do; when it is right,
// exactly what is missing goes.
func TestHarmEvidenceThatIsNotTonights(t *testing.T) {
	first, before := soldAndRecorded(0)
	next, recorded := soldAndRecorded(1)
	causes := map[string]struct {
		header string
		rows   []string
		looks  string   // in words of its own
		says   []string // the other words
	}{
		"emptied": {sentHeader, nil, "as if it was emptied: fill it and run again", []string{"live_log holds no row for 50 orders"}},
		"cut off": {sentHeader, append(before[:22:22], recorded[:4]...), "as if it was cut off: write all of it and run again",
			[]string{"the newest row of live_log is of"}},
		"another column": {"order_id,delivered_at", append(before[:22:22], recorded...), "correct the table, or evidence.live_log of the configuration, and run again",
			[]string{`no column "sent_at"`, "it has: order_id, delivered_at"}},
		"the one before": {sentHeader, before, "as if an earlier one came again: deliver the newest and run again",
			[]string{"the newest row of live_log is of", "it holds nothing of the last day"}},
	}
	for _, kind := range []string{"csv", "sql"} {
		for name, c := range causes {
			t.Run(kind+", "+name, func(t *testing.T) {
				t.Parallel()
				s, _ := evidenceShop(t, fields{"fresh_within": "1h"})
				if kind == "sql" {
					s.evidence(fields{"type": "sql", "path": nil, "dsn": "sent.db", "query": "SELECT * FROM sent", "fresh_within": "1h"})
				}
				s.sentTable(kind, sentHeader, before...)
				s.wants(s.run(exitDone), "activate", "already_sent proven 22, sent 3")
				asked := s.requests()

				s.orders("shop", append(first, next...)...)
				s.sentTable(kind, c.header, c.rows...)
				code, out, errs := s.clockedAt(24*time.Hour, "run")
				if code != exitFailed {
					t.Errorf("exit %d, want %d\n%s%s", code, exitFailed, errs, out)
				}
				said := strings.Join(strings.Fields(out), " ")
				for _, text := range append(c.says, "A person is needed", "--accept-evidence live_log") {
					s.contains(said, text)
				}
				for other, o := range causes {
					if strings.Contains(said, o.looks) != (other == name) {
						t.Errorf("said of a table that is %s: %q\n%s", name, o.looks, out)
					}
				}
				if n := s.requests() - asked; n != 0 {
					t.Errorf("%d requests", n)
				}

				s.sentTable(kind, sentHeader, append(before, recorded...)...)
				code, out, errs = s.clockedAt(24*time.Hour+time.Minute, "run")
				if code != exitDone {
					t.Errorf("the right table: exit %d\n%s%s", code, errs, out)
				}
				s.wantsPlatform("activate", "1022 5 EUR, 1023 5 EUR, 1024 5 EUR, 1122 5 EUR, 1123 5 EUR, 1124 5 EUR")
			})
		}
	}
}
func TestHarmEvidenceTableEmptyTonight(t *testing.T) {
	for name, c := range map[string]struct {
		over  fields
		spoil func(s *shop)
	}{
		"empty":                      {nil, func(s *shop) { s.csv("sent.csv", "order_id,sent_at") }},
		"empty, and no fresh_within": {fields{"fresh_within": nil}, func(s *shop) { s.csv("sent.csv", "order_id,sent_at") }},
		"of last week":               {nil, func(s *shop) { s.csv("sent.csv", "order_id,sent_at", "1,"+day(7)) }},
		"gone":                       {nil, func(s *shop) { remove(s.T, s.dir+"/sent.csv") }},
		"not even a header":          {nil, func(s *shop) { write(s.T, s.dir, "sent.csv", "") }},
		"another table":              {nil, func(s *shop) { s.csv("sent.csv", "id,when", "1,"+day(0)) }},
		"a time that is none":        {nil, func(s *shop) { s.csv("sent.csv", "order_id,sent_at", "1,yesterday") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, recorded := evidenceShop(t, c.over)
			c.spoil(s)
			got := s.run(exitFailed)
			s.wants(got, "activate", "left evidence_stale 25")
			s.contains(got.target(t, "activate").Stopped, "--accept-evidence live_log")
			if s.requests() != 0 {
				t.Errorf("%d requests", s.requests())
			}
			s.csv("sent.csv", "order_id,sent_at", recorded...)
			s.wants(s.run(exitDone), "activate", "already_sent proven 22, sent 3")
			s.wantsPlatform("activate", "1022 5 EUR, 1023 5 EUR, 1024 5 EUR")
		})
	}
}
