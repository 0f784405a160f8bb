package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// history fills a ledger with two runs, of which the second died, and closes
// it.
func history(t testing.TB, place string) {
	t.Helper()
	ctx := context.Background()
	led, err := ledger.Open(ctx, place, options())
	if err != nil {
		t.Fatal(err)
	}
	begin(t, led, "first")
	claim(t, led, "first", 0, "1001", "1002", "1003", "1004")
	var outcomes []reconcile.Outcome
	for n, v := range []reconcile.Verdict{reconcile.Sent, reconcile.Rejected, reconcile.InDoubt, reconcile.Retryable} {
		id := event(fmt.Sprint(1001 + n)).ID
		outcomes = append(outcomes, reconcile.Outcome{ID: id, Version: 1, Verdict: v, Receipt: "receipt",
			Attempts: []reconcile.Attempt{{At: noon, Verdict: v, Status: 200 + n, Code: "code"}}})
	}
	if _, err := led.Settle(ctx, "activate", "first", outcomes); err != nil {
		t.Fatal(err)
	}
	e := event("1005")
	adopted := reconcile.Adoption{Want: reconcile.Want{ID: e.ID, Kind: e.Kind, Person: e.Person, Value: e.Value, Facts: e.Facts}, By: reconcile.ByAssumed, Who: "log", At: noon}
	if _, err := led.Adopt(ctx, "activate", "first", []reconcile.Adoption{adopted}); err != nil {
		t.Fatal(err)
	}
	var decisions []reconcile.Decision
	for n := range 5 {
		e := event(fmt.Sprint(2000 + n))
		decisions = append(decisions, reconcile.Decision{Target: "activate", Source: "shop", ID: e.ID, Value: e.Value, CompletedAt: noon,
			Place: reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}, Mark: reconcile.HashFields(fmt.Sprint(n))})
	}
	if err := led.Decide(ctx, "first", decisions); err != nil {
		t.Fatal(err)
	}
	end := reconcile.RunEnd{Run: "first", Finished: noon.Add(time.Hour), Exit: 2, Summary: []byte(`{"schema":1}`),
		Covered:  []reconcile.Coverage{{Source: "shop", Target: "activate", Mode: "live", To: noon}},
		Evidence: []reconcile.EvidenceDay{{Evidence: "log", Day: "2026-11-02", Rows: 7}},
		Days:     []reconcile.SourceDay{{Source: "shop", Day: "2026-11-02", Orders: 7}, {Source: "shop", Store: "north", Day: "2026-11-02", Orders: 3}}}
	if err := led.End(ctx, end); err != nil {
		t.Fatal(err)
	}
	words := []reconcile.Word{{Kind: reconcile.WordPause, Target: "stores", Who: "desk", Note: "stocktaking"},
		{Kind: reconcile.WordAccept, Target: "activate", About: string(event("2001").ID), Value: "held_back/no_email", Who: "desk", Note: "known"}}
	if err := led.Say(ctx, words); err != nil {
		t.Fatal(err)
	}
	if err := led.Begin(ctx, reconcile.RunRecord{Run: "scheduled", Command: "run", Started: noon, Schedule: "nightly", Slot: noon}); err != nil {
		t.Fatal(err)
	}
	begin(t, led, "second")
	claim(t, led, "second", 2, "1003", "1004")
	if err := led.Resolve(ctx, "activate", event("1002").ID, reconcile.Resolution{State: reconcile.StateOpen, Who: "desk", Note: "mended"}); err != nil {
		t.Fatal(err)
	}
	if err := led.Close(); err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, place string) []ledger.Finding {
	t.Helper()
	r, err := ledger.OpenReader(context.Background(), place, options())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	findings, err := r.Check(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// tables that a manipulation may hit, with the columns that make a key.
var tables = map[string][]string{
	"meta": {"one"}, "runs": {"run"}, "entries": {"target", "event"}, "attempts": {"attempt"}, "coverage": {"target", "mode", "source"},
	"evidence_days": {"evidence", "day"}, "shops": {"shop"}, "decisions": {"target", "event", "source"}, "words": {"kind", "target", "about"}, "source_days": {"source", "store", "day"}, "slots": {"schedule", "slot"}, "journal": {"sequence"},
}

// TestCheckFindsEveryRow deletes, alters or doubles one row at a time, drawn
// over all tables, and the check names the row. A ledger that nobody touched
// has nothing to find.
func TestCheckFindsEveryRow(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "makegood.db")
	history(t, whole)
	if findings := check(t, whole); len(findings) != 0 {
		t.Fatalf("found %v in a ledger that nobody touched", findings)
	}
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	const seed = 20261121
	random := rand.New(rand.NewPCG(seed, 1))
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range tables {
			if !yield(name) {
				return
			}
		}
	})
	rounds := 200
	if testing.Short() {
		rounds = 44
	}
	hit := map[string]int{}
	for n := range rounds {
		path := filepath.Join(t.TempDir(), fmt.Sprint(n, ".db"))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		table := names[n%len(names)]
		what, key := manipulate(t, path, table, random)
		if what == "" {
			continue
		}
		hit[table]++
		findings := check(t, path)
		if !slices.ContainsFunc(findings, func(f ledger.Finding) bool { return names1(f, table, key) }) {
			t.Errorf("round %d (seed %d): %s in %s: found %v", n, seed, what, table, findings)
		}
	}
	if len(hit) != len(tables) {
		t.Errorf("hit %v, want all of %d tables", hit, len(tables))
	}
}

// names1 reports whether a finding names a row: of the journal a range may.
func names1(f ledger.Finding, table, key string) bool {
	if f.Table != table {
		return table == "meta" && f.Table == "journal" // the head belongs to the journal
	}
	return strings.Join(f.Key, " ") == key || table == "journal"
}

// manipulate changes one random row and tells what it did to which.
func manipulate(t *testing.T, path, table string, random *rand.Rand) (what, key string) {
	t.Helper()
	db, err := sqlx.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	keys := strings.Join(tables[table], " || ' ' || ")
	chosen := textsOf(t, db, fmt.Sprintf("SELECT %s FROM %s", keys, table))
	key = chosen[random.IntN(len(chosen))]
	where := fmt.Sprintf("WHERE %s = '%s'", keys, key)
	how := random.IntN(3)
	if table == "meta" {
		how = 1 // without its row it is no ledger and refused, and two it cannot have
	}
	switch how {
	case 0:
		what = "deleted"
		mustExec(t, db, fmt.Sprintf("DELETE FROM %s %s", table, where))
	case 1:
		column := columnOf(t, db, table, random)
		what = "altered " + column
		if column == "state" {
			mustExec(t, db, fmt.Sprintf(`UPDATE entries SET state = CASE state WHEN 'done' THEN 'open' ELSE 'done' END %s`, where))
			break
		}
		mustExec(t, db, fmt.Sprintf(`UPDATE %s SET %s = CASE typeof(%s) WHEN 'integer' THEN %s + 1 WHEN 'blob' THEN CAST(%s || x'01' AS BLOB) WHEN 'null' THEN %s ELSE %s || 'x' END %s`,
			table, column, column, column, column, otherNull(column), column, where))
	default:
		what = "doubled"
		key = double(t, db, table, where)
	}
	return what, key
}

// otherNull is a value of the right type for a column that is empty.
func otherNull(column string) string {
	if column == "amount" {
		return "'1'"
	}
	return "1"
}

func mustExec(t *testing.T, db *sqlx.DB, statement string) {
	t.Helper()
	if done, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	} else if n, _ := done.RowsAffected(); n != 1 {
		t.Fatalf("%s changed %d rows", statement, n)
	}
}

// columnOf draws a column that can be altered without breaking the schema.
func columnOf(t *testing.T, db *sqlx.DB, table string, random *rand.Rand) string {
	t.Helper()
	columns := slices.DeleteFunc(textsOf(t, db, fmt.Sprintf("SELECT name FROM pragma_table_info('%s')", table)), func(one string) bool {
		// Beats of a run that goes on are no history; another key mark is
		// refused before anything is read.
		return slices.Contains(tables[table], one) || one == "key_mark" || one == "beat"
	})
	if len(columns) == 0 {
		return tables[table][0]
	}
	return columns[random.IntN(len(columns))]
}

// double inserts a row again under another key.
func double(t *testing.T, db *sqlx.DB, table, where string) (key string) {
	t.Helper()
	columns := textsOf(t, db, fmt.Sprintf("SELECT name FROM pragma_table_info('%s')", table))
	last := tables[table][len(tables[table])-1]
	values := slices.Clone(columns)
	for i, c := range values {
		if c == last {
			values[i] = fmt.Sprintf("CASE typeof(%s) WHEN 'integer' THEN %s + 100000000 ELSE %s || '-again' END", c, c, c)
		}
	}
	mustExec(t, db, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s %s", table, strings.Join(columns, ", "), strings.Join(values, ", "), table, where))
	again := strings.ReplaceAll(strings.Join(tables[table], " || ' ' || "), last, fmt.Sprintf("CASE typeof(%s) WHEN 'integer' THEN %s + 100000000 ELSE %s || '-again' END", last, last, last))
	if err := db.QueryRow(fmt.Sprintf("SELECT %s FROM %s %s", again, table, where)).Scan(&key); err != nil {
		t.Fatal(err)
	}
	return key
}

func textsOf(t *testing.T, db *sqlx.DB, query string) (texts []string) {
	t.Helper()
	if err := db.Select(&texts, query); err != nil {
		t.Fatal(err)
	}
	return texts
}

func jsonOf(row any) (string, error) {
	text, err := json.Marshal(row)
	return string(text), err
}
