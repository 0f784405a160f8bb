package sources_test

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
	"makegood/sources/table"
	"makegood/sources/xlsxfile"
)

// bookRows reads all sheets of a workbook as a source does.
func bookRows(t testing.TB, path string) (rows [][]string, err error) {
	t.Helper()
	c, err := xlsxfile.New(path, xlsxfile.Options{Sheets: []string{xlsxfile.All}, TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.Concat([]string{row.Header.Sheet}, row.Header.Columns, row.Cells))
	}
}

// zipParts reads all parts of a workbook.
func zipParts(t testing.TB, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	parts := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			t.Fatal(err)
		}
		if _, twice := parts[f.Name]; twice {
			t.Errorf("part %s is there twice", f.Name)
		}
		parts[f.Name] = string(text)
	}
	return parts
}

// wellFormed wants XML that can be read to its end.
func wellFormed(t testing.TB, name, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("part %s: %v", name, err)
			return
		}
	}
}

// TestMarkedCorpus marks workbooks of many makers. Each copy reads as the
// workbook did, also when it is marked a second time, all its parts can be
// read, and those of other sheets are the same.
func TestMarkedCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "xlsx_corpus"), "*", "*.xls[xm]"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	marked, least := 0, 60
	if testing.Short() { // some of all kinds: the others are copied in the same way
		files, least = everyFifth(files), 12
	}
	for _, path := range files {
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		want, err := bookRows(t, path)
		if err != nil || len(want) == 0 || len(want) > 2000 {
			continue
		}
		for round := range 2 {
			copied, ok := markBook(t, path)
			if !ok {
				break
			}
			marked++
			got, err := bookRows(t, copied)
			if err != nil {
				t.Errorf("%s, round %d: %v", name, round+1, err)
				break
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, round %d, reads otherwise:\n%.1500s", name, round+1, diff)
				break
			}
			checkParts(t, name, path, copied)
			path = copied
		}
	}
	if t.Logf("%d copies were made", marked); marked < least {
		t.Errorf("only %d copies were made", marked)
	}
}

func everyFifth(files []string) (some []string) {
	for part := range slices.Chunk(files, 5) {
		some = append(some, part[0])
	}
	return some
}

// markBook marks each third row of a workbook to be fixed; what its columns are
// does not matter.
func markBook(t testing.TB, path string) (string, bool) {
	t.Helper()
	c, err := xlsxfile.New(path, xlsxfile.Options{TmpDir: t.TempDir()}).Open(t.Context())
	if err != nil {
		return "", false
	}
	header := c.(table.Headed).Header()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(header.Columns, func(name string) bool {
		name = strings.TrimSpace(name)
		only := slices.DeleteFunc(slices.Clone(header.Columns), func(other string) bool { return strings.TrimSpace(other) != name })
		return name != "" && len(only) == 1
	})
	if at < 0 {
		return "", false
	}
	column := strings.TrimSpace(header.Columns[at])
	cfg := &config.Source{Name: "shop", Shop: "main", Currency: "GBP", Channel: "online", OrderUnique: "always", Files: "versions", OrderShape: "(?s).*",
		Table:   config.Table{Type: "xlsx", Path: path, Zone: zone(t, "UTC"), Decimal: ".", DateFormat: "yyyy-MM-dd"},
		MaySend: &config.MaySend{All: true, Reason: "test"}, Columns: map[string]string{"order": column, "completed_at": column, "sku": column, "quantity": column, "price": column}}
	s, err := sources.Opener{StateDir: t.TempDir(), Blame: func(string, reconcile.RowProblem) {}}.Source(cfg)
	if err != nil {
		return "", false
	}
	defer s.Close()
	for _, err := range s.Heads(t.Context(), retailWindow) {
		if err != nil {
			return "", false
		}
	}
	dir := t.TempDir()
	list := mark(t, s.(marker), dir, func(one table.Told) table.Mark {
		return table.Mark{Status: "=1+1", Reason: "<&\"> _x000D_ \x01 ünï", Next: "+x", Fix: one.Row%3 == 0, Here: one.Row%3 == 0}
	})
	if full := filepath.Base(path) == "issue_174.xlsx"; list[0].Err != nil { // its last column is the last there can be
		if !full || !errors.Is(list[0].Err, table.ErrUnmarkable) {
			t.Errorf("%s: %v", path, list[0].Err)
		}
		return "", false
	}
	return filepath.Join(dir, list[0].Names[0]), true
}

// checkParts compares what must not change, and reads all with a library.
func checkParts(t testing.TB, name, before, after string) {
	t.Helper()
	old, copied := zipParts(t, before), zipParts(t, after)
	for part, text := range copied {
		switch {
		case old[part] == text:
			continue
		case old[part] != "" && !strings.Contains(text, "makegood") && !strings.Contains(part, "styles"):
			t.Errorf("%s: part %s has changed", name, part)
		}
		wellFormed(t, name+" "+part, text)
	}
	for part := range old {
		if _, there := copied[part]; !there {
			t.Errorf("%s: part %s is gone", name, part)
		}
	}
	b, err := excelize.OpenFile(after)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer b.Close()
	for _, sheet := range b.GetSheetList() {
		if formula, err := b.GetCellFormula(sheet, "A2"); strings.HasPrefix(sheet, "Rows to fix") && (err != nil || formula != "") {
			t.Errorf("%s: the rows to fix have a formula %q, %v", name, formula, err)
		}
	}
	if !slices.ContainsFunc(b.GetSheetList(), func(s string) bool { return strings.HasPrefix(s, "Summary") }) {
		t.Errorf("%s: sheets are %q", name, b.GetSheetList())
	}
	if keep := os.Getenv("MAKEGOOD_KEEP"); keep != "" {
		text, _ := os.ReadFile(after)
		_ = os.WriteFile(filepath.Join(keep, strings.ReplaceAll(name, "/", "-")), text, 0o600)
	}
}
