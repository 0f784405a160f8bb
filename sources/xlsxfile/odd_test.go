package xlsxfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"makegood/sources/table"
)

// sheetOf puts rows into a sheet below the header id, sku.
func sheetOf(rows string) string {
	return `<worksheet><sheetData><row><c t="str"><v>id</v></c><c t="str"><v>sku</v></c></row>` + rows + `</sheetData></worksheet>`
}

// faults reads a workbook's cells and what is wrong with them.
func faults(t *testing.T, sheet, texts, book string, o Options) (rows, wrong, notes []string, err error) {
	t.Helper()
	o.TmpDir = t.TempDir()
	c, err := New(write(t, "odd.xlsx", workbookOf(t, sheet, texts, book)), o).Open(t.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	defer c.Close()
	for {
		row, err := c.Next()
		if err != nil {
			if err.Error() == "EOF" {
				err = nil
			}
			return rows, wrong, c.Notes(), err
		}
		rows = append(rows, strings.Join(row.Cells, "|"))
		for _, f := range row.Faults {
			wrong = append(wrong, fmt.Sprintf("%s %d %s", table.CellName(f.At, row.Number), f.For, f.Text))
		}
	}
}

func TestOddCells(t *testing.T) {
	recalc := strings.Replace(someBook, "<sheets>", `<calcPr fullCalcOnLoad="1"/><sheets>`, 1)
	for name, test := range map[string]struct {
		rows, book  string
		o           Options
		want, wrong string
	}{
		"no result":         {rows: `<row><c><f>1+1</f></c><c><v>a</v></c></row>`, want: "|a", wrong: "A2 0 " + noResult},
		"empty result":      {rows: `<row><c><f>1+1</f><v/></c><c><v>a</v></c></row>`, want: "|a", wrong: "A2 0 " + noResult},
		"alone":             {rows: `<row><c><f>1+1</f></c></row>`, want: "|", wrong: "A2 0 " + noResult},
		"empty text":        {rows: `<row><c t="str"><f>""</f><v></v></c><c><v>a</v></c></row>`, want: "|a"},
		"no text":           {rows: `<row><c t="str"><f>""</f></c><c><v>a</v></c></row>`, want: "|a", wrong: "A2 0 " + noResult},
		"left to calculate": {rows: `<row><c><f>1+1</f><v>0</v></c><c><v>0</v></c></row>`, book: recalc, want: "0|0", wrong: "A2 0 " + noResult},
		"zero":              {rows: `<row><c><f>1+1</f><v>0</v></c></row>`, want: "0|"},
		"vague text":        {rows: `<row><c t="inlineStr"><is><t>1.299</t></is></c><c><v>1.299</v></c></row>`, want: "1.299|1.299", wrong: "A2 1 " + vague},
		"cut digits":        {rows: `<row><c><v>123456789012345678</v></c><c><v>123456789012345</v></c></row>`, want: "123456789012345678|123456789012345", wrong: "A2 2 " + cut},
		"text of digits":    {rows: `<row><c t="str"><v>123456789012345678</v></c></row>`, want: "123456789012345678|"},
		"set decimal":       {rows: `<row><c t="str"><v>1.299</v></c><c><v>1.299</v></c></row>`, o: Options{Decimal: ","}, want: "1.299|1,299"},
		"set point":         {rows: `<row><c t="str"><v>1,299</v></c><c><v>1.299</v></c></row>`, o: Options{Decimal: "."}, want: "1,299|1.299"},
		"digits of a text":  {rows: `<row><c t="str"><v>2.5499999999999998</v></c><c><v>2.5499999999999998</v></c></row>`, want: "2.5499999999999998|2.55"},
		"an error":          {rows: `<row><c t="e"><v>#N/A</v></c></row>`, want: "#N/A|"},
		"a date":            {rows: `<row><c t="d"><v>2026-11-01T10:00:00</v></c></row>`, want: "2026-11-01T10:00:00|"},
		"other order":       {rows: `<row><c r="B2"><v>2</v></c><c r="A2"><v>1</v></c></row>`, want: "1|2"},
		"escaped":           {rows: `<row><c t="str"><v>a_x000D_b_x41_x0041__x_</v></c></row>`, want: "a\rb_x41A_x_|"},
		"runs":              {rows: `<row><c t="s"><v>1</v></c></row>`, want: "sku|"},
		"CDATA":             {rows: `<row><c t="str"><v><![CDATA[a&b]]>&lt;</v></c></row>`, want: "a&b<|"},
		"other namespace":   {rows: `<x:row xmlns:x="y"><x:c><x:v>1</x:v></x:c></x:row>`, want: "1|"},
	} {
		book := test.book
		if book == "" {
			book = someBook
		}
		rows, wrong, _, err := faults(t, sheetOf(test.rows), someTexts, book, test.o)
		if got := strings.Join(rows, ", "); err != nil || got != test.want || strings.Join(wrong, ", ") != test.wrong {
			t.Errorf("%s: rows %q, faults %q, error %v; want %q, %q", name, got, wrong, err, test.want, test.wrong)
		}
	}
}

func TestHostileSheets(t *testing.T) {
	laughs := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	for name, test := range map[string]struct {
		sheet string
		is    error
		says  string
	}{
		"text beyond the table": {sheetOf(`<row><c t="s"><v>7</v></c></row>`), ErrDamaged, `cell A2: is damaged: a cell names text "7" of 2`},
		"no text at all":        {sheetOf(`<row><c t="s"><v>many</v></c></row>`), ErrDamaged, "cell A2"},
		"a cell twice":          {sheetOf(`<row><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>`), ErrDamaged, "cell A2 stands there twice"},
		"a row twice":           {sheetOf(`<row r="4"/><row r="4"><c><v>1</v></c></row>`), ErrDamaged, `number "4" follows row 4`},
		"no place":              {sheetOf(`<row><c r="7"><v>1</v></c></row>`), ErrDamaged, `the place "7"`},
		"endless place":         {sheetOf(`<row><c r="AAAAAAAAAAAAAAAAAAAAAA1"><v>1</v></c></row>`), ErrDamaged, "the place"},
		"absurd row":            {sheetOf(`<row r="99999999999999999999"><c><v>1</v></c></row>`), ErrDamaged, "a row with the number"},
		"laughs":                {laughs + sheetOf(`<row><c><v>&b;</v></c></row>`), ErrDamaged, "invalid character entity"},
		"nested":                {sheetOf(`<row>` + strings.Repeat("<c>", 1000)), ErrTooLarge, "inside of each other"},
		"long value":            {sheetOf(`<row><c><v>` + strings.Repeat("1", 9<<20) + `</v></c></row>`), ErrTooLarge, "8 MiB"},
		"long attribute":        {sheetOf(`<row><c r="` + strings.Repeat("A", 9<<20) + `"/></row>`), ErrTooLarge, "8 MiB"},
		"long title":            {`<worksheet>` + strings.Repeat(" ", 9<<20), ErrTooLarge, "8 MiB"},
		"many cells":            {sheetOf(`<row>` + strings.Repeat("<c><v>1</v></c>", 1<<14+1) + `</row>`), ErrTooLarge, "more than 16384 cells"},
	} {
		if testing.Short() && len(test.sheet) > 1<<20 {
			continue
		}
		_, _, _, err := faults(t, test.sheet, someTexts, someBook, Options{})
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "odd.xlsx") {
			t.Errorf("%s: error %v; want one that says %q", name, err, test.says)
		}
	}
}

// A row of many cells that all name one long text is refused, not built.
func TestLongTextManyTimes(t *testing.T) {
	texts := `<sst><si><t>` + strings.Repeat("long ", 200_000) + `</t></si></sst>`
	sheet := `<worksheet><sheetData><row>` + strings.Repeat(`<c t="s"><v>0</v></c>`, 1000) + `</row></sheetData></worksheet>`
	_, _, _, err := faults(t, sheet, texts, someBook, Options{})
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "16 MiB") {
		t.Error(err)
	}
}

func TestEncodedParts(t *testing.T) {
	sheet := sheetOf(`<row><c t="str"><v>é</v></c></row>`)
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?>` + sheet)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, text := range map[string]string{"UTF-16": string(wide), "Latin-1": `<?xml version="1.0" encoding="ISO-8859-1"?>` + strings.ReplaceAll(sheet, "é", "\xe9")} {
		rows, _, _, err := faults(t, text, someTexts, someBook, Options{})
		if err != nil || !slices.Equal(rows, []string{"é|"}) {
			t.Errorf("%s: rows %q, error %v", name, rows, err)
		}
	}
}

// Both editions of the format name the relations otherwise.
func TestStrictEdition(t *testing.T) {
	strict := strings.NewReplacer("http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships",
		"http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
	path := write(t, "a.xlsx", workbookOf(t, strict.Replace(someSheet), strict.Replace(someTexts), strict.Replace(someBook)))
	for _, part := range []string{"_rels/.rels", "xl/_rels/workbook.xml.rels"} {
		path = rewrite(t, path, part, strict.Replace)
	}
	rows, _, err := read(t, path, Options{})
	if want := []string{"Orders 3: O1|2.55"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, error %v; want %q", rows, err, want)
	}
}

func TestHiddenIsSaid(t *testing.T) {
	_, _, notes, err := faults(t, someSheet, someTexts, someBook, Options{})
	want := []string{`odd.xlsx: sheet "Orders": hidden columns were read: "sku"`,
		`odd.xlsx: sheet "Orders": columns right of the header were not read; the first with content there is row 3`,
		`odd.xlsx: sheet "Orders": 1 hidden rows were read; is a filter set?`}
	if err != nil || !slices.Equal(notes, want) {
		t.Errorf("notes %q, error %v; want %q", notes, err, want)
	}
}

func TestHeaderByNames(t *testing.T) {
	for name, test := range map[string]struct {
		rows        grid
		want, notes string
	}{
		"below rows of several cells": {grid{{"Report", "1 November"}, {"Shop", "id"}, {}, {"id", "sku", "n"}, {"O1", "a", 1}}, "5: O1|a|1",
			"the header is row 4; 2 filled rows above it were not read"},
		"merged with the row above": {grid{{"Orders"}, {"id", "Goods"}, {nil, "sku", "n"}, {"O1", "a", 1}}, "4: O1|a|1",
			"the header is rows 2 and 3: some names stand in the upper one alone, the header is row 3; 1 filled rows above it were not read"},
		"a group above":          {grid{{"Order", "Goods"}, {"id", "sku", "n"}, {"O1", "a", 1}}, "3: O1|a|1", "the header is row 2; 1 filled rows above it were not read"},
		"names that are not all": {grid{{"id", "sku"}, {"O1", "a"}, {"id", "sku"}}, "2: O1|a, 3: id|sku", ""},
		"none of the names":      {grid{{"a", "b"}, {"1", "2"}}, "2: 1|2", ""},
	} {
		rows, notes, err := read(t, save(t, sheet1(test.rows)), Options{Wanted: []string{"id", "sku", "n"}})
		if got := strings.ReplaceAll(strings.Join(rows, ", "), "Sheet1 ", ""); err != nil || got != test.want {
			t.Errorf("%s: rows %q, error %v; want %q", name, got, err, test.want)
		}
		if got := strings.ReplaceAll(strings.Join(notes, ", "), `sheet "Sheet1": `, ""); got != test.notes {
			t.Errorf("%s: notes %q, want %q", name, got, test.notes)
		}
	}
}

func TestChartsHaveNoRows(t *testing.T) {
	path := save(t, func(f *excelize.File) {
		put(f, "Sheet1", grid{{"id", "sku"}, {"O1", "a"}})
		if err := f.AddChartSheet("Chart", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Name: "a", Values: "Sheet1!$A$2:$B$2"}}}); err != nil {
			t.Fatal(err)
		}
	})
	rows, notes, err := read(t, path, Options{Sheets: []string{All}})
	if err != nil || len(rows) != 1 || !slices.Equal(notes, []string{`not read: sheet "Chart"`}) {
		t.Errorf("rows %q, notes %q, error %v", rows, notes, err)
	}
}

// A password that would take hours to try is refused.
func TestSlowPassword(t *testing.T) {
	b := content(t, filepath.Join(shared(t, "xlsx_corpus"), "calamine", "pass_protected.xlsx"))
	slow := bytes.Replace(b, []byte(`spinCount="100000"`), []byte(`spinCount="999999"`), 1)
	slow = bytes.Replace(slow, []byte(`spinCount="999999" `), []byte(`spinCount="9999999"`), 1)
	if _, _, err := read(t, write(t, "slow.xlsx", slow), Options{Password: "open sesame"}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "9999999 rounds") {
		t.Error(err)
	}
}

// A sample holds the texts, and says which columns have numbers.
func TestSample(t *testing.T) {
	f := New(save(t, sheet1(grid{{"id", 2026, "n"}, {"O1", "2,55", 1}, {"O2", 3.5, 2}})), Options{TmpDir: t.TempDir()})
	s, err := f.Sample(t.Context())
	want := [][]string{{"O1", "2,55", ""}, {"O2", "", ""}}
	if err != nil || !s.Whole || !slices.EqualFunc(s.Rows, want, slices.Equal) || !s.Numbers[1] || !s.Numbers[2] || s.Numbers[0] ||
		!slices.Equal(s.Header.Columns, []string{"id", "2026", "n"}) {
		t.Errorf("%+v (%v)", s, err)
	}
	f.UseDecimal(",")
	c, err := f.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if row, err := c.Next(); err != nil || row.Cells[1] != "2,55" {
		t.Errorf("%q (%v)", row.Cells, err)
	}
	if row, err := c.Next(); err != nil || row.Cells[1] != "3,5" {
		t.Errorf("%q (%v)", row.Cells, err)
	}
}

// A cover sheet is passed over for the sheet that has the columns.
func TestSheetWithTheColumns(t *testing.T) {
	path := save(t, func(f *excelize.File) {
		for _, name := range []string{"Part", "Orders", "Later"} {
			f.NewSheet(name)
		}
		put(f, "Sheet1", grid{{"Orders of", "the shop"}})
		put(f, "Part", grid{{"id", "name"}, {"7", "a"}})
		put(f, "Orders", grid{{"Title"}, {"id", "sku"}, {"O1", "b"}})
		put(f, "Later", grid{{"id", "sku"}, {"O2", "b"}})
	})
	for want, o := range map[string]Options{
		"Orders 3: O1|b": {Wanted: []string{"id", "sku"}},
		"Part 2: 7|a":    {Wanted: []string{"id", "sku"}, Sheets: []string{"Part"}},
		"":               {Wanted: []string{"id", "price"}},
	} {
		rows, notes, err := read(t, path, o)
		if got := strings.Join(rows, ", "); err != nil || got != want || !strings.Contains(strings.Join(notes, ""), "not read: ") {
			t.Errorf("%v: rows %q, notes %q, error %v; want %q", o, got, notes, err, want)
		}
	}
}

// What stands far right of the table costs nothing.
func TestFarCells(t *testing.T) {
	rows, _, notes, err := faults(t, sheetOf(strings.Repeat(`<row><c><v>1</v></c><c r="XFD1"><v>2</v></c></row>`, 20_000)), someTexts, someBook, Options{})
	if err != nil || len(rows) != 20_000 || rows[0] != "1|" || len(notes) != 1 || !strings.Contains(notes[0], "right of the header") {
		t.Errorf("%d rows, notes %q, error %v", len(rows), notes, err)
	}
}
