package sources_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/sources"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
)

func arrived(a table.Arrival) string {
	money, at := "-", "-"
	if a.Amount != nil {
		money = a.Amount.String()
	}
	if !a.At.IsZero() {
		at = a.At.Format("2006-01-02T15:04")
	}
	if a.DayOnly {
		at += " day"
	}
	return strings.TrimSpace(fmt.Sprint(a.Order, " ", at, " ", money, " ", a.Currency))
}

func TestArrivals(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		file sources.ArrivalsFile
		want string
		bad  string
		err  string
	}{
		"names":                      {text: "order_id,received_at,total_value,currency\n007,2026-11-01 10:00:00,1.50,eur\n", want: "007 2026-11-01T09:00 1.5 EUR"},
		"one column":                 {text: "Transaction ID\nA-1\nA-2\n", want: "A-1 - -; A-2 - -"},
		"Dutch, by its signs":        {text: "Bestelnummer;Datum;Bedrag\n100;13-11-2026;1.234,50\n", want: "100 2026-11-12T23:00 day 1234.5"},
		"money with its sign":        {text: "order id,value\n1,\"€ 1,234.50\"\n", want: "1 - 1234.5"},
		"named columns":              {text: "a,b,c,order\n1,2026-11-01 10:00,5,9\n", file: sources.ArrivalsFile{OrderColumn: "A", DateColumn: "b", AmountColumn: "c"}, want: "1 2026-11-01T09:00 5"},
		"an instant":                 {text: "order_id,timestamp\n1,2026-11-01T10:00:00Z\n", want: "1 2026-11-01T10:00 -"},
		"no number":                  {text: "order_id,value\n,5\n2,6\n", want: "2 - 6", bad: "row 2, column order_id: the row has no order number"},
		"a number of a spreadsheet":  {text: "order_id,value\n1.23E+12,5\n2,6\n", want: "2 - 6", bad: "row 2, column order_id: looks like a number that a spreadsheet made"},
		"no amount":                  {text: "order_id,value\n1,ann@example.com\n2,6\n", want: "2 - 6", bad: "row 2, column value"},
		"no date":                    {text: "order_id,date\n1,soon\n2,2026-11-01\n", want: "2 2026-10-31T23:00 day -", bad: "others need --date-format"},
		"either form":                {text: "order_id,date\n1,1/2/2026\n", err: "set --date-format d/M/yyyy or --date-format M/d/yyyy"},
		"no such column":             {text: "order_id,date\n1,2026-11-01\n", file: sources.ArrivalsFile{AmountColumn: "Sum"}, err: "it has no column sum; it has: order_id, date; say which with --amount-column"},
		"no order":                   {text: "day,count\n2026-11-01,1\n", err: "say which with --order-column"},
		"a column that is a formula": {text: "=order id,order\n1,2\n", want: "2 - -"},
		"nothing":                    {text: "", err: "read the export export.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.file.Path, c.file.Zone = filepath.Join(dir, "export.csv"), config.Zone{Location: time.FixedZone("east", 3600)}
			if err := os.WriteFile(c.file.Path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			readArrivals(t, c.file, c.want, c.bad, c.err)
		})
	}
	t.Run("a workbook", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "export.xlsx")
		if err := xlsxfile.Create(path, "Orders", [][]any{{"Order ID", "Date", "Value"}, {"0100", time.Date(2026, 11, 1, 10, 30, 0, 0, time.UTC), 12.5}, {200, time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), 3}}); err != nil {
			t.Fatal(err)
		}
		readArrivals(t, sources.ArrivalsFile{Path: path, Zone: config.Zone{Location: time.UTC}}, "0100 2026-11-01T10:30 12.5; 200 2026-11-02T00:00 day 3", "", "")
	})
}

func readArrivals(t *testing.T, f sources.ArrivalsFile, want, bad, wrong string) {
	t.Helper()
	var rows []string
	got, err := (sources.Opener{StateDir: t.TempDir()}).Arrivals(t.Context(), f, func(a table.Arrival) error {
		rows = append(rows, arrived(a))
		return nil
	})
	if wrong != "" {
		if err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("error %v, want %s", err, wrong)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(rows, "; "); text != want {
		t.Errorf("read %q, want %q (columns %v)", text, want, got.Columns)
	}
	if got.Bad != len(got.Problems) || (bad == "") != (got.Bad == 0) || bad != "" && !strings.Contains(got.Problems[0].String(), bad) {
		t.Errorf("problems %v, want %q", got.Problems, bad)
	}
	for _, p := range got.Problems {
		if strings.Contains(p.String(), "ann@") {
			t.Errorf("an address: %s", p)
		}
	}
}
