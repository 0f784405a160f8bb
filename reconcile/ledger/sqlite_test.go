package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/ledger/ledgertest"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func options() ledger.Options {
	return ledger.Options{Key: bytes.Repeat([]byte{7}, ledger.KeySize), Environment: "test", Host: "here"}
}

func open(t testing.TB, path string, o ledger.Options) *ledger.Store {
	t.Helper()
	led, err := ledger.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := led.Close(); err != nil {
			t.Error(err)
		}
	})
	return led
}

func begin(t testing.TB, led *ledger.Store, run reconcile.RunID) {
	t.Helper()
	window := reconcile.Window{From: noon, To: noon.Add(time.Hour)}
	if err := led.Begin(context.Background(), reconcile.RunRecord{Run: run, Started: noon, Window: window}); err != nil {
		t.Fatal(err)
	}
}

func event(order string) reconcile.Event {
	key := reconcile.OrderKey{Shop: "main", Order: order}
	amount, _ := reconcile.ParseDecimal("12.5")
	return reconcile.Event{
		ID: reconcile.NewEventID(reconcile.KindPurchase, key), Kind: reconcile.KindPurchase,
		Action: reconcile.ActionPurchase, Person: reconcile.EmailPerson(order + "@example.com"), Shown: order,
		Value: reconcile.Value{Amount: &amount, Currency: "EUR"},
		Facts: reconcile.Facts{Source: "shop", CompletedAt: noon, Digest: reconcile.HashFields(order)},
		Body:  []byte(`{"order":"` + order + `"}`),
	}
}

func claim(t testing.TB, led *ledger.Store, run reconcile.RunID, seen int64, orders ...string) []reconcile.EventID {
	t.Helper()
	var tickets []reconcile.Ticket
	for _, o := range orders {
		tickets = append(tickets, reconcile.Ticket{Event: event(o), Seen: seen})
	}
	taken, _, err := led.Claim(context.Background(), "activate", run, tickets)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func find(t testing.TB, led reconcile.Reader, order string) reconcile.Entry {
	t.Helper()
	id := event(order).ID
	found, err := led.Find(context.Background(), "activate", []reconcile.EventID{id})
	if err != nil {
		t.Fatal(err)
	}
	return found[id]
}

func TestSQLite(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Place {
		folder := t.TempDir()
		path := filepath.Join(folder, "makegood.db")
		return ledgertest.Place{
			Open: func(t *testing.T) reconcile.Ledger {
				led, err := ledger.Open(t.Context(), path, options())
				if err != nil {
					t.Fatal(err)
				}
				return led
			},
			Stored: func(t *testing.T) []byte { return readAll(t, path) },
		}
	})
}

// readAll reads the ledger's files in a process of its own: closing them here
// would give up the locks that SQLite holds in this one.
func readAll(t *testing.T, path string) []byte {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".runs") })
	data, err := exec.Command("cat", files...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOpenCreatesOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made %41 #1?.db")
	first := open(t, path, options())
	if !first.Created() || first.KnowsRuns() || first.Environment() != "test" {
		t.Errorf("created %v, knows runs %v, environment %q", first.Created(), first.KnowsRuns(), first.Environment())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v", info, err)
	}
	begin(t, first, "r1")
	o := options()
	o.Environment = "other"
	second := open(t, path, o)
	if second.Created() || !second.KnowsRuns() || second.Environment() != "test" || second.Head().Ledger != first.Head().Ledger {
		t.Errorf("opened again: created %v, knows runs %v, environment %q", second.Created(), second.KnowsRuns(), second.Environment())
	}
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	made := make(chan bool)
	for range 4 {
		go func() {
			led, err := ledger.Open(context.Background(), path, options())
			if err != nil {
				t.Error(err)
				made <- false
				return
			}
			made <- led.Created()
			_ = led.Close()
		}()
	}
	n := 0
	for range 4 {
		if <-made {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 4 created the ledger", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "newer.db")
	_ = open(t, newer, options()).Close()
	execute(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	foreign := filepath.Join(t.TempDir(), "shop.db")
	execute(t, foreign, `CREATE TABLE orders (id TEXT)`)
	mine := filepath.Join(t.TempDir(), "mine.db")
	_ = open(t, mine, options()).Close()
	wrong := options()
	wrong.Key = bytes.Repeat([]byte{8}, ledger.KeySize)
	for _, c := range []struct {
		path string
		o    ledger.Options
		want error
	}{
		{newer, options(), ledger.ErrNewerSchema}, {foreign, options(), ledger.ErrNoLedger}, {mine, wrong, ledger.ErrOtherKey},
	} {
		if _, err := ledger.Open(t.Context(), c.path, c.o); !errors.Is(err, c.want) {
			t.Errorf("open %s gave %v, want %v", filepath.Base(c.path), err, c.want)
		}
		if _, err := ledger.OpenReader(t.Context(), c.path, c.o); !errors.Is(err, c.want) {
			t.Errorf("open %s for reading gave %v, want %v", filepath.Base(c.path), err, c.want)
		}
	}
	if _, err := ledger.Open(t.Context(), mine, ledger.Options{}); err == nil {
		t.Error("a ledger was opened without a key")
	}
	if _, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "no", "l.db"), options()); err == nil {
		t.Error("a ledger was opened in a folder that is not there")
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// TestOlderLedgers opens ledgers as older versions left them: a reader leaves
// them alone, a run brings them up to date, keeps what they know, and begins
// their journal with it.
func TestOlderLedgers(t *testing.T) {
	records, err := filepath.Glob("testdata/ledger-*.sql")
	if err != nil || len(records) != 4 {
		t.Fatal(records, err)
	}
	for _, record := range records {
		t.Run(filepath.Base(record), func(t *testing.T) { olderLedger(t, record) })
	}
}

func olderLedger(t *testing.T, record string) {
	statements, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "makegood.db")
	execute(t, path, string(statements))
	if _, err := ledger.OpenReader(t.Context(), path, options()); !errors.Is(err, ledger.ErrOlderSchema) {
		t.Errorf("a reader of an older ledger got %v", err)
	}
	led := open(t, path, options())
	if led.Created() || !led.KnowsRuns() || led.Head().Hash == "" {
		t.Errorf("created %v, knows runs %v, head %+v", led.Created(), led.KnowsRuns(), led.Head())
	}
	for order, want := range map[string]struct {
		state   reconcile.State
		version int64
	}{
		"1001": {reconcile.StateDone, 2}, "1002": {reconcile.StateRefused, 2}, "1003": {reconcile.StateDoubtful, 2},
		"1004": {reconcile.StateDoubtful, 3}, "1005": {reconcile.StateDoubtful, 1}, "1006": {reconcile.StateDone, 1},
	} {
		if e := find(t, led, order); e.State != want.state || e.Version != want.version {
			t.Errorf("%s is %s at %d, want %+v", order, e.State, e.Version, want)
		}
	}
	if covered, err := led.Covered(t.Context(), "activate", "live"); err != nil || !covered["shop"].Equal(noon) {
		t.Errorf("covered to %v, %v", covered, err)
	}
	begin(t, led, "next")
	if taken := claim(t, led, "next", 3, "1004"); len(taken) != 1 {
		t.Errorf("claimed %v", taken)
	}
}

func TestReaderOfNothing(t *testing.T) {
	folder := t.TempDir()
	r, err := ledger.OpenReader(t.Context(), filepath.Join(folder, "l.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Absent() || r.KnowsRuns() || r.Head() != (reconcile.LedgerHead{}) || find(t, r, "1").Version != 0 {
		t.Error("an absent ledger does not read as empty")
	}
	if _, n, err := r.Lost(t.Context(), "activate", 5); n != 0 || err != nil {
		t.Errorf("%d lost, %v", n, err)
	}
	if events, err := r.CartEvents(t.Context(), "activate", []reconcile.Person{"email:a@example.com"}, time.Time{}); events == nil || err != nil {
		t.Errorf("cart events are %v, %v", events, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(folder); len(files) != 0 || err != nil {
		t.Errorf("reading made %v, %v", files, err)
	}
}

func TestReaderChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	led := open(t, path, options())
	begin(t, led, "r1")
	claim(t, led, "r1", 0, "1")
	_ = led.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ledger.OpenReader(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e := find(t, r, "1"); e.State != reconcile.StateDoubtful || !e.Lost || !r.KnowsRuns() || r.Absent() {
		t.Errorf("read %+v", e)
	}
	if r.Head() != led.Head() {
		t.Errorf("the head reads %+v, want %+v", r.Head(), led.Head())
	}
	if _, err := r.CartEvents(t.Context(), "activate", []reconcile.Person{"email:a@example.com"}, time.Time{}); err == nil {
		t.Error("a person was looked up without the key")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("reading changed the file: %v", err)
	}
}

// TestLogStaysBounded: thousands of commits do not pile up beside the file,
// and closing leaves nothing there.
func TestLogStaysBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("three thousand commits take long")
	}
	path := filepath.Join(t.TempDir(), "l.db")
	led := open(t, path, options())
	begin(t, led, "r1")
	const commits = 3000
	before := led.Head().Sequence
	for n := range commits {
		claim(t, led, "r1", 0, fmt.Sprint(n))
	}
	if rose := led.Head().Sequence - before; rose != commits {
		t.Errorf("%d commits took the sequence %d on", commits, rose)
	}
	info, err := os.Stat(path + "-wal")
	if err != nil || info.Size() > 8<<20 {
		t.Errorf("the log after %d commits: %v, %v", commits, info, err)
	}
	_ = led.Close()
	if _, err := os.Stat(path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the log is still there: %v", err)
	}
}

// background outlives the test, for what is put in order after it.
func background(testing.TB) context.Context { return context.Background() }
