// Package xlsxfile reads the rows of XLSX and XLSM workbooks one at a time,
// in memory that does not grow with the file. Cells are the texts that are
// stored: a date is its serial number, a formula its cached value. What cannot
// be trusted is an error or marked as such, never an empty cell.
//
// A workbook that was read can be written again with what became of each row
// ([File.WriteMarked]). What is added there is left out when it is read again.
package xlsxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"makegood/sources/table"
)

// All as the only one of [Options.Sheets] reads every sheet, hidden ones too.
const All = "all"

// Options say how a workbook is read. The zero value reads the first visible
// sheet that holds anything.
type Options struct {
	// Sheets names the sheets to read, in that order, hidden or not, whatever
	// the case of their letters; "#2" is the second sheet of the workbook.
	// Empty: the first visible one that has all columns that are wanted, or
	// else the first that holds anything. {All}: every one.
	Sheets []string
	// Password opens a protected workbook.
	Password string
	// HeaderRow is the row of the column names as a spreadsheet numbers it.
	// 0: of the first 100 filled rows the one with most of the names wanted;
	// where none has two of them, the first row with at least two filled
	// cells, or else the first row that holds anything.
	HeaderRow int
	// Wanted are names of columns, by which the header is known.
	Wanted []string
	// Decimal is the decimal sign of texts that are numbers; number cells are
	// given with it, too. "": '.', and texts that could be read either way
	// are marked.
	Decimal string
	// TmpDir is where large sheets are unpacked while they are read, made
	// with mode 0700 where it is missing; what a killed process left there is
	// removed. "": a folder of the system's temporary one.
	TmpDir string
}

// File is a workbook. It implements [table.File].
type File struct {
	path    string
	options Options
	layouts map[string]layout // of the sheets that were read to their ends
}

var (
	_ table.File     = (*File)(nil)
	_ table.Sampler  = (*File)(nil)
	_ table.Typed    = (*File)(nil)
	_ table.Markable = (*File)(nil)
)

// New names a workbook without touching it.
func New(path string, o Options) *File {
	if o.TmpDir == "" {
		o.TmpDir = filepath.Join(os.TempDir(), "makegood-xlsx")
	}
	return &File{path: path, options: o}
}

// Name is the base name of the workbook.
func (f *File) Name() string { return filepath.Base(f.path) }

// Open starts a pass over the rows of the chosen sheets. An error says in
// words what is wrong with the file; it wraps [ErrPassword], [ErrNoWorkbook],
// [ErrTooLarge], [ErrDamaged] or [ErrEmpty], or is a [*SheetError], where one
// of them fits.
func (f *File) Open(ctx context.Context) (table.Cursor, error) {
	c, err := f.open(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("open workbook %s: %w", f.Name(), err)
	}
	return c, nil
}

// sampleRows are enough to know the habits of a file.
const sampleRows = 2000

// Sample gives the texts of the first rows of the first sheet that is read.
func (f *File) Sample(ctx context.Context) (s table.Sample, err error) {
	s.Numbers = map[int]bool{}
	c, err := f.open(ctx, s.Numbers)
	if err != nil {
		return s, fmt.Errorf("open workbook %s: %w", f.Name(), err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	s.Header = c.Header()
	for len(s.Rows) < sampleRows {
		row, err := c.Next()
		switch {
		case errors.Is(err, io.EOF):
			s.Whole = true
			return s, nil
		case err != nil:
			return s, err
		case row.Header != s.Header:
			return s, nil
		}
		s.Rows = append(s.Rows, slices.Clone(row.Cells))
	}
	return s, nil
}

// UseDecimal says what is the decimal sign of texts where none is set: number
// cells are given with it, and texts are no longer marked.
func (f *File) UseDecimal(sign string) { f.options.Decimal = sign }

// Tabs are the names of the sheets that people see, in their order.
func (f *File) Tabs() (names []string, err error) {
	box, err := identify(f.path, f.options.Password)
	if err != nil {
		return nil, fmt.Errorf("open workbook %s: %w", f.Name(), err)
	}
	b, err := openBook(box, f.options.TmpDir)
	if err != nil {
		return nil, fmt.Errorf("open workbook %s: %w", f.Name(), err)
	}
	for _, s := range b.sheets {
		if !s.hidden {
			names = append(names, s.name)
		}
	}
	return names, b.close()
}

func (f *File) open(ctx context.Context, numbers map[int]bool) (*cursor, error) {
	box, err := identify(f.path, f.options.Password)
	if err != nil {
		return nil, err
	}
	b, err := openBook(box, f.options.TmpDir)
	if err != nil {
		return nil, err
	}
	c, err := newCursor(ctx, b, f, numbers)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return c, nil
}

// Mark is the size and the modification time of the file.
func (f *File) Mark() (string, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return "", fmt.Errorf("look at workbook %s: %w", f.Name(), err)
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano()), nil
}

// Written is when the workbook was last changed.
func (f *File) Written() (time.Time, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at workbook %s: %w", f.Name(), err)
	}
	return info.ModTime(), nil
}

// Twice is false: unpacking and parsing a workbook again costs as much as the
// first time.
func (f *File) Twice() bool { return false }
