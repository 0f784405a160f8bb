// Package httpapi posts JSON once and says what is then known: sent, surely not
// sent, refused, or in doubt.
//
// A request is one attempt. Nothing here repeats it, no redirect is followed,
// and what net/http repeats by itself is only what never left this machine.
package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"
)

// MaxAnswer is how much of an answer is read, in bytes. A longer one counts as
// unreadable.
const MaxAnswer = 1 << 20

// Defaults of Options.
const (
	DefaultTimeout = 30 * time.Second
	// DefaultGrace is short enough for a person who waits and long enough for
	// an ordinary answer.
	DefaultGrace = 5 * time.Second
)

// Options of a Client. The zero value works.
type Options struct {
	// Header is sent with every request. It may hold secrets: it is never shown.
	Header http.Header
	// Timeout is for one whole request, from the dial to the last byte of the
	// answer; 0 is DefaultTimeout.
	Timeout time.Duration
	// Grace is how long a request that is on its way may still be answered
	// after its context ended: cutting it off would make a doubt of it. 0 is
	// DefaultGrace.
	Grace time.Duration
	// Connections is how many idle connections are kept; 0 is 1.
	Connections int
	// Clock is the time of attempts; nil is time.Now.
	Clock func() time.Time
	// Dial opens connections; nil is the network.
	Dial Dial
	// Heard is told what an answer says about the pace; nil is nobody.
	Heard func(Word)
	// Watch is a person who looks on; its zero value is nobody.
	Watch Watch
}

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Client posts JSON to one platform. It is safe for concurrent use.
type Client struct {
	options Options
	http    http.Client
}

// New makes a client with connections of its own.
func New(o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Grace = cmp.Or(o.Grace, DefaultGrace)
	o.Connections = max(o.Connections, 1)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &Client{options: o, http: http.Client{
		Transport:     newTransport(o.Connections, o.Dial),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// newTransport speaks HTTP/1.1 only: the HTTP/2 client resends a request, body
// and all, when a server refuses its stream, and no one would see that second
// attempt. Connections idle for longer than most servers keep them are closed
// here, because a request written to one that the server just closed is a doubt.
func newTransport(connections int, dial Dial) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, // leaves loopback alone
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countingConn{Conn: conn}, nil
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Post sends body to url once and waits for the answer. A context that has
// ended already sends nothing. One that ends while the request is under way
// leaves it Options.Grace to be answered.
func (c *Client) Post(ctx context.Context, url string, body []byte) Answer {
	return c.PostAs(ctx, url, nil, body)
}

// PostAs is Post with headers of this request beside Options.Header.
func (c *Client) PostAs(ctx context.Context, url string, as http.Header, body []byte) Answer {
	answer := Answer{At: c.options.Clock().UTC()}
	if ctx.Err() != nil {
		answer.lost = interrupted
		return answer
	}
	if !c.options.Watch.goes(Request{Method: http.MethodPost, URL: url, Body: body}) {
		answer.lost = interrupted
		return answer
	}
	defer func() { c.options.Watch.came(answer) }()
	during, stop := c.lifetime(ctx)
	defer stop()
	wire := new(wire)
	response, err := c.do(httptrace.WithClientTrace(during, wire.trace()), url, as, body)
	if err != nil {
		answer.lost = wire.explain(ctx, err)
		return answer
	}
	defer func() { _ = response.Body.Close() }() // the answer was read, or cannot be
	answer.Status, answer.Header = response.StatusCode, response.Header
	answer.Body, answer.Whole = readAnswer(response.Body)
	c.heard(answer)
	return answer
}

func (c *Client) do(ctx context.Context, url string, as http.Header, body []byte) (*http.Response, error) {
	// GetBody, which NewRequest sets, lets net/http move to another connection
	// when nothing was written to the first; a POST without an idempotency key
	// is never repeated otherwise.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, header := range []http.Header{c.options.Header, as} {
		for name, values := range header {
			request.Header[name] = values
		}
	}
	request.Header.Del("Idempotency-Key")
	request.Header.Del("X-Idempotency-Key")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "makegood")
	return c.http.Do(request)
}

// lifetime is the context of one request: it ends after the timeout, or some
// time after its parent ended.
func (c *Client) lifetime(ctx context.Context) (context.Context, func()) {
	during, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
	release := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(c.options.Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel()
		case <-during.Done():
		}
	})
	return during, func() { release(); cancel() }
}

// readAnswer gives what could be read, and whether that is all of it.
func readAnswer(body io.Reader) ([]byte, bool) {
	data, err := io.ReadAll(io.LimitReader(body, MaxAnswer+1))
	if len(data) > MaxAnswer {
		return data[:MaxAnswer], false
	}
	return data, err == nil
}
