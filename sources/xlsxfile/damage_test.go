package xlsxfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// rewrite copies a workbook with one part changed.
func rewrite(t *testing.T, path, part string, change func(string) string) string {
	t.Helper()
	from, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, p := range from.File {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		w, err := to.Create(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name == part {
			content = []byte(change(string(content)))
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "altered.xlsx", out.Bytes())
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// many is a sheet that is unpacked to disk, with texts that differ.
func many(n int) grid {
	rows := grid{{"id", "sku", "quantity"}}
	for i := range n {
		rows = append(rows, []any{fmt.Sprintf("order %06d", i), fmt.Sprintf("sku %06d", i), i})
	}
	return rows
}

// A fault in the middle of a sheet must never pass for its end: the library's
// iterator says nothing.
func TestDamagedSheet(t *testing.T) {
	const sheet = "xl/worksheets/sheet1.xml"
	small, large := save(t, sheet1(many(10))), save(t, sheet1(many(3000)))
	for name, path := range map[string]string{"in memory": small, "on disk": large} {
		if rows, _, err := read(t, path, Options{}); err != nil || len(rows)%10 != 0 || len(rows) == 0 {
			t.Fatalf("%s, whole: %d rows, error %v", name, len(rows), err)
		}
		for fault, change := range map[string]func(string) string{
			"a control character between rows": func(s string) string { return strings.Replace(s, `<row r="7"`, "\x0b"+`<row r="7"`, 1) },
			"a control character in a row":     func(s string) string { return strings.Replace(s, `<c r="C7"`, "\x0b"+`<c r="C7"`, 1) },
			"no UTF-8":                         func(s string) string { return strings.Replace(s, `<v>5</v>`, "<v>\xff</v>", 1) },
			"a tag that is not closed":         func(s string) string { return strings.Replace(s, `</row><row r="8"`, `<row r="8"`, 1) },
			"an end without a begin":           func(s string) string { return strings.Replace(s, `<row r="7"`, `</row><row r="7"`, 1) },
			"ends in the wrong order":          func(s string) string { return strings.Replace(s, `</v></c>`, `</c></v>`, 1) },
			"cut off between rows":             func(s string) string { return s[:strings.Index(s, `<row r="8"`)] },
			"cut off in a row":                 func(s string) string { return s[:strings.Index(s, `<c r="B8"`)] },
			"cut off in a tag":                 func(s string) string { return s[:strings.Index(s, `<c r="B8"`)+4] },
			"a cell beyond the last column":    func(s string) string { return strings.Replace(s, `r="C7"`, `r="XFE7"`, 1) },
			"a row beyond the last":            func(s string) string { return strings.Replace(s, `<row r="7"`, `<row r="1048577"`, 1) },
		} {
			rows, _, err := read(t, rewrite(t, path, sheet, change), Options{})
			if err == nil || !strings.Contains(err.Error(), `sheet "Sheet1" at row`) {
				t.Errorf("%s, %s: %d rows, error %v; want an error", fault, name, len(rows), err)
			}
		}
	}
}

func TestDamagedParts(t *testing.T) {
	if testing.Short() {
		t.Skip("a workbook whose texts do not fit into memory takes long")
	}
	small, large := save(t, sheet1(many(10))), save(t, func(f *excelize.File) {
		rows := many(30_000)
		for _, row := range rows[1:] {
			row[0] = row[0].(string) + strings.Repeat(".", 150)
		}
		put(f, "Sheet1", rows)
	})
	strange := func(s string) string { return strings.Replace(s, "sku 000005", "sku \x0b", 1) }
	for name, path := range map[string]string{
		"texts":           rewrite(t, small, "xl/sharedStrings.xml", strange),
		"texts on disk":   rewrite(t, large, "xl/sharedStrings.xml", strange),
		"workbook":        rewrite(t, small, "xl/workbook.xml", func(s string) string { return s[:len(s)/2] }),
		"cut off":         write(t, "cut.xlsx", content(t, large)[:50_000]),
		"altered":         write(t, "altered.xlsx", flip(content(t, small), "xl/worksheets/sheet1.xml")),
		"altered on disk": write(t, "altered.xlsx", flip(content(t, large), "xl/worksheets/sheet1.xml")),
	} {
		if rows, _, err := read(t, path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %d rows, error %v; want ErrDamaged", name, len(rows), err)
		}
	}
	rows, _, err := read(t, large, Options{})
	if want := ".|sku 029999|29999"; err != nil || len(rows) != 30_000 || !strings.HasSuffix(rows[29_999], want) {
		t.Errorf("texts on disk, whole: %d rows, error %v; want the last to end with %q", len(rows), err, want)
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flip alters a byte inside the compressed part of that name.
func flip(archive []byte, part string) []byte {
	b := bytes.Clone(archive)
	b[bytes.Index(b, []byte(part))+len(part)+200] ^= 0x10
	return b
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	good := save(t, sheet1(many(2)))
	protected := save(t, sheet1(many(2)), excelize.Options{Password: "open sesame"})
	archive := func(name, content string) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		w, _ := z.Create(name)
		io.WriteString(w, content)
		z.Close()
		return out.Bytes()
	}
	for name, test := range map[string]struct {
		path     string
		password string
		is       error
		says     string
	}{
		"missing":        {filepath.Join(filepath.Dir(good), "order.xlsx"), "", fs.ErrNotExist, "did you mean orders.xlsx?"},
		"folder":         {dir, "", ErrNoWorkbook, "folder"},
		"empty file":     {write(t, "a.xlsx", nil), "", ErrEmpty, "no bytes"},
		"CSV":            {write(t, "a.xlsx", []byte("id;sku\n1;2\n")), "", ErrNoWorkbook, "text/plain"},
		"web page":       {write(t, "a.xls", []byte("<html><table>")), "", ErrNoWorkbook, "text/html"},
		"OpenDocument":   {write(t, "a.ods", archive("mimetype", "application/vnd.oasis.opendocument.spreadsheet")), "", ErrNoWorkbook, ".ods"},
		"binary":         {write(t, "a.xlsb", archive("xl/workbook.bin", "")), "", ErrNoWorkbook, ".xlsb"},
		"other archive":  {write(t, "a.zip", archive("orders.csv", "id;sku")), "", ErrNoWorkbook, "holds no workbook"},
		"no rows":        {save(t, sheet1(nil)), "", ErrEmpty, "no rows"},
		"protected":      {protected, "", ErrPassword, "give the source's password"},
		"wrong password": {protected, "sesame", ErrPassword, "does not open it"},
		"other Office":   {write(t, "a.xls", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more")), "", ErrNoWorkbook, "another kind of Office file"},
		"large cell": {rewrite(t, good, "xl/worksheets/sheet1.xml", func(s string) string {
			return strings.Replace(s, "<v>1</v></c></row></sheetData>", "<v>"+strings.Repeat("1", maxCell+1)+"</v></c></row></sheetData>", 1)
		}), "", ErrTooLarge, "a cell has 1048577 bytes"},
	} {
		_, _, err := read(t, test.path, Options{Password: test.password})
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), filepath.Base(test.path)) {
			t.Errorf("%s: error %v; want one that says %q", name, err, test.says)
		}
	}
	if rows, _, err := read(t, protected, Options{Password: "open sesame"}); err != nil || len(rows) != 2 {
		t.Errorf("right password: rows %q, error %v", rows, err)
	}
}

// A bomb is refused by what its directory says, before a byte is unpacked.
func TestMeasure(t *testing.T) {
	for name, test := range map[string]struct {
		parts map[string]uint64
		is    error
	}{
		"large sheet":     {map[string]uint64{"xl/worksheets/sheet1.xml": 1 << 30}, nil},
		"too large":       {map[string]uint64{"xl/worksheets/sheet1.xml": 1 << 30, "xl/worksheets/sheet2.xml": 1<<30 + 1}, ErrTooLarge},
		"lying directory": {map[string]uint64{"a.xml": 1 << 63, "b.xml": 1 << 63}, ErrTooLarge},
		"pictures":        {map[string]uint64{"xl/media/image1.png": 3 << 30}, nil},
	} {
		c := &container{parts: map[string]*zip.File{}}
		for part, size := range test.parts {
			c.parts[part] = &zip.File{FileHeader: zip.FileHeader{Name: part, UncompressedSize64: size}}
		}
		if err := c.measure(); !errors.Is(err, test.is) {
			t.Errorf("%s: error %v, want %v", name, err, test.is)
		}
	}
}
