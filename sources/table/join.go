package table

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"makegood/config"
	"makegood/reconcile"
)

// join looks up values of the order in a second file, which is held in memory
// while a source is read.
type join struct {
	cfg   *config.Join
	at    int   // of it in the configuration
	key   int   // index of the field that is looked up, or joinByOrder
	takes []int // indexes of the fields that it gives
	rows  map[string]*joinedRow
	notes []string // on how its files were read
}

// joinByOrder means that a join is on the order number itself.
const joinByOrder = -1

// joinedRow is what a join's file says of one key.
type joinedRow struct {
	values []string
	at     spot
	other  spot // where the same key has other values
}

// spot is a row in a small table.
type spot struct {
	header *Header
	row    int
}

func (s spot) String() string {
	o := reconcile.Origin{File: s.header.File, Sheet: s.header.Sheet}
	o.AddRow(s.row)
	return o.String()
}

// mapJoins finds the fields that joins read and give.
func (m *mapping) mapJoins() error {
	for i := range m.cfg.Join {
		j := &join{cfg: &m.cfg.Join[i], at: i, key: joinByOrder}
		for on := range j.cfg.On {
			if on != "order" {
				f, err := newField(fmt.Sprintf("join[%d].on", i), on, on, m.numbers)
				if err != nil {
					return err
				}
				j.key = m.add(on, orderField{field: f})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(j.cfg.Take)) {
			if at := slices.Index(rowNames[:], name); at >= 0 && !slices.Contains([]string{"store", "till", "language"}, name) {
				return fmt.Errorf("join[%d].take.%s: a join gives what belongs to the whole order, not to a line", i, name)
			}
			j.takes = append(j.takes, m.add(name, orderField{field: field{key: fmt.Sprintf("join[%d].take.%s", i, name), label: name}}))
		}
		m.joins = append(m.joins, j)
	}
	return nil
}

// load reads the whole file. A key that stands there twice with the same
// values is one.
func (j *join) load(ctx context.Context, files []File, m *mapping) error {
	columns, names := map[string]string{}, []string{"on"}
	for _, column := range j.cfg.On {
		columns["on"] = column
	}
	for _, at := range j.takes {
		name := m.fields[at].name
		names, columns[name] = append(names, name), j.cfg.Take[name]
	}
	r, err := newRecords(&j.cfg.Table, fmt.Sprintf("join[%d].take", j.at), columns, names)
	if err != nil {
		return err
	}
	j.rows = map[string]*joinedRow{}
	keep := interner{}
	err = r.each(ctx, files, func(rec record) error {
		if rec.texts[0] != "" {
			j.put(rec, keep)
		}
		return nil
	})
	j.notes = r.notes
	return err
}

func (j *join) put(rec record, keep interner) {
	at := spot{rec.header, rec.row}
	values := make([]string, len(rec.texts)-1)
	for i, text := range rec.texts[1:] {
		values[i] = keep.keep(text)
	}
	known, ok := j.rows[rec.texts[0]]
	switch {
	case !ok:
		j.rows[keep.keep(rec.texts[0])] = &joinedRow{values: values, at: at}
	case known.other.row == 0 && !slices.Equal(known.values, values):
		known.other = at
	}
}

// apply fills what the order itself does not say.
func (j *join) apply(m *mapping, r *resolved, number string) {
	key := number
	if j.key >= 0 {
		key = r.values[j.key]
	}
	row, ok := j.rows[key]
	if key == "" || !ok {
		return
	}
	used := false
	for i, at := range j.takes {
		if r.values[at] == "" {
			r.values[at], used = row.values[i], true
		}
	}
	if used && row.other.row != 0 {
		r.fault(m.joinLabel(j), reconcile.ReasonAmbiguous,
			fmt.Sprintf("the order's key stands twice in the joined file with different values (%s; %s)", row.at, row.other))
	}
}

func (m *mapping) joinLabel(j *join) string {
	if j.key < 0 {
		return m.rows[rowOrder].label
	}
	return m.fields[j.key].label
}
