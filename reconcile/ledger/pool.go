package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
)

// busyTimeout is how long SQLite itself waits for another process's
// transaction.
const busyTimeout = 10 * time.Second

// statements is how many prepared statements a connection keeps.
const statements = "32"

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
			"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())}, "_foreign_keys": {"1"}, "_stmt_cache_size": {statements},
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
			"mode": {"ro"}, "_query_only": {"1"}, "_stmt_cache_size": {statements},
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
			return fmt.Errorf("read %s back: %w", p.name, advised(err))
		}
		if got != p.want {
			return fmt.Errorf("set %s to %s: SQLite keeps %s", p.name, p.want, got)
		}
	}
	return nil
}

// advised adds the next step to an error of SQLite about the file itself.
func advised(err error) error {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch lite.Code {
	case sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return fmt.Errorf("%w: its folder must be there and writable, for the log that is kept beside the ledger", err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: the file is damaged; put the newest copy of it back, and say --expect-head with the head of the last report", err)
	}
	return err
}
