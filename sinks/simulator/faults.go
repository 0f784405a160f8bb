package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// FaultKind names what goes wrong.
type FaultKind string

// The kinds of faults. The first group accepts nothing; the second accepts and stores, and spoils only the answer.
const (
	FaultStatus    FaultKind = "status"     // answers Status with a list of errors
	FaultRefuse    FaultKind = "refuse"     // resets the connection, the body unread
	FaultRedirect  FaultKind = "redirect"   // answers 302 to RedirectTarget, which answers 200 to anybody
	FaultRateLimit FaultKind = "rate_limit" // answers 429 with RetryAfter; with PerSecond only what exceeds it
	FaultHang      FaultKind = "hang"       // stays silent until the client leaves or Delay is over, then closes

	FaultAcceptAndDrop FaultKind = "accept_and_drop" // closes the connection without an answer
	FaultAcceptAndHang FaultKind = "accept_and_hang" // stays silent as hang does
	FaultGarbage       FaultKind = "garbage"         // answers 200 with something that is not JSON
	FaultEmpty         FaultKind = "empty"           // answers 200 with nothing
	FaultSlow          FaultKind = "slow"            // waits Delay, then answers as ever
)

// RedirectTarget is where FaultRedirect points to. It answers 200 with a success to every method; Counts says how often
// it was fetched, which a careful client never does.
const RedirectTarget = "/_sim/elsewhere"

var faultKinds = []FaultKind{FaultStatus, FaultRefuse, FaultRedirect, FaultRateLimit, FaultHang, FaultAcceptAndDrop,
	FaultAcceptAndHang, FaultGarbage, FaultEmpty, FaultSlow}

func (k FaultKind) acceptsNothing() bool {
	switch k {
	case FaultStatus, FaultRefuse, FaultRedirect, FaultRateLimit, FaultHang:
		return true
	}
	return false
}

// Fault is one thing that goes wrong with requests to the platforms. Of several, slow ones add up and the first other
// one that strikes decides. Each counts every request that its Match fits, those that another fault took included.
type Fault struct {
	Match      string        // prefix of the path; empty: every platform
	Kind       FaultKind     //
	Share      float64       // of the requests, in (0, 1]; 0 is all of them
	Status     int           // for status: 200 to 599
	RetryAfter string        // for status and rate_limit: the Retry-After header, in any form; empty: none
	Delay      time.Duration // for slow, required; for the two that hang: the longest silence, 0 is without end
	First      int           // strikes only among the first so many requests after After; 0: without end
	After      int           // lets so many requests pass first
	PerSecond  float64       // for rate_limit: strikes what exceeds this rate; a second's worth may come at once
}

func (f Fault) validate() error {
	known := false
	for _, kind := range faultKinds {
		known = known || kind == f.Kind
	}
	switch {
	case !known:
		return fmt.Errorf("unknown kind %q, choose one of %s", f.Kind, kindList())
	case f.Match != "" && !strings.HasPrefix(f.Match, "/"):
		return fmt.Errorf("path %q must start with /", f.Match)
	case !(f.Share >= 0 && f.Share <= 1):
		return fmt.Errorf("share %v must lie between 0 and 1", f.Share)
	case f.First < 0 || f.After < 0 || f.Delay < 0:
		return errors.New("first, after and delay cannot be negative")
	case strings.ContainsAny(f.RetryAfter, "\r\n"):
		return errors.New("retry_after must be one line")
	}
	return f.validateKind()
}

// validateKind refuses what the kind would not look at, for a setting without effect is a mistake.
func (f Fault) validateKind() error {
	hangs := f.Kind == FaultHang || f.Kind == FaultAcceptAndHang
	switch {
	case f.Kind == FaultStatus && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d must lie between 200 and 599", f.Status)
	case f.Kind != FaultStatus && f.Status != 0:
		return fmt.Errorf("status has no meaning for %s", f.Kind)
	case f.Kind == FaultSlow && f.Delay == 0:
		return errors.New("slow needs a delay, such as slow=5ms")
	case f.Kind != FaultSlow && !hangs && f.Delay != 0:
		return fmt.Errorf("delay has no meaning for %s; give slow as a fault of its own", f.Kind)
	case f.RetryAfter != "" && f.Kind != FaultStatus && f.Kind != FaultRateLimit:
		return fmt.Errorf("retry_after has no meaning for %s", f.Kind)
	case !(f.PerSecond >= 0):
		return fmt.Errorf("rate %v cannot be negative", f.PerSecond)
	case f.PerSecond != 0 && f.Kind != FaultRateLimit:
		return fmt.Errorf("a rate has no meaning for %s", f.Kind)
	}
	return nil
}

func kindList() string {
	names := make([]string, len(faultKinds))
	for i, kind := range faultKinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}

// FaultState is a fault with its past: how many requests it fitted, and how many of them it struck.
type FaultState struct {
	Fault Fault `json:"fault"`
	Seen  int   `json:"seen"`
	Fired int   `json:"fired"`
}

// faultList decides for each request what goes wrong. It has its own lock, so that deciding never waits for storing.
type faultList struct {
	seed uint64

	mu     sync.Mutex
	active []*armed
}

// armed is a fault in force.
type armed struct {
	FaultState
	random   *rand.Rand
	tokens   float64 // of the rate, at most a second's worth
	refilled time.Time
}

func newFaultList(seed uint64) *faultList {
	return &faultList{seed: seed}
}

func (l *faultList) replace(faults []Fault) error {
	for i, f := range faults {
		if err := f.validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = make([]*armed, len(faults))
	for i, f := range faults {
		l.active[i] = &armed{
			FaultState: FaultState{Fault: f},
			random:     rand.New(rand.NewPCG(l.seed, uint64(i))),
			tokens:     burst(f.PerSecond),
		}
	}
	return nil
}

func (l *faultList) restart() {
	states := l.states()
	faults := make([]Fault, len(states))
	for i, state := range states {
		faults[i] = state.Fault
	}
	l.replace(faults) //nolint:errcheck // they were valid before
}

func (l *faultList) states() []FaultState {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := make([]FaultState, len(l.active))
	for i, a := range l.active {
		states[i] = a.FaultState
	}
	return states
}

// hit is what strikes one request. The zero value is nothing.
type hit struct {
	Fault               // Kind is empty when nothing but slowness strikes
	delay time.Duration // of all slow faults together
}

func (h hit) kind() FaultKind {
	if h.Kind == "" && h.delay > 0 {
		return FaultSlow
	}
	return h.Kind
}

func (l *faultList) pick(path string, now time.Time) hit {
	l.mu.Lock()
	defer l.mu.Unlock()
	var h hit
	for _, a := range l.active {
		if !strings.HasPrefix(path, a.Fault.Match) {
			continue
		}
		a.Seen++
		switch {
		case h.Kind != "" && a.Fault.Kind != FaultSlow, !a.strikes(now):
		case a.Fault.Kind == FaultSlow:
			a.Fired++
			h.delay += a.Fault.Delay
		default:
			a.Fired++
			h.Fault = a.Fault
		}
	}
	return h
}

func (a *armed) strikes(now time.Time) bool {
	f := a.Fault
	nth := a.Seen - f.After
	if nth <= 0 || f.First > 0 && nth > f.First {
		return false
	}
	if f.Share > 0 && f.Share < 1 && a.random.Float64() >= f.Share {
		return false
	}
	return f.PerSecond == 0 || a.exceeds(now)
}

// burst is how many requests may come at once: a second's worth, and never less than one.
func burst(perSecond float64) float64 {
	return max(1, perSecond)
}

func (a *armed) exceeds(now time.Time) bool {
	rate := a.Fault.PerSecond
	if !a.refilled.IsZero() {
		a.tokens = min(burst(rate), a.tokens+now.Sub(a.refilled).Seconds()*rate)
	}
	a.refilled = now
	if a.tokens < 1 {
		return true
	}
	a.tokens--
	return false
}

// ending is how a request ends for the client.
type ending int

const (
	endAnswer ending = iota // with an answer
	endDrop                 // the connection closes
	endReset                // the connection is reset
	endHang                 // silence, then the connection closes
)

// outcome turns the platform's own answer into what the client gets.
func (h hit) outcome(own reply) (reply, ending) {
	switch h.Kind {
	case FaultStatus:
		spoiled := *refuse(h.Status, fmt.Sprintf("the simulator answers %d on purpose", h.Status))
		spoiled.retryAfter = h.RetryAfter
		return spoiled, endAnswer
	case FaultRateLimit:
		spoiled := *refuse(http.StatusTooManyRequests, "too many requests")
		spoiled.retryAfter = h.RetryAfter
		return spoiled, endAnswer
	case FaultRedirect:
		return reply{status: http.StatusFound, location: RedirectTarget}, endAnswer
	case FaultGarbage:
		return reply{status: http.StatusOK, body: []byte("<!doctype html><title>OK</title>"), contentType: "text/html"}, endAnswer
	case FaultEmpty:
		return reply{status: http.StatusOK}, endAnswer
	case FaultRefuse:
		return reply{}, endReset
	case FaultAcceptAndDrop:
		return reply{}, endDrop
	case FaultHang, FaultAcceptAndHang:
		return reply{}, endHang
	}
	return own, endAnswer
}
