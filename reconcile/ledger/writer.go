package ledger

import (
	"compress/flate"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// ErrClosed says that the ledger was closed before the request.
var ErrClosed = errors.New("the ledger is closed")

// errUnsure says that the connection broke while the database was told to keep a
// transaction: whether it did is not known.
var errUnsure = errors.New("whether it was kept is not known")

// work is what a request does inside the writer's transaction.
type work func(ctx context.Context, t *tx) error

type request struct {
	work work
	done chan error // of size 1
	err  error      // what the work gave
}

// writer is the one goroutine that writes. It takes everything queued into one
// transaction and begins again at once: under load commits are shared, and a
// lone request never waits for others.
type writer struct {
	pool      *sqlx.DB
	db        database
	seal      seal
	clock     func() time.Time
	conn      *conn // nil: to be taken from the pool
	deflater  *flate.Writer
	committed func(sequence int64, hash blob)

	mu     sync.Mutex
	more   *sync.Cond
	queue  []*request
	closed bool
	ended  chan struct{}
}

func newWriter(pool *sqlx.DB, db database, s seal, clock func() time.Time) *writer {
	deflater, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // an error speaks of the level alone
	w := &writer{pool: pool, db: db, seal: s, clock: clock, deflater: deflater, committed: func(int64, blob) {}, ended: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	return w
}

// start begins to take requests; committed hears of every commit that the
// journal knows.
func (w *writer) start(committed func(int64, blob)) {
	w.committed = committed
	go w.run()
}

// do runs work and returns once it is durable. While the request waits in the
// queue ctx can end it; once it was taken it runs to its end.
func (w *writer) do(ctx context.Context, work work) error {
	r := &request{work: work, done: make(chan error, 1)}
	if err := w.enqueue(r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if w.withdraw(r) {
			return context.Cause(ctx)
		}
		return <-r.done
	}
}

func (w *writer) enqueue(r *request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	w.queue = append(w.queue, r)
	w.more.Signal()
	return nil
}

// withdraw reports whether the request had not been taken yet.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, r)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	return true
}

// take waits for requests and takes all of them; none are left after close.
func (w *writer) take() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.more.Wait()
	}
	group := w.queue
	w.queue = nil
	return group
}

// close lets the queue run empty and ends the goroutine.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.more.Signal()
	w.mu.Unlock()
	<-w.ended
	return w.drop()
}

func (w *writer) run() {
	defer close(w.ended)
	for group := w.take(); len(group) > 0; group = w.take() {
		w.carry(group)
	}
}

// once runs work in a transaction of its own, before the writer was started.
func (w *writer) once(work work) error {
	r := &request{work: work, done: make(chan error, 1)}
	w.carry([]*request{r})
	return errors.Join(<-r.done, w.drop())
}

// carry runs a group in one transaction and answers everybody.
func (w *writer) carry(group []*request) {
	err := w.commit(context.Background(), group)
	for _, r := range group {
		if r.err == nil {
			r.err = err
		}
		r.done <- r.err
	}
}

// commit runs a group in one transaction. A request that fails keeps its own
// error and leaves the others alone; the returned error is everybody's.
func (w *writer) commit(ctx context.Context, group []*request) error {
	t, err := w.begin(ctx)
	if err != nil {
		return errors.Join(err, w.drop())
	}
	kept, err := w.fill(ctx, t, group)
	moved := false
	if err == nil && kept {
		moved, err = t.end(ctx)
	}
	if err == nil && kept {
		if err = w.exec(ctx, "COMMIT"); err != nil {
			err = fmt.Errorf("%w: %w", err, errUnsure)
		}
	}
	if err != nil || !kept {
		// After some errors the database has rolled back already: this then
		// fails, and a connection that is broken is not used again.
		if w.exec(ctx, "ROLLBACK") != nil {
			_ = w.drop()
		}
		return err
	}
	if moved {
		w.committed(t.sequence-1, t.head)
	}
	return nil
}

// begin starts a transaction and reads the head that it goes on from. A
// connection that was lost while nothing happened is made anew.
func (w *writer) begin(ctx context.Context) (t *tx, err error) {
	for range 2 {
		if err = w.connect(ctx); err != nil {
			continue
		}
		if err = w.db.begin(ctx, w.conn); err == nil || isBusy(err) {
			break
		}
		_ = w.drop()
	}
	if err != nil {
		return nil, fmt.Errorf("begin to write the ledger: %w", err)
	}
	var meta metaRow
	err = w.conn.GetContext(ctx, &meta, `SELECT sequence, hash FROM meta`)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // it is about to be stamped
		return nil, fmt.Errorf("read the ledger's head: %w", err)
	}
	return &tx{conn: w.conn, seal: w.seal, deflater: w.deflater, now: w.clock(), head: meta.Hash, first: meta.Sequence + 1, sequence: meta.Sequence + 1}, nil
}

func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	c, err := w.pool.Connx(ctx)
	if err == nil {
		w.conn = &conn{c, w.db}
	}
	return err
}

// drop gives the connection back to its pool, which forgets a broken one.
func (w *writer) drop() error {
	if w.conn == nil {
		return nil
	}
	c := w.conn
	w.conn = nil
	return c.Close()
}

// fill runs each request behind a savepoint, but one that is alone: it has the
// transaction for itself. kept is false when all of them failed and nothing is
// to be kept.
func (w *writer) fill(ctx context.Context, t *tx, group []*request) (kept bool, err error) {
	if len(group) == 1 {
		r := group[0]
		if r.err = r.work(ctx, t); r.err == nil {
			r.err = t.flush(ctx)
		}
		return r.err == nil, nil
	}
	for _, r := range group {
		if err := w.exec(ctx, "SAVEPOINT request"); err != nil {
			return false, err
		}
		journalled, linked := t.journal.Len(), t.sequence
		if r.err = r.work(ctx, t); r.err == nil {
			r.err = t.flush(ctx)
		}
		if r.err != nil && t.sequence != linked {
			return false, r.err // what was journalled before it is linked already
		}
		if r.err != nil {
			t.journal.Truncate(journalled)
			t.pending = nil
			err = w.exec(ctx, "ROLLBACK TO SAVEPOINT request")
		} else {
			kept = true
		}
		if err == nil {
			err = w.exec(ctx, "RELEASE SAVEPOINT request")
		}
		if err != nil {
			return false, err
		}
	}
	return kept, nil
}

func (w *writer) exec(ctx context.Context, statement string) error {
	if _, err := w.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s in the ledger: %w", statement, err)
	}
	return nil
}
