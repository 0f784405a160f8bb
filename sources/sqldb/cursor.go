package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"

	"makegood/sources/table"
)

// cursor walks the rows of a result.
type cursor struct {
	name   string
	engine engine
	ctx    context.Context
	cancel context.CancelFunc
	db     *sqlx.DB
	rows   *sqlx.Rows
	header *table.Header
	number int
	kinds  []string // of columns, in the words of the database
	local  []bool   // columns of instants that the database writes on the session's clock, without saying so
	offset string   // of that clock from UTC; "" where it is the source's
	values []any    // of the current row
	places []any    // pointers to values
	cells  []string
	faults []table.Fault
}

func (f *File) open(ctx context.Context) (_ *cursor, err error) {
	c, err := f.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.run(f); err != nil {
		return nil, errors.Join(c.orCause(err), c.Close())
	}
	return c, nil
}

// session connects to the database.
func (f *File) session(ctx context.Context) (_ *cursor, err error) {
	e, err := engineOf(f.dsn)
	if err != nil {
		return nil, err
	}
	c := &cursor{name: f.name, engine: e}
	ctx, c.cancel = context.WithCancel(ctx)
	if f.options.Timeout > 0 {
		late := fmt.Errorf("wait for the database: it took longer than %v: %w", f.options.Timeout, context.DeadlineExceeded)
		outer := c.cancel
		var inner context.CancelFunc
		ctx, inner = context.WithTimeoutCause(ctx, f.options.Timeout, late)
		c.cancel = func() { inner(); outer() }
	}
	c.ctx = ctx
	defer func() {
		if err != nil {
			err = errors.Join(c.orCause(err), c.Close())
		}
	}()
	if c.db, err = e.connect(ctx, f.options); err != nil {
		return nil, err
	}
	if m, ok := e.(mariadb); ok {
		c.offset, err = m.offset(ctx, c.db)
	}
	return c, err
}

// orCause says why the context ended, where that is why the database stopped.
func (c *cursor) orCause(err error) error {
	if cause := context.Cause(c.ctx); cause != nil {
		return cause
	}
	return c.engine.inWords(err)
}

func (c *cursor) run(f *File) error {
	query, err := f.statement(c.ctx, c.engine, c.db)
	if err != nil {
		return err
	}
	query, args, err := c.engine.bind(query, f.end)
	if err != nil {
		return err
	}
	return c.query(query, args)
}

// query carries out one statement.
func (c *cursor) query(query string, args []any) (err error) {
	if c.rows, err = c.db.QueryxContext(c.ctx, query, args...); err != nil {
		return c.withTables(err)
	}
	columns, err := c.rows.Columns()
	if err != nil {
		return err
	}
	if err := c.findTypes(); err != nil {
		return err
	}
	if len(columns) == 0 {
		return fmt.Errorf("%w: it gives no columns; it must be one SELECT, with nothing behind its semicolon", ErrQuery)
	}
	c.header = &table.Header{File: c.name, Columns: columns}
	c.values, c.places, c.cells = make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
	for i := range c.values {
		c.places[i] = &c.values[i]
	}
	return nil
}

// withTables adds the tables that there are to a server's word that one is
// missing.
func (c *cursor) withTables(err error) error {
	p, _ := errors.AsType[*pgconn.PgError](err)
	m, _ := errors.AsType[*mysql.MySQLError](err)
	if (p == nil || p.Code != "42P01") && (m == nil || m.Number != 1146) {
		return err
	}
	var names []string
	if _, no := c.db.ExecContext(c.ctx, "ROLLBACK"); no != nil {
		return err
	}
	if no := c.db.SelectContext(c.ctx, &names, c.engine.tables()); no != nil {
		return err
	}
	return fmt.Errorf("%w; the tables are %s", c.engine.inWords(err), quoted(names))
}

// findTypes finds what the columns are. MySQL converts TIMESTAMP columns to the
// clock of the session.
func (c *cursor) findTypes() error {
	types, err := c.rows.ColumnTypes()
	if err != nil {
		return err
	}
	c.local, c.kinds = make([]bool, len(types)), make([]string, len(types))
	for i, t := range types {
		c.kinds[i] = t.DatabaseTypeName()
		c.local[i] = c.offset != "" && c.kinds[i] == "TIMESTAMP"
	}
	return nil
}

// Header names the columns of the result, which a result without rows has too.
func (c *cursor) Header() *table.Header { return c.header }

// Next gives the next row of the result. Its number is its place there.
func (c *cursor) Next() (table.Row, error) {
	row, err := c.scan()
	if err != nil && !errors.Is(err, io.EOF) {
		err = c.failed(err)
	}
	return row, err
}

// scan gives the next row, or the error as the driver has it.
func (c *cursor) scan() (table.Row, error) {
	if !c.rows.Next() {
		err := c.rows.Err()
		if errors.Is(err, io.EOF) { // of the network: the rows have not ended
			err = fmt.Errorf("%w: %v", io.ErrUnexpectedEOF, err) //nolint:errorlint // else it would be their end
		}
		return table.Row{}, cmp.Or(err, io.EOF)
	}
	if err := c.rows.Scan(c.places...); err != nil {
		return table.Row{}, err
	}
	c.number++
	c.faults = c.faults[:0]
	typed, converts := c.engine.(typed)
	for i, v := range c.values {
		if converts {
			v = typed.value(c.kinds[i], v)
		}
		cell, problem := text(v)
		if problem != "" {
			c.faults = append(c.faults, table.Fault{At: i, Text: problem})
		}
		if c.local[i] && cell != "" && !strings.HasPrefix(cell, "0000") {
			cell = strings.Replace(cell, " ", "T", 1) + c.offset
		}
		c.cells[i] = cell
	}
	return table.Row{Header: c.header, Number: c.number, Cells: c.cells, Faults: c.faults}, nil
}

func (c *cursor) failed(err error) error {
	cause := c.orCause(err)
	if lost(err) {
		cause = fmt.Errorf("%w: %w", table.ErrLost, cause)
	}
	return fmt.Errorf("read source %s after row %d: %w", c.name, c.number, cause)
}

// text gives a stored value as text, or what is wrong with it.
func text(value any) (cell, problem string) {
	switch v := value.(type) {
	case nil:
		return "", ""
	case int64:
		return strconv.FormatInt(v, 10), ""
	case uint64:
		return strconv.FormatUint(v, 10), ""
	case float64:
		return number(v, 64)
	case float32:
		return number(float64(v), 32)
	case string:
		return readable(v)
	case []byte:
		return readable(string(v))
	}
	return "", fmt.Sprintf("was converted to %T: its stored value is not known", value)
}

// maxCell is the longest text of a cell.
const maxCell = 1 << 20

func readable(s string) (cell, problem string) {
	switch {
	case len(s) > maxCell:
		return "", "holds more than 1 MiB"
	case !utf8.ValidString(s):
		return "", "holds bytes that are no UTF-8 text"
	}
	return s, ""
}

// number writes a float of so many bits with 15 or 7 significant digits
// (CONTRACTS 7). From 10^15 on it keeps its exponent, which says that digits
// may be lost.
func number(f float64, bits int) (cell, problem string) {
	switch {
	case math.IsNaN(f):
		return "", "holds NaN, which is no number"
	case math.IsInf(f, 0):
		return "", "holds a number beyond all limits"
	}
	if math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'E', -1, bits), ""
	}
	digits := 14
	if bits == 32 {
		digits = 6
	}
	near, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', digits, 64), 64)
	return strconv.FormatFloat(near+0, 'f', -1, 64), ""
}

// Notes is empty: a result is read whole.
func (c *cursor) Notes() []string { return nil }

// Close ends the query and closes the database. A server is not waited for:
// rows that nobody asked for any more are not fetched.
func (c *cursor) Close() error {
	var errs []error
	_, file := c.engine.(sqlite)
	if !file {
		c.cancel()
	}
	if c.rows != nil {
		if err := c.rows.Close(); file {
			errs = append(errs, err)
		}
	}
	if c.db != nil {
		if err := c.db.Close(); file {
			errs = append(errs, err)
		}
	}
	c.cancel()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close source %s: %w", c.name, err)
	}
	return nil
}
