package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"makegood/sources/table"
)

var _ table.File = (*File)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// makeDatabase makes an SQLite file of the statements and gives its path.
func makeDatabase(t *testing.T, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop orders.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return path
}

// readAll gives the rows of a file, cells joined by "|", with their problem
// behind "!".
func readAll(ctx context.Context, f table.File) (rows []string, columns []string, err error) {
	c, err := f.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for {
		row, err := c.Next()
		if err == io.EOF {
			return rows, columns, nil
		}
		if err != nil {
			return rows, columns, err
		}
		columns = row.Header.Columns
		text := strings.Join(row.Cells, "|")
		for _, f := range row.Faults {
			text += fmt.Sprintf("!column %s %s", columns[f.At], f.Text)
		}
		rows = append(rows, text)
		if row.Number != len(rows) {
			return rows, columns, fmt.Errorf("row %d is numbered %d", len(rows), row.Number)
		}
	}
}

func TestStoredValues(t *testing.T) {
	declared := []string{"DATETIME", "TIMESTAMP", "DATE", "DECIMAL(10,2)", "BOOLEAN", "TEXT", "REAL", "BLOB", ""}
	for _, d := range declared {
		for literal, want := range map[string]string{
			"'12 o''clock, Monday'":       "12 o'clock, Monday", // year 1 where the declared type is believed
			"'2026-11-01T10:00:00+01:00'": "2026-11-01T10:00:00+01:00",
			"'2026-11-01 10:00:00'":       "2026-11-01 10:00:00",
			"NULL":                        "",
			"''":                          "",
			"0.1 + 0.2":                   "0.3",
			"2.5499999999999998":          "2.55",
			"-0.001":                      "-0.001",
			"4.440892E-16":                "0.0000000000000004440892",
			"x'C3A9'":                     "é",
			"x'FF00'":                     "!column v holds bytes that are no UTF-8 text",
			"9e999":                       "!column v holds a number beyond all limits",
		} {
			path := makeDatabase(t, "CREATE TABLE t (v "+d+")", "INSERT INTO t VALUES ("+literal+")")
			rows, _, err := readAll(t.Context(), New("shop", path, "", Options{Table: "t"}))
			if d == "TEXT" && strings.ContainsAny(literal[:2], "0249-") {
				continue // the database itself makes text of them
			}
			if err != nil || len(rows) != 1 || rows[0] != want {
				t.Errorf("%s in a column %s: rows %q, error %v; want %q", literal, d, rows, err, want)
			}
		}
	}
}

func TestIntegers(t *testing.T) {
	for _, d := range []string{"DATETIME", "DATE", "BOOLEAN", "INTEGER", ""} {
		path := makeDatabase(t, "CREATE TABLE t (v "+d+")", "INSERT INTO t VALUES (7), (1793523600), (9223372036854775807), (-3)")
		rows, _, err := readAll(t.Context(), New("shop", path, "", Options{Table: "t"}))
		if want := []string{"7", "1793523600", "9223372036854775807", "-3"}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("column %s: rows %q, error %v; want %q", d, rows, err, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		17850: "17850", 2.55: "2.55", 123456789012.345: "123456789012.345",
		1e15: "1E+15", 1.9143e18: "1.9143E+18", 999999999999999: "999999999999999", -1e-3: "-0.001",
	} {
		if got, problem := number(f, 64); got != want || problem != "" {
			t.Errorf("number(%v) = %q, %q; want %q", f, got, problem, want)
		}
	}
	if got, _ := number(math.Copysign(0, -1), 64); got != "0" {
		t.Errorf("number(-0) = %q", got)
	}
}

func TestParameters(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT a:b, $c, x$y, ?, ?2, @d":              ":b $c ? ?2 @d",
		"SELECT ':a', \":b\", [:c], `:d`, 'it''s :e'": "",
		"-- :a\n:b /* :c */ :b":                       ":b",
		"'open :a":                                    "",
		"a >= :from AND b<:to":                        ":from :to",
		"é:from":                                      ":from",
	} {
		if got := strings.Join(parameters(query), " "); got != want {
			t.Errorf("parameters(%q) = %q, want %q", query, got, want)
		}
	}
}

func TestQuotedTable(t *testing.T) {
	path := makeDatabase(t, `CREATE TABLE "my ""best"" orders" (id)`, `INSERT INTO "my ""best"" orders" VALUES ('a')`)
	rows, _, err := readAll(t.Context(), New("shop", path, "", Options{Table: `my "best" orders`}))
	if err != nil || !slices.Equal(rows, []string{"a"}) {
		t.Errorf("rows %q, error %v", rows, err)
	}
}

func TestDSN(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE t (v)", "INSERT INTO t VALUES (1)")
	escaped := strings.ReplaceAll(path, " ", "%20")
	for _, dsn := range []string{path, "sqlite://" + escaped, "file:" + escaped, "file://" + escaped + "?mode=rwc&immutable=1"} {
		if rows, _, err := readAll(t.Context(), New("shop", dsn, "", Options{Table: "t"})); err != nil || len(rows) != 1 {
			t.Errorf("dsn %s: rows %q, error %v", dsn, rows, err)
		}
	}
	for _, dsn := range []string{"u:geheim@tcp(example.com)/shop", "postgres://u:geheim@:x/shop", "postgres://u:gehe%im@example.com/shop",
		"postgres://u:geheim@example.com/shop?sslmode=geheim", "mysql://u:gehe%im@example.com/shop", "mysql://u:geheim@example.com",
		"mysql://u:geheim@example.com/shop?tls=geheim", "mysql://u:geheim@example.com:x/shop",
		"sqlserver://u:gehe%im@example.com", "sqlserver://u:geheim@example.com?encrypt=geheim", "oracle://u:geheim@example.com/shop"} {
		_, err := New("shop", dsn, "SELECT 1", Options{}).Open(t.Context())
		if err == nil || strings.Contains(err.Error(), "gehe") {
			t.Errorf("%s: error %v", dsn, err)
		}
	}
}

func TestErrors(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE orders (id)", "CREATE TABLE lines (id)", "INSERT INTO orders VALUES (1)")
	dir := filepath.Dir(path)
	noDatabase, empty := filepath.Join(dir, "text.db"), filepath.Join(dir, "empty.db")
	if err := errors.Join(os.WriteFile(noDatabase, []byte(strings.Repeat("id;email\n", 200)), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file *File
		is   error
		says string
	}{
		"missing":       {New("shop", filepath.Join(dir, "shop_orders.db"), "SELECT 1", Options{}), fs.ErrNotExist, "did you mean shop orders.db?"},
		"no database":   {New("shop", noDatabase, "SELECT 1", Options{}), ErrNoDatabase, "is not an SQLite database"},
		"empty":         {New("shop", empty, "SELECT 1", Options{}), ErrNoDatabase, "no bytes"},
		"folder":        {New("shop", "file:"+dir, "SELECT 1", Options{}), ErrNoDatabase, "folder"},
		"no table":      {New("shop", path, "", Options{Table: "order"}), ErrQuery, `the tables are "lines", "orders" (did you mean "orders"?)`},
		"no column":     {New("shop", path, "SELECT nix FROM orders", Options{}), ErrQuery, "no such column: nix"},
		"no SQL":        {New("shop", path, "SELEKT", Options{}), ErrQuery, "syntax error"},
		"typo":          {New("shop", path, "SELECT :form", Options{}), ErrQuery, "asks for :form; there are only :from and :to"},
		"position":      {New("shop", path, "SELECT ?", Options{}), ErrQuery, "asks for ?"},
		"no result":     {New("shop", path, "DELETE FROM orders", Options{}), ErrQuery, "must be one SELECT"},
		"nothing asked": {New("shop", path, " ", Options{}), nil, "a query or a table"},
		"both asked":    {New("shop", path, "SELECT 1", Options{Table: "orders"}), nil, "a query or a table"},
		"writes":        {New("shop", path, "DELETE FROM orders RETURNING id", Options{}), ErrQuery, "only read"},
	} {
		_, _, err := readAll(t.Context(), test.file)
		if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "source shop") {
			t.Errorf("%s: error %v; want one that says %q", name, err, test.says)
		}
	}
	if rows, _, err := readAll(t.Context(), New("shop", path, "", Options{Table: "orders"})); err != nil || len(rows) != 1 {
		t.Errorf("afterwards: rows %q, error %v", rows, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "shop_orders.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the missing database was created")
	}
}

const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

func TestTimeout(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE t (v)")
	_, _, err := readAll(t.Context(), New("shop", path, endless, Options{Timeout: 20 * time.Millisecond}))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "took longer than 20ms") {
		t.Errorf("error %v, want one that says that it took too long", err)
	}
}

func TestCancel(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE t (v)", "INSERT INTO t VALUES (1), (2)")
	ctx, cancel := context.WithCancel(t.Context())
	c, err := New("shop", path, "", Options{Table: "t"}).Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 3 {
		if _, err = c.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// A cursor that is closed early leaves the database free for its owner.
func TestCloseFreesDatabase(t *testing.T) {
	path := makeDatabase(t, "CREATE TABLE t (v)", "INSERT INTO t VALUES (1), (2)")
	f := New("shop", path, "", Options{Table: "t"})
	c, err := f.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	owner, err := sql.Open("sqlite3", path+"?_busy_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := owner.Exec("CREATE TABLE more (v)"); err != nil {
		t.Errorf("write after the close: %v", err)
	}
}

// A pass sees one moment of a database that is written to meanwhile, and the
// source does not fail because of it.
func TestWrittenMeanwhile(t *testing.T) {
	path := makeDatabase(t, "PRAGMA journal_mode = WAL", "CREATE TABLE t (k INTEGER PRIMARY KEY, v)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, 'old' FROM n")
	owner, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	for name, f := range map[string]*File{
		"query": New("shop", path, "SELECT * FROM t", Options{}), "pages": New("shop", path, "", Options{Table: "t", Key: []string{"k"}}),
	} {
		written := &writtenFile{File: f, write: func() {
			if _, err := owner.Exec("DELETE FROM t WHERE k % 2; INSERT INTO t SELECT k + 100000, 'new' FROM t; UPDATE t SET v = 'new'"); err != nil {
				t.Error(err)
			}
		}}
		before, errBefore := f.Mark()
		rows, _, err := readAll(t.Context(), written)
		after, errAfter := f.Mark()
		if err := errors.Join(err, errBefore, errAfter); err != nil || before != after || len(rows) != 5000 || !strings.HasSuffix(rows[4999], "|old") {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
		if _, err := owner.Exec("DELETE FROM t; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) " +
			"INSERT INTO t SELECT i, 'old' FROM n"); err != nil {
			t.Fatal(err)
		}
	}
}

// writtenFile is a database that is written to when its first row was read.
type writtenFile struct {
	*File
	write func()
}

func (f *writtenFile) Open(ctx context.Context) (table.Cursor, error) {
	c, err := f.File.Open(ctx)
	return &writtenCursor{Cursor: c, write: f.write}, err
}

type writtenCursor struct {
	table.Cursor
	write func()
}

func (c *writtenCursor) Next() (table.Row, error) {
	row, err := c.Cursor.Next()
	if c.write != nil {
		c.write()
		c.write = nil
	}
	return row, err
}

// The log of a database in WAL mode is read, and the file is left alone.
func TestWriteAheadLog(t *testing.T) {
	path := makeDatabase(t, "PRAGMA journal_mode = WAL", "CREATE TABLE t (v)")
	owner, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := owner.Exec("INSERT INTO t VALUES ('fresh')"); err != nil {
		t.Fatal(err)
	}
	rows, _, err := readAll(t.Context(), New("shop", path, "", Options{Table: "t"}))
	if err != nil || !slices.Equal(rows, []string{"fresh"}) {
		t.Errorf("rows %q, error %v", rows, err)
	}
}
