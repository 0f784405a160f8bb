package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// call is one request to a platform.
type call struct {
	r    *http.Request
	at   time.Time
	body []byte
}

// reply is what the client gets to see.
type reply struct {
	status      int
	body        []byte
	contentType string // empty: application/json
	location    string
	retryAfter  string
}

func refuse(status int, problems ...string) *reply {
	body, _ := json.Marshal(map[string][]string{"errors": problems}) // strings always marshal
	return &reply{status: status, body: body}
}

// intake is what a platform made of one request before anything is stored.
type intake struct {
	platform        string // empty: no platform lives at this path
	orders, persons []string
	refusal         *reply  // set: the request as a whole is refused
	pending         pending // otherwise: what is to be stored
}

// pending is the part of a request that a platform would store. store is called at most once, with the simulator's lock
// held, and returns the platform's own answer beside what it accepted.
type pending interface {
	store(s *Simulator, at time.Time) (reply, []Accepted)
}

// servePlatform is the life of one request: a fault may strike, the platform judges, stores and answers.
func (s *Simulator) servePlatform(w http.ResponseWriter, r *http.Request) {
	c := &call{r: r, at: s.opts.Clock()}
	hit := s.faults.pick(r.URL.Path, c.at)
	if !s.announce(w.Header(), c.at) {
		hit.Fault = Fault{Kind: FaultRateLimit}
	}
	var in intake
	if hit.Kind == FaultRefuse {
		in.platform = platformOf(r.URL.Path)
	} else {
		in = s.read(w, c)
	}
	out, hook := s.settle(c, in, hit)
	for _, a := range out.accepted {
		if hook != nil {
			hook(a)
		}
	}
	s.answer(w, r, hit, out)
}

func platformOf(path string) string {
	if isTrack(path) {
		return Squeezely
	}
	if _, ok := collectPath(path); ok {
		return Collect
	}
	if isRokt(path) {
		return Rokt
	}
	if isRoktAds(path) {
		return RoktAds
	}
	if _, _, ok := emanagePath(path); ok {
		return Emanage
	}
	return ""
}

// read takes in the body and lets the platform of the path judge it. It stores nothing.
func (s *Simulator) read(w http.ResponseWriter, c *call) intake {
	path := c.r.URL.Path
	in := intake{platform: platformOf(path)}
	if in.refusal = s.readBody(w, c); in.refusal != nil {
		return in
	}
	switch in.platform {
	case Squeezely:
		return s.readTrack(c)
	case Collect:
		target, _ := collectPath(path)
		return s.readCollect(c, target)
	case Rokt:
		return s.readRokt(c)
	case RoktAds:
		return s.readRoktAds(c)
	case Emanage:
		return s.readEmanage(c)
	}
	in.refusal = refuse(http.StatusNotFound, "no such endpoint")
	return in
}

// readBody also matters for faults that hold a request back: the server notices that a client has left only once the
// body was read.
func (s *Simulator) readBody(w http.ResponseWriter, c *call) *reply {
	var err error
	switch n := c.r.ContentLength; {
	case n > s.opts.MaxBody:
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large")
	case n >= 0:
		c.body = make([]byte, n)
		_, err = io.ReadFull(c.r.Body, c.body)
	default:
		c.body, err = io.ReadAll(http.MaxBytesReader(w, c.r.Body, s.opts.MaxBody))
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body ended early")
	}
	return nil
}

// result is what became of one request.
type result struct {
	n        uint64
	reply    reply
	ending   ending
	accepted []Accepted
}

// settle stores and records in one step, so that a record and what it accepted are never seen apart.
func (s *Simulator) settle(c *call, in intake, hit hit) (result, func(Accepted)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out result
	totals := s.memory.totals(in.platform)
	totals.requests++
	switch {
	case hit.Kind.acceptsNothing():
		totals.faulted++
	case in.refusal != nil:
		out.reply = *in.refusal
	default:
		out.reply, out.accepted = in.pending.store(s, c.at)
	}
	if !hit.Kind.acceptsNothing() && len(out.accepted) == 0 {
		totals.refused++
	}
	totals.accepted += uint64(len(out.accepted))
	out.reply, out.ending = hit.outcome(out.reply)
	out.n = s.memory.requests.add(c, in, hit.kind(), out)
	return out, s.onAccept
}

// answer carries out how the request ends for the client.
func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, hit hit, out result) {
	switch out.ending {
	case endReset:
		hangUp(w, abrupt)
		return
	case endDrop:
		hangUp(w, orderly)
		return
	case endHang:
		s.wait(w, r, hit.Delay)
		hangUp(w, orderly)
		return
	}
	if hit.delay > 0 && !s.wait(w, r, hit.delay) {
		s.unanswered(out.n)
		hangUp(w, orderly)
		return
	}
	out.reply.write(w)
}

func (s *Simulator) unanswered(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.requests.unanswered(n)
}

func (p reply) write(w http.ResponseWriter) {
	header := w.Header()
	if p.contentType == "" {
		p.contentType = "application/json"
	}
	header.Set("Content-Type", p.contentType)
	if p.location != "" {
		header.Set("Location", p.location)
	}
	if p.retryAfter != "" {
		header.Set("Retry-After", p.retryAfter)
	}
	w.WriteHeader(p.status)
	w.Write(p.body) //nolint:errcheck // a client that left is no concern of the platform's
}

// wait returns true after d, and false as soon as the client leaves or the simulator closes; d = 0 waits for one of
// those. The server's own time limits are lifted, for they would pass as a client that left.
func (s *Simulator) wait(w http.ResponseWriter, r *http.Request, d time.Duration) bool {
	limits := http.NewResponseController(w)
	limits.SetReadDeadline(time.Time{})  //nolint:errcheck // a writer without limits has none to lift
	limits.SetWriteDeadline(time.Time{}) //nolint:errcheck // the same
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}

// manner is how a connection is closed without an answer.
type manner int

const (
	orderly manner = iota // as a proxy does: the client reads an end of file
	abrupt                // as a crashed host does: the client's connection is reset
)

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, how manner) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the other way to end without an answer
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == abrupt {
		tcp.SetLinger(0) //nolint:errcheck // the connection is closed either way
	}
	conn.Close() //nolint:errcheck // nobody is left to tell
}

// isJSON says whether a Content-Type header means JSON in UTF-8.
func isJSON(contentType string) bool {
	media, params, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return false
	}
	params = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(params), `"`, ""))
	return params == "" || params == "charset=utf-8"
}
