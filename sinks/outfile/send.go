package outfile

import (
	"context"
	"errors"

	"makegood/reconcile"
)

// Sender writes events as lines of a File. It is safe for concurrent use.
type Sender struct {
	*File
	// Line makes the line of a body, with its line end.
	Line func(body []byte) ([]byte, error)
	// Key is what Options.ID says of an event's line.
	Key func(reconcile.Event) string
}

// Send writes the batch as so many lines, all or none. An event that an
// earlier run was cut off over is looked for first: if its line is there it
// was sent, and if nobody can tell, because a file was taken away since, it
// stays in doubt and the target stops.
func (s *Sender) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	at := s.options.Clock().UTC()
	outcomes := make([]reconcile.Outcome, len(batch))
	settle := func(i int, o reconcile.Outcome) {
		o.ID = batch[i].ID
		if o.Verdict != reconcile.Unsent {
			o.Attempts = []reconcile.Attempt{{At: at, Verdict: o.Verdict}}
		}
		outcomes[i] = o
	}
	var lines []byte
	var places []int
	for i, e := range batch {
		line, err := s.Line(e.Body)
		if err != nil {
			settle(i, reconcile.Outcome{Verdict: reconcile.Rejected, Why: "the message cannot be written as a line"})
			continue
		}
		switch presence, err := s.before(e); {
		case err != nil:
			settle(i, reconcile.Outcome{Verdict: reconcile.InDoubt, Stop: true, Why: err.Error()})
		case presence == Unknown:
			settle(i, reconcile.Outcome{Verdict: reconcile.InDoubt, Stop: true, Why: "a run was cut off while it wrote, and the file that it may have " +
				"written to is gone: put it back, or end the doubt with makegood resolve"})
		case presence == There:
			settle(i, reconcile.Outcome{Verdict: reconcile.Sent, Why: "the line is there"})
		default:
			lines, places = append(lines, line...), append(places, i)
		}
	}
	if len(places) == 0 {
		return outcomes
	}
	wrote := written(ctx, s.Append(ctx, lines))
	for _, i := range places {
		settle(i, wrote)
	}
	return outcomes
}

// before tells whether the line of an event is there already: only where an
// earlier run may have written it.
func (s *Sender) before(e reconcile.Event) (Presence, error) {
	if e.Doubt.Reason == "" {
		return Absent, nil
	}
	presence, err := s.Look(s.Key(e), e.Doubt.At)
	if presence == Absent && e.Doubt.Reason != reconcile.ReasonLostClaim {
		presence = Unknown // when it was tried first is not known
	}
	return presence, err
}

// written says what an attempt to write means for all of its lines.
func written(ctx context.Context, err error) reconcile.Outcome {
	var failed *Failure
	switch {
	case err == nil:
		return reconcile.Outcome{Verdict: reconcile.Sent, Why: "written"}
	case !errors.As(err, &failed) || failed.Unsure:
		return reconcile.Outcome{Verdict: reconcile.InDoubt, Stop: true, Why: err.Error()}
	case ctx.Err() != nil:
		return reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonInterrupted}
	}
	return reconcile.Outcome{Verdict: reconcile.Retryable, Stop: true, Why: "not written: " + failed.Text}
}
