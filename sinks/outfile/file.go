// Package outfile writes lines to files that other programs and people read,
// one line for one event, so that afterwards it can be told which of them are
// there.
//
// Lines are appended whole or not at all: half a line that a crash left is
// dropped before the next one is written, what a full disk cut off is taken
// back, and nothing counts as written before it is on the disk. Several
// processes may write at once. Beside the files lies a book, a hidden file,
// which says since when it is kept and which files were begun; with it a line
// that is missing can be told from a file that is.
package outfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// Date stands for the day in a path: each day has a file of its own.
const Date = "{date}"

// maxLine is how long a line can be, in bytes.
const maxLine = 4 << 20

// patience is how long another process may keep the files locked: it does so
// for one write.
const patience = 30 * time.Second

// Options of a File. Path and ID are required.
type Options struct {
	// Path of the file, or of one for each day with Date in its last part.
	// Folders that are missing are made, for their owner alone.
	Path string
	Zone *time.Location // of the day; nil is UTC
	// Header are the columns of a CSV file; nil: the lines are JSON objects.
	Header []string
	// ID says what a line is about, "" when it does not say.
	ID func(line []byte) string
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// File is one file, or one for each day. It is safe for concurrent use.
type File struct {
	options Options
	mu      sync.Mutex
	index   *index // of what was there when it was first asked for
}

// New makes a File; nothing is opened or made before it is used.
func New(o Options) *File {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &File{options: o}
}

// Failure says that lines were not written. Unless Unsure is set, nothing of
// them is in the file. Text is for people and names no path.
type Failure struct {
	Text   string
	Unsure bool
	Err    error
}

// Error gives the text.
func (f *Failure) Error() string { return f.Text }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Begin makes the folder and the book, so that a crash from now on can be
// looked into.
func (f *File) Begin(ctx context.Context) error {
	if b, err := f.readBook(); err == nil && !b.since.IsZero() {
		return nil
	}
	return f.locked(ctx, func(*book) error { return nil })
}

// Append writes whole lines, each with its line end, behind what the file
// holds. When it returns nil they survive a crash. Any other error is a
// *Failure.
func (f *File) Append(ctx context.Context, lines []byte) error {
	return f.locked(ctx, func(b *book) error { return f.append(b, lines) })
}

// locked does something while no other process works on the files.
func (f *File) locked(ctx context.Context, do func(*book) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.options.Path), 0o700); err != nil {
		return failure("the folder cannot be made", err)
	}
	name := bookOf(f.options.Path)
	lock := flock.New(name, flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if ok, err := lock.TryLockContext(ctx, 20*time.Millisecond); !ok {
		return failure("the file cannot be locked", err)
	}
	defer func() { _ = lock.Unlock() }() // closed with it
	b, err := openBook(name, f.options.Clock())
	if err != nil {
		return failure("the book beside the file cannot be written", err)
	}
	err = do(b)
	if closing := b.Close(); err == nil && closing != nil {
		err = failure("the book beside the file cannot be written", closing)
	}
	return err
}

// today is the path of the file that is written now.
func (f *File) today() string {
	day := f.options.Clock().In(f.options.Zone).Format(time.DateOnly)
	dir, base := filepath.Split(f.options.Path)
	return dir + strings.ReplaceAll(base, Date, day)
}

func (f *File) append(b *book, lines []byte) error {
	path := f.today()
	// O_NONBLOCK: a pipe that lies in the file's place must not hang the run.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return failure("the file cannot be opened", err)
	}
	defer file.Close() // synced before
	size, err := f.ready(file)
	if err != nil {
		return err
	}
	begins := size == 0
	if begins && f.options.Header != nil {
		lines = append(CSVLine(f.options.Header), lines...)
	}
	_, err = file.WriteAt(lines, size)
	if err == nil {
		err = errors.Join(file.Sync(), syncDir(filepath.Dir(path)))
	}
	if err == nil {
		return b.note(filepath.Base(path), begins)
	}
	cause := failure("the file cannot be written", err)
	if undone := errors.Join(file.Truncate(size), file.Sync()); undone != nil {
		cause.Unsure, cause.Err = true, errors.Join(err, undone)
	}
	return cause
}

// ready drops half a line at the end, makes sure that the file is one of its
// kind, and gives its size.
func (f *File) ready(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, failure("the file cannot be read", err)
	}
	if !info.Mode().IsRegular() {
		return 0, failure("the path leads to no ordinary file", nil)
	}
	size, err := wholeLines(file, info.Size())
	if err != nil {
		return 0, failure("the file cannot be read", err)
	}
	if err := f.fits(file, size); err != nil {
		return 0, err
	}
	if size < info.Size() {
		if err := file.Truncate(size); err != nil {
			return 0, failure("half a line cannot be dropped", err)
		}
	}
	return size, nil
}

// fits refuses a file that holds something else, such as the other format.
func (f *File) fits(file io.ReaderAt, size int64) error {
	if size == 0 {
		return nil
	}
	want := []byte("{")
	if f.options.Header != nil {
		want = CSVLine(f.options.Header)
	}
	got := make([]byte, len(want))
	if _, err := file.ReadAt(got, 0); err != nil && !errors.Is(err, io.EOF) {
		return failure("the file cannot be read", err)
	}
	if !bytes.Equal(got, want) {
		return failure("the file that is there holds something else, or another format; move it away or name another path", nil)
	}
	return nil
}

// wholeLines is how much of a file ends with a line end.
func wholeLines(file io.ReaderAt, size int64) (int64, error) {
	const step = 64 << 10
	for end := size; end > 0; {
		begin := max(0, end-step)
		part := make([]byte, end-begin)
		if _, err := file.ReadAt(part, begin); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return begin + int64(at) + 1, nil
		}
		if end = begin; size-end > maxLine {
			return 0, errors.New("its last line has no end")
		}
	}
	return 0, nil
}

func failure(what string, err error) *Failure {
	text := what
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		text += ": there is no room"
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		text += ": it may not be written"
	case errors.Is(err, context.DeadlineExceeded):
		text += ": another program keeps it"
	}
	return &Failure{Text: text, Err: err}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
