package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	mssql "github.com/microsoft/go-mssqldb"
)

// lost reports whether an error says that the connection is gone: the server
// was stopped, or the network between. Nothing is wrong with the query then.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(p.Code, "08") || strings.HasPrefix(p.Code, "57P")
	}
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return m.Number == serverShutdown || m.Number == connectionKilled
	}
	if e, ok := errors.AsType[mssql.StreamError](err); ok && e.InnerError != nil {
		err = e.InnerError
	}
	for _, gone := range []error{io.ErrUnexpectedEOF, io.EOF, driver.ErrBadConn, mysql.ErrInvalidConn, sql.ErrConnDone, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	_, network := errors.AsType[net.Error](err)
	return network
}

// Numbers with which MySQL and MariaDB end a connection.
const (
	serverShutdown   = 1053
	connectionKilled = 1927
)
