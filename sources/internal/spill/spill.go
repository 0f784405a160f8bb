// Package spill gives folders for files that hold names and addresses and that
// must not outlive the process that reads them.
package spill

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// Folder is a folder of one process, 0700. It belongs to whoever holds the lock
// beside it.
type Folder struct {
	Dir  string
	lock *flock.Flock
}

// New makes a folder in parent, which is made where it is missing, and removes
// those of processes that are gone.
func New(parent string) (*Folder, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	Sweep(parent)
	file, err := os.CreateTemp(parent, "*.lock")
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	s := &Folder{Dir: strings.TrimSuffix(file.Name(), ".lock"), lock: flock.New(file.Name())}
	switch ok, err := s.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	case !ok:
		return nil, fmt.Errorf("lock %s: taken by another process", file.Name())
	}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// Deliver gives a file that is whole its place, where a reader sees the old one
// or the new one. It never replaces the file keep, whatever names lead to it.
func Deliver(from, to, keep string) error {
	if same, err := os.Stat(to); err == nil {
		if kept, err := os.Stat(keep); err != nil || os.SameFile(same, kept) {
			return fmt.Errorf("write %s: it is the file that was read; name another folder", to)
		}
	}
	err := os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		err = carry(from, to)
	}
	if err != nil {
		return fmt.Errorf("give a file its name: %w", err)
	}
	return nil
}

const carried = ".makegood-*"

// SweepCarried removes files that a killed process has left in a folder while
// it gave them their names there: those that nobody has written to for an hour.
func SweepCarried(dir string, now time.Time) {
	left, _ := filepath.Glob(filepath.Join(dir, carried))
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && now.Sub(info.ModTime()) > time.Hour {
			_ = os.Remove(path)
		}
	}
}

// carry copies a file to another file system.
func carry(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	out, err := os.CreateTemp(filepath.Dir(to), carried)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		_ = os.Remove(out.Name())
	}
	return err
}

// Sweep removes the folders in parent that nobody uses any more: their
// processes are gone.
func Sweep(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, "*.lock"))
	for _, path := range locks {
		s := &Folder{Dir: strings.TrimSuffix(path, ".lock"), lock: flock.New(path)}
		if ok, err := s.lock.TryLock(); err == nil && ok {
			_ = s.Remove()
		}
	}
}

// Remove deletes the folder and gives up the lock.
func (s *Folder) Remove() error {
	err := os.RemoveAll(s.Dir)
	if gone := os.Remove(s.lock.Path()); err == nil {
		err = gone
	}
	if unlocked := s.lock.Unlock(); err == nil {
		err = unlocked
	}
	return err
}
