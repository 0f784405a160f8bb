package ledger

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// tx is the writer's transaction: what its requests write goes into the tables
// and, as changes, into one row of the journal.
type tx struct {
	*conn
	seal     seal
	now      time.Time
	head     blob  // the hash of the newest journal row
	first    int64 // the sequence of this transaction's first journal row
	sequence int64 // of the next one
	attempts int64 // that it has numbered
	journal  bytes.Buffer
	pending  []stored // with the next flush
	deflater *flate.Writer
}

// put stores a row: before is what was there, the zero value when nothing
// was. It reaches the table with the next flush.
func (t *tx) put(before, after any) error {
	d, changed := t.seal.changed(before, after)
	if !changed {
		return nil
	}
	to := stored{row: after}
	if !d.whole {
		to.columns = d.columns
	}
	t.pending = append(t.pending, to)
	t.journal.Write(d.line())
	return nil
}

func (t *tx) write(c change) error {
	line, err := c.line()
	t.journal.Write(line)
	return err
}

// attemptBits leave room for a million attempts in one transaction.
const attemptBits = 20

// number gives an attempt its number: later ones have higher ones.
func (t *tx) number(a attempt) attempt {
	a.Attempt = t.first<<attemptBits | t.attempts
	t.attempts++
	return a
}

// flush stores what was put.
func (t *tx) flush(ctx context.Context) error {
	rows := t.pending
	t.pending = nil
	for len(rows) > 0 {
		table, n := tableOf(rows[0].row), 1
		for n < len(rows) && n < maxRows && tableOf(rows[n].row) == table {
			n++
		}
		if err := t.db.store(ctx, t.conn, rows[:n]); err != nil {
			return fmt.Errorf("store %s: %w", table, err)
		}
		rows = rows[n:]
	}
	return nil
}

// drop deletes a row.
func (t *tx) drop(ctx context.Context, row any) error {
	v := reflect.ValueOf(row)
	var where []string
	var key []any
	for _, col := range shapes[v.Type()] {
		if col.how == "key" {
			where = append(where, col.name+" = ?")
			key = append(key, v.Field(col.index).Interface())
		}
	}
	if _, err := t.ExecContext(ctx, "DELETE FROM "+tableOf(row)+" WHERE "+strings.Join(where, " AND "), key...); err != nil {
		return fmt.Errorf("delete from %s: %w", tableOf(row), err)
	}
	return t.write(t.seal.gone(row))
}

// link adds what was journalled as a row of the journal. A transaction has
// one, none when it changed nothing, and several when it writes very much.
func (t *tx) link(ctx context.Context) error {
	if t.journal.Len() == 0 {
		return nil
	}
	changes, err := t.deflate()
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	at := micros(t.now)
	hash := chain(t.head, t.sequence, at, changes)
	if _, err := t.ExecContext(ctx, `INSERT INTO journal (sequence, at, changes, hash) VALUES (?, ?, ?, ?)`,
		t.sequence, at, changes, []byte(hash)); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	t.journal.Reset()
	t.head = hash
	t.sequence++
	return nil
}

// end links the last row and moves the head. moved is false when nothing was
// journalled.
func (t *tx) end(ctx context.Context) (moved bool, err error) {
	first := t.first
	if err := t.link(ctx); err != nil || t.sequence == first {
		return false, err
	}
	if _, err := t.ExecContext(ctx, `UPDATE meta SET sequence = ?, hash = ?`, t.sequence-1, []byte(t.head)); err != nil {
		return false, fmt.Errorf("move the ledger's head: %w", err)
	}
	return true, nil
}

// chain is the hash of a journal row over the one before it.
func chain(before blob, sequence, at int64, changes []byte) blob {
	h := sha256.New()
	h.Write(before)
	var numbers [16]byte
	binary.BigEndian.PutUint64(numbers[:8], uint64(sequence))
	binary.BigEndian.PutUint64(numbers[8:], uint64(at))
	h.Write(numbers[:])
	h.Write(changes)
	return h.Sum(nil)
}

func (t *tx) deflate() ([]byte, error) {
	var out bytes.Buffer
	t.deflater.Reset(&out)
	_, err := t.deflater.Write(t.journal.Bytes())
	err = errors.Join(err, t.deflater.Close())
	return out.Bytes(), err
}

// maxChanges bounds what a journal row unpacks to: it holds one transaction.
const maxChanges = 1 << 30

func inflate(changes []byte) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(changes)), maxChanges+1))
	if err == nil && len(text) > maxChanges {
		err = fmt.Errorf("it unpacks to more than %d bytes", maxChanges)
	}
	return text, err
}
