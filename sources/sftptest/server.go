// Package sftptest is an SFTP server over loopback for tests. It shows the
// files of this machine.
package sftptest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// The user and the password that the server lets in.
const (
	User     = "shop"
	Password = "sesame"
)

// Server is a running server.
type Server struct {
	Addr       string
	KnownHosts string // a file that holds the server's key
	Key        string // of the user, in PEM
	// Sessions counts the connections that were let in.
	Sessions atomic.Int64

	config   *ssh.ServerConfig
	listener net.Listener
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	host, hostPEM := newKey(t)
	user, userPEM := newKey(t)
	s := &Server{Key: userPEM, config: &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, refuse(c.User() == User && string(password) == Password)
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, refuse(c.User() == User && string(key.Marshal()) == string(user.Marshal()))
		},
	}}
	signer, err := ssh.ParsePrivateKey([]byte(hostPEM))
	if err != nil {
		t.Fatal(err)
	}
	s.config.AddHostKey(signer)
	if s.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.listener.Close() })
	s.Addr = s.listener.Addr().String()
	s.KnownHosts = s.Knows(t, host)
	go s.accept()
	return s
}

// Knows writes a known_hosts file with a key for the server; a nil key is one
// that the server has not.
func (s *Server) Knows(t testing.TB, key ssh.PublicKey) string {
	t.Helper()
	if key == nil {
		key, _ = newKey(t)
	}
	path := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{knownhosts.Normalize(s.Addr)}, key)
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t testing.TB) (ssh.PublicKey, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(block))
}

func refuse(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("nobody of that name")
}

func (s *Server) accept() {
	for {
		wire, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.serve(wire)
	}
}

// serve answers one connection, until the client leaves.
func (s *Server) serve(wire net.Conn) {
	defer func() { _ = wire.Close() }()
	_, channels, requests, err := ssh.NewServerConn(wire, s.config)
	if err != nil {
		return
	}
	s.Sessions.Add(1)
	go ssh.DiscardRequests(requests)
	for one := range channels {
		channel, asked, err := one.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		go answer(channel)
	}
}

func answer(channel io.ReadWriteCloser) {
	defer func() { _ = channel.Close() }() // the client has left
	if server, err := sftp.NewServer(channel); err == nil {
		_ = server.Serve()
	}
}
