package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

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
	head, err := in.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return lines(transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())), true, nil
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
		return oldLines(in, head), false, nil
	}
	if encoding == "" {
		encoding = "utf-8"
	}
	enc, err := htmlindex.Get(encoding)
	if err != nil {
		return nil, false, fmt.Errorf("encoding %q is not known", encoding)
	}
	if name, _ := htmlindex.Name(enc); name == "utf-8" {
		return oldLines(in, head), false, nil
	}
	return lines(transform.NewReader(in, enc.NewDecoder())), true, nil
}

// lines gives decoded text with line ends that encoding/csv knows.
func lines(r io.Reader) *bufio.Reader {
	text := bufio.NewReaderSize(r, bufferSize)
	head, _ := text.Peek(64 << 10)
	return oldLines(text, head)
}

// oldLines also reads files whose lines end with CR alone.
func oldLines(text *bufio.Reader, head []byte) *bufio.Reader {
	if bytes.IndexByte(head, '\n') >= 0 || bytes.IndexByte(head, '\r') < 0 {
		return text
	}
	return bufio.NewReaderSize(carriage{text}, bufferSize)
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
