package squeezely

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Send posts the batch in requests of at most Options.Batch events. A refused
// batch of which surely nothing was stored is halved until the event that the
// platform does not want stands alone.
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, 0, len(batch))
	for len(batch) > 0 {
		n := min(len(batch), s.options.Batch)
		outcomes = append(outcomes, s.post(ctx, batch[:n])...)
		batch = batch[n:]
	}
	return outcomes
}

func (s *Sink) post(ctx context.Context, events []reconcile.Event) []reconcile.Outcome {
	answer := s.client.Post(ctx, s.options.URL, bodyOf(events))
	if s.mayHalve(answer, len(events)) {
		return s.halve(ctx, events, answer)
	}
	findings := s.judge(answer, len(events))
	outcomes := make([]reconcile.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = findings[i].Outcome(e.ID, answer)
	}
	return outcomes
}

// bodyOf is the event itself, the form that the vendor's own client sends [C],
// or {"events": [...]} for several, as a partner's client does [C].
func bodyOf(events []reconcile.Event) []byte {
	if len(events) == 1 {
		return events[0].Body
	}
	bodies := make([][]byte, len(events))
	for i, e := range events {
		bodies[i] = e.Body
	}
	body := append([]byte(`{"events":[`), bytes.Join(bodies, []byte(","))...)
	return append(body, "]}"...)
}

func (s *Sink) mayHalve(a httpapi.Answer, events int) bool {
	if events < 2 {
		return false
	}
	if a.Status == http.StatusRequestEntityTooLarge {
		return true
	}
	believed := s.options.BatchAnswer == BatchAll || s.options.BatchAnswer == BatchUnknown && !s.options.CountsRepeats
	return believed && s.refused(a)
}

// refused reports an answer that refuses what was sent, not who sent it.
func (s *Sink) refused(a httpapi.Answer) bool {
	if a.OK() {
		problems, ok := errorsIn(a)
		return ok && len(problems) > 0
	}
	return httpapi.Classify(a).Verdict == reconcile.Rejected
}

// halve sends both halves by themselves. Each event keeps the attempt that was
// made of it before.
func (s *Sink) halve(ctx context.Context, events []reconcile.Event, a httpapi.Answer) []reconcile.Outcome {
	first := httpapi.Finding{Verdict: reconcile.Retryable, Why: "refused together with others"}
	outcomes := make([]reconcile.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = first.Outcome(e.ID, a)
	}
	half := len(events) / 2
	s.again(ctx, events[:half], outcomes[:half])
	s.again(ctx, events[half:], outcomes[half:])
	return outcomes
}

// again sends the events that may still go and adds what came of it to their
// outcomes: by the time that a refused batch is taken apart, another run may
// have taken over.
func (s *Sink) again(ctx context.Context, events []reconcile.Event, outcomes []reconcile.Outcome) {
	if s.options.Pace(ctx, len(events)) != nil {
		return
	}
	var fit []reconcile.Event
	var places []int
	for i, e := range events {
		if s.options.Fit(e) == "" {
			fit, places = append(fit, e), append(places, i)
		}
	}
	if len(fit) == 0 {
		return
	}
	for i, o := range s.post(ctx, fit) {
		if o.Verdict != reconcile.Unsent {
			o.Attempts = append(outcomes[places[i]].Attempts, o.Attempts...)
			outcomes[places[i]] = o
		}
	}
}

// judge says what an answer means for each of n events. It is the one place
// where this platform differs from the table: 200 and 201 are success [C]
// unless errors is not empty, which may happen under 200 [I]; the largest
// unknown is a batch of which only some are refused [U].
func (s *Sink) judge(a httpapi.Answer, n int) []httpapi.Finding {
	findings := make([]httpapi.Finding, n)
	f := httpapi.Classify(a)
	problems, readable := errorsIn(a)
	switch {
	case a.OK() && !readable, a.OK() && len(problems) == 0 && a.Status > http.StatusCreated:
		// nothing says that it was stored: in doubt, as the table has it
	case a.OK() && len(problems) == 0:
		f = httpapi.Finding{Verdict: reconcile.Sent, Why: "accepted"}
	case a.OK():
		f = httpapi.Finding{Verdict: reconcile.Rejected, Why: "refused with an answer that says errors"}
	}
	if f.Verdict == reconcile.Rejected {
		f.Code = codeOf(problems)
		if n > 1 {
			return byIndex(f, problems, n, s.options.BatchAnswer)
		}
	}
	for i := range findings {
		findings[i] = f
	}
	return findings
}

// byIndex refuses the events that the errors name and takes the others as
// stored. Where that is not what the platform does, or an error names no event
// of the batch, all of it is in doubt.
func byIndex(f httpapi.Finding, problems []problem, n int, meaning BatchAnswer) []httpapi.Finding {
	findings := make([]httpapi.Finding, n)
	doubt := httpapi.Finding{Why: "the batch was refused, and it is not known which of it was stored"}
	for i := range findings {
		findings[i] = httpapi.Finding{Verdict: reconcile.Sent, Why: "accepted"}
		if meaning != BatchIndex || len(problems) == 0 {
			findings[i] = doubt
		}
	}
	for _, p := range problems {
		if meaning == BatchIndex && p.Index != nil && *p.Index >= 0 && *p.Index < n {
			findings[*p.Index] = f
			findings[*p.Index].Code = p.known()
			continue
		}
		for i := range findings {
			findings[i] = doubt
		}
		break
	}
	return findings
}

// problem is one element of errors: an object, or a text, which is then taken
// as a code if it is a known one.
type problem struct {
	Index *int   `json:"index"`
	Code  string `json:"code"`
}

// known gives the problem's code when it is one that is documented: so far one
// is [P].
func (p problem) known() string { return httpapi.KnownCode(p.Code, "TIMESTAMP_ERROR") }

func codeOf(problems []problem) string {
	for _, p := range problems {
		if code := p.known(); code != "" {
			return code
		}
	}
	return ""
}

// errorsIn reads the list errors of an answer [C]. ok is false when the answer
// is not one whole JSON object, or errors is something else than a list.
func errorsIn(a httpapi.Answer) (problems []problem, ok bool) {
	var answer struct {
		Errors json.RawMessage `json:"errors"`
	}
	if !a.Whole || !isObject(a.Body) || json.Unmarshal(a.Body, &answer) != nil {
		return nil, false
	}
	if len(answer.Errors) == 0 || string(answer.Errors) == "null" {
		return nil, true
	}
	var list []json.RawMessage
	if json.Unmarshal(answer.Errors, &list) != nil {
		return nil, false
	}
	for _, raw := range list {
		var p problem
		if json.Unmarshal(raw, &p) != nil {
			p = problem{}
			_ = json.Unmarshal(raw, &p.Code) // neither object nor text: a problem without a name
		}
		problems = append(problems, p)
	}
	return problems, true
}

func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }
