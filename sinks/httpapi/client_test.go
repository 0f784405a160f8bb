package httpapi

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reconcile"
)

// platform counts the requests that reached it and answers with handle.
func platform(t *testing.T, handle http.HandlerFunc) (url string, seen *atomic.Int32) {
	t.Helper()
	seen = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

func post(t *testing.T, o Options, url string) Answer {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	return c.Post(t.Context(), url, []byte(`{"a":1}`))
}

// hangUp closes the connection without an answer.
func hangUp(t *testing.T, w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	conn.Close()
}

func TestPostSendsOnceAndReadsTheAnswer(t *testing.T) {
	url, seen := platform(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"a":1}` || r.Method != http.MethodPost || r.Header.Get("X-Key") != "k" ||
			r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Idempotency-Key") != "" {
			t.Errorf("got %s %s with %v", r.Method, body, r.Header)
		}
		io.WriteString(w, `{"ok":true}`)
	})
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.FixedZone("", 3600))
	header := http.Header{"X-Key": {"k"}, "Idempotency-Key": {"never"}}
	a := post(t, Options{Header: header, Clock: func() time.Time { return at }}, url)
	if a.Status != 200 || string(a.Body) != `{"ok":true}` || !a.Whole || !a.OK() {
		t.Errorf("got %+v", a)
	}
	if a.At.Location() != time.UTC || !a.At.Equal(at) {
		t.Errorf("the attempt is at %v", a.At)
	}
	if seen.Load() != 1 {
		t.Errorf("%d requests", seen.Load())
	}
}

func TestPostNeverFollowsRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		url, seen := platform(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		f := Classify(post(t, Options{}, url))
		if f.Verdict != reconcile.InDoubt || !f.Stop || seen.Load() != 1 {
			t.Errorf("%d: got %+v after %d requests", status, f, seen.Load())
		}
	}
}

func TestPostWithoutAnAnswer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {})
	dropped, _ := platform(t, func(w http.ResponseWriter, r *http.Request) { hangUp(t, w) })
	silent, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake is meant to fail
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for name, tc := range map[string]struct {
		url     string
		verdict reconcile.Verdict
		why     string
	}{
		"nobody listens":      {"http://" + closed.Addr().String(), reconcile.Retryable, "not sent: the connection was refused"},
		"no such host":        {"http://canary.invalid", reconcile.Retryable, "not sent: the host name was not found"},
		"unknown certificate": {secure.URL, reconcile.Retryable, "not sent: the certificate was not accepted"},
		"no TLS":              {strings.Replace(plain, "http:", "https:", 1), reconcile.Retryable, "not sent: no connection"},
		"dropped":             {dropped, reconcile.InDoubt, "the connection broke before an answer came"},
		"silent":              {silent, reconcile.InDoubt, "no answer in time"},
	} {
		timeout := 20 * time.Second
		if name == "silent" {
			timeout = 100 * time.Millisecond
		}
		f := Classify(post(t, Options{Timeout: timeout}, tc.url))
		if f.Verdict != tc.verdict || f.Stop || f.Why != tc.why {
			t.Errorf("%s: got %s %q", name, f.Verdict, f.Why)
		}
	}
}

// A connection that breaks after it was reused is where net/http would like to
// send again by itself.
func TestPostIsNotRepeatedOnABrokenConnection(t *testing.T) {
	var requests atomic.Int32
	url, seen := platform(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if requests.Add(1)%2 == 0 {
			hangUp(t, w)
		}
	})
	c := New(Options{})
	defer c.Close()
	var verdicts []reconcile.Verdict
	for range 4 {
		verdicts = append(verdicts, Classify(c.Post(t.Context(), url, []byte("{}"))).Verdict)
	}
	if seen.Load() != 4 {
		t.Errorf("4 posts made %d requests", seen.Load())
	}
	if verdicts[1] != reconcile.InDoubt || verdicts[3] != reconcile.InDoubt {
		t.Errorf("got %v", verdicts)
	}
}

// A server that closes a kept connection must not turn the next post into a
// doubt when nothing of it was written.
func TestPostMovesOnFromAConnectionThatTakesNothing(t *testing.T) {
	url, seen := platform(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	c := New(Options{})
	defer c.Close()
	var conns []*countingConn
	transport := c.http.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			conns = append(conns, conn.(*countingConn))
		}
		return conn, err
	}
	c.Post(t.Context(), url, []byte("{}"))
	conns[0].seal() // from now on every write fails before it begins
	a := c.Post(t.Context(), url, []byte("{}"))
	if a.Status != 200 || len(conns) != 2 || seen.Load() != 2 {
		t.Errorf("got %+v over %d connections, %d requests", a, len(conns), seen.Load())
	}
}

func TestPostReadsABoundedAnswer(t *testing.T) {
	url, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", MaxAnswer+1))
	})
	if a := post(t, Options{}, url); a.Whole || len(a.Body) != MaxAnswer {
		t.Errorf("whole %v, %d bytes", a.Whole, len(a.Body))
	}
	short, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "{}")
	})
	a := post(t, Options{}, short)
	if f := Classify(a); a.Whole || f.Verdict != reconcile.InDoubt {
		t.Errorf("a cut answer: whole %v, %s", a.Whole, f.Verdict)
	}
}

func TestPostAndItsContext(t *testing.T) {
	url, seen := platform(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	c := New(Options{})
	defer c.Close()
	if f := Classify(c.Post(over, url, nil)); f.Verdict != reconcile.Unsent || seen.Load() != 0 {
		t.Errorf("a context that had ended: %s after %d requests", f.Verdict, seen.Load())
	}
	for name, tc := range map[string]struct {
		grace time.Duration
		want  reconcile.Verdict
	}{"answered within the grace": {time.Minute, reconcile.Rejected}, "not answered": {time.Millisecond, reconcile.InDoubt}} {
		ctx, cancel := context.WithCancel(t.Context())
		slow, _ := platform(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			if tc.grace < time.Second {
				<-r.Context().Done()
			}
			w.WriteHeader(http.StatusBadRequest)
		})
		c := New(Options{Grace: tc.grace})
		if f := Classify(c.Post(ctx, slow, []byte("{}"))); f.Verdict != tc.want {
			t.Errorf("%s: got %s %q", name, f.Verdict, f.Why)
		}
		c.Close()
	}
}

func TestPostInterruptedBeforeAnythingWasWritten(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // takes the connection and never answers the handshake
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		bufio.NewReader(conn).ReadByte()
		cancel()
		<-ctx.Done()
		io.Copy(io.Discard, conn)
		conn.Close()
	}()
	c := New(Options{Grace: time.Millisecond})
	defer c.Close()
	f := Classify(c.Post(ctx, "https://"+listener.Addr().String(), []byte("{}")))
	if f.Verdict != reconcile.Unsent {
		t.Errorf("got %s %q", f.Verdict, f.Why)
	}
	if o := f.Outcome("purchase/main/1", Answer{}); o.Reason != reconcile.ReasonInterrupted || len(o.Attempts) != 0 {
		t.Errorf("got %+v", o)
	}
}

func TestCountingConn(t *testing.T) {
	near, far := net.Pipe()
	go io.Copy(io.Discard, far)
	c := &countingConn{Conn: near}
	if _, err := c.Write([]byte("abc")); err != nil || c.written.Load() != 3 {
		t.Errorf("counted %d, %v", c.written.Load(), err)
	}
	if n := c.seal(); n != 3 {
		t.Errorf("sealed at %d", n)
	}
	if _, err := c.Write([]byte("abc")); err == nil || c.written.Load() != 3 {
		t.Errorf("a sealed connection wrote, count %d", c.written.Load())
	}
	far.Close()
}

// TestDial wants a time-out in an instant: a connection that a test gives is
// all that a request needs, so time in a bubble is only that of the request.
func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		go func() { _, _ = http.ReadRequest(bufio.NewReader(there)) }()
		dial := func(context.Context, string, string) (net.Conn, error) { return here, nil }
		begun := time.Now()
		a := post(t, Options{Dial: dial, Timeout: time.Minute}, "http://127.0.0.1")
		if f := Classify(a); f.Verdict != reconcile.InDoubt || time.Since(begun) != time.Minute {
			t.Errorf("got %+v after %s, want a doubt after the timeout", f, time.Since(begun))
		}
	})
}
