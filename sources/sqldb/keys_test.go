package sqldb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyTypes are columns that people have as keys, each with the literal of the
// i-th value.
var keyTypes = map[string]map[string]func(i int) string{
	"sqlite": {"INTEGER": large, "NUMERIC": large, "TEXT": letters, "BLOB": bits, "REAL": tenths, "TEXT COLLATE NOCASE": letters},
	"postgres": {"BIGINT": large, "NUMERIC(30,2)": large, "TEXT": letters, `TEXT COLLATE "C"`: letters, "CHAR(12)": letters,
		"BYTEA": func(i int) string { return fmt.Sprintf(`'\xff%030x'`, i) }, "REAL": tenths, "DOUBLE PRECISION": tenths,
		"UUID":        func(i int) string { return fmt.Sprintf("'00000000-0000-0000-0000-%012x'", i) },
		"TIMESTAMPTZ": moment, "TIMESTAMP": moment},
	"mysql": {"BIGINT": large, "BIGINT UNSIGNED": large, "DECIMAL(30,2)": large, "VARCHAR(20)": letters, "CHAR(12)": letters, "BINARY(16)": bits,
		"DATETIME(6)": moment, "TIMESTAMP(6)": moment, "FLOAT": tenths, "DOUBLE": tenths},
}

// large is beyond what a float holds.
func large(i int) string   { return fmt.Sprint(1<<53 + 1 + int64(i)) }
func letters(i int) string { return fmt.Sprintf("'é''%05d'", i) }
func bits(i int) string    { return fmt.Sprintf("x'ff%030x'", i) }
func tenths(i int) string  { return fmt.Sprintf("%d.%d", i/10, i%10) }
func moment(i int) string {
	day := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	return day.Add(time.Duration(i) * 37 * time.Millisecond).Format("'2006-01-02 15:04:05.000'")
}

// Whatever the type of the key, no row is left out between two pages, and none
// is read twice.
func TestKeyTypes(t *testing.T) {
	const n = pageRows + 10
	for _, p := range places(t) {
		for kind, literal := range keyTypes[p.name] {
			p.exec(t, "DROP TABLE IF EXISTS k", "CREATE TABLE k (k "+kind+", v INTEGER)")
			var want, values []string
			for i := range n {
				want = append(want, fmt.Sprint(i))
				values = append(values, fmt.Sprintf("(%s, %d)", literal(i), i))
			}
			p.exec(t, "INSERT INTO k VALUES "+strings.Join(values, ","))
			rows, _, err := readAll(t.Context(), New("shop", p.dsn, "", Options{Table: "k", Key: []string{"k"}}))
			for i, row := range rows {
				_, v, _ := strings.Cut(row, "|")
				rows[i], _, _ = strings.Cut(v, "!")
			}
			if err != nil || !slices.Equal(rows, want) {
				t.Errorf("%s, a key that is %s: %d rows, want %d, error %v", p.name, kind, len(rows), n, err)
			}
		}
	}
}

// Two rows of one key are refused where a page ends between them, too, and
// what one key is says the database.
func TestKeyTwice(t *testing.T) {
	for _, p := range places(t) {
		text := map[string]string{"sqlite": "TEXT COLLATE NOCASE", "postgres": "TEXT", "mysql": "VARCHAR(20)", "sqlserver": "VARCHAR(20)"}[p.name]
		p.exec(t, "CREATE TABLE k (k "+text+", v INTEGER)")
		values := make([]string, pageRows-1)
		for i := range values {
			values[i] = fmt.Sprintf("('a%05d', %d)", i, i)
		}
		for some := range slices.Chunk(values, 500) {
			p.exec(t, "INSERT INTO k VALUES "+strings.Join(some, ","))
		}
		for _, test := range []struct {
			more   string
			refuse bool
		}{{"('b', 1)", false}, {"('B', 2)", p.name != "postgres"}, {"('b', 3)", true}} {
			p.exec(t, "INSERT INTO k VALUES "+test.more)
			rows, _, err := readAll(t.Context(), New("shop", p.dsn, "", Options{Table: "k", Key: []string{"k"}}))
			if test.refuse != errors.Is(err, ErrQuery) || !test.refuse && err != nil {
				t.Errorf("%s with %s: %d rows, error %v", p.name, test.more, len(rows), err)
			}
		}
	}
}

// A page begins in the index of the key, where the one before has ended. Else
// the time for a table grows with the square of its rows.
func TestPageUsesIndex(t *testing.T) {
	for _, p := range places(t) {
		explain, found := "EXPLAIN ", "Index Cond: (ord >= 15000)"
		switch p.name {
		case "sqlite":
			explain, found = "EXPLAIN QUERY PLAN ", "SEARCH big USING INDEX"
		case "mysql":
			found = "range"
		case "sqlserver":
			continue // it has no word for it
		}
		p.exec(t, "CREATE TABLE big (ord INTEGER NOT NULL, line INTEGER NOT NULL, v VARCHAR(20), PRIMARY KEY (ord, line))")
		for part := range 4 {
			values := make([]string, 5000)
			for i := range values {
				values[i] = fmt.Sprintf("(%d, %d, 'x')", part*5000+i, i%3)
			}
			p.exec(t, "INSERT INTO big VALUES "+strings.Join(values, ","))
		}
		e, err := engineOf(p.dsn)
		if err != nil {
			t.Fatal(err)
		}
		query, args := e.page(e.quote("big"), []string{"ord", "line"}, []any{"15000", "1"})
		for i, arg := range args { // as literals: nobody explains a statement with parameters
			query = strings.Replace(strings.ReplaceAll(query, fmt.Sprintf("$%d", i+1), arg.(string)), "?", arg.(string), 1)
		}
		rows, _, err := readAll(t.Context(), New("shop", p.dsn, explain+query, Options{}))
		if err != nil || !strings.Contains(strings.Join(rows, "\n"), found) {
			t.Errorf("%s: %s: %q, error %v", p.name, query, rows, err)
		}
	}
}
