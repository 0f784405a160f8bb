package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus/push"

	"makegood/reports"
)

// Gateway is a Pushgateway.
type Gateway struct {
	URL         string
	Job         string // under which the numbers stand there, in place of those before
	Environment string // of which there are others; "" where none is named
	Username    string // "" signs nobody in
	Password    string
}

// Bounds of a push.
const (
	pushWithin = 10 * time.Second
	maxAnswer  = 4 << 10
)

// Push puts numbers in place of those that were pushed before. It tries once: the
// next run pushes newer ones. An error holds no password.
func (g Gateway) Push(ctx context.Context, from Numbers) error {
	ctx, cancel := context.WithTimeout(ctx, pushWithin)
	defer cancel()
	p := push.New(g.URL, g.Job).Collector(from).Client(briefly{})
	if g.Environment != "" { // else shops would stand in place of each other
		p = p.Grouping("environment", g.Environment)
	}
	if g.Username != "" {
		p = p.BasicAuth(g.Username, g.Password)
	}
	if err := p.PushContext(ctx); err != nil {
		var with *url.Error
		if errors.As(err, &with) {
			err = with.Err
		}
		return fmt.Errorf("push metrics: %s", reports.Mask(err.Error()))
	}
	return nil
}

// briefly follows no redirect, and hears a long answer to its beginning.
type briefly struct{}

// Do implements push.HTTPDoer.
func (briefly) Do(r *http.Request) (*http.Response, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}
