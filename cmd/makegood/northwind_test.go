package main

import (
	"database/sql"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// northwindQuery is one that a person would write: it runs on all three.
const northwindQuery = `SELECT o.order_id, o.order_date, o.shipped_date, c.email, d.product_id, d.unit_price, d.quantity, d.discount
FROM orders o JOIN customers c ON c.customer_id = o.customer_id JOIN order_details d ON d.order_id = o.order_id`

const northwindPeriod = ` WHERE COALESCE(o.shipped_date, o.order_date) >= :from AND COALESCE(o.shipped_date, o.order_date) < :to
ORDER BY o.order_id, d.product_id`

// northwindSource is the mapping of that query, wherever its rows are.
func northwindSource(over fields) fields {
	all := fields{
		"precision": "day", "currency": "USD", "zone": "UTC",
		"columns": fields{"order": "order_id", "completed_at": `= shipped_date == "" ? order_date : shipped_date`, "ordered_at": "order_date",
			"email": "email", "sku": "product_id", "quantity": "quantity",
			"line_total": `= mul(mul(unit_price, quantity), sub("1", discount))`},
		"leave_out": []fields{{"reason": "not_shipped", "when": `shipped_date == ""`}},
	}
	maps.Copy(all, over)
	return all
}

// northwind is a database of orders that nobody here made.
func northwind(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(projectFile(t, filepath.Join("..", "shared", "data", "northwind", "northwind.sql")))
	if err != nil {
		t.Skipf("the Northwind data is not there: %v", err)
	}
	return string(text)
}

// loadNorthwind fills a schema of PostgreSQL, and gives the customers addresses.
func loadNorthwind(t *testing.T, owner *sql.DB, dump string) {
	t.Helper()
	script(t, owner, dump,
		"ALTER TABLE customers ADD email VARCHAR(80)",
		"UPDATE customers SET email = LOWER(customer_id) || '@example.com'",
		"CREATE VIEW order_lines AS "+northwindQuery)
}

// rowsOf reads a query as text, NULL as "".
func rowsOf(t *testing.T, db *sql.DB, query string) rowsOfText {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all := rowsOfText{columns}
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		places := make([]any, len(columns))
		for i := range cells {
			places[i] = &cells[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, cell := range cells {
			row[i] = cell.String
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// copyOf gives the statements that make a table of rows; "" is NULL.
func (rows rowsOfText) copyOf(table string, types ...string) []string {
	columns := make([]string, len(types))
	for i, kind := range types {
		columns[i] = rows[0][i] + " " + kind
	}
	var values []string
	for _, row := range rows[1:] {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = "'" + strings.ReplaceAll(cell, "'", "''") + "'"
			if cell == "" {
				cells[i] = "NULL"
			}
		}
		values = append(values, "("+strings.Join(cells, ",")+")")
	}
	return []string{"CREATE TABLE " + table + " (" + strings.Join(columns, ", ") + ")", "INSERT INTO " + table + " VALUES " + strings.Join(values, ",")}
}

// TestNorthwind plans a real order database from five places, three of them by
// table and key, too: one plan.
func TestNorthwind(t *testing.T) {
	dump := northwind(t)
	owner, postgres := ownSchema(t, "postgres")
	if owner == nil {
		t.Skip("Northwind is a dump of PostgreSQL, which is not here")
	}
	loadNorthwind(t, owner, dump)
	lines := rowsOf(t, owner, `SELECT order_id::text, order_date::text, shipped_date::text, email, product_id::text, unit_price::text,
		quantity::text, discount::text FROM order_lines l ORDER BY l.order_id, l.product_id`)
	if len(lines) != 2155+1 {
		t.Fatalf("the dump has %d lines", len(lines)-1)
	}
	s := newShop(t)
	s.activate("activate", fields{"since": "1996-01-01"})
	places := s.northwindPlaces(postgres, lines, owner)
	digests := map[string]string{}
	for place, source := range places {
		s.source("shop", northwindSource(source))
		got := s.makegood(exitLeft, "plan", "--from", "1996-07-01", "--to", "1998-06-01")
		digests[place] = got.Plan.Digest
		src, b := got.source(t, "shop"), got.target(t, "activate").Balance
		summary := fmt.Sprint(src.Rows, src.OrdersRead, src.LeftOut, src.Bad, b.Left.Orders, b.Left.Money)
		if want := "2155 830 [{not_shipped 21}] 0 809 " + fmt.Sprint(map[string]string{"USD": northwindTotal(t, lines)}); summary != want {
			t.Errorf("%s: %s, want %s", place, summary, want)
		}
	}
	want := map[string]string{}
	for place := range places {
		want[place] = digests["csv"]
	}
	if diff := cmp.Diff(want, digests); diff != "" || digests["csv"] == "" {
		t.Errorf("the plans differ:\n%s", diff)
	}
	t.Logf("%d plans, the digest of csv is %s", len(digests), digests["csv"])
}

// northwindPlaces puts the lines wherever a shop may have them.
func (s *shop) northwindPlaces(postgres string, lines rowsOfText, owner *sql.DB) map[string]fields {
	s.Helper()
	cells := make([][]any, len(lines))
	text := make([]string, len(lines))
	for i, row := range lines {
		text[i] = strings.Join(row, ";")
		for at, cell := range row {
			if n, err := strconv.ParseFloat(cell, 64); err == nil && i > 0 && at != 0 {
				cells[i] = append(cells[i], n)
			} else {
				cells[i] = append(cells[i], cell)
			}
		}
	}
	s.csv("shop.csv", text[0], text[1:]...)
	s.book("shop.xlsx", cells...)
	database := func(dsn string) fields {
		return fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": dsn, "query": northwindQuery + northwindPeriod}
	}
	paged := func(dsn string) fields {
		all := database(dsn)
		all["query"], all["table"], all["key"] = nil, "order_lines", []string{"order_id", "product_id"}
		return all
	}
	s.database("shop.db", strings.Join(s.northwindTables(owner, "REAL"), ";")+";")
	sqlite := filepath.Join(s.dir, "shop.db")
	places := map[string]fields{"csv": {}, "xlsx": {"type": "xlsx", "path": "shop.xlsx"}, "sqlite": database(sqlite), "sqlite by key": paged(sqlite),
		"postgres": database(postgres), "postgres by key": paged(postgres)}
	if maria, dsn := ownSchema(s.T, "mysql"); maria != nil {
		script(s.T, maria, s.northwindTables(owner, "FLOAT")...)
		places["mysql"], places["mysql by key"] = database(dsn), paged(dsn)
	}
	return places
}

// northwindTables copies the three tables and the view.
func (s *shop) northwindTables(owner *sql.DB, float string) []string {
	s.Helper()
	var all []string
	for _, one := range []struct{ table, columns, types string }{
		{"orders", "order_id::text, customer_id, order_date::text, shipped_date::text", "INTEGER,VARCHAR(5),DATE,DATE"},
		{"customers", "customer_id, email", "VARCHAR(5),VARCHAR(80)"},
		{"order_details", "order_id::text, product_id::text, unit_price::text, quantity::text, discount::text",
			"INTEGER,INTEGER," + float + ",INTEGER," + float},
	} {
		all = append(all, rowsOf(s.T, owner, "SELECT "+one.columns+" FROM "+one.table).copyOf(one.table, strings.Split(one.types, ",")...)...)
	}
	return append(all, "CREATE VIEW order_lines AS "+northwindQuery)
}

// northwindTotal adds up what the shipped orders are worth, in exact fractions.
func northwindTotal(t *testing.T, lines rowsOfText) string {
	t.Helper()
	sum := new(big.Rat)
	number := func(text string) *big.Rat {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number", text)
		}
		return r
	}
	for _, row := range lines[1:] {
		if row[2] == "" {
			continue
		}
		worth := number(row[5])
		worth.Mul(worth, number(row[6])).Mul(worth, new(big.Rat).Sub(big.NewRat(1, 1), number(row[7])))
		sum.Add(sum, worth)
	}
	return plain(sum)
}
