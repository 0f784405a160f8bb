package workers

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
)

// pieceSize is how much of a compressed file is in one row.
const pieceSize = 1 << 20

// The names of a slice's files.
const (
	filePlan      = "plan"
	fileDecisions = "decisions"
)

// filePart is the file of a part.
func filePart(target string, n int) string { return fmt.Sprintf("part %d of %s", n, target) }

// store puts a file into the database, in pieces. What it holds is in memory one
// piece at a time.
func store(ctx context.Context, tx pgx.Tx, slice int64, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("store a file of the plan: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	rows := &pieceWriter{ctx: ctx, tx: tx, slice: slice, name: name}
	out := bufio.NewWriterSize(rows, pieceSize)
	packed := gzip.NewWriter(out)
	_, err = io.Copy(packed, f)
	if err = errors.Join(err, packed.Close(), out.Flush()); err != nil {
		return fmt.Errorf("store a file of the plan: %w", err)
	}
	return nil
}

// pieceWriter stores each write as a piece.
type pieceWriter struct {
	ctx   context.Context
	tx    pgx.Tx
	slice int64
	name  string
	n     int
}

// Write implements io.Writer.
func (w *pieceWriter) Write(data []byte) (int, error) {
	_, err := w.tx.Exec(w.ctx, `INSERT INTO pieces (slice, file, n, data) VALUES ($1, $2, $3, $4)`, w.slice, w.name, w.n, data)
	w.n++
	return len(data), err
}

// errGone says that a file is no longer stored: its slice has moved on.
var errGone = errors.New("it is no longer in the queue")

// load gives a stored file its place on this machine, for its owner alone.
func (q *Queue) load(ctx context.Context, slice int64, name, path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		packed, unpacked := io.Pipe()
		go func() { unpacked.CloseWithError(q.pieces(ctx, slice, name, unpacked)) }()
		err = unpack(f, packed)
		_ = packed.Close() // what is still to be read is not wanted
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("load a file of the plan: %w", err)
	}
	return nil
}

func unpack(to io.Writer, from io.Reader) error {
	packed, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, packed) //nolint:gosec // what another worker of this ledger packed
	return errors.Join(err, packed.Close())
}

func (q *Queue) pieces(ctx context.Context, slice int64, name string, to io.Writer) error {
	for n := 0; ; n++ {
		var data []byte
		err := q.pool.QueryRow(ctx, `SELECT data FROM pieces WHERE slice = $1 AND file = $2 AND n = $3`, slice, name, n).Scan(&data)
		if errors.Is(err, pgx.ErrNoRows) && n > 0 {
			return nil
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return errGone
		}
		if err == nil {
			_, err = to.Write(data)
		}
		if err != nil {
			return err
		}
	}
}
