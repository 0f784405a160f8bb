package config

import (
	"net"
	"net/url"
	"strings"
)

// Server is how to get at the files of a source on an SFTP server.
type Server struct {
	// KnownHosts is the absolute path of a file that holds the server's key.
	KnownHosts string `yaml:"known_hosts" required:"the file with the server's key, in the form of OpenSSH; a server without one is not talked to"`
	Key        Secret `yaml:"key"` // a private key in PEM
	Passphrase Secret `yaml:"passphrase"`
	Password   Secret `yaml:"password"`

	// User, Addr (host:port) and Path come from the path of the source.
	User string `yaml:"-"`
	Addr string `yaml:"-"`
	Path string `yaml:"-"`
}

const (
	serverScheme = "sftp://"
	serverForm   = "sftp://user@host/folder/*.csv"
)

// onServer reports whether files lie on an SFTP server.
func onServer(path string) bool { return strings.HasPrefix(path, serverScheme) }

// checkServer takes the path of a source apart.
func (s *Source) checkServer(d *document, path string) {
	switch {
	case !onServer(s.Path) && s.SFTP != nil:
		d.fail(path+".sftp", "%s.sftp goes with a path such as %s", path, serverForm)
		return
	case !onServer(s.Path):
		return
	case s.SFTP == nil:
		if !d.failed(path + ".sftp") {
			d.fail(path+".path", "%s.sftp is missing: write sftp: {known_hosts: known_hosts, key: file:/run/secrets/key}", path)
		}
		return
	case s.SFTP.Key == "" && s.SFTP.Password == "":
		d.fail(path+".sftp", "%s.sftp needs key, a private key as in file:/run/secrets/key, or password", path)
	}
	host, file, _ := strings.Cut(strings.TrimPrefix(s.Path, serverScheme), "/")
	u, err := url.Parse(serverScheme + host)
	if err != nil || u.User == nil || u.Hostname() == "" || file == "" {
		d.fail(path+".path", "%s.path is not of the form %s", path, serverForm)
		return
	}
	if _, given := u.User.Password(); given {
		d.fail(path+".path", "%s.path holds a password, which would stand in messages; move it to sftp.password", path)
		return
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	s.SFTP.User, s.SFTP.Addr, s.SFTP.Path = u.User.Username(), net.JoinHostPort(u.Hostname(), port), "/"+file
}

// checkLocal refuses a server where files are small and read from this machine.
func (t *Table) checkLocal(d *document, path string) {
	if onServer(t.Path) {
		d.fail(path+".path", "%s.path: only orders are fetched from a server; put this file on this machine", path)
	}
}
