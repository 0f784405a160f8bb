package sftpfile

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// ErrHostKey is returned for a server whose key is not the known one.
var ErrHostKey = errors.New("the server's key is not known")

// clientConfig reads keys and known hosts.
func clientConfig(o Options) (*ssh.ClientConfig, error) {
	check, err := knownhosts.New(o.KnownHosts)
	if err != nil {
		return nil, fmt.Errorf("read known_hosts: %w", err)
	}
	config := &ssh.ClientConfig{User: o.User, Timeout: dialTimeout,
		HostKeyAlgorithms: algorithms(check, o.Addr),
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			if err := check(name, remote, key); err != nil {
				return &hostKey{err, key}
			}
			return nil
		}}
	if o.Key != "" {
		signer, err := signerOf(o)
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if o.Password != "" {
		config.Auth = append(config.Auth, ssh.Password(o.Password))
	}
	return config, nil
}

func signerOf(o Options) (ssh.Signer, error) {
	var signer ssh.Signer
	var err error
	if o.Passphrase != "" {
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(o.Key), []byte(o.Passphrase))
	} else {
		signer, err = ssh.ParsePrivateKey([]byte(o.Key))
	}
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, errors.New("read the key: it is protected; set passphrase")
	}
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	return signer, nil
}

// hostKey is a key that the known hosts object to.
type hostKey struct {
	err error
	key ssh.PublicKey
}

func (h *hostKey) Error() string { return h.err.Error() }
func (h *hostKey) Unwrap() error { return h.err }

// explain says what a person has to do about a server's key.
func explain(err error, o Options) error {
	refused, is := errors.AsType[*hostKey](err)
	if !is {
		return err
	}
	file, print := filepath.Base(o.KnownHosts), ssh.FingerprintSHA256(refused.key)
	known, is := errors.AsType[*knownhosts.KeyError](refused.err)
	switch {
	case is && len(known.Want) == 0:
		return fmt.Errorf("%w: ask who runs the server whether its fingerprint is %s, and then add this line to %s: %s", ErrHostKey, print,
			file, knownhosts.Line([]string{knownhosts.Normalize(o.Addr)}, refused.key))
	case is:
		return fmt.Errorf("%w: it is %s now, and %s, line %d, has another one; somebody may be in between: ask who runs the server before you change the line",
			ErrHostKey, print, file, known.Want[0].Line)
	}
	return fmt.Errorf("%w: %w", ErrHostKey, refused.err)
}

// algorithms are those of the keys that are known of a server, so that it
// shows the one that can be compared; nil when none is known.
func algorithms(check ssh.HostKeyCallback, addr string) []string {
	none, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil
	}
	known, is := errors.AsType[*knownhosts.KeyError](check(addr, &net.TCPAddr{}, none))
	if !is {
		return nil
	}
	var names []string
	for _, k := range known.Want {
		if k.Key.Type() == ssh.KeyAlgoRSA {
			names = append(names, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		names = append(names, k.Key.Type())
	}
	return names
}
