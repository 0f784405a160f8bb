package sqldb

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"makegood/sources/sourcetest"
	"makegood/sources/table"
)

// Every kind of database passes the suite of all sources.
func TestConform(t *testing.T) {
	for _, s := range conforming(t) {
		t.Run(s.name, func(t *testing.T) {
			sourcetest.Run(t, func(t testing.TB, rows [][]string) table.File {
				name := "t_" + strings.ToLower(rand.Text())
				s.exec(t, statements(name, rows)...)
				return s.file("SELECT * FROM "+name, Options{})
			})
		})
	}
	for name, read := range map[string]func(path string) *File{
		"sqlite": func(path string) *File { return New("shop", path, "SELECT * FROM t", Options{}) },
		"pages":  func(path string) *File { return New("shop", path, "", Options{Table: "t", Key: []string{"k"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t testing.TB, rows [][]string) table.File {
				path := filepath.Join(t.TempDir(), "orders.db")
				db, err := sql.Open("sqlite3", path)
				if err != nil {
					t.Fatal(err)
				}
				server{name: "sqlite", owner: db}.exec(t, statements("t", rows)...)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				return read(path)
			})
		})
	}
}

// statements make a table of rows, of which the first one names the columns. k
// numbers the rows.
func statements(name string, rows [][]string) []string {
	all := []string{"CREATE TABLE " + name + " (" + strings.Join(rows[0], " TEXT, ") + " TEXT, k INTEGER)"}
	number := 0
	for some := range slices.Chunk(rows[1:], 500) {
		values := make([]string, len(some))
		for i, row := range some {
			number++
			values[i] = fmt.Sprintf("('%s', %d)", strings.Join(escaped(row), "','"), number)
		}
		all = append(all, "INSERT INTO "+name+" VALUES "+strings.Join(values, ","))
	}
	return all
}

func escaped(row []string) []string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = strings.ReplaceAll(cell, "'", "''")
	}
	return cells
}
