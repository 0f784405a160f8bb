package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeySize is the length of a person key in bytes.
const KeySize = 32

// PersonKey reads the key of the ledger's keyed hashes, hexadecimal text in a
// file of mode 0600, and makes a random one when there is none. Of two
// processes that make it at once both get the same. It refuses a key that
// others can read.
func PersonKey(path string) ([]byte, error) {
	key, err := ReadPersonKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makePersonKey(path); err != nil {
		return nil, fmt.Errorf("make person key: %w", err)
	}
	return ReadPersonKey(path)
}

// ReadPersonKey is PersonKey for commands that change nothing: without a key
// it gives an error that is fs.ErrNotExist.
func ReadPersonKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read person key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("read person key: %s can be read by others (%04o): run chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read person key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("read person key: %s does not hold %d hexadecimal digits: put the key back from a backup", path, 2*KeySize)
	}
	return key, nil
}

// makePersonKey leaves a key that came first alone: a link, unlike a rename,
// never replaces.
func makePersonKey(path string) (err error) {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := writeTemp(path, []byte(hex.EncodeToString(key)+"\n"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp)) }()
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
