package reconcile

import (
	"context"
	"errors"
	"fmt"
)

// word is an answer about one doubt, and who gave it.
type word struct {
	id     EventID
	answer Answer
	who    string
	note   string
	// receipt is what the evidence knows of the platform's answer.
	receipt string
}

// answered ends a doubt as the answer says, and counts it.
func (r *Runner) answered(ctx context.Context, led Ledger, p *Proved, w word) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	res := Resolution{State: StateOpen, Who: w.who, Note: w.note}
	switch w.answer {
	case AnswerYes:
		res.State, res.By, res.Receipt = StateDone, ByProven, w.receipt
	case AnswerNo:
	default:
		p.Stay++
		return nil
	}
	switch err := led.Resolve(ctx, p.Target, w.id, res); {
	case errors.Is(err, ErrLedgerMoved):
		p.Moved++
		return nil
	case err != nil:
		return fmt.Errorf("end a doubt at %s: %w", p.Target, err)
	}
	if w.answer == AnswerYes {
		p.Done++
	} else {
		p.Open++
	}
	return nil
}
