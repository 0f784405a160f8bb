package simulator

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The names of the platforms, as they appear in counts, requests and hooks.
const (
	Squeezely = "squeezely" // Squeezely, now Spotler Activate: one contract under two names
	Collect   = "collect"   // Salesforce Marketing Cloud Collect
	RoktAds   = "rokt_ads"  // conversions at Rokt Ads
	Rokt      = "rokt"      // Rokt's cart API
	Emanage   = "emanage"   // EmanageCRM's shopping carts
)

// platforms are the names, in the order in which they are shown.
var platforms = []string{Squeezely, Collect, RoktAds, Rokt, Emanage}

const (
	defaultKeepRequests = 1_000_000
	defaultMaxBody      = 1 << 20
)

// Options says how the platforms behave. The zero value is a strict, faultless platform with any non-empty login.
type Options struct {
	// Clock is the platforms' time; nil is time.Now. It stamps what is stored and judges timestamps and rates.
	// Delays of faults take real time.
	Clock func() time.Time
	// Seed makes the random choices of faults repeatable. Each fault draws from its own stream.
	Seed uint64
	// Accounts maps X-AUTH-ACCOUNT to X-AUTH-APIKEY, and keys to their secrets. Empty: any pair of non-empty values
	// logs in.
	Accounts map[string]string
	// KeepRequests is how many of the newest requests are remembered; 0 is 1,000,000, negative is none.
	KeepRequests int
	// ForgetBodies drops the last body of each purchase, for load tests with millions of orders.
	ForgetBodies bool
	// MaxBody is the largest request body in bytes; 0 is 1 MiB. A larger one is answered with 413.
	MaxBody int64
	// Quota is a limit that every answer announces.
	Quota Quota
	// Faults go wrong from the start; SetFaults replaces them. New panics on one that is not valid.
	Faults []Fault
	// Squeezely, Collect, Rokt, RoktAds and Emanage hold the switches for what the platforms' documents leave open.
	Squeezely SqueezelyRules
	Collect   CollectRules
	Rokt      RoktRules
	RoktAds   RoktAdsRules
	Emanage   EmanageRules
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.KeepRequests = cmp.Or(o.KeepRequests, defaultKeepRequests)
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	o.Squeezely = o.Squeezely.withDefaults()
	return o
}

// Accepted is one event that a platform stored.
type Accepted struct {
	Platform string // Squeezely, Collect, RoktAds or Emanage
	Kind     string // purchase, event (another Squeezely event), cart_update, cart_clear, conversion, cart_create, cart_upgrade
	Account  string // X-AUTH-ACCOUNT, the MID, the account at Rokt Ads, or the campaign
	ID       string // the order's id; for cart changes the person; for other events the event's name; of carts at EmanageCRM the session
}

// Simulator plays the platforms. It is an http.Handler, safe for concurrent use.
type Simulator struct {
	opts    Options
	control *http.ServeMux
	faults  *faultList
	quota   window
	catalog map[string]bool // Collect's known items; nil: all

	done  chan struct{} // closed by Close: ends what hangs
	close sync.Once

	mu       sync.Mutex // guards what follows
	memory   memory
	onAccept func(Accepted)
}

// New returns a simulator that believes nothing yet. It panics when a fault in opts is not valid; faults that come from
// people go through ParseFault or SetFaults, which return the error.
func New(opts Options) *Simulator {
	s := &Simulator{
		opts:   opts.withDefaults(),
		faults: newFaultList(opts.Seed),
		done:   make(chan struct{}),
	}
	if err := s.faults.replace(opts.Faults); err != nil {
		panic("simulator: " + err.Error())
	}
	s.catalog = set(opts.Collect.Catalog)
	s.memory = newMemory(s.opts.KeepRequests)
	s.control = s.controlRoutes()
	return s
}

func set(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	return known
}

// ServeHTTP answers for the control interface, the page and the platforms. Faults apply to the platforms only, and to
// every path that is neither of the others.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/_sim/"):
		s.control.ServeHTTP(w, r)
	case r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		s.servePage(w, r)
	default:
		s.servePlatform(w, r)
	}
}

// Server returns a server for addr with time limits that outlast every ordinary request. Requests that a fault holds
// back are exempt from them, and end when the server shuts down.
func (s *Simulator) Server(addr string) *http.Server {
	srv := &http.Server{
		Addr:              addr,
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	srv.RegisterOnShutdown(s.Close)
	return srv
}

// Close ends every request that a fault holds back, now and later: its connection is closed without an answer. Call it
// before closing an httptest.Server. What the platforms believe stays readable. Closing twice is fine.
func (s *Simulator) Close() {
	s.close.Do(func() { close(s.done) })
}

// Reset makes the platforms forget everything, requests included, and restarts the counting and the random choices of
// the faults, which stay.
func (s *Simulator) Reset() {
	s.faults.restart()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory = newMemory(s.opts.KeepRequests)
}

// OnAccept sets the function that is called for each accepted event, after it is stored and before the client can learn
// of it. It runs on the request's goroutine without a lock, so it may call the simulator and may be called concurrently.
// nil removes it.
func (s *Simulator) OnAccept(fn func(Accepted)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onAccept = fn
}

// SetFaults replaces all faults and restarts their counting. When one is not valid nothing changes.
func (s *Simulator) SetFaults(faults ...Fault) error {
	return s.faults.replace(faults)
}

// Faults returns the faults in force, each with how often it was met and how often it struck.
func (s *Simulator) Faults() []FaultState {
	return s.faults.states()
}
