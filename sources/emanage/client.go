package emanage

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"makegood/sources/table"
)

// client talks to one API. The token goes to its host alone.
type client struct {
	options Options
	base    *url.URL
	http    *http.Client
	token   string
}

func newClient(o Options, base *url.URL) *client {
	if o.Wait == nil {
		o.Wait = wait
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 2 * time.Minute
	return &client{options: o, base: base, http: &http.Client{Transport: transport,
		// A redirect could lead the login to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// login asks for a token: bare text, a JSON text, or an object that has one.
func (c *client) login(ctx context.Context) error {
	body, err := c.small(ctx, func(ctx context.Context) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("auth").String(), nil)
		if err == nil {
			r.SetBasicAuth(c.options.Login, c.options.Password)
		}
		return r, err
	})
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if c.token = tokenIn(body); c.token == "" {
		return fmt.Errorf("log in: %w: it holds no token", ErrAnswer)
	}
	return nil
}

func tokenIn(body []byte) string {
	var object map[string]any
	var text string
	switch {
	case json.Unmarshal(body, &object) == nil:
		for _, key := range []string{"token", "access_token", "accessToken", "Token"} {
			if text, _ = object[key].(string); text != "" {
				break
			}
		}
	case json.Unmarshal(body, &text) != nil:
		text = string(body)
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	for _, r := range text {
		if r <= ' ' || r > '~' || r == '<' {
			return "" // a page for people
		}
	}
	return text
}

// ask asks for the link of a page.
func (c *client) ask(ctx context.Context, days url.Values, number int) (answer, error) {
	at := c.base.JoinPath("order", "export", strconv.Itoa(number), strconv.Itoa(PageSize))
	at.RawQuery = days.Encode()
	body, err := c.authorized(ctx, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	})
	var a answer
	if err == nil && json.Unmarshal(body, &a) != nil {
		err = fmt.Errorf("%w: it is no JSON with link and hasMoreToExport", ErrAnswer)
	}
	return a, err
}

func (f *fetch) ask(ctx context.Context, number int) (answer, error) {
	return f.client.ask(ctx, f.days, number)
}

// authorized makes a request with the token. A token that has run out is asked
// for anew, once.
func (c *client) authorized(ctx context.Context, build func(context.Context) (*http.Request, error)) ([]byte, error) {
	fresh := c.token == ""
	if fresh {
		if err := c.login(ctx); err != nil {
			return nil, err
		}
	}
	signed := func(ctx context.Context) (*http.Request, error) {
		r, err := build(ctx)
		if err == nil {
			r.Header.Set("Authorization", "bearer "+c.token)
		}
		return r, err
	}
	body, err := c.small(ctx, signed)
	if !errors.Is(err, ErrLogin) || fresh {
		return body, err
	}
	if err := c.login(ctx); err != nil {
		return nil, err
	}
	return c.small(ctx, signed)
}

// small makes a request and gives its answer.
func (c *client) small(ctx context.Context, build func(context.Context) (*http.Request, error)) ([]byte, error) {
	var body []byte
	err := c.do(ctx, build, func(r io.Reader) (err error) {
		body, err = io.ReadAll(io.LimitReader(r, maxAnswer+1))
		if len(body) > maxAnswer {
			return fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, maxAnswer)
		}
		return err
	})
	return body, err
}

// do makes a request until it is answered, and gives the body to take. It waits
// as long as it is told to, a few times.
func (c *client) do(ctx context.Context, build func(context.Context) (*http.Request, error), take func(io.Reader) error) error {
	for try := 1; ; try++ {
		again, err := c.try(ctx, build, take)
		if err == nil || again < 0 {
			return err
		}
		if again > maxWait || try == maxTries {
			return fmt.Errorf("%w: it asks to come back in %s", err, again)
		}
		if err := c.options.Wait(ctx, again); err != nil {
			return err
		}
	}
}

// never is a wait after which a request is not made again.
const never = time.Duration(-1)

func (c *client) try(ctx context.Context, build func(context.Context) (*http.Request, error), take func(io.Reader) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, maxRequest)
	defer cancel()
	request, err := build(ctx)
	if err != nil {
		return never, errors.New("make a request: url is no address")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return never, lost(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // what was read of it counts
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		if err := take(response.Body); err != nil {
			return never, lost(ctx, err)
		}
		return never, nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return never, fmt.Errorf("%w (status %d); see login and password", ErrLogin, code)
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return retryAfter(response.Header.Get("Retry-After"), time.Now()), fmt.Errorf("%w (status %d)", ErrBusy, code)
	case code >= 300 && code < 400:
		return never, fmt.Errorf("%w: it leads elsewhere (status %d), which is not followed; see url", ErrAnswer, code)
	default:
		return never, fmt.Errorf("%w: status %d; see url", ErrAnswer, code)
	}
}

// lost says that a connection broke, without the address that it went to. What
// this package or the disk says stays.
func lost(ctx context.Context, err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	} else if errors.Is(err, ErrAnswer) || errors.Is(err, ErrTooLarge) || errors.As(err, new(*os.PathError)) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", table.ErrLost, err)
}

// retryAfter reads seconds or a date; without either it is 5 s.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now).Round(time.Second), 0)
	}
	return 5 * time.Second
}

// download brings the file behind a link here.
func (f *fetch) download(ctx context.Context, link, path string) (p page, err error) {
	at, err := f.base.Parse(link)
	own := err == nil && at.Host == f.base.Host && at.Scheme == f.base.Scheme
	if err != nil || !own && at.Scheme != "https" || at.User != nil {
		return p, fmt.Errorf("%w: its link is no https address", ErrAnswer)
	}
	err = f.do(ctx, func(ctx context.Context) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err == nil && own {
			r.Header.Set("Authorization", "bearer "+f.token)
		}
		return r, err
	}, func(r io.Reader) error {
		p, err = store(r, path)
		return err
	})
	if errors.Is(err, ErrLogin) {
		err = fmt.Errorf("%w: the file behind its link is not handed out", ErrAnswer)
	}
	return p, err
}

// store writes a file, and counts its rows by their ends.
func store(r io.Reader, path string) (p page, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash, rows := sha256.New(), &rowCounter{}
	p.size, err = io.Copy(io.MultiWriter(file, hash, rows), io.LimitReader(r, maxPage+1))
	if p.size > maxPage {
		return p, fmt.Errorf("%w: its file has more than %d MiB", ErrTooLarge, maxPage>>20)
	}
	p.hash, p.rows, p.header = [32]byte(hash.Sum(nil)), rows.count(), rows.lines > 0
	return p, err
}

// rowCounter counts the lines of a text that hold something, whatever they end
// with. A cell with line breaks makes it count too many.
type rowCounter struct {
	lines  int
	filled bool
}

func (c *rowCounter) Write(b []byte) (int, error) {
	for _, one := range b {
		switch {
		case one == '\n' || one == '\r':
			c.end()
		case one > ' ':
			c.filled = true
		}
	}
	return len(b), nil
}

func (c *rowCounter) end() {
	if c.filled {
		c.lines++
	}
	c.filled = false
}

// count is the number of rows below the header.
func (c *rowCounter) count() int {
	c.end()
	return max(c.lines-1, 0)
}
