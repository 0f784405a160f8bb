package simulator

import (
	"strings"
	"time"
)

// Request is one request to a platform, as it is remembered.
type Request struct {
	N        uint64    `json:"n"` // counts from 1, in the order of arrival
	Time     time.Time `json:"time"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Platform string    `json:"platform,omitempty"` // empty: no platform lives at this path
	Orders   []string  `json:"orders,omitempty"`   // the order ids that were readable in it, accepted or not
	Persons  []string  `json:"persons,omitempty"`  // masked, such as j***@example.com
	Accepted bool      `json:"accepted"`           // at least one event was stored
	Events   int       `json:"events"`             // how many were
	Answered bool      `json:"answered"`           // the client could read an answer
	Status   int       `json:"status,omitempty"`   // of that answer
	Fault    FaultKind `json:"fault,omitempty"`    // what struck
}

// requestLog keeps the newest requests in a ring.
type requestLog struct {
	keep  int
	ring  []record
	n     uint64 // of the newest request
	texts []string
	index map[string]uint16 // where in texts
}

// record is a Request in few bytes: what recurs is a position in texts.
type record struct {
	at              int64
	orders, persons []string
	events          int32
	status          int16
	unanswered      bool

	method, path, platform, fault uint16
}

const (
	maxTexts  = 1000
	maxText   = 200
	otherText = "..." // stands for methods and paths beyond the first 1,000
)

func newRequestLog(keep int) *requestLog {
	l := &requestLog{keep: max(keep, 0), texts: []string{otherText}, index: make(map[string]uint16)}
	for _, name := range append([]string{""}, platforms...) {
		l.text(name)
	}
	for _, kind := range faultKinds {
		l.text(string(kind))
	}
	return l
}

func (l *requestLog) add(c *call, in intake, fault FaultKind, out result) uint64 {
	l.n++
	r := record{at: c.at.UnixNano(), method: l.text(c.r.Method), path: l.text(c.r.URL.Path), platform: l.text(in.platform),
		orders: in.orders, persons: in.persons, fault: l.text(string(fault)), events: int32(len(out.accepted)),
		unanswered: out.ending != endAnswer}
	if !r.unanswered {
		r.status = int16(out.reply.status)
	}
	switch {
	case len(l.ring) < l.keep:
		l.ring = append(l.ring, r)
	case l.keep > 0:
		l.ring[l.slot(l.n)] = r
	}
	return l.n
}

func (l *requestLog) slot(n uint64) uint64 {
	return (n - 1) % uint64(l.keep)
}

// text returns the position of s, cut when it is long, in the table of texts.
func (l *requestLog) text(s string) uint16 {
	s = s[:min(len(s), maxText)]
	at, known := l.index[s]
	if !known && len(l.texts) < maxTexts {
		at = uint16(len(l.texts))
		s = strings.Clone(s) // of its own, so that the request line can go
		l.index[s], l.texts = at, append(l.texts, s)
	}
	return at
}

// unanswered corrects a request whose client left while a slow answer was due.
func (l *requestLog) unanswered(n uint64) {
	if n < l.oldest() || n > l.n {
		return
	}
	r := &l.ring[l.slot(n)]
	r.unanswered, r.status = true, 0
}

// oldest is the number of the oldest request that is still remembered, n + 1 when none is.
func (l *requestLog) oldest() uint64 {
	return l.n - uint64(len(l.ring)) + 1
}

// after returns at most limit requests with a number above n.
func (l *requestLog) after(n uint64, limit int) []Request {
	first := max(n+1, l.oldest())
	if n >= l.n || first > l.n {
		return nil
	}
	last := min(l.n, first+uint64(limit)-1)
	list := make([]Request, 0, last-first+1)
	for i := first; i <= last; i++ {
		list = append(list, l.view(i))
	}
	return list
}

func (l *requestLog) view(n uint64) Request {
	r := &l.ring[l.slot(n)]
	return Request{N: n, Time: instant(r.at), Method: l.texts[r.method], Path: l.texts[r.path],
		Platform: l.texts[r.platform], Orders: r.orders, Persons: r.persons, Accepted: r.events > 0,
		Events: int(r.events), Answered: !r.unanswered, Status: int(r.status), Fault: FaultKind(l.texts[r.fault])}
}

// Requests returns the remembered requests, oldest first.
func (s *Simulator) Requests() []Request {
	return s.requestsAfter(0, s.opts.KeepRequests)
}

func (s *Simulator) requestsAfter(n uint64, limit int) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.requests.after(n, limit)
}
