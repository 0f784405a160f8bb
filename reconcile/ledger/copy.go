package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"makegood/reconcile"
)

// ErrNotEmpty says that there is a ledger where one was to be copied to.
var ErrNotEmpty = errors.New("there is a ledger already: name a place where there is none")

func (journalRow) table() string { return "journal" }

// Backup copies a ledger, as it is at one moment, to a place where there is
// none: a file or a PostgreSQL database. The copy is the same ledger at the
// same head: it may take the place of the original, never stand beside it.
// What arrives is compared with the original's journal. It needs the person
// key, and dir for what does not fit into memory.
func Backup(ctx context.Context, from, to, dir string, o Options) (reconcile.LedgerHead, error) {
	return duplicate(ctx, places{from, to, dir}, o, false)
}

// Move copies a ledger like Backup, and raises the copy's epoch: it takes the
// original's place, and machines that go on with the original notice. It
// refuses while a run lives: the copy would not know what that run sends.
func Move(ctx context.Context, from, to, dir string, o Options) (reconcile.LedgerHead, error) {
	return duplicate(ctx, places{from, to, dir}, o, true)
}

// places are where a ledger is copied from and to, and where to work.
type places struct{ from, to, dir string }

func duplicate(ctx context.Context, at places, o Options, raise bool) (head reconcile.LedgerHead, err error) {
	o = o.filled()
	r, err := OpenReader(ctx, at.from, o)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if r.Absent() {
		return head, fmt.Errorf("copy ledger %s: there is none", r.db.name())
	}
	db, err := databaseAt(at.to, o)
	if err != nil {
		return head, fmt.Errorf("copy the ledger: %w", err)
	}
	if begun, err := db.begun(ctx); err != nil || begun {
		if begun {
			err = ErrNotEmpty
		}
		return head, fmt.Errorf("copy the ledger to %s: %w", db.name(), err)
	}
	if raise {
		err := r.read(ctx, "look for runs", func(c *conn) error { return r.alone(ctx, c) })
		if err != nil {
			return head, fmt.Errorf("move the ledger: %w", err)
		}
	}
	w, err := r.into(ctx, db, o)
	if err == nil && raise {
		err = w.once(func(ctx context.Context, t *tx) error { return t.raise(ctx) })
	}
	if w != nil {
		err = errors.Join(err, w.pool.Close())
	}
	if err == nil {
		head, err = proven(ctx, at, o)
	}
	if err != nil {
		return head, fmt.Errorf("copy the ledger to %s: %w; remove what is there before you try again", db.name(), err)
	}
	return head, nil
}

// into writes everything that the reader sees at one moment into a new ledger,
// in one transaction.
func (r *Reader) into(ctx context.Context, db database, o Options) (w *writer, err error) {
	err = db.migrating(ctx, func() error {
		if err := db.prepare(ctx); err != nil {
			return err
		}
		pool, err := db.openWriting(ctx)
		if err != nil {
			return err
		}
		w = newWriter(pool, db, r.seal, o.Clock)
		return migrate(ctx, pool, db.schema())
	})
	if err != nil {
		return w, err
	}
	return w, r.read(ctx, "copy the ledger", func(c *conn) (err error) {
		begin, end := c.db.moment()
		if _, err := c.ExecContext(ctx, begin); err != nil {
			return err
		}
		defer func() {
			_, ended := c.ExecContext(context.WithoutCancel(ctx), end)
			err = errors.Join(err, ended)
		}()
		return w.once(func(ctx context.Context, t *tx) error {
			for _, example := range append([]any{journalRow{}}, folded...) {
				if err := t.take(ctx, c, example); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// take stores every row of another ledger's table as it is: the journal comes
// with them, so nothing is journalled.
func (t *tx) take(ctx context.Context, from *conn, example any) error {
	size := 0
	err := from.each(ctx, example, func(row any) error {
		t.pending = append(t.pending, stored{row: row})
		if j, is := row.(journalRow); is {
			size += len(j.Changes)
		}
		if len(t.pending) < maxRows && size < baseRow {
			return nil
		}
		size = 0
		return t.flush(ctx)
	})
	if err != nil {
		return err
	}
	return t.flush(ctx)
}

// raise begins another epoch.
func (t *tx) raise(ctx context.Context) error {
	var was metaRow
	if err := t.GetContext(ctx, &was, `SELECT * FROM meta`); err != nil {
		return fmt.Errorf("read the ledger's head: %w", err)
	}
	is := was
	is.Epoch++
	return t.put(was, is)
}

// proven makes sure that a copy holds what its journal says, and gives its
// head.
func proven(ctx context.Context, at places, o Options) (head reconcile.LedgerHead, err error) {
	r, err := OpenReader(ctx, at.to, o)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	findings, err := r.Check(ctx, at.dir)
	if err == nil && len(findings) > 0 {
		err = fmt.Errorf("it is not whole: %s", findings[0])
	}
	return r.Head(), err
}

// Each calls do with every row of the ledger's tables, as JSON can hold it:
// for a person's own analyses. Bytes are hexadecimal, times microseconds.
func (v *view) Each(ctx context.Context, do func(table string, row any) error) error {
	return v.read(ctx, "export the ledger", func(c *conn) error {
		for _, example := range folded {
			if reflect.TypeOf(example) == reflect.TypeFor[metaRow]() {
				continue
			}
			err := c.each(ctx, example, func(row any) error { return do(tableOf(row), row) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}
