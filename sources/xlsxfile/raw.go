package xlsxfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"makegood/sources/table"
)

// raw walks the XML of a part piece by piece as it is written: what is copied
// keeps every byte.
type raw struct {
	in  *bufio.Reader
	buf []byte
}

// piece is a tag, or what stands between two tags. It is valid until the next.
type piece struct {
	text  []byte
	name  string // of a tag, without its namespace; "" of anything else
	begin bool   // the tag begins an element
	end   bool   // the tag ends one, perhaps the one that it begins
}

const maxTag = 1 << 20

// newRaw starts at the begin of a part, which must be text whose signs are
// bytes.
func newRaw(in io.Reader) (*raw, error) {
	r := &raw{in: bufio.NewReaderSize(in, ahead)}
	if head, _ := r.in.Peek(2); bytes.Equal(head, []byte("\xff\xfe")) || bytes.Equal(head, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%w: its XML is written as UTF-16", table.ErrUnmarkable)
	}
	return r, nil
}

// next gives the next piece, or io.EOF.
func (r *raw) next() (piece, error) {
	text, err := r.in.ReadSlice('<')
	switch {
	case err == nil && len(text) > 1, errors.Is(err, bufio.ErrBufferFull):
		if err == nil {
			text = text[:len(text)-1]
			_ = r.in.UnreadByte() // that it was read is known
		}
		return piece{text: text}, nil
	case errors.Is(err, io.EOF) && len(text) > 0:
		return piece{text: text}, nil
	case err != nil:
		return piece{}, err
	}
	return r.tag()
}

// tag reads on behind a '<'.
func (r *raw) tag() (piece, error) {
	r.buf = append(r.buf[:0], '<')
	for {
		text, err := r.in.ReadSlice('>')
		r.buf = append(r.buf, text...)
		switch {
		case errors.Is(err, io.EOF):
			return piece{}, fmt.Errorf("%w: it ends inside of a tag", ErrDamaged)
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return piece{}, err
		case len(r.buf) > maxTag && !bytes.HasPrefix(r.buf, []byte("<!")):
			return piece{}, fmt.Errorf("%w: a tag has more than %d MiB", ErrTooLarge, maxTag>>20)
		case len(r.buf) > maxPiece:
			return piece{}, fmt.Errorf("%w: a text has more than %d MiB", ErrTooLarge, maxPiece>>20)
		case err == nil && closed(r.buf):
			return named(r.buf), nil
		}
	}
}

// closed reports whether the '>' at the end of a tag is its own, and not one of
// a value, a comment or a text.
func closed(tag []byte) bool {
	for _, kind := range [...]struct{ begin, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}} {
		if bytes.HasPrefix(tag, []byte(kind.begin)) {
			return len(tag) >= len(kind.begin)+len(kind.end) && bytes.HasSuffix(tag, []byte(kind.end))
		}
	}
	quote := byte(0)
	for _, c := range tag {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote == 0
}

func named(tag []byte) piece {
	p := piece{text: tag}
	if tag[1] == '!' || tag[1] == '?' {
		return p
	}
	name := tag[1 : len(tag)-1]
	p.begin = name[0] != '/'
	p.end = !p.begin || name[len(name)-1] == '/'
	name = bytes.Trim(name, "/")
	if at := bytes.IndexAny(name, " \t\r\n"); at >= 0 {
		name = name[:at]
	}
	if at := bytes.IndexByte(name, ':'); at >= 0 {
		name = name[at+1:]
	}
	p.name = known(name)
	return p
}

// known gives the names that are met a million times without making them anew.
func known(name []byte) string {
	switch string(name) {
	case "c":
		return "c"
	case "v":
		return "v"
	case "row":
		return "row"
	}
	return string(name)
}

// prefix is the namespace of a tag with its colon, or "".
func (p piece) prefix() string {
	name := strings.TrimLeft(string(p.text), "</")
	if at := strings.IndexAny(name, " \t\r\n/>"); at >= 0 {
		name = name[:at]
	}
	if at := strings.IndexByte(name, ':'); at >= 0 {
		return name[:at+1]
	}
	return ""
}

// attribute gives the value of an attribute of the tag as it is written, and
// where the attribute stands, with the blank before it; -1: there is none.
func (p piece) attribute(name string) (value []byte, from, to int) {
	for at := 1; at < len(p.text); {
		equals := bytes.IndexByte(p.text[at:], '=')
		if equals < 0 {
			break
		}
		equals += at
		open := equals + 1
		for open < len(p.text) && p.text[open] != '"' && p.text[open] != '\'' {
			open++
		}
		if open == len(p.text) {
			break
		}
		end := bytes.IndexByte(p.text[open+1:], p.text[open])
		if end < 0 {
			break
		}
		end += open + 1
		key := bytes.TrimRight(p.text[at:equals], " \t\r\n")
		begin := bytes.LastIndexAny(key, " \t\r\n") + at
		if string(p.text[begin+1:at+len(key)]) == name {
			return p.text[open+1 : end], begin, end + 1
		}
		at = end + 1
	}
	return nil, -1, -1
}

// number reads an attribute as a whole number; 0: it has none.
func (p piece) number(name string) int {
	value, _, _ := p.attribute(name)
	n, err := strconv.Atoi(string(value))
	if err != nil {
		return 0
	}
	return n
}

// escape writes a text into XML of any encoding. What XML cannot hold is left
// out; what the format takes for an escape stays what it is.
func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '_' && hexEscape(text[i:]):
			b.WriteString("_x005F_")
		case r == '&' || r == '<' || r == '>' || r == '"' || r > 0x7e:
			if r != 0xfffe && r != 0xffff {
				b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
			}
		case r >= 0x20 || r == '\n' || r == '\t':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hexEscape reports whether a text begins as _x000D_ does.
func hexEscape(text string) bool {
	if len(text) < 7 || text[1] != 'x' || text[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(text[2:6], 16, 16)
	return err == nil
}
