package xlsxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"makegood/sources/table"
)

const (
	maxBlank   = 10_000  // blank rows in a row, after which reading stops
	maxColumns = 16_384  // of a sheet; more was not made by a spreadsheet
	maxCell    = 1 << 20 // bytes; a spreadsheet allows 32,767 characters
	maxTitles  = 100     // rows of one filled cell before the header
)

// errBlank says that a sheet holds nothing.
var errBlank = errors.New("holds nothing")

// line is a row that is not blank.
type line struct {
	number int
	cells  []string
}

// sheet walks the rows of one sheet.
type sheet struct {
	name   string
	rows   *excelize.Rows
	alarm  alarm
	number int    // of the row last read
	ahead  []line // rows read in search of the header
	header *table.Header
	notes  []string
	wide   bool // cells beside the header were noted
}

// openSheet starts a sheet and reads its header. errBlank: there is none.
func (c *cursor) openSheet(name string) (s *sheet, err error) {
	defer catch(&err)
	s = &sheet{name: name}
	if s.rows, err = c.book.file.Rows(name); err != nil {
		return nil, fmt.Errorf("%w: sheet %q has no content in it", ErrDamaged, name)
	}
	if s.alarm, err = newAlarm(s.rows); err != nil {
		return s, errors.Join(err, s.rows.Close())
	}
	head, err := s.findHeader(c.ctx, c.file.options.HeaderRow)
	if err != nil {
		return s, errors.Join(err, s.rows.Close())
	}
	s.header = &table.Header{File: c.file.Name(), Sheet: name, Columns: head.cells, Serial: c.book.serial}
	return s, nil
}

func (s *sheet) findHeader(ctx context.Context, want int) (line, error) {
	if want > 0 {
		return s.headerAt(ctx, want)
	}
	for len(s.ahead) < maxTitles {
		l, err := s.read(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return line{}, err
		}
		if filled(l.cells) > 1 {
			s.noteTitles(l.number)
			return l, nil
		}
		s.ahead = append(s.ahead, l)
	}
	if len(s.ahead) == 0 {
		return line{}, errBlank
	}
	head := s.ahead[0]
	s.ahead = s.ahead[1:]
	return head, nil
}

func (s *sheet) noteTitles(header int) {
	if n := len(s.ahead); n > 0 {
		s.note("the header is row %d; %d filled rows above it were not read", header, n)
	}
	s.ahead = nil
}

func (s *sheet) headerAt(ctx context.Context, want int) (line, error) {
	for above := 0; ; above++ {
		l, err := s.read(ctx)
		switch {
		case errors.Is(err, io.EOF) && above == 0:
			return line{}, errBlank
		case errors.Is(err, io.EOF) || err == nil && l.number > want:
			return line{}, fmt.Errorf("take row %d of sheet %q as its header: the row is empty; set header_row to the row that names the columns", want, s.name)
		case err != nil || l.number == want:
			return l, err
		}
	}
}

// next gives the next row under the header.
func (s *sheet) next(ctx context.Context) (table.Row, error) {
	l, err := s.nextLine(ctx)
	if err != nil {
		return table.Row{}, err
	}
	for i, cell := range l.cells {
		l.cells[i] = plain(cell)
	}
	return table.Row{Header: s.header, Number: l.number, Cells: s.fit(l)}, nil
}

func (s *sheet) nextLine(ctx context.Context) (line, error) {
	if len(s.ahead) > 0 {
		l := s.ahead[0]
		s.ahead = s.ahead[1:]
		return l, nil
	}
	return s.read(ctx)
}

// fit gives as many cells as the header has. What stands beside the table, in
// columns without a name, is no part of it; cells cannot slip as in a CSV file.
func (s *sheet) fit(l line) []string {
	width := len(s.header.Columns)
	for len(l.cells) < width {
		l.cells = append(l.cells, "")
	}
	if !s.wide && filled(l.cells[width:]) > 0 {
		s.wide = true
		s.note("columns right of the header were not read; the first with content there is row %d", l.number)
	}
	return l.cells[:width]
}

// read gives the next row that is not blank, or io.EOF.
func (s *sheet) read(ctx context.Context) (l line, err error) {
	defer catch(&err)
	for blank := 0; blank < maxBlank; blank++ {
		if err := ctx.Err(); err != nil {
			return line{}, err
		}
		cells, err := s.step()
		if err != nil {
			return line{}, err
		}
		if filled(cells) > 0 {
			return line{number: s.number, cells: cells}, nil
		}
	}
	s.note("stopped after %d blank rows, at row %d; rows below were not read", maxBlank, s.number)
	return line{}, io.EOF
}

// step reads one row, blank or not.
func (s *sheet) step() ([]string, error) {
	if !s.rows.Next() {
		if err := errors.Join(s.rows.Error(), s.alarm.fault()); err != nil {
			return nil, s.broken(err)
		}
		return nil, io.EOF
	}
	s.number++
	cells, err := s.rows.Columns()
	if err == nil {
		err = s.alarm.fault()
	}
	if err == nil && len(cells) > maxColumns {
		err = fmt.Errorf("%w: a row has %d cells", ErrTooLarge, len(cells))
	}
	for i := 0; err == nil && i < len(cells); i++ {
		if len(cells[i]) > maxCell {
			err = fmt.Errorf("%w: a cell has %d bytes", ErrTooLarge, len(cells[i]))
		}
	}
	if err != nil {
		return nil, s.broken(err)
	}
	return cells, nil
}

// broken says where reading ended. What the library itself objects to is
// damage.
func (s *sheet) broken(err error) error {
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return fmt.Errorf("read sheet %q at row %d: %w", s.name, s.number, err)
}

func (s *sheet) note(format string, values ...any) {
	s.notes = append(s.notes, fmt.Sprintf("sheet %q: ", s.name)+fmt.Sprintf(format, values...))
}

// filled counts the cells that hold more than blanks, at most two.
func filled(cells []string) int {
	n := 0
	for i := 0; i < len(cells) && n < 2; i++ {
		if strings.TrimSpace(cells[i]) != "" {
			n++
		}
	}
	return n
}
