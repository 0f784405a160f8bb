package csvfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// census counts what tells encodings apart.
type census struct {
	bytes, wide, broken int    // wide: UTF-8 of several bytes; broken: bytes that are none
	unused              int    // bytes that Windows-1252 does not have
	zeros               [2]int // at even and at odd places
	rest                []byte // of a character that the next bytes complete
}

// add takes the next bytes. Plain and valid text, the rule, costs two fast looks.
func (c *census) add(b []byte) {
	if bytes.IndexByte(b, 0) >= 0 {
		for i, x := range b {
			if x == 0 {
				c.zeros[(c.bytes+i)%2]++
			}
		}
	}
	c.bytes += len(b)
	if len(c.rest) > 0 {
		b = append(c.rest, b...)
	}
	c.rest = nil
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				c.rest, b = bytes.Clone(tail), b[:len(b)-i]
			}
			break
		}
	}
	if c.broken > 0 || !utf8.Valid(b) {
		c.count(b)
	} else if c.wide == 0 {
		c.wide = len(b) - utf8.RuneCount(b)
	}
}

func (c *census) count(b []byte) {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case size > 1:
			c.wide++
		case r == utf8.RuneError:
			c.broken++
			if bytes.IndexByte([]byte("\x81\x8d\x8f\x90\x9d"), b[0]) >= 0 {
				c.unused++
			}
		}
		b = b[size:]
	}
}

// encoding decides, or says what the readings are.
func (c *census) encoding() (name, note string, err error) {
	c.broken += len(c.rest)
	pairs := c.bytes / 2
	switch even, odd := c.zeros[0], c.zeros[1]; {
	case even == 0 && odd > pairs/2:
		return "utf-16le", "was read as UTF-16 (little endian)", nil
	case odd == 0 && even > pairs/2:
		return "utf-16be", "was read as UTF-16 (big endian)", nil
	case c.broken == 0:
		return "utf-8", "", nil
	case c.unused > 0:
		return "", "", fmt.Errorf("%w, neither UTF-8 nor Windows-1252; set encoding to what it is, or export it as UTF-8", ErrEncoding)
	case c.wide > c.broken:
		return "", "", fmt.Errorf("%w, UTF-8 in most places, but not in all; set encoding: windows-1252 if it is that, "+
			"or export it again", ErrEncoding)
	}
	return "windows-1252", "was read as Windows-1252, because it is not valid UTF-8", nil
}

// detectEncoding reads the whole file once: its last line may hold the first
// letter that tells. proven says that the text is valid UTF-8 without zeros.
func (d *dialect) detectEncoding(in io.Reader) error {
	var c census
	buf := make([]byte, bufferSize)
	for first := true; ; first = false {
		n, err := io.ReadFull(in, buf)
		if first && marked(buf[:n]) {
			d.encoding = "utf-8" // the mark outranks it
			return nil
		}
		c.add(buf[:n])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	name, note, err := c.encoding()
	if err != nil {
		return err
	}
	d.encoding = name
	d.proven = name == "utf-8" && c.zeros == [2]int{}
	d.note(note)
	return nil
}

// marked tells a byte order mark of UTF-16. That of UTF-8 is a wish only.
func marked(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
}
