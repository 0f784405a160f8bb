package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"

	"makegood/config"
	"makegood/reconcile/ledger"
)

// sealer hides whom to forget from everybody who has not got the key by which
// persons are known: the hash of an address can be found by trying addresses.
type sealer struct {
	key  []byte
	aead cipher.AEAD
}

func newSealer(personKey []byte) (*sealer, error) {
	mac := hmac.New(sha256.New, personKey)
	mac.Write([]byte("makegood forgotten"))
	s := &sealer{key: mac.Sum(nil)}
	block, err := aes.NewCipher(s.key)
	if err == nil {
		s.aead, err = cipher.NewGCM(block)
	}
	if err != nil {
		return nil, fmt.Errorf("hide whom to forget: %w", err)
	}
	return s, nil
}

// sealerOf is that of a machine.
func sealerOf(cfg *config.Config) (*sealer, error) {
	key, err := ledger.ReadPersonKey(filepath.Join(cfg.StateDir, "person.key"))
	if err != nil {
		return nil, err
	}
	return newSealer(key)
}

// sealed hides lines.
func sealed(cfg *config.Config, lines []string) ([]string, error) {
	s, err := sealerOf(cfg)
	if err != nil {
		return nil, err
	}
	hidden := make([]string, len(lines))
	for i, line := range lines {
		hidden[i] = s.seal(line)
	}
	return hidden, nil
}

// opened gives lines that sealed has hidden.
func opened(cfg *config.Config, hidden []string) ([]string, error) {
	s, err := sealerOf(cfg)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(hidden))
	for i, text := range hidden {
		if lines[i], err = s.open(text); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// seal hides a line; the same line is always hidden as the same text.
func (s *sealer) seal(line string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(line))
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(line), nil))
}

// open gives a line that seal has hidden.
func (s *sealer) open(text string) (string, error) {
	sealed, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil && len(sealed) < s.aead.NonceSize() {
		err = errors.New("it is too short")
	}
	var line []byte
	if err == nil {
		n := s.aead.NonceSize()
		line, err = s.aead.Open(nil, sealed[:n], sealed[n:], nil)
	}
	if err != nil {
		return "", fmt.Errorf("read whom to forget: %w; have all machines the same person.key?", err)
	}
	return string(line), nil
}
