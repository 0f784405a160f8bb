package sinks

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"makegood/sinks/httpapi"
)

// How a pace adapts.
const (
	// recovery is how long it takes from nothing back to the whole pace.
	recovery = 5 * time.Minute
	// slowest is the part of the pace that stays, however often the platform
	// says that it is too much.
	slowest = 1.0 / 100
	// busyOnce is how long further answers of too many requests say nothing
	// new: they were under way together.
	busyOnce = 100 * time.Millisecond
	// lookAgain is how long is waited at most before the pace is asked again:
	// it may have changed.
	lookAgain = time.Second
)

// Pace is a number of events per second, shared by all that send to one target.
// It is halved when the platform says that it is too much, and grows back
// steadily; it is no faster than what the platform says is left, less the
// reserve; it is never exceeded. It is safe for concurrent use.
type Pace struct {
	top     float64 // 0: no limit
	reserve float64
	limiter *rate.Limiter
	share   atomic.Pointer[share] // nil: this process alone sends

	mu      sync.Mutex
	slowed  float64   // the pace when the platform last said too much, halved
	since   time.Time // when that was; zero: never
	granted float64   // what the platform's own limit leaves, up to until
	until   time.Time
	whole   int // the most that the platform said was left up to until
}

// NewPace allows so many events per second, and the worth of one second at
// once; 0 is no limit but the platform's. Reserve is the share of it, and of
// what the platform says is left, that stays for others who use the account.
func NewPace(perSecond, reserve float64) *Pace {
	p := &Pace{top: max(perSecond, 0) * (1 - reserve), reserve: reserve}
	p.limiter = rate.NewLimiter(rate.Inf, math.MaxInt)
	if p.top > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(p.top), burst(p.top))
	}
	return p
}

func burst(perSecond float64) int { return max(1, int(math.Ceil(perSecond))) }

// Hear takes in what an answer says about the pace.
func (p *Pace) Hear(w httpapi.Word) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if q := w.Quota; q != nil {
		if !now.Before(p.until) {
			p.whole = 0
		}
		// The reserve is a part of the whole limit: a part of what is left would
		// melt away with it.
		p.whole = max(p.whole, q.Remaining, q.Limit)
		p.granted = max(0, float64(q.Remaining)-p.reserve*float64(p.whole)) / q.Reset.Seconds()
		p.until = now.Add(q.Reset)
	}
	if w.Busy && p.top > 0 && now.Sub(p.since) >= busyOnce {
		p.slowed, p.since = max(p.recovered(now)/2, p.top*slowest), now
	}
	p.adapt(now)
}

// recovered is the pace without what the platform has granted.
func (p *Pace) recovered(now time.Time) float64 {
	if p.since.IsZero() {
		return p.top
	}
	return min(p.top, p.slowed+p.top*now.Sub(p.since).Seconds()/recovery.Seconds())
}

// adapt makes the limiter as fast as it may be now. Nothing granted is one
// event until the platform counts anew.
func (p *Pace) adapt(now time.Time) {
	pace := p.recovered(now)
	if now.Before(p.until) && (p.top == 0 || p.granted < pace) {
		pace = max(p.granted, 1/httpapi.MaxReset.Seconds())
	}
	switch {
	case pace == 0:
		if p.limiter.Limit() != rate.Inf { // the platform's own limit is over
			p.limiter.SetLimitAt(now, rate.Inf)
			p.limiter.SetBurstAt(now, math.MaxInt)
		}
	case rate.Limit(pace) != p.limiter.Limit():
		p.limiter.SetLimitAt(now, rate.Limit(pace))
		p.limiter.SetBurstAt(now, burst(pace))
	}
}

// most is how many events may go at once.
func (p *Pace) most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapt(time.Now())
	most := p.limiter.Burst()
	if s := p.share.Load(); s != nil {
		most = min(most, s.most())
	}
	return most
}

// Wait returns when so many more events may go, or with an error when the
// context ends before that.
func (p *Pace) Wait(ctx context.Context, events int) error {
	for events > 0 {
		n := min(events, p.most())
		pause, taken := p.take(n)
		if taken {
			events -= n
		}
		if err := wait(ctx, pause, nil); err != nil {
			return err
		}
		if s := p.share.Load(); s != nil && taken {
			if err := s.take(ctx, n); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// take reserves n events, which may go after the pause. Where that is long, or
// the pace has just slowed, nothing is taken and it is to be asked again.
func (p *Pace) take(n int) (pause time.Duration, taken bool) {
	now := time.Now()
	r := p.limiter.ReserveN(now, n)
	if !r.OK() {
		return 0, false
	}
	if pause = r.DelayFrom(now); pause <= lookAgain {
		return pause, true
	}
	r.CancelAt(now)
	return lookAgain, false
}
