package sources

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// disk is where files lie: this machine, or a server.
type disk interface {
	Stat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.FileInfo, error)
	Glob(pattern string) ([]string, error)
	Join(elem ...string) string
	MkdirAll(path string) error
	// Move gives a file another name and keeps its time. It never overwrites:
	// fs.ErrExist says that the name is taken. After a crash the file stands
	// whole at one of the names, or at both.
	Move(from, to string) error
	// Same reports whether two names lead to one content.
	Same(a, b string) (bool, error)
}

// errNoMove keeps links where they are: elsewhere they may lead nowhere.
var errNoMove = errors.New("only regular files are moved")

// local is this machine.
type local struct{}

func (local) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// ReadDir leaves out what went away meanwhile.
func (local) ReadDir(path string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (local) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }
func (local) Join(elem ...string) string            { return filepath.Join(elem...) }
func (local) MkdirAll(path string) error            { return os.MkdirAll(path, 0o700) }

// Move makes a second name and takes the first one away; where that cannot be
// (another file system, one without links) it makes a copy first.
func (l local) Move(from, to string) error {
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, errNoMove)
	}
	err := os.Link(from, to)
	switch {
	case errors.Is(err, fs.ErrExist):
		if same, differs := l.Same(from, to); differs != nil || !same {
			return errors.Join(err, differs)
		} // an earlier move came this far
	case err != nil:
		if err := duplicate(from, to); err != nil {
			return err
		}
	}
	if err := syncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	return os.Remove(from)
}

// Same compares contents only where size and time are equal.
func (local) Same(a, b string) (bool, error) {
	one, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	other, err := os.Stat(b)
	switch {
	case err != nil:
		return false, err
	case os.SameFile(one, other):
		return true, nil
	case one.Size() != other.Size() || !one.ModTime().Equal(other.ModTime()):
		return false, nil
	}
	return sameBytes(a, b)
}

func sameBytes(a, b string) (bool, error) {
	one, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer one.Close()
	other, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer other.Close()
	left, right := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(one, left)
		m, _ := io.ReadFull(other, right)
		if n != m || string(left[:n]) != string(right[:m]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// duplicate writes a copy with the time of the original. It has its name only
// when it is whole and on the disk; a name that is taken is fs.ErrExist.
func duplicate(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(to), ".moving-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove(out.Name())) }()
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Chtimes(out.Name(), time.Time{}, info.ModTime()); err != nil {
		return err
	}
	if err = os.Link(out.Name(), to); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	return os.Rename(out.Name(), to) // a file system without links
}

// remove takes a name away that may be gone already.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFolder makes a new name survive a crash; a system that cannot sync a
// folder keeps it by itself.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = dir.Sync()
	return dir.Close()
}
