package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// freeAddress is a loopback address on which nobody listens.
func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:1" // which answers nobody
	}
	defer l.Close()
	return l.Addr().String()
}

// http STATUS METHOD URL [HEADER: VALUE]... [FILE] asks a service that may still
// be starting, and writes what it answers to the file answer.
func scriptHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http STATUS METHOD URL [HEADER: VALUE]... [FILE]")
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		response, err := askHTTP(ts, args[1], args[2], args[3:])
		if err != nil && time.Since(begun) < 20*time.Second {
			continue
		}
		ts.Check(err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		ts.Check(err)
		ts.Logf("%d %s", response.StatusCode, text)
		ts.Check(os.WriteFile(ts.MkAbs("answer"), text, 0o600))
		if strconv.Itoa(response.StatusCode) != args[0] {
			ts.Fatalf("%s %s: %d, want %s", args[1], args[2], response.StatusCode, args[0])
		}
		return
	}
}

func askHTTP(ts *testscript.TestScript, method, url string, args []string) (*http.Response, error) {
	body := ""
	header := http.Header{}
	for _, a := range args {
		name, value, is := strings.Cut(a, ": ")
		if is {
			header.Set(name, value)
			continue
		}
		body = ts.ReadFile(a)
		header.Set("Content-Type", "application/json")
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header
	return http.DefaultClient.Do(request)
}
