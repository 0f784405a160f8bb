package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of one request.
const (
	tries     = 3
	oneTry    = 10 * time.Second
	longest   = 10 * time.Second // that an answer may make the next try wait
	maxBody   = 256 << 10
	maxAnswer = 4 << 10
)

// Poster makes HTTP requests of notices. Its zero value works.
type Poster struct {
	// Transport is how connections are made; nil is the network.
	Transport http.RoundTripper
	// Pause waits between tries; nil waits for as long as it is told.
	Pause func(ctx context.Context, d time.Duration) error
}

// request is one notice on its way. Its address is a secret.
type request struct {
	method, address, contentType string
	header                       http.Header
	body                         []byte
	// good reads the answer of a place that also answers 200 when it failed;
	// nil: the status says it.
	good func(answer []byte) error
}

// Answer is what a place answered that did not take a notice.
type Answer struct {
	Host   string
	Status int
	To     string // the host that it redirects to
	after  time.Duration
}

// Error says what was answered.
func (a *Answer) Error() string {
	if a.To != "" {
		return fmt.Sprintf("%s answered %d and names another address, at %s, which is not followed: correct url", a.Host, a.Status, a.To)
	}
	text := fmt.Sprintf("%s answered %d %s", a.Host, a.Status, http.StatusText(a.Status))
	switch a.Status {
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden, http.StatusUnauthorized:
		text += ": correct url, or make a new one there"
	}
	return text
}

// passing says that another try may do better.
func (a *Answer) passing() bool { return a.Status == http.StatusTooManyRequests || a.Status >= 500 }

// send tries a few times. Redirects are not followed: they could lead
// anywhere, and turn what is posted into something that is fetched.
func (p Poster) send(ctx context.Context, r request) error {
	if len(r.body) > maxBody {
		return fmt.Errorf("the message has more than %d bytes", maxBody)
	}
	if _, err := url.Parse(r.address); err != nil {
		return errors.New("the url cannot be used") // its text would hold it
	}
	var err error
	for try := range tries {
		if try > 0 {
			wait := time.Second << (2 * (try - 1)) // 1 s, 4 s
			var answer *Answer
			if errors.As(err, &answer) {
				wait = max(wait, min(answer.after, longest))
			}
			if p.pause(ctx, wait) != nil {
				return err
			}
		}
		if err = p.once(ctx, r); err == nil {
			return nil
		}
		var answer *Answer
		if errors.As(err, &answer) && !answer.passing() {
			return err
		}
	}
	return err
}

func (p Poster) once(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.address, bytes.NewReader(r.body))
	if err != nil {
		return errors.New("the url cannot be used")
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	req.Header.Set("User-Agent", "makegood")
	resp, err := p.client().Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", req.URL.Host, bare(err))
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode >= 300:
		return answerOf(req.URL, resp)
	case err != nil:
		return fmt.Errorf("read the answer of %s: %w", req.URL.Host, bare(err))
	case r.good != nil:
		return r.good(answer)
	}
	return nil
}

func answerOf(asked *url.URL, resp *http.Response) *Answer {
	a := &Answer{Host: asked.Host, Status: resp.StatusCode}
	if to, err := resp.Location(); err == nil && resp.StatusCode < 400 {
		a.To = to.Host
	}
	later := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(later); err == nil && seconds > 0 {
		a.after = time.Duration(min(seconds, int(longest/time.Second))) * time.Second
	} else if at, err := http.ParseTime(later); err == nil {
		a.after = min(time.Until(at), longest)
	}
	return a
}

// bare takes the address out of an error.
func bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		return with.Err
	}
	return err
}

func (p Poster) client() *http.Client {
	transport := p.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DisableKeepAlives = true // it is asked once a night
		transport = own
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (p Poster) pause(ctx context.Context, d time.Duration) error {
	if p.Pause != nil {
		return p.Pause(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
