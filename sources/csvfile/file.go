// Package csvfile reads the rows of text files with delimiters: CSV, TSV and
// what spreadsheets export as such. It writes them again with what became of
// each row ([File.WriteMarked]), which is left out when they are read again.
package csvfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"makegood/config"
	"makegood/sources/internal/near"
	"makegood/sources/table"
)

// What can be wrong with a file as a whole. The errors of this package wrap
// them and say more.
var (
	// ErrEmpty is returned for a file without a header.
	ErrEmpty = errors.New("is empty: not even a header is in it")
	// ErrEncoding is returned for text that is not what encoding says.
	ErrEncoding = errors.New("is not text in the encoding that is set")
	// ErrDelimiter is returned when the header seems to be one column only
	// because another delimiter is used.
	ErrDelimiter = errors.New("has one column only")
	// ErrQuotes is returned when a quote swallows rows, so that nobody can say
	// which rows there are.
	ErrQuotes = errors.New("has a quote that does not end where it should")
	// ErrNoTable is returned for a file that is something else than text.
	ErrNoTable = errors.New("is no table of text")
	// ErrTooWide is returned for a header with more columns than any table has.
	ErrTooWide = errors.New("has more than 16384 columns")
)

// File is one file on disk, plain or packed (.gz, or a .zip of one file). It
// implements table.File, for one caller at a time.
type File struct {
	path   string
	table  config.Table
	wanted map[string]bool

	known *dialect // of the file as it was at mark
	mark  string
}

// New names a file without touching it. Of t it uses delimiter, encoding and
// header row; what is empty there is found out when the file is opened. wanted
// are names of columns, by which the header is known.
func New(path string, t config.Table, wanted ...string) *File {
	f := &File{path: path, table: t, wanted: map[string]bool{}}
	for _, name := range wanted {
		f.wanted[name] = true
	}
	return f
}

var (
	_ table.File     = (*File)(nil)
	_ table.Sampler  = (*File)(nil)
	_ table.Markable = (*File)(nil)
)

// Name is the base name of the path.
func (f *File) Name() string { return filepath.Base(f.path) }

// Open reads up to the header. What is found out about the file is kept for as
// long as the file stays the same, so that every pass reads it in the same way.
func (f *File) Open(context.Context) (table.Cursor, error) {
	mark, err := f.Mark()
	if err != nil {
		return nil, err
	}
	if f.known == nil || f.mark != mark {
		if f.known, err = f.detect(); err != nil {
			f.known = nil
			return nil, err
		}
		f.mark = mark
	}
	in, err := f.open()
	if err != nil {
		return nil, err
	}
	c, err := newCursor(f, f.known, in)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", f.Name(), err), in.Close())
	}
	return c, nil
}

// Sample gives the first rows: those of the first MiB, and at most 2,000.
func (f *File) Sample(ctx context.Context) (table.Sample, error) {
	c, err := f.Open(ctx)
	if err != nil {
		return table.Sample{}, err
	}
	s := table.Sample{Header: c.(*cursor).header, Rows: c.(*cursor).sampled(f.known.rows), Whole: f.known.whole}
	return s, c.Close()
}

// sampled are rows as Next would give them.
func (c *cursor) sampled(rows [][]string) [][]string {
	if !c.defused {
		return rows
	}
	all := make([][]string, len(rows))
	for i, row := range rows {
		all[i] = make([]string, len(row))
		for at, text := range row {
			if !slices.Contains(c.own, at) {
				all[i][at] = c.restored(text)
			}
		}
	}
	return all
}

// Mark is the size and the time of the last change.
func (f *File) Mark() (string, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return "", f.explain(err)
	}
	return fmt.Sprintf("%d %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)), nil
}

// Written is when the file was last changed.
func (f *File) Written() (time.Time, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return time.Time{}, f.explain(err)
	}
	return info.ModTime(), nil
}

// Twice is true: a second pass over a file costs little.
func (f *File) Twice() bool { return true }

// explain names the file that may have been meant when there is none.
func (f *File) explain(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open %s: %w", f.Name(), err)
	}
	var names []string
	entries, _ := os.ReadDir(filepath.Dir(f.path))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if name := near.Name(f.Name(), names); name != "" {
		return fmt.Errorf("open %s: %w; did you mean %s?", f.path, fs.ErrNotExist, name)
	}
	return fmt.Errorf("open %s: %w", f.path, fs.ErrNotExist)
}
