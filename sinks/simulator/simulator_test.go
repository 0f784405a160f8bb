package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// clock is a time that moves only when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a simulator behind a real HTTP server, and a client that follows no redirects.
type rig struct {
	*simulator.Simulator
	t      *testing.T
	srv    *httptest.Server
	client *http.Client
	clock  *clock
}

const (
	account = "shop-1"
	apiKey  = "key-1"
)

func start(t *testing.T, opts simulator.Options) *rig {
	t.Helper()
	r := &rig{t: t, clock: &clock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}}
	opts.Clock = r.clock.Now
	r.Simulator = simulator.New(opts)
	r.srv = httptest.NewServer(r.Simulator)
	t.Cleanup(func() {
		r.Close()
		r.srv.Close()
	})
	r.client = r.srv.Client()
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return r
}

// answer is what a client saw: err when there was no answer.
type answer struct {
	status int
	body   string
	header http.Header
	err    error
}

func (r *rig) do(ctx context.Context, method, path, body string, header map[string]string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, r.srv.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(text), resp.Header, err}
}

var login = map[string]string{
	"Content-Type": "application/json", "X-AUTH-ACCOUNT": account, "X-AUTH-APIKEY": apiKey,
}

func (r *rig) track(body string) answer {
	r.t.Helper()
	return r.do(r.t.Context(), "POST", "/v1/track", body, login)
}

func (r *rig) collect(action, body string) answer {
	r.t.Helper()
	return r.do(r.t.Context(), "POST", "/c2/123456/"+action, body, map[string]string{"Content-Type": "application/json"})
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	return r.do(r.t.Context(), "GET", path, "", nil)
}

// purchase is a good purchase of 2 x 12.50 EUR.
func purchase(order string) string {
	return fmt.Sprintf(`{"event":"Purchase","email":"jo@example.com","orderid":%q,"currency":"EUR",
		"products":[{"id":"SKU-1","quantity":2,"price":12.50}]}`, order)
}

func wantStatus(t *testing.T, got answer, status int) {
	t.Helper()
	if got.err != nil || got.status != status {
		t.Fatalf("answer %d %q %v, want %d", got.status, got.body, got.err, status)
	}
}

func wantNoAnswer(t *testing.T, got answer) {
	t.Helper()
	if got.err == nil {
		t.Fatalf("answer %d %q, want none", got.status, got.body)
	}
}

// errorsOf returns the list that a refusal carries.
func errorsOf(t *testing.T, got answer) []string {
	t.Helper()
	var body struct{ Errors []string }
	if err := json.Unmarshal([]byte(got.body), &body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("answer %q carries no list of errors: %v", got.body, err)
	}
	return body.Errors
}

func wantError(t *testing.T, got answer, status int, fragment string) {
	t.Helper()
	wantStatus(t, got, status)
	if all := strings.Join(errorsOf(t, got), "\n"); !strings.Contains(all, fragment) {
		t.Fatalf("errors %q, want one with %q", all, fragment)
	}
}

func TestHookRunsBeforeTheAnswer(t *testing.T) {
	r := start(t, simulator.Options{})
	var got []simulator.Accepted
	r.OnAccept(func(a simulator.Accepted) {
		if r.Counts().Platforms[a.Platform].Accepted == 0 {
			t.Error("the hook ran before the event was stored")
		}
		got = append(got, a)
	})
	r.track(purchase("A1"))
	r.track(`{"event":"Refund"}`)
	r.track(`{"event":"Purchase"}`)
	r.collect("track_cart", updateCart)
	r.collect("track_cart", clearCart)
	r.collect("track_conversion", conversion("A1"))
	r.OnAccept(nil)
	r.track(purchase("A2"))
	want := []simulator.Accepted{
		{Platform: "squeezely", Kind: "purchase", Account: account, ID: "A1"},
		{Platform: "squeezely", Kind: "event", Account: account, ID: "Refund"},
		{Platform: "collect", Kind: "cart_update", Account: "123456", ID: "exampleuser@example.com"},
		{Platform: "collect", Kind: "cart_clear", Account: "123456", ID: "newuser@example.com"},
		{Platform: "collect", Kind: "conversion", Account: "123456", ID: "A1"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("accepted %v\nwant     %v", got, want)
	}
}

func TestUnknownPath(t *testing.T) {
	r := start(t, simulator.Options{})
	for _, path := range []string{"/v2/track", "/v1/track/", "/c2//track_cart", "/c2/1/track_page_view", "/c2/1", "/x"} {
		wantError(t, r.do(t.Context(), "POST", path, purchase("A1"), login), 404, "no such endpoint")
	}
	counts := r.Counts()
	if counts.UnknownPaths != 6 || counts.Requests != 6 || counts.Platforms["squeezely"].Requests != 0 {
		t.Errorf("counts %+v", counts)
	}
}

func TestBodyBounds(t *testing.T) {
	r := start(t, simulator.Options{MaxBody: 300})
	wantStatus(t, r.track(purchase("A1")), 200)
	wantError(t, r.track(purchase("A1")+strings.Repeat(" ", 300)), 413, "too large")
	chunked, err := http.NewRequest("POST", r.srv.URL+"/v1/track", io.MultiReader(strings.NewReader(strings.Repeat(" ", 301))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(chunked)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("chunked body: %d, want 413", resp.StatusCode)
	}
}

func TestServerHasLimits(t *testing.T) {
	srv := simulator.New(simulator.Options{}).Server("127.0.0.1:0")
	if srv.ReadHeaderTimeout == 0 || srv.ReadTimeout == 0 || srv.WriteTimeout == 0 || srv.IdleTimeout == 0 {
		t.Errorf("a time limit is missing: %+v", srv)
	}
	if srv.Handler == nil || srv.Addr != "127.0.0.1:0" {
		t.Errorf("server %+v", srv)
	}
}

func TestNewPanicsOnABadFault(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took a fault of unknown kind")
		}
	}()
	simulator.New(simulator.Options{Faults: []simulator.Fault{{Kind: "flood"}}})
}

func TestConcurrentRequestsAddUp(t *testing.T) {
	faults := []simulator.Fault{{Kind: simulator.FaultAcceptAndDrop, Share: 0.1}, {Kind: simulator.FaultStatus, Status: 500, Share: 0.1}}
	r := start(t, simulator.Options{Seed: 7, Faults: faults})
	const workers, each = 8, 100
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				r.track(purchase(strconv.Itoa(w) + "-" + strconv.Itoa(i/2))) // every order twice
				r.collect("track_cart", updateCart)
				r.Counts()
			}
		})
	}
	wg.Wait()
	checkSums(t, r)
	if got := r.Counts().Requests; got != 2*workers*each {
		t.Errorf("%d requests, want %d", got, 2*workers*each)
	}
}

// checkSums proves the totals again from the single records.
func checkSums(t *testing.T, r *rig) {
	t.Helper()
	counts := r.Counts()
	var events, orders uint64
	for _, p := range r.Purchases("") {
		events += uint64(p.Count)
		orders++
	}
	s := counts.Platforms[simulator.Squeezely]
	if s.Accepted != events || s.Orders != orders || s.Repeats != events-orders {
		t.Errorf("totals %+v, but %d events of %d orders", s, events, orders)
	}
	if want := strconv.FormatUint(orders*25, 10); s.Money["EUR"] != want {
		t.Errorf("money %v, want %s", s.Money, want)
	}
	var accepted, faulted, n uint64
	for _, q := range r.Requests() {
		if n++; q.N != n {
			t.Fatalf("request %d carries the number %d", n, q.N)
		}
		accepted += uint64(q.Events)
		if q.Fault == simulator.FaultStatus {
			faulted++
		}
	}
	c := counts.Platforms[simulator.Collect]
	if accepted != s.Accepted+c.Accepted || faulted != s.Faulted+c.Faulted || n != counts.Requests {
		t.Errorf("%d requests with %d events and %d faults, totals %+v", n, accepted, faulted, counts)
	}
}

func TestImportsStayIndependent(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			host, _, _ := strings.Cut(path, "/")
			if foreign := strings.Contains(host, ".") || host == "makegood"; foreign && path != "github.com/govalues/decimal" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
