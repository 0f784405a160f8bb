package xlsxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"makegood/sources/table"
)

// cursor walks the rows of the chosen sheets, one sheet after the other.
type cursor struct {
	ctx   context.Context
	file  *File
	book  *book
	todo  []tabInfo
	read  []string      // sheets that held something
	sheet *sheet        // nil after the last
	first *table.Header // of the first
	notes []string

	corrected *corrections // nil: there are none

	numbers map[int]bool // columns with number cells, whose texts are left out; nil: nobody asks
}

// newCursor opens the first sheet that holds anything, so that what is wrong
// is said before the first row.
func newCursor(ctx context.Context, b *book, f *File, numbers map[int]bool) (*cursor, error) {
	c := &cursor{ctx: ctx, file: f, book: b, numbers: numbers}
	if err := c.choose(); err != nil {
		return nil, err
	}
	if slices.Equal(f.options.Sheets, []string{All}) {
		c.dropStrangers()
	}
	if err := c.turn(); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: its sheets hold no rows", ErrEmpty)
	} else if err != nil {
		return nil, err
	}
	return c, nil
}

// maxLooks is how many sheets are looked at for the one that has the columns.
const maxLooks = 20

// fittest puts the first sheet that has all wanted columns before the others:
// a cover sheet is no list of orders. What is wrong with a sheet is said when it
// is read.
func fittest(ctx context.Context, b *book, f *File, tabs []tabInfo) []tabInfo {
	if len(tabs) < 2 || len(f.options.Wanted) == 0 {
		return tabs
	}
	for i, tab := range tabs[:min(len(tabs), maxLooks)] {
		look := &cursor{ctx: ctx, file: f, book: b}
		s, err := look.openSheet(tab)
		if err != nil {
			continue
		}
		if err := s.close(); err == nil && s.fits(f.options.Wanted) {
			return append([]tabInfo{tab}, slices.Delete(slices.Clone(tabs), i, i+1)...)
		}
	}
	return tabs
}

// dropStrangers leaves out, of all sheets, those that have none of the wanted
// columns, where another one has all of them: a sheet of notes is no list of
// orders. One that has some of them is read, and found wanting.
func (c *cursor) dropStrangers() {
	wanted := c.file.options.Wanted
	if len(c.todo) < 2 || len(c.todo) > maxLooks || len(wanted) == 0 {
		return
	}
	var fitting bool
	strange := map[string]bool{}
	for _, tab := range c.todo {
		look := &cursor{ctx: c.ctx, file: c.file, book: c.book}
		s, err := look.openSheet(tab)
		if err != nil {
			continue
		}
		if err := s.close(); err == nil {
			fitting = fitting || s.fits(wanted)
			strange[tab.name] = !slices.ContainsFunc(wanted, func(name string) bool { return s.fits([]string{name}) })
		}
	}
	if !fitting {
		return
	}
	c.todo = slices.DeleteFunc(slices.Clone(c.todo), func(tab tabInfo) bool {
		if strange[tab.name] {
			c.notes = append(c.notes, fmt.Sprintf("sheet %q has none of the columns, and was left out", tab.name))
			c.read = append(c.read, tab.name)
		}
		return strange[tab.name]
	})
}

// turn opens the next sheet that holds anything, or gives io.EOF.
func (c *cursor) turn() error {
	for len(c.todo) > 0 {
		tab := c.todo[0]
		c.todo = c.todo[1:]
		s, err := c.openSheet(tab)
		if s != nil {
			c.notes = append(c.notes, s.notes...)
			s.notes = nil
		}
		if errors.Is(err, errBlank) {
			continue
		}
		if err != nil {
			return err
		}
		if tab.hidden {
			c.notes = append(c.notes, fmt.Sprintf("sheet %q is hidden, and was read", tab.name))
		}
		if before := c.first; before == nil {
			c.first = s.header
		} else if slices.Equal(before.Columns, s.header.Columns) {
			s.header.Read = before.Read
		}
		c.sheet, c.read = s, append(c.read, tab.name)
		if len(c.file.options.Sheets) == 0 && tab.fixes == 0 {
			c.todo = nil
		}
		return nil
	}
	return io.EOF
}

// Header names the columns of the sheet at hand, also where it has no rows.
func (c *cursor) Header() *table.Header { return c.sheet.header }

// Next gives the next row of the sheet, then those of the next sheet.
func (c *cursor) Next() (table.Row, error) {
	for c.sheet != nil {
		row, err := c.sheet.next(c.ctx)
		if err == nil && c.corrected != nil {
			row = c.corrected.apply(c.sheet, row)
		}
		if err == nil {
			return row, nil
		}
		if err := c.leave(err); err != nil {
			return table.Row{}, fmt.Errorf("read workbook %s: %w", c.file.Name(), err)
		}
		if err := c.turn(); err != nil && !errors.Is(err, io.EOF) {
			return table.Row{}, fmt.Errorf("read workbook %s: %w", c.file.Name(), err)
		}
	}
	return c.corrected.stray()
}

// leave ends the sheet, and gives the error that ended it early.
func (c *cursor) leave(cause error) error {
	c.notes = append(c.notes, c.sheet.seen()...)
	if errors.Is(cause, io.EOF) {
		c.notes = append(c.notes, c.sheet.gone()...)
	}
	c.file.remember(c.sheet)
	err := c.sheet.close()
	c.sheet = nil
	if !errors.Is(cause, io.EOF) {
		c.todo = nil
		return cause
	}
	return err
}

// Notes tells of hidden sheets, gaps and what else was left unread.
func (c *cursor) Notes() []string {
	notes := slices.Clone(c.notes)
	if c.sheet != nil {
		notes = append(notes, c.sheet.seen()...)
	}
	notes = append(notes, c.corrected.notes()...)
	if unread := c.unread(); unread != "" {
		notes = append(notes, "not read: "+unread)
	}
	for i := range notes {
		notes[i] = c.file.Name() + ": " + notes[i]
	}
	return notes
}

// unread lists the sheets that were not asked for, whatever they hold.
func (c *cursor) unread() string {
	var names []string
	for _, s := range c.book.sheets {
		switch {
		case slices.Contains(c.read, s.name), s.own():
		case s.hidden:
			names = append(names, fmt.Sprintf("sheet %q (hidden)", s.name))
		default:
			names = append(names, fmt.Sprintf("sheet %q", s.name))
		}
	}
	return strings.Join(names, ", ")
}

// Close removes what was unpacked. It may be called at any time, once.
func (c *cursor) Close() error {
	var err error
	if c.sheet != nil {
		err = c.sheet.close()
		c.sheet = nil
	}
	if err = errors.Join(err, c.book.close()); err != nil {
		return fmt.Errorf("close workbook %s: %w", c.file.Name(), err)
	}
	return nil
}
