package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	"makegood/reconcile"
)

// postgresSchema is where the tables are when the URL names no search_path.
const postgresSchema = "makegood"

// Bounds of a connection to PostgreSQL.
const (
	connectTimeout   = 10 * time.Second
	lockTimeout      = time.Minute // for the turn to write
	statementTimeout = 5 * time.Minute
	lockLook         = 5 * time.Second // to see whether a lock is still held
	unusedFor        = time.Minute     // then a connection is given back: a server has few
	// idleTimeout ends the session of a writer that has its turn and says nothing:
	// its process is frozen, and all others wait. One that is frozen while it waits
	// for its turn gets it all the same.
	idleTimeout = 5 * time.Second
)

// postgres is a ledger in a PostgreSQL database. A run's lock is a session
// advisory lock on a connection of its own; writers take turns by an advisory
// lock, so that nobody ever waits for two rows at once.
type postgres struct {
	config *pgx.ConnConfig
	shown  string
}

func newPostgres(place string) (*postgres, error) {
	config, err := pgx.ParseConfig(place)
	if err != nil {
		return nil, fmt.Errorf("read the URL of the ledger: it must be postgres://user@host:port/database") // the error may hold the password
	}
	if config.RuntimeParams["search_path"] == "" {
		config.RuntimeParams["search_path"] = postgresSchema
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["synchronous_commit"] = "on"
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(lockTimeout.Milliseconds())
	config.RuntimeParams["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	config.RuntimeParams["application_name"] = "makegood"
	shown := url.URL{Scheme: "postgres", Host: fmt.Sprintf("%s:%d", config.Host, config.Port), Path: "/" + config.Database}
	return &postgres{config, shown.String()}, nil
}

func (p *postgres) name() string { return p.shown }

func (p *postgres) schemaName() string {
	first, _, _ := strings.Cut(p.config.RuntimeParams["search_path"], ",")
	return strings.Trim(strings.TrimSpace(first), `"`)
}

func (p *postgres) begun(ctx context.Context) (begun bool, err error) {
	err = p.alone(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `SELECT to_regclass('meta') IS NOT NULL`).Scan(&begun)
	})
	return begun, err
}

// prepare makes the schema that the tables lie in.
func (p *postgres) prepare(ctx context.Context) error {
	return p.alone(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{p.schemaName()}.Sanitize())
		return err
	})
}

// alone lends a connection that is in no pool.
func (p *postgres) alone(ctx context.Context, do func(c *pgx.Conn) error) error {
	c, err := p.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close(context.WithoutCancel(ctx)))
}

func (p *postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.shown, err)
	}
	return c, nil
}

func (p *postgres) open(ctx context.Context, config *pgx.ConnConfig, conns int) (*sqlx.DB, error) {
	db := sqlx.NewDb(stdlib.OpenDB(*config), "pgx")
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(unusedFor)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", p.shown, err), db.Close())
	}
	return db, nil
}

func (p *postgres) openWriting(ctx context.Context) (*sqlx.DB, error) {
	config := p.config.Copy()
	config.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(idleTimeout.Milliseconds())
	return p.open(ctx, config, 1)
}

func (p *postgres) openReading(ctx context.Context) (*sqlx.DB, error) {
	config := p.config.Copy()
	config.RuntimeParams["default_transaction_read_only"] = "on"
	return p.open(ctx, config, 4)
}

func (p *postgres) schema() schema {
	return schema{goose.DialectPostgres, "migrations/postgres",
		`SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`}
}

func (p *postgres) migrating(ctx context.Context, do func() error) error {
	return p.alone(ctx, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, `SELECT pg_advisory_lock($1)`, p.key("migrate")); err != nil {
			return fmt.Errorf("wait for another migration: %w", err)
		}
		return do() // closing the connection gives the lock back
	})
}

// key is the number of an advisory lock, which all databases of a server have
// to themselves: it is told apart by the schema.
func (p *postgres) key(what string) int64 {
	sum := sha256.Sum256([]byte("makegood\x00" + p.schemaName() + "\x00" + what))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// begin waits for its turn. Each statement afterwards sees what was committed
// before: a snapshot taken while waiting would be too old.
func (p *postgres) begin(ctx context.Context, c *conn) error {
	if _, err := c.ExecContext(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, `SELECT pg_advisory_xact_lock(?)`, p.key("write"))
	return err
}

// stoodStill is what the server says to a session that idleTimeout has ended.
const stoodStill = "25P03"

func (p *postgres) cut(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == stoodStill {
		return true // before it read what it was told then
	}
	if errors.Is(err, errUnsure) {
		return false
	}
	return said != nil && strings.HasPrefix(said.Code, "57P") || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

func (p *postgres) moment() (begin, end string) {
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "ROLLBACK"
}

// indexed are the hints that only SQLite has.
var indexed = regexp.MustCompile(`INDEXED BY \w+`)

var postgresWords = strings.NewReplacer(
	"json_each(?) AS j", "json_array_elements_text(?::json) AS j(value)",
	"unhex(j.value)", "decode(j.value, 'hex')",
	"lower(hex(e.person))", "encode(e.person, 'hex')",
	"x''", "''::bytea",
)

func (p *postgres) text(statement string) string {
	return sqlx.Rebind(sqlx.DOLLAR, postgresWords.Replace(indexed.ReplaceAllString(statement, "")))
}

// store reads each object of one text once: value->>'name' would read it anew for
// each column. The network is crossed once.
func (p *postgres) store(ctx context.Context, c *conn, rows []stored) error {
	list := make([]any, len(rows))
	for i, s := range rows {
		list[i] = s.row
	}
	text, err := jsonText(list)
	if err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, p.upsert(rows[0].row), text)
	return err
}

func (p *postgres) upsert(row any) string {
	t := reflect.TypeOf(row)
	var columns, cells []string
	for _, col := range shapes[t] {
		columns = append(columns, col.name+" "+typeOf(t.Field(col.index).Type))
		cell := "r." + col.name
		if t.Field(col.index).Type == reflect.TypeFor[blob]() {
			cell = "decode(" + cell + ", 'hex')"
		}
		cells = append(cells, cell)
	}
	return upsert(row, "SELECT "+strings.Join(cells, ", ")+" FROM json_to_recordset(?::json) AS r("+strings.Join(columns, ", ")+") WHERE true")
}

// typeOf is how a field comes in JSON.
func typeOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "bigint"
	}
	return "text"
}

// now is the server's clock: the hosts' clocks may differ.
func (p *postgres) now(ctx context.Context, c *conn) (time.Time, error) {
	var now int64
	err := c.GetContext(ctx, &now, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`)
	return instant(now), err
}

// sessionLock is an advisory lock that lives as long as its connection.
type sessionLock struct{ conn *pgx.Conn }

// lock takes the lock, and makes sure that others see it: a pooler between
// here and the server that shares sessions would keep nobody away.
func (p *postgres) lock(ctx context.Context, run reconcile.RunID) (runLock, error) {
	c, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	key := p.key("run " + string(run))
	var got, seen bool
	err = c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, key).Scan(&got)
	if err == nil && got {
		err = p.alone(ctx, func(other *pgx.Conn) error {
			return other.QueryRow(ctx, `SELECT NOT pg_try_advisory_xact_lock_shared($1)`, key).Scan(&seen)
		})
	}
	switch {
	case err != nil:
	case !got:
		err = errors.New("another process holds it")
	case !seen:
		err = errors.New("nobody else sees it: connect to the server itself, not through a pooler of transactions")
	default:
		return sessionLock{c}, nil
	}
	return nil, errors.Join(fmt.Errorf("take the lock of run %s: %w", run, err), c.Close(ctx))
}

func (l sessionLock) holds() bool {
	ctx, cancel := context.WithTimeout(context.Background(), lockLook)
	defer cancel()
	return l.conn.Ping(ctx) == nil
}

// release gives the lock back before it closes the connection: the server
// notices some time later that one is closed, and until then others would take
// the run for alive.
func (l sessionLock) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), lockLook)
	defer cancel()
	_, _ = l.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`) // a connection that is lost has lost the lock, too
	return l.conn.Close(ctx)
}

// lockFree takes a shared lock for the length of a statement, so that two who
// look at once do not take each other for the run.
func (p *postgres) lockFree(ctx context.Context, c *conn, run string) (free bool, err error) {
	err = c.GetContext(ctx, &free, `SELECT pg_try_advisory_xact_lock_shared(?)`, p.key("run "+run))
	return free, err
}

// sweep has nothing to do: a lock goes with its connection.
func (p *postgres) sweep(context.Context, func([]string) ([]string, error)) error { return nil }
