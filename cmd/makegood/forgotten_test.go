package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestSealer: a line comes back with the key alone, is always hidden as the same
// text, and shows nothing of itself.
func TestSealer(t *testing.T) {
	s, err := newSealer(bytes.Repeat([]byte{7}, 32))
	check(t, err)
	other, err := newSealer(bytes.Repeat([]byte{8}, 32))
	check(t, err)
	for _, line := range []string{"1001", "", strings.Repeat("27eb", 16)} {
		sealed := s.seal(line)
		if got, err := s.open(sealed); err != nil || got != line || sealed != s.seal(line) || line != "" && strings.Contains(sealed, line) {
			t.Errorf("%q is hidden as %q and read as %q, %v", line, sealed, got, err)
		}
		if got, err := other.open(sealed); err == nil {
			t.Errorf("another key reads %q", got)
		}
	}
	for _, text := range []string{"", "AAAA", "no base64!"} {
		if got, err := s.open(text); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}
