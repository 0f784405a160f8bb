package reports

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// october is an audited month: a setting changed between its two nights, a plan
// was approved, and stale evidence let pass.
func october(t *testing.T) (Audit, string) {
	t.Helper()
	zone := amsterdam(t)
	begin := time.Date(2026, 10, 1, 0, 0, 0, 0, zone)
	auditor := NewAuditor(reconcile.Window{From: begin.UTC(), To: begin.AddDate(0, 1, 0).UTC()}, zone)
	night := func(run string, settings map[string]string, sent, tooOld int) Report {
		code := 0
		money := map[string]string{"EUR": "100.5"}
		return Report{Schema: Schema, Run: run, Command: "run", Started: begin.AddDate(0, 0, sent).UTC(), Exit: &code, Settings: NewSettings(settings),
			Targets: []Target{{Target: "activate", Type: "squeezely", Balance: Balance{Sent: Count{sent, sent, money}},
				Reasons: []Reason{{reconcile.BucketHeldBack, "too_old", Count{tooOld, tooOld, money}}}}}}
	}
	before := map[string]string{"targets.activate.max_age": "30d", "targets.activate.api_key": "[secret]"}
	after := map[string]string{"targets.activate.max_age": "60d", "targets.activate.api_key": "[secret]", "suppress[0]": "\x1b[31merased.csv\u202e"}
	auditor.Before(night("run-1", before, 4, 10))
	second := night("run-2", before, 5, 10)
	second.Settings.Values = nil // told by run-1
	second.Accepted = map[string]string{"live_log": "the export of jan@example.com was late"}
	auditor.Run(second)
	third := night("run-3", after, 15, 0)
	third.Approved = &Approval{By: "night desk", Note: "checked with finance", At: begin.AddDate(0, 0, 15).UTC()}
	auditor.Run(third)
	auditor.Unread()
	var out bytes.Buffer
	lines, err := NewOrderLines(&out, zone)
	if err != nil {
		t.Fatal(err)
	}
	ten, err := reconcile.ParseDecimal("10.50")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []OrderLine{
		{Target: "activate", Source: "shop", ID: reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: "=HYPERLINK(1)"}),
			Place: reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonSentHere}, Completed: begin, Value: reconcile.Value{Amount: &ten, Currency: "EUR"},
			At: begin.Add(time.Hour), Run: "run-2", Requests: 2},
		{Target: "activate", Source: "shop", ID: reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: "1002"}),
			Place: reconcile.Place{Bucket: reconcile.BucketAlreadySent, Reason: reconcile.ReasonAssumed}, Who: "night desk", Note: "bob@example.com is there", Person: true},
		{Source: "shop", ID: reconcile.NewEventID(reconcile.KindOrder, reconcile.OrderKey{Shop: "main", Order: "1003"}), Place: reconcile.Place{Bucket: reconcile.BucketBad, Reason: reconcile.ReasonBadValue}},
	} {
		if err := auditor.Line(l); err != nil {
			t.Fatal(err)
		}
		if err := lines.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	return auditor.Audit(reconcile.LedgerHead{Ledger: "l", Epoch: 1, Sequence: 7, Hash: "ab"}, 1), out.String()
}

func TestAuditTerminal(t *testing.T) {
	audit, _ := october(t)
	var got bytes.Buffer
	if err := AuditTerminal(&got, audit, TerminalOptions{Width: 90}); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "audit.txt", got.Bytes())
}

func TestOrderLines(t *testing.T) {
	_, lines := october(t)
	rows, err := csv.NewReader(strings.NewReader(lines)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 || rows[1][0] != "'=HYPERLINK(1)" || rows[1][9] != "10.5" || rows[1][13] != "2" || rows[2][15] != "b***@example.com is there" ||
		rows[3][6] != "bad" || rows[3][4] != "" {
		t.Errorf("the lines are %q", rows)
	}
}

// TestAuditOfWorkers: what workers sent counts once, however often it was summed
// up, and also when it never was.
func TestAuditOfWorkers(t *testing.T) {
	begin := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	money := map[string]string{"EUR": "10"}
	ended := begin
	run := func(name, command string, sent int, carried ...string) Report {
		ended = ended.Add(time.Minute)
		return Report{Run: name, Command: command, Started: ended, Finished: ended, CarriedBy: carried, Accepted: map[string]string{"live_log": "it was late"},
			Targets: []Target{{Target: "activate", Balance: Balance{Sent: Count{sent, sent, money}, Refused: Count{sent / 2, sent / 2, money}}}}}
	}
	worker := func(name string, sent int) Report { return run(name, "worker", sent) }
	sum := func(name string, sent int, carried ...string) Report { return run(name, "backfill", sent, carried...) }
	failed := sum("s1", 3, "w1", "w2")
	failed.Error = "the ledger could not be read"
	for name, test := range map[string]struct {
		before, in, after []Report
		sent, refused     int
		accepted          int
	}{
		"summed up":             {in: []Report{worker("w1", 4), worker("w2", 6), sum("s1", 10, "w1", "w2")}, sent: 10, refused: 5, accepted: 1},
		"summed up twice":       {in: []Report{worker("w1", 4), sum("s1", 4, "w1"), sum("s2", 4, "w1")}, sent: 4, refused: 2, accepted: 1},
		"planned anew":          {in: []Report{worker("w1", 4), sum("s1", 4, "w1"), worker("w2", 6), sum("s2", 10, "w1", "w2")}, sent: 10, refused: 5, accepted: 1},
		"an old sum comes late": {in: []Report{worker("w1", 4), worker("w2", 6), sum("s2", 10, "w1", "w2"), sum("s1", 4, "w1")}, sent: 10, refused: 5, accepted: 1},
		"killed in between":     {in: []Report{worker("w2", 6), sum("s1", 10, "w1", "w2")}, sent: 10, refused: 5, accepted: 1},
		"never summed up":       {in: []Report{worker("w1", 4), worker("w2", 6)}, sent: 10, refused: 5, accepted: 1},
		"the sum failed":        {in: []Report{worker("w1", 4), worker("w2", 6), failed}, sent: 10, refused: 5, accepted: 1},
		"two slices":            {in: []Report{worker("w1", 4), worker("w2", 6), sum("s1", 4, "w1"), sum("s2", 6, "w2")}, sent: 10, refused: 5, accepted: 2},
		"worked on again":       {in: []Report{sum("b1", 4), sum("b2", 6, "b1")}, sent: 6, refused: 3, accepted: 1},
		"without workers":       {in: []Report{sum("b1", 4), sum("b2", 6)}, sent: 10, refused: 5, accepted: 2},
		"summed up afterwards":  {in: []Report{worker("w1", 4)}, after: []Report{sum("s1", 4, "w1")}},
		"a sum for afterwards":  {in: []Report{worker("w1", 4), sum("s1", 4, "w1")}, after: []Report{sum("s2", 10, "w1", "w2")}},
		"summed up before":      {before: []Report{sum("s2", 10, "w1", "w2")}, in: []Report{worker("w1", 4), sum("s1", 4, "w1")}},
		"sent before":           {before: []Report{worker("w1", 4)}, in: []Report{sum("s1", 4, "w1")}, sent: 4, refused: 2, accepted: 1},
	} {
		t.Run(name, func(t *testing.T) {
			auditor := NewAuditor(reconcile.Window{From: begin, To: begin.AddDate(0, 1, 0)}, time.UTC)
			for _, r := range test.before {
				auditor.Before(r)
			}
			for _, r := range test.in {
				auditor.Run(r)
			}
			for _, r := range test.after {
				auditor.After(r)
			}
			audit := auditor.Audit(reconcile.LedgerHead{}, 0)
			var sent, refused, runs int
			for _, target := range audit.Targets {
				sent, refused = sent+target.Sent.Events, refused+target.Refused.Events
			}
			for _, of := range audit.Runs {
				runs += of.Runs
			}
			if sent != test.sent || refused != test.refused || len(audit.Accepted) != test.accepted || runs != len(test.in) {
				t.Errorf("sent %d, refused %d, accepted %v, %d runs; want %d, %d, %d notes and %d runs", sent, refused, audit.Accepted, runs, test.sent, test.refused, test.accepted, len(test.in))
			}
		})
	}
}
