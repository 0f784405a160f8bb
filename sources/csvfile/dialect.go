package csvfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"makegood/sources/table"
)

const (
	sampleSize = 1 << 20
	sampleRows = 2000
	lookRows   = 200 // by which delimiters are compared
)

// delimiters are those that are tried, and how the configuration names them.
var delimiters = [...]string{",", ";", "\t", "|"}

func named(delimiter string) string {
	if delimiter == "\t" {
		return "tab"
	}
	return delimiter
}

// dialect is how a file is written, as set or as found out.
type dialect struct {
	encoding  string
	proven    bool // the whole file has been seen to be valid UTF-8
	delimiter string
	equals    bool // values are written as ="0012"
	skip      int  // lines before the header
	rows      [][]string
	whole     bool // rows are all rows of the file
	notes     []string
}

func (d *dialect) note(text string) {
	if text != "" {
		d.notes = append(d.notes, text)
	}
}

// detect finds out what is not set.
func (f *File) detect() (*dialect, error) {
	d := &dialect{encoding: f.table.Encoding}
	if err := f.with(d.begin); err != nil {
		return nil, err
	}
	if d.encoding == "" {
		if err := f.with(d.detectEncoding); err != nil {
			return nil, err
		}
	}
	return d, f.with(func(in io.Reader) error { return d.detectForm(in, f) })
}

// begin looks at the first bytes, which can tell that nothing else matters.
func (d *dialect) begin(in io.Reader) error {
	head := make([]byte, 512)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if head = head[:n]; marked(head) {
		d.note("was read as UTF-16, by its mark")
	}
	return foreign(head)
}

// with reads the file from its begin.
func (f *File) with(do func(io.Reader) error) error {
	in, err := f.open()
	if err != nil {
		return err
	}
	if err := do(in); err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", f.Name(), err), in.Close())
	}
	return in.Close()
}

func (d *dialect) detectForm(in io.Reader, f *File) error {
	text, _, err := decode(bufio.NewReaderSize(in, bufferSize), d.encoding)
	if err != nil {
		return err
	}
	sample, err := text.Peek(sampleSize)
	d.whole = errors.Is(err, io.EOF)
	if err != nil && !d.whole && !errors.Is(err, bufio.ErrBufferFull) {
		return err
	}
	if end := bytes.LastIndexByte(sample, '\n'); !d.whole && end > 0 {
		sample = sample[:end+1]
	}
	sample, d.equals = unequal(sample, strings.Join(delimiters[:], "")+f.table.Delimiter)
	d.skip = max(f.table.HeaderRow-1, 0)
	best, err := d.choose(sample, f)
	if err != nil {
		return err
	}
	d.delimiter = best.delimiter
	if f.table.HeaderRow == 0 && best.line > 0 {
		d.skip = best.line - 1
	}
	if d.delimiter != "," && f.table.Delimiter == "" {
		d.note(fmt.Sprintf("was read with the delimiter %q", named(d.delimiter)))
	}
	if d.skip > 0 && f.table.HeaderRow == 0 {
		d.note(fmt.Sprintf("has its header on line %d; what stands before it was left out", d.skip+1))
	}
	if d.equals {
		d.note(`has values of the form ="0012", which were read as 0012`)
	}
	d.keep(sample)
	return nil
}

// choose compares what each delimiter makes of the first rows.
func (d *dialect) choose(sample []byte, f *File) (reading, error) {
	given, rest, isSep := sepLine(sample)
	first := 1
	if isSep && f.table.HeaderRow == 0 {
		sample, first = rest, 2
	}
	try := delimiters[:]
	switch {
	case f.table.Delimiter != "":
		try = []string{f.table.Delimiter}
	case isSep:
		try = []string{given}
	}
	all := make([]reading, len(try))
	for i, delimiter := range try {
		all[i] = look(afterLines(sample, d.skip), delimiter, f)
		if all[i].line > 0 {
			all[i].line += first - 1
		}
	}
	best := slices.MaxFunc(all, func(a, b reading) int { return a.score - b.score }).score
	all = slices.DeleteFunc(all, func(r reading) bool { return r.score < best })
	wide := slices.DeleteFunc(slices.Clone(all), func(r reading) bool { return len(r.columns) < 2 })
	if len(wide) > 1 {
		if steady := slices.DeleteFunc(slices.Clone(wide), func(r reading) bool { return !r.steady }); len(steady) > 0 {
			wide = steady
		}
	}
	switch len(wide) {
	case 0:
		return all[0], nil
	case 1:
		return wide[0], nil
	}
	return reading{}, fmt.Errorf("%w: line %d has %d columns with the delimiter %q, and line %d has %d with %q; set delimiter to the right one",
		table.ErrAmbiguous, wide[0].line, len(wide[0].columns), named(wide[0].delimiter), wide[1].line, len(wide[1].columns), named(wide[1].delimiter))
}

// sepLine reads the line by which Excel is told the delimiter.
func sepLine(text []byte) (delimiter string, rest []byte, ok bool) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	s := strings.TrimSuffix(string(line[:min(len(line), 12)]), "\r")
	if len(s) > 1 && s[0] == '"' && strings.HasSuffix(s, `"`) {
		s = s[1 : len(s)-1]
	}
	if len(s) < 5 || !strings.EqualFold(s[:4], "sep=") {
		return "", nil, false
	}
	r, size := utf8.DecodeRuneInString(s[4:])
	if size != len(s)-4 || strings.ContainsRune("\"\r\n\x00\uFFFD", r) {
		return "", nil, false
	}
	return s[4:], rest, true
}

func afterLines(text []byte, n int) []byte {
	for range n {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text
}

// reading is what one delimiter makes of the first rows.
type reading struct {
	delimiter string
	line      int // of the header, 0 when there is none
	columns   []string
	score     int  // wanted columns in the header
	steady    bool // nearly all rows are as wide as the header
}

// look finds the header: the first of the rows that have most of the wanted
// columns, else the first row.
func look(text []byte, delimiter string, f *File) reading {
	best := reading{delimiter: delimiter}
	var widths []int
	at := 0
	for record, line := range records(text, delimiter) {
		score := f.score(record)
		if best.line == 0 || f.table.HeaderRow == 0 && score > best.score && (score > 1 || score == len(f.wanted)) {
			best.line, best.columns, best.score, at = line, slices.Clone(record), score, len(widths)
		}
		if widths = append(widths, len(record)); len(widths) == lookRows {
			break
		}
	}
	same := 0
	for _, n := range widths {
		if n == len(best.columns) {
			same++
		}
	}
	best.steady = len(widths) > 0 && same*10 >= (len(widths)-at)*9
	return best
}

func (f *File) score(record []string) int {
	found := map[string]bool{}
	for _, name := range record {
		if name = strings.TrimSpace(name); f.wanted[name] {
			found[name] = true
		}
	}
	return len(found)
}

// records yields rows and their lines up to a quote that does not end.
func records(text []byte, delimiter string) func(func([]string, int) bool) {
	return func(yield func([]string, int) bool) {
		r := csv.NewReader(bytes.NewReader(text))
		r.FieldsPerRecord, r.ReuseRecord = -1, true
		r.Comma, _ = utf8.DecodeRuneInString(delimiter)
		for {
			record, err := r.Read()
			if bad, ok := errors.AsType[*csv.ParseError](err); ok && bad.StartLine == bad.Line {
				continue
			}
			if err != nil {
				return
			}
			if line, _ := r.FieldPos(0); !yield(record, line) {
				return
			}
		}
	}
}

// keep holds the rows below the header for those who look at values.
func (d *dialect) keep(sample []byte) {
	width := 0
	for record := range records(afterLines(sample, d.skip), d.delimiter) {
		switch {
		case width == 0:
			width = len(record)
			continue
		case len(d.rows) == sampleRows:
			d.whole = false
			return
		}
		row := make([]string, width)
		copy(row, record)
		for i := range row {
			row[i] = strings.Clone(row[i])
		}
		d.rows = append(d.rows, row)
	}
}
