package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of CONTRACTS 3.
const (
	maxAhead     = 512             // claims that are not sent yet, of kinds that merge repeats
	maxClaim     = 128             // of them at a time
	aheadTime    = 2 * time.Second // how long sending them takes at the measured rate
	maxUnsettled = 64              // answers that are not settled yet
)

// lane sends one target's part of a plan. Kinds go one after the other, carts
// last; events of one person share a worker, in the order of the plan.
type lane struct {
	*Runner
	target *Target
	led    Ledger
	run    RunID
	plan   *Plan
	acct   *account
	meter  Meter
	allow  *allowance

	mu      sync.Mutex
	failure error            // of the ledger or of the plan file: the lane ends
	held    map[EventID]bool // held back at the last moment: they have ended
	carts   Carts
	cartsAt time.Time
	paused  atomic.Bool // by a person, since the lane began
}

// send carries out the target's steps. It returns what ended the lane early,
// if that was not the target or a person.
func (l *lane) send(ctx context.Context) error {
	l.held = map[EventID]bool{}
	if l.target.Arm != nil {
		l.target.Arm(l.lastLook)
	}
	if l.target.Begin != nil {
		if err := l.target.Begin(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("the destination is not prepared for a crash", "target", l.target.Name(), "error", err)
		}
	}
	for _, kind := range l.plan.Kinds(l.target.Name()) {
		l.sendKind(ctx, kind)
	}
	return l.failed()
}

func (l *lane) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// fail ends the lane. What other workers meet of the same trouble, on their way
// out, is not told once more.
func (l *lane) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = err
	}
}

// halted gives the reason why nothing more is sent, or "".
func (l *lane) halted(ctx context.Context) Reason {
	switch {
	case ctx.Err() != nil:
		return ReasonInterrupted
	case l.failed() != nil:
		return ReasonLedgerFailed
	case l.target.Stopped() != "":
		return ReasonFuse
	case l.paused.Load():
		return ReasonPaused
	}
	return l.allow.over()
}

// claim judges each step again, claims what still fits, counts the others,
// and returns what was taken.
func (s *stream) claim(ctx context.Context, steps []PlannedStep) []PlannedStep {
	fit := s.stillFit(ctx, steps)
	if len(fit) == 0 {
		return nil
	}
	tickets := make([]Ticket, len(fit))
	for i, step := range fit {
		if version, moved := s.plan.seen[step.Event.ID]; moved {
			step.Seen, fit[i].Seen = version, version
		}
		tickets[i] = Ticket{Event: step.Event, Seen: step.Seen}
	}
	taken, moved, err := s.led.Claim(ctx, s.target.Name(), s.run, tickets)
	if errors.Is(err, ErrPaused) {
		s.paused.Store(true)
		for _, step := range fit {
			s.end(step, Place{BucketLeft, ReasonPaused}, "")
		}
		return nil
	}
	if err != nil {
		s.stopAt(ctx, fmt.Errorf("claim events for %s: %w", s.target.Name(), err), fit)
		return nil
	}
	got := make(map[EventID]bool, len(taken))
	for _, id := range taken {
		got[id] = true
	}
	mine := make([]PlannedStep, 0, len(taken))
	for _, step := range fit {
		if got[step.Event.ID] {
			mine = append(mine, step)
			continue
		}
		s.end(step, movedPlace(step.Event, moved[step.Event.ID]), "")
	}
	return mine
}

// movedPlace is where an event is whose entry has moved since it was planned. That
// another order went under its number meanwhile, the next plan judges.
func movedPlace(e Event, now Entry) Place {
	if now.State == StateDone && Reused(Want{Facts: e.Facts}, now, ticketSlack) {
		return Place{BucketLeft, ReasonMoved}
	}
	return now.Place()
}

// stopAt ends the lane for an error of the ledger; an interrupted call is no
// error.
func (s *stream) stopAt(ctx context.Context, err error, steps []PlannedStep) {
	reason := ReasonInterrupted
	if ctx.Err() == nil {
		reason = ReasonLedgerFailed
		s.fail(err)
	}
	for _, step := range steps {
		s.end(step, Place{BucketLeft, reason}, "")
	}
}

func (s *stream) end(step PlannedStep, p Place, why string) {
	s.acct.end(step, p, why)
	s.meter.Add(1)
}

// stillFit leaves out what a rule holds back at the last moment, what must
// wait, and everything once the lane is halted.
func (s *stream) stillFit(ctx context.Context, steps []PlannedStep) []PlannedStep {
	fit := make([]PlannedStep, 0, len(steps))
	for _, step := range steps {
		if reason := s.halted(ctx); reason != "" {
			s.end(step, Place{BucketLeft, reason}, "")
			continue
		}
		if !s.allow.picked(step.Event) {
			s.end(step, Place{BucketLeft, ReasonTrial}, "")
			continue
		}
		reason, err := s.judge(ctx, step)
		if reason == "" && err == nil {
			reason, err = s.allow.admit(step.Event)
		}
		switch {
		case err != nil:
			s.stopAt(ctx, err, []PlannedStep{step})
		case reason == ReasonWaits, reason == ReasonSourceFailed, reason == ReasonCartsStale,
			reason == ReasonTrial, reason == ReasonBudget, reason == ReasonBrake, reason == ReasonPerRun:
			s.end(step, Place{BucketLeft, reason}, "")
		case reason != "":
			s.hold(step, reason)
		default:
			fit = append(fit, step)
		}
	}
	return fit
}

func (s *stream) hold(step PlannedStep, reason Reason) {
	s.mu.Lock()
	s.held[step.Event.ID] = true
	s.mu.Unlock()
	s.end(step, placeOfHold(reason, step.Doubt), "")
}

func (s *stream) judge(ctx context.Context, step PlannedStep) (Reason, error) {
	known := Known{Suppress: s.Suppress}
	if reason := s.knownCarts(ctx, step.Event, &known); reason != "" {
		return reason, nil
	}
	reason, err := s.fits(step.Event, known)
	if reason == "" && err == nil && len(step.Event.After) > 0 {
		reason, err = s.waits(ctx, step.Event.After)
	}
	if reason == "" && err == nil {
		reason, err = s.needs(ctx, step.Event)
	}
	return reason, err
}

// fits judges an event again, by the target's own question, too.
func (l *lane) fits(e Event, known Known) (Reason, error) {
	reason, err := StillFit(e, l.Clock(), known)
	if reason == "" && err == nil && l.target.Fit != nil {
		reason, err = l.target.Fit(e)
	}
	return reason, err
}

// waits reports whether an event that must come first has not ended yet.
func (s *stream) waits(ctx context.Context, after []EventID) (Reason, error) {
	have, err := s.led.Find(ctx, s.target.Name(), after)
	if err != nil {
		return "", fmt.Errorf("look up what must be sent first: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range after {
		switch have[id].State {
		case StateDone, StateRefused, StateDoubtful:
		default:
			if !s.held[id] {
				return ReasonWaits, nil
			}
		}
	}
	return "", nil
}

// knownCarts adds the open carts that an event is judged by, or tells why it
// must wait for another run: they cannot be read, or show too old a moment.
func (l *lane) knownCarts(ctx context.Context, e Event, known *Known) Reason {
	name := e.Cart.Carts
	if name == "" {
		return ""
	}
	carts, err := l.freshCarts(ctx)
	if err != nil {
		l.acct.failed(err)
	}
	switch {
	case !carts.Stale[name].IsZero():
		return ReasonCartsStale
	case !carts.Read(name):
		return ReasonSourceFailed
	}
	known.Carts = carts
	return ""
}

// shortly bounds what is looked up right before an event goes: nobody else
// bounds it there.
func (l *lane) shortly() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), l.target.Timeout+time.Minute)
}

// cartsFresh is how old the open carts may be when a cart event is sent.
const cartsFresh = time.Minute

// freshCarts gives the open carts of the plan's persons, read again when they
// are older than cartsFresh.
func (l *lane) freshCarts(ctx context.Context) (Carts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Clock()
	if !l.cartsAt.IsZero() && now.Sub(l.cartsAt) < cartsFresh {
		return l.carts, nil
	}
	var persons []Person
	for step, err := range l.plan.Steps(l.target.Name(), KindCart) {
		if err != nil {
			return Carts{}, err
		}
		persons = append(persons, step.Event.Person)
	}
	carts, err := l.ReadCarts(ctx, l.target, persons)
	l.carts, l.cartsAt = carts, now
	return carts, err
}

// alive gives the reason why the run may no longer send: others may take it
// for dead before an answer can come.
func (l *lane) alive() Reason {
	if l.led.Alive(l.run, l.target.Timeout) {
		return ""
	}
	l.fail(ErrRunOver)
	return ReasonInterrupted
}

// lastLook is what an armed sink asks right before an event goes: it may have
// waited for minutes since it was claimed.
func (l *lane) lastLook(e Event) Reason {
	ctx, cancel := l.shortly()
	defer cancel()
	known := Known{Suppress: l.Suppress}
	reason := l.knownCarts(ctx, e, &known)
	if reason != "" {
		return reason
	}
	reason, err := l.fits(e, known)
	if reason == "" && err == nil {
		reason, err = l.beside(ctx, e)
	}
	if err != nil {
		l.fail(err)
		return ReasonLedgerFailed
	}
	if reason == "" {
		reason = l.alive() // last: what was looked up may have taken its time
	}
	return reason
}

// beside looks, when a cart event is claimed, whether another run does
// something about the same person's cart: two that are decided apart may
// contradict each other. Then this one is left for a run that knows both.
func (l *lane) beside(ctx context.Context, e Event) (Reason, error) {
	if e.Kind != KindCart {
		return "", nil
	}
	events, err := l.led.CartEvents(ctx, l.target.Name(), []Person{e.Person}, e.Facts.CompletedAt.Add(-besideWindow))
	if err != nil {
		return "", fmt.Errorf("look up cart events of the same person: %w", err)
	}
	sent := events[e.Person]
	switch {
	case slices.ContainsFunc(sent, func(o Entry) bool { return o.ID != e.ID && o.State == StateClaimed }):
		return ReasonBusy, nil
	case othersDigest(e, sent) != e.Cart.Others:
		return ReasonMoved, nil
	}
	return "", nil
}
