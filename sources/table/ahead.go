package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// A batch of rows is handed on when it is full, by rows or by bytes.
const (
	batchRows  = 256
	batchBytes = 256 << 10
	batchesOut = 3 // that are read ahead, or at hand
)

// batch is some rows with cells of their own, and what ended the file.
type batch struct {
	rows  []Row
	cells []string
	err   error
}

// drain hands on every row. Reading goes ahead on a second goroutine, which
// has ended when drain returns. It looks for a cancelled context now and then.
func drain(ctx context.Context, name string, cursor Cursor, do func(Row) error) error {
	full, empty := make(chan *batch, batchesOut), make(chan *batch, batchesOut)
	for range batchesOut {
		empty <- &batch{}
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(full)
		for b := range empty {
			b.fill(cursor)
			full <- b
			if b.err != nil {
				return
			}
		}
	})
	defer reading.Wait()
	defer close(empty)
	for b := range full {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, row := range b.rows {
			if err := do(row); err != nil {
				return err
			}
		}
		if errors.Is(b.err, io.EOF) {
			return nil
		}
		if b.err != nil {
			return fmt.Errorf("read %s: %w", name, b.err)
		}
		empty <- b
	}
	return nil
}

// fill reads rows until the batch is full or the file ends.
func (b *batch) fill(cursor Cursor) {
	clear(b.cells)
	b.rows, b.cells, b.err = b.rows[:0], b.cells[:0], nil
	for size := 0; len(b.rows) < batchRows && size < batchBytes; {
		row, err := cursor.Next()
		if err != nil {
			b.err = err
			break
		}
		row.Faults = slices.Clone(row.Faults)
		at := len(b.cells)
		b.cells = append(b.cells, row.Cells...)
		row.Cells = b.cells[at:len(b.cells):len(b.cells)]
		for _, text := range row.Cells {
			size += len(text)
		}
		b.rows = append(b.rows, row)
	}
}
