package sinktest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"makegood/reconcile"
)

// expect: pure, one id per event, a kind that the traits know.
func (s Suite) expect(t *testing.T) {
	sink := s.New(t, "http://127.0.0.1:1")
	if sink.Name() == "" || sink.Name() != s.New(t, "http://127.0.0.1:2").Name() {
		t.Errorf("the name is %q and must not depend on the address", sink.Name())
	}
	ids := map[reconcile.EventID]bool{}
	before, orders := s.Orders(), s.Orders()
	for i, o := range orders {
		wants := sink.Expect(o.Head, s.AsOf)
		if !reflect.DeepEqual(wants, sink.Expect(o.Head, s.AsOf)) {
			t.Errorf("order %s: two calls, two answers", o.Key.Order)
		}
		for _, w := range wants {
			if ids[w.ID] {
				t.Errorf("%s stands twice", w.ID)
			}
			ids[w.ID] = true
			if key, err := w.ID.Key(); err != nil || key != o.Key || w.ID.Kind() != w.Kind {
				t.Errorf("%s is not of order %s, or not a %s", w.ID, o.Key.Order, w.Kind)
			}
			if sink.Traits()[w.Kind].MaxBatch < 1 {
				t.Errorf("%s: the traits do not know %s", w.ID, w.Kind)
			}
			facts := reconcile.FactsOf(o.Head)
			if n := w.ID.Position(); n > 0 {
				facts = reconcile.LinkFacts(o.Head, n)
			}
			if w.Person != reconcile.PersonOf(o.Head) || w.Facts != facts {
				t.Errorf("%s: person or facts are not those of the order", w.ID)
			}
		}
		if !reflect.DeepEqual(orders[i], before[i]) {
			t.Errorf("order %s was changed", o.Key.Order)
		}
	}
}

// compose: pure, deterministic, canonical bodies, and nothing of a want lost.
func (s Suite) compose(t *testing.T) {
	sink := s.New(t, "http://127.0.0.1:1")
	first, second := s.events(t, sink), s.events(t, sink)
	if !reflect.DeepEqual(first, second) {
		t.Error("two calls, two answers")
	}
	for _, o := range s.Orders() {
		wants := sink.Expect(o.Head, s.AsOf)
		events, err := sink.Compose(o, wants, s.Known, s.AsOf)
		holds, _ := reconcile.HeldIn(err)
		if len(events)+len(holds) != len(wants) {
			t.Errorf("order %s: %d wants gave %d events and %d holds", o.Key.Order, len(wants), len(events), len(holds))
		}
		if !reflect.DeepEqual(o, s.order(o.Key)) {
			t.Errorf("order %s was changed", o.Key.Order)
		}
	}
	for _, e := range first {
		checkBody(t, e)
	}
}

func (s Suite) order(key reconcile.OrderKey) (found reconcile.Order) {
	for _, o := range s.Orders() {
		if o.Key == key {
			found = o
		}
	}
	return found
}

// checkBody: the body is canonical JSON, and a plan file gives it back byte for
// byte.
func checkBody(t *testing.T, e reconcile.Event) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(e.Body))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		t.Errorf("%s: the body is no JSON object: %v", e.ID, err)
	}
	if again, err := json.Marshal(value); err != nil || !bytes.Equal(again, e.Body) {
		t.Errorf("%s: the body is not canonical: %s", e.ID, e.Body)
	}
	line, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back reconcile.Event
	if err := json.Unmarshal(line, &back); err != nil || !bytes.Equal(back.Body, e.Body) {
		t.Errorf("%s: a plan file changes the body to %s", e.ID, back.Body)
	}
	if e.Action == "" || e.Kind != e.ID.Kind() {
		t.Errorf("%s: action %q, kind %q", e.ID, e.Action, e.Kind)
	}
}

// held: a want with a hold never becomes an event.
func (s Suite) held(t *testing.T) {
	sink := s.New(t, "http://127.0.0.1:1")
	for _, o := range s.Orders() {
		wants := sink.Expect(o.Head, s.AsOf)
		for i := range wants {
			wants[i].Hold = reconcile.ReasonSuppressed
		}
		events, err := sink.Compose(o, wants, s.Known, s.AsOf)
		holds, ok := reconcile.HeldIn(err)
		if len(events) != 0 || !ok || len(holds) != len(wants) {
			t.Errorf("order %s: %d events, %d of %d holds", o.Key.Order, len(events), len(holds), len(wants))
		}
		for _, h := range holds {
			if h.Reason != reconcile.ReasonSuppressed {
				t.Errorf("%s is held back as %s", h.ID, h.Reason)
			}
		}
	}
}
