package upload

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

// sentReport is the report of a plan of five messages that was carried out.
func sentReport(sent, left, doubt, before int) reports.Report {
	count := func(n int) reports.Count { return reports.Count{Orders: n, Events: n} }
	t := reports.Target{Target: "activate", Balance: reports.Balance{Sent: count(sent), Left: count(left), InDoubt: count(doubt), AlreadySent: count(before), Holds: true}}
	for _, r := range []reports.Reason{{Bucket: reconcile.BucketLeft, Reason: string(reconcile.ReasonInterrupted), Count: count(left)},
		{Bucket: reconcile.BucketInDoubt, Reason: "no_answer", Count: count(doubt)}, {Bucket: reconcile.BucketAlreadySent, Reason: "known", Count: count(before)}} {
		if r.Events > 0 {
			t.Reasons = append(t.Reasons, r)
		}
	}
	return reports.Report{Command: "apply", Sources: []reports.Source{{Source: "shop", OrdersRead: 5}}, Targets: []reports.Target{t}}
}

// TestWhatDidNotGoIsSaid: what was approved and did not go is no "Sent", neither
// on its page nor in the list nor in the history, and another preview is the
// next step; orders without an answer and those that were not tried are in places
// of their own.
func TestWhatDidNotGoIsSaid(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		report                   reports.Report
		title, list, deed, lines string
		says                     []string
	}{
		"all of it": {sentReport(5, 0, 0, 0), "Sent", "sent", "sent", "sent, sent before, not sendable, filtered out", []string{"What was approved went: 5 messages."}},
		"meanwhile": {sentReport(3, 0, 0, 2), "Sent", "sent", "sent", "sent, sent before, not sendable, filtered out", []string{"2 of them had been sent meanwhile, and did not go again."}},
		"in part": {sentReport(2, 3, 0, 0), "Sent in part: 2 of 5", "sent in part, 2 of 5 messages", "sent in part, of 5 approved", "sent, not sent yet, sent before, not sendable, filtered out",
			[]string{"Of 5 messages that were approved, 2 went.", "Not sent yet: 3 messages."}},
		"nothing": {sentReport(0, 5, 0, 0), "Nothing went", "nothing went", "sent nothing, of 5 approved", "sent, not sent yet, sent before, not sendable, filtered out",
			[]string{"Of 5 messages that were approved, 0 went.", "Not sent yet: 5 messages."}},
		"no answers": {sentReport(0, 0, 5, 0), "Answer unknown", "answer unknown", "got no answer, of 5 approved", "sent, answer unknown, sent before, not sendable, filtered out",
			[]string{"Of 5 nobody knows: no answer came.", "Answer unknown: 5 messages.", "makegood resolve"}},
		"lost on the way": {sentReport(4, 0, 0, 0), "Sent in part: 4 of 5", "sent in part, 4 of 5 messages", "sent in part, of 5 approved", "sent, sent before, not sendable, filtered out", nil},
	} {
		core := &fakeCore{report: c.report}
		p := newPages(t, core, t.TempDir(), &now)
		u := planned(now)
		u.Planned.Targets[0].Send.Events = 5
		p.put(t, u)
		if w := p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		p.working.Wait()
		page := p.as("ben", http.MethodGet, "/uploads/"+u.ID, nil).Body.String()
		again := `<a class="button" href="/uploads/` + u.ID + `/columns">Make another preview to send the rest</a>`
		if c.title != "Sent" {
			c.says = append(c.says, again, "No run sends the rest by itself.")
		} else if strings.Contains(page, again) {
			t.Errorf("%s: there is a rest: %s", name, page)
		}
		for _, words := range append(c.says, "<h1>"+c.title+"</h1>") {
			if !strings.Contains(page, words) {
				t.Errorf("%s: the page lacks %q: %s", name, words, page)
			}
		}
		if list := p.as("ben", http.MethodGet, "/uploads/", nil).Body.String(); !strings.Contains(list, "<td>"+c.list+"</td>") {
			t.Errorf("%s: the list lacks %q: %s", name, c.list, list)
		}
		one, _ := p.store.get(u.ID)
		var lines []string
		for _, line := range one.Sent.Targets[0].Lines {
			lines = append(lines, line.Label)
		}
		if got := strings.Join(lines, ", "); got != c.lines {
			t.Errorf("%s: the places are %s", name, got)
		}
		deeds, err := p.history.last(1, func(Deed) bool { return true })
		if err != nil || deeds[0].Did != c.deed {
			t.Errorf("%s: the history says %+v, %v", name, deeds, err)
		}
	}
}

// TestWaitsForAnother: while one upload is sent another one is looked at, and one
// that is to be sent too says that it waits.
func TestWaitsForAnother(t *testing.T) {
	now, core := time.Now(), &fakeCore{waits: true, report: sentReport(1, 0, 0, 0), look: Look{Columns: []string{"id"}}}
	p := newPages(t, core, t.TempDir(), &now)
	first, second, third := p.put(t, planned(now)), p.put(t, planned(now)), planned(now)
	third.State = Looking
	ids := []string{first.ID, second.ID, third.ID} // the store writes to the uploads themselves
	p.put(t, third)
	p.as("ben", http.MethodPost, "/uploads/"+ids[0]+"/approve", approval)
	for core.sent.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	p.as("ben", http.MethodPost, "/uploads/"+ids[1]+"/approve", approval)
	p.look(ids[2])
	until := func(what string, is func() bool) {
		t.Helper()
		for begun := time.Now(); !is(); time.Sleep(time.Millisecond) {
			if time.Since(begun) > time.Minute {
				t.Fatal(what)
			}
		}
	}
	until("the other one is not looked at", func() bool { u, _ := p.store.get(ids[2]); return u.State == Columns })
	until("nobody is told that it waits", func() bool {
		page := p.as("ben", http.MethodGet, "/uploads/"+ids[1], nil).Body.String()
		return strings.Contains(page, "<h1>Waits for another upload</h1>") && strings.Contains(page, "Nothing is done with this one before that is over.")
	})
	list := p.as("ben", http.MethodGet, "/uploads/", nil).Body.String()
	if strings.Count(list, "waits for another upload") != 1 || strings.Count(list, "is being sent") != 1 || core.sent.Load() != 1 {
		t.Errorf("the list says %s", list)
	}
	for _, u := range []*Upload{first, second} {
		until("it does not go on", func() bool { one, _ := p.store.get(u.ID); return !one.waits })
		p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/stop", nil)
	}
	p.working.Wait()
	if core.sent.Load() != 2 {
		t.Errorf("%d were sent", core.sent.Load())
	}
}

// rowsReport is a plan of two orders: one to send, one that cannot be read.
func rowsReport() (reports.Report, Rows) {
	r := reports.Report{Command: "plan", Sources: []reports.Source{{Source: "shop", Rows: 3, OrdersRead: 2, Bad: 1}}, Targets: []reports.Target{{Target: "activate",
		Balance: reports.Balance{Left: reports.Count{Orders: 1, Events: 1}, Holds: true},
		Reasons: []reports.Reason{{Bucket: reconcile.BucketLeft, Reason: string(reconcile.ReasonPlanned), Count: reports.Count{Orders: 1, Events: 1}}}}}}
	rows := Rows{Rows: 3, Unpriced: 1, Money: map[string]string{"EUR": "7.50"}, Targets: map[string][]RowsPlace{"activate": {
		{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonPlanned, Rows: 1, Orders: 1, Money: map[string]string{"EUR": "5"}, At: "2"},
		{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonBadValue, Rows: 1, Money: map[string]string{"EUR": "2.50"}, At: "3"},
		{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonMissingValue, Rows: 1, Unpriced: 1, At: "4", More: 7},
	}}}
	return r, rows
}

// TestRowsAndMoneyMustAddUp: a row, an amount or a row without one that is in no
// place, or in two, keeps a preview from being approved.
func TestRowsAndMoneyMustAddUp(t *testing.T) {
	for name, spoil := range map[string]func(*reports.Report, *Rows){
		"it holds":             func(*reports.Report, *Rows) {},
		"a row too many":       func(r *reports.Report, _ *Rows) { r.Sources[0].Rows++ },
		"a row that is lost":   func(_ *reports.Report, rows *Rows) { rows.Targets["activate"][0].Rows = 0 },
		"a cent that is lost":  func(_ *reports.Report, rows *Rows) { rows.Money["EUR"] = "7.51" },
		"a tenth of a cent":    func(_ *reports.Report, rows *Rows) { rows.Targets["activate"][1].Money["EUR"] = "2.501" },
		"another currency":     func(_ *reports.Report, rows *Rows) { rows.Money["USD"] = "1" },
		"money out of nothing": func(_ *reports.Report, rows *Rows) { rows.Targets["activate"][2].Money = map[string]string{"EUR": "1"} },
		"an amount nobody reads": func(_ *reports.Report, rows *Rows) {
			rows.Targets["activate"][2].Money = map[string]string{"EUR": "one"}
		},
		"an amount that is lost": func(_ *reports.Report, rows *Rows) { rows.Targets["activate"][2].Unpriced = 0 },
		"an order too many":      func(r *reports.Report, _ *Rows) { r.Sources[0].OrdersRead++ },
		"the balance":            func(r *reports.Report, _ *Rows) { r.Targets[0].Balance.Holds = false },
	} {
		r, rows := rowsReport()
		spoil(&r, &rows)
		p := preview(r, rows, nil)
		p.Digest = "d1"
		if holds := name == "it holds"; p.Targets[0].Holds != holds || p.sends() != holds || !p.Targets[0].Counted {
			t.Errorf("%s: it holds: %v, and may be sent: %v", name, p.Targets[0].Holds, p.sends())
		}
	}
}

// TestRowsOfOnePlace: all rows behind a figure are named, also where two reasons
// have the same words.
func TestRowsOfOnePlace(t *testing.T) {
	r, rows := rowsReport()
	lines := preview(r, rows, nil).Targets[0].Lines
	at := slices.IndexFunc(lines, func(l Line) bool { return l.Label == "not sendable" })
	if why := lines[at].Why; len(why) != 1 || why[0].Rows != 2 || why[0].At != "3, 4" || why[0].More != 7 || lines[0].At != "2" {
		t.Errorf("the rows are %+v of %+v", why, lines)
	}
}

// TestWhatAnEarlierStepLeft: neither rows nor a file with remarks of an earlier
// preview, or of an earlier sending, are taken for those of the next one.
func TestWhatAnEarlierStepLeft(t *testing.T) {
	now := time.Now()
	r, rows := rowsReport()
	r.Plan = &reports.Plan{Digest: "d1", Path: "p", Expires: now.Add(time.Hour)}
	core := &fakeCore{report: r}
	p := newPages(t, core, t.TempDir(), &now)
	u := planned(now)
	u.State, u.Planned = Planning, nil
	p.put(t, u)
	leave := func() {
		for _, dir := range []string{"checked", "marked"} {
			if err := os.MkdirAll(filepath.Join(p.store.folder(u.ID), dir), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := writeWhole(filepath.Join(p.store.folder(u.ID), dir, u.File), []byte("of before")); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeJSON(filepath.Join(p.store.folder(u.ID), RowsFile), rows); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(state State, made func(Upload) *Preview) {
		t.Helper()
		p.working.Wait()
		one, _ := p.store.get(u.ID)
		if one.State != state || made(one).Targets[0].Counted || made(one).Counted.Rows != 0 {
			t.Errorf("it is %s, and says %+v", one.State, made(one))
		}
		if w := p.as("ben", http.MethodGet, "/uploads/"+u.ID+"/marked", nil); w.Code != http.StatusNotFound {
			t.Errorf("there is a file with remarks: %d %s", w.Code, w.Body)
		}
	}
	leave()
	p.plan(u.ID)
	wants(Planned, func(u Upload) *Preview { return u.Planned })
	leave()
	if w := p.as("ben", http.MethodPost, "/uploads/"+u.ID+"/approve", approval); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	wants(Done, func(u Upload) *Preview { return u.Sent })
}
