package roktads

import (
	"context"
	"net/http"
	"slices"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Send posts the batch in requests that are neither too many nor too large for
// the platform. Items that it refuses beside others are sent once more by
// themselves, for a refusal of one says nothing about what it would say of the
// item alone. An answer that is about the target ends the batch.
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	if s.file != nil {
		return s.file.Send(ctx, batch)
	}
	outcomes := make([]reconcile.Outcome, 0, len(batch))
	for first := true; len(batch) > 0; first = false {
		n := s.fitting(batch)
		part := batch[:n]
		var got []reconcile.Outcome
		if first {
			got = s.post(ctx, part)
		} else {
			got = s.later(ctx, part)
		}
		outcomes, batch = append(outcomes, got...), batch[n:]
		if slices.ContainsFunc(got, func(o reconcile.Outcome) bool { return o.Stop }) {
			return append(outcomes, unsent(batch, reconcile.ReasonFuse)...)
		}
	}
	return outcomes
}

// post sends events in one request and says what is known of each.
func (s *Sink) post(ctx context.Context, events []reconcile.Event) []reconcile.Outcome {
	f := s.frame(events)
	answer := s.client.Post(ctx, s.options.URL, f.body)
	findings, again := s.judge(answer, events, f)
	outcomes := make([]reconcile.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = findings[i].Outcome(e.ID, answer)
	}
	if answer.Status == http.StatusRequestEntityTooLarge && len(events) > 1 {
		half := len(events) / 2
		s.repeat(ctx, events[:half], outcomes[:half])
		s.repeat(ctx, events[half:], outcomes[half:])
		return outcomes
	}
	for _, i := range again {
		s.repeat(ctx, events[i:i+1], outcomes[i:i+1])
	}
	return outcomes
}

// repeat sends events again that were surely not accepted, and adds what came
// of it to their outcomes.
func (s *Sink) repeat(ctx context.Context, events []reconcile.Event, outcomes []reconcile.Outcome) {
	for i, o := range s.later(ctx, events) {
		if o.Verdict != reconcile.Unsent {
			o.Attempts = append(outcomes[i].Attempts, o.Attempts...)
			outcomes[i] = o
		}
	}
}

// later sends what may still go: between the first request of a batch and this
// one another run may have taken over. The others are Unsent.
func (s *Sink) later(ctx context.Context, events []reconcile.Event) []reconcile.Outcome {
	outcomes := unsent(events, reconcile.ReasonInterrupted)
	if s.options.Pace(ctx, len(events)) != nil {
		return outcomes
	}
	var fit []reconcile.Event
	var places []int
	for i, e := range events {
		if reason := s.options.Fit(e); reason != "" {
			outcomes[i].Reason = reason
			continue
		}
		fit, places = append(fit, e), append(places, i)
	}
	if len(fit) == 0 {
		return outcomes
	}
	for i, o := range s.post(ctx, fit) {
		outcomes[places[i]] = o
	}
	return outcomes
}

func unsent(events []reconcile.Event, reason reconcile.Reason) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = reconcile.Outcome{ID: e.ID, Verdict: reconcile.Unsent, Reason: reason}
	}
	return outcomes
}

var (
	accepted = httpapi.Finding{Verdict: reconcile.Sent, Why: "accepted"}
	beside   = httpapi.Finding{Verdict: reconcile.Retryable, Why: "refused beside others"}
)

// judge says what an answer means for each event, and which events were refused
// beside others and may go by themselves. It is the one place where this
// platform differs from the table: 202 of the Event & Audience API accepts what
// it does not name [P] [C], a success of the Conversions API what it names no
// error of [I].
func (s *Sink) judge(a httpapi.Answer, events []reconcile.Event, f frame) (findings []httpapi.Finding, again []int) {
	findings = make([]httpapi.Finding, len(events))
	fill := func(one httpapi.Finding) {
		for i := range findings {
			findings[i] = one
		}
	}
	one := httpapi.Classify(a)
	if a.Status == http.StatusRequestEntityTooLarge && len(events) > 1 {
		one = httpapi.Finding{Verdict: reconcile.Retryable, Why: "413: too large together with others"}
	}
	if fill(one); !s.success(a) {
		return findings, nil
	}
	refused, ok := s.refusals(a, events, f)
	if !ok {
		return findings, nil // nobody knows which were accepted: in doubt, as the table has it
	}
	fill(accepted)
	for i := range findings {
		switch {
		case !refused[i]:
		case len(events) == 1:
			findings[i] = httpapi.Finding{Verdict: reconcile.Rejected, Why: "refused with an answer that names errors"}
		default:
			findings[i] = beside
			again = append(again, i)
		}
	}
	return findings, again
}

// success reports the status by which an API accepts: 202 [P], 200 to 202 at
// the Conversions API, of which only success is documented [I].
func (s *Sink) success(a httpapi.Answer) bool {
	if s.options.API == Conversions {
		return a.Status >= http.StatusOK && a.Status <= http.StatusAccepted
	}
	return a.Status == http.StatusAccepted
}
