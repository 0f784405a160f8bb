package emanage_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"makegood/config"
	"makegood/sources/csvfile"
	"makegood/sources/emanage"
	"makegood/sources/sourcetest"
	"makegood/sources/table"
)

// What was brought from an export passes the suite of all sources.
func TestConform(t *testing.T) {
	sourcetest.Run(t, func(t testing.TB, rows [][]string) table.File {
		var text strings.Builder
		w := csv.NewWriter(&text)
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		s := newShop(t)
		s.page(text.String(), false)
		e, err := s.fetch()
		if err != nil || len(e.Paths) != 1 {
			t.Fatalf("brought %v: %v", e.Paths, err)
		}
		return emanage.File(csvfile.New(e.Paths[0], config.Table{}, rows[0]...))
	})
}
