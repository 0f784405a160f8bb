package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Errors of opening a ledger.
var (
	// ErrNewerSchema says that a newer makegood has changed the ledger.
	ErrNewerSchema = errors.New("a newer makegood has changed this ledger: use that version or a newer one")
	// ErrOlderSchema says that a reader met a ledger that no run of this
	// version has opened yet.
	ErrOlderSchema = errors.New("the ledger is of an older makegood: the next run brings it up to date")
	// ErrNoLedger says that the file is something else.
	ErrNoLedger = errors.New("this database is no ledger of makegood: correct 'ledger' in the configuration")
	// ErrNetworkFS says that the file lies where locks do not hold.
	ErrNetworkFS = errors.New("a ledger must not lie on a network file system")
	// ErrOtherKey says that the person key is not the ledger's.
	ErrOtherKey = errors.New("the person key is not the one that this ledger was made with: " +
		"put person.key back from the state directory of another host or a backup")
)

// schemaPoll is how often a process that waits for another's migration looks.
const schemaPoll = 50 * time.Millisecond

// withSchemaLock keeps two processes from migrating at once: goose has no lock
// of its own on SQLite.
func withSchemaLock(ctx context.Context, path string, do func() error) error {
	lock := flock.New(path + ".migrate.lock")
	if _, err := lock.TryLockContext(ctx, schemaPoll); err != nil {
		return fmt.Errorf("wait for the lock %s: %w", lock.Path(), err)
	}
	return errors.Join(do(), lock.Unlock())
}

// migrate brings the schema up to date. The caller holds the schema lock.
func migrate(ctx context.Context, db *sqlx.DB) error {
	if _, older, err := checkSchema(ctx, db); err != nil || !older {
		return err
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.DB, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// knownSchema is the newest schema of this version.
func knownSchema() (newest int64, err error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		version, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// checkSchema tells how a ledger's schema compares with the known one: older
// reports whether it must be migrated. A newer one is an error.
func checkSchema(ctx context.Context, db *sqlx.DB) (have int64, older bool, err error) {
	have, err = schemaOf(ctx, db)
	if err != nil {
		return 0, false, err
	}
	known, err := knownSchema()
	if err != nil {
		return 0, false, err
	}
	if have > known {
		return have, false, fmt.Errorf("schema %d, known up to %d: %w", have, known, ErrNewerSchema)
	}
	return have, have < known, nil
}

// schemaOf tells a ledger's schema without changing anything: 0 for a file
// that has none yet, ErrNoLedger for a database that is somebody else's.
func schemaOf(ctx context.Context, db *sqlx.DB) (int64, error) {
	var tables []string
	const list = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if err := db.SelectContext(ctx, &tables, list); err != nil {
		return 0, fmt.Errorf("list tables: %w", err)
	}
	const versions = "goose_db_version"
	known := map[string]bool{}
	for _, t := range tables {
		known[t] = true
	}
	switch {
	case len(tables) == 0 || len(tables) == 1 && known[versions]:
		return 0, nil // nothing yet, or a process died before its first migration
	case !known["meta"] || !known["entries"] || !known[versions]:
		return 0, ErrNoLedger
	}
	var version int64
	err := db.GetContext(ctx, &version, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`)
	return version, err
}

// stamp is the row of the table meta.
type stamp struct {
	Ledger      string `db:"ledger"`
	Epoch       int64  `db:"epoch"`
	Sequence    int64  `db:"sequence"`
	Environment string `db:"environment"`
	KeyMark     blob   `db:"key_mark"`
}

// stampNew gives a ledger its identity, and reports whether it had none.
func stampNew(ctx context.Context, db *sqlx.DB, o Options) (bool, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return false, fmt.Errorf("name the ledger: %w", err)
	}
	const insert = `INSERT OR IGNORE INTO meta (one, ledger, epoch, sequence, environment, key_mark, created_at)
		VALUES (1, ?, 1, 0, ?, ?, ?)`
	mark := []byte(seal{o.Key}.mark())
	done, err := db.ExecContext(ctx, insert, id.String(), o.Environment, mark, micros(o.Clock()))
	if err != nil {
		return false, fmt.Errorf("stamp the ledger: %w", err)
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// readStamp reads who the ledger is, and whether it has seen runs.
func readStamp(ctx context.Context, db *sqlx.DB) (s stamp, knowsRuns bool, err error) {
	const query = `SELECT ledger, epoch, sequence, environment, key_mark FROM meta`
	if err := db.GetContext(ctx, &s, query); err != nil {
		return s, false, fmt.Errorf("read the ledger's stamp: %w", err)
	}
	if err := db.GetContext(ctx, &knowsRuns, `SELECT EXISTS (SELECT 1 FROM runs)`); err != nil {
		return s, false, fmt.Errorf("look for runs: %w", err)
	}
	return s, knowsRuns, nil
}
