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

// corrections are the rows that a person has corrected on a sheet of rows to
// fix while the table is there, too. Each knows by a checksum which row it was
// made of: where that row still stands as it was, the correction counts.
type corrections struct {
	columns []string
	rows    map[uint64][]correction // by the checksum of the row before
	made    map[uint64][]uint64     // that, by the checksum of the corrected row
	taken   int
	sheet   string // where most of them stand
}

// correction is one of them.
type correction struct {
	part  string
	row   int
	cells []string
	fault []table.Fault
	now   uint64
}

// findCorrections reads what was changed on the sheets of rows to fix. A sheet
// that cannot be read has none: it is not the table.
func (c *cursor) findCorrections(tabs []tabInfo) {
	found := &corrections{rows: map[uint64][]correction{}, made: map[uint64][]uint64{}}
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
	if len(found.rows) > 0 {
		c.corrected = found
	}
}

func (f *corrections) read(c *cursor, s *sheet) error {
	if f.columns == nil {
		f.columns, f.sheet = s.header.Columns, s.name
	}
	if !slices.Equal(f.columns, s.header.Columns) {
		return nil
	}
	for n := 0; ; {
		row, err := s.next(c.ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		before, err := strconv.ParseUint(s.check, 16, 64)
		now := table.Checksum(row.Cells)
		if err != nil || before == now {
			continue
		}
		if n++; n > maxCorrections {
			return fmt.Errorf("%w: more than %d rows were corrected; give the rows to fix back alone", ErrTooLarge, maxCorrections)
		}
		f.made[now] = append(f.made[now], before)
		f.rows[before] = append(f.rows[before], correction{s.part.name, row.Number, slices.Clone(row.Cells), slices.Clone(row.Faults), now})
	}
}

// apply gives a row as it was corrected.
func (f *corrections) apply(s *sheet, row table.Row) table.Row {
	if !slices.Equal(f.columns, s.header.Columns) {
		return row
	}
	sum := table.Checksum(row.Cells)
	list := f.rows[sum]
	if len(list) == 0 {
		f.known(sum)
		return row
	}
	one := list[0]
	if f.rows[sum] = list[1:]; len(list) == 1 {
		delete(f.rows, sum)
	}
	f.taken++
	if s.corrected == nil {
		s.corrected = map[int]correction{}
	}
	s.corrected[row.Number] = one
	row.Cells, row.Faults = one.cells, one.fault
	return row
}

// known drops a correction that was made in the table as well.
func (f *corrections) known(sum uint64) {
	list := f.made[sum]
	if len(list) == 0 {
		return
	}
	before := list[0]
	f.made[sum] = list[1:]
	f.rows[before] = slices.DeleteFunc(f.rows[before], func(one correction) bool { return one.now == sum })
}

// notes says what became of the corrections; complete behind the last row.
func (f *corrections) notes() (notes []string) {
	if f == nil {
		return nil
	}
	if f.taken > 0 {
		notes = append(notes, fmt.Sprintf("sheet %q: %d corrected rows were read in place of those in the table", f.sheet, f.taken))
	}
	left := 0
	for _, list := range f.rows {
		left += len(list)
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("sheet %q: %d corrected rows were not read, because their rows in the table are no longer what they were; correct them there",
			f.sheet, left))
	}
	return notes
}
