package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// listening is a place that is told of runs, in scripts: it keeps what it is
// told, in the order in which it came.
type listening struct {
	*httptest.Server
	mu     sync.Mutex
	heard  bytes.Buffer
	bodies []string
	status map[string]int // what it answers, by the first part of the path
}

type listeningKey struct{}

func listen() *listening {
	l := &listening{status: map[string]int{}}
	l.Server = httptest.NewServer(l)
	return l
}

// ServeHTTP implements http.Handler.
func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.heard, "%s %s %s\n%s\n", r.Method, r.URL.Path, r.Header.Get("X-Extra"), body)
	l.bodies = append(l.bodies, string(body))
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if status := l.status[first]; status != 0 {
		w.WriteHeader(status)
	}
}

// heard writes what was heard since the last time to the file heard.
func heard(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: heard")
	}
	l := ts.Value(listeningKey{}).(*listening)
	l.mu.Lock()
	defer l.mu.Unlock()
	ts.Logf("%s", l.heard.String())
	ts.Check(os.WriteFile(ts.MkAbs("heard"), l.heard.Bytes(), 0o600))
	l.heard.Reset()
}

// answers FIRST STATUS: what begins with that part of a path is answered so.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers FIRST STATUS")
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	l := ts.Value(listeningKey{}).(*listening)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status[args[0]] = status
}
