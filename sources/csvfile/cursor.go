package csvfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"makegood/sources/table"
)

const (
	maxField   = 1 << 20
	maxRecord  = 8 << 20
	maxCells   = 1 << 18 // of a row, before it is known how many it may have
	maxColumns = 1 << 14
	bufferSize = 1 << 20
)

var _ table.Headed = (*cursor)(nil)

// cursor walks the records of one file.
type cursor struct {
	in      *content
	dialect *dialect
	guard   *guard
	reader  *csv.Reader
	header  *table.Header
	cells   []string // of rows that have less than the header
	skipped int      // lines before the header row
	last    int      // line on which the last row begins
	decoded bool     // the text was made by a decoder: it is valid UTF-8
	own     []int    // columns that makegood wrote
	marks   []int    // those of them that hold marks
	width   int      // of the header, those included
	defused bool     // makegood wrote the file: it put apostrophes before formulas
	checkAt int      // the column of checksums, -1
	checked int      // rows with one
	ended   bool     // the last row was read
}

func newCursor(f *File, d *dialect, in *content) (*cursor, error) {
	c := &cursor{in: in, dialect: d, guard: &guard{in: in, left: maxRecord, delimiter: []byte(d.delimiter)}}
	text, decoded, err := decode(bufio.NewReaderSize(c.guard, bufferSize), d.encoding)
	if err != nil {
		return nil, err
	}
	c.decoded = decoded || d.proven
	for ; c.skipped < d.skip; c.skipped++ {
		if err := skipLine(text); err != nil {
			return nil, c.located(err, 1)
		}
	}
	c.reader = csv.NewReader(text)
	if d.equals {
		c.reader = csv.NewReader(&plainQuotes{in: text, delimiters: d.delimiter})
	}
	c.reader.ReuseRecord, c.reader.FieldsPerRecord = true, -1
	c.reader.Comma, _ = utf8.DecodeRuneInString(d.delimiter)
	return c, c.readHeader(f)
}

// skipLine drops one line of a preamble, of any length and with any quotes.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return ErrEmpty
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func (c *cursor) readHeader(f *File) error {
	c.guard.left = maxRecord
	record, err := c.reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return ErrEmpty
	case err != nil:
		return c.located(err, c.skipped+1)
	case len(record) > maxColumns:
		return ErrTooWide
	}
	if err := c.checkText(record, c.skipped+1); err != nil {
		return err
	}
	c.header = &table.Header{File: f.Name(), Columns: make([]string, len(record))}
	for i, name := range record {
		c.header.Columns[i] = strings.Clone(name)
	}
	c.cells, c.last, c.width = make([]string, len(record)), c.skipped+1, len(record)
	c.leaveOwn()
	return c.checkDelimiter(f)
}

// leaveOwn makes the columns that makegood wrote as if they were not there.
func (c *cursor) leaveOwn() {
	columns := c.header.Columns
	c.own, c.defused = table.OwnColumns(columns), table.HasColumn(columns, table.StatusColumn)
	c.checkAt, c.header.Alone, c.marks = table.CheckAt(columns), table.ToFix(columns), table.OldMarks(columns)
	for _, at := range c.own {
		columns[at] = ""
	}
	for n := len(columns); len(c.own) > 0 && n > 0 && columns[n-1] == ""; n-- {
		columns = columns[:n-1]
	}
	for i := range columns {
		columns[i] = c.restored(columns[i])
	}
	c.header.Columns = columns
}

func (c *cursor) restored(text string) string {
	if c.defused {
		return table.Restore(text)
	}
	return text
}

// checkDelimiter notices a header that another delimiter would cut.
func (c *cursor) checkDelimiter(f *File) error {
	if len(c.header.Columns) > 1 || f.table.Delimiter == "" {
		return nil
	}
	for _, d := range delimiters {
		if d != f.table.Delimiter && strings.Contains(c.header.Columns[0], d) {
			return fmt.Errorf("%w, %.80q; set delimiter: %q", ErrDelimiter, c.header.Columns[0], named(d))
		}
	}
	return nil
}

// Header names the columns, also where there are no rows.
func (c *cursor) Header() *table.Header { return c.header }

// Next gives the next row. Rows are numbered by the line that they begin on.
func (c *cursor) Next() (table.Row, error) {
	c.guard.left = maxRecord
	record, err := c.reader.Read()
	if err == nil {
		line, _ := c.reader.FieldPos(0)
		c.last = line + c.skipped
		return c.row(record, c.last)
	}
	if bad, ok := errors.AsType[*csv.ParseError](err); ok && bad.StartLine == bad.Line {
		return c.broken(record, bad)
	}
	if errors.Is(err, io.EOF) {
		c.ended = true
		return table.Row{}, io.EOF
	}
	return table.Row{}, c.located(err, 0)
}

// row fits a record to the header.
func (c *cursor) row(record []string, number int) (table.Row, error) {
	row := table.Row{Header: c.header, Number: number, Cells: record}
	if err := c.checkText(record, number); err != nil {
		return row, err
	}
	check := ""
	if c.checkAt >= 0 && c.checkAt < len(record) {
		check = record[c.checkAt]
	}
	for _, at := range c.own {
		if at < len(record) {
			record[at] = ""
		}
	}
	for i, text := range record {
		record[i] = c.restored(text)
		if i >= c.width && strings.TrimSpace(text) != "" {
			row.Problem = fmt.Sprintf("the row has %d cells, but the header has %d columns; is a delimiter or a quote inside a value?",
				len(record)-len(c.own), c.width-len(c.own))
			if last, _ := c.reader.FieldPos(len(record) - 1); last+c.skipped > number {
				return row, fmt.Errorf("%w: the row that begins on line %d ends on line %d with too many cells", ErrQuotes, number, last+c.skipped)
			}
			break
		}
		if len(text) > maxField {
			row.Problem = "the row has a cell of more than 1 MiB"
		}
	}
	row.Cells = c.fit(record)
	if check != "" {
		c.checked++
	}
	row.Untouched = check != "" && c.header.Untouched(check, row.Cells)
	return row, nil
}

// fit gives as many cells as there are columns.
func (c *cursor) fit(record []string) []string {
	width := len(c.header.Columns)
	if len(record) >= width {
		return record[:width]
	}
	n := copy(c.cells, record)
	clear(c.cells[n:])
	return c.cells[:width]
}

// broken is a row with a quote that does not belong there; it ended with its
// line, so that the next row is whole.
func (c *cursor) broken(record []string, bad *csv.ParseError) (table.Row, error) {
	row := table.Row{Header: c.header, Number: bad.StartLine + c.skipped}
	if err := c.checkText(record, row.Number); err != nil {
		return row, err
	}
	row.Cells = c.fit(record)
	row.Problem = `a quote (") stands inside a value; values that hold one are put in quotes, and the quote is doubled`
	return row, nil
}

// located says where reading ended.
func (c *cursor) located(err error, line int) error {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("%w: it begins on line %d, and reading ends on line %d", ErrQuotes, bad.StartLine+c.skipped, bad.Line+c.skipped)
	}
	if line > 0 {
		return fmt.Errorf("line %d: %w", line, err)
	}
	return fmt.Errorf("after line %d: %w", c.last, err)
}

// checkText refuses bytes that are no text in the encoding that is set.
func (c *cursor) checkText(record []string, line int) error {
	if c.decoded {
		return nil
	}
	for i, text := range record {
		if !utf8.ValidString(text) {
			return fmt.Errorf("line %d, cell %d %w, UTF-8; if it was saved by a spreadsheet on Windows, set encoding: windows-1252",
				line, i+1, ErrEncoding)
		}
		if strings.IndexByte(text, 0) >= 0 {
			return fmt.Errorf("line %d, cell %d %w: it holds zero bytes; export the file again, "+
				"or set encoding: utf-16le where every other byte is zero", line, i+1, ErrEncoding)
		}
	}
	return nil
}

// Notes says what was found out about the file, beyond what is set.
func (c *cursor) Notes() []string {
	notes := make([]string, len(c.dialect.notes))
	for i, text := range c.dialect.notes {
		notes[i] = c.header.File + " " + text
	}
	if gone := c.header.Alone.Gone(c.checked); c.ended && gone != "" {
		notes = append(notes, c.header.File+": "+gone)
	}
	return notes
}

// Close closes the file.
func (c *cursor) Close() error {
	if err := c.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close %s: %w", c.header.File, err)
	}
	return nil
}
