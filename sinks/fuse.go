package sinks

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"makegood/reconcile"
)

// The bounds of contract 12.
const (
	maxRow     = 5  // attempts in a row that were in doubt or retryable
	maxDoubts  = 2  // in a row in doubt, of kinds that do not merge repeats
	maxRefused = 10 // outcomes at the beginning of a run, all refused
	// maxBusy is how long a target may go on asking to be left alone without
	// accepting anything in between.
	maxBusy = 10 * time.Minute
)

// FuseOptions say how a fuse probes.
type FuseOptions struct {
	// ProbeAfter are the waits of a pause: after each, one event is sent as a
	// probe. Empty: 1, 2 and 4 minutes.
	ProbeAfter []time.Duration
	// StopOnDoubt stops at the first outcome in doubt: where one more attempt
	// may be one more charge.
	StopOnDoubt bool
}

// Fuse is a sink that stops sending to a target where going on would only do
// harm (contract 12):
//
//   - An outcome with Stop stops it at once; with StopOnDoubt so does a doubt.
//   - 5 attempts in a row in doubt or retryable, or 2 in doubt of kinds that do
//     not merge repeats, pause it: after each of the waits exactly one event
//     probes the target; a clear answer ends the pause, and when the last probe
//     fails it stops.
//   - A target that asks to be left alone for a time is, and what it answered
//     does not count towards a pause; after 10 minutes of that it stops.
//   - The first 10 outcomes of the run, all refused, stop it.
//
// Sends wait while it is paused. What is not attempted is Unsent with reason
// fuse, and with reason interrupted when the context ended. It is for one run
// and safe for concurrent use.
type Fuse struct {
	reconcile.Sink
	waits []time.Duration
	// onDoubt stops at the first doubt.
	onDoubt bool
	traits  map[reconcile.Kind]reconcile.KindTraits
	close   func() // of the platform's connections; nil: there are none
	begin   func(context.Context) error

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever a waiting Send should look again
	stopped string
	why     string // of the last attempt that was not accepted

	outcomes, refused int // attempted in this run, and refused among the first of them
	row, doubts       int

	paused  bool
	probes  int  // made in this pause
	probing bool // one is under way
	probeAt time.Time

	alone time.Time // when the target wants to hear from us again
	busy  time.Time // since when it has asked for that without accepting anything; zero: it has not
}

// Unwrap gives what it wears, so that it can be asked.
func (f *Fuse) Unwrap() reconcile.Sink { return f.Sink }

// NewFuse puts a fuse before a sink.
func NewFuse(s reconcile.Sink, o FuseOptions) *Fuse {
	if len(o.ProbeAfter) == 0 {
		o.ProbeAfter = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}
	}
	return &Fuse{Sink: s, waits: o.ProbeAfter, onDoubt: o.StopOnDoubt, traits: s.Traits(), changed: make(chan struct{})}
}

// Stopped says in words for people why nothing more is sent, "" while it is.
func (f *Fuse) Stopped() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

// Begin prepares the target for what a crash from now on may leave, before the
// first claim; most need nothing. What it could not prepare, Send tells.
func (f *Fuse) Begin(ctx context.Context) error {
	if f.begin == nil {
		return nil
	}
	return f.begin(ctx)
}

// Close ends the connections that the target keeps. What is sent afterwards
// opens new ones.
func (f *Fuse) Close() {
	if f.close != nil {
		f.close()
	}
}

// Send passes the batch on as far as the fuse lets it.
func (f *Fuse) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, 0, len(batch))
	for len(batch) > 0 {
		turn, reason := f.enter(ctx)
		if reason != "" {
			return append(outcomes, unsent(batch, reason)...)
		}
		n := len(batch)
		if turn == probe {
			n = 1
		}
		got := f.Sink.Send(ctx, batch[:n])
		f.learn(turn, batch[:n], got)
		outcomes, batch = append(outcomes, got...), batch[n:]
	}
	return outcomes
}

// turn is what a Send may do next.
type turn int

const (
	hold  turn = iota // look again later
	probe             // send one event, whose answer decides
	pass              // send
)

// enter waits for a turn, or gives the reason why there will be none.
func (f *Fuse) enter(ctx context.Context) (turn, reconcile.Reason) {
	for {
		if ctx.Err() != nil {
			return hold, reconcile.ReasonInterrupted
		}
		f.mu.Lock()
		if f.stopped != "" {
			f.mu.Unlock()
			return hold, reconcile.ReasonFuse
		}
		next, until := f.next(time.Now())
		changed := f.changed
		f.mu.Unlock()
		if next != hold {
			return next, ""
		}
		if wait(ctx, time.Until(until), changed) != nil {
			return hold, reconcile.ReasonInterrupted
		}
	}
}

// forever is longer than anybody waits: until something changes.
const forever = 24 * time.Hour

// next gives the turn at this moment, and for hold when to look again.
func (f *Fuse) next(now time.Time) (turn, time.Time) {
	switch {
	case f.paused && f.probing:
		return hold, now.Add(forever)
	case f.paused && now.Before(latest(f.probeAt, f.alone)):
		return hold, latest(f.probeAt, f.alone)
	case f.paused:
		f.probing = true
		return probe, now
	case now.Before(f.alone):
		return hold, f.alone
	}
	return pass, now
}

// learn takes in what came back.
func (f *Fuse) learn(t turn, batch []reconcile.Event, got []reconcile.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, o := range got {
		if o.Verdict != reconcile.Unsent {
			f.count(batch[i].Kind, o)
		}
	}
	if t == probe {
		f.probing = false
		if f.paused && failed(got) {
			f.failProbe()
		}
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// failed reports a probe that says the target is still not itself. One that was
// interrupted, or told to come back later, says nothing.
func failed(got []reconcile.Outcome) bool {
	return got[0].Verdict != reconcile.Unsent && got[0].NotBefore.IsZero()
}

func (f *Fuse) failProbe() {
	if f.probes++; f.probes == len(f.waits) {
		f.stop(fmt.Sprintf("no clear answer, also not to %d probes; the last: %s", f.probes, f.why))
		return
	}
	f.probeAt = time.Now().Add(f.waits[f.probes])
}

// count judges one outcome of an attempted event.
func (f *Fuse) count(kind reconcile.Kind, o reconcile.Outcome) {
	f.opening(o)
	clear := o.Verdict == reconcile.Sent || o.Verdict == reconcile.Rejected
	if !clear {
		f.why = o.Why
	}
	switch {
	case o.Stop:
		f.stop(o.Why)
	case f.onDoubt && o.Verdict == reconcile.InDoubt:
		f.stop("one message is in doubt, and no other may be sent before a person has looked: " + o.Why)
	case clear:
		f.row, f.doubts, f.paused, f.busy = 0, 0, false, time.Time{}
	case o.Verdict == reconcile.Retryable && !o.NotBefore.IsZero():
		f.leaveAlone(o.NotBefore)
	default:
		f.row += max(1, unclear(o.Attempts))
		if o.Verdict == reconcile.InDoubt && !f.traits[kind].MergesRepeats {
			f.doubts++
		}
		f.pause()
	}
}

// opening stops a run whose first outcomes are all refusals: a mapping is wrong,
// not the orders.
func (f *Fuse) opening(o reconcile.Outcome) {
	if f.outcomes++; o.Verdict == reconcile.Rejected {
		f.refused++
	}
	if f.outcomes == maxRefused && f.refused == maxRefused {
		f.stop(fmt.Sprintf("the first %d messages were all refused; the last: %s", maxRefused, o.Why))
	}
}

// unclear counts the attempts of an outcome without a clear answer. Those that
// the target answered by asking for time do not count: a 503 is retryable only
// then.
func unclear(attempts []reconcile.Attempt) (n int) {
	for _, a := range attempts {
		if a.Verdict != reconcile.Retryable || a.Status != http.StatusServiceUnavailable {
			n++
		}
	}
	return n
}

func (f *Fuse) pause() {
	if !f.paused && (f.row >= maxRow || f.doubts >= maxDoubts) {
		f.paused, f.probes = true, 0
		f.probeAt = time.Now().Add(f.waits[0])
	}
}

func (f *Fuse) leaveAlone(until time.Time) {
	if f.busy.IsZero() {
		f.busy = time.Now()
	}
	f.alone = latest(f.alone, until)
	if f.alone.Sub(f.busy) > maxBusy {
		f.stop("asked to be left alone until " + f.alone.UTC().Format("2006-01-02 15:04 UTC"))
	}
}

func (f *Fuse) stop(why string) {
	if f.stopped == "" {
		f.stopped = why
	}
}
