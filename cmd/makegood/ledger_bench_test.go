package main

import (
	"cmp"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// entriesVariable is how many entries the large ledger of BenchmarkPlanKnown
// has: a million when it is not set.
const entriesVariable = "MAKEGOOD_BENCH_ENTRIES"

// filled writes entries into a ledger that is there: of other orders, whose
// numbers lie between those of the year and all around them, as many in each hour
// of 2001 to 2026. One in 10,000 is refused. The index of likenesses is made
// afterwards, because its keys come in no order.
var filled = []string{
	`DROP INDEX entries_twin`,
	`INSERT INTO entries (target, event, version, state, lost, done_by, who, note, said_at, run, kind, action, person, amount, currency,
		amount_of, source, completed_at, store, digest, cosmetic, cosmetic_fields, payload, shown, attempts, not_before, at, receipt, before, twin, mark)
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
	SELECT 'activate', printf('purchase/main/%010d', 5000000000 + i * 1000000000 / ?1), 2, iif(i % 10000 = 7, 'refused', 'done'), 0,
		iif(i % 10000 = 7, '', 'sent_here'), '', '', 0, 'r', 'purchase', 'purchase', randomblob(16), '12.5', 'GBP', 'lines', 'shop',
		1000000000000000 + i % 10000 * 79000000000, '', randomblob(32), randomblob(32), 'name', randomblob(32),
		printf('%010d', 5000000000 + i * 1000000000 / ?1), 1, 0, 1700000000000000, '', '', randomblob(16), randomblob(16) FROM n`,
	`CREATE INDEX entries_twin ON entries (target, twin, completed_at) WHERE twin <> x''`,
	`INSERT INTO attempts (attempt, target, event, run, version, at, verdict, status, code, receipt, late, lost)
	SELECT row_number() OVER (), target, event, run, 1, at, iif(state = 'done', 'sent', 'rejected'), 200, '', '', 0, 0 FROM entries`,
	`PRAGMA wal_checkpoint(TRUNCATE)`,
}

// BenchmarkPlanKnown compares the first plan of a real shop's year (18,356
// messages) over a ledger of many entries with one over an empty ledger. They
// take turns.
func BenchmarkPlanKnown(b *testing.B) {
	entries, err := strconv.Atoi(cmp.Or(os.Getenv(entriesVariable), "1000000"))
	check(b, err)
	empty, large := begunLedger(b), begunLedger(b)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(filepath.Dir(large), "makegood.db")+"?_synchronous=off&_cache_size=-400000")
	check(b, err)
	for _, statement := range filled {
		if _, err := db.Exec(statement, entries); err != nil {
			b.Fatal(err)
		}
	}
	check(b, db.Close())
	var alone, among taken
	plan := func(config string) *exec.Cmd {
		return play(b, append([]string{"plan", "-c", config}, retailWindow...)...)
	}
	new(taken).run(b, plan(large), exitLeft) // not measured: the files are in memory afterwards
	for b.Loop() {
		alone.run(b, plan(empty), exitLeft)
		among.run(b, plan(large), exitLeft)
	}
	b.ReportMetric(among.wall.Seconds()/float64(b.N), "s-plan")
	alone.report(b, "empty", among)
}

// begunLedger gives the configuration of a shop whose ledger a run has begun and
// written nothing into.
func begunLedger(b *testing.B) (config string) {
	b.Helper()
	config = retailConfig(b, b.TempDir(), "http://127.0.0.1:1",
		fmt.Sprintf(retailSource(b, "type: csv\npath: "+retail(b, "online_retail.csv")+englishColumns), "InvoiceNo"))
	if out, err := play(b, "run", "-c", config, "--from", "2010-01-01", "--to", "2010-01-02").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return config
}
