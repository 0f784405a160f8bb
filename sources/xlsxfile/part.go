package xlsxfile

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	maxPiece = 8 << 20 // bytes of XML of one row or one text
	maxDepth = 64      // elements inside of each other
	ahead    = 1 << 16 // bytes that are read ahead
)

// part is one XML part of the archive while it is read, token by token. What
// does not end by itself, a text or a nesting, is ended here.
type part struct {
	name    string
	in      io.ReadCloser
	left    int // bytes until the next allow
	decoder *xml.Decoder
	depth   int                // of the element that the last token stands in
	inside  [maxDepth]xml.Name // the elements that have begun, as many as depth
}

// open starts a part that must be there.
func (c *container) open(name string) (*part, error) {
	file := c.parts[strings.ToLower(name)]
	if file == nil {
		return nil, fmt.Errorf("%w: its part %s is missing", ErrDamaged, name)
	}
	in, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: its part %s cannot be unpacked: %w", ErrDamaged, name, err)
	}
	p := &part{name: name, in: in}
	p.allow()
	p.decoder = xml.NewDecoder(decoded(bufio.NewReaderSize(p, ahead)))
	p.decoder.CharsetReader = charset
	return p, nil
}

// allow grants the bytes of one more piece.
func (p *part) allow() { p.left = maxPiece + ahead }

// Read hands on the unpacked bytes, as many as were allowed.
func (p *part) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, fmt.Errorf("%w: a row or a text has more than %d MiB", ErrTooLarge, maxPiece>>20)
	}
	n, err := p.in.Read(b[:min(len(b), p.left)])
	p.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: its part %s cannot be unpacked: %w", ErrDamaged, p.name, err)
	}
	return n, err
}

// decoded gives UTF-8. The other encoding that the format allows is known by
// its mark.
func decoded(in *bufio.Reader) *bufio.Reader {
	head, _ := in.Peek(2)
	if bytes.Equal(head, []byte("\xff\xfe")) || bytes.Equal(head, []byte("\xfe\xff")) {
		return bufio.NewReader(transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()))
	}
	return in
}

// charset decodes what a part says of itself; UTF-16 was decoded by its mark.
func charset(label string, in io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(label), "utf-16") {
		return in, nil
	}
	enc, err := htmlindex.Get(label)
	if err != nil {
		return nil, fmt.Errorf("its encoding %q is not known", label)
	}
	return enc.NewDecoder().Reader(in), nil
}

// token gives the next token, or io.EOF after the last of a part that is whole.
// Names have the prefix that is written, not the namespace that it stands for,
// which nobody asks for: finding out takes a fifth of the time. That elements end
// as they began is seen to here.
func (p *part) token() (xml.Token, error) {
	t, err := p.decoder.RawToken()
	switch e := t.(type) {
	case xml.StartElement:
		if p.depth == maxDepth {
			return nil, fmt.Errorf("%w: it has more than %d elements inside of each other", ErrTooLarge, maxDepth)
		}
		p.inside[p.depth] = e.Name
		p.depth++
	case xml.EndElement:
		if p.depth == 0 || p.inside[p.depth-1] != e.Name {
			return nil, fmt.Errorf("%w: its part %s cannot be read on: an element ends that has not begun", ErrDamaged, p.name)
		}
		p.depth--
	}
	if errors.Is(err, io.EOF) && p.depth > 0 {
		return nil, fmt.Errorf("%w: its part %s cannot be read on: it ends in the middle", ErrDamaged, p.name)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return t, err
	}
	if bad, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return nil, fmt.Errorf("%w: its part %s cannot be read on: %s", ErrDamaged, p.name, bad.Msg)
	}
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	return nil, fmt.Errorf("%w: its part %s cannot be read on: %w", ErrDamaged, p.name, err)
}

// inner gives the next token inside of the element that has begun, nil behind
// its end.
func (p *part) inner(depth int) (xml.Token, error) {
	t, err := p.token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: its part %s ends in the middle", ErrDamaged, p.name)
	case err != nil || p.depth < depth:
		return nil, err
	}
	return t, nil
}

// skip goes behind the element that has begun.
func (p *part) skip() error {
	for depth := p.depth; ; {
		if t, err := p.inner(depth); t == nil {
			return err
		}
	}
}

// text appends what stands in the element that has begun.
func (p *part) text(into []byte) ([]byte, error) {
	for depth := p.depth; ; {
		t, err := p.inner(depth)
		if t == nil {
			return into, err
		}
		if data, ok := t.(xml.CharData); ok && p.depth == depth {
			into = append(into, data...)
		}
	}
}

// rich appends the text of the runs in the element that has begun, without how
// it is pronounced.
func (p *part) rich(into []byte) ([]byte, error) {
	for depth := p.depth; ; {
		t, err := p.inner(depth)
		if t == nil {
			return into, err
		}
		start, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "t":
			into, err = p.text(into)
		case start.Name.Local == "rPh":
			err = p.skip()
		}
		if err != nil {
			return into, err
		}
	}
}

// attribute gives the value of an attribute, whatever its namespace.
func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// yes reads a truth value of XML.
func yes(value string) bool { return value == "1" || value == "true" || value == "on" }

// drain unpacks the rest: only at its end is it known whether what was unpacked
// is what was packed.
func (p *part) drain() error {
	if _, err := io.Copy(io.Discard, p.in); err != nil {
		return fmt.Errorf("%w: its part %s cannot be unpacked: %w", ErrDamaged, p.name, err)
	}
	return nil
}

func (p *part) close() error { return p.in.Close() }
