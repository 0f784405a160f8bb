package sources

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/csvfile"
	"makegood/sources/table"
)

// CountsFile is a CSV file with a platform's counts by day. DayColumn,
// CountColumn and DateFormat are found out where they are empty; Zone is where
// days with a time of day are read.
type CountsFile struct {
	Path, DayColumn, CountColumn, DateFormat string
	Zone                                     config.Zone
}

// DayCounts are what a file of counts holds.
type DayCounts struct {
	Days     []table.DayCount
	Problems []reconcile.RowProblem // of rows that could not be read, at most 100
	Bad      int
	Notes    []string // how the file was read
}

// maxCountProblems bounds how many bad rows are named.
const maxCountProblems = 100

// What the columns are called, by what people and platforms write: the first
// that is there counts.
var (
	dayNames   = []string{"day", "date", "datum", "dag", "tag", "jour", "fecha"}
	countNames = []string{"count", "purchases", "orders", "conversions", "transactions", "events", "number", "total", "aantal", "anzahl"}
)

// Read reads the file. Rows that cannot be read are named, and the rest goes on.
func (c CountsFile) Read(ctx context.Context) (got DayCounts, err error) {
	t := config.Table{Type: "csv", Path: c.Path, DateFormat: c.DateFormat, Zone: &c.Zone}
	columns, err := c.columns(ctx)
	if err != nil {
		return got, fmt.Errorf("read the counts %s: %w", filepath.Base(c.Path), err)
	}
	file := csvfile.New(c.Path, t, columns["at"], columns["count"])
	got.Days, got.Notes, err = table.ReadDayCounts(ctx, &t, columns, []table.File{file}, func(p reconcile.RowProblem) {
		if got.Bad++; len(got.Problems) < maxCountProblems {
			got.Problems = append(got.Problems, p)
		}
	})
	switch {
	case errors.Is(err, table.ErrAmbiguous):
		return got, fmt.Errorf("read the counts: %s", strings.ReplaceAll(err.Error(), "date_format:", "--date-format"))
	case err != nil:
		return got, fmt.Errorf("read the counts %s: %w", filepath.Base(c.Path), err)
	case len(got.Days) == 0 && got.Bad == 0:
		return got, fmt.Errorf("read the counts %s: there is a header and no row", filepath.Base(c.Path))
	}
	return got, nil
}

// columns finds the two columns by their names.
func (c CountsFile) columns(ctx context.Context) (map[string]string, error) {
	sample, err := csvfile.New(c.Path, config.Table{}).Sample(ctx)
	if err != nil {
		return nil, err
	}
	if sample.Header == nil {
		return nil, errors.New("it has no row that names columns")
	}
	there := sample.Header.Columns
	day, err := named(c.DayColumn, "--day-column", dayNames, there)
	if err != nil {
		return nil, err
	}
	count, err := named(c.CountColumn, "--count-column", countNames, there)
	if err != nil {
		return nil, err
	}
	return map[string]string{"at": day, "count": count}, nil
}

// named is the column that a person named, or the one with a usual name.
func named(wanted, flag string, usual, there []string) (string, error) {
	list := usual
	if wanted != "" {
		list = []string{strings.ToLower(wanted)}
	}
	for _, name := range list {
		is := func(column string) bool { return strings.ToLower(strings.TrimSpace(column)) == name }
		if at := slices.IndexFunc(there, is); at >= 0 {
			return strings.TrimSpace(there[at]), nil
		}
	}
	text := fmt.Sprintf("it has no column %s", strings.Join(list, ", "))
	if len(list) > 1 {
		text = "it has no column with a name such as " + strings.Join(list[:4], ", ")
	}
	return "", fmt.Errorf("%s; it has: %s; say which with %s", text, strings.Join(there[:min(len(there), 20)], ", "), flag)
}
