package table

// spool keeps the mapped cells of a file that cannot be read twice, so that
// the second pass reads them as it would read the file.
type spool struct {
	rows    *scratch
	headers []*Header // by the number that its records have
	used    [][]int
	codec   codec
}

func openSpool(dir string) (*spool, error) {
	rows, err := openScratch(dir)
	return &spool{rows: rows}, err
}

func (s *spool) write(b *binding, row Row) error {
	at := len(s.headers) - 1
	if at < 0 || s.headers[at] != b.header {
		s.headers, s.used = append(s.headers, b.header), append(s.used, b.used)
		at++
	}
	c := &s.codec
	c.buf = c.buf[:0]
	c.number(&at)
	c.number(&row.Number)
	c.text(&row.Problem)
	for _, i := range b.used {
		c.text(&row.Cells[i])
	}
	return s.rows.write(c.buf)
}

func (s *spool) close() error { return s.rows.close() }

// open starts a pass over the rows that were kept.
func (s *spool) open() (Cursor, error) {
	next, err := s.rows.reader()
	if err != nil {
		return nil, err
	}
	return &replay{spool: s, next: next}, nil
}

// replay is a Cursor over a spool.
type replay struct {
	*spool
	next func() ([]byte, error)
	row  Row
}

// Next gives the next row, with only the cells that are used.
func (r *replay) Next() (Row, error) {
	record, err := r.next()
	if err != nil {
		return Row{}, err
	}
	c := &codec{buf: record, reading: true}
	at := 0
	c.number(&at)
	if at < 0 || at >= len(r.headers) {
		return Row{}, errRecord
	}
	if h := r.headers[at]; r.row.Header != h {
		r.row = Row{Header: h, Cells: make([]string, len(h.Columns))}
	}
	c.number(&r.row.Number)
	c.text(&r.row.Problem)
	for _, i := range r.used[at] {
		c.text(&r.row.Cells[i])
	}
	return r.row, c.err
}

// Notes is empty: the first pass told them.
func (r *replay) Notes() []string { return nil }

// Close leaves the spool as it is, for the next pass.
func (r *replay) Close() error { return nil }

var _ Cursor = (*replay)(nil)
