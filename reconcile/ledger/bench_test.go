package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

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

// BenchmarkClaimSettle claims and settles a year of a shop on a ledger in a file, and
// in PostgreSQL by one and by four handles, as of so many processes.
func BenchmarkClaimSettle(b *testing.B) {
	for name, handles := range map[string]int{"file": 1, "postgres": 1, "postgres, 4 handles": 4} {
		b.Run(name, func(b *testing.B) {
			const events = 18356
			list := tickets(events)
			for b.Loop() {
				b.StopTimer()
				place := filepath.Join(b.TempDir(), "l.db")
				if name != "file" {
					place = postgres(b)
				}
				var led []*ledger.Store
				for n := range handles {
					led = append(led, open(b, place, options()))
					begin(b, led[n], reconcile.RunID(fmt.Sprint("r", n)))
				}
				b.StartTimer()
				var all sync.WaitGroup
				for n, part := range slices.Collect(slices.Chunk(list, (events+handles-1)/handles)) {
					all.Go(func() { settleAll(b, led[n], reconcile.RunID(fmt.Sprint("r", n)), part) })
				}
				all.Wait()
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
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

// BenchmarkLane claims and settles as one lane does that is answered at once:
// 256 claims at a time, and outcomes as they come.
func BenchmarkLane(b *testing.B) {
	const events = 18356
	list := tickets(events)
	for i := range list {
		list[i].Event.Facts.Goods = reconcile.HashFields("goods", string(list[i].Event.ID))
		list[i].Event.Facts.Mark = reconcile.HashFields("mark", string(list[i].Event.ID))
		list[i].Event.Body = make([]byte, 1500)
	}
	for _, answers := range []int{8, 32, 64} {
		b.Run(strconv.Itoa(answers)+" answers", func(b *testing.B) {
			var used time.Duration
			for b.Loop() {
				b.StopTimer()
				led := open(b, filepath.Join(b.TempDir(), "l.db"), options())
				begin(b, led, "r")
				before := processorTime(b)
				b.StartTimer()
				claimAndSettle(b, led, list, answers)
				used += processorTime(b) - before
			}
			b.ReportMetric(float64(used.Microseconds())/float64(events*b.N), "µs-cpu/event")
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func claimAndSettle(b *testing.B, led *ledger.Store, list []reconcile.Ticket, answers int) {
	b.Helper()
	for chunk := range slices.Chunk(list, 256) {
		taken, _, err := led.Claim(b.Context(), "activate", "r", chunk)
		if err != nil || len(taken) != len(chunk) {
			b.Fatalf("took %d of %d: %v", len(taken), len(chunk), err)
		}
		for part := range slices.Chunk(taken, answers) {
			outcomes := make([]reconcile.Outcome, len(part))
			for i, id := range part {
				outcomes[i] = reconcile.Outcome{ID: id, Version: 1, Verdict: reconcile.Sent,
					Attempts: []reconcile.Attempt{{At: noon, Verdict: reconcile.Sent, Status: 200}}}
			}
			if _, err := led.Settle(b.Context(), "activate", "r", outcomes); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
