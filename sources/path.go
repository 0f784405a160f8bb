package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"makegood/sources/internal/near"
)

var (
	// ErrNoFile is returned when a path leads to no file. The error says what
	// there is instead.
	ErrNoFile = errors.New("there is no such file")
	// ErrGrowing is returned for a file that was changed too short a time ago
	// to be read: it may still be written.
	ErrGrowing = errors.New("was changed a moment ago and may still be written")
)

// endings are the names of files that a folder is searched for.
var endings = map[string][]string{
	"csv":  {".csv", ".tsv", ".txt", ".tab", ".gz", ".zip"},
	"xlsx": {".xlsx", ".xlsm"},
}

// find gives the files of a path (a file, a folder or a glob), sorted by name.
func find(path string, endings []string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return folder(path, endings)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("find files: %w: %s is a device or a pipe, which cannot be read twice", ErrNoFile, path)
	case err == nil:
		return []string{path}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("find files: %w", err)
	case !strings.ContainsAny(path, "*?["):
		return nil, absent(path, filepath.Dir(path))
	}
	paths, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("find files: %q is no pattern: %w", path, err)
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return !isFile(path) })
	if len(paths) == 0 {
		return nil, absent(path, filepath.Dir(path))
	}
	slices.Sort(paths)
	return paths, nil
}

// isFile reports whether path can be read as a file. What is gone or a link
// to nowhere counts: reading it says so.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// folder lists the files of a folder by their endings, without those that
// programs hide or are still writing.
func folder(path string, endings []string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("find files: %w", err)
	}
	var paths []string
	for _, e := range entries {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$")
		if !e.IsDir() && !hidden && isFile(filepath.Join(path, name)) && slices.Contains(endings, strings.ToLower(filepath.Ext(name))) {
			paths = append(paths, filepath.Join(path, name))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("find files: %w: the folder %s holds none that ends in %s", ErrNoFile, path, strings.Join(endings, ", "))
	}
	return paths, nil
}

// absent names the nearest file that there is.
func absent(path, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("find files: %w: %s (nor is there a folder %s)", ErrNoFile, path, dir)
	}
	var names []string
	for _, e := range entries {
		if e.Name() == filepath.Base(path) {
			return fmt.Errorf("find files: %w: %s is a link that leads nowhere", ErrNoFile, path)
		}
		names = append(names, e.Name())
	}
	if name := near.Name(filepath.Base(path), names); name != "" {
		return fmt.Errorf("find files: %w: %s (did you mean %s?)", ErrNoFile, path, filepath.Join(dir, name))
	}
	return fmt.Errorf("find files: %w: %s", ErrNoFile, path)
}

// settled refuses files that are younger than stable_for.
func (r rows) settled(paths []string) error {
	now := time.Now
	if r.opener.Now != nil {
		now = r.opener.Now
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("find files: %w", err)
		}
		if age := now().Sub(info.ModTime()); r.stable > 0 && age < r.stable {
			return fmt.Errorf("read %s: it %w; run again in %s, or set stable_for: 0s for files that are written in one go",
				filepath.Base(path), ErrGrowing, (r.stable - max(age, 0)).Round(time.Second))
		}
	}
	return nil
}
