package reports

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

// forms renders a report in every form.
var forms = []struct {
	ext    string
	render func(io.Writer, Report) error
}{
	{"json", JSON},
	{"txt", func(w io.Writer, r Report) error { return Terminal(w, r, TerminalOptions{Width: 90}) }},
	{"html", HTML}, {"csv", CSV}, {"md", Markdown}, {"xml", JUnit}, {"xlsx.txt", cellsOfXLSX},
}

// cellsOfXLSX writes the workbook's cells as text: what a reader sees, and none
// of the packing.
func cellsOfXLSX(w io.Writer, r Report) error {
	var file bytes.Buffer
	if err := XLSX(&file, r); err != nil {
		return err
	}
	book, err := excelize.OpenReader(&file)
	if err != nil {
		return err
	}
	defer book.Close()
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "== %s\n", sheet)
		for _, row := range rows {
			fmt.Fprintln(w, strings.Join(row, " | "))
		}
	}
	return nil
}

func TestGolden(t *testing.T) {
	for name, report := range every(t) {
		for _, f := range forms {
			t.Run(name+"."+f.ext, func(t *testing.T) {
				var got bytes.Buffer
				if err := f.render(&got, report); err != nil {
					t.Fatal(err)
				}
				compareGolden(t, name+"."+f.ext, got.Bytes())
			})
		}
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, then write it anew with: go test ./reports -update\ngot:\n%s", path, got)
	}
}

// TestReadRendersTheSame says that the JSON carries all that people are shown.
func TestReadRendersTheSame(t *testing.T) {
	for name, report := range every(t) {
		var stored bytes.Buffer
		if err := JSON(&stored, report); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&stored)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range forms {
			var first, second bytes.Buffer
			if err := f.render(&first, report); err != nil {
				t.Fatal(err)
			}
			if err := f.render(&second, again); err != nil {
				t.Fatal(err)
			}
			if first.String() != second.String() {
				t.Errorf("%s.%s: a stored report renders differently:\n%s\nfirst:\n%s", name, f.ext, &second, &first)
			}
		}
	}
}
