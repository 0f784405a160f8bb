package reconcile

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// stream is the sending of one kind.
type stream struct {
	*lane
	kind      Kind
	traits    KindTraits
	queue     *queue
	unsettled chan struct{} // one token per answer that is not settled
	answers   chan answer

	gate    *sync.Cond // guards ahead
	ahead   int        // claimed, not through Send
	sent    atomic.Int64
	started time.Time
}

type answer struct {
	step    PlannedStep
	outcome Outcome
}

func (l *lane) sendKind(ctx context.Context, kind Kind) {
	s := &stream{lane: l, kind: kind, traits: l.target.Traits()[kind], gate: sync.NewCond(&sync.Mutex{}),
		unsettled: make(chan struct{}, maxUnsettled), answers: make(chan answer, maxUnsettled), started: l.Clock()}
	s.queue = newQueue(s.atOnce())
	if s.traits.MergesRepeats {
		s.queue = newQueue(maxAhead)
	}
	var workers, settler sync.WaitGroup
	for range max(1, l.target.Concurrency) {
		workers.Go(func() { s.work(ctx) })
	}
	settler.Go(s.settleAnswers)
	s.feed(ctx)
	s.queue.close()
	workers.Wait()
	close(s.answers)
	settler.Wait()
}

// feed walks the plan. Kinds that merge repeats are claimed ahead, the others
// by the worker that sends them.
func (s *stream) feed(ctx context.Context) {
	var chunk []PlannedStep
	for step, err := range ahead(s.plan.InTurn(s.StateDir, s.target.Name(), s.kind)) {
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
		if place, over := s.plan.over[step.Event.ID]; over {
			s.end(step, place, "")
			continue
		}
		if !s.traits.MergesRepeats {
			s.queue.put(step)
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

// atOnce is how many events all workers have in hand.
func (s *stream) atOnce() int { return max(1, s.target.Concurrency) * max(1, s.traits.MaxBatch) }

// limit is how many events may be claimed and unsent at a time.
func (s *stream) limit() int {
	sent := s.sent.Load()
	rate := s.target.Rate
	if took := s.Clock().Sub(s.started).Seconds(); sent > 0 && took > 0 {
		rate = float64(sent) / took
	}
	if s.target.Rate > 0 { // what goes at once at the beginning is no pace
		rate = min(rate, s.target.Rate)
	}
	most := int(min(maxAhead, rate*aheadTime.Seconds()))
	return min(maxAhead, max(most, s.atOnce()))
}

// refill is how many events are claimed at a time: few enough that answers need
// not wait long for their turn in the ledger.
func (s *stream) refill() int { return max(1, min(s.limit()/2, maxClaim)) }

// claimAhead claims a chunk when there is room for it, and queues what was
// taken.
func (s *stream) claimAhead(ctx context.Context, chunk []PlannedStep) {
	s.gate.L.Lock()
	for s.ahead > 0 && s.ahead+len(chunk) > s.limit() {
		s.gate.Wait()
	}
	s.ahead += len(chunk)
	s.gate.L.Unlock()
	taken := s.claim(ctx, chunk)
	s.through(len(chunk) - len(taken))
	for _, step := range taken {
		s.queue.put(step)
	}
}

// through says that n events are no longer ahead.
func (s *stream) through(n int) {
	s.gate.L.Lock()
	s.ahead -= n
	s.gate.L.Unlock()
	s.gate.Signal()
}

// work sends what waits, batch by batch.
func (s *stream) work(ctx context.Context) {
	most := max(1, s.traits.MaxBatch)
	for batch := s.queue.take(most); len(batch) > 0; batch = s.queue.take(most) {
		if s.traits.MergesRepeats {
			s.sendClaimed(ctx, batch)
			continue
		}
		s.target.Places.take()
		if mine := s.claim(ctx, batch); len(mine) > 0 {
			s.settle(mine, s.attempt(ctx, mine))
		}
		s.target.Places.leave()
		s.queue.done(batch)
	}
}

// sendClaimed sends what was claimed ahead, and leaves settling it to others.
func (s *stream) sendClaimed(ctx context.Context, batch []PlannedStep) {
	s.target.Places.take()
	outcomes := s.attempt(ctx, batch)
	s.target.Places.leave()
	s.queue.done(batch)
	s.through(len(batch))
	for i, o := range outcomes {
		s.unsettled <- struct{}{}
		s.answers <- answer{batch[i], o}
	}
}

// attempt sends claimed steps, unless the lane is halted or the run may be
// taken for dead before an answer can come: then the claims are given back.
func (s *stream) attempt(ctx context.Context, batch []PlannedStep) []Outcome {
	reason := s.halted(ctx)
	events, err := s.filled(ctx, batch)
	if err != nil && reason == "" {
		if reason = ReasonInterrupted; ctx.Err() == nil {
			reason = ReasonLedgerFailed
			s.fail(err)
		}
	}
	if reason == "" && s.target.Arm == nil {
		reason = s.unarmed(events)
	}
	var outcomes []Outcome
	if reason == "" {
		outcomes = s.target.Send(ctx, events)
		s.sent.Add(int64(len(batch)))
	}
	return s.complete(batch, outcomes, reason)
}

// unarmed is the last look of a sink that asks for none.
func (s *stream) unarmed(batch []Event) Reason {
	ctx, cancel := s.shortly()
	defer cancel()
	for _, e := range batch {
		reason, err := s.beside(ctx, e)
		if err != nil {
			s.fail(err)
			return ReasonLedgerFailed
		}
		if reason != "" {
			return reason
		}
	}
	return s.alive() // last: what was looked up may have taken its time
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
	s.allow.learn(full)
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
