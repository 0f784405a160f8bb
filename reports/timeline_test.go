package reports

import (
	"testing"
	"time"

	"makegood/reconcile"
)

// balanceOver has one accepted event of 10 EUR at each of some times.
func balanceOver(t *testing.T, times ...time.Time) reconcile.Balance {
	t.Helper()
	var b reconcile.Balance
	ten, err := reconcile.ParseDecimal("10")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range times {
		if err := b.CountEvent(reconcile.Place{Bucket: reconcile.BucketSent, Reason: reconcile.ReasonSent}, at, reconcile.Value{Amount: &ten, Currency: "EUR"}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestTimeline(t *testing.T) {
	zone := amsterdam(t)
	begin := time.Date(2026, 10, 24, 22, 30, 0, 0, zone) // the clocks go back in the next night
	for _, c := range []struct {
		name   string
		times  []time.Time
		unit   string
		from   time.Time
		length int
		last   int // events in the last unit
	}{
		{"one order", []time.Time{begin}, UnitHour, time.Date(2026, 10, 24, 22, 0, 0, 0, zone), 1, 1},
		{"hours over the end of summer time", []time.Time{begin, time.Date(2026, 10, 25, 4, 5, 0, 0, zone), time.Date(2026, 10, 25, 4, 55, 0, 0, zone)},
			UnitHour, time.Date(2026, 10, 24, 22, 0, 0, 0, zone), 8, 2},
		{"days", []time.Time{begin, time.Date(2026, 11, 9, 23, 59, 0, 0, zone)}, UnitDay, time.Date(2026, 10, 24, 0, 0, 0, 0, zone), 17, 1},
		{"months", []time.Time{begin, time.Date(2029, 3, 1, 0, 0, 0, 0, zone), time.Date(2029, 3, 31, 23, 59, 0, 0, zone)},
			UnitMonth, time.Date(2026, 10, 1, 0, 0, 0, 0, zone), 30, 2},
		{"a till that lives in another century", []time.Time{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), begin},
			UnitMonth, time.Date(1826, 11, 1, 0, 0, 0, 0, zone), maxMonths, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := timeline(balanceOver(t, c.times...).Times, zone)
			counts, sums := got.Events[reconcile.BucketSent], got.Money["EUR"][reconcile.BucketSent]
			if got.Unit != c.unit || !got.From.Equal(c.from) || got.Len() != c.length || counts[c.length-1] != c.last {
				t.Errorf("%s from %s, %d long, the last %d", got.Unit, got.From, got.Len(), counts[c.length-1])
			}
			sum := 0
			for i, n := range counts {
				sum += n
				if (n == 0) != (sums[i] == "0") {
					t.Errorf("%d events of %s in unit %d", n, sums[i], i)
				}
			}
			if sum != len(c.times) {
				t.Errorf("%d events of %d", sum, len(c.times))
			}
			if begins := got.Begin(c.length-1, zone); begins.After(c.times[len(c.times)-1]) {
				t.Errorf("the last unit begins at %s", begins)
			}
		})
	}
	if timeline(reconcile.Timeline{}, zone) != nil {
		t.Error("a timeline of nothing")
	}
}
