package upload

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Times and bounds of sessions.
const (
	sessionTime = 8 * time.Hour
	idleTime    = time.Hour
	maxSessions = 1_000
)

// session is somebody who has signed in. The cookie's value is known as a hash
// only.
type session struct {
	user       string
	begun, was time.Time
}

// sessions are kept in memory: who signed in before a restart signs in again.
type sessions struct {
	mu    sync.Mutex
	clock Clock
	open  map[[32]byte]session
}

func newSessions(clock Clock) *sessions {
	return &sessions{clock: clock, open: map[[32]byte]session{}}
}

// begin gives the value of a new session's cookie.
func (s *sessions) begin(user string) string {
	token := random(32)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for key, one := range s.open {
		if one.over(now) {
			delete(s.open, key)
		}
	}
	for len(s.open) >= maxSessions { // the one that was silent for longest
		var oldest [32]byte
		first := now.Add(time.Second)
		for key, one := range s.open {
			if one.was.Before(first) {
				oldest, first = key, one.was
			}
		}
		delete(s.open, oldest)
	}
	s.open[sha256.Sum256([]byte(token))] = session{user, now, now}
	return token
}

func (s session) over(now time.Time) bool {
	return now.Sub(s.begun) > sessionTime || now.Sub(s.was) > idleTime
}

// user gives whose session it is, "" when it is nobody's.
func (s *sessions) user(token string) string {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	one, known := s.open[key]
	now := s.clock()
	if !known || one.over(now) {
		delete(s.open, key)
		return ""
	}
	one.was = now
	s.open[key] = one
	return one.user
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(token)))
}

// random gives so many random bytes as text.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// How often signing in may fail: for one name, and from one address.
const (
	failsWithin  = 15 * time.Minute
	failsName    = 10
	failsAddress = 50
	maxFailing   = 20_000 // names and addresses
)

// failures count attempts that failed.
type failures struct {
	mu    sync.Mutex
	clock Clock
	of    map[string]failing
}

type failing struct {
	n     int
	since time.Time
}

func newFailures(clock Clock) *failures { return &failures{clock: clock, of: map[string]failing{}} }

// attempt counts an attempt, before it is looked at, and says whether there were
// too many.
func (f *failures) attempt(name, address string) (allowed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock()
	if len(f.of) >= maxFailing {
		for key, one := range f.of {
			if now.Sub(one.since) > failsWithin {
				delete(f.of, key)
			}
		}
		if len(f.of) >= maxFailing {
			return false
		}
	}
	allowed = true
	bounds := map[string]int{"name " + name: failsName, "address " + address: failsAddress}
	if at, err := netip.ParseAddr(address); err == nil && at.IsLoopback() {
		delete(bounds, "address "+address) // a proxy: behind it is everybody
	}
	for key, most := range bounds {
		one := f.of[key]
		if now.Sub(one.since) > failsWithin {
			one = failing{since: now}
		}
		one.n++
		f.of[key] = one
		allowed = allowed && one.n <= most
	}
	return allowed
}

// forget takes back what a successful attempt counted.
func (f *failures) forget(name, address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, "name "+name)
	if one, known := f.of["address "+address]; known {
		one.n--
		f.of["address "+address] = one
	}
}

// The cookie of a session. Over TLS its name keeps other hosts from setting it.
const (
	cookieNear = "makegood"
	cookieFar  = "__Host-makegood"
)

// near reports whether the browser asks this machine itself, without TLS.
func near(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func cookieName(r *http.Request) string {
	if near(r) {
		return cookieNear
	}
	return cookieFar
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(r), Value: value, Path: "/", MaxAge: age,
		Secure: !near(r), HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// remote is the address that a request comes from, without its port.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
