package sources

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"makegood/sources/xlsxfile"
)

func TestOrderNumbers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	book := filepath.Join(dir, "orders.xlsx")
	if err := xlsxfile.Create(book, "Orders", [][]any{{"Name", "Order number"}, {"a", "0012"}, {"b", "W-7"}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path   string
		want   []string
		column string
	}{
		"a number on each line":    {write("a.txt", "\ufeffBestelnummer\r\n 0012 \r\n\r\nW-7\r\n"), []string{"0012", "W-7"}, ""},
		"a column without a name":  {write("b.csv", "0012\nW-7\n"), []string{"0012", "W-7"}, ""},
		"a table":                  {write("c.csv", "Name;Order number\na;0012\nb;\nc;W-7\n"), []string{"0012", "W-7"}, "Order number"},
		"a table of unknown names": {write("d.csv", "ref,what\n0012,a\nW-7,b\n"), []string{"0012", "W-7"}, "ref"},
		"a workbook":               {book, []string{"0012", "W-7"}, "Order number"},
	} {
		t.Run(name, func(t *testing.T) {
			got, column, err := Opener{StateDir: t.TempDir()}.OrderNumbers(t.Context(), c.path)
			if err != nil || !slices.Equal(got, c.want) || column != c.column {
				t.Errorf("%q of column %q, %v", got, column, err)
			}
		})
	}
	if _, _, err := (Opener{StateDir: dir}).OrderNumbers(t.Context(), write("e.txt", strings.Repeat("9", 5000))); err == nil {
		t.Error("a line without an end was read")
	}
}

// TestNearestNumber: 214 numbers of which three were mistyped.
func TestNearestNumber(t *testing.T) {
	var known []string
	for n := range 5000 {
		known = append(known, "W-"+string(rune('A'+n%26))+strings.Repeat("0", n%3)+strconv.Itoa(100000+n*7))
	}
	near := NearestNumber(known)
	for typed, want := range map[string]string{strings.ToLower(known[40]): known[40], strings.ReplaceAll(known[99], "-", " "): known[99]} {
		if got := near(typed); got != want {
			t.Errorf("nearest to %s is %s, want %s", typed, got, want)
		}
	}
	if got := near("something else"); got != "" {
		t.Errorf("nearest to something else is %s", got)
	}
}
