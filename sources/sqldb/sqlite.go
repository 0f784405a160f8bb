package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"

	"makegood/sources/internal/near"
)

// uriPath is the path of a file URI without its query: how a database is
// opened is not for its DSN to say.
func uriPath(rest string) (string, error) {
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	path, err := url.PathUnescape(rest)
	if err != nil || path == "" {
		return "", errors.New("read dsn: it names no file")
	}
	return path, nil
}

// sqlite is a file.
type sqlite struct{ path string }

// connect opens an existing file for reading, and proves that it is so.
func (s sqlite) connect(ctx context.Context, _ Options) (*sqlx.DB, error) {
	if err := lookAt(s.path); err != nil {
		return nil, err
	}
	uri := "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?mode=ro&_query_only=1&_busy_timeout=10000"
	db := sqlx.NewDb(sql.OpenDB(connector{uri}), "sqlite3")
	db.SetMaxOpenConns(1)
	var only int
	if err := db.GetContext(ctx, &only, "PRAGMA query_only"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if only != 1 {
		return nil, errors.Join(errors.New("open the database for reading only: it was not"), db.Close())
	}
	return db, nil
}

func lookAt(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(path)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is not an SQLite database: %w, it is a folder", filepath.Base(path), ErrNoDatabase)
	case info.Size() == 0:
		return fmt.Errorf("%s is not an SQLite database: %w, the file has no bytes", filepath.Base(path), ErrNoDatabase)
	}
	return nil
}

func missing(path string) error {
	var names []string
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if n := near.Name(filepath.Base(path), names); n != "" {
		return fmt.Errorf("find %s: %w; did you mean %s?", path, fs.ErrNotExist, n)
	}
	return fmt.Errorf("find %s: %w", path, fs.ErrNotExist)
}

// connector makes connections whose rows hold what is stored.
type connector struct{ uri string }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.uri)
	if err != nil {
		return nil, err
	}
	own := stored{conn.(*sqlite3.SQLiteConn)}
	if _, err := own.ExecContext(ctx, "BEGIN", nil); err != nil { // all statements see one moment
		return nil, errors.Join(err, conn.Close())
	}
	return own, nil
}

func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// stored is a connection that does not convert by declared type: the driver
// makes year 1 of unreadable text in a DATETIME column, and a boolean of 7.
type stored struct{ *sqlite3.SQLiteConn }

// QueryContext blanks the declared types that the driver keeps with its rows,
// so that it hands over each value in its storage class.
func (s stored) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.SQLiteConn.QueryContext(ctx, query, args)
	if r, ok := rows.(*sqlite3.SQLiteRows); ok && err == nil && len(r.Columns()) > 0 {
		clear(r.DeclTypes())
	}
	return rows, err
}

// bind leaves the query as it is: SQLite has named parameters. Another one than
// :from and :to would be NULL to it, and give no rows without an error.
//
// Times are texts here, written with a blank or with a T between day and time,
// to the second or to the minute, and compared by their signs: a blank is less
// than a T, and a part less than the whole. So :from has a blank and no zeros at
// its end, and :to a T: no row is left out whichever form a column has; what is
// too much of the last day is cut as ever.
func (sqlite) bind(query string, end func(string) (string, error)) (string, []any, error) {
	var args []any
	for _, p := range parameters(query) {
		if p != ":from" && p != ":to" {
			return "", nil, fmt.Errorf("%w: it asks for %s; there are only :from and :to", ErrQuery, p)
		}
		value, err := end(p)
		if err != nil {
			return "", nil, err
		}
		if p == ":from" {
			value = strings.TrimSuffix(strings.Replace(value, "T", " ", 1), "Z")
			value = strings.TrimSuffix(strings.TrimSuffix(value, ":00"), " 00:00")
		} else {
			value = strings.Replace(value, " ", "T", 1)
		}
		args = append(args, sql.Named(p[1:], value))
	}
	return query, args, nil
}

func (sqlite) tables() string {
	return `SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`
}

func (s sqlite) page(from string, key []string, last []any) (string, []any) {
	return pageOf(s, from, key, last, func(int) string { return "?" })
}

func (sqlite) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// inWords says what the database objects to. What it says of the query itself
// is in its own words.
func (sqlite) inWords(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrNotADB:
		return fmt.Errorf("%w: the file is not an SQLite database, or it is encrypted: %w", ErrNoDatabase, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("read the database: it is damaged: %w", err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("read the database: another program holds it locked: %w", err)
	case sqlite3.ErrCantOpen:
		return fmt.Errorf("read the database: it cannot be opened (may its folder be written to?): %w", err)
	case sqlite3.ErrReadonly:
		return fmt.Errorf("%w: it would change the database, which is only read: %w", ErrQuery, err)
	}
	return fmt.Errorf("%w: %w", ErrQuery, err)
}
