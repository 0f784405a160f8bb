package csvfile_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"makegood/config"
	"makegood/sources/csvfile"
	"makegood/sources/table"
)

// walk reads a file to its end. Errors must be of a kind that is meant.
func walk(t *testing.T, f *csvfile.File) (columns []string, rows [][]string, notes []string, err error) {
	t.Helper()
	c, err := f.Open(t.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	defer c.Close()
	columns = c.(table.Headed).Header().Columns
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return columns, rows, c.Notes(), nil
		}
		if err != nil {
			return columns, rows, c.Notes(), err
		}
		if row.Problem == "" {
			rows = append(rows, append([]string(nil), row.Cells...))
		}
	}
}

func TestNotes(t *testing.T) {
	text := "Orders\n\na;b\n1;\xe9\n"
	_, _, notes, err := walk(t, csvfile.New(write(t, text), config.Table{}, "a", "b"))
	want := []string{"orders.csv was read as Windows-1252, because it is not valid UTF-8",
		`orders.csv was read with the delimiter ";"`, "orders.csv has its header on line 3; what stands before it was left out"}
	if diff := cmp.Diff(want, notes); diff != "" || err != nil {
		t.Error(diff, err)
	}
	set := config.Table{Encoding: "windows-1252", Delimiter: ";", HeaderRow: 3}
	if _, _, notes, err := walk(t, csvfile.New(write(t, text), set)); len(notes) > 0 || err != nil {
		t.Errorf("what is set is noted: %q (%v)", notes, err)
	}
}

// TestLateLetter: the byte that tells the encoding is far behind the sample.
func TestLateLetter(t *testing.T) {
	text := "a,b\n" + strings.Repeat("1,2\n", 1<<19) + "\xe9,2\n"
	_, rows, notes, err := walk(t, csvfile.New(write(t, text), config.Table{}))
	if err != nil || len(rows) != 1<<19+1 || rows[1<<19][0] != "é" || len(notes) != 1 {
		t.Errorf("%d rows, notes %q (%v)", len(rows), notes, err)
	}
}

func packed(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(w, "a;b\n1;2\n")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, b.String())
}

func TestPacked(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, "a;b\n1;2\n"); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"gz": write(t, b.String()), "zip": packed(t, "x/", "__MACOSX/._x.csv", "x.csv")} {
		_, rows, _, err := walk(t, csvfile.New(path, config.Table{}))
		if diff := cmp.Diff([][]string{{"1", "2"}}, rows); diff != "" || err != nil {
			t.Error(name, diff, err)
		}
	}
	if _, rows, _, err := walk(t, csvfile.New(packed(t, "readme.txt", "a.csv"), config.Table{})); err != nil || len(rows) != 1 {
		t.Errorf("a text beside the table: %d rows, %v", len(rows), err)
	}
	for says, path := range map[string]string{"holds 2 files (a.csv, b.csv)": packed(t, "a.csv", "b.csv"), "holds 0 files": packed(t),
		"type: xlsx": packed(t, "[Content_Types].xml"), "unexpected EOF": write(t, b.String()[:b.Len()-9])} {
		if _, _, _, err := walk(t, csvfile.New(path, config.Table{})); !errors.Is(err, csvfile.ErrPacked) || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	for text, says := range map[string]string{
		"\n<!DOCTYPE html><html>": "a web page", "\ufeff{\"orders\": []}": "JSON", "[{\"id\": 1}]": "JSON", "<?xml version=\"1.0\"?>": "XML",
		"\xd0\xcf\x11\xe0\xa1\xb1": "old .xls", "SQLite format 3\x00": "type: sql", "%PDF-1.7": "a PDF", "\xff\xfe\x00\x00a\x00\x00\x00": "UTF-32",
	} {
		if _, _, _, err := walk(t, csvfile.New(write(t, text), config.Table{})); !errors.Is(err, csvfile.ErrNoTable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q gave %v, want %q", text, err, says)
		}
	}
}

func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "csv_corpus", pattern))
	if len(paths) == 0 {
		t.Skip("needs ../shared/data/csv_corpus beside the project")
	}
	return paths
}

func TestSpectrum(t *testing.T) {
	for _, path := range corpus(t, "csv-spectrum/csvs/*.csv") {
		name := strings.TrimSuffix(filepath.Base(path), ".csv")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "..", "json", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if text[0] == '{' {
				text = []byte("[" + string(text) + "]")
			}
			var want []map[string]string
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			columns, rows, _, err := walk(t, csvfile.New(path, config.Table{}))
			if err != nil {
				t.Fatal(err)
			}
			var got []map[string]string
			for _, row := range rows {
				one := map[string]string{}
				for i, column := range columns {
					one[column] = row[i]
				}
				got = append(got, one)
			}
			if name == "location_coordinates" { // a quote stands inside a value: a bad row, which is named
				want = nil
			}
			for _, one := range want { // encoding/csv reads CRLF inside of quotes as LF
				for k, v := range one {
					one[k] = strings.ReplaceAll(v, "\r\n", "\n")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMessyTables(t *testing.T) {
	known := []error{csvfile.ErrNoTable, csvfile.ErrEmpty, csvfile.ErrEncoding, csvfile.ErrDelimiter, csvfile.ErrQuotes, csvfile.ErrPacked, table.ErrAmbiguous}
	want := map[string]int{"simple.csv": 3, "simple.ssv": 3, "simple.psv": 6, "simple.zip": 3, "example.tsv": 17, "utf8bom.csv": 2,
		"skip_initials.csv": 2, "spanish_chars.csv": 8, "utf-16le_encoded.csv": 19, "211.csv": 96, "small.csv": 1, "long.csv": 1}
	for _, path := range corpus(t, "messytables/*") {
		name := filepath.Base(path)
		columns, rows, notes, err := walk(t, csvfile.New(path, config.Table{}))
		t.Logf("%s: %d columns, %d rows, %q, %v", name, len(columns), len(rows), notes, err)
		if n, ok := want[name]; ok && (len(columns) != n || err != nil) {
			t.Errorf("%s has %d columns, want %d (%v)", name, len(columns), n, err)
		}
		meant := err == nil
		for _, one := range known {
			meant = meant || errors.Is(err, one)
		}
		if !meant {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

func FuzzDialect(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), uint8(0), "x;y", "1,5")
	f.Add([]byte("sep=;\na;b\n"), uint8(1), "\"", "\n")
	f.Add([]byte("=\"a\",=\"b\"\n"), uint8(0), "=\"x\"", ",=\"y\",")
	f.Add([]byte("\xff\xfea\x00"), uint8(2), "é", "|")
	f.Add([]byte("\x1f\x8b\x08"), uint8(3), "", "\t")
	f.Fuzz(func(t *testing.T, raw []byte, at uint8, one, two string) {
		_, _, _, _ = walk(t, csvfile.New(write(t, string(raw)), config.Table{}, "a", "b"))
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = []rune{',', ';', '\t', '|'}[at%4]
		one, two = strings.ToValidUTF8(one, ""), strings.ToValidUTF8(two, "")
		if strings.ContainsAny(one+two, "\r\x00") {
			return // encoding/csv itself reads CR otherwise than it wrote it
		}
		want := [][]string{{"order", "first", "second"}, {"1", one, two}, {"2", two, one}}
		if err := w.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		columns, rows, _, err := walk(t, csvfile.New(write(t, b.String()), config.Table{}, "order", "first", "second"))
		if err != nil {
			t.Fatalf("%q: %v", b.String(), err)
		}
		if diff := cmp.Diff(want, append([][]string{columns}, rows...)); diff != "" {
			t.Errorf("%q: %s", b.String(), diff)
		}
	})
}
