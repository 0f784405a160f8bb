package sources_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sources"
	"makegood/sources/table"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"

func fail(t *testing.T, o sources.Opener, cfg *config.Source) (last error) {
	t.Helper()
	o.StateDir = t.TempDir()
	s, err := o.Source(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, err := range s.Heads(t.Context(), retailWindow) {
		last = err
	}
	return last
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "orders-2.csv", header+"2,a,x,1,2011-01-02 10:00,1,\n")
	write(t, dir, "orders-1.csv", header+"1,a,x,1,2011-01-01 10:00,1,\n")
	write(t, dir, ".hidden.csv", "no header")
	write(t, dir, "note.pdf", "no orders")
	for _, path := range []string{dir, filepath.Join(dir, "orders-*.csv")} {
		all := heads(t, open(t, retail(t, path)), retailWindow)
		if len(all) != 2 || all[0].Key.Order != "1" || all[1].Origin.File != "orders-2.csv" {
			t.Errorf("%s gave %+v", filepath.Base(path), all)
		}
	}
	for path, says := range map[string]string{
		"order-1.csv": "did you mean", "nothing-*.csv": "no such file", "none/orders.csv": "nor is there a folder",
	} {
		err := fail(t, sources.Opener{}, retail(t, filepath.Join(dir, path)))
		if !errors.Is(err, sources.ErrNoFile) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s gave %v", path, err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{filepath.Join(dir, "link.csv"): "leads nowhere", os.DevNull: "device or a pipe"} {
		if err := fail(t, sources.Opener{}, retail(t, path)); !errors.Is(err, sources.ErrNoFile) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s gave %v", path, err)
		}
	}
	if err := fail(t, sources.Opener{}, retail(t, t.TempDir())); !errors.Is(err, sources.ErrNoFile) {
		t.Errorf("an empty folder gave %v", err)
	}
}

func TestChangedFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "orders.csv", header+"1,a,x,1,2011-01-02 10:00,1,\n")
	s := open(t, retail(t, path))
	key := heads(t, s, retailWindow)[0].Key
	write(t, dir, "orders.csv", header+"1,a,x,2,2011-01-02 10:00,1,\n\n")
	var last error
	for _, err := range s.Orders(t.Context(), []reconcile.OrderKey{key}) {
		last = err
	}
	if !errors.Is(last, reconcile.ErrChanged) {
		t.Errorf("a changed file gave %v", last)
	}
}

// TestStateDirIsLeftClean: what was spilled and spooled is gone after Close.
func TestStateDirIsLeftClean(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "orders.csv", header+"1,a,x,1,2011-01-02 10:00,1,\n2,a,x,1,2011-01-02 10:00,1,\n")
	state := filepath.Join(dir, "state")
	s, err := sources.Opener{StateDir: state, Budget: 1}.Source(retail(t, path))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(heads(t, s, retailWindow)); n != 2 {
		t.Errorf("%d orders", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(state, "spill"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if info, err := os.Stat(filepath.Join(state, "spill")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v (%v)", info.Mode(), err)
	}
}

func TestEvidence(t *testing.T) {
	cfg := &config.Evidence{Name: "log", Shop: "main", Columns: map[string]string{"order": "no", "at": "sent"},
		Table: config.Table{Type: "csv", Zone: zone(t, "Europe/London")}}
	window := reconcile.Window{From: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	read := func(text string) (rows []reconcile.EvidenceRow, last error) {
		cfg.Path = write(t, t.TempDir(), "log.csv", text)
		e, err := sources.OpenEvidence(cfg, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range e.Read(t.Context(), window) {
			if last = err; err == nil {
				rows = append(rows, row)
			}
		}
		return rows, last
	}
	rows, err := read("no,sent\n1,2026-05-02 10:00\n2,\n3,2026-06-02 10:00\n,\n")
	if err != nil || len(rows) != 2 || rows[0].Key != (reconcile.OrderKey{Shop: "main", Order: "1"}) || rows[0].At.Hour() != 9 || !rows[1].At.IsZero() {
		t.Errorf("rows are %+v (%v)", rows, err)
	}
	for _, text := range []string{"no,sent\n1,2026-05-02 10:00\n,2026-05-02 10:00\n", "no,sent\n1,2026-05-02 10:00\n2,soon\n", "no,sent\n1,\n2.0,\n"} {
		_, err := read(text)
		if bad, ok := errors.AsType[*table.RowError](err); !ok || bad.Row != 3 || bad.File != "log.csv" {
			t.Errorf("%q gave %v", text, err)
		}
	}
}

func TestCarts(t *testing.T) {
	cfg := &config.CartSource{Name: "carts", Table: config.Table{Type: "csv", Zone: zone(t, "UTC")},
		Columns: map[string]string{"email": "mail", "sku": "sku", "quantity": "qty", "price": "price", "last_activity": "at"}}
	read := func(text string) (map[reconcile.Person]reconcile.Cart, error) {
		cfg.Path = write(t, t.TempDir(), "carts.csv", "mail,sku,qty,price,at\n"+text)
		feed, err := sources.OpenCarts(cfg, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		carts, asOf, err := feed.Read(t.Context(), map[reconcile.Person]bool{"email:ann@example.com": true, "email:bob@example.com": true})
		if info, statErr := os.Stat(cfg.Path); statErr != nil || err == nil && !asOf.Equal(info.ModTime()) {
			t.Errorf("the carts are of %s, the file of %v (%v)", asOf, info, statErr)
		}
		return carts, err
	}
	carts, err := read("Ann@example.com,a,1,2.50,2026-05-01 10:00\nann@example.com,b,2,,2026-05-01 11:00\nann@example.com ,a,2,2.5,2026-05-01\n" +
		"eve@example.com,a,x,,\n")
	ann := carts["email:ann@example.com"]
	if err != nil || len(carts) != 1 || len(ann.Lines) != 2 || ann.Lines[0].Quantity.String() != "3" || ann.Lines[1].Price != nil ||
		ann.LastActivity.Hour() != 11 || !ann.DayOnly {
		t.Errorf("carts are %+v (%v)", carts, err)
	}
	carts, err = read("bob@example.com,a,1,,2026-05-01 10:00\nbob@example.com,b,1,,\n")
	if err != nil || !carts["email:bob@example.com"].LastActivity.IsZero() {
		t.Errorf("carts are %+v (%v): a row without a time makes the time unknown", carts, err)
	}
	for _, row := range []string{",a,1,,2026-05-01 10:00", "bob@example.com,,1,,2026-05-01 10:00", "bob@example.com,a,x,,2026-05-01 10:00",
		"bob@example.com,a,-1,,2026-05-01 10:00", "bob@example.com,a,,,2026-05-01 10:00", "bob@example.com,a,1,,soon", "bob@example.com,a,1,x,"} {
		if carts, err := read(row + "\n"); carts != nil || !isRowError(err) {
			t.Errorf("%q gave %+v (%v)", row, carts, err)
		}
	}
	if _, err := read("bob@example.com,a,1,2,\nbob@example.com,a,1,3,\n"); !isRowError(err) {
		t.Errorf("two prices gave %v", err)
	}
	if err := os.Remove(cfg.Path); err != nil {
		t.Fatal(err)
	}
	feed, err := sources.OpenCarts(cfg, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if carts, _, err := feed.Read(t.Context(), nil); carts != nil || !errors.Is(err, sources.ErrNoFile) {
		t.Errorf("a feed without a file gave %+v (%v)", carts, err)
	}
}

func isRowError(err error) bool {
	bad, ok := errors.AsType[*table.RowError](err)
	return ok && bad.Row > 0 && !strings.Contains(err.Error(), "@")
}

// TestProgress: whoever watches knows at the end how many rows there were, of
// all files.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "orders-1.csv", header+"1,a,x,1,2011-01-01 10:00,1,\n1,b,x,1,2011-01-01 10:00,1,\n")
	write(t, dir, "orders-2.csv", header+"2,a,x,1,2011-01-02 10:00,1,\n")
	var told []int
	o := sources.Opener{Progress: func(_ string, rows int) { told = append(told, rows) }}
	if err := fail(t, o, retail(t, dir)); err != nil || len(told) == 0 || told[len(told)-1] != 3 {
		t.Errorf("%v, told %v", err, told)
	}
}
