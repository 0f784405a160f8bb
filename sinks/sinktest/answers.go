package sinktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"makegood/reconcile"
)

// expected is a row of the table of contract 12.
type expected struct {
	verdict reconcile.Verdict
	stop    bool
}

// table gives the verdict of a status for one event, whatever the body says.
// Successes are not in it: what they mean is in the body.
func table() map[int]expected {
	rows := map[int]expected{
		302: {reconcile.InDoubt, true}, 307: {reconcile.InDoubt, true}, 304: {reconcile.InDoubt, true},
		500: {reconcile.InDoubt, false}, 502: {reconcile.InDoubt, false}, 503: {reconcile.InDoubt, false},
		504: {reconcile.InDoubt, false}, 599: {reconcile.InDoubt, false},
		408: {reconcile.Retryable, false}, 425: {reconcile.Retryable, false}, 429: {reconcile.Retryable, false},
	}
	for _, status := range []int{401, 403, 404, 405, 410, 411, 415, 501} {
		rows[status] = expected{reconcile.Retryable, true}
	}
	for _, status := range []int{400, 402, 409, 413, 418, 422} {
		rows[status] = expected{reconcile.Rejected, false}
	}
	return rows
}

// bodies are what a platform may say beside a status.
func (s Suite) bodies() []string {
	return []string{"", "{}", s.Accepted, `{"errors":["x"]}`, "<html>sorry</html>", `{"cut`, "[]", "null"}
}

// answering is a platform that gives one answer to everything and repeats, for
// a client that talks too much, what it was sent.
type answering struct {
	status     int
	body       string
	retryAfter string
	requests   atomic.Int32
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.requests.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Location", "/"+Canary)
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (s Suite) at(t *testing.T, platform http.Handler) reconcile.Sink {
	t.Helper()
	server := httptest.NewServer(platform)
	t.Cleanup(server.Close)
	return s.New(t, server.URL)
}

// answers: every status with every body, one event at a time.
func (s Suite) answers(t *testing.T) {
	platform := &answering{}
	sink := s.at(t, platform)
	events := s.events(t, sink)
	rows := table()
	for _, status := range slices.Sorted(maps.Keys(rows)) {
		for _, body := range s.bodies() {
			platform.status, platform.body = status, body
			platform.requests.Store(0)
			checkAnswer(t, fmt.Sprintf("%d with %q", status, body), sink, events[:1], rows[status])
			if n := platform.requests.Load(); n != 1 {
				t.Errorf("%d with %q: %d requests for one event", status, body, n)
			}
		}
	}
	for _, status := range []int{429, 503} {
		platform.status, platform.retryAfter = status, "60"
		got := checkAnswer(t, fmt.Sprintf("%d with Retry-After", status), sink, events[:1], expected{reconcile.Retryable, false})
		if wait := got.NotBefore.Sub(got.Attempts[0].At); wait.Seconds() != 60 {
			t.Errorf("%d with Retry-After 60: not before %s", status, wait)
		}
	}
}

func checkAnswer(t *testing.T, name string, sink reconcile.Sink, batch []reconcile.Event, want expected) reconcile.Outcome {
	t.Helper()
	got := sink.Send(t.Context(), batch)
	inOrder(t, batch, got)
	o := got[0]
	if o.Verdict != want.verdict || o.Stop != want.stop {
		t.Errorf("%s: %s, stop %v; want %s, stop %v", name, o.Verdict, o.Stop, want.verdict, want.stop)
	}
	if len(o.Attempts) != 1 || o.Attempts[0].At.IsZero() || o.Attempts[0].Verdict != o.Verdict {
		t.Fatalf("%s: attempts %+v", name, o.Attempts)
	}
	return o
}

// accepted: a success needs a body that can be read, and is one for each event,
// in whole batches too.
func (s Suite) accepted(t *testing.T) {
	platform := &answering{status: s.acceptedStatus(), body: s.Accepted}
	sink := s.at(t, platform)
	events := s.events(t, sink)
	for _, batch := range batches(sink, events) {
		got := sink.Send(t.Context(), batch)
		inOrder(t, batch, got)
		for _, o := range got {
			if o.Verdict != reconcile.Sent || o.Stop || len(o.Attempts) != 1 || o.Attempts[0].Status != s.acceptedStatus() {
				t.Errorf("%s: %+v", o.ID, o)
			}
		}
	}
	for _, body := range []string{"", "<html>ok</html>", `{"cut`, "[]", "null", `"ok"`, s.Accepted + "{"} {
		if platform.body = body; body != s.Accepted {
			checkAnswer(t, fmt.Sprintf("%d with %q", platform.status, body), sink, events[:1], expected{reconcile.InDoubt, false})
		}
	}
	platform.body = `{"long":"` + strings.Repeat("x", 2<<20) + `"}`
	checkAnswer(t, "an answer of 2 MiB", sink, events[:1], expected{reconcile.InDoubt, false})
}

// noAnswer: what surely never left may go again, what may have arrived is in
// doubt.
func (s Suite) noAnswer(t *testing.T) {
	sink := s.New(t, "http://127.0.0.1:1") // nobody listens on port 1
	checkAnswer(t, "no connection", sink, s.events(t, sink)[:1], expected{reconcile.Retryable, false})
	sink = s.at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}))
	checkAnswer(t, "a lost answer", sink, s.events(t, sink)[:1], expected{reconcile.InDoubt, false})
}

// interrupted: a context that has ended sends nothing.
func (s Suite) interrupted(t *testing.T) {
	platform := &answering{status: s.acceptedStatus(), body: s.Accepted}
	sink := s.at(t, platform)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	events := s.events(t, sink)
	got := sink.Send(ctx, events)
	inOrder(t, events, got)
	for _, o := range got {
		if o.Verdict != reconcile.Unsent || o.Reason != reconcile.ReasonInterrupted || len(o.Attempts) != 0 {
			t.Errorf("%s: %+v", o.ID, o)
		}
	}
	if n := platform.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// secrets: nothing of a secret, an address, or of what the platform wrote gets
// into an outcome or a hold.
func (s Suite) secrets(t *testing.T) {
	platform := &answering{}
	sink := s.at(t, platform)
	events := s.events(t, sink)
	var texts []string
	for _, status := range []int{200, 201, 202, 302, 400, 401, 429, 500} {
		for _, body := range []string{
			`{"errors":["` + Canary + `"]}`, `{"errors":[{"code":"` + Canary + `","index":0}]}`, Canary,
		} {
			platform.status, platform.body = status, body
			for _, o := range sink.Send(t.Context(), events[:1]) {
				line, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, string(line))
			}
		}
	}
	for _, o := range s.Orders() {
		o.Items = nil
		if _, err := sink.Compose(o, sink.Expect(o.Head, s.AsOf), reconcile.Carts{}, s.AsOf); err != nil {
			texts = append(texts, err.Error())
		}
	}
	for _, text := range texts {
		if strings.Contains(text, Canary) || strings.Contains(text, "@") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("tells too much: %s", text)
		}
	}
}
