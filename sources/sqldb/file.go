// Package sqldb reads the rows that a query or a table of a customer's
// database gives. The database is opened for reading only and left as it is;
// values are the ones that are stored, whatever type their column declares.
package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"makegood/reconcile"
	"makegood/sources/table"
)

// What can be wrong with a database or a query as a whole. The errors of this
// package wrap them and say more.
var (
	// ErrNoDatabase is returned for a file that is no SQLite database, and
	// when a server has no database of the name.
	ErrNoDatabase = errors.New("there is no such database")
	// ErrLogin is returned when a server does not let the user in.
	ErrLogin = errors.New("the server did not let makegood in")
	// ErrUnreachable is returned when there is no connection to the server.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrQuery is returned when the query cannot be carried out.
	ErrQuery = errors.New("the query cannot be carried out")
	// ErrWindow is returned when a query asks for :from or :to and [File.Within]
	// was not called.
	ErrWindow = errors.New("the query asks for :from or :to, but there is no period here")
)

// Bind is how the ends of the period are written for a query.
type Bind int

const (
	// WallClock writes "2006-01-02 15:04:05" in the source's zone, for columns
	// of local times in that form. The zero value.
	WallClock Bind = iota
	// Instant writes "2006-01-02T15:04:05Z", in UTC, for columns that carry
	// their zone.
	Instant
)

// Options say how a database is read.
type Options struct {
	// Table is read whole where there is no query; its schema may stand before
	// it, with a point between.
	Table string
	// Key names columns of the table that are unique together and never empty.
	// The table is then read page by page, and a lost connection is resumed.
	Key []string
	// Waits are those before each new connection; nil: 1 s, 5 s, 15 s.
	Waits []time.Duration
	// Zone is the zone of times that carry none. nil is UTC.
	Zone *time.Location
	Bind Bind
	// Timeout ends a pass over the rows that takes longer. 0: no end but the
	// caller's, and an hour that a server gives to a query.
	Timeout time.Duration
	from    time.Time // the beginning of the period; zero where there is none
}

// clocks are names of what a server's session has for a clock, from the one
// that every server knows to the best: the zone at the beginning of the period,
// as its distance from UTC, and the zone itself. On that clock columns that
// carry their zone meet :from and :to as the others do.
func (o Options) clocks() []string {
	if o.Bind == Instant || o.Zone == nil || o.Zone == time.UTC {
		return []string{"+00:00"}
	}
	if o.from.IsZero() {
		return []string{"+00:00", o.Zone.String()}
	}
	return []string{o.from.In(o.Zone).Format("-07:00"), o.Zone.String()}
}

// timeout is how long a server works at one query.
func (o Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return time.Hour
}

// connectTimeout is for a server whose DSN sets none.
const connectTimeout = 15 * time.Second

// unreachable names the server, and what to look at.
func unreachable(where string, err error) error {
	return fmt.Errorf("%w at %s; see whether host and port in dsn are right and the server takes connections from here: %w", ErrUnreachable, where, err)
}

// File is one query of one database. It implements [table.File].
type File struct {
	name    string
	dsn     string
	query   string
	options Options
	window  reconcile.Window
}

// New names the rows of a query, or of a table where query is "", without
// touching the database. The name is the source's; dsn is
// postgres://user:password@host/database, mysql://user:password@host/database,
// sqlserver://user:password@host?database=name,
// sqlite:///path, file:path, or a plain path ending in .db, .sqlite or
// .sqlite3. The query may hold :from and :to, and is passed on as it is apart
// from them.
func New(name, dsn, query string, o Options) *File {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Waits == nil {
		o.Waits = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}
	}
	return &File{name: name, dsn: dsn, query: query, options: o}
}

// Within gives the same file with the period that :from and :to stand for.
// The ends are bound as they are, to the second, widened outwards: the caller
// adds the slack, and cuts exactly.
func (f *File) Within(w reconcile.Window) *File {
	within := *f
	within.window, within.options.from = w, w.From
	return &within
}

// Name is the source's name.
func (f *File) Name() string { return f.name }

// Open carries out the query. The database must exist and is never changed.
// An error says in words what is wrong with the database or the query; it
// wraps [ErrNoDatabase], [ErrLogin], [ErrUnreachable], [ErrQuery],
// [ErrWindow] or [fs.ErrNotExist] where one of them fits.
func (f *File) Open(ctx context.Context) (table.Cursor, error) {
	c, err := f.walk(ctx)
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", f.name, err)
	}
	return c, nil
}

func (f *File) walk(ctx context.Context) (table.Cursor, error) {
	if len(f.options.Key) > 0 && f.options.Table != "" {
		return f.openPages(ctx)
	}
	return f.open(ctx)
}

// Mark is empty: a pass sees one moment of the database, whatever is written
// meanwhile, and there is no second one.
func (f *File) Mark() (string, error) { return "", nil }

// Twice is false: between two passes the database may change.
func (f *File) Twice() bool { return false }
