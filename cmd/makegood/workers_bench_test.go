package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What BenchmarkWorkers plays: every answer takes so long that each message costs
// the two cores little beside it, and there are so many orders that what several
// workers share lasts for a while.
const (
	workersAnswer = 100 * time.Millisecond
	workersOrders = 8_000
)

// BenchmarkWorkers compares how fast 1, 2 and 4 workers, each a process of its own,
// send the same orders of ten days, by the count of the platform between its first
// and its last message. All begin to send at once: what is planned meanwhile, and
// the end, when not everybody has something left to send, are in it.
func BenchmarkWorkers(b *testing.B) {
	var first float64
	for _, hands := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("%d workers", hands), func(b *testing.B) {
			var rate float64
			for b.Loop() {
				rate += workTogether(b, hands, workersOrders)
			}
			rate /= float64(b.N)
			if hands == 1 {
				first = rate
			}
			b.ReportMetric(rate, "messages/s")
			b.ReportMetric(rate/first/float64(hands), "x-linear")
		})
	}
}

// workTogether has workers send orders, and gives the rate of it.
func workTogether(b *testing.B, hands, orders int) float64 {
	b.Helper()
	c, server := platform(b, workersAnswer)
	defer server.Close()
	db, place := ownSchema(b, "postgres")
	if place == "" {
		b.Skip("there is no such server")
	}
	dir := b.TempDir()
	config := manyConfig(b, dir, server.URL, place)
	manyOrders(b, dir, orders)
	for n := range hands {
		worker := play(b, "worker", "-c", config, "--name", fmt.Sprintf("number-%d", n))
		check(b, worker.Start())
		defer func() {
			_ = worker.Process.Signal(syscall.SIGTERM)
			_ = worker.Wait()
		}()
	}
	schema := place[strings.LastIndex(place, "=")+1:] + "_queue"
	for living, until := 0, time.Now().Add(time.Minute); living < hands; time.Sleep(100 * time.Millisecond) {
		_ = db.QueryRow("SELECT count(*) FROM " + schema + ".workers").Scan(&living) // until there is such a table
		if time.Now().After(until) {
			b.Fatal("the workers do not begin")
		}
	}
	asked := play(b, "backfill", "--workers", "-c", config, "--from", time.Now().AddDate(0, 0, -11).Format(time.DateOnly), "--slice", "1d")
	if out, err := asked.CombinedOutput(); err != nil || c.n != orders {
		b.Fatalf("%d messages, %v/s: %v\n%s", c.n, c.rate(), err, out)
	}
	return c.rate()
}

// manyConfig has one live destination whose pace is no limit.
func manyConfig(b *testing.B, dir, url, place string) string {
	b.Helper()
	return write(b, dir, "makegood.yaml", fmt.Sprintf(`
zone: Europe/Amsterdam
environment: test
ledger: %q
sources:
  tills:
    type: csv
    path: tills.csv
    zone: UTC
    currency: EUR
    channel: in_store
    order_unique: always
    stable_for: 0s
    may_send: {all: true, reason: "a test"}
    columns: {order: id, completed_at: paid, email: email, sku: sku, quantity: n, price: price}
targets:
  activate:
    type: squeezely
    mode: live
    url: %s/v1/track
    account: shop
    api_key: key
    from: [tills]
    channels: [in_store]
    send: [purchase]
    since: 2020-01-01
    nothing_else_sends: true
    rate: 10000/s
    concurrency: %d
`, place, url, sendersAtOnce))
}

// manyOrders are orders of the last ten days.
func manyOrders(b *testing.B, dir string, orders int) {
	b.Helper()
	f := create(b, dir, "tills.csv")
	fmt.Fprintln(f, usualHeader)
	for i := range orders {
		fmt.Fprintf(f, "%d,%s,p%d@example.com,MUG,1,5\n", i, ago(time.Duration(i)*(10*24*time.Hour/time.Duration(orders))+time.Hour), i)
	}
	check(b, f.Flush())
}
