package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

const provenYAML = `zone: UTC
environment: test
sources:
  tills: {type: csv, path: orders.csv, currency: EUR, channel: in_store, order_unique: always, stable_for: 0s,
    may_send: {all: true, reason: "a test"}, columns: {order: id, completed_at: paid, email: email, sku: sku, quantity: n, price: price}}
evidence:
  export: {type: csv, path: export.csv, columns: {order: order_id}, shop: main, side: backend, trust: proven, covers_from: 2026-01-01}
targets:
  stores: {type: collect, mode: live, url: "%s", mid: "123456", from: [tills], channels: [in_store], send: [purchase],
    since: 2026-01-01, max_age: 36500d, rate: 1000/s, nothing_else_sends: true}
`

// TestAnExportEndsWhatIsThreeDaysOld plays what a transcript cannot: attempts
// that are old enough for an export to be complete about them.
func TestAnExportEndsWhatIsThreeDaysOld(t *testing.T) {
	sim, url := simulate(t)
	dir := t.TempDir()
	config := write(t, dir, "makegood.yaml", fmt.Sprintf(provenYAML, url))
	tried := time.Now().Add(-72 * time.Hour).UTC().Truncate(time.Second)
	var orders strings.Builder
	orders.WriteString("id,paid,email,sku,n,price\n")
	for _, id := range []string{"1001", "1002", "1003", "1004"} {
		fmt.Fprintf(&orders, "%s,%s,c%s@example.com,MUG,1,5.00\n", id, tried.Add(-time.Hour).Format(time.DateTime), id)
	}
	write(t, dir, "orders.csv", orders.String())
	write(t, dir, "export.csv", "order_id\n1002\n1003\n")
	seedLedger(t, dir, tried, map[string]reconcile.Verdict{
		"1001": reconcile.InDoubt, "1002": reconcile.Sent, "1003": reconcile.InDoubt, "1004": reconcile.Sent})

	by := []string{"resolve", "-c", config, "--by", "export", "--target", "stores", "--complete-until", tried.Add(24 * time.Hour).Format(time.RFC3339)}
	code, out, errs := makegood(t, by...)
	if code != exitPerson || errs != "" {
		t.Fatalf("exit %d\n%s%s", code, errs, out)
	}
	for _, want := range []string{
		`stores: 2 in doubt; 1 was sent; 1 was not, and goes with the next run\.`,
		`1 count as sent, and export, which should have them, does not:`,
		`(?m)^1004 +stores +5 EUR +makegood: accepted by the platform +` + regexp.QuoteMeta(tried.Format("2006-01-02 15:04 UTC")),
		`makegood resolve -c \S+ --lost --target stores --note "not in the platform's order list" 1004`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if code, out, _ = makegood(t, append(by, "--json")...); code != exitPerson || !strings.Contains(out, `"lacking_found": 1,`) {
		t.Errorf("a second time: exit %d\n%s", code, out)
	}
	if code, out, errs = makegood(t, "resolve", "-c", config, "--lost", "--note", "looked up", "1004"); code != exitDone {
		t.Fatalf("exit %d\n%s%s", code, errs, out)
	}
	r := report(t, exitDone, "run", "-c", config)
	if b := r.balance(t, "stores"); b.Sent.Events != 2 || b.AlreadySent.Events != 2 {
		t.Errorf("the balance is %+v", b)
	}
	got := map[string]int{}
	for _, c := range sim.Conversions("123456") {
		got[c.OrderNumber] += c.Count
	}
	if len(got) != 2 || got["1001"] != 1 || got["1004"] != 1 {
		t.Errorf("the platform was sent %v", got)
	}
}

// seedLedger begins a ledger with one attempt at each of some orders.
func seedLedger(t *testing.T, dir string, tried time.Time, orders map[string]reconcile.Verdict) {
	t.Helper()
	state := filepath.Join(dir, ".makegood")
	key, err := ledger.PersonKey(filepath.Join(state, "person.key"))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return tried }
	led, err := ledger.Open(t.Context(), filepath.Join(dir, "makegood.db"), ledger.Options{Key: key, Environment: "test", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	const run = "run-1"
	if err := led.Begin(t.Context(), reconcile.RunRecord{Run: run, Command: "run", Started: tried}); err != nil {
		t.Fatal(err)
	}
	amount, _ := reconcile.ParseDecimal("5")
	for id, verdict := range orders {
		e := reconcile.Event{ID: reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: id}), Kind: reconcile.KindPurchase,
			Action: reconcile.ActionPurchase, Value: reconcile.Value{Amount: &amount, Currency: "EUR"},
			Facts: reconcile.Facts{Source: "tills", CompletedAt: tried.Add(-time.Hour)}}
		if _, _, err := led.Claim(t.Context(), "stores", run, []reconcile.Ticket{{Event: e}}); err != nil {
			t.Fatal(err)
		}
		outcome := reconcile.Outcome{ID: e.ID, Version: 1, Verdict: verdict, Attempts: []reconcile.Attempt{{At: tried, Verdict: verdict}}}
		if _, err := led.Settle(t.Context(), "stores", run, []reconcile.Outcome{outcome}); err != nil {
			t.Fatal(err)
		}
	}
	if err := led.End(t.Context(), reconcile.RunEnd{Run: run, Finished: tried}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.WriteHead(filepath.Join(state, "head.json"), led.Head()); err != nil {
		t.Fatal(err)
	}
	if err := led.Close(); err != nil {
		t.Fatal(err)
	}
}
