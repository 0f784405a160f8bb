package main

import (
	"cmp"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rowsOfText are the lines of orders; the first row names the columns.
type rowsOfText [][]string

const flatQuery = "SELECT id, paid, email, sku, n, price FROM flat WHERE paid >= :from AND paid < :to"

// postgresVariable names another PostgreSQL server than the usual one: 8 workers
// need more connections than a server of a test machine may have.
const postgresVariable = "MAKEGOOD_TEST_POSTGRES"

func postgresAt() string { return cmp.Or(os.Getenv(postgresVariable), "127.0.0.1:5432") }

// reachable tells whether a server answers. MAKEGOOD_TEST_REQUIRE names those
// that must.
func reachable(t testing.TB, name, address string) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err == nil {
		return conn.Close() == nil
	}
	if slices.Contains(strings.Split(os.Getenv("MAKEGOOD_TEST_REQUIRE"), ","), name) {
		t.Fatalf("%s is required, but: %v", name, err)
	}
	t.Logf("without %s: %v", name, err)
	return false
}

// ownSchema makes a schema of a random name and gives its owner's connection
// and its DSN; "" where there is no server.
func ownSchema(t testing.TB, name string) (*sql.DB, string) {
	t.Helper()
	schema := "makegood_" + strings.ToLower(rand.Text()[:12])
	driver, address, login := "pgx", postgresAt(), "postgres://postgres@"+postgresAt()+"/test?sslmode=disable"
	kind, use, cascade, dsn := "SCHEMA", "SET search_path = ", " CASCADE", login+"&search_path="+schema
	if name == "mysql" {
		driver, address, login = "mysql", "127.0.0.1:3306", "root@tcp(127.0.0.1:3306)/test"
		kind, use, cascade, dsn = "DATABASE", "USE ", "", "mysql://root@127.0.0.1/"+schema
	}
	if !reachable(t, name, address) {
		return nil, ""
	}
	owner, err := sql.Open(driver, login)
	if err != nil {
		t.Fatal(err)
	}
	owner.SetMaxOpenConns(1)
	t.Cleanup(func() {
		_, err := owner.Exec("DROP " + kind + " " + schema + cascade)
		_, queue := owner.Exec("DROP " + kind + " IF EXISTS " + schema + "_queue" + cascade) // which workers share
		err = errors.Join(err, queue)
		if err := errors.Join(err, owner.Close()); err != nil {
			t.Error(err)
		}
	})
	script(t, owner, "CREATE "+kind+" "+schema, use+schema)
	return owner, dsn
}

func script(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, one := range statements {
		if _, err := db.Exec(one); err != nil {
			t.Fatalf("%.60s: %v", one, err)
		}
	}
}

// statements make the table flat of rows, and sent of the orders that the
// live integration recorded.
func (rows rowsOfText) statements(clock string) []string {
	var values []string
	for _, row := range rows[1:] {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = "'" + strings.ReplaceAll(cell, "'", "''") + "'"
		}
		values = append(values, "("+strings.Join(cells, ",")+")")
	}
	return []string{
		"CREATE TABLE flat (id VARCHAR(20), paid " + clock + ", email VARCHAR(80), sku VARCHAR(80), n INTEGER, price DECIMAL(12,3))",
		"INSERT INTO flat VALUES " + strings.Join(values, ","),
		"CREATE TABLE sent (order_id VARCHAR(20), sent_at " + clock + ")",
		fmt.Sprintf("INSERT INTO sent VALUES ('%s', '%s')", rows[1][0], rows[1][1]),
	}
}

// digests gives the plan digest of the same orders from each place.
func (s *shop) digests(rows rowsOfText, period ...string) map[string]string {
	s.Helper()
	s.activate("activate", nil)
	all := map[string]string{}
	plan := func(place string, source, evidence fields) {
		source["zone"], evidence["zone"], evidence["fresh_within"] = "Europe/Amsterdam", "Europe/Amsterdam", "90000h"
		s.source("shop", source)
		s.evidence(evidence)
		got := s.makegood(exitLeft, append([]string{"plan"}, period...)...)
		all[place] = got.Plan.Digest
	}
	database := func(place, dsn string) {
		plan(place, fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": dsn, "query": flatQuery},
			fields{"type": "sql", "path": nil, "dsn": dsn, "query": "SELECT * FROM sent"})
	}
	lines := make([]string, len(rows))
	cells := make([][]any, len(rows))
	for i, row := range rows {
		lines[i] = strings.Join(row, ",")
		for _, cell := range row {
			cells[i] = append(cells[i], cell)
		}
	}
	s.csv("shop.csv", lines[0], lines[1:]...)
	s.csv("sent.csv", "order_id,sent_at", rows[1][0]+","+rows[1][1])
	s.book("shop.xlsx", cells...)
	s.database("shop.db", strings.Join(rows.statements("TEXT"), ";")+";")
	plan("csv", fields{}, fields{})
	plan("xlsx", fields{"type": "xlsx", "path": "shop.xlsx"}, fields{})
	database("sqlite", filepath.Join(s.dir, "shop.db"))
	for name, clock := range map[string]string{"postgres": "TIMESTAMP", "mysql": "DATETIME"} {
		if owner, dsn := ownSchema(s.T, name); owner != nil {
			script(s.T, owner, rows.statements(clock)...)
			database(name, dsn)
		}
	}
	return all
}

func (s *shop) wantsOneDigest(all map[string]string) {
	s.Helper()
	for place, digest := range all {
		if digest == "" || digest != all["csv"] {
			s.Errorf("the plan from %s has the digest %q, that of csv %q", place, digest, all["csv"])
		}
	}
}

// A small shop gives one plan wherever its orders are.
func TestOneShopInFivePlaces(t *testing.T) {
	t.Parallel()
	day := time.Now().UTC().AddDate(0, 0, -5)
	at := func(days int, clock string) string {
		return day.AddDate(0, 0, days).Format(time.DateOnly) + " " + clock
	}
	rows := rowsOfText{strings.Split(usualHeader, ",")}
	add := func(id, paid, email, sku, n, price string) {
		rows = append(rows, []string{id, paid, email, sku, n, price})
	}
	add("known", at(0, "12:00:00"), "known@example.com", "MUG", "1", "5")
	add("early", at(-1, "23:59:59"), "early@example.com", "MUG", "1", "5")
	add("first", at(0, "00:00:00"), "first@example.com", "MUG", "1", "5")
	add("last", at(1, "23:59:59"), "last@example.com", "MUG", "1", "5")
	add("late", at(2, "00:00:00"), "late@example.com", "MUG", "1", "5")
	for i := range 40 {
		add("long", at(1, "10:00:00"), "long@example.com", fmt.Sprintf("Löffel-%02d", i), "2", "0.125")
	}
	for i := range 25 {
		add(fmt.Sprintf("%04d", i), at(i%2, fmt.Sprintf("%02d:30:00", i%24)), fmt.Sprintf("kunde%d@example.com", i), "Täßchen "+string(rune('A'+i)), "3", "1.335")
	}
	s := newShop(t)
	period := []string{"--from", at(0, "")[:10], "--to", at(2, "")[:10]}
	all := s.digests(rows, period...)
	s.wantsOneDigest(all)
	s.source("shop", fields{"zone": "Europe/Amsterdam"})
	s.evidence(fields{"zone": "Europe/Amsterdam", "fresh_within": "90000h"})
	s.csv("shop.csv", usualHeader, strings.Join(rows[3], ","))
	got := s.makegood(exitLeft, append([]string{"plan"}, period...)...)
	if got.Plan.Digest == all["csv"] {
		t.Error("another shop has the same digest")
	}
}

// TestCartsFromServers asks a server for the open carts: one is empty after
// its checkout, another keeps what was not bought.
func TestCartsFromServers(t *testing.T) {
	t.Parallel()
	for name, clock := range map[string]string{"postgres": "TIMESTAMP", "mysql": "DATETIME"} {
		t.Run(name, func(t *testing.T) {
			owner, dsn := ownSchema(t, name)
			if owner == nil {
				t.Skip("there is no such server")
			}
			script(t, owner, "CREATE TABLE carts (email VARCHAR(80), sku VARCHAR(20), n INTEGER, price DECIMAL(9,2), at "+clock+")",
				fmt.Sprintf(`INSERT INTO carts VALUES ('ann@example.com', 'MUG', 1, 5, '%[1]s'), ('bob@example.com', 'MUG', 1, 5, '%[1]s'),
					('bob@example.com', 'PAN', 1, 9, '%[1]s')`, ago(5*time.Hour)))
			s := newShop(t)
			s.tills("tills", nil)
			s.collect("stores", nil)
			s.set("carts", "open", fields{"type": "sql", "dsn": dsn, "query": "SELECT * FROM carts", "zone": "UTC",
				"columns": fields{"email": "email", "sku": "sku", "quantity": "n", "price": "price", "last_activity": "at"}})
			for _, who := range []string{"ann", "bob"} {
				s.fill(who+"@example.com", "MUG", "PAN")
			}
			s.orders("tills", "1,"+ago(3*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(3*time.Hour)+",bob@example.com,MUG,1,5")
			s.wants(s.run(exitDone), "stores", "sent 4")
			s.wantsCart("ann@example.com", "")
			s.wantsCart("bob@example.com", "PAN:1")
		})
	}
}
