// Package table turns rows into heads and orders: it maps columns, reads
// types, groups the lines of an order that are scattered over files, and
// names every bad row. Where the rows come from (CSV, XLSX, SQL) is the
// business of the packages beside it.
package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Row is one row of a file, a sheet or a query. Cells has one text per column
// of its header, "" for what is missing; it is valid only until the next row.
// Texts are as they stand there: trimming, numbers and dates are read here.
type Row struct {
	Header *Header
	Number int // as a person sees it: the first row of a file is 1
	Cells  []string
	// Problem says in words what is wrong with the whole row (too many cells,
	// an open quote); "" when nothing is. The row makes its order bad.
	Problem string
	// Faults are the cells that must not be read as what they seem to be. Each
	// that is mapped makes its order bad.
	Faults []Fault
	// Untouched says that the row stands among rows to fix alone, and is as
	// makegood wrote it there.
	Untouched bool
	// Aside says that the row is none of the file's own: it counts for its
	// order, and is not marked.
	Aside bool
}

// Header names the columns of one sheet, file or query.
type Header struct {
	File    string // as people know it: the base name, or the source's name for a query
	Sheet   string // "" where there are none
	Columns []string
	// Serial converts a serial date number of a workbook to a wall-clock time
	// (its location is UTC and means nothing), rounded to the second. nil
	// where the format has none.
	Serial func(days float64) (time.Time, error)
	// Read are the columns that the source reads, set by it for the header
	// that is known before the first row; nil: they are not known.
	Read []int
	// Alone is how the table was read whose rows to fix these are; nil where
	// they are not rows to fix alone.
	Alone *Habits
}

// cell names the cell of a column in a workbook; "" where nobody counts in
// cells, and for what is no column.
func (h *Header) cell(column string, row int) string {
	if h.Sheet == "" || column == "" {
		return ""
	}
	at := slices.IndexFunc(h.Columns, func(name string) bool { return clean(name) == column })
	if at < 0 {
		return ""
	}
	return CellName(at, row)
}

// Cursor walks the rows of one File once.
type Cursor interface {
	// Next gives the next row, or io.EOF. Any other error ends the file.
	Next() (Row, error)
	// Notes says what a person should know of how the file was read (a sheet
	// that is hidden, rows after a gap); complete after io.EOF.
	Notes() []string
	Close() error
}

// ErrLost is wrapped by a cursor whose rows come over a connection that broke.
// Nothing is wrong with what was asked: the pass may begin anew.
var ErrLost = errors.New("the connection was lost")

// File is one thing that holds rows.
type File interface {
	// Name is how people know it.
	Name() string
	// Open starts a pass over its rows. An error says what is wrong with the
	// file in words: missing, empty, password-protected, no workbook, a
	// wanted sheet that is not there (with those that are).
	Open(ctx context.Context) (Cursor, error)
	// Mark changes when the content may have changed: size and modification
	// time. It is compared between the two passes.
	Mark() (string, error)
	// Twice reports whether a second pass costs little and gives the same
	// rows. Where it is false the first pass spools its lines.
	Twice() bool
}

// Dated is an optional interface of a File: when its content was last written.
type Dated interface {
	Written() (time.Time, error)
}

// Fault says that a cell cannot be trusted, though its text looks like one.
type Fault struct {
	At   int    // of the cell
	Text string // what is wrong, behind the cell's value or alone
	For  Use    // where it matters
}

// Use is what a cell is read as.
type Use int

const (
	AnyUse   Use = iota // it cannot be trusted at all
	AsNumber            // not as a number
	AsID                // not as an id
)

// CellName is how spreadsheets name the cell in a column, counted from 0, and
// a row: "F12".
func CellName(column, row int) string {
	var name []byte
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		name = append(name, byte('A'+(n-1)%26))
	}
	slices.Reverse(name)
	return string(strconv.AppendInt(name, int64(row), 10))
}

// inOne makes one note of those that say the same of several files.
func inOne(notes []string, files []File) []string {
	if len(files) < 2 {
		return notes
	}
	type about struct {
		file string
		more int
	}
	said, texts, names := map[string]*about{}, []string{}, map[string]bool{}
	for _, f := range files {
		names[f.Name()] = true
	}
	for _, note := range notes {
		name := beginning(note, names)
		text := note[len(name):]
		switch a := said[text]; {
		case a == nil:
			said[text], texts = &about{file: name}, append(texts, text)
		case name != "" && name != a.file:
			a.more++
		}
	}
	for i, text := range texts {
		a := said[text]
		if texts[i] = a.file + text; a.more > 0 {
			texts[i] = fmt.Sprintf("%s and %d more: %s", a.file, a.more, strings.TrimLeft(text, ": "))
		}
	}
	return texts
}

// beginning is the name that a note begins with, "" when it is none.
func beginning(note string, names map[string]bool) (name string) {
	for i, r := range note {
		if (r == ' ' || r == ':') && names[note[:i]] {
			name = note[:i]
		}
	}
	return name
}
