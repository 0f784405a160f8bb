package web

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"makegood/sinks/httpapi"
)

// AvailabilityOptions of an Availability. URL, Key and ShopKey are required.
type AvailabilityOptions struct {
	URL     string // the host of Rokt's cart API: nobody has printed it [U]
	Key     string // secret
	Tag     string // secret
	ShopKey string // what the shop's backend proves itself with
	Timeout time.Duration
	Log     *slog.Logger
	Clock   func() time.Time // nil is time.Now
}

// Availability asks Rokt on a shop backend's behalf whether a placement is
// available, so that the shop shows its upsell page or skips it:
//
//	POST /rokt/availability   {"cartId", "pageIdentifier", "url", "attributes", "sessionId"?}
//	                          answered with {"show": bool, "sessionId": "..."}
//
// It fails open: on any doubt the answer is to skip, within Timeout, and never
// an error [P]. The session is the shop's, or a new one; where Rokt names
// another one, that [I]. It belongs into Rokt.createLauncher [P]. It is an
// http.Handler, safe for concurrent use.
type Availability struct {
	options AvailabilityOptions
	client  *httpapi.Client

	mu     sync.Mutex
	counts Asked
	failed int       // in a row
	rest   time.Time // until when Rokt is not asked
}

// Asked counts questions and answers.
type Asked struct {
	Shown   int            `json:"shown"`
	Skipped map[string]int `json:"skipped,omitempty"` // by why
}

// A Rokt that fails so often in a row is left alone for so long: a shop must
// not wait for it with every customer.
const (
	failuresInRow = 5
	restFor       = 10 * time.Second
)

// Why a page is skipped.
const (
	whyNone     = "no placement"
	whyNoAnswer = "no clear answer in time"
	whyRest     = "not asked after failures"
	whyWrong    = "not asked for what the shop sent"
)

// NewAvailability makes a handler that has asked nothing yet.
func NewAvailability(o AvailabilityOptions) *Availability {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	header := http.Header{}
	header.Set("rokt-api-key", o.Key) // [P]
	header.Set("rokt-tag-id", o.Tag)  // [P]
	return &Availability{options: o, counts: Asked{Skipped: map[string]int{}},
		client: httpapi.New(httpapi.Options{Header: header, Timeout: o.Timeout, Grace: time.Nanosecond, Connections: 16, Clock: o.Clock})}
}

// Close closes idle connections.
func (a *Availability) Close() { a.client.Close() }

// shown is the answer to a shop. Every answer has it, the refusals, too.
type shown struct {
	Show    bool   `json:"show"`
	Session string `json:"sessionId,omitempty"`
	Why     string `json:"why,omitempty"`
}

// question is what a shop asks, in the words of Rokt's API [P].
type question struct {
	CartID     string                     `json:"cartId"`
	Page       string                     `json:"pageIdentifier"`
	URL        string                     `json:"url"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	Session    string                     `json:"sessionId,omitempty"` // not part of what Rokt is asked
}

// ServeHTTP implements http.Handler.
func (a *Availability) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case r.Method != http.MethodPost:
		answer(w, http.StatusMethodNotAllowed, shown{Why: "only POST is answered here"})
		return
	case !is || !sameSecret(given, a.options.ShopKey):
		answer(w, http.StatusUnauthorized, shown{Why: "the key of serve.availability is wanted: Authorization: Bearer KEY"})
		return
	}
	got, why := a.ask(w, r)
	if got.Show = why == ""; !got.Show {
		got.Why = "skip: " + why
	}
	a.count(why)
	answer(w, http.StatusOK, got)
}

// ask gives the session, and why the page is to be skipped, "" to show it.
func (a *Availability) ask(w http.ResponseWriter, r *http.Request) (got shown, why string) {
	q, ok := readQuestion(w, r)
	if got.Session = q.Session; got.Session == "" {
		got.Session = uuid.NewString()
	}
	switch {
	case !ok:
		return got, whyWrong
	case a.resting():
		return got, whyRest
	}
	q.Session = ""
	text, err := json.Marshal(q)
	if err != nil {
		return got, whyWrong
	}
	reply := a.client.PostAs(r.Context(), strings.TrimRight(a.options.URL, "/")+"/v1/placements/any",
		http.Header{"Rokt-Session-Id": {got.Session}}, text)
	var said struct {
		Result *bool `json:"result"`
	}
	if !reply.OK() || !reply.Whole || json.Unmarshal(reply.Body, &said) != nil || said.Result == nil {
		return got, whyNoAnswer
	}
	if other := reply.Header.Get("Rokt-Session-Id"); other != "" && len(other) <= maxID {
		got.Session = other
	}
	if !*said.Result {
		return got, whyNone
	}
	return got, ""
}

// readQuestion reads what a shop asks. What is not understood is no error to
// anybody: the page is skipped.
func readQuestion(w http.ResponseWriter, r *http.Request) (q question, ok bool) {
	var data bytes.Buffer
	if _, err := data.ReadFrom(http.MaxBytesReader(w, r.Body, 64<<10)); err != nil {
		return q, false
	}
	if json.Unmarshal(data.Bytes(), &q) != nil {
		return question{}, false
	}
	if q.Attributes == nil {
		q.Attributes = map[string]json.RawMessage{}
	}
	plain := len(q.Session) <= maxID && !strings.ContainsFunc(q.Session, func(r rune) bool { return r < ' ' || r > '~' })
	if !plain {
		q.Session = ""
	}
	return q, plain && q.CartID != "" && q.Page != "" && q.URL != ""
}

func (a *Availability) resting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.options.Clock().Before(a.rest)
}

// count notes an answer, and leaves Rokt alone when it fails too often.
func (a *Availability) count(why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch why {
	case "":
		a.counts.Shown++
	default:
		a.counts.Skipped[why]++
	}
	switch why {
	case "", whyNone:
		a.failed = 0
	case whyNoAnswer:
		if a.failed++; a.failed%failuresInRow == 0 {
			a.rest = a.options.Clock().Add(restFor)
			a.options.Log.Warn("Rokt does not say whether placements are available; pages are skipped", "for", restFor)
		}
	}
}

// Status counts what was asked since it began.
func (a *Availability) Status() Asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := Asked{Shown: a.counts.Shown, Skipped: map[string]int{}}
	for why, n := range a.counts.Skipped {
		all.Skipped[why] = n
	}
	return all
}
