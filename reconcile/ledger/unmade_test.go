package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile/ledger"
)

// TestReaderOfTheUnmade: a process died while it made a ledger. It reads as an
// absent one, and the next run makes it.
func TestReaderOfTheUnmade(t *testing.T) {
	for name, left := range map[string]func(t *testing.T, path string){
		"in its first write": leaveHalf,
		"before it had a name": func(t *testing.T, path string) {
			if err := open(t, path, options()).Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, path, `DELETE FROM journal; DELETE FROM meta`)
		},
		"between two migrations": func(t *testing.T, path string) {
			if err := open(t, path, options()).Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, path, `DELETE FROM meta; DROP TABLE journal; DROP TABLE decisions; DROP TABLE pruned; DROP TABLE words; DROP TABLE source_days; DROP TABLE slots;
				ALTER TABLE meta DROP COLUMN hash; ALTER TABLE entries DROP COLUMN mark;
				DELETE FROM goose_db_version WHERE version_id > 2`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			left(t, path)
			r, err := ledger.OpenReader(t.Context(), path, options())
			if err != nil {
				t.Fatal(err)
			}
			if !r.Absent() {
				t.Error("it is not absent")
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if led := open(t, path, options()); !led.Created() {
				t.Error("the next run does not make it")
			}
		})
	}
}

// leaveHalf leaves a file with a journal that must be rolled back.
func leaveHalf(t *testing.T, path string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sqlx.Open("sqlite3", other)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`PRAGMA cache_size = 2; BEGIN; CREATE TABLE half (n);
		WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 5000) INSERT INTO half SELECT n FROM more`)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-journal"} {
		text, err := os.ReadFile(other + end)
		if err == nil {
			err = os.WriteFile(path+end, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
