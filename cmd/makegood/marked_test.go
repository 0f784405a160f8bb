package main

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// americanRows are the first rows of the variant of Online Retail that a
// spreadsheet in the USA has written, as far as whole orders go.
func americanRows(t testing.TB, most int) [][]string {
	t.Helper()
	in, err := os.Open(retail(t, "variant_us_utf8bom_crlf_currency.csv"))
	check(t, err)
	defer in.Close()
	_, err = in.Seek(3, io.SeekStart) // the mark
	check(t, err)
	var rows [][]string
	for r := csv.NewReader(in); ; {
		row, err := r.Read()
		if errors.Is(err, io.EOF) || len(rows) > most && row[0] != rows[len(rows)-1][0] {
			return rows
		}
		check(t, err)
		rows = append(rows, row)
	}
}

// mistake makes one row wrong: the cell of a column gets another text.
type mistake struct {
	column int
	text   string
	row    int // of the workbook, where it was made
	right  string
}

// mistakes are seven ways in which people break a row.
func mistakes() []mistake {
	return []mistake{{column: 3, text: "six"}, {column: 5, text: "£2.5.5"}, {column: 4, text: "13/41/10 8:26"}, {column: 1, text: ""},
		{column: 5, text: ""}, {column: 3, text: "1,23,4"}, {column: 6, text: "12347.0"}}
}

// breakRows makes each mistake in an order of its own, of a customer with an
// address and of several rows.
func breakRows(t testing.TB, rows [][]string, list []mistake) {
	t.Helper()
	next := 0
	for at := 1; at+2 < len(rows) && next < len(list); at++ {
		own := rows[at][0] == rows[at+1][0] && rows[at][0] == rows[at+2][0] && rows[at-1][0] != rows[at][0]
		if own && rows[at][6] != "" && rows[at][6] != "12347.0" && !strings.HasPrefix(rows[at][0], "C") {
			m := &list[next]
			m.row, m.right = at+2, rows[at+1][m.column] // its second row
			rows[at+1][m.column] = m.text
			next++
		}
	}
	if next < len(list) {
		t.Fatalf("only %d orders fit", next)
	}
}

// analystsBook writes rows as an analyst has them: between other sheets, with
// formats, a filter, a pane that stays, merged cells and a formula.
func analystsBook(t testing.TB, path string, rows [][]string) {
	t.Helper()
	b := excelize.NewFile()
	defer b.Close()
	check(t, b.SetSheetName("Sheet1", "Notes"))
	for _, name := range []string{"Orders", "Lists"} {
		_, err := b.NewSheet(name)
		check(t, err)
	}
	check(t, b.SetCellValue("Notes", "A1", "what the night desk said"))
	check(t, b.SetCellFormula("Notes", "B2", "SUM(Orders!D2:D10)"))
	check(t, b.MergeCell("Notes", "A1", "C1"))
	check(t, b.SetCellValue("Lists", "A1", "United Kingdom"))
	bold, err := b.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDEEFF"}}})
	check(t, err)
	whole, err := b.NewStyle(&excelize.Style{NumFmt: 3})
	check(t, err)
	for i, row := range rows {
		cells := make([]any, len(row))
		for at, text := range row {
			cells[at] = text
			if n, err := strconv.Atoi(text); err == nil && at == 3 {
				cells[at] = n
			}
		}
		check(t, b.SetSheetRow("Orders", "A"+strconv.Itoa(i+1), &cells))
	}
	check(t, b.SetRowStyle("Orders", 1, 1, bold))
	check(t, b.SetCellStyle("Orders", "D2", "D"+strconv.Itoa(len(rows)), whole))
	check(t, b.SetColWidth("Orders", "C", "C", 40))
	check(t, b.AutoFilter("Orders", "A1:H"+strconv.Itoa(len(rows)), nil))
	check(t, b.SetPanes("Orders", &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	check(t, b.SaveAs(path))
}

// analyst is a shop whose orders come in a workbook with mistakes.
type analyst struct {
	*testing.T
	dir, config string
	accepted    func() int
	book        string
	mistakes    []mistake
}

func newAnalyst(t *testing.T, most int) *analyst {
	t.Helper()
	a := &analyst{T: t, dir: t.TempDir(), mistakes: mistakes()}
	sim, url := simulate(t)
	a.accepted = func() int { return int(sim.Counts().Platforms["squeezely"].Accepted) }
	a.book = filepath.Join(a.dir, "orders.xlsx")
	rows := americanRows(t, most)
	breakRows(t, rows, a.mistakes)
	analystsBook(t, a.book, rows)
	source := fmt.Sprintf(retailSource(t, "type: xlsx\ndecimal: \".\"\ndate_format: M/d/yy H:mm\npath: "+a.book+englishColumns), "InvoiceNo")
	a.config = retailConfig(t, a.dir, url, source)
	return a
}

func (a *analyst) run(exit int, more ...string) {
	a.Helper()
	args := append([]string{"run", "-c", a.config}, retailWindow...)
	if code, out, errs := makegood(a.T, append(args, more...)...); code != exit {
		a.Fatalf("exit %d, want %d\n%s\n%s", code, exit, out, errs)
	}
}

// marked runs for the first time, and gives the workbook that comes back.
func (a *analyst) marked() string {
	a.Helper()
	a.run(exitPerson, "--marked", filepath.Join(a.dir, "back"))
	return filepath.Join(a.dir, "back", "orders.xlsx")
}

// TestMarkedWorkbook: a workbook with seven wrong rows comes back with seven
// rows marked. Corrected and given back, whole or with the sheet of rows to fix
// alone, exactly seven orders are sent, once.
func TestMarkedWorkbook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		give func(a *analyst, b *excelize.File)
	}{{"whole", (*analyst).fixAll}, {"rows to fix alone", (*analyst).fixSheetAlone}, {"rows to fix, whole", (*analyst).fixOnSheet},
		{"half here, half there", (*analyst).fixBoth}} {
		t.Run(c.name, func(t *testing.T) {
			a := newAnalyst(t, 3000)
			back := a.marked()
			sent := a.accepted()
			a.sameParts(back)
			a.sevenMarked(back)
			b, err := excelize.OpenFile(back)
			check(t, err)
			defer b.Close()
			c.give(a, b)
			check(t, b.SaveAs(a.book))
			a.run(exitDone, "--marked", filepath.Join(a.dir, "again"))
			if got := a.accepted() - sent; got != 7 {
				t.Errorf("%d orders were sent after the correction, want 7", got)
			}
			again := filepath.Join(a.dir, "again", "orders.xlsx")
			a.noneMarked(again)
			check(t, os.Rename(again, a.book)) // as it comes back the second time
			a.run(exitDone)
			if got := a.accepted() - sent; got != 7 {
				t.Errorf("%d orders were sent after another run, want 7", got)
			}
		})
	}
}

// sevenMarked wants the seven rows, and no other, to be marked for a person.
func (a *analyst) sevenMarked(back string) {
	a.Helper()
	b, err := excelize.OpenFile(back)
	check(a.T, err)
	defer b.Close()
	if got, want := b.GetSheetList(), []string{"Notes", "Orders", "Lists", "Rows to fix", "Summary"}; !slices.Equal(got, want) {
		a.Errorf("sheets are %q", got)
	}
	rows, err := b.GetRows("Orders")
	check(a.T, err)
	if got := strings.Join(rows[0][8:], "|"); got != "makegood status|makegood reason|makegood what to do" {
		a.Errorf("the header ends with %s", got)
	}
	var wrong []int
	for i, row := range rows[1:] {
		if len(row) < 9 || row[8] == "" {
			a.Errorf("row %d has no status", i+2)
		} else if row[8] == "fix this row" {
			wrong = append(wrong, i+2)
			m := a.mistakeAt(i + 2)
			place := fmt.Sprintf("cell %s%d", string(rune('A'+m.column)), i+2)
			if m.column == 6 { // an expression reads it
				place = fmt.Sprintf("row %d, column customer", i+2)
			}
			if !strings.Contains(row[9], place) || row[10] == "" {
				a.Errorf("row %d: %q, %q; it should name %s", i+2, row[9], row[10], place)
			}
		}
	}
	var want []int
	for _, m := range a.mistakes {
		want = append(want, m.row)
	}
	if slices.Sort(want); !slices.Equal(wrong, want) {
		a.Errorf("rows %v are marked, want %v", wrong, want)
	}
}

func (a *analyst) mistakeAt(row int) mistake {
	i := slices.IndexFunc(a.mistakes, func(m mistake) bool { return m.row == row })
	if i < 0 {
		return mistake{}
	}
	return a.mistakes[i]
}

// sameParts wants all parts but those that must tell of the new sheets to be
// the same, byte for byte.
func (a *analyst) sameParts(back string) {
	a.Helper()
	before, after := partsOf(a.T, a.book), partsOf(a.T, back)
	changed := []string{"xl/worksheets/sheet2.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"}
	for name, text := range before {
		if same := after[name] == text; same == slices.Contains(changed, name) {
			a.Errorf("part %s: the same is %v", name, same)
		}
	}
}

func partsOf(t testing.TB, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	check(t, err)
	defer z.Close()
	parts := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		check(t, err)
		text, err := io.ReadAll(in)
		check(t, errors.Join(err, in.Close()))
		if _, twice := parts[f.Name]; twice {
			t.Errorf("part %s is there twice", f.Name)
		}
		parts[f.Name] = string(text)
	}
	return parts
}

func (a *analyst) fixAll(b *excelize.File) {
	for _, m := range a.mistakes {
		check(a.T, b.SetCellValue("Orders", string(rune('A'+m.column))+strconv.Itoa(m.row), m.right))
	}
}

// noneMarked wants no row to be marked for a person, and the corrections to
// stand in the table.
func (a *analyst) noneMarked(back string) {
	a.Helper()
	b, err := excelize.OpenFile(back)
	check(a.T, err)
	defer b.Close()
	sheet := "Orders"
	if !slices.Contains(b.GetSheetList(), sheet) {
		sheet = "Rows to fix"
	}
	rows, err := b.GetRows(sheet)
	check(a.T, err)
	for i, row := range rows {
		if len(row) > 8 && strings.Contains(row[8], "fix") {
			a.Errorf("row %d is marked: %q", i+1, row)
		}
	}
	for _, m := range a.mistakes {
		if sheet == "Orders" && rows[m.row-1][m.column] != m.right {
			a.Errorf("row %d of the table holds %q, want %q", m.row, rows[m.row-1], m.right)
		}
	}
}

// fixBoth corrects some rows in the table, some on the sheet of rows to fix.
func (a *analyst) fixBoth(b *excelize.File) {
	all := a.mistakes
	a.mistakes = all[:4]
	a.fixAll(b)
	a.mistakes = all[3:]
	a.fixOnSheet(b)
	a.mistakes = all
}

// fixSheetAlone corrects the rows on their sheet, and takes the others away.
func (a *analyst) fixSheetAlone(b *excelize.File) {
	a.fixOnSheet(b)
	for _, name := range []string{"Notes", "Orders", "Lists", "Summary"} {
		check(a.T, b.DeleteSheet(name))
	}
}

// fixOnSheet corrects the rows on the sheet of rows to fix.
func (a *analyst) fixOnSheet(b *excelize.File) {
	rows, err := b.GetRows("Rows to fix")
	check(a.T, err)
	if rows[0][11] != "makegood row" || len(rows) > 600 {
		a.Fatalf("header %q, %d rows", rows[0], len(rows))
	}
	for i, row := range rows[1:] {
		at, err := strconv.Atoi(row[11])
		check(a.T, err)
		if m := a.mistakeAt(at); m.row > 0 {
			check(a.T, b.SetCellValue("Rows to fix", string(rune('A'+m.column))+strconv.Itoa(i+2), m.right))
		}
	}
}

// office lets LibreOffice read a workbook and write it as something else.
func (a *analyst) office(path, format, to string) {
	a.Helper()
	program, err := exec.LookPath("soffice")
	if err != nil || testing.Short() {
		a.Skip("soffice is not here")
	}
	cmd := exec.CommandContext(a.Context(), program, "-env:UserInstallation=file://"+a.TempDir(), "--headless", "--convert-to", format, "--outdir", to, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		a.Fatalf("%v\n%s", err, out)
	}
}

// TestMarkedInLibreOffice lets another program open the workbook, and write
// what it has read.
func TestMarkedInLibreOffice(t *testing.T) {
	a := newAnalyst(t, 300)
	a.office(a.marked(), "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", a.dir)
	for sheet, want := range map[string]string{"Notes": "what the night desk said", "Orders": ",fix this row,", "Lists": "United Kingdom",
		"Rows to fix": ",to fix with its order,", "Summary": "Orders at activate"} {
		text, err := os.ReadFile(filepath.Join(a.dir, "orders-"+sheet+".csv"))
		check(t, err)
		if !strings.Contains(string(text), want) {
			t.Errorf("sheet %s:\n%.600s", sheet, text)
		}
	}
}

// TestMarkedSavedByLibreOffice: what another program has saved is given back as
// well, corrected in the table or on the sheet of rows to fix.
func TestMarkedSavedByLibreOffice(t *testing.T) {
	for _, correct := range []func(*analyst, *excelize.File){(*analyst).fixAll, (*analyst).fixOnSheet} {
		a := newAnalyst(t, 300)
		back := a.marked()
		sent := a.accepted()
		saved := filepath.Join(a.dir, "saved")
		a.office(back, "xlsx", saved)
		b, err := excelize.OpenFile(filepath.Join(saved, "orders.xlsx"))
		check(t, err)
		defer b.Close()
		correct(a, b)
		check(t, b.SaveAs(a.book))
		a.run(exitDone, "--marked", filepath.Join(a.dir, "again"))
		if got := a.accepted() - sent; got != 7 {
			t.Errorf("%d orders were sent after the correction, want 7", got)
		}
		a.noneMarked(filepath.Join(a.dir, "again", "orders.xlsx"))
	}
}
