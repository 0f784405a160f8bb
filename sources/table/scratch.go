package table

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// scratch is a file of records that nobody else can see: it is unlinked as
// soon as it is open, so that nothing is left of it after a kill either.
// Where open files cannot be unlinked, it is removed when it is closed, and
// what a kill left behind when the next one is opened.
type scratch struct {
	file *os.File
	out  *bufio.Writer
	path string // "" when it is unlinked already
}

const scratchName = "rows-*.spill"

// openScratch makes an empty scratch file, 0600, in dir, which is made when it
// is missing.
func openScratch(dir string) (*scratch, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for spilled rows: %w", err)
	}
	f, err := os.CreateTemp(dir, scratchName)
	if err != nil {
		return nil, fmt.Errorf("spill rows: %w", err)
	}
	s := &scratch{file: f, out: bufio.NewWriterSize(f, 16<<10)}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.path = f.Name()
	}
	return s, nil
}

// sweepScratch removes what a killed run has left where files cannot be
// unlinked while they are open; those of a live run resist.
func sweepScratch(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, scratchName))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// write appends one record.
func (s *scratch) write(record []byte) error {
	var size [binary.MaxVarintLen64]byte
	if _, err := s.out.Write(size[:binary.PutUvarint(size[:], uint64(len(record)))]); err != nil {
		return fmt.Errorf("spill rows: %w", err)
	}
	if _, err := s.out.Write(record); err != nil {
		return fmt.Errorf("spill rows: %w", err)
	}
	return nil
}

// each reads all records from the beginning; a record is valid until the next.
func (s *scratch) each(do func(record []byte) error) error {
	next, err := s.reader()
	for err == nil {
		var record []byte
		if record, err = next(); err == nil {
			err = do(record)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// reader flushes and gives the records one by one, then io.EOF.
func (s *scratch) reader() (func() ([]byte, error), error) {
	if err := s.out.Flush(); err != nil {
		return nil, fmt.Errorf("spill rows: %w", err)
	}
	info, err := s.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read spilled rows: %w", err)
	}
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, info.Size()), 64<<10)
	var buf []byte
	return func() ([]byte, error) {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err == nil {
			if uint64(cap(buf)) < size {
				buf = make([]byte, size)
			}
			buf = buf[:size]
			_, err = io.ReadFull(in, buf)
		}
		if err != nil {
			return nil, fmt.Errorf("read spilled rows: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		return buf, nil
	}, nil
}

// close gives the space back. It is safe to call twice, and on nil.
func (s *scratch) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if s.path != "" {
		err = errors.Join(err, os.Remove(s.path))
	}
	if err != nil {
		return fmt.Errorf("remove spilled rows: %w", err)
	}
	return nil
}

// partitions are scratch files over which orders are spread by their keys, so
// that each file can be finished alone. They are opened with the first record.
type partitions struct {
	dir   string
	files [128]*scratch
	used  bool
}

func (p *partitions) write(hash uint64, record []byte) error {
	p.used = true
	at := hash % uint64(len(p.files))
	if p.files[at] == nil {
		var err error
		if p.files[at], err = openScratch(p.dir); err != nil {
			return err
		}
	}
	return p.files[at].write(record)
}

func (p *partitions) close() error {
	var errs []error
	for i, f := range p.files {
		errs = append(errs, f.close())
		p.files[i] = nil
	}
	return errors.Join(errs...)
}
