package xlsxfile

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"makegood/sources/table"
)

const (
	noResult = "a formula without a result stands here; open the workbook in a spreadsheet program and save it again"
	cut      = "is a number of more than 15 digits, of which a spreadsheet keeps 15; export the column as text"
	vague    = "is a text that may have thousands or thousandths; set decimal to the sign before the cents"
)

// cell reads the cell that has begun into the row at hand. next is its column
// when it does not say it, counted from 0.
func (s *sheet) cell(start xml.StartElement, next int) (at int, err error) {
	at, kind := next, "n"
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "r":
			if at, err = column(a.Value); err != nil {
				return 0, err
			}
		case "t":
			kind = a.Value
		}
	}
	if at >= maxColumns {
		return 0, fmt.Errorf("%w: a row has more than %d cells", ErrTooLarge, maxColumns)
	}
	for len(s.met) <= at {
		s.met = append(s.met, false)
	}
	s.met[at] = true
	open, err := s.content(kind)
	if err != nil {
		return 0, err
	}
	text, err := s.value(kind)
	if err != nil {
		return 0, fmt.Errorf("cell %s: %w", table.CellName(at, s.number), err)
	}
	if s.numbers != nil && kind == "n" && text != "" {
		s.line.numbers = append(s.line.numbers, at)
	}
	return at, s.put(at, text, s.fault(kind, text, open))
}

// content reads what stands in the cell into buf: its value, or the text that
// it holds itself. Open is a formula whose value may lack: the value of one
// that gives an empty text is there, and empty.
func (s *sheet) content(kind string) (open bool, err error) {
	s.buf = s.buf[:0]
	formula, valued := false, false
	for depth := s.part.depth; ; {
		t, err := s.part.inner(depth)
		if t == nil {
			return formula && (kind != "str" || !valued), err
		}
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "v":
			valued = true
			s.buf, err = s.part.text(s.buf[:0])
		case e.Name.Local == "is" && kind == "inlineStr":
			s.buf, err = s.part.rich(s.buf[:0])
		default:
			formula = formula || e.Name.Local == "f"
			err = s.part.skip()
		}
		if err != nil {
			return false, err
		}
		if len(s.buf) > maxCell {
			return false, fmt.Errorf("%w: a cell has %d bytes", ErrTooLarge, len(s.buf))
		}
	}
}

// value gives the text of the cell, whose content is in buf.
func (s *sheet) value(kind string) (string, error) {
	switch {
	case len(s.buf) == 0:
		return "", nil
	case kind == "s":
		return s.book.texts.get(string(s.buf))
	case kind == "n":
		text := plain(strings.TrimSpace(string(s.buf)))
		if s.decimal == "," {
			text = strings.Replace(text, ".", ",", 1)
		}
		return text, nil
	case kind == "str" || kind == "inlineStr":
		return unescape(string(s.buf)), nil
	}
	return string(s.buf), nil
}

// fault says why the cell must not be read as what it seems to be; "" where
// nothing is wrong. Programs that do not calculate write no result, or 0 and
// the wish that all be worked out on opening.
func (s *sheet) fault(kind, text string, open bool) table.Fault {
	switch {
	case open && (text == "" || text == "0" && s.book.recalc):
		return table.Fault{Text: noResult}
	case (kind == "s" || kind == "inlineStr" || kind == "str") && s.decimal == "" && table.Vague(text):
		return table.Fault{For: table.AsNumber, Text: vague}
	case kind == "n" && len(text) > exactDigits && integer(text):
		return table.Fault{For: table.AsID, Text: cut}
	}
	return table.Fault{}
}

// integer reports whether a number has digits alone, more than are exact.
func integer(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return len(digits) > exactDigits && strings.Trim(digits, "0123456789") == ""
}

// put places a cell. Blank ones need no place.
func (s *sheet) put(at int, text string, fault table.Fault) error {
	if s.checkAt == at+1 {
		s.check = text
	}
	if s.rowAt == at+1 {
		s.origin = text
	}
	if text == "" && fault.Text == "" || s.header != nil && slices.Contains(s.own, at) {
		return nil
	}
	if s.header != nil && at >= len(s.header.Columns) {
		s.beside(s.number, text)
		return nil
	}
	if s.size += len(text); s.size > maxLine {
		return fmt.Errorf("%w: the texts of a row have more than %d MiB", ErrTooLarge, maxLine>>20)
	}
	for len(s.line.cells) <= at {
		s.line.cells = append(s.line.cells, "")
	}
	if s.line.cells[at] != "" {
		return fmt.Errorf("%w: cell %s stands there twice", ErrDamaged, table.CellName(at, s.number))
	}
	s.line.cells[at] = text
	if fault.Text != "" {
		fault.At = at
		s.line.faults = append(s.line.faults, fault)
	}
	return nil
}

// column gives the number of the column of "C7", counted from 0.
func column(ref string) (int, error) {
	n := 0
	for i := range len(ref) {
		c := ref[i]
		switch {
		case c >= 'A' && c <= 'Z':
			n = n*26 + int(c-'A') + 1
		case c >= 'a' && c <= 'z':
			n = n*26 + int(c-'a') + 1
		case c >= '0' && c <= '9' && i > 0:
			return n - 1, nil
		default:
			return 0, fmt.Errorf("%w: a cell has the place %.20q", ErrDamaged, ref)
		}
		if n > maxColumns {
			break
		}
	}
	return 0, fmt.Errorf("%w: a cell has the place %.20q", ErrDamaged, ref)
}
