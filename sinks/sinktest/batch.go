package sinktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"makegood/reconcile"
)

// Batch describes the batches of a sink that sends several events in a request.
type Batch struct {
	// Events takes a request apart into the bodies of its events.
	Events func(request []byte) []json.RawMessage
	// Refusing is the answer to a request of n events of which some are bad, and
	// whether the platform keeps the others.
	Refusing func(request []byte, bad []int) (status int, body string, keeps bool)
	// MaxBody is the largest request in bytes; 0: the sink knows no limit.
	MaxBody int
	// Sized makes an order whose event is about so many bytes, with that number.
	Sized func(n, bytes int) reconcile.Order
	// TooLarge is the size of an event that no request could hold.
	TooLarge int
}

// book is a platform that takes requests apart, and keeps what it accepts.
type book struct {
	Suite
	bad func(event []byte) bool
	// before runs before a request is answered.
	before func()

	mu       sync.Mutex
	kept     map[string]int // by the canonical body
	requests int
	largest  int
}

func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests++
	b.largest = max(b.largest, len(request))
	status, answer, keeps := b.acceptedStatus(), b.Accepted, true
	events := b.Batch.Events(request)
	var bad []int
	for i, e := range events {
		if b.bad != nil && b.bad(canonical(e)) {
			bad = append(bad, i)
		}
	}
	if len(bad) > 0 {
		status, answer, keeps = b.Batch.Refusing(request, bad)
	}
	for i, e := range events {
		if keeps && !slices.Contains(bad, i) {
			b.kept[string(canonical(e))]++
		}
	}
	if b.before != nil {
		b.before()
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// canonical is an event as Compose writes it.
func canonical(event []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(event))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return event
	}
	text, _ := json.Marshal(value) // it was read from JSON
	return text
}

func (s Suite) book(t *testing.T) (*book, reconcile.Sink) {
	b := &book{Suite: s, kept: map[string]int{}}
	return b, s.at(t, b)
}

// batches: everything that must hold of a request with several events.
func (s Suite) batchCases(t *testing.T) {
	t.Run("answers", s.batchAnswers)
	t.Run("some are refused", s.someRefused)
	t.Run("cancelled", s.cancelled)
	t.Run("sizes", s.sizes)
	t.Run("secrets", s.batchSecrets)
}

// batchAnswers: what the table says of one event it says of each of several,
// and a batch that is too large is taken apart.
func (s Suite) batchAnswers(t *testing.T) {
	platform := &answering{}
	sink := s.at(t, platform)
	events := batches(sink, s.events(t, sink))[0]
	rows := table()
	for _, status := range slices.Sorted(maps.Keys(rows)) {
		for _, body := range s.bodies() {
			platform.status, platform.body = status, body
			platform.requests.Store(0)
			name := fmt.Sprintf("%d with %q", status, body)
			got := sink.Send(t.Context(), events)
			inOrder(t, events, got)
			for _, o := range got {
				if o.Verdict != rows[status].verdict || o.Stop != rows[status].stop || len(o.Attempts) == 0 {
					t.Errorf("%s: %s is %s, stop %v, after %d attempts", name, o.ID, o.Verdict, o.Stop, len(o.Attempts))
				}
			}
			n := int(platform.requests.Load())
			if status == http.StatusRequestEntityTooLarge && n < len(events) || rows[status].stop && n != 1 {
				t.Errorf("%s: %d requests for %d events", name, n, len(events))
			}
		}
	}
}

// someRefused: the bad events of a batch are refused by their own ids, the
// others are accepted, each once.
func (s Suite) someRefused(t *testing.T) {
	for bad := 1; bad <= 2; bad++ {
		b, sink := s.book(t)
		events := batches(sink, s.events(t, sink))[0]
		b.bad = func(event []byte) bool {
			return slices.ContainsFunc(events[len(events)-bad:], func(e reconcile.Event) bool { return bytes.Equal(e.Body, event) })
		}
		got := sink.Send(t.Context(), events)
		inOrder(t, events, got)
		for i, o := range got {
			want, kept := reconcile.Sent, 1
			if i >= len(events)-bad {
				want, kept = reconcile.Rejected, 0
			}
			if o.Verdict != want || o.Stop || b.kept[string(events[i].Body)] != kept {
				t.Errorf("%d bad: %s is %s (%s), kept %d times", bad, o.ID, o.Verdict, o.Why, b.kept[string(events[i].Body)])
			}
		}
	}
}

// cancelled: a context that ends while the first request is under way lets no
// other one follow, and what that request brought is told.
func (s Suite) cancelled(t *testing.T) {
	b, sink := s.book(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.before = cancel
	events := batches(sink, s.events(t, sink))[0]
	b.bad = func(event []byte) bool { return bytes.Equal(event, events[0].Body) }
	got := sink.Send(ctx, events)
	inOrder(t, events, got)
	if b.requests != 1 {
		t.Errorf("%d requests", b.requests)
	}
	for i, o := range got {
		kept := b.kept[string(events[i].Body)]
		if kept > 1 || kept == 1 && o.Verdict != reconcile.Sent && o.Verdict != reconcile.InDoubt || kept == 0 && o.Verdict == reconcile.Sent {
			t.Errorf("%s is %s and was kept %d times", o.ID, o.Verdict, kept)
		}
	}
}

// sizes: requests stay below the limit, and an event beyond it is held back
// alone.
func (s Suite) sizes(t *testing.T) {
	if s.Batch.MaxBody == 0 {
		t.Skip("no limit of size is known")
	}
	b, sink := s.book(t)
	var events []reconcile.Event
	for i := range 12 {
		o := s.Batch.Sized(i, s.Batch.MaxBody/5)
		made, err := sink.Compose(o, sink.Expect(o.Head, s.AsOf), s.Known, s.AsOf)
		if err != nil || len(made) != 1 {
			t.Fatalf("order %d gave %d events: %v", i, len(made), err)
		}
		events = append(events, made...)
	}
	got := sink.Send(t.Context(), events)
	inOrder(t, events, got)
	for i, o := range got {
		if o.Verdict != reconcile.Sent || b.kept[string(events[i].Body)] != 1 {
			t.Errorf("%s is %s, kept %d times", o.ID, o.Verdict, b.kept[string(events[i].Body)])
		}
	}
	if b.requests < 3 || b.requests > 6 || b.largest > s.Batch.MaxBody {
		t.Errorf("%d requests, the largest of %d bytes", b.requests, b.largest)
	}
	o := s.Batch.Sized(99, s.Batch.TooLarge)
	made, err := sink.Compose(o, sink.Expect(o.Head, s.AsOf), s.Known, s.AsOf)
	holds, ok := reconcile.HeldIn(err)
	if len(made) != 0 || !ok || len(holds) != 1 || holds[0].Reason != reconcile.ReasonCannotCompose || holds[0].Text == "" {
		t.Errorf("an event of %d bytes: %d events, %v", s.Batch.TooLarge, len(made), err)
	}
}

// batchSecrets: an answer that repeats what was sent tells nobody.
func (s Suite) batchSecrets(t *testing.T) {
	b, sink := s.book(t)
	events := batches(sink, s.events(t, sink))[0]
	var request []byte
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ = io.ReadAll(r.Body)
		status, body, _ := b.Batch.Refusing(request, []int{0})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Replace(body, `"errors":[`, `"seen":`+string(request)+`,"errors":[`, 1))
	})
	for _, o := range s.at(t, echo).Send(t.Context(), events) {
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(line), Canary) || strings.Contains(string(line), "@") {
			t.Errorf("tells too much: %s", line)
		}
	}
	if !strings.Contains(string(request), Canary) {
		t.Error("the request held no canary: nothing could have been told")
	}
}
