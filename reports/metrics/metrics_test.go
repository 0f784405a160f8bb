package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reports"
)

var at = time.Date(2026, 11, 2, 2, 30, 0, 0, time.UTC)

func count(orders int, eur string) reports.Count {
	return reports.Count{Orders: orders, Events: orders, Money: map[string]string{"EUR": eur}}
}

func night() reports.Report {
	return reports.Report{Command: "run", PersonNeeded: []reports.Need{{Target: "activate", What: "doubt", Count: 2}}, StillThere: []reports.Need{{}, {}},
		Sources: []reports.Source{{Source: "shop", Rows: 30, Orders: 10, OutsideWindow: 3, Bad: 1, Merged: 2, LeftOut: []reports.LeftOut{{Orders: 4}, {Orders: 5}},
			Newest: at.Add(-time.Hour), Stores: []reports.Store{{Silent: true}, {}}}},
		Targets: []reports.Target{{Target: "activate", Balance: reports.Balance{Eligible: count(10, "100.25"), Sent: count(5, "50.25"), AlreadySent: count(1, "10"),
			InDoubt: count(2, "20"), Left: count(2, "20"), Holds: true},
			Reasons:   []reports.Reason{{Bucket: reconcile.BucketLeft, Reason: "retry_later", Count: count(2, "20")}},
			CoveredTo: map[string]time.Time{"shop": at.Add(-24 * time.Hour), "tills": at},
			Expiring:  &reports.Expiring{Count: count(1, "10"), First: at.Add(time.Hour)}, Stopped: "too many refusals"}}}
}

func ended(command string, exit int, ago time.Duration, report reports.Report, err error) Run {
	return Run{Command: command, Exit: exit, Started: at.Add(-ago - 90*time.Second), Finished: at.Add(-ago),
		Report: func() (reports.Report, error) { return report, err }}
}

func text(t *testing.T, runs []Run, want Wanted) string {
	t.Helper()
	var out strings.Builder
	if err := Write(&out, Of(runs, want)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestOf(t *testing.T) {
	failed := reports.Report{Sources: []reports.Source{{Source: "shop", Error: "gone"}}}
	old := night()
	old.Targets[0].Balance.Sent = count(999, "1")
	got := text(t, []Run{
		ended("run", 3, 0, failed, nil), ended("apply", 12, time.Minute, reports.Report{}, errors.New("none")),
		ended("run", 2, 24*time.Hour, night(), nil), ended("run", 0, 48*time.Hour, old, nil),
	}, Wanted{[]string{"shop"}, []string{"activate"}})
	for _, want := range []string{
		`makegood_last_run_timestamp_seconds{command="run"} 1.7935866e+09`, `makegood_last_success_timestamp_seconds{command="run"} 1.7935002e+09`,
		`makegood_last_run_exit_code{command="run"} 3`, `makegood_last_run_exit_code{command="apply"} 12`, `makegood_last_run_duration_seconds{command="run"} 90`,
		`makegood_problems{command="run",news="new"} 0`, `makegood_source_failed{source="shop"} 1`, `makegood_source_rows{source="shop"} 0`,
		`makegood_events{bucket="sent",target="activate"} 5`, `makegood_orders{bucket="held_back",target="activate"} 0`, `makegood_money{bucket="sent",currency="EUR",target="activate"} 50.25`,
		`makegood_missing_orders{target="activate"} 9`, `makegood_missing_money{currency="EUR",target="activate"} 90.25`,
		`makegood_oldest_unsent_timestamp_seconds{target="activate"} 1.7935002e+09`, `makegood_expiring_events{target="activate"} 1`,
		`makegood_expiring_first_timestamp_seconds{target="activate"} 1.7935902e+09`, `makegood_target_stopped{target="activate"} 1`,
		"# HELP makegood_events Messages of this period",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, `makegood_last_success_timestamp_seconds{command="apply"}`) || strings.Contains(got, "999") {
		t.Errorf("got\n%s", got)
	}
	got = text(t, []Run{ended("run", 0, 0, night(), nil)}, Wanted{})
	for _, want := range []string{`makegood_source_orders{outcome="left_out",source="shop"} 9`, `makegood_source_orders{outcome="in_period",source="shop"} 10`,
		`makegood_source_silent_stores{source="shop"} 1`, `makegood_source_newest_order_timestamp_seconds{source="shop"} 1.793583e+09`,
		`makegood_problems{command="run",news="known"} 2`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if text(t, nil, Wanted{}) != "" {
		t.Error("there are numbers of nothing")
	}
}

// TestOfReadsNoMoreThanItNeeds: reports are large, and scrapes are many.
func TestOfReadsNoMoreThanItNeeds(t *testing.T) {
	read := 0
	runs := make([]Run, 100)
	for i := range runs {
		runs[i] = ended("run", 0, time.Duration(i)*time.Hour, night(), nil)
		runs[i].Report = func() (reports.Report, error) { read++; return night(), nil }
	}
	text(t, runs, Wanted{[]string{"shop"}, []string{"activate"}})
	if read != 1 {
		t.Errorf("%d reports were read", read)
	}
}

// TestList: everything that is exported is in the list with its labels, and
// nothing else.
func TestList(t *testing.T) {
	families, err := Of([]Run{ended("run", 0, 0, night(), nil)}, Wanted{}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, f := range families {
		exported[f.GetName()] = true
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) != len(labelsOf(f.GetName())) {
				t.Errorf("%s has labels %v", f.GetName(), m.GetLabel())
			}
		}
	}
	for _, m := range List() {
		if !exported[m.Name] {
			t.Errorf("%s is never exported", m.Name)
		}
	}
}

func TestPush(t *testing.T) {
	status, to := http.StatusOK, ""
	var body, path, method, user string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all, _ := io.ReadAll(r.Body)
		body, path, method = string(all), r.URL.Path, r.Method
		user, _, _ = r.BasicAuth()
		if to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(strings.Repeat("no to ann@example.com ", 10_000)))
	}))
	defer server.Close()
	g := Gateway{URL: server.URL, Job: "makegood", Username: "makegood", Password: "SECRET"}
	numbers := Of([]Run{ended("run", 0, 0, night(), nil)}, Wanted{})
	if err := g.Push(t.Context(), numbers); err != nil || path != "/metrics/job/makegood" || method != http.MethodPut || user != "makegood" || !strings.Contains(body, "makegood_events") {
		t.Errorf("%v: %s %s by %s", err, method, path, user)
	}
	for _, status = range []int{http.StatusBadRequest, http.StatusServiceUnavailable, http.StatusTemporaryRedirect} {
		to = "http://127.0.0.1:1/elsewhere"
		err := g.Push(t.Context(), numbers)
		if err == nil || strings.Contains(err.Error(), "ann@") || strings.Contains(err.Error(), "SECRET") || len(err.Error()) > 2*maxAnswer || strings.Contains(err.Error(), "refused") {
			t.Errorf("%d: %.300v", status, err)
		}
	}
	if err := (Gateway{URL: "http://127.0.0.1:1", Job: "makegood"}).Push(t.Context(), numbers); err == nil {
		t.Error("nobody listens, and it was pushed")
	}
}
