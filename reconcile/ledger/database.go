package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

// database is what SQLite and PostgreSQL do in different ways. Everything else
// is written once, in SQLite's words.
type database interface {
	// name is the place for messages, without a password.
	name() string
	// begun reports whether there is a ledger, and what is wrong with what
	// stands in its place otherwise.
	begun(ctx context.Context) (bool, error)
	// prepare makes an empty place where there is none.
	prepare(ctx context.Context) error
	// openWriting and openReading open pools; the one has one connection, the
	// other cannot write. openReading gives nil when there is no ledger.
	openWriting(ctx context.Context) (*sqlx.DB, error)
	openReading(ctx context.Context) (*sqlx.DB, error)
	// migrating runs do while no other process changes the schema.
	migrating(ctx context.Context, do func() error) error
	// schema tells where the migrations are and how to list the tables.
	schema() schema
	// begin starts a transaction that writes: there is one at a time.
	begin(ctx context.Context, c *conn) error
	// moment begins and ends reading that sees the ledger at one moment.
	moment() (begin, end string)
	// text is a statement in the database's own words.
	text(statement string) string
	// store writes rows of one table in their order.
	store(ctx context.Context, c *conn, rows []stored) error
	// cut reports whether an error of writing says that the session ended before
	// anything was kept.
	cut(err error) bool
	// now is the clock by which beats are judged.
	now(ctx context.Context, c *conn) (time.Time, error)
	// lock takes the lock that keeps a run alive.
	lock(ctx context.Context, run reconcile.RunID) (runLock, error)
	// lockFree reports whether a run's lock could be had.
	lockFree(ctx context.Context, c *conn, run string) (bool, error)
	// sweep removes what runs that are over have left of their locks;
	// registered tells which runs the ledger knows.
	sweep(ctx context.Context, registered func(runs []string) ([]string, error)) error
}

// runLock is the lock of a living run.
type runLock interface {
	// holds reports whether it still keeps others away.
	holds() bool
	release() error
}

// databaseAt tells what lies at a place: a file, or postgres://...
func databaseAt(place string, o Options) (database, error) {
	if strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://") {
		return newPostgres(place)
	}
	if login, _, is := strings.Cut(place, "@"); is && strings.Contains(login[strings.LastIndex(login, "/")+1:], ":") {
		// a URL that has lost its beginning: it may hold a password
		return nil, errors.New("a ledger is a file or postgres://user:password@host/database, and this is neither: correct the key ledger")
	}
	if scheme, _, is := strings.Cut(place, "://"); is {
		return nil, fmt.Errorf("a ledger is a file or postgres://..., not %s://: correct the key ledger", scheme)
	}
	return newSQLite(place, o)
}

// Begun reports whether there is a ledger at a place. Something else in its
// place is an error.
func Begun(ctx context.Context, place string) (bool, error) {
	db, err := databaseAt(place, Options{}.filled())
	if err != nil {
		return false, fmt.Errorf("look for the ledger: %w", err)
	}
	return db.begun(ctx)
}

// conn is a connection that speaks its database's words.
type conn struct {
	*sqlx.Conn
	db database
}

// SelectContext is sqlx's, in the database's words. So are the others.
func (c *conn) SelectContext(ctx context.Context, into any, query string, args ...any) error {
	return c.Conn.SelectContext(ctx, into, c.db.text(query), args...)
}

// GetContext reads one row.
func (c *conn) GetContext(ctx context.Context, into any, query string, args ...any) error {
	return c.Conn.GetContext(ctx, into, c.db.text(query), args...)
}

// ExecContext runs a statement.
func (c *conn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Conn.ExecContext(ctx, c.db.text(query), args...)
}

// QueryxContext reads rows.
func (c *conn) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	return c.Conn.QueryxContext(ctx, c.db.text(query), args...)
}
