package outfile

import (
	"bufio"
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// book is the hidden file beside the others. Its first line says since when
// it is kept; each other one names a file that was begun when it was empty.
type book struct {
	*os.File
	since time.Time
	files []string // in the order in which they were begun
}

const (
	sinceMark = "kept since "
	begunMark = "begun "
)

func bookOf(path string) string {
	dir, base := filepath.Split(path)
	return dir + "." + strings.NewReplacer("{", "", "}", "").Replace(base) + ".book"
}

// openBook reads the book, or begins it; the caller holds its lock. A line
// that a crash cut off is none.
func openBook(path string, now time.Time) (*book, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	b := &book{File: file}
	if err := b.begin(now); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return b, nil
}

// read takes in the whole lines of the book, and tells how long they are.
func (b *book) read() (size int64, err error) {
	text, err := io.ReadAll(io.LimitReader(b.File, maxLine))
	if err != nil {
		return 0, err
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	for line := range strings.Lines(string(text[:end])) {
		line = strings.TrimSuffix(line, "\n")
		if at, is := strings.CutPrefix(line, sinceMark); is {
			if b.since, err = time.Parse(time.RFC3339Nano, at); err != nil {
				return 0, err
			}
		}
		if name, is := strings.CutPrefix(line, begunMark); is {
			b.files = append(b.files, name)
		}
	}
	return int64(end), nil
}

// begin drops half a line and says since when the book is kept.
func (b *book) begin(now time.Time) error {
	size, err := b.read()
	if err == nil {
		err = b.Truncate(size)
	}
	if err != nil || !b.since.IsZero() {
		return err
	}
	b.since = now.UTC()
	if err := b.add(sinceMark + b.since.Format(time.RFC3339Nano)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(b.Name()))
}

// note remembers a file that was written: when it was begun, or when nobody
// had the time to. The lines are on the disk by then.
func (b *book) note(name string, begun bool) error {
	if !begun && slices.Contains(b.files, name) {
		return nil
	}
	b.files = append(b.files, name)
	if err := b.add(begunMark + name); err != nil {
		return &Failure{Text: "the book beside the file cannot be written", Unsure: true, Err: err}
	}
	return nil
}

func (b *book) add(line string) error {
	_, err := b.WriteString(line + "\n")
	return errors.Join(err, b.Sync())
}

// maxIndexed is how many lines can be looked into: more are not read.
const maxIndexed = 8 << 20

// index knows which ids the files hold, by 128 bits of hash each.
type index struct {
	seeds [2]maphash.Seed
	ids   [][2]uint64 // sorted
	since time.Time   // what was written from then on is in ids
	whole bool        // unless a file is gone, was emptied, or cannot be read
}

// Presence is what can be told of a line.
type Presence int

// The presences. The zero value is the safe one.
const (
	Unknown Presence = iota
	There
	Absent
)

// Look tells whether a line about id is in the files, as they were when Look
// was first called. A line that may have been written at a time is surely
// absent only when the book was kept by then, and every file is still there.
func (f *File) Look(id string, at time.Time) (Presence, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index == nil {
		x, err := f.read()
		if err != nil {
			return Unknown, err
		}
		f.index = x
	}
	_, found := slices.BinarySearchFunc(f.index.ids, f.index.hash(id), compare)
	switch {
	case found:
		return There, nil
	case f.index.whole && !at.Before(f.index.since):
		return Absent, nil
	}
	return Unknown, nil
}

// readBook reads the book as it is; one that is not there is empty.
func (f *File) readBook() (*book, error) {
	b := &book{}
	file, err := os.Open(bookOf(f.options.Path))
	if err == nil {
		defer file.Close() // only read
		b.File = file
		_, err = b.read()
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, failure("the book beside the file cannot be read", err)
	}
	return b, nil
}

// read reads all files that the book names. What other processes write
// meanwhile is about other events: those of this run are claimed.
func (f *File) read() (*index, error) {
	x := &index{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	b, err := f.readBook()
	if err != nil {
		return nil, err
	}
	x.since, x.whole = b.since, !b.since.IsZero()
	begun := map[string]int{}
	for _, name := range b.files {
		begun[name]++
	}
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		lines, err := x.add(filepath.Join(filepath.Dir(f.options.Path), name), f.options.ID)
		// A file that was begun twice, or is empty now, was emptied.
		if err != nil || begun[name] > 1 || begun[name] == 1 && lines == 0 {
			x.whole = false
		}
		delete(begun, name)
	}
	x.whole = x.whole && len(begun) == 0
	slices.SortFunc(x.ids, compare)
	return x, nil
}

// names lists the files that there are, those that no book knows included.
func (f *File) names() ([]string, error) {
	dir, base := filepath.Split(f.options.Path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil, failure("the folder cannot be read", err)
	}
	before, after, daily := strings.Cut(base, Date)
	var names []string
	for _, e := range entries {
		name := e.Name()
		day := strings.TrimSuffix(strings.TrimPrefix(name, before), after)
		_, err := time.Parse(time.DateOnly, day)
		if name == base || daily && err == nil && name == before+day+after {
			names = append(names, name)
		}
	}
	return names, nil
}

// add reads the ids of a file's whole lines, and tells how many lines it has.
func (x *index) add(path string, id func([]byte) string) (n int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close() // only read
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(endedLine)
	for ; lines.Scan(); n++ {
		if len(x.ids) == maxIndexed {
			return n, errors.New("too many lines")
		}
		if name := id(lines.Bytes()); name != "" {
			x.ids = append(x.ids, x.hash(name))
		}
	}
	return n, lines.Err()
}

// endedLine gives lines that have their end: what a crash cut off is none.
func endedLine(data []byte, atEOF bool) (int, []byte, error) {
	if at := bytes.IndexByte(data, '\n'); at >= 0 {
		return at + 1, data[:at], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

func (x *index) hash(id string) [2]uint64 {
	return [2]uint64{maphash.String(x.seeds[0], id), maphash.String(x.seeds[1], id)}
}

func compare(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) }
