package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Send posts each event by itself, in order: no batch is documented [U].
//
// The answer carries user_id and session_id, for later calls about the same
// person [P]. They are the receipt. Later calls do not use them: a body is final
// when it is planned, and profiles with one address merge by themselves [P].
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		answer := s.client.Post(ctx, s.address(e.Action), e.Body)
		outcomes[i] = judge(answer).Outcome(e.ID, answer)
		if outcomes[i].Verdict == reconcile.Sent {
			outcomes[i].Receipt = receipt(answer.Body)
		}
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

// receiptID is what ids of sessions and users look like [U]: anything else is
// not kept, as it might be somebody's address.
var receiptID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// receipt is user_id and session_id of an answer as JSON, "" without any.
func receipt(body []byte) string {
	var ids struct {
		Session string `json:"session_id,omitempty"`
		User    string `json:"user_id,omitempty"`
	}
	if json.Unmarshal(body, &ids) != nil {
		return ""
	}
	for _, id := range []*string{&ids.Session, &ids.User} {
		if !receiptID.MatchString(*id) {
			*id = ""
		}
	}
	if ids.Session == "" && ids.User == "" {
		return ""
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return ""
	}
	return string(text)
}
