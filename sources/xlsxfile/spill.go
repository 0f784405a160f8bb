package xlsxfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// spill is the folder of one open workbook, for the parts that are unpacked
// to disk. It belongs to whoever holds the lock beside it.
type spill struct {
	dir  string
	lock *flock.Flock
}

// newSpill makes a folder in parent, and removes those of processes that are
// gone: unpacked sheets hold names and addresses.
func newSpill(parent string) (*spill, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	sweep(parent)
	file, err := os.CreateTemp(parent, "*.lock")
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	s := &spill{dir: strings.TrimSuffix(file.Name(), ".lock"), lock: flock.New(file.Name())}
	switch ok, err := s.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	case !ok:
		return nil, fmt.Errorf("lock %s: taken by another process", file.Name())
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// sweep removes the folders whose lock nobody holds.
func sweep(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, "*.lock"))
	for _, path := range locks {
		s := &spill{dir: strings.TrimSuffix(path, ".lock"), lock: flock.New(path)}
		if ok, err := s.lock.TryLock(); err == nil && ok {
			_ = s.remove()
		}
	}
}

// remove deletes the folder and gives up the lock.
func (s *spill) remove() error {
	err := os.RemoveAll(s.dir)
	if gone := os.Remove(s.lock.Path()); err == nil {
		err = gone
	}
	if unlocked := s.lock.Unlock(); err == nil {
		err = unlocked
	}
	return err
}
