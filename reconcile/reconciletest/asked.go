package reconciletest

import (
	"context"
	"time"

	"makegood/reconcile"
)

// Asked is a Sink that can be asked what it accepted. It answers what a test
// says, not what it was sent.
type Asked struct {
	*Sink
	Answers map[reconcile.EventID]reconcile.Answer
	Visible time.Duration
	Fail    error
}

var _ reconcile.Confirmer = (*Asked)(nil)

// Confirm gives the answers of the test.
func (a *Asked) Confirm(_ context.Context, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Answer, error) {
	answers := map[reconcile.EventID]reconcile.Answer{}
	for _, id := range ids {
		if answer, ok := a.Answers[id]; ok {
			answers[id] = answer
		}
	}
	return answers, a.Fail
}

// VisibleAfter is what the test says.
func (a *Asked) VisibleAfter() time.Duration { return a.Visible }
