package sqldb

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/sources/sourcetest"
	"makegood/sources/table"
)

// A column that carries its zone meets the wall clock of :from and :to, and
// its values are the instants that they are, in summer and in winter.
func TestZonedColumns(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"postgres": "TIMESTAMPTZ", "mysql": "TIMESTAMP NULL"}
	for _, s := range servers(t) {
		s.exec(t, "CREATE TABLE orders (id INTEGER, at "+kinds[s.name]+")")
		if s.name == "mysql" {
			s.exec(t, "SET SESSION time_zone = '+00:00'")
		} else {
			s.exec(t, "SET TIME ZONE 'UTC'")
		}
		s.exec(t, `INSERT INTO orders VALUES (1, '2026-07-01 07:59:59'), (2, '2026-07-01 08:00:00'), (3, '2026-07-01 08:59:59'),
			(4, '2026-07-01 09:00:00'), (5, '2026-12-01 07:59:59'), (6, '2026-12-01 08:00:00'), (7, '2026-12-01 08:59:59')`)
		for _, month := range []time.Month{time.July, time.December} {
			from := time.Date(2026, month, 1, 8, 0, 0, 0, time.UTC)
			for name, o := range map[string]Options{"clock": {Zone: amsterdam}, "instant": {Zone: amsterdam, Bind: Instant}} {
				f := s.file("SELECT at FROM orders WHERE at >= :from AND at < :to ORDER BY at", o).
					Within(reconcile.Window{From: from, To: from.Add(time.Hour)})
				rows, _, err := readAll(t.Context(), f)
				if err != nil || len(rows) != 2 || !isInstant(rows[0], from) || !isInstant(rows[1], from.Add(3599*time.Second)) {
					t.Errorf("%s, %s, %s: rows %q, error %v", s.name, month, name, rows, err)
				}
			}
		}
	}
}

func isInstant(text string, want time.Time) bool {
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.Equal(want)
}

func TestMySQLOddColumns(t *testing.T) {
	s := mysqlServer(t)
	if s.owner == nil {
		t.Skip("there is no MySQL here")
	}
	s.exec(t, "CREATE TABLE t (paid BIT(1), flags BIT(10), y YEAR, e ENUM('x', 'y'), l VARCHAR(9) CHARACTER SET latin1, at TIMESTAMP NULL)",
		"INSERT INTO t VALUES (1, 514, 2026, 'y', 'Ã¤', NULL), (0, 0, NULL, NULL, NULL, NULL)")
	for _, setting := range []string{"", "?charset=latin1", "?collation=latin1_swedish_ci"} {
		rows, _, err := readAll(t.Context(), New("shop", s.dsn+setting, "SELECT * FROM t ORDER BY paid DESC", Options{}))
		if want := []string{"1|514|2026|y|Ã¤|", "0|0||||"}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("%s: rows %q, error %v; want %q", setting, rows, err, want)
		}
	}
}

// A cell that cannot be read costs its order only where its column is mapped:
// ids of bytes, drawings and long texts stand in many tables.
func TestUnmappedCells(t *testing.T) {
	for _, p := range places(t) {
		bytes := map[string]string{"sqlite": "x'ff00'", "postgres": `'\xff00'::bytea`, "mysql": "x'ff00'", "sqlserver": "0xff00"}[p.name]
		long := map[string]string{"sqlite": "printf('%.*c', 2000000, 'x')", "postgres": "repeat('x', 2000000)", "mysql": "repeat('x', 2000000)",
			"sqlserver": "REPLICATE(CAST('x' AS VARCHAR(MAX)), 2000000)"}[p.name]
		for name, test := range map[string]struct {
			more string
			bad  string
		}{
			"bytes beside": {bytes + " AS id, 'cup' AS sku", ""},
			"long beside":  {long + " AS notes, 'cup' AS sku", ""},
			"bytes":        {bytes + " AS sku", "no UTF-8"},
			"long":         {long + " AS sku", "1 MiB"},
		} {
			file := New("shop", p.dsn, "SELECT 'A-1' AS no, '2026-03-02 10:00:00' AS at, 'ann@example.com' AS email, '1' AS qty, '5' AS price, "+
				"'paid' AS status, "+test.more, Options{})
			s, err := table.New(sourcetest.Config(), sourcetest.Only(file), table.Options{StateDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			heads := 0
			for h, err := range s.Heads(t.Context(), sourcetest.Window) {
				if err != nil {
					t.Fatal(err)
				}
				heads++
				if test.bad == "" && len(h.Bad) > 0 || test.bad != "" && (len(h.Bad) != 1 || !strings.Contains(h.Bad[0].Text, test.bad) || h.Bad[0].Column != "sku") {
					t.Errorf("%s, %s: %v", p.name, name, h.Bad)
				}
			}
			if err := s.Close(); err != nil || heads != 1 {
				t.Errorf("%s, %s: %d orders, error %v", p.name, name, heads, err)
			}
		}
	}
}

// What a server repeats of the rows is no business of a log.
func TestErrorsRepeatNoValues(t *testing.T) {
	s := postgresServer(t)
	if s.owner == nil {
		t.Skip("there is no PostgreSQL here")
	}
	for _, kind := range []string{"int", "timestamp", "uuid", "numeric", "json"} {
		_, _, err := readAll(t.Context(), s.file(`SELECT v::`+kind+` FROM (VALUES ('jan"x@example.com')) t (v)`, Options{}))
		if !errors.Is(err, ErrQuery) || strings.Contains(err.Error(), "example.com") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
