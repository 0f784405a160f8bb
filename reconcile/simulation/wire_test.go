package simulation

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"makegood/sinks/httpapi"
)

// dial is the network of a process on its way to one platform.
func (p *process) dial(to *platform) httpapi.Dial {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		what := fmt.Sprint("dial ", to.name, ctx.Value(sending{}))
		n := p.count(what)
		time.Sleep(p.w.dice.moment(what, p.name, n))
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if p.dead || chance(p.w.dice.of("broken", p.name, what, n), p.w.weather().broken) {
			return nil, fmt.Errorf("dial %s: %w", to.name, syscall.ECONNREFUSED)
		}
		here, there := net.Pipe()
		p.conns = append(p.conns, here)
		p.w.served.Go(func() { p.serve(to, there) })
		return here, nil
	}
}

// serve is the platform's end of one connection.
func (p *process) serve(to *platform, conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method != http.MethodPost {
			p.w.mu.Lock()
			to.followed++
			p.w.tracef("%s follows a redirect of %s", p.name, to.name)
			p.w.mu.Unlock()
			if _, err := write(conn, good); err != nil {
				return
			}
			continue
		}
		if err := p.take(to, conn, body); err != nil {
			return
		}
	}
}

var errHungUp = errors.New("the connection is closed")

// take does with one request what the dice say.
func (p *process) take(to *platform, conn net.Conn, body []byte) error {
	w := p.w
	w.mu.Lock()
	list, err := messages(body)
	if err != nil || len(list) == 0 {
		w.violate("%s sent %s a body that cannot be read: %v: %s", p.name, to.name, err, body)
		w.mu.Unlock()
		return errHungUp
	}
	a, accepted := w.decide(to, list)
	var made []*request
	for _, m := range list {
		r := &request{at: w.judgeRequest(p, to, m), by: p, clear: a.clear}
		to.requests[r.at], made = append(to.requests[r.at], r), append(made, r)
	}
	first := list[0].order
	w.tracef("%s asks %s about %v of %d: it %s, accepted %v", p.name, to.name, made[0].at, len(list), a.name, accepted)
	n := to.asked[first]
	w.mu.Unlock()
	p.onRequest()
	time.Sleep(w.think("before", to.name, first, n))
	if accepted {
		w.mu.Lock()
		for i, m := range list {
			made[i].accepted = true
			w.accept(to, made[i].at, p.name, m.money)
		}
		w.mu.Unlock()
	}
	time.Sleep(w.think("after", to.name, first, n))
	whole, err := reply(conn, a)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range made {
		r.arrived = whole && !p.dead
	}
	return err
}

// reply answers, as far as there is an answer. whole says that all of it was
// read.
func reply(conn net.Conn, a answer) (whole bool, err error) {
	switch {
	case a.silent:
		_, err := io.Copy(io.Discard, conn) // until the other side gives up
		return false, errors.Join(err, errHungUp)
	case a.status == 0:
		return false, errHungUp
	}
	_, err = write(conn, a)
	if a.cut {
		err = errors.Join(err, errHungUp)
	}
	return err == nil, err
}

func write(conn net.Conn, a answer) (int, error) {
	length := len(a.body)
	if a.cut {
		length += 10
	}
	return fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s",
		a.status, http.StatusText(a.status), length, a.header, a.body)
}
