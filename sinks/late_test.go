package sinks

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// composing keeps the fields of the orders that it is to compose.
type composing struct {
	reconcile.Sink
	fields []map[string]string
}

func (c *composing) Compose(o reconcile.Order, _ []reconcile.Want, _ reconcile.Carts, _ time.Time) ([]reconcile.Event, error) {
	c.fields = append(c.fields, o.Fields)
	return nil, nil
}

func TestLateOrdersAreMarked(t *testing.T) {
	asOf := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		age    time.Duration
		fields map[string]string
		want   string
	}{
		"in time":           {24 * time.Hour, nil, ""},
		"late":              {24*time.Hour + 1, nil, "yes"},
		"late, with others": {48 * time.Hour, map[string]string{"custom_shoe": "42"}, "yes"},
		"from the future":   {-time.Hour, nil, ""},
	} {
		inner := &composing{}
		order := reconcile.Order{Head: reconcile.Head{CompletedAt: asOf.Add(-tc.age), Fields: tc.fields}}
		s := Late(inner, Lateness{24 * time.Hour, "custom_sent_late", "yes"})
		if _, err := s.Compose(order, nil, reconcile.Carts{}, asOf); err != nil {
			t.Fatal(err)
		}
		if got := inner.fields[0]["custom_sent_late"]; got != tc.want {
			t.Errorf("%s: the mark is %q, want %q", name, got, tc.want)
		}
		if tc.fields != nil && (inner.fields[0]["custom_shoe"] != "42" || len(tc.fields) != 1) {
			t.Errorf("%s: got %v, and the order's own fields are now %v", name, inner.fields[0], tc.fields)
		}
	}
	if inner := (&composing{}); Late(inner, Lateness{}) != reconcile.Sink(inner) {
		t.Error("no mark, and yet something is worn")
	}
}
