package sources_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
	"makegood/sources/sftptest"
)

// remote is a drop folder that lies on a server.
func remote(t *testing.T, server *sftptest.Server) *dropFolder {
	d := newDrop(t, "*.csv")
	d.cfg.SFTP = &config.Server{KnownHosts: server.KnownHosts, Key: config.Secret(server.Key), User: sftptest.User, Addr: server.Addr, Path: d.cfg.Path}
	d.cfg.Path = "sftp://" + sftptest.User + "@" + server.Addr + d.cfg.Path
	return d
}

// TestServer reads and moves files on a server as it does here.
func TestServer(t *testing.T) {
	server := sftptest.Start(t)
	d := remote(t, server)
	write(t, d.in, "a.csv", order("1", "1"))
	d.wants(d.read(retailWindow, d.moves(1)), "1=1")
	d.holds("", "a.csv")
	write(t, d.in, "a.csv", order("2", "1"))
	d.wants(d.read(retailWindow, d.moves(1)), "1=1 2=1")
	d.holds("", "a.csv a~2.csv")
	d.cfg.SFTP.Key, d.cfg.SFTP.Password = "", sftptest.Password
	d.wants(d.read(retailWindow, d.moves(0)), "1=1 2=1")
	if server.Sessions.Load() != 5 { // three to read, two to move
		t.Errorf("%d connections", server.Sessions.Load())
	}
}

// TestFetchedFiles: they are for the owner only, serve both passes, and are
// gone with the source.
func TestFetchedFiles(t *testing.T) {
	server := sftptest.Start(t)
	d := remote(t, server)
	write(t, d.in, "a.csv", order("1", "2"))
	state := t.TempDir()
	s, err := sources.Open(d.cfg, state)
	if err != nil {
		t.Fatal(err)
	}
	key := heads(t, s, retailWindow)[0].Key
	copies, err := filepath.Glob(filepath.Join(state, "sftp", "*", "0", "a.csv"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("the copies are %q (%v)", copies, err)
	}
	for path, want := range map[string]fs.FileMode{copies[0]: 0o600, filepath.Dir(copies[0]): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s is %v (%v)", filepath.Base(path), info.Mode(), err)
		}
	}
	if err := os.Remove(filepath.Join(d.in, "a.csv")); err != nil {
		t.Fatal(err)
	}
	for o, err := range s.Orders(t.Context(), []reconcile.OrderKey{key}) {
		if err != nil || len(o.Items) != 1 {
			t.Errorf("read %+v (%v)", o, err)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(state, "sftp", "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestServersThatAreNotTrusted: nothing is read, and the message says what a
// person has to do.
func TestServersThatAreNotTrusted(t *testing.T) {
	server := sftptest.Start(t)
	d := remote(t, server)
	write(t, d.in, "a.csv", order("1", "1"))
	for name, c := range map[string]struct {
		spoil func(*config.Server)
		says  []string
	}{
		"unknown": {func(s *config.Server) { s.KnownHosts = write(t, t.TempDir(), "known_hosts", "") },
			[]string{"not known", "SHA256:", "add this line to known_hosts: [127.0.0.1]:"}},
		"another key":     {func(s *config.Server) { s.KnownHosts = server.Knows(t, nil) }, []string{"known_hosts, line 1, has another", "in between"}},
		"no known_hosts":  {func(s *config.Server) { s.KnownHosts = filepath.Join(t.TempDir(), "gone") }, []string{"read known_hosts", "no such file"}},
		"wrong password":  {func(s *config.Server) { s.Key, s.Password = "", "guess" }, []string{"unable to authenticate"}},
		"no key":          {func(s *config.Server) { s.Key = "sesame" }, []string{"read the key"}},
		"nobody is there": {func(s *config.Server) { s.Addr = closedPort(t) }, []string{"connect to", "refused"}},
		"no such folder":  {func(s *config.Server) { s.Path = "/nowhere/*.csv" }, []string{"no such file", "nor is there a folder /nowhere"}},
	} {
		spoilt := *d.cfg.SFTP
		c.spoil(&spoilt)
		cfg := *d.cfg
		cfg.SFTP = &spoilt
		err := fail(t, sources.Opener{}, &cfg)
		for _, says := range c.says {
			if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("%s: %v, want %q", name, err, says)
			}
		}
	}
	d.holds("a.csv", "")
}

// closedPort is an address that nobody listens at.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestEmptyServer: without after_read a folder without files is a fault.
func TestEmptyServer(t *testing.T) {
	d := remote(t, sftptest.Start(t))
	d.wants(d.read(retailWindow, d.moves(0)), "")
	d.cfg.AfterRead = nil
	if err := fail(t, sources.Opener{}, d.cfg); !errors.Is(err, sources.ErrNoFile) {
		t.Errorf("gave %v", err)
	}
}
