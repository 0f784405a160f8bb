package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/xuri/excelize/v2"

	"makegood/reconcile"
)

func TestHarmWorkbooksThatCannotBeRead(t *testing.T) {
	whole := func(s *shop, o ...excelize.Options) []byte {
		s.Helper()
		book := excelize.NewFile()
		for i, row := range [][]any{{"id", "paid", "email", "sku", "n", "price"}, {1, ago(time.Hour), "ann@example.com", "MUG", 1, 5}} {
			if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
				s.Fatal(err)
			}
		}
		var text bytes.Buffer
		if err := book.Write(&text, o...); err != nil {
			s.Fatal(err)
		}
		return text.Bytes()
	}
	for name, c := range map[string]struct {
		text func(s *shop) []byte
		over fields
		says string
	}{
		"protected with a password":  {func(s *shop) []byte { return whole(s, excelize.Options{Password: "canary-password"}) }, nil, "password"},
		"protected with another one": {func(s *shop) []byte { return whole(s, excelize.Options{Password: "canary-password"}) }, fields{"password": "canary-guess"}, "password"},
		"cut off":                    {func(s *shop) []byte { all := whole(s); return all[:len(all)/2] }, nil, "damaged"},
		"an old .xls": {func(*shop) []byte {
			return append([]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}, make([]byte, 4096)...)
		}, nil, ".xls"},
		"a web page":              {func(*shop) []byte { return []byte("<html><table><tr><td>id</td></tr></table></html>") }, nil, "workbook"},
		"text":                    {func(*shop) []byte { return []byte("id,paid,email\n") }, nil, "workbook"},
		"nothing":                 {func(*shop) []byte { return nil }, nil, "empty"},
		"a zip of something else": {func(*shop) []byte { return []byte("PK\x05\x06" + strings.Repeat("\x00", 18)) }, nil, "workbook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			s.source("shop", with(fields{"type": "xlsx", "path": "orders.xlsx"}, c.over))
			write(t, s.dir, "orders.xlsx", string(c.text(s)))
			got := s.run(exitFailed)
			problem := got.source(t, "shop").Error
			s.contains(problem, "orders.xlsx")
			s.contains(problem, c.says)
			if strings.Contains(got.stdout+got.errs, "canary") {
				t.Error("the password is told")
			}
			if s.requests() != 0 {
				t.Error("something was sent")
			}
			if _, covered := got.target(t, "activate").CoveredTo["shop"]; covered {
				t.Error("the night counts as covered")
			}
		})
	}
}

func TestHarmProtectedWorkbookWithItsPassword(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.source("shop", fields{"type": "xlsx", "path": "orders.xlsx", "password": "canary-password"})
	s.book("orders.xlsx", []any{"id", "paid", "email", "sku", "n", "price"}, []any{1, ago(time.Hour), "ann@example.com", "MUG", 1, 5})
	path := filepath.Join(s.dir, "orders.xlsx")
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.SaveAs(path, excelize.Options{Password: "canary-password"}); err != nil {
		t.Fatal(err)
	}
	s.wants(s.run(exitDone), "activate", "sent 1")
}

// betweenPasses makes two sources, a and b, and changes a after it was read
// the first time: b is a database that somebody else has locked until then.
func betweenPasses(t *testing.T, change func(s *shop)) *shop {
	s := newShop(t)
	s.activate("first", fields{"from": []string{"a"}})
	s.activate("second", fields{"from": []string{"b"}})
	s.source("b", fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": "b.db", "query": "SELECT * FROM orders"})
	s.database("b.db", fmt.Sprintf(`CREATE TABLE orders (id TEXT, paid TEXT, email TEXT, sku TEXT, n INTEGER, price TEXT);
INSERT INTO orders VALUES ('20', '%s', 'bob@example.com', 'MUG', 1, '5');`, ago(time.Hour)))
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, "b.db")+"?_txlock=exclusive")
	check(t, err)
	t.Cleanup(func() { _ = db.Close() }) // nothing was written
	lock, err := db.Beginx()
	check(t, err)
	alone := s.opened("b.db")
	if alone == 0 {
		t.Skip("this system does not tell which files are open")
	}
	go func() {
		for ever := time.Now().Add(5 * time.Second); s.opened("b.db") == alone && time.Now().Before(ever); {
			runtime.Gosched()
		}
		change(s)
		_ = lock.Rollback() // nothing was written
	}()
	return s
}

// opened counts how often this process has a file of the shop's open.
func (s *shop) opened(name string) (n int) {
	all, _ := filepath.Glob("/proc/self/fd/*") // none on other systems
	for _, fd := range all {
		if path, err := os.Readlink(fd); err == nil && path == filepath.Join(s.dir, name) {
			n++
		}
	}
	return n
}

func TestHarmFileChangesBetweenPasses(t *testing.T) {
	t.Parallel()
	at := ago(time.Hour)
	s := betweenPasses(t, func(s *shop) {
		s.orders("a", "1,"+at+",ann@example.com,MUG,1,5", "1,"+at+",ann@example.com,KETTLE,1,40", "2,"+at+",cas@example.com,MUG,1,5")
	})
	s.source("a", nil)
	s.orders("a", "1,"+at+",ann@example.com,MUG,1,5", "3,"+at+",dee@example.com,MUG,1,5")
	got := s.run(exitFailed)
	s.contains(got.source(t, "a").Error, reconcile.ErrChanged.Error())
	s.wants(got, "first", "")
	s.wants(got, "second", "sent 1") // the other source goes on
	s.wantsPlatform("first", "")
	s.wantsPlatform("second", "20 5 EUR")
	if _, covered := got.target(t, "first").CoveredTo["a"]; covered {
		t.Error("the source that failed counts as covered")
	}
	s.wants(s.run(exitDone), "first", "sent 2")
	s.wantsPlatform("first", "1 45 EUR, 2 5 EUR")
}

// TestHarmWorkbookChangesBetweenPasses: a workbook is read once; what was read
// is what goes, never a mixture.
func TestHarmWorkbookChangesBetweenPasses(t *testing.T) {
	t.Parallel()
	at := ago(time.Hour)
	header := []any{"id", "paid", "email", "sku", "n", "price"}
	s := betweenPasses(t, func(s *shop) {
		s.book("a.xlsx", header, []any{1, at, "ann@example.com", "MUG", 1, 5}, []any{1, at, "ann@example.com", "KETTLE", 1, 40}, []any{2, at, "cas@example.com", "MUG", 1, 5})
	})
	s.source("a", fields{"type": "xlsx", "path": "a.xlsx"})
	s.book("a.xlsx", header, []any{1, at, "ann@example.com", "MUG", 1, 5}, []any{3, at, "dee@example.com", "MUG", 1, 5})
	got := s.run(exitDone)
	s.wants(got, "first", "sent 2")
	s.wants(got, "second", "sent 1")
	s.wantsPlatform("first", "1 5 EUR, 3 5 EUR")
	got = s.run(exitDone)
	s.wants(got, "first", "already_sent sent_here 1, sent 1")
	if n := got.target(t, "first").CorrectionsFound; n != 1 {
		t.Errorf("%d corrections, want that of order 1", n)
	}
}

func TestHarmOrdersMoveBetweenPlanAndApply(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at := ago(time.Hour)
	header := []any{"id", "paid", "email", "sku", "n", "price"}
	s.activate("activate", nil)
	s.source("shop", fields{"type": "xlsx", "path": "orders.xlsx"})
	s.book("orders.xlsx", header, []any{1, at, "ann@example.com", "MUG", 1, 5}, []any{2, at, "bob@example.com", "MUG", 1, 5}, []any{3, at, "cas@example.com", "MUG", 1, 5})
	plan := s.makegood(exitLeft, "plan")
	s.book("orders.xlsx", header, []any{1, at, "ann@example.com", "MUG", 2, 5}, []any{3, at, "cas@example.com", "MUG", 1, 5}, []any{4, at, "dee@example.com", "MUG", 1, 5})
	code, _, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file())
	if code != reconcile.RefusedOrdersMoved {
		t.Errorf("exit %d, want %d", code, reconcile.RefusedOrdersMoved)
	}
	s.contains(errs, "1 at activate: the order has changed")
	s.contains(errs, "2 at activate: the order is gone")
	if s.requests() != 0 {
		t.Error("something was sent")
	}
	s.wants(s.makegood(exitLeft, "apply", "--skip-moved", plan.Plan.Path), "activate", "left moved 2, sent 1")
	s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, sent 2")
	s.wantsPlatform("activate", "1 10 EUR, 3 5 EUR, 4 5 EUR")
}

// TestHarmOneSourceFails lets the others go on, and says so.
func TestHarmOneSourceFails(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.source("a", fields{"shop": "a"})
	s.source("b", fields{"shop": "b", "type": "sql", "path": nil, "stable_for": nil, "dsn": "gone.db", "query": "SELECT * FROM orders"})
	s.source("c", fields{"shop": "c", "columns": columns(fields{"price": "Price"})})
	s.orders("a", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.orders("c", "1,"+ago(time.Hour)+",cas@example.com,MUG,1,5")
	got := s.run(exitFailed)
	s.wants(got, "activate", "sent 1")
	s.contains(got.source(t, "b").Error, "gone.db")
	s.contains(got.source(t, "c").Error, "Price")
	covered := got.target(t, "activate").CoveredTo
	if len(covered) != 1 || covered["a"].IsZero() {
		t.Errorf("covered: %v", covered)
	}
	s.source("c", fields{"shop": "c"})
	s.database("gone.db", fmt.Sprintf(`CREATE TABLE orders (id TEXT, paid TEXT, email TEXT, sku TEXT, n INTEGER, price TEXT);
INSERT INTO orders VALUES ('1', '%s', 'bob@example.com', 'MUG', 1, '6');`, ago(24*time.Hour)))
	s.wants(s.run(exitDone), "activate", "already_sent sent_here 1, sent 2")
}

// TestHarmOneBadRow wants its whole order held back and named, and the others
// sent.
func TestHarmOneBadRow(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.activate("activate", nil)
	s.source("shop", nil)
	at := ago(time.Hour)
	s.orders("shop", "1,"+at+",ann@example.com,MUG,1,5", "1,"+at+",ann@example.com,KETTLE,one,40", "2,"+at+",bob@example.com,MUG,1,5",
		"3,"+at+",cas@example.com,MUG,1,5", "3,"+at+",other@example.com,MUG,1,5")
	got := s.run(exitPerson)
	s.wants(got, "activate", "sent 1")
	s.wantsPlatform("activate", "2 5 EUR")
	source := got.source(t, "shop")
	if source.Bad != 2 || len(source.Problems) < 2 {
		t.Fatalf("%d bad orders, problems %+v", source.Bad, source.Problems)
	}
	if p := source.Problems[0]; p.Row != 3 || p.Column != "n" || p.File != "shop.csv" || p.Reason != "bad_value" {
		t.Errorf("the first problem is %+v", p)
	}
	if p := source.Problems[1]; p.Row != 6 || p.Reason != "conflict" || strings.Contains(p.Text, "other@") {
		t.Errorf("the second problem is %+v", p)
	}
}

func TestHarmFilesOfOneExport(t *testing.T) {
	at := ago(time.Hour)
	for name, c := range map[string]struct {
		over  fields
		files map[string]string
		code  int
		want  string
		holds string
	}{
		"somebody copied it": {nil, map[string]string{"a.csv": "1,%s,ann@example.com,MUG,1,5", "a (copy).csv": "1,%s,ann@example.com,MUG,1,5"},
			exitDone, "sent 1", "1 5 EUR"},
		"two versions, and nobody knows the newer one": {nil, map[string]string{"a.csv": "1,%s,ann@example.com,MUG,1,5", "b.csv": "1,%s,ann@example.com,MUG,2,5"},
			exitPerson, "", ""},
		"orders cut across files": {fields{"files": "parts"}, map[string]string{"a.csv": "1,%s,ann@example.com,MUG,1,5", "b.csv": "1,%s,ann@example.com,MUG,2,5"},
			exitDone, "sent 1", "1 15 EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.activate("activate", nil)
			s.source("shop", with(fields{"path": "exports/*.csv"}, c.over))
			check(t, os.Mkdir(filepath.Join(s.dir, "exports"), 0o700))
			for name, row := range c.files {
				s.csv(filepath.Join("exports", name), usualHeader, fmt.Sprintf(row, at))
			}
			s.wants(s.run(c.code), "activate", c.want)
			s.wantsPlatform("activate", c.holds)
		})
	}
}
