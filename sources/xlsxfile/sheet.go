package xlsxfile

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"makegood/sources/table"
)

const (
	maxRows    = 1 << 20 // of a sheet; more was not made by a spreadsheet
	maxColumns = 1 << 14
	maxCell    = 1 << 20  // bytes; a spreadsheet allows 32,767 characters
	maxLine    = 16 << 20 // bytes of the texts of one row
	maxGap     = 10_000   // blank rows that are worth a word
)

// errBlank says that a sheet holds nothing.
var errBlank = errors.New("holds nothing")

// line is a row that is not blank. Its slices are valid until the next one.
type line struct {
	number int
	cells  []string
	faults []table.Fault

	numbers []int // columns of number cells, where somebody asks
}

// clone gives a line that lasts.
func (l line) clone() line {
	return line{l.number, slices.Clone(l.cells), slices.Clone(l.faults), slices.Clone(l.numbers)}
}

// sheet walks the rows of one sheet.
type sheet struct {
	name    string
	part    *part
	book    *book
	decimal string
	numbers map[int]bool // columns with number cells; nil: nobody asks
	number  int          // of the row last read
	inside  bool         // among the rows
	line    line         // the row at hand
	size    int          // bytes of its texts
	buf     []byte       // of the cell at hand
	ahead   []line       // rows read in search of the header
	hidden  columns      // before the rows are read
	header  *table.Header
	notes   []string
	wide    bool   // cells beside the header were noted
	dark    int    // hidden rows
	own     []int  // columns that makegood wrote
	marks   []int  // those of them that hold marks
	top     int    // row of the header
	met     []bool // columns that have cells
	checkAt int    // the column of checksums, from 1; 0: there is none
	check   string // of the row at hand
	checked int    // rows with one
	rowAt   int    // the column of the rows' numbers in their table, likewise
	origin  string // of the row at hand
	// corrected are the rows in whose place others were read, by number.
	corrected map[int]*correction
}

// columns are those that are hidden.
type columns []struct{ from, to int }

// openSheet starts a sheet and reads its header. errBlank: there is none.
func (c *cursor) openSheet(tab tabInfo) (s *sheet, err error) {
	defer catch(&err)
	switch {
	case tab.other:
		return nil, errBlank
	case tab.part == "":
		return nil, fmt.Errorf("%w: sheet %q has no content in it", ErrDamaged, tab.name)
	}
	s = &sheet{name: tab.name, book: c.book, decimal: c.file.options.Decimal, numbers: c.numbers}
	if s.part, err = c.book.box.open(tab.part); err != nil {
		return nil, fmt.Errorf("open sheet %q: %w", tab.name, err)
	}
	o := c.file.options
	if tab.fixes > 0 {
		o.HeaderRow = tab.fixes
	}
	head, err := s.findHeader(c.ctx, o)
	if err != nil {
		return s, errors.Join(err, s.close())
	}
	s.top, s.own = head.number, table.OwnColumns(head.cells)
	s.marks, s.checkAt = table.OldMarks(head.cells), 1+table.CheckAt(head.cells)
	s.rowAt = 1 + slices.IndexFunc(head.cells, func(name string) bool { return strings.TrimSpace(name) == table.RowColumn })
	s.header = &table.Header{File: c.file.Name(), Sheet: tab.name, Columns: foreign(head.cells, s.own), Serial: c.book.serial}
	if tab.fixes > 0 {
		if s.header.Alone = table.ToFix(head.cells); s.header.Alone == nil {
			s.header.Alone = &table.Habits{}
		}
	}
	s.noteHidden()
	return s, nil
}

func (s *sheet) close() error { return s.part.close() }

// next gives the next row under the header.
func (s *sheet) next(ctx context.Context) (table.Row, error) {
	l, err := s.nextLine(ctx)
	if err != nil {
		return table.Row{}, err
	}
	for _, at := range l.numbers {
		s.numbers[at], l.cells[at] = true, ""
	}
	l = s.fit(l)
	row := table.Row{Header: s.header, Number: l.number, Cells: l.cells, Faults: l.faults}
	if s.check != "" {
		s.checked++
	}
	row.Untouched = s.header.Alone != nil && s.header.Untouched(s.check, l.cells)
	return row, nil
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
func (s *sheet) fit(l line) line {
	width := len(s.header.Columns)
	for _, at := range s.own {
		if at < len(l.cells) {
			l.cells[at] = ""
		}
	}
	for len(l.cells) < width {
		l.cells = append(l.cells, "")
	}
	for _, text := range l.cells[width:] { // of rows that were read before the header was known
		s.beside(l.number, text)
	}
	l.cells = l.cells[:width]
	l.faults = slices.DeleteFunc(l.faults, func(f table.Fault) bool { return f.At >= width || slices.Contains(s.own, f.At) })
	return l
}

// beside notes that something stands right of the table.
func (s *sheet) beside(row int, text string) {
	if !s.wide && strings.TrimSpace(text) != "" {
		s.wide = true
		s.note("columns right of the header were not read; the first with content there is row %d", row)
	}
}

// read gives the next row that is not blank, or io.EOF.
func (s *sheet) read(ctx context.Context) (l line, err error) {
	defer catch(&err)
	before := s.number
	for {
		if err := ctx.Err(); err != nil {
			return line{}, err
		}
		if err := s.step(); errors.Is(err, io.EOF) {
			return line{}, io.EOF
		} else if err != nil {
			return line{}, fmt.Errorf("read sheet %q at row %d: %w", s.name, s.number, err)
		}
		if len(s.line.faults) == 0 && filled(s.line.cells) == 0 {
			continue
		}
		if s.number-before > maxGap {
			s.note("rows %d to %d are blank; what stands below was read", before+1, s.number-1)
		}
		return s.line, nil
	}
}

// step reads one row that the sheet has, blank or not.
func (s *sheet) step() error {
	for {
		t, err := s.part.token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch name := e.Name.Local; {
			case name == "sheetData":
				s.inside = true
			case name == "col" && !s.inside:
				s.hide(e)
			case name == "row" && s.inside:
				return s.row(e)
			}
		case xml.EndElement:
			if e.Name.Local == "sheetData" {
				if err := s.part.drain(); err != nil {
					return err
				}
				return io.EOF
			}
		}
	}
}

// row reads the cells of a row.
func (s *sheet) row(start xml.StartElement) error {
	last := s.number
	s.number++
	if ref := attribute(start, "r"); ref != "" {
		n, err := strconv.Atoi(ref)
		if err != nil || n <= last {
			return fmt.Errorf("%w: a row with the number %.20q follows row %d", ErrDamaged, ref, last)
		}
		s.number = n
	}
	if s.number > maxRows {
		return fmt.Errorf("%w: it has more than %d rows", ErrDamaged, maxRows)
	}
	if yes(attribute(start, "hidden")) {
		s.dark++
	}
	s.part.allow()
	s.check, s.origin = "", ""
	s.line, s.size = line{s.number, s.line.cells[:0], s.line.faults[:0], s.line.numbers[:0]}, 0
	at := -1
	for depth := s.part.depth; ; {
		t, err := s.part.inner(depth)
		if t == nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "c" && s.part.depth == depth+1 {
			if at, err = s.cell(e, at+1); err != nil {
				return err
			}
		}
	}
}

// noteHidden says which of the columns people do not see.
func (s *sheet) noteHidden() {
	var names []string
	for _, c := range s.hidden {
		for at := c.from; at <= min(c.to, len(s.header.Columns)); at++ {
			if name := s.header.Columns[at-1]; name != "" {
				names = append(names, strconv.Quote(name))
			}
		}
	}
	if len(names) > 0 {
		s.note("hidden columns were read: %s", strings.Join(names[:min(len(names), 20)], ", "))
	}
}

func (s *sheet) hide(col xml.StartElement) {
	from, err1 := strconv.Atoi(attribute(col, "min"))
	to, err2 := strconv.Atoi(attribute(col, "max"))
	if yes(attribute(col, "hidden")) && err1 == nil && err2 == nil && from >= 1 && len(s.hidden) < maxColumns {
		s.hidden = append(s.hidden, struct{ from, to int }{from, to})
	}
}

func (s *sheet) note(format string, values ...any) {
	s.notes = append(s.notes, fmt.Sprintf("sheet %q: ", s.name)+fmt.Sprintf(format, values...))
}

// gone is a note of rows to fix that were deleted, at the end of their sheet.
func (s *sheet) gone() []string {
	if gone := s.header.Alone.Gone(s.checked); gone != "" {
		return []string{fmt.Sprintf("sheet %q: ", s.name) + gone}
	}
	return nil
}

// seen gives the notes as they stand now.
func (s *sheet) seen() []string {
	notes := slices.Clone(s.notes)
	if s.dark > 0 {
		notes = append(notes, fmt.Sprintf("sheet %q: %d hidden rows were read; is a filter set?", s.name, s.dark))
	}
	return notes
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
