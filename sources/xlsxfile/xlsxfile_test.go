package xlsxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"makegood/sources/internal/spill"
	"makegood/sources/table"
)

var _ table.File = (*File)(nil)

// grid is what a test puts into a sheet, row by row.
type grid [][]any

// save writes a workbook and gives its path. The first sheet is Sheet1.
func save(t *testing.T, change func(f *excelize.File), o ...excelize.Options) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	change(f)
	path := filepath.Join(t.TempDir(), "orders.xlsx")
	if err := f.SaveAs(path, o...); err != nil {
		t.Fatal(err)
	}
	return path
}

func put(f *excelize.File, sheet string, rows grid) {
	for i, row := range rows {
		if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			panic(err)
		}
	}
}

func sheet1(rows grid) func(f *excelize.File) {
	return func(f *excelize.File) { put(f, "Sheet1", rows) }
}

// read gives all rows of a workbook as "sheet number: cells", and the notes.
// It proves that nothing is left unpacked.
func read(t *testing.T, path string, o Options) (rows, notes []string, err error) {
	t.Helper()
	if o.TmpDir == "" {
		o.TmpDir = filepath.Join(t.TempDir(), "unpacked")
	}
	defer func() {
		if left, _ := os.ReadDir(o.TmpDir); len(left) > 0 {
			t.Errorf("%d files were left unpacked", len(left))
		}
	}()
	c, err := New(path, o).Open(t.Context())
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := c.Next()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			for _, note := range c.Notes() {
				text, ok := strings.CutPrefix(note, filepath.Base(path)+": ")
				if notes = append(notes, text); !ok {
					t.Errorf("the note %q does not say on which file", note)
				}
			}
			return rows, notes, errors.Join(err, c.Close())
		}
		if len(row.Cells) != len(row.Header.Columns) {
			t.Errorf("row %d has %d cells under %d columns", row.Number, len(row.Cells), len(row.Header.Columns))
		}
		rows = append(rows, fmt.Sprintf("%s %d: %s", row.Header.Sheet, row.Number, strings.Join(row.Cells, "|")))
	}
}

func TestSheets(t *testing.T) {
	path := save(t, func(f *excelize.File) {
		for _, name := range []string{"Secret", "Orders", "More"} {
			f.NewSheet(name)
		}
		f.SetSheetVisible("Secret", false)
		put(f, "Secret", grid{{"id", "sku"}, {"S1", "a"}})
		put(f, "Orders", grid{{"id", "sku"}, {"O1", "b"}})
		put(f, "More", grid{{"id", "sku"}, {"M1", "c"}})
	})
	for name, test := range map[string]struct {
		sheets      []string
		rows, notes string
	}{
		"first that holds anything": {nil, "Orders 2: O1|b", `not read: sheet "Sheet1", sheet "Secret" (hidden), sheet "More"`},
		"by name":                   {[]string{"more", "Orders"}, "More 2: M1|c, Orders 2: O1|b", `not read: sheet "Sheet1", sheet "Secret" (hidden)`},
		"by position":               {[]string{"#4", "#3"}, "More 2: M1|c, Orders 2: O1|b", `not read: sheet "Sheet1", sheet "Secret" (hidden)`},
		"hidden by name":            {[]string{"Secret"}, "Secret 2: S1|a", `sheet "Secret" is hidden, and was read; not read: sheet "Sheet1", sheet "Orders", sheet "More"`},
		"all":                       {[]string{All}, "Secret 2: S1|a, Orders 2: O1|b, More 2: M1|c", `sheet "Secret" is hidden, and was read; not read: sheet "Sheet1"`},
	} {
		rows, notes, err := read(t, path, Options{Sheets: test.sheets})
		if got := strings.Join(rows, ", "); err != nil || got != test.rows {
			t.Errorf("%s: rows %q, error %v; want %q", name, got, err, test.rows)
		}
		if got := strings.Join(notes, "; "); got != test.notes {
			t.Errorf("%s: notes %q, want %q", name, got, test.notes)
		}
	}
	strange := save(t, func(f *excelize.File) {
		f.NewSheet("Orders")
		put(f, "Sheet1", grid{{"notes", "by"}, {"checked", "kim"}})
		put(f, "Orders", grid{{"id", "sku"}, {"O1", "b"}})
	})
	rows, notes, err := read(t, strange, Options{Sheets: []string{All}, Wanted: []string{"id", "sku"}})
	if fmt.Sprint(rows) != "[Orders 2: O1|b]" || err != nil || !strings.Contains(strings.Join(notes, ";"), `sheet "Sheet1" has none of the columns, and was left out`) {
		t.Errorf("a sheet of notes among all: %q, notes %q, error %v", rows, notes, err)
	}
	if rows, _, err := read(t, strange, Options{Sheets: []string{All}, Wanted: []string{"id", "by", "sku"}}); err != nil || len(rows) != 2 {
		t.Errorf("no sheet has all columns: %q, error %v", rows, err)
	}
	_, _, err = read(t, path, Options{Sheets: []string{"Ordres"}})
	var missing *SheetError
	if !errors.As(err, &missing) || missing.Nearest != "Orders" || !strings.Contains(err.Error(), `"Sheet1", "Secret", "Orders", "More"`) {
		t.Errorf("missing sheet: error %v", err)
	}
}

func TestHeader(t *testing.T) {
	titled := grid{{"Export of 1 November"}, {}, {" "}, {"id", "", "sku"}, {"O1", "x", "a"}, {}, {"O2"}, {"O3", nil, "c", "remark"}}
	for name, test := range map[string]struct {
		rows        grid
		header      int
		want, notes string
	}{
		"found under a title": {titled, 0, "5: O1|x|a, 7: O2||, 8: O3||c", "the header is row 4; 1 filled rows above it were not read, " +
			"columns right of the header were not read; the first with content there is row 8"},
		"as told":    {titled, 5, "7: O2||, 8: O3||c", "columns right of the header were not read; the first with content there is row 8"},
		"one column": {grid{{}, {"id"}, {"O1"}, {"O2"}}, 0, "3: O1, 4: O2", ""},
		"only one":   {grid{{"id", "sku"}}, 0, "", ""},
	} {
		rows, notes, err := read(t, save(t, sheet1(test.rows)), Options{HeaderRow: test.header})
		if got := strings.ReplaceAll(strings.Join(rows, ", "), "Sheet1 ", ""); err != nil || got != test.want {
			t.Errorf("%s: rows %q, error %v; want %q", name, got, err, test.want)
		}
		if got := strings.ReplaceAll(strings.Join(notes, ", "), `sheet "Sheet1": `, ""); got != test.notes {
			t.Errorf("%s: notes %q, want %q", name, got, test.notes)
		}
	}
	if _, _, err := read(t, save(t, sheet1(titled)), Options{HeaderRow: 2}); err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("an empty row as header: error %v", err)
	}
}

// Columns of one name are passed on: whether they matter is known where they
// are mapped.
func TestHeaderWithoutRows(t *testing.T) {
	c, err := New(save(t, sheet1(grid{{"id", "price"}})), Options{TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h := c.(table.Headed).Header(); !slices.Equal(h.Columns, []string{"id", "price"}) {
		t.Errorf("the header is %v", h.Columns)
	}
	if _, err := c.Next(); err != io.EOF {
		t.Errorf("a row follows: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestEqualColumns(t *testing.T) {
	c, err := New(save(t, sheet1(grid{{"id", "id", "sku"}, {"1", "2", "3"}})), Options{TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	row, err := c.Next()
	if want := []string{"id", "id", "sku"}; err != nil || !slices.Equal(row.Header.Columns, want) || row.Header.File != "orders.xlsx" {
		t.Errorf("header %+v, error %v; want columns %q", row.Header, err, want)
	}
}

func TestGap(t *testing.T) {
	far := func(row int) func(*excelize.File) {
		return func(f *excelize.File) {
			put(f, "Sheet1", grid{{"id", "sku"}, {"O1", "a"}})
			f.SetCellValue("Sheet1", fmt.Sprintf("A%d", row), "O2")
		}
	}
	rows, notes, err := read(t, save(t, far(10_002)), Options{})
	if want := []string{"Sheet1 2: O1|a", "Sheet1 10002: O2|"}; err != nil || !slices.Equal(rows, want) || len(notes) > 0 {
		t.Errorf("9,999 blank rows: rows %q, notes %q, error %v; want %q", rows, notes, err, want)
	}
	if testing.Short() {
		return
	}
	rows, notes, err = read(t, save(t, far(1_048_576)), Options{})
	if err != nil || len(rows) != 2 || len(notes) != 1 || !strings.Contains(notes[0], "rows 3 to 1048575 are blank; what stands below was read") {
		t.Errorf("a million blank rows: rows %q, notes %q, error %v", rows, notes, err)
	}
}

// Numbers and texts that the library writes come back as a person sees them.
func TestCells(t *testing.T) {
	path := save(t, func(f *excelize.File) {
		put(f, "Sheet1", grid{{"v", "w"}, {2.55, "2.55"}, {0.1 + 0.2, true}, {"  1E-3x ", "007"}})
		f.SetCellFormula("Sheet1", "A5", "SUM(A2:A3)")
		f.SetCellDefault("Sheet1", "B5", "2.5499999999999998")
		f.SetCellDefault("Sheet1", "A6", "1.9143E+18")
		f.SetCellDefault("Sheet1", "B6", "4.440892E-16")
	})
	rows, _, err := read(t, path, Options{})
	want := []string{"Sheet1 2: 2.55|2.55", "Sheet1 3: 0.3|1", "Sheet1 4:   1E-3x |007", "Sheet1 5: |2.55",
		"Sheet1 6: 1.9143E+18|0.0000000000000004440892"}
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, error %v; want %q", rows, err, want)
	}
}

func TestPlain(t *testing.T) {
	for cell, want := range map[string]string{
		"2.5499999999999998":                   "2.55",
		"-2.5499999999999998":                  "-2.55",
		"0.30000000000000004":                  "0.3",
		"1234567.8900000001":                   "1234567.89",
		"0.1000000000000000055511151231257827": "0.1", // the float64 in full
		"1E-3":                                 "0.001",
		"-1.5e-05":                             "-0.000015",
		"9.9999999999999995E-7":                "0.000001",
		"4.440892E-16":                         "0.0000000000000004440892",
		"1.9143E+18":                           "1.9143E+18",
		"1E5":                                  "1E5",
		"12E-3":                                "12E-3", // a text: numbers are stored with one digit before the point
		"0E-3":                                 "0E-3",
		"536365":                               "536365",
		"12345678901234567890":                 "12345678901234567890",
		"2.55":                                 "2.55",
		"2.550":                                "2.550",
		"1.2345678901234567":                   "1.23456789012346",
		"1.23456789012345678901":               "1.23456789012345678901", // no float64 has these digits
		"00012.5":                              "00012.5",
		"1.2.3":                                "1.2.3",
		"1.":                                   "1.",
		"1E-":                                  "1E-",
		"1E-3a":                                "1E-3a",
		"85123A":                               "85123A",
		"":                                     "",
		"-":                                    "-",
		"2026-11-01":                           "2026-11-01",
	} {
		if got := plain(cell); got != want {
			t.Errorf("plain(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestSerial(t *testing.T) {
	for _, test := range []struct {
		days   float64
		is1904 bool
		want   string
	}{
		{40513.3513888889, false, "2010-12-01 08:26:00"},
		{40886.5347222222, false, "2011-12-09 12:50:00"},
		{46326.999994212961, false, "2026-10-31 23:59:59"},
		{46326.999999, false, "2026-11-01 00:00:00"},
		{46327, false, "2026-11-01 00:00:00"},
		{1, false, "1900-01-01 00:00:00"},
		{61.5, false, "1900-03-01 12:00:00"},
		{42735, true, "2021-01-01 00:00:00"},
		{0, true, "1904-01-01 00:00:00"},
		{2958465.5, false, "9999-12-31 12:00:00"},
	} {
		got, err := (&book{is1904: test.is1904}).serial(test.days)
		if err != nil || got.Format(time.DateTime) != test.want || got.Nanosecond() != 0 {
			t.Errorf("serial(%v), 1904 %v = %v, error %v; want %s", test.days, test.is1904, got, err, test.want)
		}
	}
	for _, days := range []float64{-1, 2958466, 1e300} {
		if got, err := new(book).serial(days); err == nil {
			t.Errorf("serial(%v) = %v, want an error", days, got)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := New(save(t, sheet1(many(100))), Options{TmpDir: t.TempDir()}).Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: error %v, want context.Canceled", err)
	}
	if _, err := c.Next(); err != io.EOF {
		t.Errorf("after the error: %v, want io.EOF", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// What a killed process left unpacked goes, what a living one uses stays.
func TestSpill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "unpacked")
	alive, err := spill.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Remove()
	dead := filepath.Join(dir, "dead") // a lock that nobody holds is beside it
	if err := errors.Join(os.Mkdir(dead, 0o700), os.WriteFile(dead+".lock", nil, 0o600),
		os.WriteFile(filepath.Join(dead, "excelize-1"), []byte("rows"), 0o600)); err != nil {
		t.Fatal(err)
	}
	path := save(t, sheet1(many(3000)))
	c, err := New(path, Options{TmpDir: dir}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of a dead process is still there (%v)", err)
	}
	if _, err := os.Stat(alive.Dir); err != nil {
		t.Errorf("the folder of a living process is gone: %v", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, error %v; want 0700", info.Mode(), err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("left are %q, want only the folder in use and its lock", left)
	}
}

func TestCatch(t *testing.T) {
	err := func() (err error) {
		defer catch(&err)
		var none []int
		_ = none[len(none)]
		return nil
	}()
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("a panic gave %v, want ErrDamaged", err)
	}
}

func TestMark(t *testing.T) {
	f := New(write(t, "a.xlsx", []byte("one")), Options{})
	before, err := f.Mark()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path, []byte("one two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := f.Mark(); err != nil || after == before {
		t.Errorf("marks %q and %q, error %v: want two", before, after, err)
	}
}
