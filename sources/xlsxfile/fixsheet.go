package xlsxfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"makegood/sources/table"
)

// fixSheet is the sheet of the rows to fix: whole orders, values only, in the
// formats of their cells.
type fixSheet struct {
	file        *os.File
	out         *bufio.Writer
	declaration string // of the sheet that the rows are from
	prefix      string
	root        string // the begin of the sheet
	cols        string
	rows        int
	habits      table.Habits
	formats     []cellSpan // of the header
}

func newFixSheet(dir string) (*fixSheet, error) {
	file, err := os.CreateTemp(dir, "fix-*")
	if err != nil {
		return nil, fmt.Errorf("keep the rows to fix: %w", err)
	}
	return &fixSheet{file: file, out: bufio.NewWriter(file)}, nil
}

// begin makes the root element: that of the original has attributes about
// extensions that are not used here.
func (s *fixSheet) begin(prefix string, p piece) {
	s.prefix = prefix
	name := "xmlns"
	if prefix != "" {
		name += ":" + prefix[:len(prefix)-1]
	}
	space, _, _ := p.attribute(name)
	s.root = "<" + prefix + "worksheet " + name + `="` + string(space) + `">`
}

// head keeps the formats of the header.
func (s *fixSheet) head(w *rewriter) { s.formats = slices.Clone(w.cells.list) }

// add copies the row at hand.
func (s *fixSheet) add(w *rewriter, mark table.RowMark) error {
	s.rows++
	number := s.rows + 1
	fmt.Fprintf(s.out, `<%srow r="%d">`, s.prefix, number)
	for _, c := range w.cells.list {
		if !slices.Contains(w.own, c.at) {
			_, _ = s.out.WriteString(w.fixed(&w.cells, c, table.CellName(c.at, number))) // an error is told by the next write
		}
	}
	for i, text := range append(mark.Cells(), mark.FixCells()...) {
		if text != "" {
			fmt.Fprint(s.out, textCell(s.prefix, table.CellName(w.behind+i, number), w.look.of(mark.Mark), text))
		}
	}
	_, err := fmt.Fprintf(s.out, "</%srow>", s.prefix)
	return err
}

// fixed is a cell of a row with its value alone. A formula without a
// result, which a reader would not trust, becomes the text of an error, which no
// program changes: it must not be taken for a blank.
func (w *rewriter) fixed(row *rowCells, c cellSpan, name string) string {
	content := row.content(c)
	value := bytes.TrimSpace(asValue(content))
	lacks := len(value) == 0 && (c.kind != "str" || len(content) == 0)
	if c.formula && (lacks || w.recalc && string(value) == "0") {
		c.kind, content = "inlineStr", asText(w.prefix, []byte("<v>"+table.Unresolved+"</v>"))
	}
	return fixedCell(w.prefix, name, c, content)
}

// fixedCell is a cell with a value as it stood there. The result of a formula
// that is a text becomes a text.
func fixedCell(prefix, name string, c cellSpan, content []byte) string {
	kind := c.kind
	if kind == "str" {
		kind, content = "inlineStr", asText(prefix, content)
	}
	text := "<" + prefix + `c r="` + name + `"`
	for _, a := range []struct{ name, value string }{{"s", c.style}, {"t", kind}} {
		if a.value != "" {
			text += " " + a.name + `="` + a.value + `"`
		}
	}
	if len(content) == 0 {
		return text + "/>"
	}
	return text + ">" + string(content) + "</" + prefix + "c>"
}

// asText turns a value into a text that the cell holds itself.
func asText(prefix string, content []byte) []byte {
	value := asValue(content)
	if value == nil {
		return nil
	}
	return fmt.Appendf(nil, `<%[1]sis><%[1]st xml:space="preserve">%[2]s</%[1]st></%[1]sis>`, prefix, value)
}

// asValue is what stands between the tags of a value; nil: there is none.
func asValue(content []byte) []byte {
	from, to := bytes.IndexByte(content, '>'), bytes.LastIndexByte(content, '<')
	if from < 0 || to <= from {
		return nil
	}
	return content[from+1 : to]
}

// write gives the whole sheet.
func (s *fixSheet) write(to io.Writer, l layout) error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p := s.prefix
	fmt.Fprintf(to, `%[1]s%[2]s<%[3]ssheetPr><%[3]spageSetUpPr fitToPage="1"/></%[3]ssheetPr><%[3]ssheetViews><%[3]ssheetView workbookViewId="0"><%[3]spane ySplit="1" topLeftCell="A2" activePane="bottomLeft" `+
		`state="frozen"/></%[3]ssheetView></%[3]ssheetViews>%[4]s<%[3]ssheetData><%[3]srow r="1">`, s.declaration, s.root, p, s.cols)
	style := ""
	for at, name := range l.names {
		style = s.format(at, style)
		if name != "" {
			fmt.Fprint(to, textCell(p, table.CellName(at, 1), style, name))
		}
	}
	for i, name := range append(table.MarkColumns(), table.FixColumns(s.told())...) {
		fmt.Fprint(to, textCell(p, table.CellName(l.behind+i, 1), style, name))
	}
	fmt.Fprintf(to, "</%srow>", p)
	if _, err := io.Copy(to, s.file); err != nil {
		return err
	}
	_, err := fmt.Fprintf(to, `</%[1]ssheetData><%[1]spageSetup orientation="landscape" fitToHeight="0"/></%[1]sworksheet>`, p)
	return err
}

// told are the habits that go with the rows.
func (s *fixSheet) told() table.Habits {
	h := s.habits
	h.Rows = s.rows
	return h
}

// format is the style of a column's name; last is that of the one before.
func (s *fixSheet) format(at int, last string) string {
	for _, c := range s.formats {
		if c.at == at {
			return c.style
		}
	}
	return last
}

func (s *fixSheet) close() error { return s.file.Close() }
