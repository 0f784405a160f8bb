package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"makegood/sources/internal/near"
)

var (
	// ErrNoFile is returned when a path leads to no file. The error says what
	// there is instead.
	ErrNoFile = errors.New("there is no such file")
	// ErrGrowing is returned for a file that was waited for and is still being
	// written.
	ErrGrowing = errors.New("is still being written")
)

// endings are the names of files that a folder is searched for.
var endings = map[string][]string{
	"csv":  {".csv", ".tsv", ".txt", ".tab", ".gz", ".zip"},
	"xlsx": {".xlsx", ".xlsm"},
	"rokt": {".jsonl", ".ndjson", ".json"},
}

// paths finds files on a disk by a path and by endings.
type paths struct {
	disk
	endings []string
}

// find gives the files of a path (a file, a folder or a glob), sorted by name.
func (p paths) find(path string) ([]string, error) {
	info, err := p.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return p.folder(path)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("find files: %w: %s is a device or a pipe, which cannot be read twice", ErrNoFile, path)
	case err == nil:
		return []string{path}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("find files: %w", err)
	case !strings.ContainsAny(path, "*?["):
		return nil, p.absent(path, filepath.Dir(path))
	}
	found, err := p.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("find files: %q is no pattern: %w", path, err)
	}
	found = slices.DeleteFunc(found, func(path string) bool { return !p.isFile(path) })
	if len(found) == 0 {
		return nil, p.absent(path, filepath.Dir(path))
	}
	slices.Sort(found)
	return found, nil
}

// isFile reports whether path can be read as a file. What is gone or a link
// to nowhere counts: reading it says so.
func (p paths) isFile(path string) bool {
	info, err := p.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// folder lists the files of a folder by their endings, without those that
// programs hide or are still writing.
func (p paths) folder(path string) ([]string, error) {
	infos, err := p.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("find files: %w", err)
	}
	var found []string
	for _, info := range infos {
		if name := info.Name(); !info.IsDir() && p.visible(name) && p.isFile(p.Join(path, name)) {
			found = append(found, p.Join(path, name))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find files: %w: the folder %s holds none that ends in %s", ErrNoFile, path, strings.Join(p.endings, ", "))
	}
	slices.Sort(found)
	return found, nil
}

// visible reports whether a folder is searched for files of this name.
func (p paths) visible(name string) bool {
	hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$")
	return !hidden && slices.Contains(p.endings, strings.ToLower(filepath.Ext(name)))
}

// absent names the nearest file that there is.
func (p paths) absent(path, dir string) error {
	infos, err := p.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("find files: %w: %s (nor is there a folder %s)", ErrNoFile, path, dir)
	}
	var names []string
	for _, info := range infos {
		if info.Name() == filepath.Base(path) {
			return fmt.Errorf("find files: %w: %s is a link that leads nowhere", ErrNoFile, path)
		}
		names = append(names, info.Name())
	}
	if name := near.Name(filepath.Base(path), names); name != "" {
		return fmt.Errorf("find files: %w: %s (did you mean %s?)", ErrNoFile, path, p.Join(dir, name))
	}
	return fmt.Errorf("find files: %w: %s", ErrNoFile, path)
}
