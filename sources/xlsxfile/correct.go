package xlsxfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"makegood/sources/table"
)

// rawRow is a row as it is written.
type rawRow struct {
	rowCells
	prefix string
}

// rawCorrections reads the rows that were read in place of others as they are
// written, by the rows that they replace.
func (w *markedBook) rawCorrections(l layout) (map[int]rawRow, error) {
	parts := map[string]map[int]int{} // by part: the row to replace, by the row that does
	for row, one := range l.corrected {
		if parts[one.part] == nil {
			parts[one.part] = map[int]int{}
		}
		parts[one.part][one.row] = row
	}
	all := map[int]rawRow{}
	for part, rows := range parts {
		if err := w.rawRows(part, rows, all); err != nil {
			return nil, fmt.Errorf("read the corrections in %s: %w", part, err)
		}
	}
	return all, nil
}

func (w *markedBook) rawRows(part string, rows map[int]int, all map[int]rawRow) (err error) {
	text, err := w.box.parts[strings.ToLower(part)].Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	r := &rewriter{}
	if r.in, err = newRaw(text); err != nil {
		return err
	}
	for {
		p, err := r.in.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case p.name != "row" || !p.begin:
			continue
		}
		r.number = max(p.number("r"), r.number+1)
		if p.end {
			continue
		}
		prefix := p.prefix()
		if err := r.readRow(); err != nil {
			return err
		}
		if row, wanted := rows[r.number]; wanted {
			c := r.cells
			all[row] = rawRow{rowCells{bytes.Clone(c.bytes), slices.Clone(c.list), c.tail}, prefix}
		}
	}
}

// correct puts the cells that a correction changed in the place of those of the
// row at hand, in their formats. All others stay as they are written.
func (w *rewriter) correct() error {
	right, is := w.right[w.number]
	if !is {
		return nil
	}
	if right.prefix != w.prefix {
		return fmt.Errorf("%w: its sheets name their tags in several ways", table.ErrUnmarkable)
	}
	changed := w.corrected[w.number].changed
	made := rowCells{}
	for at := range w.behind {
		old, has := w.cells.cellAt(at)
		one, there := right.cellAt(at)
		name := table.CellName(at, w.number)
		switch {
		case slices.Contains(w.own, at), !has && !slices.Contains(changed, at):
		case !slices.Contains(changed, at):
			made.keep(old, w.cells.bytes[old.from:old.to])
		case has && old.shared:
			return fmt.Errorf("%w: the correction of cell %s would replace a formula that others depend on; correct it in the table", table.ErrUnmarkable, name)
		case there:
			if has {
				one.style = old.style
			}
			made.add(at, one, w.fixed(&right.rowCells, one, name))
		case has:
			made.add(at, old, fixedCell(w.prefix, name, cellSpan{style: old.style}, nil))
		}
	}
	made.tail = len(made.bytes)
	made.bytes = append(made.bytes, w.cells.bytes[w.cells.tail:]...)
	w.cells = made
	return nil
}

// keep adds a cell as it was written.
func (c *rowCells) keep(one cellSpan, text []byte) {
	by := len(c.bytes) - one.from
	one.from, one.to, one.value, one.end = one.from+by, one.to+by, one.value+by, one.end+by
	c.bytes, c.list = append(c.bytes, text...), append(c.list, one)
}

func (c *rowCells) cellAt(at int) (cellSpan, bool) {
	i := slices.IndexFunc(c.list, func(one cellSpan) bool { return one.at == at })
	if i < 0 {
		return cellSpan{}, false
	}
	return c.list[i], true
}

// add adds a cell that was written anew.
func (c *rowCells) add(at int, like cellSpan, text string) {
	from := len(c.bytes)
	c.bytes = append(c.bytes, text...)
	one := cellSpan{at: at, from: from, to: len(c.bytes), style: like.style, kind: like.kind}
	open := bytes.IndexByte(c.bytes[from:], '>') + from
	one.value, one.end = open+1, max(open+1, bytes.LastIndex(c.bytes, []byte("</")))
	if like.kind == "str" {
		one.kind = "inlineStr"
	}
	c.list = append(c.list, one)
}
