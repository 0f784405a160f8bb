// Package rokt reads captured messages of Rokt's placements: JSON lines, as
// makegood serve writes them, or anybody who listens to a placement. The words
// are those of reconcile/placement.
package rokt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"makegood/reconcile"
	"makegood/reconcile/placement"
)

// MaxMessages is how many messages are read in one go.
const MaxMessages = 10_000_000

// Tally counts what was read.
type Tally struct {
	Messages   int                    `json:"messages"`
	Unreadable int                    `json:"unreadable"`
	Problems   []reconcile.RowProblem `json:"problems,omitempty"` // the first MaxProblems
}

// Blame counts a line that cannot be read.
func (t *Tally) Blame(p reconcile.RowProblem) {
	if t.Unreadable++; len(t.Problems) < reconcile.MaxProblems {
		t.Problems = append(t.Problems, p)
	}
}

// ErrTooMany says that there are more messages than are read.
var ErrTooMany = fmt.Errorf("read messages: there are more than %d; move older files away", MaxMessages)

// Take counts a message, and says when there are too many: ErrTooMany.
func (t *Tally) Take() error {
	if t.Messages++; t.Messages > MaxMessages {
		return ErrTooMany
	}
	return nil
}

// Read gives every message of the files to visit, in reading order. Lines that
// cannot be read are named and the rest goes on; an error of visit ends it.
func Read(ctx context.Context, paths []string, p placement.Parser, visit func(placement.Message) error) (t Tally, err error) {
	for _, path := range paths {
		if err := read(ctx, path, p, &t, visit); err != nil {
			return t, fmt.Errorf("read messages %s: %w", filepath.Base(path), err)
		}
	}
	return t, nil
}

func read(ctx context.Context, path string, p placement.Parser, t *Tally, visit func(placement.Message) error) error {
	file, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err) // the caller names the file
	}
	defer file.Close() // only read
	lines := bufio.NewReaderSize(file, placement.MaxMessage+2)
	for row := 1; ; row++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := next(lines)
		last := errors.Is(err, io.EOF)
		if err != nil && !last && !errors.Is(err, errLong) {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 || errors.Is(err, errLong) {
			m, problem := p.Parse(line)
			switch {
			case errors.Is(err, errLong):
				problem = errLong
			case problem != nil && last:
				problem = fmt.Errorf("the line was cut off: it %w", problem)
			case problem != nil:
				problem = fmt.Errorf("the line %w", problem)
			}
			if problem != nil {
				t.Blame(reconcile.RowProblem{File: filepath.Base(path), Row: row, Reason: reconcile.ReasonBadValue, Text: problem.Error()})
			} else if err := take(t, m, path, row, visit); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

func take(t *Tally, m placement.Message, path string, row int, visit func(placement.Message) error) error {
	m.Origin.File = filepath.Base(path)
	m.Origin.AddRow(row)
	if err := t.Take(); err != nil {
		return err
	}
	return visit(m)
}

var errLong = fmt.Errorf("the line is larger than %d KiB", placement.MaxMessage>>10)

// next gives a line, and reads over one that is too long.
func next(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = lines.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return nil, errLong
}
