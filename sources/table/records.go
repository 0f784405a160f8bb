package table

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"makegood/config"
	"makegood/reconcile"
)

// Files gives the files of a table in a sorted order. Where rows come from a
// query, w is the window that it is asked for; the zero window asks for all. It may
// wait for files that are still being written.
type Files func(ctx context.Context, w reconcile.Window) ([]File, error)

// records reads the mapped values of a small table: evidence, open carts, a
// file to join. Anything that cannot be read is an error with file and row:
// half a table would be a guess.
type records struct {
	table  *config.Table
	key    string
	names  []string
	fields []field
	from   map[string]string // what columns each is read from, by name
	clock  *clock            // of the header at hand
	slots  []slot
	notes  []string // on how the files were read
	bound  *binding // which columns are used, of the header at hand
	// blame takes rows that cannot be read; nil: they end the reading.
	blame  func(reconcile.RowProblem)
	header *Header
}

// record is one row of mapped values, "" for fields that are not mapped.
type record struct {
	header *Header
	row    int
	texts  []string
	clock  *clock
}

// newRecords compiles columns; of these, names gives the order of the texts.
func newRecords(t *config.Table, key string, columns map[string]string, names []string) (*records, error) {
	r := &records{table: t, key: key, names: names, fields: make([]field, len(names)), from: columns}
	return r, r.compile()
}

func (r *records) compile() error {
	for name, value := range r.from {
		at := slices.Index(r.names, name)
		if at < 0 {
			return fmt.Errorf("%s.%s is planned but not built yet", r.key, name)
		}
		var err error
		if r.fields[at], err = newField(r.key+"."+name, name, value, newNumbers(r.table)); err != nil {
			return err
		}
	}
	return nil
}

// habits are the fields that show how numbers and dates are written.
func (r *records) habits() (h habits) {
	for i, name := range r.names {
		switch name {
		case "quantity", "price", "total", "shipping", "discount":
			h.numbers = append(h.numbers, &r.fields[i])
		case "at", "last_activity":
			h.dates = append(h.dates, &r.fields[i])
		}
	}
	return h
}

// settle compiles the fields for what the files show.
func (r *records) settle(ctx context.Context, files []File) error {
	h := r.habits()
	if len(h.numbers)+len(h.dates) == 0 {
		return nil
	}
	t, err := settle(ctx, files, *r.table, h)
	if err != nil {
		return err
	}
	r.table, r.header, r.notes = &t.Table, nil, append(r.notes, t.notes...)
	return r.compile()
}

// each reads all rows that hold anything.
func (r *records) each(ctx context.Context, files []File, do func(record) error) error {
	if err := r.settle(ctx, files); err != nil {
		return err
	}
	for _, f := range files {
		if err := r.walk(ctx, f, do); err != nil {
			return err
		}
	}
	return nil
}

func (r *records) row(row Row, do func(record) error) error {
	if row.Header != r.header {
		if err := r.bind(row.Header); err != nil {
			return err
		}
	}
	rec := record{header: row.Header, row: row.Number, texts: make([]string, len(r.slots)), clock: r.clock}
	if row.Problem != "" {
		return rec.fault("", row.Problem)
	}
	if len(row.Faults) == 0 && blank(row.Cells) {
		return nil
	}
	if again, err := r.bound.isHeader(row); again || err != nil {
		return err
	}
	var spoiled error
	r.bound.distrust(row, func(at int, _ Use, text string) {
		if spoiled == nil {
			spoiled = rec.fault(clean(row.Header.Columns[at]), text)
		}
	})
	if spoiled != nil {
		return spoiled
	}
	for i := range r.slots {
		if !r.slots[i].mapped() {
			continue
		}
		var err error
		if rec.texts[i], err = r.slots[i].text(row.Cells); err != nil {
			return rec.fault(r.slots[i].label, err.Error())
		}
	}
	return do(rec)
}

func (r *records) bind(h *Header) (err error) {
	r.header, r.slots = h, make([]slot, len(r.fields))
	f := newFinder(h)
	r.bound = &binding{header: h, names: names(h)}
	for i := range r.fields {
		if r.slots[i], err = f.slot(&r.fields[i]); err != nil {
			return err
		}
	}
	r.bound.used = slices.Sorted(maps.Keys(f.used))
	r.bound.numeric = f.columns(r.habits().numbers)
	for i, name := range r.names {
		if slices.Contains([]string{"order", "on", "sku", "unique_id", "customer"}, name) {
			r.bound.ids = append(r.bound.ids, f.columns([]*field{&r.fields[i]})...)
		}
	}
	r.clock, err = newClock(r.table, "day", h.Serial)
	return err
}

// said keeps the notes of the last reading.
type said struct{ notes atomic.Pointer[[]string] }

func (s *said) say(r *records) { s.notes.Store(&r.notes) }

// Notes says how the last Read found its files to be written.
func (s *said) Notes() []string {
	if notes := s.notes.Load(); notes != nil {
		return *notes
	}
	return nil
}

// RowError says that a row of a table which must be read whole cannot be.
type RowError struct{ reconcile.RowProblem }

// Error gives file, sheet, row, column and what is wrong.
func (e *RowError) Error() string { return e.RowProblem.String() }

func (r record) fault(column, text string) error {
	return &RowError{reconcile.RowProblem{File: r.header.File, Sheet: r.header.Sheet, Row: r.row, Column: column,
		Cell: r.header.cell(column, r.row), Reason: reconcile.ReasonBadValue, Text: text}}
}

// walk reads the rows of one file to its end and closes it.
func (r *records) walk(ctx context.Context, f File, do func(record) error) (err error) {
	cursor, err := f.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	if err := early(cursor, r.bind); err != nil {
		return err
	}
	err = drain(ctx, f.Name(), cursor, func(row Row) error { return r.blamed(r.row(row, do)) })
	r.notes = append(r.notes, cursor.Notes()...)
	return err
}

// Headed is an optional interface of a Cursor whose header is known before the
// first row, so that a wrong file without any rows is not taken for a quiet
// day.
type Headed interface{ Header() *Header }

// early looks for the mapped columns before the first row, where that can be.
func early(c Cursor, bind func(*Header) error) error {
	if h, ok := c.(Headed); ok {
		return bind(h.Header())
	}
	return nil
}

// blank reports whether a row holds nothing.
func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" && strings.TrimFunc(c, isBlank) != "" {
			return false
		}
	}
	return true
}
