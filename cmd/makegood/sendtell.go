package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
	"makegood/reports"
	"makegood/sinks"
	"makegood/sinks/httpapi"
)

// sentJSON is what send tells. Its JSON form is stable. Addresses are masked,
// but for one's own; secrets are never in it.
type sentJSON struct {
	Schema   int           `json:"schema"`
	Order    string        `json:"order"` // as the platform's messages name it in the ledger
	Target   string        `json:"target"`
	Mode     string        `json:"mode"`
	Ledger   string        `json:"ledger_name"` // where the ledger keeps it
	Test     bool          `json:"test"`        // to one's own address
	Again    bool          `json:"again"`       // a repeat
	Messages []sentMessage `json:"messages"`    // what would go, or went
	Answers  []sentAnswer  `json:"answers"`     // of the platform, in the order of the requests
	Ends     []judgment    `json:"ends"`        // where each message ended, and why
	Problems []string      `json:"problems,omitempty"`
	Nearest  string        `json:"nearest,omitempty"` // no source holds the order: the number that is most like it
	Found    bool          `json:"found"`
	Run      string        `json:"run,omitempty"` // nothing went without one
	Question string        `json:"question,omitempty"`
	// Check is the platform's own way to see whether it is there.
	Check *reports.PlatformCheck `json:"platform_check,omitempty"`
}

// sentMessage is one message and the requests that carry it; to a file there are
// none.
type sentMessage struct {
	Event    string        `json:"event"`
	Action   string        `json:"action"`
	Requests []sentRequest `json:"requests"`
	Line     string        `json:"line,omitempty"` // of a file
}

type sentRequest struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body"`

	hidden []string // what was masked in the body
}

// sentAnswer is one answer; of status 0, none came, for the reason in Body.
type sentAnswer struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`
	Body   string    `json:"body"`
}

// shown lists what a plan would send.
func (s *session) shown(plan *reconcile.Plan, f *sendFlags) (*sentJSON, error) {
	one := f.one
	told := &sentJSON{Schema: 1, Order: reports.Mask(one.number()), Target: one.cfg.Name, Mode: one.cfg.Mode, Ledger: one.ledgerName(), Found: true,
		Test: one.toSelf != "", Again: one.again, Messages: []sentMessage{}, Answers: []sentAnswer{}, Ends: []judgment{}}
	hide := newRedactor(one.cfg, one.toSelf)
	orders := map[reconcile.OrderKey]bool{}
	for step, err := range plan.All() {
		if err != nil {
			return nil, err
		}
		if step.Do != reconcile.DoSend {
			continue
		}
		key, err := step.Event.ID.Key()
		if err != nil {
			return nil, err
		}
		orders[key] = true
		m := sentMessage{Event: string(step.Event.ID), Action: string(step.Event.Action), Requests: []sentRequest{}}
		requests, err := sinks.Rehearse(one.cfg, one.options, step.Event)
		if err != nil {
			return nil, err
		}
		for _, r := range requests {
			body := hide.body(r.Body)
			m.Requests = append(m.Requests, sentRequest{r.Method, hide.text(r.URL), body, hide.hidden})
		}
		if len(requests) == 0 {
			m.Line = hide.body(step.Event.Body)
		}
		told.Messages = append(told.Messages, m)
	}
	if len(orders) > 1 {
		return nil, fmt.Errorf("send order %s: it is the number of %d orders, in different shops, and one alone was asked for; makegood run --orders sends all of them", told.Order, len(orders))
	}
	return told, nil
}

// conclude adds what came back and where everything ended.
func (t *sentJSON) conclude(one *oneOrder, res reconcile.Result, zone *time.Location) {
	one.mu.Lock()
	defer one.mu.Unlock()
	hide := newRedactor(one.cfg, one.toSelf)
	for _, m := range t.Messages {
		for _, r := range m.Requests {
			hide.learn(r.hidden)
		}
	}
	for _, a := range one.answers {
		told := sentAnswer{At: a.At, Status: a.Status, Body: hide.answer(a.Body, a.Whole)}
		if a.Status == 0 {
			told.Body = httpapi.Classify(a).Why
		}
		t.Answers = append(t.Answers, told)
	}
	for _, id := range slices.Sorted(maps.Keys(one.ends)) {
		j := judgmentOf(one.ends[id]).changed()
		j.Order, j.Detail, j.Origin = reports.Mask(j.Order), reports.Mask(j.Detail), reports.Mask(j.Origin)
		if one.ends[id].Place.Bucket == reconcile.BucketSent {
			j.Words, j.Detail = reports.BucketWords(reconcile.BucketSent), ""
		}
		t.Ends = append(t.Ends, j)
	}
	for _, s := range res.Sources {
		if s.Err != nil {
			t.Problems = append(t.Problems, reports.Mask(fmt.Sprintf("%s could not be read: %v", s.Source, s.Err)))
		}
	}
	for _, tr := range res.Targets {
		if tr.Err != nil {
			t.Problems = append(t.Problems, reports.Mask(tr.Err.Error()))
		}
		look := reports.Looked{Type: tr.Type, Target: one.cfg.Name, Orders: tr.Newest, After: res.Started, Now: res.Finished, Zone: zone, Test: one.toSelf != ""}
		if tr.Type == "emanage" {
			look.Target = tr.Target
		}
		t.Check = reports.CheckOf(look)
		if !tr.Balance.Holds() {
			t.Problems = append(t.Problems, reports.Mask(tr.Target+": its counts do not add up; makegood report tells more"))
		}
		if tr.Stopped != "" {
			t.Problems = append(t.Problems, reports.Mask(tr.Target+": "+tr.Stopped))
		}
	}
	if len(t.Ends)+len(t.Problems)+len(t.Messages) == 0 {
		t.Found, t.Nearest = false, reports.Mask(one.nearest(res.Listed))
	}
}

// code is the exit code: by where the one order ended, and what stood in its way.
// What the plan met of other orders is for a run to tell.
func (t *sentJSON) code(res reconcile.Result) int {
	isFailed := func(n reconcile.PersonNeeded) bool { return n.What == reconcile.NeedFailed }
	switch {
	case res.Err != nil:
		return codeOf(res.Err)
	case slices.ContainsFunc(res.Needs(), isFailed):
		return exitFailed
	case !t.Found, slices.ContainsFunc(res.Targets, func(tr reconcile.TargetResult) bool { return tr.Stopped != "" || !tr.Balance.Holds() }):
		return exitPerson
	}
	code := exitDone
	for _, j := range t.Ends {
		ends := slices.ContainsFunc(res.Targets, func(tr reconcile.TargetResult) bool { return tr.Target == j.Target && tr.DoubtEnds })
		code = max(code, codeOfEnd(reconcile.Place{Bucket: reconcile.Bucket(j.Bucket), Reason: reconcile.Reason(j.Reason)}, ends))
	}
	return code
}

// codeOfEnd is the exit code of one end; doubtEnds: the next run ends a doubt.
func codeOfEnd(p reconcile.Place, doubtEnds bool) int {
	switch p.Bucket {
	case reconcile.BucketBad, reconcile.BucketRefused:
		return exitPerson
	case reconcile.BucketInDoubt:
		if !doubtEnds {
			return exitPerson
		}
		return exitLeft
	case reconcile.BucketHeldBack:
		if p.Reason.NeedsLook() {
			return exitPerson
		}
	case reconcile.BucketLeft:
		switch {
		case slices.Contains(personEnds, p.Reason):
			return exitPerson
		case !slices.Contains(noRunEnds, p.Reason):
			return exitLeft
		}
	}
	return exitDone
}

// personEnds are reasons for being left that only a person ends.
var personEnds = []reconcile.Reason{reconcile.ReasonNeedsApproval, reconcile.ReasonShadowPeriod, reconcile.ReasonEvidenceStale, reconcile.ReasonEvidenceUnmet}

// tellRequests shows a person what would go: beside the JSON, where that is what
// was asked for, and only to somebody who is asked.
func (s *session) tellRequests(t *sentJSON, f *sendFlags) {
	out, as := s.io.out, "once"
	switch {
	case f.json && f.yes:
		return
	case f.json:
		out = s.io.err
	}
	switch {
	case t.Again:
		as = "once more, byte for byte what was sent before"
	case t.Test:
		as = "as a test, with your own address"
	}
	fmt.Fprintf(out, "Order %s, to %s (%s), %s:\n", t.Order, t.Target, t.Mode, as)
	for _, m := range t.Messages {
		fmt.Fprintf(out, "\n%s\n", strings.ReplaceAll(m.Action, "_", " "))
		for _, r := range m.Requests {
			fmt.Fprintf(out, "  %s %s\n%s\n", r.Method, r.URL, indented(r.Body))
		}
		if m.Line != "" {
			fmt.Fprintf(out, "  into its file:\n%s\n", indented(m.Line))
		}
	}
	fmt.Fprintln(out)
}

func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// tellSent shows what the platform answered and where everything ended.
func (s *session) tellSent(t *sentJSON, f *sendFlags) error {
	accepted := slices.ContainsFunc(t.Ends, func(j judgment) bool { return j.Bucket == string(reconcile.BucketSent) })
	if f.again && t.Run != "" && len(t.Answers) > 0 {
		t.Question = f.one.question(s)
	}
	if f.json {
		return s.encode(t)
	}
	out := s.io.out
	for _, a := range t.Answers {
		if a.Status == 0 {
			fmt.Fprintf(out, "No answer: %s\n", a.Body)
			continue
		}
		fmt.Fprintf(out, "The platform answered with %d %s:\n%s\n", a.Status, http.StatusText(a.Status), indented(cmp.Or(a.Body, "(nothing)")))
	}
	for _, j := range t.Ends {
		j.tell(s.app, s.Zone)
	}
	for _, p := range t.Problems {
		fmt.Fprintf(out, "! %s\n", p)
	}
	if !t.Found {
		fmt.Fprintf(out, "No source of %s holds an order %s%s.\n", t.Target, reports.Mask(f.order), likeWords(t.Nearest))
	}
	if left := func(j judgment) bool { return j.Bucket == string(reconcile.BucketLeft) }; t.Test && slices.ContainsFunc(t.Ends, left) {
		fmt.Fprintln(out, "\nThe same command goes on from here, and sends nothing twice.")
	}
	if none := func(j judgment) bool { return slices.Contains(noOwnCart, reconcile.Reason(j.Reason)) }; t.Test && slices.ContainsFunc(t.Ends, none) {
		fmt.Fprintf(out, "\nTo try the cart, too: put what an order bought into the shop's cart, with your address; after %s send that order to yourself.\n",
			counted(int(time.Duration(f.one.cfg.ClockMargin)/time.Minute)+1, "minute"))
	}
	if t.Check != nil {
		fmt.Fprintf(out, "\nCheck at the platform whether it is there, as its document says:\n")
		for i, step := range t.Check.Steps {
			fmt.Fprintf(out, "  %d. %s.\n", i+1, step.Text)
			if words, ok := strings.CutPrefix(step.Command, "makegood "); ok {
				fmt.Fprintf(out, "       %s\n", s.called(words))
			}
		}
	}
	if t.Question != "" {
		fmt.Fprintf(out, "\n%s\n", t.Question)
	}
	if accepted && t.Test && !t.Again {
		fmt.Fprintf(out, "\nIt counts for no order. Whether %s counts a repeat once:  %s --order %s --target %s --to-self %s --again\n",
			t.Target, s.called("send"), quotedArgument(f.order), t.Target, f.toSelf)
	}
	return nil
}

// noOwnCart are reasons that one's own cart can end.
var noOwnCart = []reconcile.Reason{reconcile.ReasonNoCart, reconcile.ReasonCartNewer, reconcile.ReasonCartUnrelated}

func likeWords(nearest string) string {
	if nearest == "" {
		return ""
	}
	return "; the nearest is " + nearest
}

// tellNothing says that the person did not want it.
func (s *session) tellNothing(t *sentJSON, f *sendFlags) error {
	if f.json {
		return s.encode(t)
	}
	_, err := fmt.Fprintln(s.io.out, "Nothing was sent.")
	return err
}
