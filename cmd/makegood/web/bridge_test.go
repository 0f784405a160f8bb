package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"makegood/reconcile/placement"
)

const (
	shopOrigin = "https://shop.example.com"
	shopKey    = "a-key-of-the-shop-1"
	canary     = "canary3f9a"
)

// rig is a bridge behind a real server, with a disk and a log that tests look
// into.
type rig struct {
	*testing.T
	*Bridge
	url string

	mu   sync.Mutex
	disk bytes.Buffer
	log  bytes.Buffer
	full bool // the disk
	now  time.Time
}

func start(t *testing.T, origins ...string) *rig {
	t.Helper()
	r := &rig{T: t, now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	r.Bridge = NewBridge(BridgeOptions{
		Origins: append(origins, shopOrigin), Key: shopKey, Parser: placement.Parser{Attributes: []string{"orderNumber"}},
		Rules: placement.Rules{Settle: time.Second, Answer: 10 * time.Second, Tries: 2},
		Append: func(_ context.Context, lines []byte) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.full {
				return errors.New("no space")
			}
			r.disk.Write(lines)
			return nil
		},
		Log:   slog.New(slog.NewTextHandler(&r.log, nil)),
		Clock: r.clock,
	})
	server := httptest.NewServer(r.Bridge)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) ask(method, path, body string, header ...string) (int, string) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (r *rig) page(body string) (int, string) {
	r.Helper()
	return r.ask("POST", "/rokt/messages", body, "Origin: "+shopOrigin)
}

func (r *rig) cart(session string, lines ...string) string {
	r.Helper()
	var list []string
	for _, l := range lines {
		sku, n, _ := strings.Cut(l, ":")
		list = append(list, fmt.Sprintf(`{"sku":%q,"quantity":%s}`, sku, n))
	}
	status, text := r.ask("PUT", "/rokt/carts/"+session, `{"lines":[`+strings.Join(list, ",")+`]}`, "Authorization: Bearer "+shopKey)
	if status != http.StatusOK {
		r.Fatalf("%d %s", status, text)
	}
	return text
}

func updated(session, catalog, impression string, n int) string {
	return fmt.Sprintf(`{"session":%q,"at":"2026-11-20T09:00:00Z","attributes":{"orderNumber":"1001","email":"%s@example.com"},
		"body":{"cartItem":{"cartItemId":%q,"catalogItemId":%q,"quantity":%d},"oldCartItem":null}}`, session, canary, impression, catalog, n)
}

func TestBridge(t *testing.T) {
	r := start(t)
	if status, text := r.page(updated("s1", "wrap", "i1", 1)); status != 200 || text != `{"updates":[]}`+"\n" {
		t.Fatalf("%d %s", status, text)
	}
	r.later(2 * time.Second)
	if text := r.cart("s1", "wrap:1", "wrap:2", "MUG:1"); !strings.Contains(text, `"stand":"to_ask","at_rokt":"1","in_the_shop":"3"`) {
		t.Errorf("got %s", text)
	}
	if _, text := r.ask("POST", "/rokt/updates", `{"session":"s1"}`, "Origin: "+shopOrigin); !strings.Contains(text, `[{"cartItemId":"i1","quantity":3}]`) {
		t.Errorf("got %s", text)
	}
	r.page(`{"session":"s1","message":"V2_UPDATE_CART_ITEM","at":"2026-11-20T09:00:00Z","body":{"cartItemId":"i1","quantity":3}}`)
	if _, text := r.ask("GET", "/rokt/sessions/s1", "", "Authorization: Bearer "+shopKey); !strings.Contains(text, `"stand":"asked"`) {
		t.Errorf("got %s", text)
	}
	r.page(updated("s1", "wrap", "i1", 3))
	r.cart("s2")
	if s := r.Status(); s.Messages != 3 || s.Visits != 2 || s.Items[placement.Aligned] != 1 || len(s.Items) != 1 {
		t.Errorf("got %+v", s)
	}
	// What is on the disk is what reconcile/placement reads, in the order in
	// which it came, and holds no address.
	if text := r.disk.String(); strings.Contains(text, canary) || strings.Count(text, "\n") != 3 {
		t.Errorf("on the disk is %s", text)
	}
	again, last := start(t), time.Time{}
	for line := range strings.Lines(r.disk.String()) {
		m, err := placement.Parser{Attributes: []string{"orderNumber"}}.Parse([]byte(line))
		if err != nil || !m.At.After(last) || m.Kind == placement.Updated && m.Attributes["orderNumber"] != "1001" {
			t.Errorf("%s: %v", line, err)
		}
		last = m.At
		if err := again.Remember(m); err != nil {
			t.Fatal(err)
		}
	}
	if s := again.Status(); s.Visits != 1 || s.Messages != 0 {
		t.Errorf("remembered %+v", s)
	}
}

// Who may not talk to it is told so, and nothing is kept.
func TestBridgeRefuses(t *testing.T) {
	r := start(t)
	good := updated("s1", "wrap", "i1", 1)
	for name, tc := range map[string]struct {
		method, path, body, header string
		status                     int
	}{
		"another page":       {"POST", "/rokt/messages", good, "Origin: https://evil.example.com", 403},
		"no page":            {"POST", "/rokt/messages", good, "X: y", 403},
		"a page's beginning": {"POST", "/rokt/messages", good, "Origin: https://shop.example.co", 403},
		"preflight":          {"OPTIONS", "/rokt/messages", "", "Origin: https://evil.example.com", 403},
		"a page that reads":  {"GET", "/rokt/messages", "", "Origin: " + shopOrigin, 405},
		"updates for nobody": {"POST", "/rokt/updates", `{"sessions":"` + canary + `"}`, "Origin: " + shopOrigin, 400},
		"another's updates":  {"POST", "/rokt/updates", `{"session":"s1"}`, "Origin: https://evil.example.com", 403},
		"no key":             {"PUT", "/rokt/carts/s1", `{"lines":[]}`, "X: y", 401},
		"a wrong key":        {"PUT", "/rokt/carts/s1", `{"lines":[]}`, "Authorization: Bearer " + shopKey + "x", 401},
		"an empty key":       {"GET", "/rokt/status", "", "Authorization: Bearer ", 401},
		"a page as the shop": {"GET", "/rokt/sessions/s1", "", "Origin: " + shopOrigin, 401},
		"nobody's session":   {"GET", "/rokt/sessions/s1", "", "Authorization: Bearer " + shopKey, 404},
		"no JSON":            {"POST", "/rokt/messages", canary, "Origin: " + shopOrigin, 400},
		"no message":         {"POST", "/rokt/messages", `{"session":"` + canary + `"}`, "Origin: " + shopOrigin, 400},
		"no session":         {"POST", "/rokt/messages", strings.Replace(good, `"s1"`, `""`, 1), "Origin: " + shopOrigin, 400},
		"too large":          {"POST", "/rokt/messages", `{"x":"` + strings.Repeat(canary, 10_000) + `"}`, "Origin: " + shopOrigin, 413},
		"another type":       {"POST", "/rokt/messages", good, "Content-Type: text/plain\nOrigin: " + shopOrigin, 415},
		"no cart":            {"PUT", "/rokt/carts/s1", `{"items":["` + canary + `"]}`, "Authorization: Bearer " + shopKey, 400},
		"less than nothing":  {"PUT", "/rokt/carts/s1", `{"lines":[{"sku":"a","quantity":-1}]}`, "Authorization: Bearer " + shopKey, 400},
		"a float":            {"PUT", "/rokt/carts/s1", `{"lines":[{"sku":"a","quantity":1e9}]}`, "Authorization: Bearer " + shopKey, 400},
		"too many lines":     {"PUT", "/rokt/carts/s1", `{"lines":[` + strings.Repeat(`{"sku":"a","quantity":1},`, 500) + `{"sku":"a","quantity":1}]}`, "Authorization: Bearer " + shopKey, 400},
		"elsewhere":          {"GET", "/rokt/else", "", "Origin: " + shopOrigin, 404},
	} {
		status, text := r.ask(tc.method, tc.path, tc.body, strings.Split(tc.header, "\n")...)
		if status != tc.status || strings.Contains(text, canary) || strings.Contains(text, shopKey) {
			t.Errorf("%s: %d %.200s, want %d", name, status, text, tc.status)
		}
	}
	if r.disk.Len() > 0 || r.Status().Visits > 0 || strings.Contains(r.log.String(), canary) {
		t.Errorf("on the disk %q, in the log %q, %+v", r.disk.String(), r.log.String(), r.Status())
	}
}

// A message that cannot be kept is not taken.
func TestBridgeOnAFullDisk(t *testing.T) {
	r := start(t)
	r.full = true
	if status, _ := r.page(updated("s1", "wrap", "i1", 1)); status != http.StatusServiceUnavailable || r.Status().Visits != 0 {
		t.Errorf("%d, %+v", status, r.Status())
	}
	r.full = false
	if status, _ := r.page(updated("s1", "wrap", "i1", 1)); status != http.StatusOK || r.Status().Visits != 1 {
		t.Errorf("%d, %+v", status, r.Status())
	}
}

// Visits of which nothing is heard leave the memory and stay in the counts.
func TestVisitsAreBounded(t *testing.T) {
	r := start(t)
	r.page(updated("s1", "wrap", "i1", 1))
	r.later(keptFor + 2*time.Minute)
	r.cart("s2")
	if len(r.visits.open) != 1 || r.Status().Visits != 2 || r.Status().Items[placement.Unjudged] != 1 {
		t.Errorf("%d open, %+v", len(r.visits.open), r.Status())
	}
	// Somebody makes up visits: the one that was silent for longest goes, and
	// customers are heard.
	for i := range maxVisits - 1 {
		r.says(fmt.Sprint("made-up-", i), func(*visit) {})
		if i == 100 {
			r.page(updated("s2", "wrap", "i1", 1))
		}
	}
	if status, _ := r.page(updated("s9", "wrap", "i1", 1)); status != http.StatusOK || len(r.visits.open) != maxVisits || r.Status().Dropped != 1 {
		t.Errorf("%d with %d open, %d dropped", status, len(r.visits.open), r.Status().Dropped)
	}
	for session, want := range map[string]bool{"s2": true, "s9": true, "made-up-0": false, "made-up-1": true} {
		if _, is := r.visits.open[session]; is != want {
			t.Errorf("%s is open: %v", session, is)
		}
	}
	if status, _ := r.page(strings.Replace(updated("s9", "wrap", "i1", 1), "s9", strings.Repeat("s", 600), 1)); status == http.StatusOK {
		t.Error("a session of 600 bytes was taken")
	}
}

func (r *rig) says(session string, do func(*visit)) {
	r.Helper()
	if err := r.visits.take(session, r.clock(), func(v *visit) error { do(v); return nil }); err != nil {
		r.Fatal(err)
	}
}

// All visits together keep within a bound of memory, and what a visit says
// again takes no more of it.
func TestVisitsAreBoundedInMemory(t *testing.T) {
	r := start(t)
	for i := range 2 * maxBytes >> 20 {
		r.says(fmt.Sprint("s", i), func(v *visit) { v.held.cart = 1 << 20 })
	}
	if n := len(r.visits.open); r.visits.bytes > maxBytes || n > maxBytes>>20 || n < maxBytes>>20-10 || r.Status().Dropped+n != 2*maxBytes>>20 {
		t.Errorf("%d bytes of %d visits, %d dropped", r.visits.bytes, n, r.Status().Dropped)
	}
	sum := 0
	for _, v := range r.visits.open {
		sum += v.held.size()
	}
	if sum != r.visits.bytes {
		t.Errorf("%d bytes are counted, %d are held", r.visits.bytes, sum)
	}
	r = start(t)
	last := 0
	for n := range 5 {
		r.page(updated("s1", "wrap", "i1", n))
		r.cart("s1", "wrap:1", "MUG:2")
		if last > 0 && r.visits.bytes != last {
			t.Errorf("%d bytes after %d, for the same", r.visits.bytes, last)
		}
		last = r.visits.bytes
	}
	r.page(updated("s1", strings.Repeat("n", 400), "i2", 1))
	if r.visits.bytes < last+itemBytes+idBytes+400 {
		t.Errorf("%d bytes after %d, with another item", r.visits.bytes, last)
	}
}

// What a visit has no room for is not on the disk either, and so stops no
// service that begins later. The page is told not to say it again.
func TestVisitsHaveBoundsBeforeTheDisk(t *testing.T) {
	r := start(t)
	for i := range maxItems + 3 {
		status, text := r.page(updated("s1", fmt.Sprint("c", i), fmt.Sprint("i", i), 1))
		if want := i < maxItems; (status == http.StatusOK) != want || !want && status != http.StatusUnprocessableEntity {
			t.Fatalf("item %d: %d %s", i, status, text)
		}
	}
	for i := range maxIDs {
		status, text := r.page(fmt.Sprintf(`{"session":"s1","message":"V2_UPDATE_CART_ITEM","at":"2026-11-20T09:00:00Z","body":{"cartItemId":"x%d","quantity":3}}`, i))
		if want := i < maxIDs-maxItems; (status == http.StatusOK) != want {
			t.Fatalf("request %d: %d %s", i, status, text)
		}
	}
	if status, _ := r.page(updated("s1", "c0", "i0", 2)); status != http.StatusOK {
		t.Errorf("what is known was refused: %d", status)
	}
	again, lines := start(t), 0
	for line := range strings.Lines(r.disk.String()) {
		m, err := placement.Parser{}.Parse([]byte(line))
		if err == nil {
			err = again.Remember(m)
		}
		if lines++; err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if lines != maxIDs+1 || r.Status().Messages != lines {
		t.Errorf("%d lines on the disk, %d messages", lines, r.Status().Messages)
	}
	m := placement.Message{Kind: placement.Update, Session: "s1", CartItem: "one more", At: r.now}
	if err := again.Remember(m); !errors.Is(err, ErrTooMuch) {
		t.Errorf("remembered too much: %v", err)
	}
}

// Many pages at once: every message is kept once, and each visit's have an
// order.
func TestBridgeManyPages(t *testing.T) {
	r := start(t)
	var pages sync.WaitGroup
	for p := range 20 {
		pages.Go(func() {
			for n := range 10 {
				if status, text := r.page(updated(fmt.Sprint("s", p), "wrap", "i1", n)); status != 200 {
					t.Errorf("%d %s", status, text)
				}
			}
		})
	}
	pages.Wait()
	last := map[string]time.Time{}
	for line := range strings.Lines(r.disk.String()) {
		var m struct {
			Session string
			At      time.Time
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || !m.At.After(last[m.Session]) {
			t.Fatalf("%s comes after %s: %v", line, last[m.Session], err)
		}
		last[m.Session] = m.At
	}
	if s := r.Status(); s.Messages != 200 || len(last) != 20 {
		t.Errorf("%+v, %d sessions", s, len(last))
	}
}

// Ctrl-C lets a request end that is under way.
func TestServeEndsGracefully(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	begun, finish, over := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		over <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begun <- true
			<-finish
			fmt.Fprint(w, "done")
		}))
	}()
	answers := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answers <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		answers <- string(text)
	}()
	<-begun
	stop()
	close(finish)
	if got := <-answers; got != "done" {
		t.Errorf("got %q", got)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// What comes beyond the bound is told to come back.
func TestServeIsBounded(t *testing.T) {
	wait := make(chan bool)
	begun := make(chan bool, atOnce)
	server := httptest.NewServer(limited(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { begun <- true; <-wait })))
	defer server.Close()
	var requests sync.WaitGroup
	for range atOnce {
		requests.Go(func() {
			if response, err := http.Get(server.URL); err == nil {
				response.Body.Close()
			}
		})
	}
	for range atOnce {
		<-begun
	}
	response, err := http.Get(server.URL)
	if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %v, %v", response, err)
	}
	close(wait)
	requests.Wait()
}
