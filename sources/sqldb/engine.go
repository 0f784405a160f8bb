package sqldb

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// engine is what differs from one kind of database to the next.
type engine interface {
	// connect gives a pool of one session, which cannot write and sees the
	// database as it was at its first query. It holds nothing once closed.
	connect(ctx context.Context, o Options) (*sqlx.DB, error)
	// bind puts the engine's parameters in the place of :from and :to. The
	// ends of the period are asked of end, by name.
	bind(query string, end func(name string) (string, error)) (string, []any, error)
	// tables is the query that lists the tables and views.
	tables() string
	// page is the statement for the next pageRows rows of a table behind a key,
	// nil: the first ones.
	page(from string, key []string, last []any) (string, []any)
	// quote writes the name of a table or column.
	quote(name string) string
	// inWords says what the database objects to, and what to do about it.
	inWords(err error) error
}

// typed is an engine whose values mean something by the type of their column.
type typed interface {
	// value gives what text can write.
	value(kind string, v any) any
}

// engineOf is the one switch over the kinds of databases. It never repeats a
// DSN, which may hold a password.
func engineOf(dsn string) (engine, error) {
	scheme, rest, ok := strings.Cut(dsn, ":")
	switch {
	case ok && slices.Contains([]string{"sqlite", "sqlite3", "file"}, scheme):
		path, err := uriPath(strings.TrimPrefix(rest, "//"))
		return sqlite{path}, err
	case slices.Contains([]string{".db", ".sqlite", ".sqlite3"}, strings.ToLower(filepath.Ext(dsn))) &&
		!strings.Contains(dsn, "://"):
		return sqlite{dsn}, nil
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return newPostgres(dsn)
	case strings.HasPrefix(dsn, "mysql://"), strings.HasPrefix(dsn, "mariadb://"):
		return newMySQL(dsn)
	case strings.HasPrefix(dsn, "sqlserver://"):
		return newSQLServer(dsn)
	}
	return nil, errors.New("read dsn: it is neither postgres://user:password@host/database, mysql://user:password@host/database, " +
		"sqlserver://user:password@host?database=name, " +
		"sqlite:///path nor a path ending in .db, .sqlite or .sqlite3")
}
