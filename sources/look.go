package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"makegood/config"
	"makegood/sources/csvfile"
	"makegood/sources/proposal"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
)

// Look reads the first rows of a file that no configuration describes, and
// proposes how to read it. kind is csv or xlsx, by what the name ends in.
func Look(ctx context.Context, path, stateDir string) (kind string, p proposal.Proposal, err error) {
	kind, file := undescribed(path, stateDir)
	sample, err := headed(ctx, file)
	if err != nil {
		return kind, p, err
	}
	return kind, proposal.Of(sample), nil
}

// Seen is what a file that no configuration describes shows.
type Seen struct {
	Columns []string
	Rows    []table.Row // the first ones
	// Notes say how the file was read, and Sheets are the tabs of a workbook.
	// Sheet is the one that was read.
	Notes  []string
	Sheets []string
	Sheet  string
	proposal.Proposal
}

// Reading is how somebody says that a file is to be read; what is left empty is
// found out.
type Reading struct {
	Sheet               string
	HeaderRow           int
	Encoding, Delimiter string
}

// See is Look with the first rows, at most so many, of a file that is read as
// somebody said.
func See(ctx context.Context, path, stateDir string, how Reading, most int) (seen Seen, err error) {
	file := read(path, stateDir, how)
	if book, is := file.(*xlsxfile.File); is {
		if seen.Sheets, err = book.Tabs(); err != nil {
			return seen, err
		}
	}
	sample, err := headed(ctx, file)
	if err != nil {
		return seen, err
	}
	seen.Columns, seen.Sheet, seen.Proposal = sample.Header.Columns, sample.Header.Sheet, proposal.Of(sample)
	rows, err := file.Open(ctx)
	if err != nil {
		return seen, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for len(seen.Rows) < most {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return seen, err
		}
		row.Cells = slices.Clone(row.Cells)
		seen.Rows = append(seen.Rows, row)
	}
	seen.Notes = rows.Notes()
	return seen, nil
}

// sampled is a file with a sample.
type sampled interface {
	table.File
	table.Sampler
}

func undescribed(path, stateDir string) (kind string, file sampled) {
	if isBook(path) {
		kind = "xlsx"
	} else {
		kind = "csv"
	}
	return kind, read(path, stateDir, Reading{})
}

func isBook(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".xlsx" || ext == ".xlsm"
}

// read is a file that is read as somebody said.
func read(path, stateDir string, how Reading) sampled {
	if !isBook(path) {
		return csvfile.New(path, config.Table{HeaderRow: how.HeaderRow, Encoding: how.Encoding, Delimiter: how.Delimiter})
	}
	o := xlsxfile.Options{TmpDir: filepath.Join(stateDir, "xlsx"), HeaderRow: how.HeaderRow}
	if how.Sheet != "" {
		o.Sheets = []string{how.Sheet}
	}
	return xlsxfile.New(path, o)
}

// headed gives the sample of a file whose columns have names.
func headed(ctx context.Context, file sampled) (table.Sample, error) {
	sample, err := file.Sample(ctx)
	if err == nil && (sample.Header == nil || len(sample.Header.Columns) == 0) {
		err = fmt.Errorf("look at %s: it has no row that names columns", file.Name())
	}
	return sample, err
}
