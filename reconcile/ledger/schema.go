package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
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

// schema is how a kind of database is migrated.
type schema struct {
	dialect goose.Dialect
	folder  string // of the migrations
	tables  string // the query that lists the tables
}

// migrate brings the schema up to date. The caller keeps others from doing the
// same.
func migrate(ctx context.Context, db *sqlx.DB, s schema) error {
	if _, older, err := checkSchema(ctx, db, s); err != nil || !older {
		return err
	}
	folder, err := fs.Sub(migrations, s.folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(s.dialect, db.DB, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// known is the newest schema of this version.
func (s schema) known() (newest int64, err error) {
	files, err := migrations.ReadDir(s.folder)
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
func checkSchema(ctx context.Context, db *sqlx.DB, s schema) (have int64, older bool, err error) {
	have, err = s.of(ctx, db)
	if err != nil {
		return 0, false, err
	}
	known, err := s.known()
	if err != nil {
		return 0, false, err
	}
	if have > known {
		return have, false, fmt.Errorf("schema %d, known up to %d: %w", have, known, ErrNewerSchema)
	}
	return have, have < known, nil
}

// of tells a ledger's schema without changing anything: 0 for a file
// that has none yet, ErrNoLedger for a database that is somebody else's.
func (s schema) of(ctx context.Context, db *sqlx.DB) (int64, error) {
	var tables []string
	if err := db.SelectContext(ctx, &tables, s.tables); err != nil {
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

// stampNew gives a ledger its identity, and one of an older version the
// beginning of its journal. It reports whether it had no identity.
func (s *Store) stampNew(ctx context.Context, o Options) (created bool, err error) {
	var old []metaRow
	if err := s.writing.SelectContext(ctx, &old, `SELECT * FROM meta`); err != nil {
		return false, fmt.Errorf("read the ledger's stamp: %w", err)
	}
	switch {
	case len(old) > 0 && len(old[0].Hash) > 0:
		return false, nil
	case len(old) > 0:
		return false, s.writer.once(func(ctx context.Context, t *tx) error { return t.base(ctx, nil) })
	}
	id, err := uuid.NewV7()
	if err != nil {
		return false, fmt.Errorf("name the ledger: %w", err)
	}
	err = s.writer.once(func(_ context.Context, t *tx) error {
		return t.put(metaRow{}, metaRow{One: 1, Ledger: id.String(), Epoch: 1, Environment: o.Environment,
			KeyMark: s.seal.mark(), CreatedAt: micros(o.Clock())})
	})
	if err != nil {
		return false, fmt.Errorf("stamp the ledger: %w", err)
	}
	return true, nil
}

// readMeta reads who the ledger is, and whether it has seen runs.
func readMeta(ctx context.Context, db *sqlx.DB) (m metaRow, knowsRuns bool, err error) {
	if err := db.GetContext(ctx, &m, `SELECT * FROM meta`); err != nil {
		return m, false, fmt.Errorf("read the ledger's stamp: %w", err)
	}
	if err := db.GetContext(ctx, &knowsRuns, `SELECT EXISTS (SELECT 1 FROM runs)`); err != nil {
		return m, false, fmt.Errorf("look for runs: %w", err)
	}
	return m, knowsRuns, nil
}
