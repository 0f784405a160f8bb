// Package sftpfile reaches files on an SFTP server: it lists, fetches and moves
// them. A server is talked to only when its key is in a known_hosts file.
package sftpfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	dialTimeout = 30 * time.Second
	// idleTimeout is how long a server may say nothing; it is asked for a sign
	// of life every aliveEvery.
	idleTimeout = time.Minute
	aliveEvery  = 15 * time.Second
)

// ErrTooLarge is returned for a file that is larger than what is fetched.
var ErrTooLarge = errors.New("is larger than 4 GiB; pack it (.gz), or split it")

// maxFile is how large a file may be that is fetched, in bytes.
const maxFile = 4 << 30

// Options say which server it is and who asks. One of Key and Password is
// needed.
type Options struct {
	Addr       string // host:port
	User       string
	KnownHosts string // the path of the file
	Key        string // a private key in PEM
	Passphrase string // of the key, "" when it has none
	Password   string
}

// Client is one connection. Paths are the server's, from its root. It is safe
// for concurrent use.
type Client struct {
	*sftp.Client
	conn *ssh.Client
	stop func() bool // the context's hold on the connection
	done chan struct{}
}

// Dial connects. The connection ends with ctx; the caller closes it.
func Dial(ctx context.Context, o Options) (*Client, error) {
	config, err := clientConfig(o)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	wire, err := dialer.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	c := &Client{done: make(chan struct{}), stop: context.AfterFunc(ctx, func() { _ = wire.Close() })}
	if err := c.begin(&watched{wire}, o.Addr, config); err != nil {
		c.stop()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", o.Addr, explain(err, o)), ignoreClosed(wire.Close()))
	}
	go c.stayAlive()
	return c, nil
}

func (c *Client) begin(wire net.Conn, addr string, config *ssh.ClientConfig) error {
	conn, channels, requests, err := ssh.NewClientConn(wire, addr, config)
	if err != nil {
		return err
	}
	c.conn = ssh.NewClient(conn, channels, requests)
	c.Client, err = sftp.NewClient(c.conn)
	return err
}

// stayAlive asks the server for a sign of life, so that one that is gone is
// noticed and one that is only waited for is not taken for it.
func (c *Client) stayAlive() {
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
			if _, _, err := c.conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error {
	c.stop()
	close(c.done)
	return errors.Join(ignoreClosed(c.Client.Close()), ignoreClosed(c.conn.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// watched is a connection on which silence is an error.
type watched struct{ net.Conn }

func (w *watched) Read(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

func (w *watched) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// Fetch copies a file of the server to a new one on this machine, 0600.
func (c *Client) Fetch(path, to string) (err error) {
	in, err := c.Open(path)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", path, err)
	}
	defer func() { _ = in.Close() }() // read only
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", path, err)
	}
	_, err = in.WriteTo(&capped{out, maxFile})
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("fetch %s: %w", path, err)
	}
	return nil
}

// capped ends what is larger than anybody's export.
type capped struct {
	out  io.Writer
	left int64
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, ErrTooLarge
	}
	return c.out.Write(p)
}

// Move gives a file another name on the server. A name that is taken is
// fs.ErrExist.
func (c *Client) Move(from, to string) error {
	switch _, err := c.Lstat(to); {
	case err == nil:
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return c.Rename(from, to)
}

// Same is false: a rename on a server leaves a file one name only.
func (c *Client) Same(string, string) (bool, error) { return false, nil }
