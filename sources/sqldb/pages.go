package sqldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"makegood/sources/table"
)

// pageRows is how many rows one statement asks for.
const pageRows = 2000

// pages walks a table in the order of its key, one short statement a page. All
// pages of a connection see one moment. When the connection is lost, the walk
// goes on behind the last row that was handed on; rows with one value in the
// first column of the key are handed on together, so that an order whose
// number it is comes from one moment.
type pages struct {
	file   *File
	ctx    context.Context
	cursor *cursor // the connection, and how its rows are read
	header *table.Header
	key    []int // of the key's columns in the header
	rows   []keyed
	ready  int // of rows: those that can be handed on
	at     int // of rows: the next one
	last   []any
	ended  bool
	number int
	tries  int
	cells  []string
}

// keyed is a row and the values of its key as the database gave them.
type keyed struct {
	cells  []string
	key    []any
	faults []table.Fault
}

func (f *File) openPages(ctx context.Context) (_ *pages, err error) {
	p := &pages{file: f, ctx: ctx}
	if err := p.connect(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := p.check(); err != nil {
		return nil, p.cursor.orCause(err)
	}
	return p, p.fill()
}

// connect leaves the cursor that there was where there is no connection.
func (p *pages) connect() error {
	c, err := p.file.session(p.ctx)
	if err == nil {
		p.cursor = c
	}
	return err
}

// check makes sure that the table is there, that no row lacks a key, which
// would stand on no page, and that no two have one: the second could be left
// out between two pages. The database compares them, with the collation by
// which it orders the pages ('a' and 'A' are one key to some).
func (p *pages) check() error {
	c, o := p.cursor, p.file.options
	if err := p.file.lookForTable(c.ctx, c.engine, c.db); err != nil {
		return err
	}
	empty := make([]string, len(o.Key))
	for i, k := range o.Key {
		empty[i] = c.engine.quote(k) + " IS NULL"
	}
	var n int
	query := "SELECT COUNT(*) FROM " + quotedTable(c.engine, o.Table) + " WHERE " + strings.Join(empty, " OR ")
	if err := c.db.GetContext(c.ctx, &n, query); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%w: %d rows of %s have no value in %s; key must name columns that are never empty", ErrQuery, n, o.Table,
			strings.Join(o.Key, ", "))
	}
	query = "SELECT COUNT(*) FROM (SELECT 1 AS n FROM " + quotedTable(c.engine, o.Table) + " GROUP BY " +
		strings.Join(quotedAll(c.engine, o.Key), ", ") + " HAVING COUNT(*) > 1) several"
	if err := c.db.GetContext(c.ctx, &n, query); err != nil {
		return err
	}
	if n > 0 {
		return p.notUnique()
	}
	return nil
}

func (p *pages) notUnique() error {
	o := p.file.options
	return fmt.Errorf("%w: two rows of %s have one key (%s); key must name columns that are unique together", ErrQuery, o.Table,
		strings.Join(o.Key, ", "))
}

// Header names the columns of the table, whether it has rows or not.
func (p *pages) Header() *table.Header { return p.header }

// Next gives the next row. Its number is its place in the order of the key.
func (p *pages) Next() (table.Row, error) {
	for p.at == p.ready {
		if p.ended {
			return table.Row{}, io.EOF
		}
		if err := p.fill(); err != nil {
			return table.Row{}, fmt.Errorf("read source %s after row %d: %w", p.file.name, p.number, err)
		}
	}
	r := p.rows[p.at]
	p.at++
	p.number++
	p.cells = append(p.cells[:0], r.cells...)
	return table.Row{Header: p.header, Number: p.number, Cells: p.cells, Faults: r.faults}, nil
}

// fill fetches the next page, and connects again when the connection is lost.
func (p *pages) fill() error {
	if p.ready > 0 {
		p.last = p.rows[p.ready-1].key
	}
	p.rows, p.at, p.ready = slices.Clone(p.rows[p.ready:]), 0, 0
	for {
		err := p.fetch()
		if err == nil {
			return nil
		}
		if !lost(err) || p.cursor.ctx.Err() != nil {
			return p.cursor.orCause(err)
		}
		if err := p.again(err); err != nil {
			return err
		}
	}
}

// again waits and makes a new connection, a few times.
func (p *pages) again(cause error) error {
	for {
		if p.tries == len(p.file.options.Waits) {
			return fmt.Errorf("%w %d times, at last: %w", table.ErrLost, p.tries+1, cause)
		}
		if err := table.Pause(p.ctx, p.file.options.Waits[p.tries]); err != nil {
			return err
		}
		p.tries++
		_ = p.cursor.Close()
		p.rows = nil // they were not handed on, and may be of another moment
		if err := p.connect(); err == nil {
			return nil
		} else if !lost(err) && !errors.Is(err, ErrUnreachable) {
			return err
		}
	}
}

// fetch reads one page behind the rows that are held.
func (p *pages) fetch() error {
	last := p.last
	if n := len(p.rows); n > 0 {
		last = p.rows[n-1].key
	}
	c := p.cursor
	query, args := c.engine.page(quotedTable(c.engine, p.file.options.Table), p.file.options.Key, last)
	if err := c.query(query, args); err != nil {
		return err
	}
	if err := p.bind(); err != nil {
		return err
	}
	before := len(p.rows)
	for {
		row, err := c.scan()
		if err == io.EOF { //nolint:errorlint // the driver's own end of file means that the connection broke
			break
		}
		if err != nil {
			return err
		}
		if err := p.take(row); err != nil {
			return err
		}
	}
	if err := c.rows.Close(); err != nil {
		return err
	}
	p.ended = len(p.rows)-before < pageRows
	p.release()
	return nil
}

// bind finds the key's columns among those of the table.
func (p *pages) bind() error {
	if p.header != nil && slices.Equal(p.header.Columns, p.cursor.header.Columns) {
		return nil
	}
	if p.header != nil {
		return fmt.Errorf("%w: the columns of %s have changed", ErrQuery, p.file.options.Table)
	}
	p.header = p.cursor.header
	for _, k := range p.file.options.Key {
		i := slices.IndexFunc(p.header.Columns, func(name string) bool { return strings.EqualFold(name, k) })
		if i < 0 {
			return fmt.Errorf("%w: %s has no column %q; it has %s", ErrQuery, p.file.options.Table, k, quoted(p.header.Columns))
		}
		p.key = append(p.key, i)
	}
	return nil
}

// take keeps a row. Its key must differ from the one before: since the check,
// another connection may have met other rows.
func (p *pages) take(row table.Row) error {
	k := keyed{cells: slices.Clone(row.Cells), faults: slices.Clone(row.Faults)}
	for _, at := range p.key {
		k.key = append(k.key, p.cursor.values[at])
	}
	before := p.last
	if n := len(p.rows); n > 0 {
		before = p.rows[n-1].key
	}
	if before != nil && slices.EqualFunc(k.key, before, equal) {
		return p.notUnique()
	}
	p.rows = append(p.rows, k)
	return nil
}

// equal compares two values as a database gives them.
func equal(a, b any) bool {
	x, bytesX := a.([]byte)
	y, bytesY := b.([]byte)
	if bytesX && bytesY {
		return bytes.Equal(x, y)
	}
	return bytesX == bytesY && a == b
}

// maxTogether bounds how many rows with one first value of the key are held
// back until all of them are there.
const maxTogether = 20 * pageRows

// release lets rows go whose successors have another first value of the key.
func (p *pages) release() {
	p.ready = len(p.rows)
	if p.ended || len(p.rows) > maxTogether {
		return
	}
	for p.ready > 0 && equal(p.rows[p.ready-1].key[0], p.rows[len(p.rows)-1].key[0]) {
		p.ready--
	}
}

// Notes says that connections were lost.
func (p *pages) Notes() []string {
	if p.tries == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the connection to the database was lost %d times; reading went on behind the last row", p.tries)}
}

// Close ends the walk and the connection.
func (p *pages) Close() error {
	if p.cursor == nil {
		return nil
	}
	return p.cursor.Close()
}

// afterKey is the condition for rows behind a key, and its values in the order
// of their places, which sign writes. Its first part lets an index begin where
// the rows do; with the second alone every page would pass all pages before.
func afterKey(columns []string, last []any, sign func(i int) string) (string, []any) {
	if last == nil {
		return "", nil
	}
	var either []string
	args := []any{last[0]}
	first := columns[0] + " >= " + sign(1)
	for i := range columns {
		var all []string
		for j := range i {
			args = append(args, last[j])
			all = append(all, columns[j]+" = "+sign(len(args)))
		}
		args = append(args, last[i])
		all = append(all, columns[i]+" > "+sign(len(args)))
		either = append(either, "("+strings.Join(all, " AND ")+")")
	}
	return " WHERE " + first + " AND (" + strings.Join(either, " OR ") + ")", args
}

// pageOf is the statement for a page in the words that most databases share.
func pageOf(e engine, from string, key []string, last []any, sign func(int) string) (string, []any) {
	columns := quotedAll(e, key)
	where, args := afterKey(columns, last, sign)
	return fmt.Sprintf("SELECT * FROM %s%s ORDER BY %s LIMIT %d", from, where, strings.Join(columns, ", "), pageRows), args
}

func quotedAll(e engine, names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = e.quote(n)
	}
	return list
}

// quotedTable writes the name of a table, perhaps behind that of its schema.
func quotedTable(e engine, name string) string {
	return strings.Join(quotedAll(e, strings.Split(name, ".")), ".")
}
