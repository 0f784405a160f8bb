package sinks

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// till sells a pace as the ledger's database does.
type till struct {
	mu   sync.Mutex
	next time.Time
}

func (s *till) Buy(_ context.Context, worth time.Duration) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	wait := s.next.Sub(now)
	s.next = s.next.Add(worth)
	return wait, nil
}

// TestSharedPace: however many processes send, and some of them die or sleep
// with what they bought, no ten seconds see more than the pace of eleven; and
// what they could send together is sent.
func TestSharedPace(t *testing.T) {
	for name, test := range map[string]struct {
		perSecond float64
		batch     int
	}{
		"one by one": {20, 1}, "batches": {500, 50}, "wide": {40, 100}, "slow": {2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const processes, length = 8, 120 * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				lane := &till{}
				var mu sync.Mutex
				var sent []time.Time
				var working sync.WaitGroup
				for i := range processes {
					working.Go(func() {
						p := NewPace(test.perSecond, 0)
						p.Share(lane)
						for n := 0; ; n++ {
							batch := min(test.batch, p.most())
							if p.Wait(ctx, batch) != nil {
								return
							}
							time.Sleep(time.Duration(i) * 10 * time.Millisecond) // on its way
							mu.Lock()
							for range batch {
								sent = append(sent, time.Now())
							}
							mu.Unlock()
							if i == 0 && n%5 == 4 { // killed, with what it had bought
								p = NewPace(test.perSecond, 0)
								p.Share(lane)
							}
							if i == 1 && n%7 == 6 {
								time.Sleep(3 * time.Second) // stopped for a while
							}
						}
					})
				}
				working.Wait()
				slices.SortFunc(sent, time.Time.Compare)
				most := 11 * test.perSecond
				for from, to := 0, 0; from < len(sent); from++ {
					for to < len(sent) && sent[to].Sub(sent[from]) < 10*time.Second {
						to++
					}
					if float64(to-from) > most {
						t.Fatalf("%d events within ten seconds, at most %v may be", to-from, most)
					}
				}
				if got, all := float64(len(sent)), test.perSecond*length.Seconds(); got < all*0.75 {
					t.Errorf("%v events were sent, of %v that the pace allows", got, all)
				}
			})
		})
	}
}

// TestSharedPaceByNeed: processes that need little of a pace do not keep it from
// each other.
func TestSharedPaceByNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const processes, each, length = 8, 50 * time.Millisecond, time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		lane := &till{}
		var sent atomic.Int64
		var working sync.WaitGroup
		for range processes {
			working.Go(func() {
				p := NewPace(1000, 0)
				p.Share(lane)
				for p.Wait(ctx, 1) == nil {
					sent.Add(1)
					time.Sleep(each) // an answer's time
				}
			})
		}
		working.Wait()
		if got, all := sent.Load(), int64(processes*length/each); got < all*95/100 {
			t.Errorf("%d events were sent, of %d that the processes had time for", got, all)
		}
	})
}
