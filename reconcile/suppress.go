package reconcile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Suppression is the list of people and orders that must not be sent: plain
// or hashed (SHA-256) addresses, customer ids, order numbers, one or more a
// line. The files are read again when they have changed, so that a person who
// is erased between plan and apply is not sent. Safe for concurrent use.
type Suppression struct {
	paths []string
	clock func() time.Time

	mu      sync.Mutex
	looked  time.Time
	marks   []string
	entries map[string]bool
}

// suppressionFresh is how long a look at the files' times counts.
const suppressionFresh = time.Second

// maxSuppression bounds one file, in bytes.
const maxSuppression = 256 << 20

// NewSuppression reads the files. One that cannot be read is an error: sending
// to somebody who asked to be left alone is worse than not sending.
func NewSuppression(paths []string, clock func() time.Time) (*Suppression, error) {
	s := &Suppression{paths: paths, clock: clock}
	return s, s.refresh()
}

// Hits reports whether a person, a customer or an order is on the list. An
// error means that the list could not be read again: the caller sends nothing.
func (s *Suppression) Hits(p Person, customer, order string) (bool, error) {
	if s == nil || len(s.paths) == 0 {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return false, err
	}
	for _, key := range suppressionKeys(p, customer, order) {
		if s.entries[key] {
			return true, nil
		}
	}
	return false, nil
}

func suppressionKeys(p Person, customer, order string) []string {
	keys := []string{strings.ToLower(order), strings.ToLower(customer)}
	if email, ok := strings.CutPrefix(string(p), "email:"); ok {
		sum := sha256.Sum256([]byte(email))
		keys = append(keys, email, hex.EncodeToString(sum[:]))
	}
	return keys
}

func (s *Suppression) refresh() error {
	if now := s.clock(); s.entries != nil && now.Sub(s.looked) < suppressionFresh {
		return nil
	}
	marks, err := s.look()
	if err != nil {
		return err
	}
	s.looked = s.clock()
	if s.entries != nil && strings.Join(marks, "|") == strings.Join(s.marks, "|") {
		return nil
	}
	entries := map[string]bool{}
	for _, path := range s.paths {
		if err := readSuppression(path, entries); err != nil {
			return fmt.Errorf("read the suppression list %s: %w", path, err)
		}
	}
	delete(entries, "")
	s.entries, s.marks = entries, marks
	return nil
}

func (s *Suppression) look() ([]string, error) {
	marks := make([]string, len(s.paths))
	for i, path := range s.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read the suppression list: %w", err)
		}
		if info.Size() > maxSuppression {
			return nil, fmt.Errorf("read the suppression list %s: it has more than 256 MiB", path)
		}
		marks[i] = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	}
	return marks, nil
}

func readSuppression(path string, into map[string]bool) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxSuppression)
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "\ufeff")
		for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",;\t", r) }) {
			into[strings.ToLower(strings.Trim(strings.TrimSpace(cell), `"'`))] = true
		}
	}
	return lines.Err()
}
