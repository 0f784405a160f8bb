package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// postgres is a PostgreSQL server.
type postgres struct{ config *pgx.ConnConfig }

// newPostgres reads a DSN. Its own settings of TLS, timeouts and the search
// path stay; those that decide how values are written are set here.
func newPostgres(dsn string) (engine, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // which repeats the DSN
		return nil, errors.New("read dsn: it is not postgres://user:password@host:5432/database; " +
			"write signs such as @ / : # % in the password as %40 %2F %3A %23 %25")
	}
	for name, value := range map[string]string{
		"application_name": "makegood", "client_encoding": "UTF8", "datestyle": "ISO, YMD", "timezone": "UTC",
		"bytea_output": "hex", "extra_float_digits": "1", "standard_conforming_strings": "on", "intervalstyle": "iso_8601",
		"default_transaction_read_only": "on",
	} {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	return postgres{config}, nil
}

func (p postgres) connect(ctx context.Context, o Options) (*sqlx.DB, error) {
	config := p.config.Copy()
	config.RuntimeParams["statement_timeout"] = strconv.FormatInt(o.timeout().Milliseconds(), 10)
	begin := func(ctx context.Context, conn *pgx.Conn) error {
		clocks := o.clocks()
		if zone := clocks[len(clocks)-1]; len(clocks) > 1 {
			if _, err := conn.Exec(ctx, "SELECT set_config('TimeZone', $1, false)", zone); err != nil && conn.IsClosed() {
				return err // a zone that the server does not know leaves it at UTC
			}
		}
		_, err := conn.Exec(ctx, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
		return err
	}
	return pool(ctx, writtenConnector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(begin))}, "pgx")
}

// pool is one session of a server, proven to be there.
func pool(ctx context.Context, c driver.Connector, name string) (*sqlx.DB, error) {
	db := sqlx.NewDb(sql.OpenDB(c), name)
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (postgres) bind(query string, end func(string) (string, error)) (string, []any, error) {
	pieces, names, err := postgresGrammar.cut(query)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	var args []any
	numbers := map[string]int{}
	for i, name := range names {
		if numbers[name] == 0 {
			value, err := end(name)
			if err != nil {
				return "", nil, err
			}
			args = append(args, any(value))
			if name == ":to" {
				args[len(args)-1] = periodEnd(value)
			}
			numbers[name] = len(args)
		}
		// The blanks keep $1 apart from letters and digits on both sides.
		fmt.Fprintf(&b, "%s $%d ", pieces[i], numbers[name])
	}
	return b.String() + pieces[len(names)], args, nil
}

func (postgres) tables() string {
	return `SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')
		AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
		ORDER BY 1`
}

func (p postgres) page(from string, key []string, last []any) (string, []any) {
	return pageOf(p, from, key, last, func(i int) string { return "$" + strconv.Itoa(i) })
}

func (postgres) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (p postgres) inWords(err error) error {
	where := fmt.Sprintf("%s:%d", p.config.Host, p.config.Port)
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return unreachable(where, err)
		}
		return err
	}
	switch e.Code {
	case "28P01", "28000":
		return fmt.Errorf("%w as %s at %s; correct user and password in dsn: %s", ErrLogin, p.config.User, where, e.Message)
	case "3D000":
		return fmt.Errorf("%w %q at %s; correct the name behind the last / in dsn", ErrNoDatabase, p.config.Database, where)
	case "57014":
		return fmt.Errorf("%w: the server ended it, because it took too long or was told to: %s", ErrQuery, e.Message)
	case "25006":
		return fmt.Errorf("%w: it would change the database, which is only read: %s", ErrQuery, e.Message)
	case "42501":
		return fmt.Errorf("%w: user %s may not read this; grant it SELECT: %s", ErrQuery, p.config.User, e.Message)
	}
	text := e.Message
	if strings.HasPrefix(e.Code, "22") {
		text = repeated.ReplaceAllString(text, `"..."`)
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return fmt.Errorf("%w: %s (%s)", ErrQuery, text, e.Code)
}

// repeated is the value that a server repeats when it cannot be converted.
var repeated = regexp.MustCompile(`(?s)".*"`)

// writtenConnector makes connections whose rows hold what the server writes.
type writtenConnector struct{ driver.Connector }

func (c writtenConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return written{conn.(*stdlib.Conn)}, nil
}

// written is a connection that takes every value as the server's text: the
// driver's own types lose what they have no place for (infinity, 24:00, the
// zone of a column).
type written struct{ *stdlib.Conn }

// ResetSession keeps the transaction that the session is in: all statements
// see the database of one moment. The driver's own gives such a connection up.
func (w written) ResetSession(context.Context) error {
	if w.Conn.Conn().IsClosed() {
		return driver.ErrBadConn
	}
	return nil
}

func (w written) QueryContext(ctx context.Context, query string, named []driver.NamedValue) (driver.Rows, error) {
	args := []any{pgx.QueryResultFormats{pgx.TextFormatCode}}
	for i, n := range named {
		if end, ok := n.Value.(periodEnd); ok {
			value, err := w.written(ctx, query, i, end)
			if err != nil {
				return nil, err
			}
			n.Value = value
		}
		args = append(args, n.Value)
	}
	rows, err := w.Conn.Conn().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	r := &writtenRows{rows: rows, more: rows.Next()} // an error of the query comes with its first row
	if err := rows.Err(); err != nil {
		rows.Close()
		return nil, err
	}
	for _, f := range rows.FieldDescriptions() {
		if f.DataTypeOID == moneyOID {
			rows.Close()
			return nil, fmt.Errorf("%w: column %s is MONEY, which the server writes in its own locale; write %s::numeric AS %s in the query",
				ErrQuery, f.Name, f.Name, f.Name)
		}
	}
	return r, nil
}

// periodEnd is the text of :to.
type periodEnd string

// written gives the text of :to for the type that the server takes its place
// i for. Of a DATE it would drop the time, and the orders of the day with it.
func (w written) written(ctx context.Context, query string, i int, end periodEnd) (string, error) {
	conn := w.Conn.Conn()
	if conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return string(end), nil // between here and the server is what keeps no statements
	}
	statement, err := conn.Prepare(ctx, query, query)
	if err != nil {
		return "", err
	}
	if i >= len(statement.ParamOIDs) || statement.ParamOIDs[i] != pgtype.DateOID {
		return string(end), nil
	}
	return end.day()
}

// day is the first day of which nothing is in the period.
func (e periodEnd) day() (string, error) {
	day, clock := e[:len(time.DateOnly)], strings.TrimLeft(string(e[len(time.DateOnly):]), " T")
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(clock, "00:00:00") {
		t = t.AddDate(0, 0, 1)
	}
	return t.Format(time.DateOnly), nil
}

const moneyOID = 790

// writtenRows are rows of which the first one has been fetched.
type writtenRows struct {
	rows    pgx.Rows
	more    bool
	started bool
}

func (r *writtenRows) Columns() []string {
	var names []string
	for _, f := range r.rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

func (r *writtenRows) Close() error {
	r.rows.Close()
	return nil // an error of the rows was told by Next
}

func (r *writtenRows) Next(dest []driver.Value) error {
	if r.started {
		r.more = r.rows.Next()
	}
	r.started = true
	if !r.more {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	fields := r.rows.FieldDescriptions()
	for i, raw := range r.rows.RawValues() {
		dest[i] = nil
		if raw != nil {
			dest[i] = writtenValue(fields[i].DataTypeOID, string(raw))
		}
	}
	return nil
}

// writtenValue is the value whose text the server gave.
func writtenValue(oid uint32, s string) driver.Value {
	switch oid {
	case pgtype.BoolOID:
		return strconv.FormatBool(s == "t")
	case pgtype.Float4OID:
		if f, err := strconv.ParseFloat(s, 32); err == nil {
			return float32(f)
		}
	case pgtype.Float8OID:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	case pgtype.TimestamptzOID:
		for _, offset := range []string{"-07", "-07:00", "-07:00:00"} {
			if t, err := time.Parse("2006-01-02 15:04:05.999999"+offset, s); err == nil {
				return t.UTC().Format(time.RFC3339Nano)
			}
		}
	case pgtype.ByteaOID:
		if b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`)); err == nil {
			return b
		}
	}
	return s
}
