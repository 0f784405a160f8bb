package csvfile

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
)

// A value written as ="0012" keeps its zeros in a spreadsheet, and is no CSV.
var equalsSign = regexp.MustCompile(`(?:^|[,;|\t\r\n])="[^"\r\n]*"(?:[,;|\t\r\n]|$)`)

// plainQuotes drops the = before quotes at the begin of a value.
type plainQuotes struct {
	in         *bufio.Reader
	delimiters string
	begun      bool // inside of a value
	quoted     bool
	closed     bool // the last byte ended a quoted part
}

// Read hands on what is read, without those signs.
func (p *plainQuotes) Read(b []byte) (n int, err error) {
	for n < len(b) {
		c, err := p.in.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '=' && !p.begun {
			if next, _ := p.in.Peek(1); len(next) == 1 && next[0] == '"' {
				continue
			}
		}
		p.step(c)
		b[n] = c
		n++
	}
	return n, nil
}

// step follows the quotes: a doubled one closes and opens again.
func (p *plainQuotes) step(c byte) {
	closed := false
	switch {
	case p.quoted:
		p.quoted, closed = c != '"', c == '"'
	case c == '"' && (!p.begun || p.closed):
		p.quoted = true
	}
	p.closed = closed
	p.begun = p.quoted || c != '\n' && c != '\r' && strings.IndexByte(p.delimiters, c) < 0
}

// unequal gives a sample without those signs, and whether it had any.
func unequal(sample []byte, delimiters string) ([]byte, bool) {
	if !equalsSign.Match(sample) {
		return sample, false
	}
	text, err := io.ReadAll(&plainQuotes{in: bufio.NewReader(bytes.NewReader(sample)), delimiters: delimiters})
	return text, err == nil
}
