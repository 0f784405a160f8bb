package xlsxfile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"makegood/reconcile"
)

// shared finds a folder of the data beside the project, or skips the test.
func shared(t testing.TB, folder string) string {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	path := filepath.Join(root, "..", "shared", "data", folder)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the data is not here: %v", err)
	}
	return path
}

// count reads every sheet of a file.
func count(ctx context.Context, path, tmpDir string) (rows int, err error) {
	c, err := New(path, Options{Sheets: []string{All}, TmpDir: tmpDir}).Open(ctx)
	if err != nil {
		return 0, err
	}
	for {
		if _, err := c.Next(); err == io.EOF {
			return rows, c.Close()
		} else if err != nil {
			return rows, errors.Join(err, c.Close())
		}
		rows++
	}
}

// What the corpus must give: rows below the header, or what the error says.
// Files that are not named here must give one or the other.
var (
	corpusRows = map[string]int{
		"calamine/any_sheets.xlsx": 3, "calamine/date_1904.xlsx": 2, "calamine/issue_174.xlsx": 1,
		"calamine/inlineStr_with_value.xlsx": 1, "calamine/minimal_package.xlsx": 193, "calamine/strict_iso_paths.xlsx": 75,
		"calamine/non_monotonic_si.xlsx": 5, "calamine/nonstandard-xml-ns-prefix.xlsx": 2, "calamine/table_with_absolute_paths.xlsx": 4,
		"messytables/large.xlsx": 8582, "messytables/simple.xlsx": 6, "messytables/sw_gen.xlsx": 15, "excelize/MergeCell.xlsx": 11,
		"calamine/empty_s_attribute.xlsx": 4,
	}
	corpusErrors = map[string]string{
		"calamine/pass_protected.xlsx":  "is protected with a password",
		"calamine/pass_protected.xlsb":  "is protected with a password",
		"excelize/encryptAES.xlsx":      "is protected with a password",
		"excelize/encryptSHA1.xlsx":     "is protected with a password",
		"excelize/BadWorkbook.xlsx":     "holds no workbook",
		"calamine/issue252.xlsx":        "is damaged",
		"calamine/empty_sheet.xlsx":     "hold no rows",
		"messytables/libreoffice.xlsx":  "hold no rows",
		"calamine/date.ods":             "an OpenDocument file (.ods)",
		"calamine/pass_protected.ods":   "an OpenDocument file (.ods)",
		"calamine/date.xlsb":            "a binary workbook (.xlsb)",
		"calamine/issue_666_panic.xlsb": "a binary workbook (.xlsb)",
		"calamine/LICENSE-MIT.md":       "looks like text/plain",
	}
)

func TestCorpus(t *testing.T) {
	root, tmp := shared(t, "xlsx_corpus"), t.TempDir()
	files, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	before := heap()
	for i, path := range files {
		if testing.Short() && i%3 > 0 {
			continue
		}
		name, _ := filepath.Rel(root, path)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		rows, err := count(ctx, path, tmp)
		if ctx.Err() != nil {
			t.Errorf("%s: hangs", name)
		}
		cancel()
		if want := corpusErrors[name]; err != nil && (want == "" && corpusRows[name] > 0 || !strings.Contains(err.Error(), want)) ||
			err == nil && want != "" {
			t.Errorf("%s: error %v; want one that says %q", name, err, want)
		}
		if want := corpusRows[name]; want > 0 && rows != want {
			t.Errorf("%s: %d rows, want %d", name, rows, want)
		}
	}
	grown := heap() - before
	t.Logf("%d files; the heap in use grew by %d KiB", len(files), grown>>10)
	if grown > 64<<20 {
		t.Errorf("the heap in use grew by %d MiB", grown>>20)
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("%d files were left unpacked", len(left))
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// Both systems of dates, from the same day in two workbooks of the corpus.
func TestDateSystems(t *testing.T) {
	root := shared(t, "xlsx_corpus")
	for file, serial := range map[string]float64{"date.xlsx": 44197, "date_1904.xlsx": 42735} {
		c, err := New(filepath.Join(root, "calamine", file), Options{TmpDir: t.TempDir()}).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		row, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		day, err := row.Header.Serial(serial)
		if want := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC); err != nil || !day.Equal(want) {
			t.Errorf("%s: day %v is %v, error %v; want %v", file, serial, day, err, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 541,909 rows")
	}
	path := filepath.Join(shared(t, "online_retail"), "online_retail.xlsx")
	c, err := New(path, Options{TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var sum reconcile.Decimal
	rows, last := 0, 0
	for {
		row, err := c.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows, last = rows+1, row.Number
		if strings.ContainsAny(row.Cells[0][:1], "CA") {
			continue
		}
		sum = add(t, sum, row.Cells[3], row.Cells[5])
	}
	if rows != 541_909 || last != 541_910 || sum.String() != "10655622.484" {
		t.Errorf("%d rows, the last is row %d, sum %v; want 541909, 541910, 10655622.484", rows, last, sum)
	}
}

func add(t *testing.T, sum reconcile.Decimal, quantity, price string) reconcile.Decimal {
	t.Helper()
	q, err := reconcile.ParseDecimal(quantity)
	if err != nil {
		t.Fatal(quantity, err)
	}
	p, err := reconcile.ParseDecimal(price)
	if err != nil {
		t.Fatal(price, err)
	}
	line, err := reconcile.Mul(q, p)
	if err != nil {
		t.Fatal(err)
	}
	sum, err = reconcile.Add(sum, line)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// BenchmarkOnlineRetail/rows against /bare says what this package costs on
// top of the library.
func BenchmarkOnlineRetail(b *testing.B) {
	path := filepath.Join(shared(b, "online_retail"), "online_retail.xlsx")
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			bare(b, path)
		}
	})
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			if n, err := count(b.Context(), path, b.TempDir()); err != nil || n != 541_909 {
				b.Fatalf("%d rows, error %v", n, err)
			}
		}
	})
}

func bare(b *testing.B, path string) {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true, TmpDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != 541_910 {
		b.Fatalf("%d rows", n)
	}
}
