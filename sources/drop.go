package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"makegood/reconcile"
)

// Mover is an optional interface of a source whose files are moved when a run
// has read them.
type Mover interface {
	// MoveRead moves the files that the last Heads read and that are as they
	// were then. It tells how many, also beside an error. No file is ever
	// deleted or overwritten: a name that is taken gets a number.
	MoveRead(ctx context.Context) (int, error)
}

// maxNames is how many files of one name a folder of moved files takes.
const maxNames = 10_000

// movedSlack is how much earlier than its orders were completed a file may
// have been written, by the clocks of different machines.
const movedSlack = 24 * time.Hour

// drop is a folder, or a pattern of names, whose files are moved to another
// folder once they were read. Both are one source: what was moved is read
// again for as long as it can hold orders of the period, so that moving loses
// nothing: no order that was left or held back, no version, no part.
type drop struct {
	paths
	path string
	to   string // "": nothing is moved
}

// list finds the files of the source and, of those that were moved, the ones
// that may hold orders of w.
func (d drop) list(w reconcile.Window) (fresh []string, moved []found, err error) {
	fresh, err = d.find(d.path)
	if d.to == "" {
		return fresh, nil, err
	}
	if errors.Is(err, ErrNoFile) && d.empty() {
		fresh, err = nil, nil // they were read, and moved
	}
	if err != nil {
		return nil, nil, err
	}
	infos, err := d.ReadDir(d.to)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find moved files: %w", err)
	}
	for _, info := range infos {
		f := found{d.Join(d.to, info.Name()), info.Size(), info.ModTime(), true}
		if !info.Mode().IsRegular() || !d.takes(info.Name()) || f.changed.Add(movedSlack).Before(w.From) {
			continue
		}
		twice, err := d.twice(f, fresh)
		if err != nil {
			return nil, nil, err
		}
		if !twice {
			moved = append(moved, f)
		}
	}
	slices.SortFunc(moved, func(a, b found) int { return strings.Compare(a.path, b.path) })
	return fresh, moved, nil
}

// empty reports whether there is the folder that files are dropped into.
func (d drop) empty() bool {
	for _, path := range []string{d.path, filepath.Dir(d.path)} {
		if info, err := d.Stat(path); err == nil {
			return info.IsDir()
		}
	}
	return false
}

var numbered = regexp.MustCompile(`~[0-9]+(\.[^.]*)?$`)

// takes reports whether a file of this name can have come from the path.
func (d drop) takes(name string) bool {
	plain := numbered.ReplaceAllString(name, "$1")
	if info, err := d.Stat(d.path); err == nil && info.IsDir() {
		return d.visible(plain)
	}
	fits, err := filepath.Match(filepath.Base(d.path), plain)
	return plain == filepath.Base(d.path) || err == nil && fits
}

// twice reports a moved file whose first name a crash has left.
func (d drop) twice(f found, fresh []string) (bool, error) {
	for _, path := range fresh {
		if filepath.Base(path) != filepath.Base(f.path) {
			continue
		}
		same, err := d.Same(path, f.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("find moved files: %w", err)
		}
		return same, nil
	}
	return false, nil
}

// move moves one file, unless it has changed since it was listed.
func (d drop) move(f found) (bool, error) {
	now, err := look(d.disk, f.path)
	if err != nil || !now.as(f) {
		return false, err
	}
	name := filepath.Base(f.path)
	ending := filepath.Ext(name)
	for n := 1; n <= maxNames; n++ {
		to := d.Join(d.to, name)
		if n > 1 {
			to = d.Join(d.to, strings.TrimSuffix(name, ending)+"~"+strconv.Itoa(n)+ending)
		}
		if err := d.Move(f.path, to); !errors.Is(err, fs.ErrExist) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("%s holds %d files of that name", d.to, maxNames)
}

// moveAll moves the files that were not moved before.
func (d drop) moveAll(ctx context.Context, all []found) (moved int, err error) {
	all = slices.DeleteFunc(slices.Clone(all), func(f found) bool { return f.moved })
	if len(all) == 0 {
		return 0, nil
	}
	if err := d.MkdirAll(d.to); err != nil {
		return 0, fmt.Errorf("make the folder for files that were read: %w", err)
	}
	for _, f := range all {
		if ctx.Err() != nil {
			return moved, context.Cause(ctx)
		}
		done, err := d.move(f)
		if err != nil {
			return moved, fmt.Errorf("move %s: %w", filepath.Base(f.path), err)
		}
		if done {
			moved++
		}
	}
	return moved, nil
}

// dropSource is a source whose files are moved.
type dropSource struct{ fileSource }

// MoveRead implements Mover.
func (s dropSource) MoveRead(ctx context.Context) (int, error) { return s.rows.move(ctx) }
