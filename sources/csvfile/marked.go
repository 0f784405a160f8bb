package csvfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"makegood/sources/internal/spill"
	"makegood/sources/table"
)

// WriteMarked writes the file with three more columns, and its rows to fix to a
// second file, NAME.fix.csv, where there are any. Both have the encoding, the
// delimiter and the lines before the header of the original, and are not
// packed. A cell that a spreadsheet would execute gets an apostrophe, which is
// taken away when the file is read again.
func (f *File) WriteMarked(ctx context.Context, m *table.Marking) (names []string, err error) {
	marked, fix := markedNames(f.Name())
	if err := m.Claim(marked, fix); err != nil {
		return nil, err
	}
	folder, err := spill.New(m.TmpDir)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the marked file: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Remove()) }()
	w := &marker{file: f, marking: m, ctx: ctx}
	if err := w.write(folder.Dir); err != nil {
		return nil, fmt.Errorf("mark the rows of %s: %w", f.Name(), err)
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	names = []string{marked}
	if err := m.Deliver(filepath.Join(folder.Dir, "marked"), marked, f.path); err != nil {
		return nil, err
	}
	_, old := os.Stat(filepath.Join(m.Dir, fix))
	if w.alone || m.ToFix() == 0 && errors.Is(old, os.ErrNotExist) {
		return names, nil
	}
	return append(names, fix), m.Deliver(filepath.Join(folder.Dir, "fix"), fix, f.path)
}

// markedNames are those of what is written for a file.
func markedNames(name string) (marked, fix string) {
	for _, packed := range []string{".gz", ".zip"} {
		if strings.EqualFold(filepath.Ext(name), packed) {
			name = name[:len(name)-len(packed)]
		}
	}
	if filepath.Ext(name) == "" {
		name += ".csv"
	}
	ending := filepath.Ext(name)
	return name, strings.TrimSuffix(name, ending) + ".fix" + ending
}

// marker copies the lines of a file with marks behind its rows.
type marker struct {
	ctx     context.Context
	file    *File
	marking *table.Marking
	text    *bufio.Reader
	lineEnd byte
	line    int // the number of the next line
	begun   []byte

	cutter
	columns    int   // of the original, without own
	own        []int // columns that are left out
	alone      bool  // the file holds rows to fix: it is its own file of them
	marked     *output
	fix        *output
	next       func() (table.RowMark, error)
	row        table.RowMark // that comes next; number 0: none
	headerLine int
}

// output is one of the files that are written.
type output struct {
	file *os.File
	buf  *bufio.Writer
	text io.WriteCloser
}

func create(path string, f form) (*output, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	o := &output{file: file, buf: bufio.NewWriterSize(file, bufferSize)}
	o.text, err = f.bytes(o.buf)
	return o, err
}

func (o *output) close() error {
	return errors.Join(o.text.Close(), o.buf.Flush(), o.file.Sync(), o.file.Close())
}

func (w *marker) write(dir string) (err error) {
	if err := w.look(); err != nil {
		return err
	}
	in, err := w.file.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	raw := bufio.NewReaderSize(in, bufferSize)
	form, err := formOf(raw, w.file.known.encoding)
	if err != nil {
		return err
	}
	if w.marked, err = create(filepath.Join(dir, "marked"), form); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.marked.close()) }()
	if w.fix, err = create(filepath.Join(dir, "fix"), form); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.fix.close()) }()
	w.text = bufio.NewReaderSize(form.text(raw), bufferSize)
	w.lineEnd, w.line = '\n', 1
	if head, _ := w.text.Peek(64 << 10); carriageEnds(head) {
		w.lineEnd = '\r'
	}
	return w.copy()
}

// look finds out where the header is and what it holds.
func (w *marker) look() error {
	opened, err := w.file.Open(w.ctx)
	if err != nil {
		return err
	}
	c := opened.(*cursor)
	line, _ := c.reader.FieldPos(0)
	if w.own = c.own; c.header.Alone != nil {
		w.own, w.alone = c.marks, true // rows to fix stay what they are
	}
	w.headerLine, w.columns = line+c.skipped, c.width-len(w.own)
	w.cutter = cutter{delimiter: c.dialect.delimiter, equals: c.dialect.equals, defused: c.defused}
	if err := c.Close(); err != nil {
		return err
	}
	if len(w.marking.Sheets()) == 0 { // a header alone
		w.next = func() (table.RowMark, error) { return table.RowMark{}, io.EOF }
		return nil
	}
	w.next, err = w.marking.Rows("")
	return err
}

// copy copies all lines.
func (w *marker) copy() error {
	for w.line < w.headerLine {
		text, err := w.readLine()
		if err != nil {
			return err
		}
		text = w.title(text)
		_, _ = w.fix.text.Write(text) // an error is told by the next write
		if _, err := w.marked.text.Write(text); err != nil {
			return err
		}
	}
	if err := w.turn(); err != nil {
		return err
	}
	text, err := w.record()
	if err != nil {
		return err
	}
	names := table.MarkColumns()
	if err := w.put(w.marked, text, names); err != nil {
		return err
	}
	err = w.put(w.fix, text, append(names, table.FixColumns(w.habits())...))
	for err == nil && w.row.Row > 0 {
		err = w.copyRow()
	}
	return err
}

// habits go with the rows to fix.
func (w *marker) habits() table.Habits {
	h := w.marking.Habits
	h.Rows = w.marking.ToFix()
	return h
}

// title gives a line that stands before the header, made harmless.
func (w *marker) title(line []byte) []byte {
	end := len(bytes.TrimRight(line, "\r\n"))
	cells := w.cut(line[:end])
	for i, cell := range cells {
		cells[i] = w.harmless(cell)
	}
	return append(bytes.Join(cells, []byte(w.delimiter)), line[end:]...)
}

func (w *marker) copyRow() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	mark := w.row
	if err := w.turn(); err != nil {
		return err
	}
	text, err := w.record()
	if err != nil {
		return err
	}
	if mark.Mark == (table.Mark{}) {
		return w.put(w.marked, text, nil)
	}
	err = w.put(w.marked, text, mark.Cells())
	if err == nil && mark.Fix {
		err = w.put(w.fix, text, append(mark.Cells(), mark.FixCells()...))
	}
	return err
}

// turn goes to the next row that has a mark.
func (w *marker) turn() (err error) {
	w.row, err = w.next()
	if errors.Is(err, io.EOF) {
		w.row, err = table.RowMark{}, nil
	}
	return err
}

// record gives the lines up to the next row: a row, and blank lines.
func (w *marker) record() ([]byte, error) {
	var text []byte
	for w.row.Row == 0 || w.line < w.row.Row {
		line, err := w.readLine()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		if text = append(text, line...); len(text) > 2*maxRecord {
			return nil, errHuge
		}
	}
	return text, nil
}

// readLine gives one line with its end.
func (w *marker) readLine() ([]byte, error) {
	w.begun = w.begun[:0]
	for {
		text, err := w.text.ReadSlice(w.lineEnd)
		w.begun = append(w.begun, text...)
		switch {
		case len(w.begun) > 2*maxRecord:
			return nil, errHuge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(w.begun) > 0:
			err = nil
		}
		w.line++
		return w.begun, err
	}
}

// put writes a record with cells behind it; nil: as it is.
func (w *marker) put(to *output, text []byte, cells []string) error {
	end := len(bytes.TrimRight(text, "\r\n"))
	fields := w.cut(text[:end])
	var kept [][]byte
	for i, field := range fields {
		if !slices.Contains(w.own, i) {
			kept = append(kept, w.harmless(field))
		}
	}
	for len(kept) > w.columns && len(bytes.TrimSpace(kept[len(kept)-1])) == 0 {
		kept = kept[:len(kept)-1]
	}
	if cells != nil {
		for len(kept) < w.columns {
			kept = append(kept, nil)
		}
		for _, cell := range cells {
			kept = append(kept, w.quoted(table.Defuse(cell)))
		}
	}
	_, _ = to.text.Write(bytes.Join(kept, []byte(w.delimiter))) // an error is told by the next write
	rest := text[end:]
	if to == w.fix { // without the blank lines that follow
		if at := bytes.LastIndexByte(rest[:min(len(rest), 2)], w.lineEnd); at >= 0 {
			rest = rest[:at+1]
		}
		if len(rest) == 0 {
			rest = []byte{w.lineEnd}
		}
	}
	_, err := to.text.Write(rest)
	return err
}
