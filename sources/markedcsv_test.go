package sources_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"makegood/sources"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"pgregory.net/rapid"

	"makegood/config"
	"makegood/sources/csvfile"
	"makegood/sources/table"
)

// allRows reads a CSV file as a source does.
func allRows(t testing.TB, path string, cfg config.Table) (rows [][]string) {
	c, err := csvfile.New(path, cfg, "InvoiceNo", "StockCode", "Quantity").Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if h, ok := c.(table.Headed); ok {
		rows = append(rows, slices.Clone(h.Header().Columns))
	}
	for {
		row, err := c.Next()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if cells := slices.Clone(row.Cells); strings.Join(cells, "") != "" || row.Problem != "" {
			rows = append(rows, append(cells, row.Problem))
		}
	}
}

// fixEven marks every row, and those of every second order to be fixed.
func fixEven(t table.Told) table.Mark {
	even := t.Met == table.MetOrder && len(t.Key.Order) > 0 && t.Key.Order[len(t.Key.Order)-1]%2 == 0
	return table.Mark{Status: "=status", Reason: "+a, \"reason\"", Next: "@next; or not\tso", Fix: even, Here: even}
}

const csvHead = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

func csvRow(order, name string) string {
	return order + ",A1,\"" + strings.ReplaceAll(name, `"`, `""`) + "\",1,2011-01-02 10:00,2.50,12347,\"" + strings.ReplaceAll(name, `"`, `""`) + "\"\n"
}

// TestMarkedCSVReadsTheSame: whatever stands in a file, its marked copy reads
// as the file did, in every way in which files are written, and again after it
// was marked a second time; no cell of it can be executed.
func TestMarkedCSVReadsTheSame(t *testing.T) {
	hostile := csvHead
	for i, text := range []string{`=HYPERLINK("http://example.com","x")`, "+31 6", "-1", "-1,50", "-cmd|' /C calc'!A1", "@SUM(A1)", "\tx", "'=x", "''=x",
		"'plain", "a,b;c|d", "line\nbreak", "", " =x", "ünïcode €", "\n=x", "+", "--1"} {
		hostile += csvRow("5363"+string(rune('0'+i/10))+string(rune('0'+i%10)), text)
	}
	hostile += "\n536390,A1,short,1,2011-01-02 10:00,2.50\n\n536391,A1,long,1,2011-01-02 10:00,2.50,1,x,,\n"
	encode := func(tr transform.Transformer, text string) []byte {
		out, _, err := transform.Bytes(tr, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(hostile))
	_ = z.Close()
	plain := strings.NewReplacer("€", "EUR").Replace(hostile)
	for name, content := range map[string][]byte{
		"plain.csv": []byte(hostile), "mark.csv": []byte("\xef\xbb\xbf" + hostile), "windows.csv": []byte(strings.ReplaceAll(hostile, "\n", "\r\n")),
		"mac.csv":       []byte(strings.ReplaceAll(strings.ReplaceAll(hostile, "line\nbreak", "line"), "\n", "\r")),
		"cp1252.csv":    encode(charmap.Windows1252.NewEncoder(), hostile),
		"utf16.csv":     encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), hostile),
		"utf16be.csv":   encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), hostile),
		"semi.csv":      []byte(strings.NewReplacer("a,b;c", "a.b", "-1,50", "1", `","`, `";"`, ",", ";").Replace(plain)),
		"sep.csv":       []byte("sep=,\n" + hostile),
		"title.csv":     []byte("=HYPERLINK(1),=x\nAn export\nof the night desk\n" + hostile),
		"equals.csv":    []byte(csvHead + `="0012",="A1",x,1,2011-01-02 10:00,2.50,1,=x` + "\n" + `="0013",="A,1","=y",1,2011-01-02 10:00,2.50,1,` + "\n"),
		"nolast.csv":    []byte(strings.TrimRight(csvHead+csvRow("536366", "=x"), "\n")),
		"empty.csv":     []byte(csvHead),
		"packed.csv.gz": packed.Bytes(),
	} {
		t.Run(name, func(t *testing.T) { roundTrip(t, name, content) })
	}
}

func roundTrip(t *testing.T, name string, content []byte) {
	dir, back, again := t.TempDir(), t.TempDir(), t.TempDir()
	cfg := retail(t, write(t, dir, name, string(content)))
	cfg.MaySend = &config.MaySend{All: true, Reason: "test"}
	want := allRows(t, cfg.Path, cfg.Table)
	for n, to := range []string{back, again} {
		list := mark(t, read(t, cfg), to, fixEven)
		if len(list) != 1 || list[0].Err != nil {
			t.Fatalf("round %d: %+v", n+1, list)
		}
		cfg.Path = filepath.Join(to, list[0].Names[0])
		if diff := cmp.Diff(want, allRows(t, cfg.Path, cfg.Table)); diff != "" {
			t.Fatalf("round %d reads otherwise:\n%s", n+1, diff)
		}
		fixed := 0
		for _, file := range list[0].Names {
			fixed = harmless(t, filepath.Join(to, file), cfg.Table)
		}
		if list[0].ToFix > 0 && fixed != list[0].ToFix {
			t.Errorf("%d rows are among those to fix, want %d", fixed, list[0].ToFix)
		}
	}
	one, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(back, filepath.Base(cfg.Path)))
	if err != nil || !bytes.Equal(one, first) {
		t.Errorf("marked twice it is\n%q\nand once (%v)\n%q", one, err, first)
	}
}

// harmless wants no cell that a spreadsheet would execute, and counts the rows.
func harmless(t *testing.T, path string, cfg config.Table) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A name that no column has: nothing is taken away from what is read.
	text = bytes.ReplaceAll(text, []byte("makegood "), []byte("another1 "))
	text = bytes.ReplaceAll(text, []byte("m\x00a\x00k\x00e\x00g\x00o\x00o\x00d\x00"), []byte("a\x00n\x00o\x00t\x00h\x00e\x00r\x001\x00"))
	text = bytes.ReplaceAll(text, []byte("\x00m\x00a\x00k\x00e\x00g\x00o\x00o\x00d"), []byte("\x00a\x00n\x00o\x00t\x00h\x00e\x00r\x001"))
	rows := allRows(t, write(t, t.TempDir(), filepath.Base(path), string(text)), cfg)
	for _, row := range rows {
		for _, cell := range row {
			if cell != table.Defuse(cell) && !strings.HasPrefix(cell, "'") {
				t.Errorf("%s: cell %q can be executed", filepath.Base(path), cell)
			}
		}
	}
	return len(rows) - 1
}

// TestDefuse: what is made harmless is itself again, whatever it was.
func TestDefuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`'{0,3}[=+@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}0-9., x-]{0,6}`).Draw(t, "text")
		safe := table.Defuse(text)
		if got := table.Restore(safe); got != text {
			t.Fatalf("%q became %q, and %q again", text, safe, got)
		}
		if safe != "" && strings.ContainsAny(string([]rune(safe)[:1]), "=@\t\r\n\uff1d\uff0b\uff0d\uff20") {
			t.Fatalf("%q became %q", text, safe)
		}
	})
	for text, want := range map[string]string{"-12.50": "-12.50", "+3,7": "+3,7", "-1-1": "'-1-1", "=1": "'=1", "+": "'+", "-.5": "'-.5", "": "", "'=1": "''=1"} {
		if got := table.Defuse(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestMarkedFileThatChanged: what is no longer what was read is not marked, and
// nothing takes its name.
func TestMarkedFileThatChanged(t *testing.T) {
	dir := t.TempDir()
	cfg := retail(t, write(t, t.TempDir(), "orders.csv", csvHead+csvRow("536366", "x")))
	s := read(t, cfg)
	changed := judge(func(t table.Told) table.Mark {
		if err := os.WriteFile(cfg.Path, []byte(csvHead), 0o600); err != nil {
			panic(err)
		}
		return table.Mark{Status: "fine"}
	})
	if list := mark(t, s, dir, changed); list[0].Err == nil || !strings.Contains(list[0].Err.Error(), "changed") {
		t.Errorf("got %+v", list)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v was written", left)
	}
}

// TestMarkedNames: no file takes the place of another one's rows to fix, nor of
// what a person has begun to correct.
func TestMarkedNames(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	write(t, in, "orders.csv", fixHead+"1,2011-01-02 10:00,a,x,5\n")
	write(t, in, "orders.fix.csv", fixHead+"2,2011-01-02 10:00,a,x,5\n")
	cfg := rowsToFix(t, filepath.Join(in, "*.csv"))
	s := read(t, cfg)
	tmp := t.TempDir()
	again := func() (refused int) {
		fix := fixBad(t, s)
		for _, one := range s.MarkFiles(t.Context(), table.MarkOptions{Marker: fix, Dir: dir, TmpDir: tmp, Taken: map[string]bool{}}) {
			if one.Err != nil {
				refused++
			}
		}
		return refused
	}
	content := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if refused := again(); refused != 1 || !strings.Contains(content("orders.fix.csv"), "\n1,") {
		t.Errorf("%d were refused; the rows to fix are\n%s", refused, content("orders.fix.csv"))
	}
	if refused := again(); refused != 1 {
		t.Errorf("%d were refused the second time", refused)
	}
	correct(t, filepath.Join(dir, "orders.fix.csv"), ",x,", ",17,")
	if refused := again(); refused != 2 || !strings.Contains(content("orders.fix.csv"), ",17,") {
		t.Errorf("%d were refused after a correction; the rows to fix are\n%s", refused, content("orders.fix.csv"))
	}
}

// TestMarkedLeftovers: what a killed run has left of rows with addresses is
// removed by the next one, whether it marks files or not.
func TestMarkedLeftovers(t *testing.T) {
	state, dir := t.TempDir(), t.TempDir()
	left := filepath.Join(sources.MarkedDir(state), "123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, left, "marked", "rows")
	write(t, sources.MarkedDir(state), "123.lock", "")
	old := write(t, dir, ".makegood-1", "rows")
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	young := write(t, dir, ".makegood-2", "rows")
	cfg := rowsToFix(t, write(t, t.TempDir(), "orders.csv", fixHead+"1,2011-01-02 10:00,a,x,5\n"))
	if _, err := (sources.Opener{StateDir: state}).Source(cfg); err != nil {
		t.Fatal(err)
	}
	mark(t, read(t, cfg), dir, func(table.Told) table.Mark { return table.Mark{} })
	for path, gone := range map[string]bool{left: true, left + ".lock": true, old: true, young: false} {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) != gone {
			t.Errorf("%s: gone is not %v: %v", filepath.Base(path), gone, err)
		}
	}
}
