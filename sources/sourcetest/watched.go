package sourcetest

import (
	"context"
	"runtime"
	"testing"

	"makegood/sources/table"
)

// watched is a file that counts what is done with it.
type watched struct {
	table.File
	opened, closed, rows int
	// each is told of every row that was read; nil: nobody is.
	each func(rows int)
}

// Open is that of the file; what is open when the test ends is its business.
func (w *watched) Open(ctx context.Context) (table.Cursor, error) {
	c, err := w.File.Open(ctx)
	if err != nil {
		return nil, err
	}
	w.opened++
	return &watchedCursor{c, w}, nil
}

// checkClosed wants nothing open.
func (w *watched) checkClosed(t *testing.T) {
	t.Helper()
	if w.opened == 0 || w.opened != w.closed {
		t.Errorf("the file was opened %d times and closed %d times", w.opened, w.closed)
	}
}

type watchedCursor struct {
	table.Cursor
	file *watched
}

func (c *watchedCursor) Next() (table.Row, error) {
	row, err := c.Cursor.Next()
	if err == nil {
		c.file.rows++
		if c.file.each != nil {
			c.file.each(c.file.rows)
		}
	}
	return row, err
}

func (c *watchedCursor) Close() error {
	c.file.closed++
	return c.Cursor.Close()
}

// memory is how much more of the heap is in use than at its beginning.
type memory struct{ base, most int }

func newMemory() *memory { return &memory{base: live()} }

// live is what the heap holds that something still points to.
func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func (m *memory) look() {
	m.most = max(m.most, live()-m.base)
}
