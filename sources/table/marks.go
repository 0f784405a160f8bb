package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

// Columns that makegood writes at the right of a table. When such a file is
// read again they are as if they were not there.
const (
	StatusColumn = "makegood status"
	ReasonColumn = "makegood reason"
	NextColumn   = "makegood what to do"
	// RowColumn stands among the rows to fix alone, and tells them from the
	// table: the number of the row there.
	RowColumn = "makegood row"
	// CheckColumn stands there, too: the RowSums of the row, by which it is
	// known whether it was corrected. Behind its name stand the Habits.
	CheckColumn = "makegood check"
)

// OwnColumns finds the columns that makegood wrote.
func OwnColumns(columns []string) (own []int) {
	for i, name := range columns {
		switch strings.TrimSpace(name) {
		case StatusColumn, ReasonColumn, NextColumn, RowColumn:
			own = append(own, i)
			continue
		}
		if isCheck(name) {
			own = append(own, i)
		}
	}
	return own
}

// OldMarks finds those of them that hold marks.
func OldMarks(columns []string) (old []int) {
	for i, name := range columns {
		if slices.Contains(MarkColumns(), strings.TrimSpace(name)) {
			old = append(old, i)
		}
	}
	return old
}

// HasColumn reports whether one of the columns has a name.
func HasColumn(columns []string, name string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.TrimSpace(c) == name })
}

// Mark is what stands beside a row, in words; the zero value is nothing.
type Mark struct {
	Status, Reason, Next string
	// Fix says that a person has to correct the row's order: all its rows go
	// among the rows to fix. Here says that it is in this very row.
	Fix, Here bool
}

// Cells are the texts of a mark in the order of its columns.
func (m Mark) Cells() []string { return []string{m.Status, m.Reason, m.Next} }

// MarkColumns are the names of the columns that Cells go into.
func MarkColumns() []string { return []string{StatusColumn, ReasonColumn, NextColumn} }

// Marker says what became of rows.
type Marker interface {
	// Mark gives the mark of a row that is no blank one.
	Mark(Told) Mark
	// Summary tells of the rows that Mark was asked about since the last
	// Summary.
	Summary() Summary
}

// Summary is a small table of texts and whole numbers for people.
type Summary struct {
	Rows [][]any
	// Chart names the rows, from 1, whose first column has names and whose
	// second one numbers; 0: there is nothing to draw.
	ChartTitle          string
	ChartFrom, ChartEnd int
}

// Markable is an optional interface of a File that can be written again with a
// mark beside each row.
type Markable interface {
	// WriteMarked writes a copy of the file, and its rows to fix, into
	// m.Dir, and gives the names of what it wrote there. All names are
	// claimed before; nothing has its name before all is whole; the file
	// itself is not touched.
	WriteMarked(ctx context.Context, m *Marking) ([]string, error)
}

// ErrUnmarkable is returned for a file that cannot be written with marks.
var ErrUnmarkable = errors.New("cannot be written with marks")

// MarkOptions say how files are marked.
type MarkOptions struct {
	Marker
	Dir string // for the files that are written
	// TmpDir is where they are until they are whole, and where it is kept what
	// was written into Dir.
	TmpDir string
	// Taken are the names that were claimed before, in lower case: a second
	// file of such a name is not marked.
	Taken map[string]bool
}

// Marked is what became of one file.
type Marked struct {
	File  string   // its name
	Names []string // of what was written
	ToFix int      // rows that went among the rows to fix
	Err   error
}

// MarkFiles writes the files of the last Heads again, with what became of each
// row. What is wrong with one file is said of it alone.
func (s *Source) MarkFiles(ctx context.Context, o MarkOptions) []Marked {
	several, err := s.scattered(ctx, o.Marker)
	var list []Marked
	for i, f := range s.read {
		one := Marked{File: f.Name(), Err: err}
		if s.namesakes(f.Name()) {
			one.Err = fmt.Errorf("%w: another file of the source has the same name, and what is said of a row may be about either", ErrUnmarkable)
		} else if err == nil {
			one.Names, one.ToFix, one.Err = s.markFile(ctx, i, o, several)
		}
		list = append(list, one)
	}
	return list
}

// namesakes reports whether several of the files have a name.
func (s *Source) namesakes(name string) bool {
	n := 0
	for _, f := range s.read {
		if f.Name() == name {
			n++
		}
	}
	return n > 1
}

func (s *Source) markFile(ctx context.Context, at int, o MarkOptions, several map[reconcile.OrderKey]bool) ([]string, int, error) {
	f, ok := s.read[at].File.(Markable)
	if !ok {
		return nil, 0, ErrUnmarkable
	}
	m := &Marking{Dir: o.Dir, TmpDir: o.TmpDir, Habits: s.habits, taken: o.Taken, spill: s.options.StateDir, codes: map[Mark]int{{}: 0}, marks: []Mark{{}}}
	defer m.close()
	m.Check = func() error { return unchanged(s.read[at].File, s.read[at].mark) }
	err := s.eachRow(ctx, at, func(t Told) error {
		mark := Mark{}
		if t.Met != MetBlank {
			mark = o.Mark(t)
		}
		if mark.Fix {
			if why := s.wholeOnly(t, several); why != "" {
				mark.Fix, mark.Next = false, "Correct it in the whole file, and give that back: "+why+"."
			}
		}
		return m.add(t, mark)
	})
	m.Summary = o.Summary()
	if err != nil {
		return nil, 0, err
	}
	names, err := f.WriteMarked(ctx, m)
	return names, m.toFix, err
}

// scattered finds the orders to fix that are cut across files or sheets: the
// rows of one alone would be half an order, or one version of several.
func (s *Source) scattered(ctx context.Context, judge Marker) (map[reconcile.OrderKey]bool, error) {
	type place struct {
		file  int
		sheet string
	}
	if len(s.read) < 2 && !slices.ContainsFunc(s.read, func(f readFile) bool { return f.told != nil && len(f.told.sheets) > 1 }) {
		return nil, nil
	}
	first, several := map[reconcile.OrderKey]place{}, map[reconcile.OrderKey]bool{}
	for i := range s.read {
		err := s.eachRow(ctx, i, func(t Told) error {
			if t.Met != MetOrder || !judge.Mark(t).Fix {
				return nil
			}
			here := place{i, t.Sheet}
			if at, met := first[t.Key]; met && at != here {
				several[t.Key] = true
			} else if !met {
				t.Key.Order = strings.Clone(t.Key.Order)
				first[t.Key] = here
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	judge.Summary() // these rows are asked about again
	return several, nil
}

// Marking are the marks of one file, for its WriteMarked.
type Marking struct {
	Dir     string
	TmpDir  string
	Summary Summary
	Habits  Habits
	// Check gives an error when the file is no longer the one that was read.
	Check func() error

	taken  map[string]bool
	spill  string
	codes  map[Mark]int
	marks  []Mark
	sheets []sheetMarks
	toFix  int
}

// sheetMarks are the rows of one sheet with the codes of their marks.
type sheetMarks struct {
	name  string
	rows  *scratch
	codec codec
}

// maxMarks is how many different marks a file can have.
const maxMarks = 1 << 17

func (m *Marking) add(t Told, mark Mark) error {
	code, known := m.codes[mark]
	if !known {
		if code = len(m.marks); code == maxMarks {
			return fmt.Errorf("%w: it has more than %d different marks", ErrUnmarkable, maxMarks)
		}
		m.codes[mark], m.marks = code, append(m.marks, mark)
	}
	if mark.Fix {
		m.toFix++
	}
	if n := len(m.sheets); n == 0 || m.sheets[n-1].name != t.Sheet {
		rows, err := openScratch(m.spill)
		if err != nil {
			return err
		}
		m.sheets = append(m.sheets, sheetMarks{name: t.Sheet, rows: rows})
	}
	s := &m.sheets[len(m.sheets)-1]
	s.codec.buf = s.codec.buf[:0]
	s.codec.number(&t.Row)
	s.codec.number(&code)
	s.codec.checksum(&t.sums.All)
	s.codec.checksum(&t.sums.Read)
	return s.rows.write(s.codec.buf)
}

// Sheets are the names of the sheets that were read; of a file without sheets,
// "" alone.
func (m *Marking) Sheets() (names []string) {
	for _, s := range m.sheets {
		names = append(names, s.name)
	}
	return names
}

// RowMark is a row with its mark and its sums.
type RowMark struct {
	Mark
	Row  int
	Sums RowSums
}

// Rows gives the rows of a sheet and their marks in file order, blank rows with
// the zero mark, then io.EOF.
func (m *Marking) Rows(sheet string) (func() (RowMark, error), error) {
	i := slices.IndexFunc(m.sheets, func(s sheetMarks) bool { return s.name == sheet })
	if i < 0 {
		return nil, fmt.Errorf("find the marks of sheet %q: %w", sheet, errRecord)
	}
	next, err := m.sheets[i].rows.reader()
	if err != nil {
		return nil, err
	}
	return func() (one RowMark, err error) {
		record, err := next()
		if err != nil {
			return one, err
		}
		c, code := &codec{buf: record, reading: true}, 0
		c.number(&one.Row)
		c.number(&code)
		c.checksum(&one.Sums.All)
		c.checksum(&one.Sums.Read)
		if c.err != nil || code < 0 || code >= len(m.marks) {
			return one, errRecord
		}
		one.Mark = m.marks[code]
		return one, nil
	}, nil
}

// ToFix is how many rows are to be fixed.
func (m *Marking) ToFix() int { return m.toFix }

func (m *Marking) close() {
	for _, s := range m.sheets {
		_ = s.rows.close() // of no use to anybody now
	}
}
