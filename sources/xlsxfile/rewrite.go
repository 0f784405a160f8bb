package xlsxfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"makegood/sources/table"
)

// rewriter copies the XML of one sheet and puts marks behind its rows. Rows to
// fix are copied a second time, to a sheet of their own.
type rewriter struct {
	layout
	ctx    context.Context
	in     *raw
	out    *bufio.Writer
	fixes  *fixSheet
	prefix string // of the names of its tags
	next   func() (table.RowMark, error)
	row    table.RowMark // that next gave last
	number int           // of the row at hand
	cells  rowCells
	cols   []colWidth // as the sheet has them
	look   looks
	recalc bool           // of the book
	right  map[int]rawRow // corrections, by the row that they replace
}

// rowCells are the bytes of one row, and where its cells are in them.
type rowCells struct {
	bytes []byte
	list  []cellSpan
	tail  int // where what follows the cells begins
}

// cellSpan is one cell: its tag, and what stands in it without a formula.
type cellSpan struct {
	at         int // column from 0
	from, to   int
	style      string
	kind       string
	value, end int // of its content behind a formula
	formula    bool
	shared     bool // the formula is that of other cells, too
}

// errNoRows says that a sheet has no rows where there were some.
var errNoRows = fmt.Errorf("%w: its rows are not where they were", ErrDamaged)

// run copies the sheet.
func (w *rewriter) run() error {
	if err := w.head(); err != nil {
		return err
	}
	for {
		p, err := w.in.next()
		switch {
		case errors.Is(err, io.EOF):
			return errNoRows
		case err != nil:
			return err
		case p.name == "row" && p.begin:
			if err := w.copyRow(p); err != nil {
				return err
			}
			continue
		}
		if _, err := w.out.Write(p.text); err != nil {
			return err
		}
		if p.name == "sheetData" && p.end {
			_, err := io.Copy(w.out, w.in.in)
			return err
		}
	}
}

// head copies what stands before the rows, widened by the columns of marks.
func (w *rewriter) head() error {
	for {
		p, err := w.in.next()
		switch {
		case errors.Is(err, io.EOF):
			return errNoRows
		case err != nil:
			return err
		}
		text := string(p.text)
		switch {
		case strings.HasPrefix(text, "<?xml"):
			w.fixes.declaration = text
		case p.name == "worksheet" && p.begin:
			w.prefix = p.prefix()
			w.fixes.begin(w.prefix, p)
		case p.name == "dimension" && p.begin:
			text = w.widen(p)
		case p.name == "col" && p.begin:
			w.cols = append(w.cols, colWidth{p.number("min"), p.number("max"), text})
			text = ""
		case p.name == "col":
			text = ""
		case p.name == "cols" && !p.begin:
			text = w.around() + text
		case p.name == "sheetData":
			if len(w.cols) == 0 {
				text = w.tag("cols") + w.widths(w.marks) + w.tag("/cols") + text
			}
			w.fixes.cols = w.fixWidths()
			_, err := w.out.WriteString(text)
			return err
		}
		if _, err := w.out.WriteString(text); err != nil {
			return err
		}
	}
}

func (w *rewriter) tag(name string) string {
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return "</" + w.prefix + rest + ">"
	}
	return "<" + w.prefix + name + ">"
}

// widen gives the tag with the range that the sheet has with its marks.
func (w *rewriter) widen(p piece) string {
	value, from, to := p.attribute("ref")
	if from < 0 {
		return string(p.text)
	}
	first, last, found := strings.Cut(string(value), ":")
	if !found {
		last = first
	}
	at, err := column(last)
	rows := strings.TrimLeft(last, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	n, bad := strconv.Atoi(rows)
	if err != nil || bad != nil {
		return string(p.text)
	}
	last = table.CellName(max(at, w.marks+len(widths)-1), n)
	return string(p.text[:from]) + ` ref="` + first + ":" + last + `"` + string(p.text[to:])
}

// copyRow copies one row with its mark.
func (w *rewriter) copyRow(p piece) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	w.number++
	if n := p.number("r"); n > 0 {
		w.number = n
	}
	if p.end {
		_, err := w.out.Write(p.text)
		return err
	}
	start := slices.Clone(p.text)
	if _, from, to := p.attribute("spans"); from > 0 {
		start = slices.Delete(start, from, to)
	}
	if err := w.readRow(); err != nil {
		return err
	}
	if err := w.correct(); err != nil {
		return err
	}
	mark, err := w.markOf(w.number)
	if err != nil {
		return err
	}
	texts := mark.Cells()
	if w.number == w.top {
		texts = table.MarkColumns()
		w.fixes.head(w)
	}
	if mark.Fix {
		if err := w.fixes.add(w, mark); err != nil {
			return err
		}
	}
	if _, err := w.out.Write(start); err != nil {
		return err
	}
	return w.writeRow(texts, w.look.of(mark.Mark))
}

// markOf gives the mark of a row; rows that are not marked have none.
func (w *rewriter) markOf(number int) (table.RowMark, error) {
	for w.row.Row < number {
		var err error
		if w.row, err = w.next(); errors.Is(err, io.EOF) {
			w.row = table.RowMark{Row: maxRows + 1}
		} else if err != nil {
			return w.row, err
		}
	}
	if w.row.Row == number {
		return w.row, nil
	}
	return table.RowMark{}, nil
}

// writeRow writes the cells of the row at hand, but for those of older marks,
// and the new ones.
func (w *rewriter) writeRow(texts []string, style string) error {
	if n := len(w.cells.list); n > 0 && w.number == w.top {
		style = w.cells.list[n-1].style
	}
	done, put := 0, false
	marks := func() {
		for i, text := range texts {
			if text != "" && !put {
				_, _ = w.out.WriteString(textCell(w.prefix, table.CellName(w.marks+i, w.number), style, text)) // an error is told by the next write
			}
		}
		put = true
	}
	for _, c := range w.cells.list {
		own := slices.Contains(w.own, c.at)
		if !own && (c.at < w.marks || put) {
			continue
		}
		_, _ = w.out.Write(w.cells.bytes[done:c.from])
		if done = c.from; own {
			done = c.to
			continue
		}
		marks()
	}
	_, _ = w.out.Write(w.cells.bytes[done:max(done, w.cells.tail)])
	marks()
	_, err := w.out.Write(w.cells.bytes[max(done, w.cells.tail):])
	return err
}

// textCell is a cell that holds a text, never a formula.
func textCell(prefix, name, style, text string) string {
	if style != "" {
		style = ` s="` + style + `"`
	}
	return "<" + prefix + `c r="` + name + `"` + style + ` t="inlineStr"><` + prefix + "is><" + prefix + `t xml:space="preserve">` +
		escape(text) + "</" + prefix + "t></" + prefix + "is></" + prefix + "c>"
}

// readRow reads the row that has begun, with its end.
func (w *rewriter) readRow() error {
	c := &w.cells
	c.bytes, c.list, c.tail = c.bytes[:0], c.list[:0], -1
	for at := -1; ; {
		p, err := w.in.next()
		if err != nil {
			return errors.Join(errNoRows, err)
		}
		from := len(c.bytes)
		c.bytes = append(c.bytes, p.text...)
		switch {
		case len(c.bytes) > maxPiece:
			return fmt.Errorf("%w: a row has more than %d MiB", ErrTooLarge, maxPiece>>20)
		case p.name == "row" && !p.begin:
			if c.tail < 0 {
				c.tail = from
			}
			return nil
		case p.name == "c" && p.begin:
			if at, err = w.readCell(p, at+1, from); err != nil {
				return err
			}
		case p.begin && c.tail < 0: // what may follow the cells
			c.tail = from
			if !p.end {
				if err := w.skip(p.name); err != nil {
					return err
				}
			}
		}
	}
}

// readCell reads the cell that has begun to its end.
func (w *rewriter) readCell(p piece, next, from int) (int, error) {
	one := cellSpan{at: next, from: from}
	if ref, _, _ := p.attribute("r"); ref != nil {
		var err error
		if one.at, err = column(string(ref)); err != nil {
			return 0, err
		}
	}
	style, _, _ := p.attribute("s")
	kind, _, _ := p.attribute("t")
	one.style, one.kind = string(style), string(kind)
	c := &w.cells
	one.value = len(c.bytes)
	for depth := 1; !p.end || depth > 1; {
		inner, err := w.in.next()
		if err != nil {
			return 0, errors.Join(errNoRows, err)
		}
		one.end = len(c.bytes)
		c.bytes = append(c.bytes, inner.text...)
		if inner.begin {
			depth++
		}
		if inner.end {
			depth--
		}
		if depth == 0 {
			break
		}
		if inner.name == "f" && inner.begin {
			_, _, at := inner.attribute("ref")
			one.formula, one.shared = true, at > 0
		}
		if inner.name == "f" && inner.end && depth == 1 {
			one.value = len(c.bytes)
		}
		if len(c.bytes) > maxPiece {
			return 0, fmt.Errorf("%w: a row has more than %d MiB", ErrTooLarge, maxPiece>>20)
		}
	}
	one.to = len(c.bytes)
	one.end = max(one.end, one.value)
	c.list = append(c.list, one)
	return one.at, nil
}

// skip reads on behind the end of an element that has begun.
func (w *rewriter) skip(name string) error {
	for depth := 1; depth > 0; {
		p, err := w.in.next()
		if err != nil {
			return errors.Join(errNoRows, err)
		}
		w.cells.bytes = append(w.cells.bytes, p.text...)
		if p.name == name && p.begin {
			depth++
		}
		if p.name == name && p.end {
			depth--
		}
	}
	return nil
}

// content is what stands in a cell, without its formula.
func (c *rowCells) content(one cellSpan) []byte {
	if one.value >= one.end {
		return nil
	}
	return bytes.TrimSpace(c.bytes[one.value:one.end])
}
