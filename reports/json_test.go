package reports

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"makegood/reconcile"
)

// designJSON is DESIGN.md section 6, with this test's run and times.
const designJSON = `{"schema": 1, "run": "01934f2e-7a10-7cc3-98c4-dc0c0c07398f", "command": "run",
 "started": "2026-11-21T01:30:00Z", "finished": "2026-11-21T01:41:07Z",
 "window": {"from": "2010-12-01T00:00:00Z", "to": "2011-12-10T00:00:00Z"},
 "sources": [{"source": "shop", "rows": 541909, "orders_read": 25900, "outside_window": 0,
              "left_out": [{"reason": "cancelled", "orders": 3836}, {"reason": "bad_debt", "orders": 3}],
              "bad": 0, "merged": 0, "orders": 22061, "rows_without_order": 0}],
 "targets": [{"target": "activate",
   "balance": {
     "not_for_target": {"orders": 0, "events": 0, "money": {}},
     "eligible":       {"orders": 22061, "events": 22061, "money": {"GBP": "10655622.484"}},
     "sent":           {"orders": 18356, "events": 18356, "money": {"GBP": "8785927.524"}},
     "already_sent":   {"orders": 0, "events": 0, "money": {}},
     "held_back":      {"orders": 3705, "events": 3705, "money": {"GBP": "1869694.96"}},
     "refused": {"orders": 0, "events": 0, "money": {}}, "in_doubt": {"orders": 0, "events": 0, "money": {}},
     "left":    {"orders": 0, "events": 0, "money": {}},
     "holds": true},
   "reasons": [{"bucket": "held_back", "reason": "no_email", "orders": 3705, "events": 3705, "money": {"GBP": "1869694.96"}}]}]}`

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func written(t *testing.T, r reconcile.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, Build(r, Options{})); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// only keeps the keys of got that want has too: keys may be added to the
// report, to its sources and to its targets, and nowhere else.
func only(got, want map[string]any) map[string]any {
	kept := map[string]any{}
	for key := range want {
		kept[key] = got[key]
	}
	for _, list := range []string{"sources", "targets"} {
		if _, has := want[list]; !has {
			continue
		}
		var items []any
		for i, item := range got[list].([]any) {
			items = append(items, only(item.(map[string]any), want[list].([]any)[i].(map[string]any)))
		}
		kept[list] = items
	}
	return kept
}

func TestJSONIsTheDesigns(t *testing.T) {
	got, want := parsed(t, written(t, design())), parsed(t, designJSON)
	if got := only(got, want); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestJSONBegins(t *testing.T) {
	text := written(t, design())
	at := -1
	for _, key := range []string{"schema", "run", "command", "started", "finished", "window", "sources", "targets", "head", "zone"} {
		next := strings.Index(text, "\n  \""+key+"\"")
		if next <= at {
			t.Errorf("key %q stands at %d, after one at %d", key, next, at)
		}
		at = next
	}
}

func TestJSONOfNothing(t *testing.T) {
	text := written(t, reconcile.Result{Targets: []reconcile.TargetResult{{Target: "a"}}, Sources: []reconcile.SourceResult{{Source: "s"}}})
	if strings.Contains(text, "null") {
		t.Errorf("a list or a sum is null:\n%s", text)
	}
	if text := written(t, reconcile.Result{}); strings.Contains(text, "null") {
		t.Errorf("a list is null:\n%s", text)
	}
}

func TestMoneyOfBuckets(t *testing.T) {
	held := func(r reconcile.Reason) reconcile.Place {
		return reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: r}
	}
	b := reconcile.Balance{Places: places{
		held(reconcile.ReasonNoEmail):  n(2, 2, "0.00", "EUR", "12.50", "GBP"),
		held(reconcile.ReasonTooOld):   n(0, 0, "0", "SEK"),
		held(reconcile.ReasonNoCart):   n(1, 1),
		held(reconcile.ReasonExchange): n(1, 1, "-0.5", "GBP"),
	}}
	got := buildBalance(&b).HeldBack
	want := Count{4, 4, map[string]string{"EUR": "0", "GBP": "12"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("held back %v, want %v: a currency without events is left out, one that sums to zero stays", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{`{"schema": 2}`, `{}`, `no report`} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("read %q without an error", text)
		}
	}
}
