package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bookParts are the parts of a workbook of one sheet, in the order in which they
// are written.
type bookParts struct {
	names []string
	parts map[string]func(io.Writer)
}

func (b *bookParts) put(name string, write func(io.Writer)) {
	if b.parts[name] == nil {
		b.names = append(b.names, name)
	}
	b.parts[name] = write
}

func (b *bookParts) text(name, text string) {
	b.put(name, func(w io.Writer) { _, _ = io.WriteString(w, text) })
}

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	officeMap = "http://schemas.openxmlformats.org/package/2006/relationships"
	officeDoc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	sheetsNS  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
)

// textCell is a cell with its text in it.
func textCell(at, text string) string {
	return fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, at, text)
}

// textRow is a row of such cells.
func textRow(n int, texts ...string) string {
	row := fmt.Sprintf(`<row r="%d">`, n)
	for i, text := range texts {
		row += textCell(fmt.Sprintf("%c%d", 'A'+i, n), text)
	}
	return row + "</row>"
}

// sheetOf is a sheet that holds rows.
func sheetOf(rows string) string {
	return xmlHead + `<worksheet xmlns="` + sheetsNS + `"><sheetData>` + rows + `</sheetData></worksheet>`
}

// usualRows are a header, and an order that can be sent.
func usualRows() string {
	return textRow(1, strings.Split(usualHeader, ",")...) + textRow(2, "1001", ago(3*time.Hour), "ann@example.com", "MUG", "1", "12.50")
}

// newBook is a workbook that is as it should be.
func newBook() *bookParts {
	b := &bookParts{parts: map[string]func(io.Writer){}}
	b.text("[Content_Types].xml", xmlHead+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`)
	b.text("_rels/.rels", xmlHead+`<Relationships xmlns="`+officeMap+`"><Relationship Id="rId1" Type="`+officeDoc+`/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	b.text("xl/workbook.xml", xmlHead+`<workbook xmlns="`+sheetsNS+`" xmlns:r="`+officeDoc+`"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>`)
	b.text("xl/_rels/workbook.xml.rels", xmlHead+`<Relationships xmlns="`+officeMap+`"><Relationship Id="rId1" Type="`+officeDoc+`/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="`+officeDoc+`/sharedStrings" Target="sharedStrings.xml"/></Relationships>`)
	b.text("xl/sharedStrings.xml", xmlHead+`<sst xmlns="`+sheetsNS+`"/>`)
	b.text("xl/worksheets/sheet1.xml", sheetOf(usualRows()))
	return b
}

func (b *bookParts) bytes(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, name := range b.names {
		w, err := z.Create(name)
		check(t, err)
		b.parts[name](w)
	}
	check(t, z.Close())
	return file.Bytes()
}

// again writes a text many times.
func again(w io.Writer, n int, text string) {
	for range n {
		_, _ = io.WriteString(w, text)
	}
}

// TestHarmUploadOfAHostileWorkbook: a workbook that is made to do harm is refused
// in words, or read for what stands in its cells; the service lives, nothing is
// fetched, and nothing is sent.
func TestHarmUploadOfAHostileWorkbook(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ann := u.signedIn("ann")
	for name, c := range hostileBooks(u.url) {
		b := newBook()
		c.spoil(b)
		path := ann.upload(http.StatusOK, name+".xlsx", b.bytes(t))
		page := readAloud(ann.get(http.StatusOK, path))
		if !strings.Contains(page, "This file cannot be used") || !strings.Contains(page, c.words) || strings.Contains(page, "root:") {
			t.Errorf("%s: %s", name, page)
		}
		ann.post(http.StatusConflict, path+"/columns", url.Values{"column-0": {"order"}})
		ann.post(http.StatusOK, path+"/remove", nil)
	}

	path := ann.upload(http.StatusOK, "liar.xlsx", liar(t))
	ann.contains(ann.page, "This file cannot be used")
	ann.post(http.StatusOK, path+"/remove", nil)

	// Formulas are what they were when the file was saved: nothing reckons them.
	b := newBook()
	b.text("xl/worksheets/sheet1.xml", sheetOf(usualRows()+`<row r="3"><c r="A3"><f>WEBSERVICE("`+u.url+`/stolen")</f></c><c r="B3" t="str"><f>cmd|'/c calc'!A0</f><v>x</v></c></row>`))
	path = ann.upload(http.StatusOK, "formulas.xlsx", b.bytes(t))
	ann.contains(sums(ann.preview(path, nil)), "rows without an order number 1/0/0")
	ann.post(http.StatusOK, path+"/remove", nil)
	for _, outside := range []string{filepath.Join(u.dir, "outside.txt"), filepath.Join(u.dir, "state", "outside.txt"), filepath.Join(u.dir, "state", "uploads", "outside.txt")} {
		if _, err := os.Stat(outside); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", outside, err)
		}
	}
	u.leftNothing()
}

// liar is a workbook whose sheet unpacks to far more than it says.
func liar(t *testing.T) []byte {
	t.Helper()
	var packed, file bytes.Buffer
	squeeze, err := flate.NewWriter(&packed, flate.BestSpeed)
	check(t, err)
	again(squeeze, 64, strings.Repeat(" ", 1<<20))
	check(t, squeeze.Close())
	b, z := newBook(), zip.NewWriter(&file)
	for _, name := range b.names {
		if name == "xl/worksheets/sheet1.xml" {
			continue
		}
		w, err := z.Create(name)
		check(t, err)
		b.parts[name](w)
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: 1000})
	check(t, err)
	_, err = w.Write(packed.Bytes())
	check(t, err)
	check(t, z.Close())
	return file.Bytes()
}

// hostileBook is how a workbook is spoiled, and what is said of it.
type hostileBook struct {
	spoil func(*bookParts)
	words string
}

// withPart is a workbook with a part that it need not have.
func withPart(name string) func(*bookParts) {
	return func(b *bookParts) { b.text(name, "anything") }
}

// leadingTo is a workbook with a part under a name that says nothing, and a
// relationship of a type that leads to it.
func leadingTo(kind, more string) func(*bookParts) {
	return func(b *bookParts) {
		b.text("xl/v/p.bin", "anything")
		b.text("xl/worksheets/_rels/sheet1.xml.rels", xmlHead+`<Relationships xmlns="`+officeMap+`"><Relationship Id="rId9" Type="`+kind+`" Target="../v/p.bin"`+more+`/></Relationships>`)
	}
}

// hostileBooks are workbooks that are made to do harm.
func hostileBooks(site string) map[string]hostileBook {
	bigSheet := func(write func(io.Writer)) func(*bookParts) {
		return func(b *bookParts) {
			b.put("xl/worksheets/sheet1.xml", func(w io.Writer) {
				_, _ = io.WriteString(w, xmlHead+`<worksheet xmlns="`+sheetsNS+`"><sheetData>`)
				write(w)
				_, _ = io.WriteString(w, `</sheetData></worksheet>`)
			})
		}
	}
	declared := func(declaration, more string) func(*bookParts) {
		return func(b *bookParts) {
			b.text("xl/worksheets/sheet1.xml", strings.Replace(sheetOf(usualRows()+more), xmlHead, xmlHead+declaration, 1))
		}
	}
	linked := func(target string) func(*bookParts) {
		return func(b *bookParts) {
			b.text("xl/_rels/workbook.xml.rels", xmlHead+`<Relationships xmlns="`+officeMap+`"><Relationship Id="rId1" Type="`+officeDoc+`/worksheet" Target="`+target+`"/></Relationships>`)
		}
	}
	return map[string]hostileBook{
		"entities":         {declared(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`, ""), "declares entities"},
		"entity in a cell": {declared(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, `<row r="3"><c r="A3" t="inlineStr"><is><t>&e;</t></is></c></row>`), "declares entities"},
		"late entities":    {declared("<!--"+strings.Repeat(" ", 2*prologue)+"-->"+`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, `<row r="3"><c r="A3" t="inlineStr"><is><t>&e;</t></is></c></row>`), "invalid character entity"},
		"shared strings": {func(b *bookParts) {
			b.put("xl/sharedStrings.xml", func(w io.Writer) {
				_, _ = io.WriteString(w, xmlHead+`<sst xmlns="`+sheetsNS+`" count="90000000">`)
				again(w, 300, "<si><t>"+strings.Repeat("x", 1_000_000)+"</t></si>")
				_, _ = io.WriteString(w, "</sst>")
			})
		}, "its texts have more than 256 MiB"},
		"empty rows": {bigSheet(func(w io.Writer) {
			_, _ = io.WriteString(w, usualRows())
			again(w, 2_000_000, "<row/>")
		}), "more than 1048576 rows"},
		"a far row": {bigSheet(func(w io.Writer) {
			_, _ = io.WriteString(w, usualRows()+`<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>`)
		}), "more than 1048576 rows"},
		"columns": {bigSheet(func(w io.Writer) {
			for range 3 {
				_, _ = io.WriteString(w, "<row>")
				for i := range 16_384 {
					_, _ = fmt.Fprintf(w, `<c t="inlineStr"><is><t>c%d</t></is></c>`, i)
				}
				_, _ = io.WriteString(w, "</row>")
			}
		}), "more than 300 columns"},
		"macros":              {withPart("xl/vbaProject.bin"), "holds macros"},
		"old macros":          {withPart("xl/macrosheets/sheet1.xml"), "holds macros"},
		"controls":            {withPart("xl/activeX/activeX1.bin"), "controls that run programs"},
		"a file in the file":  {withPart("xl/embeddings/oleObject1.bin"), "other files inside it"},
		"external links":      {withPart("xl/externalLinks/externalLink1.xml"), "links to other files"},
		"macros by type":      {leadingTo("http://schemas.microsoft.com/office/2006/relationships/vbaProject", ""), "holds macros"},
		"links by type":       {leadingTo(officeDoc+"/externalLink", ""), "links to other files"},
		"data by type":        {leadingTo(officeDoc+"/connections", ""), "fetches data"},
		"files by type":       {leadingTo(officeDoc+"/oleObject", ""), "other files inside it"},
		"a picture of a site": {leadingTo(officeDoc+"/image", ` TargetMode="External"`), "links to other files"},
		"data connections":    {withPart("xl/connections.xml"), "fetches data"},
		"a sheet elsewhere":   {linked(site + `/sheet1.xml" TargetMode="External`), "is missing"},
		"a sheet of a path":   {linked("../../../../../../etc/passwd"), "is missing"},
		"a part outside":      {func(b *bookParts) { b.text("../outside.txt", "x"); linked("../../outside.txt")(b) }, "is"},
	}
}
