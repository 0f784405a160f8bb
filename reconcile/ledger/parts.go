package ledger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"
)

// maxParts bounds how many files are open at a time.
const maxParts = 512

// parts keeps changes and rows in files, so that what is about one event lies
// in one of them, in its order.
type parts struct {
	files []*os.File
	outs  []*bufio.Writer
}

// partLine is one line of a part.
type partLine struct {
	change
	Row bool `json:"row,omitempty"` // a row as it is, no change
}

func newParts(dir string, n int) (*parts, error) {
	p := &parts{}
	for range min(n, maxParts) {
		f, err := os.CreateTemp(dir, "check-*.tmp")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("keep what is checked: %w", err), p.close())
		}
		p.files = append(p.files, f)
		p.outs = append(p.outs, bufio.NewWriter(f))
	}
	return p, nil
}

func (p *parts) add(c change, row bool) error {
	about := c.Key
	if c.Table == "attempts" { // beside the entry that they are about
		about = []string{c.Whole["target"], c.Whole["event"]}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.Join(about, "\x00"))) // never fails
	line, err := json.Marshal(partLine{c, row})
	if err == nil {
		_, err = p.outs[h.Sum32()%uint32(len(p.outs))].Write(append(line, '\n'))
	}
	return err
}

// each hands every part to do: its changes in their order, and its rows.
func (p *parts) each(do func(changes, rows []change)) error {
	for i, f := range p.files {
		if err := p.outs[i].Flush(); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		var changes, rows []change
		in := json.NewDecoder(bufio.NewReader(f))
		for {
			var line partLine
			err := in.Decode(&line)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read what is checked: %w", err)
			}
			if line.Row {
				rows = append(rows, line.change)
			} else {
				changes = append(changes, line.change)
			}
		}
		do(changes, rows)
	}
	return nil
}

func (p *parts) close() error {
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	return errors.Join(errs...)
}
