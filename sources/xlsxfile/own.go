package xlsxfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"makegood/sources/table"
)

// SummaryTitle is the first cell of the sheet that sums up, by which it is
// known again.
const SummaryTitle = "makegood: what became of the rows of this workbook"

const (
	maxOwnLooks = 500 // sheets that are looked at for makegood's own
	maxOwnTop   = 10  // filled rows among which their header is
)

// choose finds the sheets to read. Those that makegood wrote beside the tables
// are as if they were not there; where no table is left, the rows to fix are
// the table.
func (c *cursor) choose() error {
	o := c.file.options
	c.book.findOwn(c)
	todo, err := c.book.chosen(o.Sheets)
	plain := slices.DeleteFunc(slices.Clone(todo), tabInfo.own)
	fixes := slices.DeleteFunc(slices.Clone(c.book.sheets), func(t tabInfo) bool { return t.fixes == 0 })
	switch named := len(o.Sheets) > 0 && o.Sheets[0] != All; {
	case err == nil && len(plain) > 0 && (named || len(fixes) == 0 || c.anyFits(plain)):
		c.todo = plain
		if len(o.Sheets) == 0 {
			c.todo = fittest(c.ctx, c.book, c.file, plain)
		}
		c.findCorrections(fixes)
		return nil
	case len(fixes) > 0:
		c.todo = fixes
		return nil
	}
	c.todo = todo
	return err
}

// anyFits reports whether one of the sheets has all wanted columns.
func (c *cursor) anyFits(tabs []tabInfo) bool {
	return slices.ContainsFunc(tabs, func(tab tabInfo) bool {
		look := &cursor{ctx: c.ctx, file: c.file, book: c.book}
		s, err := look.openSheet(tab)
		return err == nil && s.close() == nil && s.fits(c.file.options.Wanted)
	})
}

// findOwn finds the sheets that makegood wrote, by what stands in them: people
// give sheets other names. What is wrong with a sheet is said when it is read.
func (b *book) findOwn(c *cursor) {
	for i := range b.sheets[:min(len(b.sheets), maxOwnLooks)] {
		if tab := &b.sheets[i]; !tab.other && tab.part != "" {
			_ = b.lookOwn(c, tab)
		}
	}
}

func (b *book) lookOwn(c *cursor, tab *tabInfo) (err error) {
	defer catch(&err)
	p, err := b.box.open(tab.part)
	if err != nil {
		return err
	}
	s := &sheet{name: tab.name, book: b, part: p}
	defer func() { err = errors.Join(err, s.close()) }()
	for n := range maxOwnTop {
		l, err := s.read(c.ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("look at sheet %q: %w", tab.name, err)
		case n == 0 && len(l.cells) > 0 && l.cells[0] == SummaryTitle:
			tab.sums = true
			return nil
		case table.ToFix(l.cells) != nil, strings.HasPrefix(tab.name, fixName) && table.HasColumn(l.cells, table.StatusColumn):
			tab.fixes = l.number
			return nil
		}
	}
	return nil
}

// foreign are the columns without those that makegood wrote: these have no
// names, and at the end they are not there at all.
func foreign(columns []string, own []int) []string {
	if len(own) == 0 {
		return columns
	}
	columns = slices.Clone(columns)
	for _, at := range own {
		columns[at] = ""
	}
	for n := len(columns); n > 0 && columns[n-1] == ""; n-- {
		columns = columns[:n-1]
	}
	return columns
}

// layout is how a sheet was found to be laid out.
type layout struct {
	part   string
	top    int // row of the header
	names  []string
	own    []int // columns that makegood wrote, and writes anew
	behind int   // the first column, from 0, behind all others
	marks  int   // the first of the columns for marks
	alone  bool  // it holds rows to fix itself
	// corrected are the rows in whose place others were read, by number.
	corrected map[int]*correction
}

func (f *File) remember(s *sheet) {
	l := layout{part: s.part.name, top: s.top, names: s.header.Columns, own: s.own, corrected: s.corrected, alone: s.header.Alone != nil}
	if l.alone {
		l.own = s.marks // the others stay: they are why it is known again
	}
	for at, met := range s.met {
		if met && !slices.Contains(l.own, at) {
			l.behind = at + 1
		}
	}
	if l.marks = l.behind; len(s.marks) == len(widths) && s.marks[len(widths)-1]-s.marks[0] == len(widths)-1 {
		l.marks = s.marks[0] // where a table or a filter may know them
	}
	if f.layouts == nil {
		f.layouts = map[string]layout{}
	}
	f.layouts[s.name] = l
}
