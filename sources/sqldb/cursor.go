package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"makegood/sources/table"
)

// cursor walks the rows of a result.
type cursor struct {
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	db     *sqlx.DB
	rows   *sqlx.Rows
	header *table.Header
	number int
	values []any // of the current row
	places []any // pointers to values
	cells  []string
}

func (f *File) open(ctx context.Context) (_ *cursor, err error) {
	path, err := locate(f.dsn)
	if err != nil {
		return nil, err
	}
	c := &cursor{name: f.name, cancel: func() {}}
	if f.options.Timeout > 0 {
		late := fmt.Errorf("wait for the database: it took longer than %v: %w", f.options.Timeout, context.DeadlineExceeded)
		ctx, c.cancel = context.WithTimeoutCause(ctx, f.options.Timeout, late)
	}
	defer func() {
		if err != nil {
			err = errors.Join(orCause(ctx, err), c.Close())
		}
	}()
	c.ctx = ctx
	if c.db, err = database(ctx, path); err != nil {
		return nil, err
	}
	return c, c.run(ctx, f)
}

// orCause says why the context ended, where that is why the database stopped.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return inWords(err)
}

func (c *cursor) run(ctx context.Context, f *File) error {
	query, err := f.statement(ctx, c.db)
	if err != nil {
		return err
	}
	args, err := f.arguments(query)
	if err != nil {
		return err
	}
	if c.rows, err = c.db.QueryxContext(ctx, query, args...); err != nil {
		return err
	}
	columns, err := c.rows.Columns()
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return fmt.Errorf("%w: it gives no columns; it must be one SELECT, with nothing behind its semicolon", ErrQuery)
	}
	c.header = &table.Header{File: f.name, Columns: columns}
	c.values, c.places, c.cells = make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
	for i := range c.values {
		c.places[i] = &c.values[i]
	}
	return nil
}

// Next gives the next row of the result. Its number is its place there.
func (c *cursor) Next() (table.Row, error) {
	if !c.rows.Next() {
		if err := c.rows.Err(); err != nil {
			return table.Row{}, c.failed(err)
		}
		return table.Row{}, io.EOF
	}
	if err := c.rows.Scan(c.places...); err != nil {
		return table.Row{}, c.failed(err)
	}
	c.number++
	row := table.Row{Header: c.header, Number: c.number, Cells: c.cells}
	for i, v := range c.values {
		cell, problem := text(v)
		if problem != "" && row.Problem == "" {
			row.Problem = fmt.Sprintf("column %s %s", c.header.Columns[i], problem)
		}
		c.cells[i] = cell
	}
	return row, nil
}

func (c *cursor) failed(err error) error {
	return fmt.Errorf("read source %s after row %d: %w", c.name, c.number, orCause(c.ctx, err))
}

// text gives a stored value as text, or what is wrong with it.
func text(value any) (cell, problem string) {
	switch v := value.(type) {
	case nil:
		return "", ""
	case int64:
		return strconv.FormatInt(v, 10), ""
	case float64:
		return number(v)
	case string:
		return readable(v)
	case []byte:
		return readable(string(v))
	}
	return "", fmt.Sprintf("was converted to %T: its stored value is not known", value)
}

func readable(s string) (cell, problem string) {
	if !utf8.ValidString(s) {
		return "", "holds bytes that are no UTF-8 text"
	}
	return s, ""
}

// number writes a float with 15 significant digits (CONTRACTS 7). From 10^15
// on it keeps its exponent, which says that digits may be lost.
func number(f float64) (cell, problem string) {
	if math.IsInf(f, 0) {
		return "", "holds a number beyond all limits"
	}
	if math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'E', -1, 64), ""
	}
	near, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', 14, 64), 64)
	return strconv.FormatFloat(near+0, 'f', -1, 64), ""
}

// Notes is empty: a result is read whole.
func (c *cursor) Notes() []string { return nil }

// Close ends the query and closes the database.
func (c *cursor) Close() error {
	var errs []error
	if c.rows != nil {
		errs = append(errs, c.rows.Close())
	}
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	c.cancel()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close source %s: %w", c.name, err)
	}
	return nil
}
