package ledger_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// entriesVariable is how many entries the ledger of BenchmarkExplain has.
const entriesVariable = "MAKEGOOD_BENCH_ENTRIES"

// bulk writes entries with an attempt each, and decisions about every tenth
// order beside them. Every twentieth entry is refused.
var bulk = []string{
	`INSERT INTO entries (target, event, version, state, lost, done_by, who, note, said_at, run, kind, action, person, amount, currency,
		amount_of, source, completed_at, store, digest, cosmetic, cosmetic_fields, payload, shown, attempts, not_before, at, receipt, before, twin, mark)
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
	SELECT 'activate', printf('purchase/main/%09d', i), 2, iif(i % 20 = 7, 'refused', 'done'), 0, iif(i % 20 = 7, '', 'sent_here'), '', '', 0, 'r',
		'purchase', 'purchase', randomblob(16), '12.5', 'EUR', 'lines', 'shop', 1700000000000000 + i * 1000000, '', randomblob(32), x'', '',
		randomblob(32), printf('%09d', i), 1, 0, 1700000000000000, '', '', x'', randomblob(16) FROM n`,
	`INSERT INTO attempts (attempt, target, event, run, version, at, verdict, status, code, receipt, late, lost)
	SELECT row_number() OVER (), target, event, run, 1, at, iif(state = 'done', 'sent', 'rejected'), 200, '', '', 0, 0 FROM entries`,
	`INSERT INTO decisions (target, event, source, bucket, reason, detail, origin, amount, currency, completed_at, mark, run, at)
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 / 10)
	SELECT 'activate', printf('purchase/main/h%09d', i), 'shop', 'held_back', 'no_email', '', '{"file":"orders.csv","row":7}', '3', 'EUR',
		1700000000000000, randomblob(16), 'r', 1700000000000000 FROM n`,
}

// longLedger makes a ledger of so many entries and gives its place.
func longLedger(b *testing.B, entries int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "l.db")
	led := open(b, path, options())
	begin(b, led, "r")
	if err := led.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sqlx.Open("sqlite3", "file:"+path+"?_synchronous=off&_cache_size=-200000")
	if err != nil {
		b.Fatal(err)
	}
	for _, statement := range bulk {
		if _, err := db.Exec(statement, entries); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkExplain asks everything that explain asks about one order, from
// opening the ledger to closing it, each time about another order.
func BenchmarkExplain(b *testing.B) {
	entries, err := strconv.Atoi(cmp.Or(os.Getenv(entriesVariable), "100000"))
	if err != nil {
		b.Fatal(err)
	}
	path := longLedger(b, entries)
	if info, err := os.Stat(path); err == nil {
		b.Logf("%d entries, %d MiB", entries, info.Size()>>20)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		if e, known := askAbout(b, path, fmt.Sprintf("%09d", random.IntN(entries))); !known || len(e) != 1 {
			b.Fatalf("order not found, or %d attempts", len(e))
		}
		if _, known := askAbout(b, path, fmt.Sprintf("h%09d", random.IntN(entries/10))); !known {
			b.Fatal("a decision was not found")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(2*b.N), "ms/order")
}

// askAbout gives the attempts at an order, and whether anything is known of it.
func askAbout(b *testing.B, path, order string) ([]reconcile.MadeAttempt, bool) {
	ctx := context.Background()
	led, err := ledger.OpenReader(ctx, path, options())
	if err != nil {
		b.Fatal(err)
	}
	defer led.Close() //nolint:errcheck // it was only read
	key := reconcile.OrderKey{Shop: "main", Order: order}
	var ids []reconcile.EventID
	for _, kind := range []reconcile.Kind{reconcile.KindCart, reconcile.KindOrder, reconcile.KindPurchase} {
		ids = append(ids, reconcile.NewEventID(kind, key))
	}
	found, err := led.Find(ctx, "activate", ids)
	if err == nil {
		err = reconcile.FindRevisions(ctx, led, "activate", found)
	}
	if err != nil {
		b.Fatal(err)
	}
	made, err := led.Made(ctx, "activate", ids)
	if err != nil {
		b.Fatal(err)
	}
	known := len(found) > 0
	for _, target := range []string{"", "activate"} {
		decided, err := led.Decided(ctx, target, ids)
		if err != nil {
			b.Fatal(err)
		}
		known = known || len(decided) > 0
	}
	return made[ids[2]], known
}
