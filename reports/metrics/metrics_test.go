package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"makegood/reconcile"
	"makegood/reports"
)

var at = time.Date(2026, 11, 2, 2, 30, 0, 0, time.UTC)

func count(orders int, eur string) reports.Count {
	return reports.Count{Orders: orders, Events: orders, Money: map[string]string{"EUR": eur}}
}

func night() reports.Report {
	return reports.Report{Schema: reports.Schema, Command: "run", PersonNeeded: []reports.Need{{Target: "activate", What: "doubt", Count: 2}}, StillThere: []reports.Need{{}, {}},
		Sources: []reports.Source{{Source: "shop", Rows: 30, Orders: 10, OutsideWindow: 3, Bad: 1, Merged: 2, LeftOut: []reports.LeftOut{{Orders: 4}, {Orders: 5}},
			Newest: at.Add(-time.Hour), Stores: []reports.Store{{Silent: true}, {}}}},
		Targets: []reports.Target{{Target: "activate", Balance: reports.Balance{Eligible: count(10, "100.25"), Sent: count(5, "50.25"), AlreadySent: count(1, "10"),
			InDoubt: count(2, "20"), Left: count(2, "20"), Holds: true},
			Reasons:   []reports.Reason{{Bucket: reconcile.BucketLeft, Reason: "retry_later", Count: count(2, "20")}},
			CoveredTo: map[string]time.Time{"shop": at.Add(-24 * time.Hour), "tills": at},
			Expiring:  &reports.Expiring{Count: count(1, "10"), First: at.Add(time.Hour)}, Stopped: "too many refusals"}}}
}

func ended(command string, exit int, ago time.Duration, report reports.Report) Run {
	return Run{Command: command, Exit: exit, Started: at.Add(-ago - 90*time.Second), Finished: at.Add(-ago), Report: report}
}

func text(t *testing.T, runs []Run, want Wanted) string {
	t.Helper()
	var out strings.Builder
	if err := Write(&out, Of(runs, want), ""); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// has wants lines in a text, and others not.
func has(t *testing.T, got string, want []string, not ...string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains(got, line) {
			t.Errorf("%s is not in\n%s", line, got)
		}
	}
	for _, part := range not {
		if strings.Contains(got, part) {
			t.Errorf("%s is in\n%s", part, got)
		}
	}
}

func TestOf(t *testing.T) {
	failed := reports.Report{Schema: reports.Schema, Sources: []reports.Source{{Source: "shop", Error: "gone"}}}
	old := night()
	old.Targets[0].Balance.Sent = count(999, "1")
	got := text(t, []Run{
		ended("run", 3, 0, failed), ended("apply", 12, time.Minute, reports.Report{}),
		ended("run", 2, 24*time.Hour, night()), ended("run", 0, 48*time.Hour, old),
	}, Wanted{Sources: []string{"shop"}, Targets: []string{"activate"}})
	has(t, got, []string{
		`makegood_last_run_timestamp_seconds{command="run",schedule="",targets="activate"} 1.7935866e+09`, `makegood_last_success_timestamp_seconds{command="run",schedule="",targets="activate"} 1.7935002e+09`,
		`makegood_target_last_success_timestamp_seconds{target="activate"} 1.7935002e+09`,
		`makegood_last_run_exit_code{command="run",schedule="",targets="activate"} 3`, `makegood_last_run_exit_code{command="apply",schedule="",targets="activate"} 12`, `makegood_last_run_duration_seconds{command="run",schedule="",targets="activate"} 90`,
		`makegood_problems{command="run",news="new",schedule="",targets="activate"} 0`, `makegood_source_failed{source="shop"} 1`, `makegood_source_rows{source="shop"} 0`,
		`makegood_events{bucket="sent",target="activate"} 5`, `makegood_orders{bucket="held_back",target="activate"} 0`, `makegood_money{bucket="sent",currency="EUR",target="activate"} 50.25`,
		`makegood_missing_orders{target="activate"} 9`, `makegood_missing_money{currency="EUR",target="activate"} 90.25`,
		`makegood_oldest_unsent_timestamp_seconds{target="activate"} 1.7935002e+09`, `makegood_expiring_events{target="activate"} 1`,
		`makegood_expiring_first_timestamp_seconds{target="activate"} 1.7935902e+09`, `makegood_target_stopped{target="activate"} 1`,
		"# HELP makegood_events Messages of this period",
	}, `makegood_last_success_timestamp_seconds{command="apply"`, "999")
	got = text(t, []Run{ended("run", 0, 0, night())}, Wanted{})
	has(t, got, []string{`makegood_source_orders{outcome="left_out",source="shop"} 9`, `makegood_source_orders{outcome="in_period",source="shop"} 10`,
		`makegood_source_silent_stores{source="shop"} 1`, `makegood_source_newest_order_timestamp_seconds{source="shop"} 1.793583e+09`,
		`makegood_problems{command="run",news="known",schedule="",targets="activate"} 2`})
	if text(t, nil, Wanted{}) != "" {
		t.Error("there are numbers of nothing")
	}
}

// to is a report of a run to these destinations.
func to(names ...string) reports.Report {
	r := reports.Report{Schema: reports.Schema}
	for _, name := range names {
		r.Targets = append(r.Targets, reports.Target{Target: name, Balance: reports.Balance{Eligible: count(7, "7"), Sent: count(7, "7")}})
	}
	return r
}

// TestKindsOfRuns: runs to other destinations do not hide the night's, a period
// that a person named says nothing of how things stand, a run that was cut off is
// no success, and what is configured no more is gone.
func TestKindsOfRuns(t *testing.T) {
	backfilled, cut := to("activate"), to("activate")
	backfilled.Backfill, backfilled.Targets[0].Stopped = true, "too many refusals"
	cut.Error = "context canceled"
	got := text(t, []Run{
		ended("run", 2, 0, backfilled), ended("run", 1, time.Hour, cut), ended("run", 0, 2*time.Hour, to("carts")),
		ended("run", 3, 3*time.Hour, to("stores", "activate", "carts")), ended("run", 0, 24*time.Hour, to("activate", "gone")),
	}, Wanted{Sources: []string{}, Targets: []string{"activate", "carts"}})
	has(t, got, []string{
		`makegood_last_run_exit_code{command="run",schedule="",targets="activate,carts,stores"} 3`, `makegood_last_run_exit_code{command="run",schedule="",targets="carts"} 0`,
		`makegood_last_run_exit_code{command="run",schedule="",targets="activate"} 1`, `makegood_last_run_exit_code{command="backfill",schedule="",targets="activate"} 2`,
		`makegood_target_last_success_timestamp_seconds{target="activate"} 1.7935002e+09`, `makegood_target_last_success_timestamp_seconds{target="carts"} 1.7935794e+09`,
		`makegood_target_stopped{target="activate"} 0`,
	}, `makegood_last_success_timestamp_seconds{command="backfill"`, `makegood_problems{command="backfill"`, `makegood_last_success_timestamp_seconds{command="run",schedule="",targets="activate"}`, `target="gone"`, `target="stores"`)
}

// TestLacks: it is looked for until there is a run to each destination that did
// its work.
func TestLacks(t *testing.T) {
	c := Collect(Wanted{Sources: []string{"shop"}, Targets: []string{"activate"}})
	for i, r := range []Run{ended("run", 0, 0, to("carts")), ended("run", 3, 0, night()), ended("run", 0, 0, to("activate"))} {
		if !c.Lacks() {
			t.Errorf("before run %d nothing lacks", i)
		}
		c.Add(r)
	}
	if c.Lacks() {
		t.Error("something lacks")
	}
}

// TestUnsentOnPurpose: what waits for time or a person is not late.
func TestUnsentOnPurpose(t *testing.T) {
	for reason, late := range map[reconcile.Reason]bool{reconcile.ReasonPaymentPending: false, reconcile.ReasonTrial: false, reconcile.ReasonShadow: false,
		reconcile.ReasonTooYoung: false, reconcile.ReasonNeedsApproval: false, "retry_later": true} {
		r := night()
		r.Targets[0].Reasons[0].Reason = string(reason)
		if got := strings.Contains(text(t, []Run{ended("run", 0, 0, r)}, Wanted{}), oldestUnsent); got != late {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

// TestList: everything that is exported is in the list with its labels, and
// nothing else.
func TestList(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	nightly := night()
	nightly.Schedule, nightly.Slot = "nightly", at
	registry.MustRegister(Of([]Run{ended("run", 0, 0, nightly)}, Wanted{Next: map[string]func(time.Time) time.Time{"nightly": func(t time.Time) time.Time { return t }}}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, f := range families {
		exported[f.GetName()] = true
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) != len(labelsOf(f.GetName()))-len([]string{"environment", "instance"}) {
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
	numbers := Of([]Run{ended("run", 0, 0, night())}, Wanted{})
	if err := g.Push(t.Context(), numbers); err != nil || path != "/metrics/job/makegood" || method != http.MethodPut || user != "makegood" || !strings.Contains(body, "makegood_events") {
		t.Errorf("%v: %s %s by %s", err, method, path, user)
	}
	g.Environment = "shop/nl"
	if err := g.Push(t.Context(), numbers); err != nil || path != "/metrics/job/makegood/environment@base64/c2hvcC9ubA" || strings.Contains(body, "shop/nl") {
		t.Errorf("%v: %s", err, path)
	}
	var out strings.Builder
	if err := Write(&out, numbers, g.Environment); err != nil || !strings.Contains(out.String(), `makegood_target_stopped{environment="shop/nl",target="activate"} 1`) {
		t.Errorf("%v: %s", err, &out)
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

// of is a report of an entry of the schedule to destinations.
func of(schedule string, part bool, slot time.Time, names ...string) reports.Report {
	r := to(names...)
	r.Schedule, r.Part, r.Slot = schedule, part, slot
	r.Sources = []reports.Source{{Source: "shop", Orders: len(schedule), Newest: slot}}
	return r
}

// TestPartsOfTheWork: a run of a part of the work neither hides the night's nor
// stands for it. Where the parts are all of it they count together, and the one
// that was done the longest ago says how fresh the destination is.
func TestPartsOfTheWork(t *testing.T) {
	ten := func(t time.Time) time.Time { return t.Add(10 * time.Minute) }
	day := func(t time.Time) time.Time { return t.Add(24 * time.Hour) }
	want := Wanted{Sources: []string{"shop"}, Targets: []string{"stores"}, Parts: map[string][]string{"stores": {"carts"}}, Together: map[string]bool{},
		Next: map[string]func(time.Time) time.Time{"carts": ten, "nightly": day}}
	runs := []Run{ended("run", 0, time.Minute, of("carts", true, at, "stores")), ended("run", 3, 20*time.Hour, of("nightly", false, at.Add(-20*time.Hour), "stores")),
		ended("run", 0, 44*time.Hour, of("nightly", false, at.Add(-44*time.Hour), "stores"))}
	runs[0].Report.Targets[0].Balance.Sent = count(1, "1.05")
	runs[0].Report.Targets[0].Stopped = "a pause"
	got := text(t, runs, want)
	has(t, got, []string{`makegood_events{bucket="sent",target="stores"} 7`, `makegood_target_last_success_timestamp_seconds{target="stores"} 1.7934282e+09`,
		`makegood_last_run_exit_code{command="run",schedule="nightly",targets="stores"} 3`, `makegood_last_run_exit_code{command="run",schedule="carts",targets="stores"} 0`,
		`makegood_source_orders{outcome="in_period",source="shop"} 7`, `makegood_target_stopped{target="stores"} 1`,
		`makegood_schedule_next_timestamp_seconds{schedule="carts"} 1.7935872e+09`, `makegood_schedule_next_timestamp_seconds{schedule="nightly"} 1.7935146e+09`})

	want.Parts["stores"], want.Together["stores"] = []string{"carts", "orders"}, true
	runs = []Run{ended("run", 0, time.Minute, of("carts", true, at, "stores")), ended("run", 0, 11*time.Minute, of("carts", true, at, "stores")),
		ended("run", 0, 9*time.Hour, of("orders", true, at.Add(-9*time.Hour), "stores")), ended("run", 0, 24*time.Hour, of("", false, time.Time{}, "stores"))}
	runs[0].Report.Targets[0].Balance.Sent = count(1, "1.05")
	runs[2].Report.Sources[0].Newest = at.Add(time.Minute)
	got = text(t, runs[:3], want)
	has(t, got, []string{`makegood_events{bucket="sent",target="stores"} 8`, `makegood_money{bucket="sent",currency="EUR",target="stores"} 8.05`,
		`makegood_target_last_success_timestamp_seconds{target="stores"} 1.7935542e+09`, `makegood_source_newest_order_timestamp_seconds{source="shop"} 1.79358666e+09`})
	c := Collect(want)
	for i, r := range runs {
		if lacks := i < 3; c.Lacks() != lacks {
			t.Errorf("before run %d: lacks %v", i, c.Lacks())
		}
		c.Add(r)
	}
	// Of a part that never ran, a run of the whole work says how things stand.
	got = text(t, []Run{runs[0], runs[3]}, want)
	has(t, got, []string{`makegood_events{bucket="sent",target="stores"} 7`, `makegood_target_last_success_timestamp_seconds{target="stores"} 1.7935002e+09`})
	// What there is is told, where there is nothing else.
	has(t, text(t, runs[:1], want), []string{`makegood_events{bucket="sent",target="stores"} 1`, `makegood_target_last_success_timestamp_seconds{target="stores"}`, `makegood_source_orders{outcome="in_period",source="shop"} 5`})
}
