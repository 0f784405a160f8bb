package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestClassify(t *testing.T) {
	for _, tc := range []struct {
		statuses []int
		verdict  reconcile.Verdict
		stop     bool
	}{
		{[]int{200, 201, 202, 204, 299}, reconcile.InDoubt, false}, // until the sink says better
		{[]int{408, 425, 429}, reconcile.Retryable, false},
		{[]int{401, 403, 404, 405, 410, 411, 415, 501}, reconcile.Retryable, true},
		{[]int{400, 402, 406, 409, 412, 413, 414, 418, 422, 431, 451, 499}, reconcile.Rejected, false},
		{[]int{300, 301, 302, 303, 304, 307, 308}, reconcile.InDoubt, true},
		{[]int{500, 502, 503, 504, 505, 507, 520, 599, 100, 199, 600, 999}, reconcile.InDoubt, false},
	} {
		for _, status := range tc.statuses {
			f := Classify(Answer{At: now, Status: status, Header: http.Header{}})
			if f.Verdict != tc.verdict || f.Stop != tc.stop || !f.NotBefore.IsZero() {
				t.Errorf("%d: got %s, stop %v, not before %v", status, f.Verdict, f.Stop, f.NotBefore)
			}
			if len(f.Why) < 6 || len(f.Why) > 80 {
				t.Errorf("%d: why is %q", status, f.Why)
			}
		}
	}
	if f := Classify(Answer{}); f.Verdict != reconcile.InDoubt {
		t.Errorf("an answer that nobody made is %s", f.Verdict)
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Second, " 7 ": 7 * time.Second, "86400": 24 * time.Hour, "86401": 24 * time.Hour,
		"99999999999999999999":          24 * time.Hour,
		"Fri, 20 Nov 2026 12:00:45 GMT": 45 * time.Second,
		"Fri, 20 Nov 2026 11:00:00 GMT": -time.Hour,
		"Sun, 20 Nov 2033 12:00:00 GMT": 24 * time.Hour,
	} {
		for _, status := range []int{429, 503} {
			f := Classify(Answer{At: now, Status: status, Header: http.Header{"Retry-After": {text}}})
			if f.Verdict != reconcile.Retryable || !f.NotBefore.Equal(now.Add(want)) {
				t.Errorf("%d, %q: got %s %v", status, text, f.Verdict, f.NotBefore)
			}
		}
	}
	for _, text := range []string{"", "-1", "1.5", "soon", "2026-11-20"} {
		f := Classify(Answer{At: now, Status: 503, Header: http.Header{"Retry-After": {text}}})
		if f.Verdict != reconcile.InDoubt || !f.NotBefore.IsZero() {
			t.Errorf("503, %q: got %s %v", text, f.Verdict, f.NotBefore)
		}
	}
	f := Classify(Answer{At: now, Status: 500, Header: http.Header{"Retry-After": {"5"}}})
	if f.Verdict != reconcile.InDoubt {
		t.Errorf("a 500 that names a time is %s", f.Verdict)
	}
}

func TestOutcomeCarriesTheAttempt(t *testing.T) {
	f := Finding{Verdict: reconcile.Rejected, Why: "400: refused", Code: "X"}
	o := f.Outcome("purchase/main/1", Answer{At: now, Status: 400})
	want := reconcile.Attempt{At: now, Verdict: reconcile.Rejected, Status: 400, Code: "X"}
	if o.ID != "purchase/main/1" || o.Verdict != reconcile.Rejected || len(o.Attempts) != 1 || o.Attempts[0] != want {
		t.Errorf("got %+v", o)
	}
}

func TestKnownCode(t *testing.T) {
	if got := KnownCode("A", "A", "B") + KnownCode("jane@example.com", "A"); got != "A" {
		t.Errorf("got %q", got)
	}
}

// No text of an answer, no address and no secret gets into words for people.
func TestWhyHoldsNothingForeign(t *testing.T) {
	url, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/canary")
		w.WriteHeader(302)
	})
	for _, target := range []string{url + "/canary", "http://canary.invalid/canary", "http://127.0.0.1:1/canary", "::canary"} {
		f := Classify(post(t, Options{Header: http.Header{"X-Key": {"canary"}}}, target))
		if f.Why == "" || strings.Contains(f.Why, "canary") || strings.Contains(f.Why, "127.0.0.1") {
			t.Errorf("%s: why is %q", target, f.Why)
		}
	}
}
