package xlsxfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The parts of the least workbook that is one.
const (
	someTypes = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`
	someRoot  = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	someBook  = `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="0"/><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>`
	someRels  = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>`
	someTexts = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>id</t></si><si><r><t>s</t></r><r><t xml:space="preserve">ku</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si></sst>`
	someSheet = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cols><col min="2" max="2" hidden="1"/></cols><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="3" hidden="1"><c r="A3" t="inlineStr"><is><t>O1</t></is></c><c r="B3"><f>1+1</f><v>2.5499999999999998</v></c><c r="C3" t="e"><v>#N/A</v></c></row></sheetData></worksheet>`
)

// workbookOf puts parts into an archive; a part that is "" is left out.
func workbookOf(t testing.TB, sheet, texts, book string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range [][2]string{{"[Content_Types].xml", someTypes}, {"_rels/.rels", someRoot}, {"xl/_rels/workbook.xml.rels", someRels},
		{"xl/workbook.xml", book}, {"xl/worksheets/sheet1.xml", sheet}, {"xl/sharedStrings.xml", texts}} {
		if part[1] == "" {
			continue
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: part[0], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzWorkbook: whatever the parts of a workbook hold, or the bytes of a file,
// reading it ends, with rows in rising order that are as wide as the header,
// or with an error of a kind that is named.
func FuzzWorkbook(f *testing.F) {
	f.Add([]byte(nil), someSheet, someTexts, someBook)
	f.Add([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), someSheet, "", someBook)
	f.Add([]byte("PK\x03\x04"), `<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>`, someTexts, someBook)
	f.Add([]byte("id,sku"), `<worksheet><sheetData><row><c t="s"><v>7</v></c><c t="d"><v>2026-11-01</v></c></row></sheetData></worksheet>`, someTexts, someBook)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte, sheet, texts, book string) {
		if len(raw) > 0 {
			walkBook(t, dir, raw)
		}
		walkBook(t, dir, workbookOf(t, sheet, texts, book))
	})
}

func walkBook(t *testing.T, dir string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, "a.xlsx")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(path, Options{Sheets: []string{All}, TmpDir: dir, Wanted: []string{"id", "sku"}}).Open(t.Context())
	if err != nil {
		checkKind(t, err)
		return
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	last, sheet := 0, ""
	for n := 0; ; n++ {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			checkKind(t, err)
			return
		}
		if row.Header.Sheet != sheet {
			sheet, last = row.Header.Sheet, 0
		}
		if len(row.Cells) != len(row.Header.Columns) || row.Number <= last || row.Number > 1<<20 || n > len(content) {
			t.Fatalf("row %d of sheet %q follows %d with %d cells for %d columns", row.Number, sheet, last, len(row.Cells), len(row.Header.Columns))
		}
		last = row.Number
	}
}

func checkKind(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{ErrPassword, ErrNoWorkbook, ErrTooLarge, ErrDamaged, ErrEmpty} {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Errorf("the error is of no kind that is named: %v", err)
}
