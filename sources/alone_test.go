package sources_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources/table"
)

// rowsToFix is a source whose rows are to be corrected.
func rowsToFix(t *testing.T, path string) *config.Source {
	return &config.Source{Name: "shop", Shop: "main", Currency: "USD", Channel: "online", OrderUnique: "always", Files: "versions",
		Table: config.Table{Type: strings.TrimPrefix(filepath.Ext(path), "."), Path: path, Zone: zone(t, "UTC")}, MaySend: &config.MaySend{All: true, Reason: "a test"},
		Columns: map[string]string{"order": "no", "completed_at": "at", "sku": "sku", "quantity": "qty", "price": "price"}}
}

// fixBad marks the rows of bad orders to be fixed, as a run does.
func fixBad(t *testing.T, s reconcile.Source) judge {
	bad := map[string]bool{}
	for _, h := range heads(t, s, retailWindow) {
		bad[h.Key.Order] = len(h.Bad) > 0
	}
	return func(one table.Told) table.Mark {
		return table.Mark{Status: "read", Fix: one.Met == table.MetOrder && bad[one.Key.Order]}
	}
}

// giveBack marks a file, lets a person change what came back, and gives its
// folder and the rows to fix.
func giveBack(t *testing.T, cfg *config.Source) (dir string, toFix int) {
	t.Helper()
	dir = t.TempDir()
	s := read(t, cfg)
	for _, one := range mark(t, s, dir, fixBad(t, s)) {
		if one.Err != nil {
			t.Fatal(one.Err)
		}
		toFix += one.ToFix
	}
	return dir, toFix
}

// good and bad are the orders of a source, with their lines and money, or what
// is wrong with them.
func outcome(t *testing.T, cfg *config.Source) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, h := range heads(t, open(t, cfg), retailWindow) {
		got[h.Key.Order] = fmt.Sprintf("%d of %s", h.Lines, h.Amount)
		if len(h.Bad) > 0 {
			got[h.Key.Order] = string(h.Bad[0].Reason)
		}
	}
	return got
}

func wantOutcome(t *testing.T, cfg *config.Source, want map[string]string) {
	t.Helper()
	if got := outcome(t, cfg); !maps.Equal(got, want) {
		t.Errorf("orders are %v, want %v", got, want)
	}
}

const fixHead = "no,at,sku,qty,price\n"

// correct replaces a text of a file, once.
func correct(t *testing.T, path, old, now string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%v; there is no %q in\n%s", err, old, text)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRowsAloneUntouched: rows to fix that nobody has corrected are not right
// because they stand alone; marked again and given back again, still not.
func TestRowsAloneUntouched(t *testing.T) {
	path := write(t, t.TempDir(), "orders.csv", fixHead+"1,2011-01-02 10:00,a,1,5\n2,2011-01-02 10:00,a,x,5\n3,2011-01-02 10:00,a,1,5\n")
	s, dir := read(t, rowsToFix(t, path)), t.TempDir()
	list := mark(t, s, dir, func(one table.Told) table.Mark {
		return table.Mark{Status: "held", Fix: one.Key.Order != "1"} // 3 for a reason outside of its row
	})
	if list[0].Err != nil || list[0].ToFix != 2 {
		t.Fatalf("%+v", list)
	}
	fix := filepath.Join(dir, "orders.fix.csv")
	correct(t, fix, ",x,", ",7,")
	want := map[string]string{"2": "1 of 35", "3": "not_corrected"}
	wantOutcome(t, rowsToFix(t, fix), want)
	again := t.TempDir()
	s = read(t, rowsToFix(t, fix))
	if list := mark(t, s, again, fixBad(t, s)); list[0].Err != nil || !slices.Equal(list[0].Names, []string{"orders.fix.csv"}) {
		t.Fatalf("%+v", list)
	}
	wantOutcome(t, rowsToFix(t, filepath.Join(again, "orders.fix.csv")), want)
}

// TestRowsAloneOfTornOrders: an order that lacks a row, which does not say where
// it belongs, is corrected in its whole file.
func TestRowsAloneOfTornOrders(t *testing.T) {
	path := write(t, t.TempDir(), "tills.csv", "no,store,at,sku,qty,price\n17,S1,2011-01-02 10:00,a,1,5\n17,,2011-01-02 10:00,b,1,7\n18,S1,2011-01-02 10:00,b,x,7\n")
	cfg := rowsToFix(t, path)
	cfg.Channel, cfg.OrderUnique, cfg.Columns["store"] = "in_store", "per_store_and_day", "store"
	dir, toFix := giveBack(t, cfg)
	text, err := os.ReadFile(filepath.Join(dir, "tills.fix.csv"))
	if err != nil || toFix != 1 || strings.Contains(string(text), "\n17,") || !strings.Contains(string(text), "\n18,") {
		t.Errorf("%v, %d rows to fix:\n%s", err, toFix, text)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "tills.csv"))
	if err != nil || !strings.Contains(string(whole), "another row with this number does not say which order it belongs to") {
		t.Errorf("%v\n%s", err, whole)
	}
}

// TestRowsAloneReversed: an order that a credit note undoes is corrected in its
// whole file, where the note is seen.
func TestRowsAloneReversed(t *testing.T) {
	path := write(t, t.TempDir(), "orders.csv", "no,at,sku,qty,price,undoes\n1,2011-01-02 10:00,a,x,5,\n2,2011-01-03 10:00,a,-1,5,1\n3,2011-01-02 10:00,a,x,5,\n")
	cfg := rowsToFix(t, path)
	cfg.Columns["reverses"] = "undoes"
	if _, toFix := giveBack(t, cfg); toFix != 1 {
		t.Errorf("%d rows are to fix, want that of order 3 alone", toFix)
	}
}

// TestRowsAloneHabits: dates and numbers mean what they meant in the whole file.
func TestRowsAloneHabits(t *testing.T) {
	rows := fixHead
	for i := range 2500 {
		rows += fmt.Sprintf("%d,2/20/2011 10:00,a,1,\"5,50\"\n", 1000+i)
	}
	rows += "9001,3/4/2011 10:00,a,six,\"1.234\"\n9002,13/4/2011 10:00,a,1,\"2,50\"\n"
	dir, toFix := giveBack(t, rowsToFix(t, write(t, t.TempDir(), "orders.csv", rows)))
	if toFix != 2 {
		t.Fatalf("%d rows are to fix", toFix)
	}
	fix := filepath.Join(dir, "orders.fix.csv")
	correct(t, fix, "six", "6")
	correct(t, fix, "2,50", "2")
	for _, h := range heads(t, open(t, rowsToFix(t, fix)), retailWindow) {
		got := fmt.Sprint(h.CompletedAt.Format("2006-01-02 "), h.Amount, " ", len(h.Bad))
		if want := map[string]string{"9001": "2011-03-04 7404 0", "9002": "0001-01-01 0 1"}[h.Key.Order]; got != want {
			t.Errorf("order %s is %s, want %s", h.Key.Order, got, want)
		}
	}
}

// TestRowsAloneBesideParts: rows to fix do not count beside their own file where
// orders are added up over files.
func TestRowsAloneBesideParts(t *testing.T) {
	dir, _ := giveBack(t, rowsToFix(t, write(t, t.TempDir(), "orders.csv", fixHead+"1,2011-01-02 10:00,a,x,5\n")))
	correct(t, filepath.Join(dir, "orders.fix.csv"), ",x,", ",1,")
	correct(t, filepath.Join(dir, "orders.csv"), ",x,", ",1,")
	cfg := rowsToFix(t, filepath.Join(dir, "*.csv"))
	cfg.Files, cfg.Type = "parts", "csv"
	s := open(t, cfg)
	var failed error
	for _, err := range s.Heads(t.Context(), retailWindow) {
		failed = err
	}
	if failed == nil || !strings.Contains(failed.Error(), "would count twice") {
		t.Errorf("it was read: %v", failed)
	}
}

// TestApostropheInNumbers: a number that came back with the apostrophe that
// makes it harmless is no other number.
func TestApostropheInNumbers(t *testing.T) {
	dir, _ := giveBack(t, rowsToFix(t, write(t, t.TempDir(), "orders.csv", fixHead+"-A1,2011-01-02 10:00,a,1,5\nB1,2011-01-02 10:00,a,1,5\n")))
	back := filepath.Join(dir, "orders.csv")
	wantOutcome(t, rowsToFix(t, back), map[string]string{"-A1": "1 of 5", "B1": "1 of 5"})
	correct(t, back, table.StatusColumn, "gone")
	wantOutcome(t, rowsToFix(t, back), map[string]string{"'-A1": "damaged_id", "B1": "1 of 5"})
}

// workbook writes sheets of rows.
func workbook(t *testing.T, rows map[string][][]any, more func(*excelize.File)) string {
	t.Helper()
	b := excelize.NewFile()
	defer b.Close()
	for i, name := range slices.Sorted(maps.Keys(rows)) {
		if i == 0 {
			if err := b.SetSheetName("Sheet1", name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := b.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for n, row := range rows[name] {
			if err := b.SetSheetRow(name, "A"+strconv.Itoa(n+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if more != nil {
		more(b)
	}
	path := filepath.Join(t.TempDir(), "orders.xlsx")
	if err := b.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// edit changes a workbook as a person does.
func edit(t *testing.T, path string, do func(*excelize.File) error) {
	t.Helper()
	b, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := do(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Save(); err != nil {
		t.Fatal(err)
	}
}

func bookRow(no string, qty any) []any { return []any{no, "2011-01-02 10:00", "a", qty, 5, nil} }

var bookHead = []any{"no", "at", "sku", "qty", "price", "ship"}

func withShipping(t *testing.T, path string, sheets config.Sheets) *config.Source {
	cfg := rowsToFix(t, path)
	cfg.Sheet, cfg.Columns["shipping"] = sheets, "ship"
	return cfg
}

// alone takes all sheets away but one.
func alone(b *excelize.File, keep string) error {
	for _, name := range b.GetSheetList() {
		if name != keep {
			if err := b.DeleteSheet(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestRowsAloneFormulas: a formula without a result is no blank among the rows
// to fix, alone or beside the table.
func TestRowsAloneFormulas(t *testing.T) {
	path := workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "two"), bookRow("2", 2)}}, func(b *excelize.File) {
		_ = b.SetCellFormula("S", "F2", "E2*4")
	})
	for _, keep := range []string{"", "Rows to fix"} {
		dir, toFix := giveBack(t, withShipping(t, path, config.Sheets{}))
		if toFix != 1 {
			t.Fatalf("%d rows are to fix", toFix)
		}
		back := filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			if err := b.SetCellValue("Rows to fix", "D2", 2); err != nil || keep == "" {
				return err
			}
			return alone(b, keep)
		})
		if got := outcome(t, withShipping(t, back, config.Sheets{})); got["1"] != "bad_value" {
			t.Errorf("with %q alone: %v", keep, got)
		}
	}
}

// TestRowsAloneOfTwoSheets: an order over two sheets is corrected in them.
func TestRowsAloneOfTwoSheets(t *testing.T) {
	path := workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "two"), bookRow("2", "x")}, "T": {bookHead, bookRow("1", 1)}}, nil)
	if _, toFix := giveBack(t, withShipping(t, path, config.Sheets{All: true})); toFix != 1 {
		t.Errorf("%d rows are to fix, want that of order 2 alone", toFix)
	}
}

// TestRowsToFixWithoutTheirNumbers: the sheet is known when a person takes one
// of its columns away, or both.
func TestRowsToFixWithoutTheirNumbers(t *testing.T) {
	for _, gone := range []int{1, 2} {
		dir, _ := giveBack(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "x"), bookRow("2", 2)}}, nil), config.Sheets{}))
		back := filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			_ = b.SetCellValue("S", "D2", 2)
			_ = b.SetCellValue("Rows to fix", "D2", 2)
			for range gone {
				if err := b.RemoveCol("Rows to fix", "J"); err != nil {
					return err
				}
			}
			return nil
		})
		if got := outcome(t, withShipping(t, back, config.Sheets{All: true})); got["2"] != "1 of 10" || got["1"] == "2 of 20" {
			t.Errorf("%d columns gone: %v", gone, got)
		}
	}
}

// TestRowsAloneMarkedAgain: a workbook of rows to fix alone stays one when it is
// marked again: what nobody has touched is still not right.
func TestRowsAloneMarkedAgain(t *testing.T) {
	s := read(t, withShipping(t, workbook(t, map[string][][]any{"S": {bookHead, bookRow("1", "x"), bookRow("2", 2)}}, nil), config.Sheets{}))
	dir := t.TempDir()
	mark(t, s, dir, func(table.Told) table.Mark { return table.Mark{Status: "held", Fix: true} }) // 2 for a reason outside of its row
	back := filepath.Join(dir, "orders.xlsx")
	edit(t, back, func(b *excelize.File) error {
		_ = b.SetCellValue("Rows to fix", "D2", 2)
		return alone(b, "Rows to fix")
	})
	for range 2 {
		cfg := withShipping(t, back, config.Sheets{})
		wantOutcome(t, cfg, map[string]string{"1": "1 of 10", "2": "not_corrected"})
		dir, _ = giveBack(t, cfg)
		back = filepath.Join(dir, "orders.xlsx")
		edit(t, back, func(b *excelize.File) error {
			if got := b.GetSheetList(); !slices.Equal(got, []string{"Rows to fix", "Summary"}) {
				t.Errorf("sheets are %q", got)
			}
			return nil
		})
	}
}

// TestMarkedTitles: what stands before a header is harmless as well, and is not
// made so twice.
func TestMarkedTitles(t *testing.T) {
	path := write(t, t.TempDir(), "orders.csv", "=HYPERLINK(1),@x\nfine\n"+fixHead+"1,2011-01-02 10:00,a,x,5\n")
	for range 2 {
		dir, _ := giveBack(t, rowsToFix(t, path))
		for _, name := range []string{"orders.csv", "orders.fix.csv"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !strings.HasPrefix(string(text), "'=HYPERLINK(1),'@x\nfine\nno,") {
				t.Errorf("%s, %v:\n%s", name, err, text)
			}
		}
		path = filepath.Join(dir, "orders.csv")
	}
}
