package table

import (
	"slices"

	"makegood/config"
)

// slot is a field in one header: where its column or columns are.
type slot struct {
	*field
	at   int
	args []int
	buf  []string
}

// text gives the cleaned value of the row.
func (s *slot) text(cells []string) (string, error) {
	if s.eval == nil {
		return clean(cells[s.at]), nil
	}
	return s.eval.text(s.values(cells))
}

func (s *slot) values(cells []string) []string {
	for i, at := range s.args {
		s.buf[i] = clean(cells[at])
	}
	return s.buf
}

// columns are those that fields are made of, where they stand in the header.
func (f *finder) columns(fields []*field) (columns []int) {
	for _, one := range fields {
		if s, err := f.slot(one); err == nil && one.mapped() {
			columns = append(columns, s.columns()...)
		}
	}
	return columns
}

// names are those of the columns.
func names(h *Header) map[string]bool {
	all := map[string]bool{}
	for _, name := range h.Columns {
		if name = clean(name); name != "" {
			all[name] = true
		}
	}
	return all
}

// columns are those that the field is made of.
func (s *slot) columns() []int {
	if s.at < 0 {
		return s.args
	}
	return []int{s.at}
}

// finder looks up the columns of a header.
type finder struct {
	*Header
	at   map[string]int
	used map[int]bool
}

const repeated = -1

func newFinder(h *Header) *finder {
	f := &finder{Header: h, at: make(map[string]int, len(h.Columns)), used: map[int]bool{}}
	for i, name := range h.Columns {
		name = clean(name)
		if _, twice := f.at[name]; twice {
			i = repeated
		}
		f.at[name] = i
	}
	return f
}

// find gives the index of a column, or an error that names those there are.
func (f *finder) find(column, usedBy string) (int, error) {
	at, ok := f.at[column]
	switch {
	case !ok:
		return 0, &MissingColumn{File: f.File, Sheet: f.Sheet, Column: column, UsedBy: usedBy, Columns: f.Columns}
	case at == repeated:
		return 0, &RepeatedColumn{File: f.File, Sheet: f.Sheet, Column: column, UsedBy: usedBy}
	}
	f.used[at] = true
	return at, nil
}

func (f *finder) slot(of *field) (slot, error) {
	s := slot{field: of, at: -1}
	switch {
	case of.eval != nil:
		return f.evaluated(of, of.eval)
	case of.column != "":
		var err error
		s.at, err = f.find(of.column, of.key)
		return s, err
	}
	return s, nil
}

func (f *finder) evaluated(of *field, v *evaluator) (slot, error) {
	s := slot{field: of, at: -1, args: make([]int, len(v.columns)), buf: make([]string, len(v.columns))}
	for i, name := range v.columns {
		at, err := f.find(name, v.key)
		if err != nil {
			return s, err
		}
		s.args[i] = at
	}
	return s, nil
}

// binding is a mapping applied to one header: columns have become indexes.
type binding struct {
	header   *Header
	id       int32
	slots    [rowFields]slot
	kept     []int
	skips    []slot
	clock    *clock
	zones    *zones          // where columns.zone is mapped
	used     []int           // sorted: what a spool must hold
	numeric  []int           // what numbers are read from
	ids      []int           // what ids are read from
	names    map[string]bool // of the columns
	currency string          // of the source
	money    int             // the column of the currency, -1
}

func (m *mapping) bind(h *Header, id int32) (*binding, error) {
	b := &binding{header: h, id: id, kept: make([]int, len(m.kept)), names: names(h), currency: m.cfg.Currency, money: -1}
	f := newFinder(h)
	var err error
	for i := range m.rows {
		if b.slots[i], err = f.slot(&m.rows[i]); err != nil {
			return nil, err
		}
	}
	for i, k := range m.kept {
		if b.kept[i], err = f.find(k.name, k.usedBy); err != nil {
			return nil, err
		}
	}
	for _, r := range m.skips {
		s, err := f.evaluated(&field{eval: r.eval}, r.eval)
		if err != nil {
			return nil, err
		}
		b.skips = append(b.skips, s)
	}
	for at := range f.used {
		b.used = append(b.used, at)
	}
	slices.Sort(b.used)
	if at, ok := m.index["currency"]; ok && m.fields[at].column != "" && m.fields[at].eval == nil {
		if b.money, err = f.find(m.fields[at].column, m.fields[at].key); err != nil {
			return nil, err
		}
	}
	b.numeric, b.ids = f.columns(m.habits().numbers), f.columns(m.ids())
	if m.rows[rowZone].mapped() {
		b.zones = &zones{m.cfg.Table, m.cfg.Precision, h.Serial, map[string]*clock{}}
	}
	b.clock, err = newClock(&m.cfg.Table, m.cfg.Precision, h.Serial)
	return b, err
}

// newNumbers reads the decimal sign of a table.
func newNumbers(t *config.Table) numbers {
	if t.Decimal == "," {
		return numbers{point: ','}
	}
	return numbers{point: '.', strict: t.Decimal == undecided}
}
