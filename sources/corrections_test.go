package sources_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"makegood/config"
)

// TestCorrectionOfEqualLines: a correction that makes a line equal to another
// one of its order counts.
func TestCorrectionOfEqualLines(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", 2), bookRow("1", "two")}}, nil), config.Sheets{}))
	back := filepath.Join(dir, "orders.xlsx")
	edit(t, back, func(b *excelize.File) error { return b.SetCellValue("Rows to fix", "D3", 2) })
	wantOutcome(t, withShipping(t, back, config.Sheets{}), map[string]string{"1": "2 of 20"})
}

// TestCorrectionsOfOtherColumns: each sheet of rows to fix is read, whatever
// columns its table has.
func TestCorrectionsOfOtherColumns(t *testing.T) {
	all := config.Sheets{All: true}
	path := workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "two")},
		"T": {{"at", "no", "sku", "qty", "price", "ship"}, {"2011-01-02 10:00", "2", "a", "two", 5, nil}}}, nil)
	dir, _ := giveBack(t, withShipping(t, path, all))
	back := filepath.Join(dir, "orders.xlsx")
	edit(t, back, func(b *excelize.File) error {
		_ = b.SetCellValue("Rows to fix", "D2", 2)
		return b.SetCellValue("Rows to fix 2", "D2", 3)
	})
	wantOutcome(t, withShipping(t, back, all), map[string]string{"1": "1 of 10", "2": "1 of 15"})
}

// TestCorrectionsThatCountNowhere hold their orders back, and are told of: a
// row that was added, and one whose row in the table is another one by now.
func TestCorrectionsThatCountNowhere(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "x"), bookRow("2", "y"), bookRow("3", "z")}}, nil), config.Sheets{}))
	back := filepath.Join(dir, "orders.xlsx")
	edit(t, back, func(b *excelize.File) error {
		added := bookRow("1", 7)
		for cell, n := range map[string]any{"D2": 2, "D3": 3, "D4": 4} {
			_ = b.SetCellValue("Rows to fix", cell, n)
		}
		_ = b.SetCellValue("S", "D3", 33)
		return b.SetSheetRow("Rows to fix", "A5", &added)
	})
	cfg := withShipping(t, back, config.Sheets{})
	wantOutcome(t, cfg, map[string]string{"1": "bad_value", "2": "bad_value", "3": "1 of 20"})
	s := open(t, cfg)
	heads(t, s, retailWindow)
	notes := strings.Join(s.Tally().Notes, "\n")
	for _, want := range []string{"1 corrected rows were not read, because", "1 rows were added and not read", "2 corrected rows were read"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	again, toFix := giveBack(t, cfg) // such a workbook comes back as well
	if toFix != 2 {
		t.Errorf("%d rows are to fix again, in %s", toFix, again)
	}
}

// noted adds a column with a formula that rows share.
func noted(t *testing.T) string {
	head := append(slices.Clone(bookHead), "note")
	rows := [][]any{head, append(bookRow("1", "two"), 10), append(bookRow("2", 2), 10)}
	return workbook(t, map[string][][]any{"S": rows}, func(b *excelize.File) {
		kind, ref := "shared", "G2:G3"
		if err := b.SetCellFormula("S", "G2", "E2*2", excelize.FormulaOpts{Type: &kind, Ref: &ref}); err != nil {
			t.Fatal(err)
		}
		if err := b.SetCellFormula("S", "F2", "E2*4"); err != nil {
			t.Fatal(err)
		}
		if err := b.SetCellValue("S", "F3", 1); err != nil {
			t.Fatal(err)
		}
	})
}

// twoOnSheet corrects a cell on the sheet of rows to fix.
func twoOnSheet(t *testing.T, cfg *config.Source, cell string) {
	t.Helper()
	edit(t, cfg.Path, func(b *excelize.File) error { return b.SetCellValue("Rows to fix", cell, 2) })
}

// markedAgain marks a workbook again, and gives its parts.
func markedAgain(t *testing.T, cfg *config.Source) (map[string]string, error) {
	t.Helper()
	dir, s := t.TempDir(), read(t, cfg)
	list := mark(t, s, dir, fixBad(t, s))
	if list[0].Err != nil {
		return nil, list[0].Err
	}
	return zipParts(t, filepath.Join(dir, "orders.xlsx")), nil
}

// TestCorrectionsKeepFormulas: a correction changes the cells that it corrects,
// and no formula beside them; one that others depend on is not replaced.
func TestCorrectionsKeepFormulas(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, noted(t), config.Sheets{}))
	cfg := withShipping(t, filepath.Join(dir, "orders.xlsx"), config.Sheets{})
	twoOnSheet(t, cfg, "D2")
	parts, err := markedAgain(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	sheet := parts["xl/worksheets/sheet1.xml"]
	for _, want := range []string{`t="shared"`, `<f>E2*4</f>`, `si="0"`} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the table lacks %s:\n%s", want, sheet)
		}
	}
	if strings.Contains(sheet, ">two<") {
		t.Errorf("the table is not corrected:\n%s", sheet)
	}
	twoOnSheet(t, cfg, "G2")
	if _, err := markedAgain(t, cfg); err == nil || !strings.Contains(err.Error(), "G2 would replace a formula that others depend on") {
		t.Errorf("a shared formula: %v", err)
	}
}

// TestCorrectionsAndTheChainOfFormulas: where a value takes the place of a
// formula, the list of formulas does not name it any more.
func TestCorrectionsAndTheChainOfFormulas(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, noted(t), config.Sheets{}))
	cfg := withShipping(t, filepath.Join(dir, "orders.xlsx"), config.Sheets{})
	twoOnSheet(t, cfg, "D2")
	twoOnSheet(t, cfg, "F2")
	chain(t, cfg.Path)
	parts, err := markedAgain(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(parts["xl/worksheets/sheet1.xml"], "<f>E2*4</f>") {
		t.Error("the formula was not replaced")
	}
	for name, text := range parts {
		if strings.Contains(strings.ToLower(name), "calcchain") || strings.Contains(text, "calcChain") {
			t.Errorf("%s tells of the list of formulas", name)
		}
	}
}

// TestMarksAreSeen: the columns of marks are not hidden with those around them.
func TestMarksAreSeen(t *testing.T) {
	path := workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "two")}}, func(b *excelize.File) {
		if err := b.SetColVisible("S", "G:XFD", false); err != nil {
			t.Fatal(err)
		}
	})
	dir, _ := giveBack(t, withShipping(t, path, config.Sheets{}))
	edit(t, filepath.Join(dir, "orders.xlsx"), func(b *excelize.File) error {
		for column, want := range map[string]bool{"G": true, "I": true, "J": false, "XFD": false} {
			if seen, err := b.GetColVisible("S", column); err != nil || seen != want {
				t.Errorf("column %s is visible: %v, %v", column, seen, err)
			}
		}
		return nil
	})
}

// TestMarksStay: marked again, they stand where they stood, also where a person
// has written beside them.
func TestMarksStay(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "two"), bookRow("2", 2)}}, nil), config.Sheets{}))
	back := filepath.Join(dir, "orders.xlsx")
	edit(t, back, func(b *excelize.File) error {
		_ = b.SetCellValue("S", "J1", "mine")
		return b.SetCellValue("S", "J2", "the night desk asked")
	})
	dir, _ = giveBack(t, withShipping(t, back, config.Sheets{}))
	edit(t, filepath.Join(dir, "orders.xlsx"), func(b *excelize.File) error {
		rows, err := b.GetRows("S")
		if len(rows) != 3 || !slices.Equal(rows[0][5:], []string{"ship", "makegood status", "makegood reason", "makegood what to do", "mine"}) ||
			rows[1][6] != "read" || rows[1][9] != "the night desk asked" || rows[2][6] != "read" {
			t.Errorf("rows are %q", rows)
		}
		return err
	})
}

// chain gives a workbook a list of its formulas, as spreadsheets do.
func chain(t *testing.T, path string) {
	t.Helper()
	in, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range zipParts(t, path) {
		switch name {
		case "xl/_rels/workbook.xml.rels":
			text = strings.Replace(text, "</Relationships>", `<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain" Target="calcChain.xml"/></Relationships>`, 1)
		case "[Content_Types].xml":
			text = strings.Replace(text, "</Types>", `<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/></Types>`, 1)
		}
		put(name, text)
	}
	put("xl/calcChain.xml", `<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="F2" i="1"/></calcChain>`)
	if err := errors.Join(z.Close(), in.Close(), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestCorrectionsBesideWhatIsNotRead: a column that nobody reads, such as one
// with the day of today, or a text that another program has saved with other
// line ends, makes no other row.
func TestCorrectionsBesideWhatIsNotRead(t *testing.T) {
	head := append(slices.Clone(bookHead), "today")
	text := bookRow("1", "two")
	text[2] = "a\r\nb"
	path := workbook(t, map[string][][]any{"S": {head, append(text, 1), append(bookRow("2", 2), 1)}}, nil)
	for _, keep := range []string{"", "Rows to fix"} {
		dir, _ := giveBack(t, withShipping(t, path, config.Sheets{}))
		back := filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			for cell, value := range map[string]any{"G2": 2, "G3": 2, "C2": "a\nb"} {
				_ = b.SetCellValue("S", cell, value)
			}
			if keep == "" {
				return b.SetCellValue("Rows to fix", "D2", 2)
			}
			_ = b.SetCellValue(keep, "D2", "two")
			_ = b.SetCellValue(keep, "G2", 2) // that alone is no correction
			return alone(b, keep)
		})
		if keep == "" {
			wantOutcome(t, withShipping(t, back, config.Sheets{}), map[string]string{"1": "1 of 10", "2": "1 of 10"})
			continue
		}
		for _, row := range rowsOf(t, back) {
			if !row.Untouched {
				t.Errorf("row %d is touched", row.Number)
			}
		}
	}
}

// rowsOf reads the rows of a workbook as a source with the columns of bookHead
// does.
func rowsOf(t *testing.T, path string) (rows []table.Row) {
	t.Helper()
	c, err := xlsxfile.New(path, xlsxfile.Options{TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.(table.Headed).Header().Read = []int{0, 1, 2, 3, 4, 5}
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// TestRowsToFixThatAreGone are told of, beside their table and alone.
func TestRowsToFixThatAreGone(t *testing.T) {
	path := workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "x"), bookRow("2", "y")}}, nil)
	for _, keep := range []string{"", "Rows to fix"} {
		dir, _ := giveBack(t, withShipping(t, path, config.Sheets{}))
		back := filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			if err := b.RemoveRow("Rows to fix", 3); err != nil || keep == "" {
				return err
			}
			return alone(b, keep)
		})
		wantNote(t, withShipping(t, back, config.Sheets{}), `sheet "Rows to fix": 1 of 2 rows to fix were deleted`)
	}
	dir, _ := giveBack(t, rowsToFix(t, write(t, t.TempDir(), "orders.csv", fixHead+"1,2011-01-02 10:00,a,x,5\n2,2011-01-02 10:00,a,x,5\n")))
	fix := filepath.Join(dir, "orders.fix.csv")
	text, err := os.ReadFile(fix)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "orders.fix.csv", string(text[:strings.LastIndex(string(text), "\n2,")+1]))
	wantNote(t, rowsToFix(t, fix), "orders.fix.csv: 1 of 2 rows to fix were deleted")
}

// wantNote wants one note that says something.
func wantNote(t *testing.T, cfg *config.Source, want string) {
	t.Helper()
	s := open(t, cfg)
	heads(t, s, retailWindow)
	if notes := strings.Join(s.Tally().Notes, "\n"); strings.Count(notes, want) != 1 {
		t.Errorf("%q is not said once:\n%s", want, notes)
	}
}

// TestCorrectionByAFormula: one that has no result yet is no blank, neither now
// nor in the next copy.
func TestCorrectionByAFormula(t *testing.T) {
	dir, _ := giveBack(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "x")}}, nil), config.Sheets{}))
	for range 2 {
		back := filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			if rows, _ := b.GetRows("S"); rows[1][3] == "x" {
				_ = b.SetCellFormula("Rows to fix", "F2", "1+1")
				return b.SetCellValue("Rows to fix", "D2", 2)
			}
			return nil
		})
		wantOutcome(t, withShipping(t, back, config.Sheets{}), map[string]string{"1": "bad_value"})
		dir, _ = giveBack(t, withShipping(t, back, config.Sheets{}))
	}
}
