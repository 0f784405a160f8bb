package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
)

// ErrClosed says that the ledger was closed before the request.
var ErrClosed = errors.New("the ledger is closed")

// busyRounds is how often the writer waits for the write lock, each time for
// busyTimeout, before its requests fail.
const busyRounds = 3

// work is what a request does inside the writer's transaction.
type work func(ctx context.Context, conn *sqlx.Conn) error

type request struct {
	work work
	done chan error // of size 1
	err  error      // what the work gave
}

// writer is the one goroutine that writes. It takes everything queued into one
// transaction and begins again at once: under load commits are shared, and a
// lone request never waits for others.
type writer struct {
	conn      *sqlx.Conn
	committed func(sequence int64)

	mu     sync.Mutex
	more   *sync.Cond
	queue  []*request
	closed bool
	ended  chan struct{}
}

func startWriter(conn *sqlx.Conn, committed func(int64)) *writer {
	w := &writer{conn: conn, committed: committed, ended: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	go w.run()
	return w
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
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.more.Signal()
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	for group := w.take(); len(group) > 0; group = w.take() {
		err := w.commit(context.Background(), group)
		for _, r := range group {
			if r.err == nil {
				r.err = err
			}
			r.done <- r.err
		}
	}
}

// commit runs a group in one transaction. A request that fails keeps its own
// error and leaves the others alone; the returned error is everybody's.
func (w *writer) commit(ctx context.Context, group []*request) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	sequence, err := w.fill(ctx, group)
	if err == nil && sequence > 0 {
		err = w.exec(ctx, "COMMIT")
	}
	if err != nil || sequence == 0 {
		// After some errors SQLite has rolled back already: this then fails.
		_ = w.exec(ctx, "ROLLBACK")
		return err
	}
	w.committed(sequence)
	return nil
}

func (w *writer) begin(ctx context.Context) (err error) {
	for range busyRounds {
		if err = w.exec(ctx, "BEGIN IMMEDIATE"); !isBusy(err) {
			break
		}
	}
	return err
}

func isBusy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrBusy
}

// fill runs each request behind a savepoint and counts the commit. Sequence 0
// says that all of them failed and nothing is to be kept.
func (w *writer) fill(ctx context.Context, group []*request) (sequence int64, err error) {
	kept := 0
	for _, r := range group {
		if err := w.exec(ctx, "SAVEPOINT request"); err != nil {
			return 0, err
		}
		if r.err = r.work(ctx, w.conn); r.err != nil {
			err = w.exec(ctx, "ROLLBACK TO request")
		} else {
			kept++
		}
		if err == nil {
			err = w.exec(ctx, "RELEASE request")
		}
		if err != nil {
			return 0, err
		}
	}
	if kept == 0 {
		return 0, nil
	}
	err = w.conn.GetContext(ctx, &sequence, "UPDATE meta SET sequence = sequence + 1 RETURNING sequence")
	return sequence, err
}

func (w *writer) exec(ctx context.Context, statement string) error {
	if _, err := w.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s in the ledger: %w", statement, err)
	}
	return nil
}
