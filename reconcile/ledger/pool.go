package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// busyTimeout is how long SQLite itself waits for another process's
// transaction.
const busyTimeout = 10 * time.Second

// pragma is a setting that must be in force.
type pragma struct{ name, want string }

// poolKind is one way of opening the file.
type poolKind struct {
	settings url.Values
	pragmas  []pragma
	conns    int
}

// writing is the one connection that writes.
func writing() poolKind {
	return poolKind{
		settings: url.Values{
			"mode": {"rw"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"},
			"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())}, "_foreign_keys": {"1"},
		},
		pragmas: []pragma{
			{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
			{"busy_timeout", fmt.Sprint(busyTimeout.Milliseconds())},
		},
		conns: 1,
	}
}

// reading is the pool of connections that cannot write. Transactions of the
// writing kind would take the write lock even to read.
func reading() poolKind {
	return poolKind{
		settings: url.Values{
			"mode": {"ro"}, "_query_only": {"1"},
			"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())},
		},
		pragmas: []pragma{
			{"query_only", "1"}, {"busy_timeout", fmt.Sprint(busyTimeout.Milliseconds())},
		},
		conns: 4,
	}
}

// openPool opens the file, which must exist, and reads every setting back: the
// driver ignores what it does not know.
func openPool(ctx context.Context, path string, kind poolKind) (*sqlx.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	escaped := (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath()
	db, err := sqlx.Open("sqlite3", "file:"+escaped+"?"+kind.settings.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(kind.conns)
	db.SetMaxIdleConns(kind.conns)
	if err := checkPragmas(ctx, db, kind.pragmas); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func checkPragmas(ctx context.Context, db *sqlx.DB, pragmas []pragma) error {
	for _, p := range pragmas {
		var got string
		if err := db.GetContext(ctx, &got, "PRAGMA "+p.name); err != nil {
			return fmt.Errorf("read %s back: %w", p.name, err)
		}
		if got != p.want {
			return fmt.Errorf("set %s to %s: SQLite keeps %s", p.name, p.want, got)
		}
	}
	return nil
}
