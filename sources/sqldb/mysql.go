package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// mariadb is a MySQL or MariaDB server.
type mariadb struct{ config *mysql.Config }

// newMySQL reads a DSN. Its parameters are the driver's, apart from those that
// decide how values are written or whether more than one statement runs.
func newMySQL(dsn string) (engine, error) {
	wrong := errors.New("read dsn: it is not mysql://user:password@host:3306/database; " +
		"write signs such as @ / : # % in the password as %40 %2F %3A %23 %25")
	u, err := url.Parse(dsn) // whose error repeats the DSN
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" || u.Fragment != "" {
		return nil, wrong
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "3306")
	}
	config, err := mysql.ParseDSN("tcp(" + address + ")/?" + u.RawQuery)
	if err != nil {
		return nil, errors.New("read dsn: a setting behind its ? is not known to the MySQL driver")
	}
	config.User, config.DBName = u.User.Username(), strings.Trim(u.Path, "/")
	config.Passwd, _ = u.User.Password()
	config.ParseTime, config.MultiStatements, config.InterpolateParams, config.AllowAllFiles = false, false, false, false
	config.ColumnsWithAlias = false
	config.Logger = &mysql.NopLogger{}
	if config.Timeout == 0 {
		config.Timeout = connectTimeout
	}
	return mariadb{config}, nil
}

func (m mariadb) connect(ctx context.Context, o Options) (*sqlx.DB, error) {
	c, err := mysql.NewConnector(m.config)
	if err != nil {
		return nil, errors.New("read dsn: the MySQL driver cannot use its settings")
	}
	return pool(ctx, snapshotConnector{c, o}, "mysql")
}

// snapshotConnector makes connections that are in a transaction that only
// reads.
type snapshotConnector struct {
	driver.Connector
	options Options
}

// The server's numbers for a variable that it lacks, and for a zone: few have
// been given any names of zones.
const (
	unknownVariable = 1193
	unknownZone     = 1298
)

func (c snapshotConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	limit := c.options.timeout()
	statements := []string{
		fmt.Sprintf("SET SESSION max_statement_time = %d", max(1, int(limit.Seconds()))), // MariaDB
		fmt.Sprintf("SET SESSION max_execution_time = %d", limit.Milliseconds()),         // MySQL
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"SET SESSION TRANSACTION READ ONLY",
		"SET NAMES utf8mb4", // whatever the DSN says
	}
	for _, clock := range c.options.clocks() {
		statements = append(statements, "SET SESSION time_zone = '"+clock+"'")
	}
	for _, s := range append(statements, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") {
		_, err := conn.(driver.ExecerContext).ExecContext(ctx, s, nil)
		if e, ok := errors.AsType[*mysql.MySQLError](err); ok && (e.Number == unknownVariable || e.Number == unknownZone) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

func (mariadb) bind(query string, end func(string) (string, error)) (string, []any, error) {
	pieces, names, err := mysqlGrammar.cut(query)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	var args []any
	for i, name := range names {
		value, err := end(name)
		if err != nil {
			return "", nil, err
		}
		// An instant is UTC, and so is the session: its columns have no zone.
		args = append(args, strings.TrimSuffix(strings.Replace(value, "T", " ", 1), "Z"))
		fmt.Fprintf(&b, "%s ? ", pieces[i])
	}
	return b.String() + pieces[len(names)], args, nil
}

// offset is the distance of the session's clock from UTC, which the values of
// TIMESTAMP columns lack; "" where it is that of the source's zone.
func (mariadb) offset(ctx context.Context, db *sqlx.DB) (string, error) {
	var clock string
	err := db.GetContext(ctx, &clock, "SELECT @@SESSION.time_zone")
	switch {
	case clock == "+00:00":
		return "Z", err
	case strings.HasPrefix(clock, "+"), strings.HasPrefix(clock, "-"):
		return clock, err
	}
	return "", err
}

// value writes the bits of a column as the number that they are.
func (mariadb) value(kind string, v any) any {
	b, ok := v.([]byte)
	if !ok || kind != "BIT" || len(b) > 8 {
		return v
	}
	var n uint64
	for _, one := range b {
		n = n<<8 | uint64(one)
	}
	return n
}

func (mariadb) tables() string {
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
}

func (m mariadb) page(from string, key []string, last []any) (string, []any) {
	return pageOf(m, from, key, last, func(int) string { return "?" })
}

func (mariadb) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (m mariadb) inWords(err error) error {
	where := m.config.Addr
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return unreachable(where, err)
	}
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return err
	}
	switch e.Number {
	case 1045, 1698:
		return fmt.Errorf("%w as %s at %s; correct user and password in dsn: %s", ErrLogin, m.config.User, where, e.Message)
	case 1044:
		return fmt.Errorf("%w as %s at %s: it may not use the database %q; grant it SELECT: %s", ErrLogin, m.config.User, where, m.config.DBName, e.Message)
	case 1049:
		return fmt.Errorf("%w %q at %s; correct the name behind the last / in dsn", ErrNoDatabase, m.config.DBName, where)
	case 1792:
		return fmt.Errorf("%w: it would change the database, which is only read: %s", ErrQuery, e.Message)
	case 1969, 3024:
		return fmt.Errorf("%w: the server ended it, because it took too long: %s", ErrQuery, e.Message)
	case 1142, 1143:
		return fmt.Errorf("%w: user %s may not read this; grant it SELECT: %s", ErrQuery, m.config.User, e.Message)
	}
	return fmt.Errorf("%w: %s (%d)", ErrQuery, e.Message, e.Number)
}
