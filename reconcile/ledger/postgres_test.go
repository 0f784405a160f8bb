package ledger_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/ledger/ledgertest"
)

const postgresURL = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable"

// postgres gives the URL of a schema of its own on a real server, which is
// dropped at the end. MAKEGOOD_TEST_REQUIRE=postgres makes its absence a
// failure.
func postgres(t testing.TB) string {
	t.Helper()
	probe, err := net.DialTimeout("tcp", "127.0.0.1:5432", 2*time.Second)
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAKEGOOD_TEST_REQUIRE"), ","), "postgres") {
			t.Fatalf("postgres is required, but: %v", err)
		}
		t.Skipf("without postgres: %v", err)
	}
	probe.Close()
	name := "ledger_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() { onServer(t, "DROP SCHEMA IF EXISTS "+name+" CASCADE") })
	return postgresURL + "&search_path=" + name
}

func onServer(t testing.TB, statement string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), postgresURL)
	if err != nil {
		c, err = pgx.Connect(background(t), postgresURL)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Exec(background(t), statement)
	if err := errors.Join(err, c.Close(background(t))); err != nil {
		t.Fatal(err)
	}
}

func TestPostgres(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Place {
		place := postgres(t)
		return ledgertest.Place{
			Open: func(t *testing.T) reconcile.Ledger {
				led, err := ledger.Open(t.Context(), place, options())
				if err != nil {
					t.Fatal(err)
				}
				return led
			},
			Stored: func(t *testing.T) []byte { return storedRows(t, place) },
		}
	})
}

// storedRows is the text of every row of every table.
func storedRows(t *testing.T, place string) []byte {
	t.Helper()
	c, err := pgx.Connect(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(background(t)) }()
	var all strings.Builder
	for _, table := range []string{"meta", "runs", "entries", "attempts", "coverage", "evidence_days", "shops", "decisions", "pruned", "words", "source_days", "slots"} {
		rows, err := c.Query(t.Context(), fmt.Sprintf("SELECT row_to_json(x)::text FROM %s AS x", table))
		if err != nil {
			t.Fatal(err)
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(texts, "\n"))
	}
	return []byte(all.String())
}

// TestPostgresCheck: the same history as in a file, and the same findings.
func TestPostgresCheck(t *testing.T) {
	place := postgres(t)
	history(t, place)
	if findings := check(t, place); len(findings) != 0 {
		t.Fatalf("found %v in a ledger that nobody touched", findings)
	}
	schema := place[strings.LastIndex(place, "=")+1:]
	for _, c := range []struct{ table, statement string }{
		{"decisions", "UPDATE %s.decisions SET reason = 'too_old' WHERE event = 'purchase/main/2001'"},
		{"attempts", "DELETE FROM %s.attempts WHERE attempt = (SELECT max(attempt) FROM %[1]s.attempts)"},
		{"entries", "UPDATE %s.entries SET amount = '13.5' WHERE event = 'purchase/main/1001'"},
		{"journal", "DELETE FROM %s.journal WHERE sequence = (SELECT max(sequence) FROM %[1]s.journal)"},
	} {
		onServer(t, fmt.Sprintf(c.statement, schema))
		if findings := check(t, place); !slices.ContainsFunc(findings, func(f ledger.Finding) bool { return f.Table == c.table }) {
			t.Errorf("%s: found %v", c.statement, findings)
		}
	}
}

// TestPostgresLocksAreFreeAtOnce: what a run had claimed is lost as soon as its
// ledger is closed, not when the server has noticed it.
func TestPostgresLocksAreFreeAtOnce(t *testing.T) {
	place := postgres(t)
	other := open(t, place, options())
	for n := range 20 {
		led, err := ledger.Open(t.Context(), place, options())
		if err != nil {
			t.Fatal(err)
		}
		run := reconcile.RunID(fmt.Sprint("run-", n))
		begin(t, led, run)
		claim(t, led, run, 0, fmt.Sprint(n))
		if err := led.Close(); err != nil {
			t.Fatal(err)
		}
		if _, lost, err := other.Lost(t.Context(), "activate", 1); lost != n+1 || err != nil {
			t.Errorf("round %d: %d claims are lost, want %d: %v", n, lost, n+1, err)
		}
	}
}

// TestPostgresLosesItsConnections: a run whose sessions the server ends is
// dead, knows it, and sends nothing more; the ledger itself goes on.
func TestPostgresLosesItsConnections(t *testing.T) {
	place := postgres(t)
	o := options()
	o.Beat = 20 * time.Millisecond
	led := open(t, place, o)
	begin(t, led, "cut")
	claim(t, led, "cut", 0, "1")
	onServer(t, fmt.Sprintf(`SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = %d`, ledger.RunKey(t, place, "cut")))
	for deadline := time.Now().Add(10 * time.Second); led.Alive("cut", 0); {
		if time.Now().After(deadline) {
			t.Fatal("the run still counts itself as alive")
		}
		time.Sleep(time.Millisecond)
	}
	if _, _, err := led.Claim(t.Context(), "activate", "cut", []reconcile.Ticket{{Event: event("2")}}); !errors.Is(err, reconcile.ErrRunOver) {
		t.Errorf("a dead run claimed: %v", err)
	}
	begin(t, led, "next")
	if taken := claim(t, led, "next", 1, "1"); len(taken) != 1 {
		t.Errorf("the dead run's claim was not taken: %v", taken)
	}
}

// TestPostgresSettlesAgain: answers whose session the server ends before anything
// of them was kept are kept all the same, once.
func TestPostgresSettlesAgain(t *testing.T) {
	place := postgres(t)
	led := open(t, place, options())
	begin(t, led, "cut")
	taken := claim(t, led, "cut", 0, "1")
	c, err := pgx.Connect(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(background(t)) }()
	tx, err := c.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `LOCK TABLE entries IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	settled := make(chan error, 1)
	go func() {
		_, err := led.Settle(background(t), "activate", "cut", []reconcile.Outcome{{ID: taken[0], Version: 1, Verdict: reconcile.Sent,
			Attempts: []reconcile.Attempt{{At: noon, Verdict: reconcile.Sent, Status: 200}}}})
		settled <- err
	}()
	ended := 0
	for deadline := time.Now().Add(time.Minute); ended == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the table")
		}
		if err := tx.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))`).Scan(&ended); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	var kept struct {
		State    string
		Attempts int
	}
	err = c.QueryRow(t.Context(), `SELECT state, (SELECT count(*) FROM attempts) FROM entries`).Scan(&kept.State, &kept.Attempts)
	if err != nil || kept.State != string(reconcile.StateDone) || kept.Attempts != 1 {
		t.Errorf("kept is %+v: %v", kept, err)
	}
}
