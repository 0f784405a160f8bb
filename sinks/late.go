package sinks

import (
	"maps"
	"time"

	"makegood/reconcile"
)

// Lateness is the mark that late messages carry (RULES R17), so that
// automations at the platform can leave them out.
type Lateness struct {
	After time.Duration // an order completed longer ago is late; 0: none is
	Field string        // custom_...
	Value string
}

// Late gives orders that are late, as the plan is made, a field that says so.
// The platform must send custom fields on.
func Late(s reconcile.Sink, mark Lateness) reconcile.Sink {
	if mark.After <= 0 {
		return s
	}
	return &late{s, mark}
}

type late struct {
	reconcile.Sink
	mark Lateness
}

// Unwrap gives what it wears, so that it can be asked.
func (l *late) Unwrap() reconcile.Sink { return l.Sink }

func (l *late) Compose(o reconcile.Order, wants []reconcile.Want, known reconcile.Carts, asOf time.Time) ([]reconcile.Event, error) {
	if asOf.Sub(o.CompletedAt) > l.mark.After {
		fields := maps.Clone(o.Fields)
		if fields == nil {
			fields = map[string]string{}
		}
		fields[l.mark.Field] = l.mark.Value
		o.Fields = fields
	}
	return l.Sink.Compose(o, wants, known, asOf)
}
