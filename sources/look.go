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
	proposal.Proposal
}

// See is Look with the first rows, at most so many.
func See(ctx context.Context, path, stateDir string, most int) (seen Seen, err error) {
	_, file := undescribed(path, stateDir)
	sample, err := headed(ctx, file)
	if err != nil {
		return seen, err
	}
	seen.Columns, seen.Proposal = sample.Header.Columns, proposal.Of(sample)
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
	return seen, nil
}

// sampled is a file with a sample.
type sampled interface {
	table.File
	table.Sampler
}

func undescribed(path, stateDir string) (kind string, file sampled) {
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".xlsx" || ext == ".xlsm" {
		return "xlsx", xlsxfile.New(path, xlsxfile.Options{TmpDir: filepath.Join(stateDir, "xlsx")})
	}
	return "csv", csvfile.New(path, config.Table{})
}

// headed gives the sample of a file whose columns have names.
func headed(ctx context.Context, file sampled) (table.Sample, error) {
	sample, err := file.Sample(ctx)
	if err == nil && (sample.Header == nil || len(sample.Header.Columns) == 0) {
		err = fmt.Errorf("look at %s: it has no row that names columns", file.Name())
	}
	return sample, err
}
