package csvfile_test

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"makegood/config"
	"makegood/sources/csvfile"
	"makegood/sources/sourcetest"
	"makegood/sources/table"
)

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, func(t testing.TB, rows [][]string) table.File {
		var b strings.Builder
		if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		return csvfile.New(write(t, b.String()), config.Table{})
	})
}

// seen is a row as a test compares it.
type seen struct {
	Row     int
	Cells   string
	Problem bool
}

func read(t *testing.T, text string, o config.Table) (columns []string, rows []seen, err error) {
	t.Helper()
	c, err := csvfile.New(write(t, text), o, "a", "b").Open(t.Context())
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return columns, rows, nil
		}
		if err != nil {
			return columns, rows, err
		}
		columns = row.Header.Columns
		rows = append(rows, seen{row.Number, strings.Join(row.Cells, "|"), row.Problem != ""})
	}
}

func TestRows(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		o    config.Table
		want []seen
	}{
		"plain":          {"a,b\n1,2\n3,4\n", config.Table{}, []seen{{2, "1|2", false}, {3, "3|4", false}}},
		"quotes":         {"a,b\n\"1,\"\"x\",\"2\n2\"\n3,4", config.Table{}, []seen{{2, "1,\"x|2\n2", false}, {4, "3|4", false}}},
		"short":          {"a,b\n1\n", config.Table{}, []seen{{2, "1|", false}}},
		"long but empty": {"a,b\n1,2,,\n", config.Table{}, []seen{{2, "1|2", false}}},
		"long":           {"a,b\n1,2,3\n4,5\n", config.Table{}, []seen{{2, "1|2", true}, {3, "4|5", false}}},
		"bare quote":     {"a,b\n1,2\"x\n3,4\n", config.Table{}, []seen{{2, "1|", true}, {3, "3|4", false}}},
		"quote in field": {"a,b\n1,\"2\"x\n3,4\n", config.Table{}, []seen{{2, "1|", true}, {3, "3|4", false}}},
		"bom":            {"\ufeff\"a\",b\r\n1,2\r\n", config.Table{}, []seen{{2, "1|2", false}}},
		"carriage":       {"a,b\r1,2\r3,4\r", config.Table{}, []seen{{2, "1|2", false}, {3, "3|4", false}}},
		"preamble":       {"Orders of \"May\n\na,b\n1,2\n", config.Table{HeaderRow: 3}, []seen{{4, "1|2", false}}},
		"cp1252":         {"a;b\n\x80;\xe9\n", config.Table{Delimiter: ";", Encoding: "windows-1252"}, []seen{{2, "€|é", false}}},
		"utf16":          {"\xff\xfea\x00\t\x00b\x00\n\x001\x00\t\x002\x00", config.Table{Delimiter: "\t"}, []seen{{2, "1|2", false}}},
		"found cp1252":   {"a;b\n\x80;\xe9\n", config.Table{}, []seen{{2, "\u20ac|\u00e9", false}}},
		"found utf16":    {"a\x00|\x00b\x00\n\x001\x00|\x002\x00", config.Table{}, []seen{{2, "1|2", false}}},
		"found utf16be":  {"\x00a\x00;\x00b\x00\n\x001\x00;\x002", config.Table{}, []seen{{2, "1|2", false}}},
		"sep line":       {"sep=;\r\na;b\r\n1,5;2,5\r\n", config.Table{}, []seen{{3, "1,5|2,5", false}}},
		"odd sep line":   {"\"sep=^\"\na^b\n1^2\n", config.Table{}, []seen{{3, "1|2", false}}},
		"equals signs":   {"a,b\n=\"01\",2\n\"x,=\"\"y\"\"\",=3\n1=\"2,=\"\"\n", config.Table{}, []seen{{2, "01|2", false}, {3, "x,=\"y\"|=3", false}, {4, "|", true}}},
		"all equals":     {"=\"a\";=\"b\"\n=\"0,1\";=\"2\"\n", config.Table{}, []seen{{2, "0,1|2", false}}},
		"steady":         {"a,b\n1;2,3;4\n", config.Table{}, []seen{{2, "1;2|3;4", false}}},
		"by name":        {"Orders; of May,\n\nb,c;a\na;b\n1,5;2,5\n", config.Table{}, []seen{{5, "1,5|2,5", false}}},
		"blank lines":    {"a,b\n\n1,2\n\n\n3,4\n", config.Table{}, []seen{{3, "1|2", false}, {6, "3|4", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			columns, rows, err := read(t, test.text, test.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b"}, columns); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.want, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		o    config.Table
		want error
		says string
	}{
		"empty":          {"", config.Table{}, csvfile.ErrEmpty, "orders.csv"},
		"only a mark":    {"\ufeff\n\n", config.Table{}, csvfile.ErrEmpty, ""},
		"delimiter":      {"a;b\n1;2\n", config.Table{Delimiter: ","}, csvfile.ErrDelimiter, `delimiter: ";"`},
		"cp1252":         {"a,b\n1,2\n\xe9,2\n", config.Table{Encoding: "utf-8"}, csvfile.ErrEncoding, "line 3, cell 1"},
		"a zero":         {"a\x00,b\n", config.Table{}, csvfile.ErrEncoding, "utf-16le"},
		"other encoding": {"a,b\n\xc4\x8f\x81\xe9,2\n", config.Table{}, csvfile.ErrEncoding, "neither"},
		"half UTF-8":     {"a,b\n\u00e9\u00e9\xe9,2\n", config.Table{}, csvfile.ErrEncoding, "windows-1252"},
		"two delimiters": {"x,y;z\n1,5;2\n", config.Table{}, table.ErrAmbiguous, "delimiter"},
		"gzip cut":       {"\x1f\x8b\x08\x00", config.Table{}, csvfile.ErrPacked, "orders.csv"},
		"zip cut":        {"PK\x03\x04", config.Table{}, csvfile.ErrPacked, "orders.csv"},
		"open quote":     {"a,b\n1,\"2\n3,4\n5,6\n", config.Table{}, csvfile.ErrQuotes, "line 2"},
		"swallowed rows": {"a,b\n1,\"2\n3,4\n5,\"6\"\n", config.Table{}, csvfile.ErrQuotes, "line 2"},
		"too wide":       {strings.Repeat("a,", 1<<14) + "\n", config.Table{}, csvfile.ErrTooWide, ""},
		"endless":        {"a,b\n1,\"" + strings.Repeat("x,y\n", 3<<20), config.Table{}, nil, "8 MiB"},
		"only cells":     {"a,b\n1,\"2\"" + strings.Repeat(",", 3<<20), config.Table{}, nil, "after line 1: a row has more than 262,144 cells"},
		"no preamble":    {"a\n", config.Table{HeaderRow: 5}, csvfile.ErrEmpty, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, test.text, test.o)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.says)
			}
		})
	}
}

// TestOldLineEndsAreLineEnds: a file without any LF is no single row.
func TestOldLineEndsAreLineEnds(t *testing.T) {
	_, rows, err := read(t, strings.Repeat("a,b,c,d\r", 1<<18), config.Table{})
	if err != nil || len(rows) != 1<<18-1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestMissingFile(t *testing.T) {
	path := write(t, "a,b\n")
	_, err := csvfile.New(filepath.Join(filepath.Dir(path), "order.csv"), config.Table{}).Open(t.Context())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "did you mean orders.csv?") {
		t.Error(err)
	}
}

func TestMark(t *testing.T) {
	path := write(t, "a,b\n1,2\n")
	f := csvfile.New(path, config.Table{})
	before, err := f.Mark()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("a,b\n1,2\n3,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := f.Mark(); err != nil || after == before {
		t.Errorf("the mark is %q before and %q after a change (%v)", before, after, err)
	}
}
