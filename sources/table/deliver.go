package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"makegood/sources/internal/spill"
)

// Claim takes the names of what is written for a file, before anything is. It
// refuses a name that another file of the run has, and one of a file that is
// not as makegood left it: a person may have begun to correct it.
func (m *Marking) Claim(names ...string) error {
	for _, name := range names {
		if m.taken[strings.ToLower(name)] {
			return fmt.Errorf("%w: another file of this run has the same name, %s", ErrUnmarkable, name)
		}
	}
	for _, name := range names {
		m.taken[strings.ToLower(name)] = true
	}
	spill.SweepCarried(m.Dir, time.Now())
	known := m.delivered()
	for _, name := range names {
		to := filepath.Join(m.Dir, name)
		now, err := stamp(to)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || known[absolute(to)] != now {
			return fmt.Errorf("write %s: a file is there that makegood did not write, or that somebody has changed since; move it away, or name another folder", to)
		}
	}
	return nil
}

// Deliver gives a file that is whole its claimed name in Dir, and remembers it
// as it is. It never replaces the file keep.
func (m *Marking) Deliver(from, name, keep string) error {
	to := filepath.Join(m.Dir, name)
	if err := spill.Deliver(from, to, keep); err != nil {
		return err
	}
	now, err := stamp(to)
	if err != nil {
		return fmt.Errorf("look at %s: %w", to, err)
	}
	known := m.delivered()
	for path := range known {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			delete(known, path)
		}
	}
	known[absolute(to)] = now
	return m.remember(known)
}

// deliveredName is the list of what was delivered: stamps by path.
const deliveredName = "delivered.json"

// delivered reads the list. What cannot be read names nothing, so that nothing
// is replaced.
func (m *Marking) delivered() map[string]string {
	known := map[string]string{}
	text, err := os.ReadFile(filepath.Join(m.TmpDir, deliveredName))
	if err != nil || json.Unmarshal(text, &known) != nil || known == nil {
		return map[string]string{}
	}
	return known
}

func (m *Marking) remember(known map[string]string) error {
	text, err := json.Marshal(known)
	if err != nil {
		return fmt.Errorf("remember what was written: %w", err)
	}
	file, err := os.CreateTemp(m.TmpDir, deliveredName+"-*")
	if err != nil {
		return fmt.Errorf("remember what was written: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(m.TmpDir, deliveredName))
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("remember what was written: %w", err)
	}
	return nil
}

// stamp changes when a file does.
func stamp(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s %s", info.Size(), info.Mode().Type(), info.ModTime().UTC().Format(time.RFC3339Nano)), nil
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
