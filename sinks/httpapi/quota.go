package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Word is what an answer says about the pace, whatever it says of the event.
type Word struct {
	Busy  bool   // 429: too many requests
	Quota *Quota // nil: nothing is said
}

// Quota is what a platform says may still come, and until when.
type Quota struct {
	Limit     int // of the whole window; 0: nothing is said
	Remaining int
	Reset     time.Duration // from the answer on; at most MaxReset
}

// Bounds of what a platform can announce.
const (
	MaxReset     = time.Hour
	maxRemaining = 1_000_000_000
)

// quotaOf reads the headers by which platforms announce a limit: X-RateLimit-*,
// X-...-Rate-Limit-*, RateLimit-* (Remaining and Reset, in seconds, as a Unix
// time or as a date), and RateLimit in one line, as drafts of the IETF have it.
// Of several the tightest counts; what cannot be read is as good as none.
func quotaOf(h http.Header, now time.Time) *Quota {
	limit, remaining, reset := map[string]string{}, map[string]string{}, map[string]string{}
	var tightest *Quota
	take := func(whole, left, until string) {
		if q := readQuota(whole, left, until, now); q != nil && (tightest == nil || q.perSecond() < tightest.perSecond()) {
			tightest = q
		}
	}
	for name, values := range h {
		if len(values) == 0 || !strings.Contains(strings.ToLower(name), "rate") {
			continue
		}
		plain := strings.ReplaceAll(strings.ToLower(name), "-", "")
		switch {
		case strings.HasSuffix(plain, "ratelimitlimit"):
			limit[strings.TrimSuffix(plain, "limit")] = values[0]
		case strings.HasSuffix(plain, "ratelimitremaining"):
			remaining[strings.TrimSuffix(plain, "remaining")] = values[0]
		case strings.HasSuffix(plain, "ratelimitreset"):
			reset[strings.TrimSuffix(plain, "reset")] = values[0]
		case plain == "ratelimit":
			for _, value := range values {
				take(parameters(value))
			}
		}
	}
	for name, left := range remaining {
		take(limit[name], left, reset[name])
	}
	return tightest
}

func (q *Quota) perSecond() float64 { return float64(q.Remaining) / q.Reset.Seconds() }

// parameters reads "limit=10, remaining=5, reset=30" and "default";r=5;t=30.
func parameters(text string) (limit, remaining, reset string) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "limit":
			limit = value
		case "r", "remaining":
			remaining = value
		case "t", "reset":
			reset = value
		}
	}
	return limit, remaining, reset
}

func readQuota(whole, left, until string, now time.Time) *Quota {
	limit, err := strconv.ParseInt(strings.TrimSpace(whole), 10, 64)
	if err != nil || limit < 0 {
		limit = 0
	}
	remaining, err := strconv.ParseInt(strings.TrimSpace(left), 10, 64)
	reset, ok := readReset(strings.TrimSpace(until), now)
	if err != nil || remaining < 0 || !ok {
		return nil
	}
	return &Quota{int(min(limit, maxRemaining)), int(min(remaining, maxRemaining)), min(max(reset, time.Second), MaxReset)}
}

// readReset takes seconds from now, a Unix time in seconds or milliseconds, or
// a date.
func readReset(text string, now time.Time) (time.Duration, bool) {
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now), true
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n >= 0 && n < 1e14):
		return 0, false
	case n >= 1e12:
		return time.UnixMilli(int64(n)).Sub(now), true
	case n >= 1e9:
		return time.Unix(int64(n), 0).Sub(now), true
	}
	return time.Duration(min(n, MaxReset.Seconds()) * float64(time.Second)), true
}

// heard tells whoever keeps the pace what an answer says about it.
func (c *Client) heard(a Answer) {
	if c.options.Heard == nil || a.Status == 0 {
		return
	}
	w := Word{Busy: a.Status == http.StatusTooManyRequests, Quota: quotaOf(a.Header, c.options.Clock())}
	if w.Busy || w.Quota != nil {
		c.options.Heard(w)
	}
}
