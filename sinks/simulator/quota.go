package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Quota is a limit that the platforms announce in each answer, as X-RateLimit-Limit, -Remaining and -Reset (in seconds).
// Whether any of them has one, and says so, no document tells [U]; the zero value has none. A fault of kind rate_limit is
// a limit that nobody announces.
type Quota struct {
	Requests int           // of each window
	Per      time.Duration // the window, from its first request on
}

// ParseQuota reads 100/1m.
func ParseQuota(text string) (Quota, error) {
	count, per, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	d, wrong := time.ParseDuration(per)
	if errors.Join(err, wrong) != nil || n < 1 || d < time.Second {
		return Quota{}, fmt.Errorf("quota %q must be a number of requests and a window of a second or more, such as 100/1m", text)
	}
	return Quota{n, d}, nil
}

// window counts the requests of one window. It is safe for concurrent use.
type window struct {
	mu   sync.Mutex
	end  time.Time
	left int
}

// announce takes one request out of the quota, says in the answer's header what is left, and reports whether there was
// any.
func (s *Simulator) announce(header http.Header, now time.Time) bool {
	q := s.opts.Quota
	if q.Requests == 0 {
		return true
	}
	s.quota.mu.Lock()
	defer s.quota.mu.Unlock()
	if !now.Before(s.quota.end) {
		s.quota.end, s.quota.left = now.Add(q.Per), q.Requests
	}
	within := s.quota.left > 0
	if within {
		s.quota.left--
	}
	seconds := (s.quota.end.Sub(now) + time.Second - 1) / time.Second
	header.Set("X-RateLimit-Limit", strconv.Itoa(q.Requests))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(s.quota.left))
	header.Set("X-RateLimit-Reset", strconv.Itoa(int(seconds)))
	return within
}
