package sources

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/csvfile"
	"makegood/sources/proposal"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
)

// ArrivalsFile is a platform's export of the orders that it has, a CSV or XLSX
// table with one of them in each row. The columns and DateFormat are found out
// where they are empty; Zone is where times are read.
type ArrivalsFile struct {
	Path, OrderColumn, DateColumn, AmountColumn, DateFormat string
	Zone                                                    config.Zone
}

// ArrivalsRead is how an export was read.
type ArrivalsRead struct {
	Columns  map[string]string // of order, at, total and currency, as far as there are any
	Problems []reconcile.RowProblem
	Bad      int // rows that could not be read
	Notes    []string
}

// What the columns of such exports are called, without their signs: the first
// that is there counts. What they lack is guessed as for a source.
var arrivalNames = map[string][]string{
	"order":    strings.Fields("orderid ordernumber ordernr orderno transactionid transaction purchaseid conversionid confirmationnumber order bestelnummer bestellnummer"),
	"at":       strings.Fields("receivedat createdat eventtime eventdate conversiontime conversiondate orderdate purchasedate transactiondate timestamp datetime date time day datum dag tag"),
	"total":    strings.Fields("totalvalue ordervalue ordertotal conversionvalue purchasevalue total value revenue amount totalprice bedrag betrag omzet umsatz"),
	"currency": strings.Fields("currency currencycode valuta waehrung"),
}

// Arrivals calls do with each row of an export. Rows that cannot be read are named, and the rest
// goes on.
func (o Opener) Arrivals(ctx context.Context, f ArrivalsFile, do func(table.Arrival) error) (got ArrivalsRead, err error) {
	fail := func(err error) (ArrivalsRead, error) {
		return got, fmt.Errorf("read the export %s: %w", filepath.Base(f.Path), err)
	}
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return fail(err)
	}
	kind := "csv"
	var sampler table.Sampler = csvfile.New(path, config.Table{})
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".xlsx" || ext == ".xlsm" {
		kind, sampler = "xlsx", xlsxfile.New(path, xlsxfile.Options{TmpDir: filepath.Join(o.StateDir, "xlsx")})
	}
	sample, err := sampler.Sample(ctx)
	if err == nil && (sample.Header == nil || len(sample.Header.Columns) == 0) {
		err = errors.New("it has no row that names columns")
	}
	if err == nil {
		got.Columns, err = f.columns(sample)
	}
	if err != nil {
		return fail(err)
	}
	t := &config.Table{Type: kind, Path: path, DateFormat: f.DateFormat, Zone: &f.Zone}
	var wanted []string
	for _, column := range got.Columns {
		wanted = append(wanted, column)
	}
	slices.Sort(wanted)
	files, err := (&rows{name: "export", table: t, opener: o, wanted: wanted}).files(ctx, reconcile.Window{})
	if err != nil {
		return fail(err)
	}
	got.Notes, err = table.ReadArrivals(ctx, t, got.Columns, files, func(p reconcile.RowProblem) {
		if got.Bad++; len(got.Problems) < maxCountProblems {
			got.Problems = append(got.Problems, p)
		}
	}, do)
	if errors.Is(err, table.ErrAmbiguous) {
		return got, fmt.Errorf("read the export: %s", strings.ReplaceAll(err.Error(), "date_format:", "--date-format"))
	}
	if err != nil {
		return fail(err)
	}
	return got, nil
}

// columns finds the columns by their names, and then by what stands in them.
func (f ArrivalsFile) columns(sample table.Sample) (map[string]string, error) {
	there := sample.Header.Columns
	found, guessed := map[string]string{}, map[string]string{}
	for _, c := range proposal.Of(sample).Columns {
		if !strings.HasPrefix(c.From, "=") {
			guessed[c.Name] = c.From
		}
	}
	guessed["at"] = guessed["completed_at"]
	for _, one := range []struct{ field, wanted, flag string }{
		{"order", f.OrderColumn, "--order-column"}, {"at", f.DateColumn, "--day-column"}, {"total", f.AmountColumn, "--amount-column"}, {"currency", "", ""},
	} {
		if one.wanted != "" {
			column, err := named(one.wanted, one.flag, nil, there)
			if err != nil {
				return nil, err
			}
			found[one.field] = column
			continue
		}
		for _, name := range arrivalNames[one.field] {
			at := slices.IndexFunc(there, func(column string) bool { // one that begins with = would be an expression
				return lettersOf(column) == name && !strings.HasPrefix(strings.TrimSpace(column), "=")
			})
			if at >= 0 {
				found[one.field] = strings.TrimSpace(there[at])
				break
			}
		}
		if found[one.field] == "" && guessed[one.field] != "" && !inUse(found, guessed[one.field]) {
			found[one.field] = guessed[one.field]
		}
	}
	if found["order"] == "" {
		_, err := named("", "--order-column", []string{"order_id", "order number", "transaction id", "order"}, there)
		return nil, err
	}
	return found, nil
}

func inUse(found map[string]string, column string) bool {
	for _, c := range found {
		if c == column {
			return true
		}
	}
	return false
}

// lettersOf gives the letters and digits of a column's name, in lower case.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
