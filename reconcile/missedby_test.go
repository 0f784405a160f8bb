package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"makegood/reconcile"
)

// The share that the web page missed is counted over all orders in scope, also
// those that were sent before; what has no address is nobody's to report.
func TestMissedByTheFrontEnd(t *testing.T) {
	at := func(when time.Time, channel, store string) func(*reconcile.Order) {
		return func(o *reconcile.Order) { o.CompletedAt, o.Channel, o.Store = when, channel, store }
	}
	yesterday := noon.Add(-day)
	h := newHouse(t,
		order("1", oneTea, at(noon, "online", "")), order("2", oneTea, at(noon, "in_store", "north")),
		order("3", oneTea, at(yesterday, "in_store", "south")), order("4", oneTea, at(yesterday, "in_store", "south")),
		order("5", oneTea, at(noon, "online", ""), func(o *reconcile.Order) { o.Email = "" }),
		order("6", oneTea, at(noon.Add(-4*day), "online", "")))
	h.addEvidence(reconcile.Evidence{Side: reconcile.SideFrontEnd, Trust: reconcile.ByProven, CoversFrom: noon.Add(-2 * day)}, row("1"), row("3"))
	want := []reconcile.MissedBy{
		{By: "day", Value: yesterday.Format(time.DateOnly), Had: 1, Missed: 1}, {By: "day", Value: noon.Format(time.DateOnly), Had: 1, Missed: 1},
		{By: "channel", Value: "in_store", Had: 1, Missed: 2}, {By: "channel", Value: "online", Had: 1},
		{By: "store", Value: "north", Missed: 1}, {By: "store", Value: "south", Had: 1, Missed: 1},
	}
	for range 2 {
		if got := h.run().Targets[0].MissedBy; !slices.Equal(got, want) {
			t.Errorf("missed by %+v\nwant %+v", got, want)
		}
	}
}
