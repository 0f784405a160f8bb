package sources_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"makegood/config"
	"makegood/sources/sftptest"
	"makegood/sources/table"
)

// givenBack is a workbook as it came back with marks; orders 536366 and 536368
// are to be fixed.
func givenBack(t *testing.T, change func(*excelize.File), headerRow int) string {
	t.Helper()
	b := excelize.NewFile()
	defer b.Close()
	names := strings.Split(strings.TrimSpace(csvHead), ",")
	row := 1
	put := func(sheet string, cells ...any) {
		if err := b.SetSheetRow(sheet, "A"+strconv.Itoa(row), &cells); err != nil {
			t.Fatal(err)
		}
		row++
	}
	if err := b.SetSheetName("Sheet1", "Sales"); err != nil {
		t.Fatal(err)
	}
	for row < max(headerRow, 1) {
		put("Sales", "a title")
	}
	put("Sales", any(names[0]), names[1], names[2], names[3], names[4], names[5], names[6], names[7])
	for i, order := range []string{"536365", "536366", "536367", "536366", "536368"} {
		put("Sales", order, "A"+strconv.Itoa(i), "=SUM(A1)", 1, "2011-01-02 10:00", 2.5, "12347", "x")
	}
	if _, err := b.NewSheet("Other"); err != nil {
		t.Fatal(err)
	}
	row = 1
	put("Other", "nothing", "here")
	path := filepath.Join(t.TempDir(), "orders.xlsx")
	if err := b.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	cfg := bookSource(t, path, config.Sheets{}, headerRow)
	dir := t.TempDir()
	if list := mark(t, read(t, cfg), dir, fixEven); list[0].Err != nil || list[0].ToFix != 3 {
		t.Fatalf("%+v", list)
	}
	path = filepath.Join(dir, "orders.xlsx")
	again, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	change(again)
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	return path
}

func bookSource(t *testing.T, path string, sheets config.Sheets, headerRow int) *config.Source {
	cfg := retail(t, path)
	cfg.Type, cfg.Sheet, cfg.HeaderRow = "xlsx", sheets, headerRow
	return cfg
}

// correctAll corrects each row of sheets with rows to fix, of those that are there.
func correctAll(t *testing.T, b *excelize.File, sheets ...string) {
	t.Helper()
	for _, sheet := range sheets {
		rows, _ := b.GetRows(sheet)
		for i := range rows[min(1, len(rows)):] {
			if err := b.SetCellValue(sheet, "B"+strconv.Itoa(i+2), "right"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestGivenBack: what makegood wrote is not read; the rows to fix are read where
// they are all that is left, whatever sheets are wanted and however they are
// called by now.
func TestGivenBack(t *testing.T) {
	whole := map[string]int{"536365": 1, "536366": 2, "536367": 1, "536368": 1}
	fixes := map[string]int{"536366": 2, "536368": 1}
	keep := func(*excelize.File) {}
	drop := func(names ...string) func(*excelize.File) {
		return func(b *excelize.File) {
			for _, name := range names {
				if err := b.DeleteSheet(name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	dropUntouched := drop
	drop = func(names ...string) func(*excelize.File) {
		return func(b *excelize.File) {
			correctAll(t, b, "Rows to fix", "corrected")
			dropUntouched(names...)(b)
		}
	}
	rename := func(b *excelize.File) {
		if err := b.SetSheetName("Rows to fix", "corrected"); err != nil {
			t.Fatal(err)
		}
	}
	first := func(b *excelize.File) {
		if err := b.MoveSheet("Rows to fix", "Sales"); err != nil {
			t.Fatal(err)
		}
	}
	sales := config.Sheets{Pick: []config.Sheet{{Name: "Sales"}}}
	number := config.Sheets{Pick: []config.Sheet{{Number: 1}}}
	for name, c := range map[string]struct {
		change    func(*excelize.File)
		sheets    config.Sheets
		headerRow int
		want      map[string]int
	}{
		"whole":                   {keep, config.Sheets{}, 0, whole},
		"whole, by name":          {keep, sales, 0, whole},
		"whole, by number":        {keep, number, 0, whole},
		"whole, all":              {keep, config.Sheets{All: true}, 0, whole},
		"whole, renamed, all":     {rename, config.Sheets{All: true}, 0, whole},
		"whole, moved":            {first, config.Sheets{}, 0, whole},
		"whole, header row":       {keep, config.Sheets{}, 3, whole},
		"fixes":                   {drop("Sales", "Other", "Summary"), config.Sheets{}, 0, fixes},
		"fixes, by name":          {drop("Sales", "Other", "Summary"), sales, 0, fixes},
		"fixes, by number":        {drop("Sales", "Other", "Summary"), number, 0, fixes},
		"fixes, all":              {drop("Sales", "Other", "Summary"), config.Sheets{All: true}, 0, fixes},
		"fixes with the summary":  {drop("Sales", "Other"), config.Sheets{All: true}, 0, fixes},
		"fixes with another":      {drop("Sales"), config.Sheets{}, 0, fixes},
		"fixes, header row":       {drop("Sales", "Other", "Summary"), config.Sheets{}, 3, fixes},
		"fixes, renamed, by name": {func(b *excelize.File) { rename(b); drop("Sales", "Other", "Summary")(b) }, sales, 0, fixes},
	} {
		t.Run(name, func(t *testing.T) {
			path := givenBack(t, c.change, c.headerRow)
			s := open(t, bookSource(t, path, c.sheets, c.headerRow))
			got := map[string]int{}
			for _, h := range heads(t, s, retailWindow) {
				if len(h.Bad) > 0 {
					t.Errorf("order %s is bad: %v", h.Key.Order, h.Bad)
				}
				got[h.Key.Order] = h.Lines
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("lines by order: %v, want %v; %q", got, c.want, s.Tally().Notes)
			}
		})
	}
}

// TestMarkedAgain: a workbook that is marked a second time has one set of marks
// and one sheet of each kind.
func TestMarkedAgain(t *testing.T) {
	path := givenBack(t, func(*excelize.File) {}, 0)
	dir := t.TempDir()
	list := mark(t, read(t, bookSource(t, path, config.Sheets{}, 0)), dir, func(t table.Told) table.Mark {
		return table.Mark{Status: "sent before"}
	})
	if list[0].Err != nil {
		t.Fatal(list[0].Err)
	}
	b, err := excelize.OpenFile(filepath.Join(dir, "orders.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, want := b.GetSheetList(), []string{"Sales", "Other", "Rows to fix", "Summary"}; !slices.Equal(got, want) {
		t.Errorf("sheets are %q", got)
	}
	rows, err := b.GetRows("Sales")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"536366", "A1", "=SUM(A1)", "1", "2011-01-02 10:00", "2.5", "12347", "x", "sent before"}
	if diff := cmp.Diff(want, rows[2]); diff != "" {
		t.Error(diff)
	}
	if fix, err := b.GetRows("Rows to fix"); err != nil || len(fix) != 1 {
		t.Errorf("%d rows are to fix, %v", len(fix), err)
	}
	if panes, err := b.GetPanes("Rows to fix"); err != nil || !panes.Freeze {
		t.Errorf("the header does not stay: %+v, %v", panes, err)
	}
}

// TestMarkedFormulas: a formula keeps its place in the table, and only its
// value goes among the rows to fix.
func TestMarkedFormulas(t *testing.T) {
	b := excelize.NewFile()
	defer b.Close()
	names := strings.Split(strings.TrimSpace(csvHead), ",")
	if err := b.SetSheetRow("Sheet1", "A1", &names); err != nil {
		t.Fatal(err)
	}
	cells := []any{"536366", "A1", "=cmd|' /C calc'!A1", 1, "2011-01-02 10:00", 2.5, "12347", "x"}
	if err := b.SetSheetRow("Sheet1", "A2", &cells); err != nil {
		t.Fatal(err)
	}
	for cell, formula := range map[string]string{"C2": `"=1+"&"2"`, "D2": "1+1"} {
		if err := b.SetCellFormula("Sheet1", cell, formula); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "orders.xlsx")
	if err := b.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := read(t, bookSource(t, path, config.Sheets{}, 0))
	if list := mark(t, s, dir, fixEven); list[0].Err != nil || list[0].ToFix != 1 {
		t.Fatalf("%+v", list)
	}
	marked, err := excelize.OpenFile(filepath.Join(dir, "orders.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer marked.Close()
	if formula, err := marked.GetCellFormula("Sheet1", "D2"); err != nil || formula != "1+1" {
		t.Errorf("the formula is %q, %v", formula, err)
	}
	parts := zipParts(t, filepath.Join(dir, "orders.xlsx"))
	if fix := parts["xl/worksheets/sheet2.xml"]; strings.Contains(fix, "<f") || !strings.Contains(fix, `r="C2"`) {
		t.Errorf("rows to fix:\n%s", fix)
	}
}

// TestMarkedSheets: of two sheets whose orders are one source each has its rows
// to fix; together they are whole orders, given back without the sheets or with
// them, and marked again.
func TestMarkedSheets(t *testing.T) {
	b := excelize.NewFile()
	defer b.Close()
	if _, err := b.NewSheet("Sheet2"); err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSpace(csvHead), ",")
	for sheet, orders := range map[string][]string{"Sheet1": {"536365", "536362", "536364"}, "Sheet2": {"536366", "536364", "536367", "536366", "536368"}} {
		if err := b.SetSheetRow(sheet, "A1", &names); err != nil {
			t.Fatal(err)
		}
		for i, order := range orders {
			row := []any{order, "A1", sheet, 1, "2011-01-02 10:00", 2.5, "12347", "x"}
			if err := b.SetSheetRow(sheet, "A"+strconv.Itoa(i+2), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "orders.xlsx")
	if err := b.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	all := config.Sheets{All: true}
	lines := func(path string) map[string]int {
		got := map[string]int{}
		for _, h := range heads(t, open(t, bookSource(t, path, all, 0)), retailWindow) {
			got[h.Key.Order] = h.Lines
		}
		return got
	}
	again := func(path string) string {
		dir := t.TempDir()
		if list := mark(t, read(t, bookSource(t, path, all, 0)), dir, fixEven); list[0].Err != nil || list[0].ToFix != 4 {
			t.Fatalf("%+v", list)
		}
		return filepath.Join(dir, "orders.xlsx")
	}
	whole := map[string]int{"536362": 1, "536364": 2, "536365": 1, "536366": 2, "536367": 1, "536368": 1}
	fixes := map[string]int{"536362": 1, "536366": 2, "536368": 1} // not the order of which both sheets have a row
	marked := again(path)
	if got := lines(marked); !maps.Equal(got, whole) {
		t.Errorf("whole: %v", got)
	}
	if got := lines(again(marked)); !maps.Equal(got, whole) {
		t.Errorf("whole, again: %v", got)
	}
	alone, err := excelize.OpenFile(marked)
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	if got, want := alone.GetSheetList(), []string{"Sheet1", "Sheet2", "Rows to fix", "Rows to fix 2", "Summary"}; !slices.Equal(got, want) {
		t.Errorf("sheets are %q", got)
	}
	correctAll(t, alone, "Rows to fix", "Rows to fix 2")
	for _, name := range []string{"Sheet1", "Sheet2"} {
		if err := alone.DeleteSheet(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := alone.SaveAs(marked); err != nil {
		t.Fatal(err)
	}
	if got := lines(marked); !maps.Equal(got, fixes) {
		t.Errorf("rows to fix: %v", got)
	}
	if got := lines(again(marked)); !maps.Equal(got, fixes) {
		t.Errorf("rows to fix, again: %v", got)
	}
}

// TestMarkedFromServer: a file of a server comes back as well.
func TestMarkedFromServer(t *testing.T) {
	d := remote(t, sftptest.Start(t))
	write(t, d.in, "a.csv", order("1", "2"))
	dir := t.TempDir()
	list := mark(t, read(t, d.cfg), dir, func(table.Told) table.Mark { return table.Mark{Status: "sent before"} })
	if len(list) != 1 || list[0].Err != nil || !slices.Equal(list[0].Names, []string{"a.csv"}) {
		t.Fatalf("%+v", list)
	}
	info, err := os.Stat(filepath.Join(dir, "a.csv"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
}
