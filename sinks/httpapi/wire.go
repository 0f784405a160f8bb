package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"

	"makegood/reconcile"
)

// countingConn counts what was written to the network. httptrace alone cannot
// say that nothing was: it speaks of the buffer in front of the connection.
type countingConn struct {
	net.Conn
	written atomic.Int64
	sealed  atomic.Bool
}

// Write counts before it writes, so that a reader of the count never sees less
// than what may be under way.
func (c *countingConn) Write(b []byte) (int, error) {
	c.written.Add(int64(len(b)))
	if c.sealed.Load() {
		c.written.Add(-int64(len(b)))
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n - len(b)))
	return n, err
}

// seal ends all writing and gives the count that is then final, or higher.
func (c *countingConn) seal() int64 {
	c.sealed.Store(true)
	return c.written.Load()
}

// wire tells whether a byte of one request can have reached the other side.
type wire struct {
	conn   atomic.Pointer[countingConn]
	before atomic.Int64 // written on conn before this request
	opaque atomic.Bool  // a connection that cannot be counted was used
}

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		conn := info.Conn
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		counting, ok := conn.(*countingConn)
		if !ok {
			w.opaque.Store(true)
			return
		}
		w.before.Store(counting.written.Load())
		w.conn.Store(counting)
	}}
}

// silent says that surely nothing of a request that failed was written, nor
// will be. When net/http moved on to a second connection, nothing was written to
// the first.
func (w *wire) silent() bool {
	if w.opaque.Load() {
		return false
	}
	conn := w.conn.Load()
	return conn == nil || conn.seal() == w.before.Load()
}

// lost is a request without an answer. The zero value is one whose end nobody
// knows.
type lost struct {
	verdict reconcile.Verdict
	why     string
}

var interrupted = lost{reconcile.Unsent, "interrupted before it was sent"}

// explain says what an error means for the request. Errors of net/http name
// the address: their text goes nowhere.
func (w *wire) explain(ctx context.Context, err error) lost {
	silent := w.silent()
	switch {
	case silent && ctx.Err() != nil:
		return interrupted
	case silent:
		return lost{reconcile.Retryable, "not sent: " + cause(err)}
	case timedOut(err):
		return lost{reconcile.InDoubt, "no answer in time"}
	}
	return lost{reconcile.InDoubt, "the connection broke before an answer came"}
}

func timedOut(err error) bool {
	slow, ok := errors.AsType[net.Error](err)
	return ok && slow.Timeout() || errors.Is(err, context.Canceled)
}

func cause(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name was not found"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate was not accepted"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the other side does not speak TLS"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case timedOut(err):
		return "no connection in time"
	}
	return "no connection"
}
