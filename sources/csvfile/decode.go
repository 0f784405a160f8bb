package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

var (
	errHuge  = errors.New("a row is larger than 8 MiB; does a quote not end?")
	errCells = errors.New("a row has more than 262,144 cells; is this the delimiter?")
)

// guard ends a record that does not end by itself: an open quote would pull
// the whole file into memory.
type guard struct {
	in   io.Reader
	left int // bytes that the record at hand may still take

	delimiter []byte
	cells     int // delimiters since the last line end: each costs far more memory than its byte
}

func (g *guard) Read(b []byte) (int, error) {
	if g.left <= 0 {
		return 0, errHuge
	}
	if g.cells > maxCells {
		return 0, errCells
	}
	n, err := g.in.Read(b)
	g.left -= n
	tail := b[:n]
	if end := max(bytes.LastIndexByte(tail, '\n'), bytes.LastIndexByte(tail, '\r')); end >= 0 {
		tail, g.cells = tail[end:], 0
	}
	g.cells += bytes.Count(tail, g.delimiter)
	return n, err
}

// decode gives the text of a file as UTF-8 without a byte order mark, which
// outranks the encoding that is set. decoded says that a decoder made it, so
// that it is valid whatever the bytes were.
func decode(in *bufio.Reader, encoding string) (text *bufio.Reader, decoded bool, err error) {
	form, err := formOf(in, encoding)
	if err != nil {
		return nil, false, err
	}
	return lines(form.text(in)), form.encoding != nil, nil
}

// form is how a file's text becomes bytes.
type form struct {
	mark     string            // before the text, left out by text
	encoding encoding.Encoding // nil: UTF-8
}

// formOf finds it out by a byte order mark, or else by the encoding that is set.
func formOf(in *bufio.Reader, name string) (form, error) {
	head, err := in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return form{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return form{encoding: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)}, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return form{encoding: unicode.UTF16(unicode.BigEndian, unicode.UseBOM)}, nil
	case bytes.HasPrefix(head, []byte(utf8Mark)):
		return form{mark: utf8Mark}, nil
	}
	if name == "" {
		name = "utf-8"
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return form{}, fmt.Errorf("encoding %q is not known", name)
	}
	if known, _ := htmlindex.Name(enc); known == "utf-8" {
		return form{}, nil
	}
	return form{encoding: enc}, nil
}

const utf8Mark = "\xef\xbb\xbf"

// text gives the text of a file from its begin.
func (f form) text(in *bufio.Reader) io.Reader {
	if f.encoding == nil {
		_, _ = in.Discard(len(f.mark))
		return in
	}
	return transform.NewReader(in, f.encoding.NewDecoder())
}

// bytes takes text and writes it as the file has it. What the encoding does not
// have becomes its sign for that.
func (f form) bytes(out io.Writer) (io.WriteCloser, error) {
	if f.encoding == nil {
		_, err := io.WriteString(out, f.mark)
		return unclosed{out}, err
	}
	return transform.NewWriter(out, encoding.ReplaceUnsupported(f.encoding.NewEncoder())), nil
}

// unclosed is a writer that others close.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// lines gives text with line ends that encoding/csv knows.
func lines(r io.Reader) *bufio.Reader {
	text := bufio.NewReaderSize(r, bufferSize)
	head, _ := text.Peek(64 << 10)
	return oldLines(text, head)
}

// oldLines also reads files whose lines end with CR alone.
func oldLines(text *bufio.Reader, head []byte) *bufio.Reader {
	if !carriageEnds(head) {
		return text
	}
	return bufio.NewReaderSize(carriage{text}, bufferSize)
}

// carriageEnds reports whether lines end with CR alone.
func carriageEnds(head []byte) bool {
	return bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0
}

// carriage turns CR into LF.
type carriage struct{ in io.Reader }

func (c carriage) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	for i, x := range b[:n] {
		if x == '\r' {
			b[i] = '\n'
		}
	}
	return n, err
}
