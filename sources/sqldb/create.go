package sqldb

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jmoiron/sqlx"
)

// Create makes a new SQLite database by a script of SQL, for demonstrations
// and tests. It refuses a file that is there. Nothing else in this package
// writes.
func Create(ctx context.Context, path, script string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	db, err := sqlx.Open("sqlite3", "file:"+path)
	if err != nil {
		return fmt.Errorf("make the database %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "BEGIN;"+script+"COMMIT;"); err != nil {
		return fmt.Errorf("make the database %s: %w", path, err)
	}
	return nil
}
