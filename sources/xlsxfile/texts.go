package xlsxfile

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"makegood/sources/internal/spill"
)

const (
	maxInMemory = 4 << 20  // bytes of texts; more of them go to disk
	maxTexts    = 10 << 20 // how many there may be
	pageSize    = 1 << 16
)

// texts are the shared strings of a workbook: cells name them by number.
type texts struct {
	list []string
	size int // bytes of list

	file  *os.File // where they are when they are many
	out   *bufio.Writer
	ends  []uint32 // of each in file
	page  []byte   // of file, from at on
	at    int64
	spill *spill.Folder
}

// readTexts reads the table of shared strings to its end; name "": there is none.
func (c *container) readTexts(name string, folder *spill.Folder) (*texts, error) {
	t := &texts{spill: folder}
	if name == "" {
		return t, nil
	}
	if f := c.parts[strings.ToLower(name)]; f != nil && f.UncompressedSize64 > maxStrings {
		return nil, fmt.Errorf("%w: its texts have more than %d MiB", ErrTooLarge, maxStrings>>20)
	}
	p, err := c.open(name)
	if err != nil {
		return nil, err
	}
	err = errors.Join(t.read(p), p.close())
	if err == nil && t.out != nil {
		err = t.out.Flush()
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *texts) read(p *part) error {
	var buf []byte
	for {
		token, err := p.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
			p.allow()
			if buf, err = p.rich(buf[:0]); err != nil {
				return err
			}
			if err := t.add(unescape(string(buf))); err != nil {
				return err
			}
		}
	}
}

func (t *texts) add(text string) error {
	if t.count() == maxTexts {
		return fmt.Errorf("%w: it has more than %d texts", ErrTooLarge, maxTexts)
	}
	t.size += len(text)
	if t.file == nil && t.size+16*len(t.list) <= maxInMemory {
		t.list = append(t.list, text)
		return nil
	}
	if t.file == nil {
		if err := t.moveOut(); err != nil {
			return err
		}
	}
	return t.put(text)
}

// moveOut puts on disk what was held in memory.
func (t *texts) moveOut() (err error) {
	if t.file, err = os.CreateTemp(t.spill.Dir, "texts-"); err != nil {
		return fmt.Errorf("make a file for its texts: %w", err)
	}
	t.out = bufio.NewWriterSize(t.file, pageSize)
	for _, text := range t.list {
		if err := t.put(text); err != nil {
			return err
		}
	}
	t.list = nil
	return nil
}

func (t *texts) put(text string) error {
	end := uint32(0)
	if n := len(t.ends); n > 0 {
		end = t.ends[n-1]
	}
	t.ends = append(t.ends, end+uint32(len(text)))
	_, err := t.out.WriteString(text)
	return err
}

func (t *texts) count() int { return len(t.list) + len(t.ends) }

// get gives the text that a cell names. Cells name them about in their order,
// so that most are in the page at hand.
func (t *texts) get(name string) (string, error) {
	i, err := strconv.Atoi(strings.TrimSpace(name))
	if err != nil || i < 0 || i >= t.count() {
		return "", fmt.Errorf("%w: a cell names text %.20q of %d", ErrDamaged, name, t.count())
	}
	if t.file == nil {
		return t.list[i], nil
	}
	from, to := int64(0), int64(t.ends[i])
	if i > 0 {
		from = int64(t.ends[i-1])
	}
	if from < t.at || to > t.at+int64(len(t.page)) {
		if err := t.turn(from, to); err != nil {
			return "", err
		}
	}
	return string(t.page[from-t.at : to-t.at]), nil
}

// turn reads the page that holds from and all before to.
func (t *texts) turn(from, to int64) error {
	last := int64(t.ends[len(t.ends)-1])
	size := min(max(to-from, pageSize), last-from)
	if int64(cap(t.page)) < size {
		t.page = make([]byte, size)
	}
	t.page, t.at = t.page[:size], from
	if _, err := t.file.ReadAt(t.page, from); err != nil {
		return fmt.Errorf("read the texts on disk: %w", err)
	}
	return nil
}

func (t *texts) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// unescape reads _x000D_, the form in which the format writes what XML cannot
// hold.
func unescape(s string) string {
	at := strings.Index(s, "_x")
	if at < 0 {
		return s
	}
	var b strings.Builder
	for ; at >= 0; at = strings.Index(s, "_x") {
		b.WriteString(s[:at])
		s = s[at:]
		code, err := strconv.ParseUint(s[2:min(6, len(s))], 16, 16)
		if err != nil || len(s) < 7 || s[6] != '_' {
			b.WriteString(s[:2])
			s = s[2:]
			continue
		}
		r := rune(code)
		if utf16.IsSurrogate(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		s = s[7:]
	}
	b.WriteString(s)
	return b.String()
}
