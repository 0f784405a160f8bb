package emanage

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// Send posts each event by itself. Nothing leaves in shadow, whoever calls. The
// receipt of an event is the session that its cart has.
func (s *Sink) Send(ctx context.Context, batch []reconcile.Event) []reconcile.Outcome {
	outcomes := make([]reconcile.Outcome, len(batch))
	for i, e := range batch {
		if s.options.Use == Look {
			outcomes[i] = reconcile.Outcome{ID: e.ID, Verdict: reconcile.Unsent, Reason: reconcile.ReasonShadow}
			continue
		}
		answer := s.client.Post(ctx, s.base+e.Path, e.Body)
		finding, session := s.judge(e, answer)
		outcomes[i] = finding.Outcome(e.ID, answer)
		outcomes[i].Receipt = session
	}
	return outcomes
}

// judge is the one place where this platform differs from the table. new
// answers with the session [C]: a success without one is in doubt. What add
// answers is not known beyond that it may be empty or no JSON [C]: nothing at
// all, the session, and an object that says success are taken as accepted. A
// text could say anything, "declined" or a login page: it counts where the
// configuration says that texts do.
func (s *Sink) judge(e reconcile.Event, a httpapi.Answer) (finding httpapi.Finding, session string) {
	accepted := httpapi.Finding{Verdict: reconcile.Sent, Why: "accepted"}
	switch {
	case !a.OK() || !a.Whole:
	case strings.HasPrefix(e.Path, "new"):
		if session := s.sessionIn(a.Body); session != "" {
			return accepted, session
		}
	case s.takes(a.Body):
		return accepted, sessionOf(e.Path)
	}
	return httpapi.Classify(a), ""
}

// guid is what the sessions of the document's samples are [P]. A text that
// stands by itself must be one: it could be anything else.
var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// sessionIn finds the session in the answer of new: a bare text, a JSON text, or
// a field of an object.
func (s *Sink) sessionIn(body []byte) string {
	body = bytes.TrimSpace(body)
	text, shape := string(body), guid
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		var fields map[string]any
		if json.Unmarshal(body, &fields) != nil || namesError(body) {
			return ""
		}
		text, _ = fields[s.options.SessionField].(string)
		shape = sessionText
	case bytes.HasPrefix(body, []byte(`"`)):
		if json.Unmarshal(body, &text) != nil {
			return ""
		}
	}
	if !shape.MatchString(text) {
		return ""
	}
	return text
}

// takes reports whether an answer of add under a success says that it was
// taken.
func (s *Sink) takes(body []byte) bool {
	body = bytes.TrimSpace(body)
	var fields map[string]any
	switch {
	case len(body) == 0, s.sessionIn(body) != "":
		return true
	case json.Unmarshal(body, &fields) == nil && fields != nil:
		return !namesError(body) && (len(fields) == 0 || fields["success"] == true || fields["Success"] == true)
	}
	return s.options.AnyText && !json.Valid(body)
}

// sessionOf is the session that the path of an add names.
func sessionOf(path string) string {
	_, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return values.Get("sessionId")
}

// errorFields are those that would speak against a success [U].
var errorFields = []string{"error", "errors", "Error", "Errors", "message", "Message", "exceptionMessage", "ExceptionMessage"}

// namesError reports whether an answer is an object that speaks of an error, or
// of no success.
func namesError(body []byte) bool {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return false
	}
	for _, name := range errorFields {
		if v, has := fields[name]; has && v != nil && v != false && v != "" {
			return true
		}
	}
	for _, name := range []string{"success", "Success"} {
		if v, has := fields[name]; has && v != true {
			return true
		}
	}
	return false
}
