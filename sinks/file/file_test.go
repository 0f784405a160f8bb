package file

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sinks/sinktest"
)

var asOf = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func dec(text string) reconcile.Decimal {
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func some(text string) *reconcile.Decimal { d := dec(text); return &d }

// order is a purchase of six holders, with the values that an order can have.
func order(id string) reconcile.Order {
	return reconcile.Order{
		Head: reconcile.Head{
			Key: reconcile.OrderKey{Shop: "main", Order: id}, CompletedAt: asOf.Add(-2 * time.Hour), OrderedAt: asOf.Add(-3 * time.Hour),
			Email: "Jane-" + sinktest.Canary + "@example.com", Customer: "17850", Currency: "GBP", Channel: "online", Store: "12", Language: "en-GB",
			Fields: map[string]string{"custom_shoe": "=42", "firstname": "Jane"},
			Amount: dec("15.30"), LinesSum: dec("15.30"), AmountOf: reconcile.AmountOfPrices, Lines: 1, Goods: true,
		},
		Items: []reconcile.Line{{SKU: "85123A", Name: "HOLDER <WHITE>, \"T\"", Quantity: dec("6.000"), Price: some("2.55"), LineTotal: some("15.30")},
			{SKU: "NONE", Quantity: dec("0"), Price: some("1")}},
	}
}

func open(t *testing.T, dir string, o Options) *Sink {
	t.Helper()
	o.Name, o.Batch = "out", 10
	o.Path = filepath.Join(dir, "events-{date}.txt")
	if o.Clock == nil {
		o.Clock = func() time.Time { return asOf }
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compose(t *testing.T, s *Sink, ids ...string) []reconcile.Event {
	t.Helper()
	var all []reconcile.Event
	for _, id := range ids {
		events, err := s.Compose(order(id), s.Expect(order(id).Head, asOf), reconcile.Carts{}, asOf)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
	return all
}

// wants wants one verdict of every event.
func wants(t *testing.T, got []reconcile.Outcome, events []reconcile.Event, v reconcile.Verdict, stop bool) {
	t.Helper()
	for i, o := range got {
		if o.ID != events[i].ID || o.Verdict != v || o.Stop != stop || strings.Contains(o.Why, os.TempDir()) {
			t.Errorf("outcome %d: %+v, want %s, stop %v", i, o, v, stop)
		}
	}
	if len(got) != len(events) {
		t.Errorf("%d outcomes of %d events", len(got), len(events))
	}
}

func content(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "events-2026-11-20.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSuite(t *testing.T) {
	for _, format := range []Format{JSONLines, CSV} {
		sinktest.RunLocal(t, sinktest.Suite{
			New:    func(t *testing.T, _ string) reconcile.Sink { return open(t, "nowhere", Options{Format: format}) },
			Orders: func() []reconcile.Order { return []reconcile.Order{order("1"), order("2")} },
			AsOf:   asOf,
		})
	}
}

func TestLines(t *testing.T) {
	for name, tc := range map[string]struct {
		options Options
		want    string
	}{
		"json lines": {Options{}, `{"action":"purchase","amount":"15.3","channel":"online","completed_at":"2026-11-20T10:00:00Z","currency":"GBP",` +
			`"custom":{"custom_shoe":"=42"},"email":"Jane-canary3f9a@example.com","id":"purchase/main/007","language":"en-GB",` +
			`"lines":[{"line_total":"15.3","name":"HOLDER \u003cWHITE\u003e, \"T\"","price":"2.55","quantity":"6","sku":"85123A"}],` +
			`"order":"007","ordered_at":"2026-11-20T09:00:00Z","shop":"main","store":"12"}` + "\n"},
		"csv": {Options{Format: CSV, Email: EmailSHA256, OrderID: func(h reconcile.Head) (string, error) { return "=W" + h.Key.Order, nil }},
			"id,action,order,shop,channel,store,ordered_at,completed_at,amount,currency,email,language,custom,lines\n" +
				`purchase/main/007,purchase,'=W007,main,online,12,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,15.3,GBP,` +
				`389af46564e76fcb727c7ff6c2a4b9e7e29cab0d4ab3a60d1ba37674a3a43d2d,en-GB,"{""custom_shoe"":""=42""}",` +
				`"[{""line_total"":""15.3"",""name"":""HOLDER \u003cWHITE\u003e, \""T\"""",""price"":""2.55"",""quantity"":""6"",""sku"":""85123A""}]"` + "\n"},
	} {
		dir := t.TempDir()
		s := open(t, dir, tc.options)
		events := compose(t, s, "007")
		wants(t, s.Send(t.Context(), events), events, reconcile.Sent, false)
		if got := content(t, dir); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.want)
		}
	}
	if s := open(t, t.TempDir(), Options{Email: EmailNone}); strings.Contains(string(compose(t, s, "1")[0].Body), "@") {
		t.Error("an address is written that is not wanted")
	}
}

// An event that a run was cut off over is written once, whether the crash came
// before its line or behind it.
func TestACrashNeitherLosesNorDoubles(t *testing.T) {
	for _, format := range []Format{JSONLines, CSV} {
		dir := t.TempDir()
		before := open(t, dir, Options{Format: format})
		if err := before.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		before.Send(t.Context(), compose(t, before, "1")) // and no answer was settled
		s := open(t, dir, Options{Format: format})
		events := compose(t, s, "1", "2", "3")
		for i := range events[:2] {
			events[i].Doubt = reconcile.Doubting{Reason: reconcile.ReasonLostClaim, At: asOf}
		}
		wants(t, s.Send(t.Context(), events), events, reconcile.Sent, false)
		for _, e := range events {
			if n := strings.Count(content(t, dir), string(e.ID)); n != 1 {
				t.Errorf("%s%s stands %d times", format, e.ID, n)
			}
		}
		if answers, err := s.Confirm(t.Context(), []reconcile.EventID{events[0].ID, "purchase/main/9"}); err != nil ||
			len(answers) != 1 || answers[events[0].ID] != reconcile.AnswerYes {
			t.Errorf("asked: %v, %v", answers, err)
		}
	}
}

// Where nobody can tell whether the line was written, it is not written again.
func TestWhatCannotBeKnownStaysInDoubt(t *testing.T) {
	for name, tc := range map[string]struct {
		doubt  reconcile.Doubting
		change func(dir string) error
	}{
		"the file was taken away":   {reconcile.Doubting{Reason: reconcile.ReasonLostClaim, At: asOf}, func(dir string) error { return os.Remove(filepath.Join(dir, "events-2026-11-20.txt")) }},
		"from before the book":      {reconcile.Doubting{Reason: reconcile.ReasonLostClaim, At: asOf.Add(-time.Hour)}, func(string) error { return nil }},
		"an answer that was unsure": {reconcile.Doubting{Reason: reconcile.ReasonNoAnswer, At: asOf}, func(string) error { return nil }},
	} {
		dir := t.TempDir()
		open(t, dir, Options{}).Send(t.Context(), compose(t, open(t, dir, Options{}), "1"))
		if err := tc.change(dir); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{})
		events := compose(t, s, "2")
		events[0].Doubt = tc.doubt
		wants(t, s.Send(t.Context(), events), events, reconcile.InDoubt, true)
		if text, _ := os.ReadFile(filepath.Join(dir, "events-2026-11-20.txt")); strings.Contains(string(text), "main/2") {
			t.Errorf("%s: it was written", name)
		}
	}
}

func TestWhatCannotBeWrittenIsNotSent(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "events-2026-11-20.txt"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	events := compose(t, s, "1", "2")
	wants(t, s.Send(t.Context(), events), events, reconcile.Retryable, true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, o := range open(t, t.TempDir(), Options{}).Send(ctx, events) {
		if o.Verdict != reconcile.Unsent || o.Reason != reconcile.ReasonInterrupted || len(o.Attempts) != 0 {
			t.Errorf("interrupted: %+v", o)
		}
	}
}

func TestManyWorkersWriteWholeLines(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			s := open(t, dir, Options{})
			for i := range 10 {
				s.Send(t.Context(), compose(t, s, strings.Repeat("x", w+1)+string(rune('a'+i))))
			}
		})
	}
	group.Wait()
	ids := map[string]bool{}
	for l := range strings.Lines(content(t, dir)) {
		var got struct{ ID string }
		if err := json.Unmarshal([]byte(l), &got); err != nil || ids[got.ID] {
			t.Errorf("%q: %v", l, err)
		}
		ids[got.ID] = true
	}
	if len(ids) != 40 {
		t.Errorf("%d lines", len(ids))
	}
}
