package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// TestHarmOneNoticeForSevenNights: a bad row stays in the window for seven
// nights, in which other orders come and go. The desk hears of it once; the
// health check, in the first night as well, and seven times that a run ended.
func TestHarmOneNoticeForSevenNights(t *testing.T) {
	t.Parallel()
	s := newNoticed(t)
	s.conf["notify"].(fields)["to"].(fields)["hook"] = fields{"type": "webhook", "url": s.place.URL + "/hook"}
	var rows []string
	for night := range 7 {
		for n := range 2 {
			rows = append(rows, fmt.Sprintf("%d,%s,p%[1]d@example.com,MUG,1,5", 10*night+n, ago(time.Hour-time.Duration(night)*24*time.Hour)))
		}
		if night == 0 {
			rows = append(rows, "666,"+ago(time.Hour)+",bad@example.com,MUG,one,5")
		}
		slices.Reverse(rows)
		s.orders("tills", rows...)
		want := exitDone
		if night == 0 {
			want = exitPerson
		}
		code, out, errs := s.clockedAt(time.Duration(night)*24*time.Hour, "run")
		if code != want {
			t.Errorf("night %d: exit %d, want %d\n%s%s", night, code, want, errs, out)
		}
	}
	heard := s.heard()
	for path, want := range map[string]int{"POST /desk ": 1, "POST /hook ": 1, "POST /night/2 ": 1, "POST /night \n": 6} {
		if n := strings.Count(heard, path); n != want {
			t.Errorf("%q was heard %d times, want %d", path, n, want)
		}
	}
	s.contains(heard, "A person is needed: 1 bad order in tills")
}

// TestHarmOrdersWithoutAnAddressCallNobody: 3,705 of 4,000 orders have no
// address. That is how a shop is: the night ends well, nobody is told, and the
// report counts them as not sent on purpose.
func TestHarmOrdersWithoutAnAddressCallNobody(t *testing.T) {
	t.Parallel()
	s := newNoticed(t)
	var rows []string
	for n := range 4000 {
		email := ""
		if n%13 == 0 && n < 13*295 {
			email = fmt.Sprintf("p%d@example.com", n)
		}
		rows = append(rows, fmt.Sprintf("%d,%s,%s,MUG,1,5", n, ago(time.Duration(1+n%600)*time.Minute), email))
	}
	s.orders("tills", rows...)
	var out bytes.Buffer
	heard, _ := s.hears(t.Context(), &out, exitDone, "run")
	if strings.Contains(heard, "/desk") || !strings.Contains(heard, "POST /night \n") {
		t.Errorf("heard %s", heard)
	}
	said := strings.Join(strings.Fields(out.String()), " ")
	for _, text := range []string{
		"No one is needed",
		"orders in this period 4,000 4,000 20,000.00 EUR",
		"accepted by the platform 295 295 1,475.00 EUR",
		"not sent on purpose 3,705 3,705 18,525.00 EUR",
		"still to send 0 0",
	} {
		s.contains(said, text)
	}
	s.onePurchaseEach(295)
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
