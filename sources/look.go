package sources

import (
	"context"
	"fmt"
	"path/filepath"
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
	kind = "csv"
	var file table.Sampler = csvfile.New(path, config.Table{})
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".xlsx" || ext == ".xlsm" {
		kind, file = "xlsx", xlsxfile.New(path, xlsxfile.Options{TmpDir: filepath.Join(stateDir, "xlsx")})
	}
	sample, err := file.Sample(ctx)
	if err != nil {
		return kind, p, err
	}
	if sample.Header == nil || len(sample.Header.Columns) == 0 {
		return kind, p, fmt.Errorf("look at %s: it has no row that names columns", filepath.Base(path))
	}
	return kind, proposal.Of(sample), nil
}
