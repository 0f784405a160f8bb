package reconcile

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"
)

// Bounds of CONTRACTS 3.
const (
	maxAhead     = 512             // claims that are not sent yet, of kinds that merge repeats
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

	mu      sync.Mutex
	failure error            // of the ledger or of the plan file: the lane ends
	held    map[EventID]bool // held back at the last moment: they have ended
	carts   Carts
	cartsAt time.Time
}

// send carries out the target's steps. It returns what ended the lane early,
// if that was not the target or a person.
func (l *lane) send(ctx context.Context) error {
	l.held = map[EventID]bool{}
	if l.target.Arm != nil {
		l.target.Arm(l.lastLook)
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

func (l *lane) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = errors.Join(l.failure, err)
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
	}
	return ""
}

// stream is the sending of one kind.
type stream struct {
	*lane
	kind      Kind
	traits    KindTraits
	queues    []chan PlannedStep
	unsettled chan struct{} // one token per answer that is not settled
	answers   chan answer

	gate    *sync.Cond // guards ahead and sent
	ahead   int        // claimed, not through Send
	sent    int
	started time.Time
}

type answer struct {
	step    PlannedStep
	outcome Outcome
}

func (l *lane) sendKind(ctx context.Context, kind Kind) {
	s := &stream{lane: l, kind: kind, traits: l.target.Traits()[kind], gate: sync.NewCond(&sync.Mutex{}),
		unsettled: make(chan struct{}, maxUnsettled), answers: make(chan answer, maxUnsettled), started: l.Clock()}
	room := max(1, s.traits.MaxBatch)
	if s.traits.MergesRepeats {
		room = maxAhead
	}
	var workers, settler sync.WaitGroup
	for range max(1, l.target.Concurrency) {
		queue := make(chan PlannedStep, room)
		s.queues = append(s.queues, queue)
		workers.Go(func() { s.work(ctx, queue) })
	}
	settler.Go(s.settleAnswers)
	s.feed(ctx)
	for _, queue := range s.queues {
		close(queue)
	}
	workers.Wait()
	close(s.answers)
	settler.Wait()
}

// feed walks the plan. Kinds that merge repeats are claimed ahead, the others
// by the worker that sends them.
func (s *stream) feed(ctx context.Context) {
	var chunk []PlannedStep
	for step, err := range s.plan.Steps(s.target.Name(), s.kind) {
		if err != nil {
			s.fail(err)
			break
		}
		if step.Do != DoSend {
			continue
		}
		if s.plan.moved[step.Target][step.Event.ID] {
			s.end(step, Place{BucketLeft, ReasonMoved}, "")
			continue
		}
		if !s.traits.MergesRepeats {
			s.queue(step)
			continue
		}
		if chunk = append(chunk, step); len(chunk) >= s.refill() {
			s.claimAhead(ctx, chunk)
			chunk = chunk[:0]
		}
	}
	if len(chunk) > 0 {
		s.claimAhead(ctx, chunk)
	}
}

func (s *stream) queue(step PlannedStep) {
	h := fnv.New32a()
	who := string(step.Event.Person)
	if who == "" {
		who = string(step.Event.ID)
	}
	_, _ = h.Write([]byte(who)) // never fails
	s.queues[h.Sum32()%uint32(len(s.queues))] <- step
}

// limit is how many events may be claimed and unsent at a time.
func (s *stream) limit() int {
	s.gate.L.Lock()
	sent := s.sent
	s.gate.L.Unlock()
	rate := s.target.Rate
	if took := s.Clock().Sub(s.started).Seconds(); sent > 0 && took > 0 {
		rate = float64(sent) / took
	}
	most := int(min(maxAhead, rate*aheadTime.Seconds()))
	return min(maxAhead, max(most, max(1, s.target.Concurrency)*max(1, s.traits.MaxBatch)))
}

func (s *stream) refill() int { return max(1, s.limit()/2) }

// claimAhead claims a chunk when there is room for it, and queues what was
// taken.
func (s *stream) claimAhead(ctx context.Context, chunk []PlannedStep) {
	s.gate.L.Lock()
	for s.ahead > s.refillLocked(len(chunk)) {
		s.gate.Wait()
	}
	s.ahead += len(chunk)
	s.gate.L.Unlock()
	taken := s.claim(ctx, chunk)
	s.through(len(chunk) - len(taken))
	for _, step := range taken {
		s.queue(step)
	}
}

// refillLocked is the level below which another chunk may be claimed, so that
// at most maxAhead, or one chunk, is ever ahead.
func (s *stream) refillLocked(chunk int) int { return max(0, min(maxAhead-chunk, chunk)) }

// through says that n events are no longer ahead.
func (s *stream) through(n int) {
	s.gate.L.Lock()
	s.ahead -= n
	s.gate.L.Unlock()
	s.gate.Signal()
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
		tickets[i] = Ticket{Event: step.Event, Seen: step.Seen}
	}
	taken, moved, err := s.led.Claim(ctx, s.target.Name(), s.run, tickets)
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
		s.end(step, placeOfMoved(moved[step.Event.ID]), "")
	}
	return mine
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
		reason, err := s.judge(ctx, step)
		switch {
		case err != nil:
			s.stopAt(ctx, err, []PlannedStep{step})
		case reason == ReasonWaits, reason == ReasonSourceFailed:
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
	if step.Event.Cart.Carts != "" {
		carts, err := s.freshCarts(ctx)
		if err != nil {
			s.acct.failed(err)
		}
		if !carts.Read(step.Event.Cart.Carts) {
			return ReasonSourceFailed, nil
		}
		known.Carts = carts
	}
	reason, err := StillFit(step.Event, s.Clock(), known)
	if reason != "" || err != nil || len(step.Event.After) == 0 {
		return reason, err
	}
	return s.waits(ctx, step.Event.After)
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

// work sends what one queue brings, batch by batch.
func (s *stream) work(ctx context.Context, queue chan PlannedStep) {
	for step := range queue {
		batch := s.batch(step, queue)
		if s.traits.MergesRepeats {
			outcomes := s.attempt(ctx, batch)
			s.through(len(batch))
			for i, o := range outcomes {
				s.unsettled <- struct{}{}
				s.answers <- answer{batch[i], o}
			}
			continue
		}
		if batch = s.claim(ctx, batch); len(batch) > 0 {
			s.settle(batch, s.attempt(ctx, batch))
		}
	}
}

func (s *stream) batch(first PlannedStep, queue chan PlannedStep) []PlannedStep {
	batch := []PlannedStep{first}
	for len(batch) < s.traits.MaxBatch {
		select {
		case step, ok := <-queue:
			if !ok {
				return batch
			}
			batch = append(batch, step)
		default:
			return batch
		}
	}
	return batch
}

// attempt sends claimed steps, unless the lane is halted or the run may be
// taken for dead before an answer can come: then the claims are given back.
func (s *stream) attempt(ctx context.Context, batch []PlannedStep) []Outcome {
	reason := s.halted(ctx)
	if reason == "" && s.target.Arm == nil {
		reason = s.alive()
	}
	events := make([]Event, len(batch))
	for i, step := range batch {
		events[i] = step.Event
	}
	var outcomes []Outcome
	if reason == "" {
		outcomes = s.target.Send(ctx, events)
		s.gate.L.Lock()
		s.sent += len(batch)
		s.gate.L.Unlock()
	}
	return s.complete(batch, outcomes, reason)
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
	if reason := l.alive(); reason != "" {
		return reason
	}
	l.mu.Lock()
	known := Known{Suppress: l.Suppress, Carts: l.carts}
	l.mu.Unlock()
	reason, err := StillFit(e, l.Clock(), known)
	if err != nil {
		l.fail(err)
		return ReasonLedgerFailed
	}
	return reason
}

// complete makes one outcome per step: a sink that answers too little leaves
// doubt, never silence.
func (s *stream) complete(batch []PlannedStep, outcomes []Outcome, unsent Reason) []Outcome {
	full := make([]Outcome, len(batch))
	attempts := 0
	for i, step := range batch {
		switch {
		case unsent != "":
			full[i] = Outcome{Verdict: Unsent, Reason: unsent}
		case i < len(outcomes) && (outcomes[i].ID == step.Event.ID || outcomes[i].ID == ""):
			full[i] = outcomes[i]
		default:
			full[i].Why = "the sink gave no outcome"
		}
		full[i].ID, full[i].Version = step.Event.ID, step.Seen+1
		attempts += len(full[i].Attempts)
	}
	s.acct.attempts(attempts)
	return full
}

// settleAnswers settles what workers bring, as much at a time as there is.
func (s *stream) settleAnswers() {
	for first := range s.answers {
		batch := []PlannedStep{first.step}
		outcomes := []Outcome{first.outcome}
	gather:
		for len(batch) < maxUnsettled {
			select {
			case a, ok := <-s.answers:
				if !ok {
					break gather
				}
				batch, outcomes = append(batch, a.step), append(outcomes, a.outcome)
			default:
				break gather
			}
		}
		s.settle(batch, outcomes)
		for range batch {
			<-s.unsettled
		}
	}
}

// settle makes outcomes durable and counts them. It does not listen to
// cancellation: what came back must not be lost.
func (s *stream) settle(batch []PlannedStep, outcomes []Outcome) {
	repeats, err := s.led.Settle(context.Background(), s.target.Name(), s.run, outcomes)
	if err != nil {
		s.fail(fmt.Errorf("settle events of %s: %w", s.target.Name(), err))
	}
	s.acct.repeats(len(repeats))
	for i, step := range batch {
		place := placeOf(outcomes[i])
		switch {
		case err != nil:
			place = Place{BucketInDoubt, ReasonLostClaim}
		case place.Bucket == BucketHeldBack:
			s.hold(step, place.Reason)
			continue
		}
		s.end(step, place, outcomes[i].Why)
	}
}
