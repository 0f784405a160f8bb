package collect

import (
	"bytes"
	"context"
	"encoding/json"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Send posts each event by itself, in order: no batch is documented [U].
//
// The answer carries user_id and session_id, for later calls about the same
// person [P]. They are not used: a body is final when it is planned, and
// profiles with one address merge by themselves [P].
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		answer := s.client.Post(ctx, s.address(e.Action), e.Body)
		outcomes[i] = judge(answer).Outcome(e.ID, answer)
	}
	return outcomes
}

// judge is the one place where this platform differs from the table: a 2xx with
// a JSON object is taken as accepted [I]. It is no proof that every line was
// kept: items that the catalog lacks are dropped in silence [P].
func judge(a httpapi.Answer) httpapi.Finding {
	if a.OK() && a.Whole && isObject(a.Body) {
		return httpapi.Finding{Verdict: reconcile.Sent, Why: "accepted"}
	}
	return httpapi.Classify(a)
}

func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Valid(body)
}
