package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
)

// server is a database of its own on a real server.
type server struct {
	name  string
	dsn   string
	owner *sql.DB
}

// servers gives those that are there. MAKEGOOD_TEST_REQUIRE names those that
// must be.
func servers(t *testing.T) []server {
	t.Helper()
	all := []server{postgresServer(t), mysqlServer(t)}
	return slices.DeleteFunc(all, func(s server) bool { return s.owner == nil })
}

func absent(t *testing.T, name, address string) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err == nil {
		conn.Close()
		return false
	}
	if slices.Contains(strings.Split(os.Getenv("MAKEGOOD_TEST_REQUIRE"), ","), name) {
		t.Fatalf("%s is required, but: %v", name, err)
	}
	t.Logf("without %s: %v", name, err)
	return true
}

func postgresServer(t *testing.T) server {
	t.Helper()
	if absent(t, "postgres", "127.0.0.1:5432") {
		return server{}
	}
	base := "postgres://postgres@127.0.0.1:5432/test?sslmode=disable"
	owner, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	return made(t, server{name: "postgres", dsn: base + "&search_path=%s", owner: owner}, "SCHEMA", "CASCADE")
}

func mysqlServer(t *testing.T) server {
	t.Helper()
	if absent(t, "mysql", "127.0.0.1:3306") {
		return server{}
	}
	owner, err := sql.Open("mysql", "root@tcp(127.0.0.1:3306)/test")
	if err != nil {
		t.Fatal(err)
	}
	return made(t, server{name: "mysql", dsn: "mysql://root@127.0.0.1/%s", owner: owner}, "DATABASE", "")
}

// made makes a schema of a random name, and drops it at the end.
func made(t *testing.T, s server, kind, cascade string) server {
	t.Helper()
	name := "makegood_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		_, err := s.owner.Exec("DROP " + kind + " " + name + " " + cascade)
		if err := errors.Join(err, s.owner.Close()); err != nil {
			t.Error(err)
		}
	})
	s.dsn = fmt.Sprintf(s.dsn, name)
	s.owner.SetMaxOpenConns(1)
	s.exec(t, "CREATE "+kind+" "+name)
	if s.name != "postgres" {
		s.exec(t, "USE "+name)
	} else {
		s.exec(t, "SET search_path = "+name)
	}
	return s
}

func (s server) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, one := range statements {
		if _, err := s.owner.Exec(one); err != nil {
			t.Fatalf("%s: %s: %v", s.name, one, err)
		}
	}
}

// conforming are the servers that must pass the suite: a SQL Server too, where
// MAKEGOOD_TEST_SQLSERVER holds the DSN of one on which a database may be made.
func conforming(t *testing.T) []server {
	t.Helper()
	all := servers(t)
	dsn := os.Getenv("MAKEGOOD_TEST_SQLSERVER")
	if dsn == "" {
		t.Log("without SQL Server: MAKEGOOD_TEST_SQLSERVER names none")
		return all
	}
	owner, err := sql.Open("sqlserver", dsn)
	if err != nil {
		t.Fatal(err)
	}
	sign := "?"
	if strings.Contains(dsn, "?") {
		sign = "&"
	}
	return append(all, made(t, server{name: "sqlserver", dsn: strings.ReplaceAll(dsn, "%", "%%") + sign + "database=%s", owner: owner}, "DATABASE", ""))
}

func (s server) file(query string, o Options) *File { return New("shop", s.dsn, query, o) }

func TestServersValues(t *testing.T) {
	cases := map[string]map[string]string{
		"postgres": {
			"1.10::numeric": "1.10", "12345678901234567890.123::numeric": "12345678901234567890.123", "2.55::float4": "2.55",
			"2.5499999999999998::float8": "2.55", "0.1::float8 + 0.2": "0.3", "1e18::float8": "1E+18",
			"'2026-11-01 10:00:00.5'::timestamp": "2026-11-01 10:00:00.5", "'2026-11-01 10:00+01'::timestamptz": "2026-11-01T09:00:00Z",
			"'infinity'::timestamp": "infinity", "'2026-11-01'::date": "2026-11-01", "true": "true", "false": "false",
			"'{\"a\": 1}'::jsonb": "{\"a\": 1}", "NULL": "", "NULL::timestamp": "", "'Käthe'": "Käthe", "9223372036854775807": "9223372036854775807",
			"'\\xc3a9'::bytea": "é", "'\\xff00'::bytea": "!column v holds bytes that are no UTF-8 text",
			"'NaN'::float8": "!column v holds NaN, which is no number", "'24:00'::time": "24:00:00",
			"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		},
		"mysql": {
			"CAST('1.10' AS DECIMAL(10,2))": "1.10", "CAST('12345678901234567890.123' AS DECIMAL(30,3))": "12345678901234567890.123",
			"0.1e0 + 0.2e0": "0.3", "2.5499999999999998e0": "2.55", "CAST('2026-11-01 10:00:00.5' AS DATETIME(1))": "2026-11-01 10:00:00.5",
			"CAST('2026-11-01' AS DATE)": "2026-11-01", "TRUE": "1", "NULL": "", "'Käthe 😀'": "Käthe 😀",
			"9223372036854775807": "9223372036854775807", "18446744073709551615": "18446744073709551615", "x'C3A9'": "é", "x'FF00'": "!column v holds bytes that are no UTF-8 text",
			"JSON_OBJECT('a', 1)": "{\"a\": 1}",
		},
	}
	for _, s := range servers(t) {
		w := reconcile.Window{From: time.Unix(0, 0), To: time.Unix(60, 0)}
		for expression, want := range cases[s.name] {
			// With a parameter and without one: the protocols differ.
			for _, query := range []string{"SELECT " + expression + " AS v", "SELECT " + expression + " AS v WHERE '2026' > :from"} {
				if rows, _, err := readAll(t.Context(), s.file(query, Options{}).Within(w)); err != nil || !slices.Equal(rows, []string{want}) {
					t.Errorf("%s: %s: rows %q, error %v; want %q", s.name, query, rows, err, want)
				}
			}
		}
	}
}

func TestMySQLColumns(t *testing.T) {
	s := mysqlServer(t)
	if s.owner == nil {
		t.Skip("there is no MySQL here")
	}
	s.exec(t, "SET SESSION sql_mode = '', time_zone = '+00:00'",
		"CREATE TABLE t (f FLOAT, d DATETIME, b BOOLEAN, at TIMESTAMP NULL)",
		"INSERT INTO t VALUES (2.55, '0000-00-00', 1, '2026-11-01 09:00:00')")
	want := []string{"2.55|0000-00-00 00:00:00|1|2026-11-01T09:00:00Z"}
	rows, _, err := readAll(t.Context(), s.file("SELECT * FROM t WHERE at >= :from AND at < :to", Options{Bind: Instant}).
		Within(reconcile.Window{From: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 9, 0, 1, 0, time.UTC)}))
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, error %v; want %q", rows, err, want)
	}
}

func TestServersWindow(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	w := reconcile.Window{From: time.Date(2026, 10, 25, 9, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 25, 11, 0, 0, 0, time.UTC)}
	for _, s := range servers(t) {
		clock := map[string]string{"postgres": "TIMESTAMP", "mysql": "DATETIME"}[s.name]
		s.exec(t, "CREATE TABLE orders (id VARCHAR(9), at "+clock+", day DATE)",
			`INSERT INTO orders (id, at) VALUES ('before', '2026-10-25 09:59:59'), ('first', '2026-10-25 10:00:00'),
			 ('last', '2026-10-25 11:59:59'), ('after', '2026-10-25 12:00:00')`)
		query := "SELECT id, ':to and ?' FROM orders WHERE at >= :from AND at < :to -- not :this\n AND id <> '' /* :nor @this */ ORDER BY at"
		rows, _, err := readAll(t.Context(), s.file(query, Options{Zone: amsterdam}).Within(w))
		if want := []string{"first|:to and ?", "last|:to and ?"}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("%s: rows %q, error %v; want %q", s.name, rows, err, want)
		}
		if _, _, err := readAll(t.Context(), s.file(query, Options{})); !errors.Is(err, ErrWindow) {
			t.Errorf("%s without a period: %v", s.name, err)
		}
	}
}

func TestServersErrors(t *testing.T) {
	for _, s := range servers(t) {
		s.exec(t, "CREATE TABLE orders (id INT)", "CREATE TABLE lines_of_orders (id INT)", "INSERT INTO orders VALUES (1)")
		other := func(old, new string) *File {
			return New("shop", strings.Replace(s.dsn, old, new, 1), "SELECT 1", Options{})
		}
		database := s.dsn[strings.LastIndex(s.dsn, "/"):]
		for name, test := range map[string]struct {
			file *File
			is   error
			says string
		}{
			"no table":    {s.file("", Options{Table: "order"}), ErrQuery, `did you mean "orders"?`},
			"table":       {s.file("SELECT * FROM ordres", Options{}), ErrQuery, `the tables are "lines_of_orders", "orders"`},
			"column":      {s.file("SELECT nix FROM orders", Options{}), ErrQuery, "nix"},
			"no SQL":      {s.file("SELEKT", Options{}), ErrQuery, "syntax"},
			"writes":      {s.file("DELETE FROM orders", Options{}), ErrQuery, "only read"},
			"two":         {s.file("SELECT 1; DELETE FROM orders", Options{}), ErrQuery, ""},
			"no database": {other(database, strings.Replace(database, "/", "/no_", 1)), ErrNoDatabase, "correct the name"},
			"no server":   {New("shop", strings.Split(s.dsn, ":")[0]+"://u:geheim@127.0.0.1:1/x", "SELECT 1", Options{}), ErrUnreachable, "127.0.0.1:1"},
			"login":       {other("@", "x:geheim@"), ErrLogin, "correct user and password"},
		} {
			_, _, err := readAll(t.Context(), test.file)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("%s, %s: error %v; want one that says %q", s.name, name, err, test.says)
			}
		}
		if rows, _, err := readAll(t.Context(), s.file("", Options{Table: "orders"})); err != nil || len(rows) != 1 {
			t.Errorf("%s afterwards: rows %q, error %v", s.name, rows, err)
		}
	}
}

func TestMoney(t *testing.T) {
	s := postgresServer(t)
	if s.owner == nil {
		t.Skip("there is no PostgreSQL here")
	}
	_, _, err := readAll(t.Context(), s.file("SELECT 5::money AS total", Options{}))
	if !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "total::numeric") {
		t.Errorf("error %v", err)
	}
}

func TestServersTimeout(t *testing.T) {
	slow := map[string]string{"postgres": "SELECT pg_sleep(60)", "mysql": "SELECT SLEEP(60)"}
	for _, s := range servers(t) {
		_, _, err := readAll(t.Context(), s.file(slow[s.name], Options{Timeout: 300 * time.Millisecond}))
		if err == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrQuery) {
			t.Errorf("%s: error %v", s.name, err)
		}
	}
}

// A pass sees one moment, streams, and leaves nothing open.
func TestServersStream(t *testing.T) {
	for _, s := range servers(t) {
		s.exec(t, "CREATE TABLE n (i INT, pad TEXT)", "INSERT INTO n VALUES (1, REPEAT('x', 1000))")
		for range 14 {
			s.exec(t, "INSERT INTO n SELECT i, pad FROM n")
		}
		ctx, cancel := context.WithCancel(t.Context())
		c, err := s.file("SELECT * FROM n", Options{}).Open(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := c.Next(); err != nil {
				t.Fatal(err)
			}
		}
		s.exec(t, "DELETE FROM n")
		if err := c.Close(); err != nil { // without the other 16,284 rows
			t.Errorf("%s: close: %v", s.name, err)
		}
		cancel()
		if _, err := c.Next(); err == nil {
			t.Errorf("%s: a row after the close", s.name)
		}
	}
}
