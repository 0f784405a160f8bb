package sinks

import (
	"context"
	"sync"
	"time"
)

// Bounds of what is bought of a pace that several processes keep to together.
const (
	// shareWorth is the most that is bought at a time where batches are small.
	shareWorth = 250 * time.Millisecond
	// shareMost is the most that is bought at a time, but for one event.
	shareMost = 500 * time.Millisecond
	// shareKept is how long after it begins the end of a share must have been
	// used; then it is dropped. What is on its way for some time arrives within
	// a second: in any ten seconds a destination meets at most the pace of
	// eleven, however many processes send.
	shareKept = 900 * time.Millisecond
	// shareLeast is how long a share is good in any case.
	shareLeast = 50 * time.Millisecond
)

// Lane sells shares of a pace to all processes that send to one destination.
type Lane interface {
	// Buy takes a share that is worth so long: that time is nobody else's. It
	// begins after the wait, and what is not used of it is lost.
	Buy(ctx context.Context, worth time.Duration) (wait time.Duration, err error)
}

// Share makes the pace one that is kept together with other processes. Without a
// configured number of events per second there is nothing to share.
func (p *Pace) Share(l Lane) {
	if p.top > 0 {
		p.share.Store(&share{lane: l, perSecond: p.top})
	}
}

// share is what is left of what was bought.
type share struct {
	lane      Lane
	perSecond float64

	mu     sync.Mutex
	bought int // 0: nothing yet
	left   int
	until  time.Time
}

// most is how many events may go at once.
func (s *share) most() int { return max(1, int(s.perSecond*shareMost.Seconds())) }

// worth is the time that events take at the pace.
func (s *share) worth(events int) time.Duration {
	return time.Duration(float64(events) / s.perSecond * float64(time.Second))
}

// take returns when n events may go, at most as many as most. Whoever comes
// meanwhile waits for its turn.
func (s *share) take(ctx context.Context, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.left < n || !time.Now().Before(s.until) {
		events := s.size(n)
		s.left = 0
		pause, err := s.lane.Buy(ctx, s.worth(events))
		if err != nil {
			return err
		}
		s.until = time.Now().Add(pause + max(shareLeast, shareKept-s.worth(events)))
		if err := wait(ctx, pause, nil); err != nil {
			return err
		}
		s.left, s.bought = events, events
	}
	s.left -= n
	return nil
}

// size is how many events are bought next, in whole batches of n: somewhat more
// than went of the last share, for nobody else gets what is left of it, and twice
// as many where all of them went.
func (s *share) size(n int) int {
	most, used := int(s.perSecond*shareWorth.Seconds()), s.bought-s.left
	events := used + used/4 + 1
	switch {
	case s.bought == 0:
		events = most
	case s.left < n:
		events = 2 * s.bought
	}
	return n * max(1, min(events, most)/n)
}
