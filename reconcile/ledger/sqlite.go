package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"makegood/reconcile"
)

// sqlite is a ledger in a file. A run's lock is a flock on a file of its own,
// beside it.
type sqlite struct {
	path   string // as it was given
	folder string // of the runs' lock files
	clock  func() time.Time
}

func newSQLite(path string, o Options) (*sqlite, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &sqlite{path: path, folder: abs + ".runs", clock: o.Clock}, refuseNetwork(filepath.Dir(path))
}

func (s *sqlite) name() string { return s.path }

// begun looks at the file's first bytes alone.
func (s *sqlite) begun(context.Context) (bool, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return false, nil // opening the ledger says why
	}
	defer func() { _ = f.Close() }()
	const lite = "SQLite format 3\x00"
	head := make([]byte, len(lite))
	switch n, err := io.ReadFull(f, head); {
	case err == io.EOF:
		return false, nil
	case errors.Is(err, syscall.EISDIR):
		return false, fmt.Errorf("open ledger %s: it is a folder: correct the key ledger", s.path)
	case string(head[:n]) != lite:
		return false, fmt.Errorf("open ledger %s: it is no ledger, or it was overwritten: put the newest copy back, or correct the key ledger", s.path)
	}
	return true, nil
}

// prepare makes an empty file that only its owner can read. A file that is
// there is not opened: closing it would give up the locks that SQLite holds on
// it in this process.
func (s *sqlite) prepare(context.Context) error {
	if _, err := os.Stat(s.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *sqlite) openWriting(ctx context.Context) (*sqlx.DB, error) {
	return openPool(ctx, s.path, writing())
}

func (s *sqlite) openReading(ctx context.Context) (*sqlx.DB, error) {
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	db, err := openPool(ctx, s.path, reading())
	if unmade(err) {
		return nil, nil
	}
	return db, err
}

// unmade reports whether a process died while it began to make the ledger:
// only then is there a journal to roll back, which a reader cannot.
func unmade(err error) bool {
	e, is := errors.AsType[sqlite3.Error](err)
	return is && e.ExtendedCode == sqlite3.ErrReadonlyRollback
}

// schemaPoll is how often a process that waits for another's migration looks.
const schemaPoll = 50 * time.Millisecond

// migrating holds a file lock: goose has no lock of its own on SQLite.
func (s *sqlite) migrating(ctx context.Context, do func() error) error {
	if _, err := os.Stat(filepath.Dir(s.path)); errors.Is(err, fs.ErrNotExist) {
		return errors.New("its folder does not exist: make it, or correct the key ledger")
	}
	lock := flock.New(s.path + ".migrate.lock")
	if _, err := lock.TryLockContext(ctx, schemaPoll); err != nil {
		return fmt.Errorf("wait for the lock %s: %w", lock.Path(), err)
	}
	return errors.Join(do(), lock.Unlock())
}

func (s *sqlite) schema() schema {
	return schema{goose.DialectSQLite3, "migrations/sqlite", `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`}
}

// busyRounds is how often the writer waits for the write lock, each time for
// busyTimeout, before its requests fail.
const busyRounds = 3

func (s *sqlite) begin(ctx context.Context, c *conn) (err error) {
	for range busyRounds {
		if _, err = c.ExecContext(ctx, "BEGIN IMMEDIATE"); !isBusy(err) {
			break
		}
	}
	return err
}

func isBusy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrBusy
}

// cut is never so: a file has no sessions.
func (s *sqlite) cut(error) bool { return false }

func (s *sqlite) moment() (begin, end string) { return "BEGIN DEFERRED", "ROLLBACK" }

func (s *sqlite) text(statement string) string { return statement }

func (s *sqlite) store(ctx context.Context, c *conn, rows []stored) error {
	return storeEach(ctx, c, rows)
}

func (s *sqlite) now(context.Context, *conn) (time.Time, error) { return s.clock(), nil }

func lockPath(folder, run string) string { return filepath.Join(folder, run+".lock") }

// fileLock is a flock on a run's lock file.
type fileLock struct{ *flock.Flock }

func (s *sqlite) lock(_ context.Context, run reconcile.RunID) (runLock, error) {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(lockPath(s.folder, string(run)))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if !got {
		return nil, fmt.Errorf("lock %s: another process holds it", lock.Path())
	}
	return fileLock{lock}, nil
}

// holds reports whether the lock file is still the one that was locked: a lock
// on a file that somebody removed keeps nobody away.
func (l fileLock) holds() bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.Path())
	return err == nil && os.SameFile(held, there)
}

// release gives the lock back and removes its file; one that stays is removed
// by a later run.
func (l fileLock) release() error {
	if err := l.Unlock(); err != nil {
		return fmt.Errorf("give the lock %s back: %w", l.Path(), err)
	}
	_ = os.Remove(l.Path())
	return nil
}

// lockFree takes a shared lock for a moment, so that two who look at once do
// not take each other for the run, and makes no file.
func (s *sqlite) lockFree(_ context.Context, _ *conn, run string) (bool, error) {
	return lockFree(lockPath(s.folder, run))
}

func lockFree(path string) (bool, error) {
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || !free {
		return false, err
	}
	return true, lock.Unlock()
}

// sweep removes lock files. A run is registered only once it holds its lock,
// and its id is never used again: so a registered run whose lock is free will
// not take it any more.
func (s *sqlite) sweep(_ context.Context, registered func([]string) ([]string, error)) error {
	files, err := os.ReadDir(s.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for old locks: %w", err)
	}
	var runs []string
	for _, f := range files {
		if run, is := strings.CutSuffix(f.Name(), ".lock"); is {
			runs = append(runs, run)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	known, err := registered(runs)
	for _, run := range known {
		path := lockPath(s.folder, run)
		if free, err := lockFree(path); err == nil && free {
			_ = os.Remove(path) // a file that stays is in nobody's way
		}
	}
	return err
}
