package reconcile

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// record is one thing to be sorted: its key, and what goes with it.
type record struct{ key, value []byte }

// sorter sorts records by key in bounded memory: what does not fit is written
// to temporary files as sorted runs and merged at the end. Records with equal
// keys keep no particular order.
type sorter struct {
	dir    string
	budget int
	held   int
	buf    []record
	runs   []*os.File
	count  int
}

// sorterBudget is how many bytes a sorter keeps in memory.
const sorterBudget = 8 << 20

func newSorter(dir string) *sorter { return &sorter{dir: dir, budget: sorterBudget} }

func (s *sorter) add(key string, value []byte) error {
	s.buf = append(s.buf, record{[]byte(key), value})
	s.held += len(key) + len(value) + 64
	s.count++
	if s.held < s.budget {
		return nil
	}
	return s.spill()
}

func (s *sorter) spill() (err error) {
	f, err := os.CreateTemp(s.dir, "sort-*.tmp")
	if err != nil {
		return fmt.Errorf("spill sorted steps: %w", err)
	}
	s.runs = append(s.runs, f)
	s.sortBuffer()
	w := bufio.NewWriterSize(f, 1<<18)
	for _, r := range s.buf {
		for _, part := range [][]byte{r.key, r.value} {
			if _, err = w.Write(binary.AppendUvarint(nil, uint64(len(part)))); err != nil {
				break
			}
			_, err = w.Write(part)
		}
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return fmt.Errorf("spill sorted steps: %w", err)
	}
	clear(s.buf)
	s.buf, s.held = s.buf[:0], 0
	return nil
}

func (s *sorter) sortBuffer() {
	slices.SortFunc(s.buf, func(a, b record) int { return bytes.Compare(a.key, b.key) })
}

// all yields every record in the order of keys.
func (s *sorter) all() iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		s.sortBuffer()
		m := &merge{}
		m.push(sliceRun(s.buf))
		for _, f := range s.runs {
			run, err := fileRun(f)
			if err != nil {
				yield(record{}, err)
				return
			}
			m.push(run)
		}
		for len(m.heads) > 0 {
			r, err := m.pop()
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// close removes the temporary files.
func (s *sorter) close() (err error) {
	for _, f := range s.runs {
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	s.runs, s.buf = nil, nil
	return err
}

// nextRecord gives the next record of a run, or io.EOF.
type nextRecord func() (record, error)

func sliceRun(buf []record) nextRecord {
	return func() (record, error) {
		if len(buf) == 0 {
			return record{}, io.EOF
		}
		r := buf[0]
		buf = buf[1:]
		return r, nil
	}
}

func fileRun(f *os.File) (nextRecord, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read sorted steps: %w", err)
	}
	in := bufio.NewReaderSize(f, 1<<16)
	part := func() ([]byte, error) {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return nil, err
		}
		b := make([]byte, n)
		_, err = io.ReadFull(in, b)
		return b, err
	}
	return func() (record, error) {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			return record{}, io.EOF
		}
		key, err := part()
		var value []byte
		if err == nil {
			value, err = part()
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // an end inside a record is no end
		}
		if err != nil {
			return record{}, fmt.Errorf("read sorted steps: %w", err)
		}
		return record{key, value}, nil
	}, nil
}

type mergeHead struct {
	record
	err  error
	next nextRecord
}

// merge is a heap of runs by their next key.
type merge struct{ heads []mergeHead }

func (m *merge) Len() int           { return len(m.heads) }
func (m *merge) Less(i, j int) bool { return bytes.Compare(m.heads[i].key, m.heads[j].key) < 0 }
func (m *merge) Swap(i, j int)      { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merge) Push(x any)         { m.heads = append(m.heads, x.(mergeHead)) }
func (m *merge) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}

func (m *merge) push(next nextRecord) {
	if r, err := next(); !errors.Is(err, io.EOF) {
		heap.Push(m, mergeHead{r, err, next})
	}
}

func (m *merge) pop() (record, error) {
	head := heap.Pop(m).(mergeHead)
	if head.err == nil {
		m.push(head.next)
	}
	return head.record, head.err
}
