package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Answer is what a platform says of one event.
type Answer int

// The answers. The zero value is the safe one.
const (
	AnswerUnknown Answer = iota // it cannot tell
	AnswerYes                   // it accepted the event
	AnswerNo                    // it did not, as far as can be seen yet
)

// Confirmer is an optional interface of a Sink that can look up what it
// accepted. A sink that wears others gives them by Unwrap() Sink.
type Confirmer interface {
	// Confirm asks about events. Those that are missing from the answers are
	// AnswerUnknown. It changes nothing at the platform.
	Confirm(ctx context.Context, ids []EventID) (map[EventID]Answer, error)
	// VisibleAfter is how long after an attempt an accepted event can stay out
	// of sight: an AnswerNo before that is none.
	VisibleAfter() time.Duration
}

// ConfirmerOf gives what can be asked of a sink or of one that it wraps.
func ConfirmerOf(s Sink) (Confirmer, bool) {
	for s != nil {
		if c, ok := s.(Confirmer); ok {
			return c, true
		}
		outer, ok := s.(interface{ Unwrap() Sink })
		if !ok {
			return nil, false
		}
		s = outer.Unwrap()
	}
	return nil, false
}

// askAtOnce is how many events one question is about.
const askAtOnce = 100

// Inquire ends doubts by asking the targets that can be asked. A no counts only
// when everything accepted would be visible by now; what a target cannot tell
// stays in doubt. A target that fails to answer ends nothing more.
func (r *Runner) Inquire(ctx context.Context, led WitnessLedger, req ProofRequest) ([]Proved, error) {
	var all []Proved
	for _, t := range r.Targets {
		p := Proved{Target: t.Name(), Resends: mergesAll(t)}
		doubts, err := r.doubts(ctx, led, t, req.Wanted)
		if err != nil {
			return all, err
		}
		p.Doubts = len(doubts)
		c, asked := ConfirmerOf(t.Sink)
		if asked {
			p.Asked = true
			err = r.askAt(ctx, led, &p, inquiry{c, doubts, req.Note})
		} else {
			p.Stay = len(doubts)
			p.Why = "this platform cannot be asked what it accepted"
		}
		all = append(all, p)
		if err != nil {
			return all, fmt.Errorf("ask %s: %w", t.Name(), err)
		}
	}
	return all, nil
}

// inquiry is what one target is asked.
type inquiry struct {
	Confirmer
	doubts []doubtful
	note   string
}

func (r *Runner) askAt(ctx context.Context, led Ledger, p *Proved, q inquiry) error {
	for part := range slices.Chunk(q.doubts, askAtOnce) {
		ids := make([]EventID, len(part))
		for i, d := range part {
			ids[i] = d.ID
		}
		asked := r.Clock()
		answers, err := q.Confirm(ctx, ids)
		if err != nil {
			p.Stay = p.Doubts - p.Done - p.Open - p.Moved
			return err
		}
		for _, d := range part {
			answer := answers[d.ID]
			if answer == AnswerNo && asked.Before(d.last.Add(q.VisibleAfter()+proofMargin)) {
				answer = AnswerUnknown
			}
			if err := r.answered(ctx, led, p, word{id: d.ID, answer: answer, who: p.Target, note: q.note}); err != nil {
				return err
			}
		}
	}
	return nil
}
