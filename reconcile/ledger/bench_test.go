package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

func tickets(n int) []reconcile.Ticket {
	list := make([]reconcile.Ticket, n)
	for i := range list {
		list[i].Event = event(fmt.Sprintf("%06d", i))
	}
	return list
}

// settleAll claims and settles tickets in batches of 100 by 4 workers.
func settleAll(b *testing.B, led *ledger.Store, run reconcile.RunID, list []reconcile.Ticket) {
	batches := make(chan []reconcile.Ticket)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for batch := range batches {
				taken, _, err := led.Claim(context.Background(), "activate", run, batch)
				if err != nil || len(taken) != len(batch) {
					b.Errorf("took %d of %d: %v", len(taken), len(batch), err)
				}
				outcomes := make([]reconcile.Outcome, len(taken))
				for i, id := range taken {
					outcomes[i] = reconcile.Outcome{ID: id, Version: 1, Verdict: reconcile.Sent}
				}
				if _, err := led.Settle(context.Background(), "activate", run, outcomes); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for batch := range slices.Chunk(list, 100) {
		batches <- batch
	}
	close(batches)
	wg.Wait()
}

func BenchmarkClaimSettle(b *testing.B) {
	const events = 18356
	list := tickets(events)
	for b.Loop() {
		b.StopTimer()
		led := open(b, filepath.Join(b.TempDir(), "l.db"), options())
		begin(b, led, "r")
		b.StartTimer()
		settleAll(b, led, "r", list)
	}
	b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkFind(b *testing.B) {
	const events = 100000
	led := open(b, filepath.Join(b.TempDir(), "l.db"), options())
	begin(b, led, "r")
	list := tickets(events)
	settleAll(b, led, "r", list)
	ids := make([]reconcile.EventID, events)
	for i, t := range list {
		ids[i] = t.Event.ID
	}
	slices.Sort(ids)
	for b.Loop() {
		found, err := led.Find(context.Background(), "activate", ids)
		if err != nil || len(found) != events {
			b.Fatalf("found %d, %v", len(found), err)
		}
	}
	b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "ids/s")
}
