package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// problemsTold is what a night's report says of problems.
type problemsTold struct {
	code       int
	needs      []reports.Need
	still      []reports.Need
	new, gone  int
	sent, held int
}

// problemsAfter runs as if so many days had passed.
func (s *shop) problemsAfter(days int, args ...string) problemsTold {
	s.Helper()
	code, out, errs := s.clockedAt(time.Duration(days)*24*time.Hour, append([]string{"run", "--json"}, args...)...)
	var r reports.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.Fatalf("%v\n%s%s", err, out, errs)
	}
	got := problemsTold{code: code, needs: r.PersonNeeded, still: r.StillThere, sent: r.Targets[0].Balance.Sent.Events, held: r.Targets[0].Balance.HeldBack.Events}
	if r.Last != nil {
		for _, c := range r.Last.Changes {
			got.new, got.gone = got.new+c.New, got.gone+c.Gone
		}
	}
	return got
}

// TestHarmOneBadRowForSevenNights: the first night calls a person, the others
// say since when it is known, wherever the row stands in tonight's export. What
// is new calls again, what was mended is gone.
func TestHarmOneBadRowForSevenNights(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", nil)
	at := ago(time.Hour)
	good := func(n int) string { return fmt.Sprintf("%d,%s,p%[1]d@example.com,MUG,1,5", n, at) }
	const bad, worse = "2,yesterday,ann@example.com,MUG,1,5", "9,nobody knows,bob@example.com,MUG,one,5"
	problem := func(what string, count, known int) []reports.Need {
		return []reports.Need{{Source: "shop", What: what, Count: count, Known: known}}
	}
	for night, c := range []struct {
		rows      []string
		code      int
		needs     []reports.Need
		still     []reports.Need
		new, gone int
		args      []string
	}{
		{rows: []string{good(1), bad}, code: exitPerson, needs: problem(reconcile.NeedBad, 1, 0)},
		{rows: []string{good(1), good(3), bad}, still: problem(reconcile.NeedBad, 1, 1)},
		{rows: []string{bad, good(1), good(3)}, still: problem(reconcile.NeedBad, 1, 1)},
		{rows: []string{bad, good(1)}, code: exitPerson, needs: problem(reconcile.NeedBad, 1, 1), args: []string{"--strict"}},
		{rows: []string{bad, worse, good(1)}, code: exitPerson, needs: problem(reconcile.NeedBad, 2, 1), new: 1},
		{rows: []string{worse, good(1), bad}, still: problem(reconcile.NeedBad, 2, 2)},
		{rows: []string{worse, good(1), good(2)}, still: problem(reconcile.NeedBad, 1, 1), gone: 1},
		{rows: []string{good(1), good(2)}, gone: 1},
	} {
		s.orders("shop", c.rows...)
		got := s.problemsAfter(night, c.args...)
		forget := func(needs []reports.Need) []reports.Need {
			for i := range needs {
				if (needs[i].Known > 0) == needs[i].Since.IsZero() {
					t.Errorf("night %d: %+v", night, needs[i])
				}
				needs[i].Since = time.Time{}
			}
			return needs
		}
		if got.code != c.code || !slices.Equal(forget(got.needs), c.needs) || !slices.Equal(forget(got.still), c.still) || got.new != c.new || got.gone != c.gone {
			t.Errorf("night %d: %+v, want %+v", night, got, c)
		}
	}
}

// TestHarmAWholeSourceHeldBackIsToldEveryNight: what stops everything does not
// become a habit.
func TestHarmAWholeSourceHeldBackIsToldEveryNight(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.tills("tills", fields{"columns": columns(fields{"store": "store"})})
	s.activate("activate", nil)
	at := ago(time.Hour)
	s.csv("tills.csv", usualHeader+",store", "1,"+at+",ann@example.com,MUG,1,5,north", "1,"+at+",bob@example.com,CUP,1,7,south", "2,"+at+",cas@example.com,CUP,1,7,south")
	for night := range 3 {
		if got := s.problemsAfter(night); got.code != exitPerson || got.sent != 0 || got.held != 1 {
			t.Errorf("night %d: %+v", night, got)
		}
	}
}

// TestHarmRowsWithoutANumber: such a row has no order to be known by; what
// stands in it tells it from another one.
func TestHarmRowsWithoutANumber(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.source("shop", nil)
	s.activate("activate", nil)
	at := ago(time.Hour)
	row := func(id, price string) string { return id + "," + at + ",ann@example.com,MUG,1," + price }
	for night, c := range []struct {
		rows []string
		code int
	}{
		{[]string{row("1", "5"), row("", "5")}, exitPerson},
		{[]string{row("", "5"), row("1", "5"), row("2", "5")}, exitDone},
		{[]string{row("1", "5"), row("", "999")}, exitPerson},
		{[]string{row("", "999"), row("", "5"), row("1", "5")}, exitDone},
		{[]string{row("", "999"), row("", "998"), row("1", "5")}, exitPerson},
	} {
		s.orders("shop", c.rows...)
		if got := s.problemsAfter(night); got.code != c.code {
			t.Errorf("night %d: exit %d, want %d: %+v", night, got.code, c.code, got)
		}
	}
}
