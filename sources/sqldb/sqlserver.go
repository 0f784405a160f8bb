package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// sqlserver is a Microsoft SQL Server. It has no sessions that only read:
// everything happens in a transaction that is never committed.
type sqlserver struct{ config msdsn.Config }

// newSQLServer reads a DSN. The instance stands behind the host, the database
// in ?database=; the other parameters are the driver's.
func newSQLServer(dsn string) (engine, error) {
	wrong := errors.New("read dsn: it is not sqlserver://user:password@host:1433?database=name; " +
		"write signs such as @ / : # % in the password as %40 %2F %3A %23 %25")
	u, err := url.Parse(dsn) // whose error repeats the DSN
	if err != nil || u.Hostname() == "" || u.Fragment != "" {
		return nil, wrong
	}
	config, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, wrong
	}
	config.ReadOnlyIntent, config.AppName, config.LogFlags = config.Database != "", "makegood", 0
	config.Encoding.Timezone, config.Encoding.GuidConversion = time.UTC, false
	if config.DialTimeout <= 0 {
		config.DialTimeout = connectTimeout
	}
	return sqlserver{config}, nil
}

func (s sqlserver) connect(ctx context.Context, _ Options) (*sqlx.DB, error) {
	return pool(ctx, uncommittedConnector{mssql.NewConnectorConfig(s.config)}, "sqlserver")
}

// uncommittedConnector makes connections that are in a transaction which their
// end rolls back.
type uncommittedConnector struct{ driver.Connector }

func (c uncommittedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own := uncommitted{conn.(*mssql.Conn)}
	level := sql.LevelReadCommitted // a stricter one would lock rows that the shop wants to write
	if own.snapshots(ctx) {
		level = sql.LevelSnapshot
	}
	if _, err := own.BeginTx(ctx, driver.TxOptions{Isolation: driver.IsolationLevel(level)}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return own, nil
}

// uncommitted is a connection whose transaction lasts as long as it does.
type uncommitted struct{ *mssql.Conn }

// ResetSession keeps the transaction, which the driver's own would end.
func (u uncommitted) ResetSession(context.Context) error {
	if !u.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// snapshots reports whether the database lets a transaction see one moment.
func (u uncommitted) snapshots(ctx context.Context) bool {
	stmt, err := u.PrepareContext(ctx, "SELECT CAST(snapshot_isolation_state AS INT) FROM sys.databases WHERE database_id = DB_ID()")
	if err != nil {
		return false
	}
	defer func() { _ = stmt.Close() }() // it answered, or it did not
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, nil)
	if err != nil {
		return false
	}
	defer func() { _ = rows.Close() }()
	state := make([]driver.Value, 1)
	return rows.Next(state) == nil && state[0] == int64(1)
}

// bind names the parameters as the server does. The form with T is read alike
// whatever language the login has.
func (sqlserver) bind(query string, end func(string) (string, error)) (string, []any, error) {
	pieces, names, err := sqlserverGrammar.cut(query)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	var args []any
	given := map[string]bool{}
	for i, name := range names {
		if !given[name] {
			value, err := end(name)
			if err != nil {
				return "", nil, err
			}
			given[name] = true
			args = append(args, sql.Named("makegood_"+name[1:], strings.Replace(value, " ", "T", 1)))
		}
		fmt.Fprintf(&b, "%s @makegood_%s ", pieces[i], name[1:])
	}
	return b.String() + pieces[len(names)], args, nil
}

func (sqlserver) tables() string {
	return "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = SCHEMA_NAME() ORDER BY TABLE_NAME"
}

func (s sqlserver) page(from string, key []string, last []any) (string, []any) {
	columns := quotedAll(s, key)
	where, args := afterKey(columns, last, func(i int) string { return "@p" + strconv.Itoa(i) })
	return fmt.Sprintf("SELECT TOP (%d) * FROM %s%s ORDER BY %s", pageRows, from, where, strings.Join(columns, ", ")), args
}

func (sqlserver) quote(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// value writes what the driver gives in types of Go as the server would.
func (sqlserver) value(kind string, v any) any {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if kind == "REAL" {
			return float32(v)
		}
	case time.Time:
		return v.Format(clockForms[kind])
	case []byte:
		if kind == "UNIQUEIDENTIFIER" && len(v) == 16 {
			var id mssql.UniqueIdentifier
			if id.Scan(v) == nil {
				return id.String()
			}
		}
	}
	return v
}

var clockForms = map[string]string{
	"DATETIMEOFFSET": time.RFC3339Nano, "DATE": time.DateOnly, "TIME": "15:04:05.999999999",
	"DATETIME": "2006-01-02 15:04:05.999999999", "DATETIME2": "2006-01-02 15:04:05.999999999",
	"SMALLDATETIME": time.DateTime,
}

func (s sqlserver) inWords(err error) error {
	where := net.JoinHostPort(s.config.Host, strconv.FormatUint(s.config.Port, 10))
	e, ok := errors.AsType[mssql.Error](err)
	if !ok {
		if _, network := errors.AsType[*net.OpError](err); network {
			return unreachable(where, err)
		}
		return err
	}
	switch e.Number {
	case 18456, 18452:
		return fmt.Errorf("%w as %s at %s; correct user and password in dsn: %s", ErrLogin, s.config.User, where, e.Message)
	case 4060:
		return fmt.Errorf("%w %q at %s; correct database= in dsn", ErrNoDatabase, s.config.Database, where)
	case 229, 230:
		return fmt.Errorf("%w: user %s may not read this; grant it SELECT: %s", ErrQuery, s.config.User, e.Message)
	}
	return fmt.Errorf("%w: %s (%d)", ErrQuery, e.Message, e.Number)
}

var sqlserverGrammar = grammar{
	skip: skipSQLServer,
	foreign: func(rest string) bool {
		return rest[0] == '@' && len(rest) > 1 && rest[1] != '@' && word(rest[1:]) > 0
	},
}

func skipSQLServer(query string, i int) int {
	rest := query[i:]
	switch {
	case rest[0] == '\'', rest[0] == '"':
		return closed(query, i+1, rest[0], "")
	case rest[0] == '[':
		return closed(query, i+1, ']', "")
	case strings.HasPrefix(rest, "@@"):
		return i + 2 + word(rest[2:])
	case strings.HasPrefix(rest, "--"):
		return lineEnd(query, i)
	case strings.HasPrefix(rest, "/*"):
		return nested(query, i)
	}
	return i
}
