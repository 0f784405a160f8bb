package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

func TestQuotaIsAnnounced(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	sim := simulator.New(simulator.Options{Quota: simulator.Quota{Requests: 2, Per: time.Minute}, Clock: func() time.Time { return now }})
	ask := func() *http.Response {
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/track", strings.NewReader("{}")))
		return w.Result()
	}
	for _, want := range []struct {
		pass             time.Duration
		remaining, reset string
		limited          bool
	}{{0, "1", "60", false}, {time.Second, "0", "59", false}, {500 * time.Millisecond, "0", "59", true}, {time.Minute, "1", "60", false}} {
		now = now.Add(want.pass)
		res := ask()
		limited := res.StatusCode == http.StatusTooManyRequests
		if got := res.Header; got.Get("X-RateLimit-Remaining") != want.remaining || got.Get("X-RateLimit-Reset") != want.reset ||
			got.Get("X-RateLimit-Limit") != "2" || limited != want.limited {
			t.Errorf("got %d with %v, want %+v", res.StatusCode, got, want)
		}
	}
	for _, text := range []string{"", "100", "0/1m", "5/1ms", "x/1m", "-1/1m"} {
		if q, err := simulator.ParseQuota(text); err == nil {
			t.Errorf("%q is read as %+v", text, q)
		}
	}
	if q, err := simulator.ParseQuota("100/1m"); err != nil || q != (simulator.Quota{Requests: 100, Per: time.Minute}) {
		t.Errorf("got %+v, %v", q, err)
	}
}
