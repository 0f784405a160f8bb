package xlsxfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"makegood/sources/table"
)

// maxCorrections is how many corrected rows are taken over into their table.
const maxCorrections = 50_000

// corrections are the rows that a person has corrected on sheets of rows to
// fix while the table is there, too. Each knows by a checksum which row it was
// made of: where that row still stands as it was, the correction counts. What
// counts nowhere is given as a row of its own with a problem, so that its
// order is held back.
type corrections struct {
	groups []*correctedSheets
	strays []table.Row // nil until they are asked for
	begun  bool
	gone   []string // notes of rows that were deleted
}

// correctedSheets are those of sheets with the same columns.
type correctedSheets struct {
	columns []string
	rows    []*correction
	before  map[uint64][]*correction // by either sum of the row before
	now     map[uint64][]*correction // by either sum of the corrected row; nil until a table is met
	added   []*correction            // rows that were never in a table
	taken   int
	sheet   string // the first of them
}

// correction is one of them.
type correction struct {
	header  *table.Header
	part    string
	row     int
	at      int // the row in the table when it was written
	cells   []string
	fault   []table.Fault
	done    bool  // it counts, or was made in the table as well
	changed []int // columns in which it differs from the row that it replaces
}

// findCorrections reads what was changed on the sheets of rows to fix. A sheet
// that cannot be read has none: it is not the table.
func (c *cursor) findCorrections(tabs []tabInfo) {
	found := &corrections{}
	for _, tab := range tabs {
		look := &cursor{ctx: c.ctx, file: c.file, book: c.book}
		s, err := look.openSheet(tab)
		if err != nil {
			continue
		}
		err = found.read(look, s)
		if err = errors.Join(err, s.close()); err != nil {
			c.notes = append(c.notes, fmt.Sprintf("corrections on sheet %q were not read: %v", tab.name, err))
		}
	}
	if len(found.groups)+len(found.gone) > 0 {
		c.corrected = found
	}
}

// of gives those of sheets with these columns; nil: there are none.
func (f *corrections) of(columns []string) *correctedSheets {
	if i := slices.IndexFunc(f.groups, func(g *correctedSheets) bool { return slices.Equal(g.columns, columns) }); i >= 0 {
		return f.groups[i]
	}
	return nil
}

func (f *corrections) read(c *cursor, s *sheet) error {
	for n := 0; ; {
		row, err := s.next(c.ctx)
		if errors.Is(err, io.EOF) {
			f.gone = append(f.gone, s.gone()...)
			return nil
		}
		if err != nil {
			return err
		}
		if row.Untouched {
			continue
		}
		if n++; n > maxCorrections {
			return fmt.Errorf("%w: more than %d rows were corrected; give the rows to fix back alone", ErrTooLarge, maxCorrections)
		}
		g := f.of(s.header.Columns)
		if g == nil {
			g = &correctedSheets{columns: s.header.Columns, sheet: s.name, before: map[uint64][]*correction{}}
			f.groups = append(f.groups, g)
		}
		g.add(s, row)
	}
}

func (g *correctedSheets) add(s *sheet, row table.Row) {
	one := &correction{header: row.Header, part: s.part.name, row: row.Number, cells: slices.Clone(row.Cells), fault: slices.Clone(row.Faults)}
	one.at, _ = strconv.Atoi(s.origin)
	before, ok := table.ParseSums(s.check)
	if !ok {
		g.added = append(g.added, one)
		return
	}
	g.rows = append(g.rows, one)
	index(g.before, before, one)
}

// index puts a correction where either of its sums leads to it.
func index(to map[uint64][]*correction, by table.RowSums, one *correction) {
	to[by.All] = append(to[by.All], one)
	if by.Read != 0 && by.Read != by.All {
		to[by.Read] = append(to[by.Read], one)
	}
}

// meet makes ready for a table, of which is known by now what is read.
func (g *correctedSheets) meet(read []int) {
	if g.now != nil {
		return
	}
	g.now = map[uint64][]*correction{}
	for _, one := range g.rows {
		one.header.Read = read
		index(g.now, one.header.Sums(one.cells), one)
	}
}

// pick finds a correction that is not done yet, that of the same row first.
func pick(from map[uint64][]*correction, by table.RowSums, number int) (found *correction) {
	for _, one := range slices.Concat(from[by.All], from[by.Read]) {
		if !one.done && (found == nil || one.at == number && found.at != number) {
			found = one
		}
	}
	return found
}

// apply gives a row as it was corrected. A correction that was made in its row
// of the table as well counts there.
func (f *corrections) apply(s *sheet, row table.Row) table.Row {
	g := f.of(s.header.Columns)
	if g == nil {
		return row
	}
	g.meet(row.Header.Read)
	sums := row.Header.Sums(row.Cells)
	one := pick(g.before, sums, row.Number)
	if one == nil {
		if made := pick(g.now, sums, row.Number); made != nil && made.at == row.Number {
			made.done = true
		}
		return row
	}
	one.done = true
	g.taken++
	one.over(row)
	if s.corrected == nil {
		s.corrected = map[int]*correction{}
	}
	s.corrected[row.Number] = one
	row.Cells, row.Faults = one.cells, one.fault
	return row
}

// over lays the correction over the row that it replaces: a formula without a
// result stays one.
func (c *correction) over(row table.Row) {
	for at, text := range c.cells {
		if text == table.Unresolved && row.Cells[at] != text {
			c.cells[at] = row.Cells[at]
		}
		if c.cells[at] != row.Cells[at] || slices.ContainsFunc(c.fault, func(f table.Fault) bool { return f.At == at && f.For == table.AnyUse }) {
			c.changed = append(c.changed, at)
		}
	}
	for _, f := range row.Faults {
		if !slices.Contains(c.changed, f.At) && !slices.ContainsFunc(c.fault, func(own table.Fault) bool { return own.At == f.At }) {
			c.fault = append(c.fault, f)
		}
	}
}

// left are the corrections that count nowhere.
func (g *correctedSheets) left() (list []*correction) {
	for _, one := range g.rows {
		if !one.done {
			list = append(list, one)
		}
	}
	return list
}

// stray gives, behind the last row, what was corrected or added on the sheets
// of rows to fix and counts for no row of the table.
func (f *corrections) stray() (table.Row, error) {
	if f == nil {
		return table.Row{}, io.EOF
	}
	if !f.begun {
		f.begun = true
		for _, g := range f.groups {
			if g.now != nil {
				f.give(g.left(), "was corrected here, but its row in the table is no longer what it was; correct it there, and delete this row")
				f.give(g.added, "was added here; add it to the table, and delete this row")
			}
		}
	}
	if len(f.strays) == 0 {
		return table.Row{}, io.EOF
	}
	row := f.strays[0]
	f.strays = f.strays[1:]
	return row, nil
}

func (f *corrections) give(list []*correction, what string) {
	for _, one := range list {
		f.strays = append(f.strays, table.Row{Header: one.header, Number: one.row, Cells: one.cells, Aside: true, Problem: "the row " + what})
	}
}

// notes says what became of the corrections; complete behind the last row.
func (f *corrections) notes() (notes []string) {
	if f == nil {
		return nil
	}
	notes = append(notes, f.gone...)
	for _, g := range f.groups {
		if g.taken > 0 {
			notes = append(notes, fmt.Sprintf("sheet %q: %d corrected rows were read in place of those in the table", g.sheet, g.taken))
		}
		left := len(g.left())
		switch {
		case g.now == nil:
			notes = append(notes, fmt.Sprintf("sheet %q: %d rows were corrected and not read, because no table has its columns; correct them there", g.sheet, left+len(g.added)))
			continue
		case left > 0:
			notes = append(notes, fmt.Sprintf("sheet %q: %d corrected rows were not read, because their rows in the table are no longer what they were; correct them there",
				g.sheet, left))
		}
		if len(g.added) > 0 {
			notes = append(notes, fmt.Sprintf("sheet %q: %d rows were added and not read; add them to the table", g.sheet, len(g.added)))
		}
	}
	return notes
}
