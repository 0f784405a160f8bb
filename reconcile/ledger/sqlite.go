package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/reconcile"
)

// How often a run beats, and how old a beat may be, when Options do not say.
const (
	DefaultBeat = 10 * time.Second
	DefaultDead = 2 * time.Minute
)

// Options are what a ledger must be told. All processes that use one ledger
// must agree on Key and Dead.
type Options struct {
	Key         []byte           // of the keyed hashes, KeySize bytes
	Environment string           // stamped into a new ledger
	Host        string           // stored with each run
	Clock       func() time.Time // nil: time.Now
	Beat        time.Duration    // 0: DefaultBeat
	Dead        time.Duration    // 0: DefaultDead
}

func (o Options) filled() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Beat <= 0 {
		o.Beat = DefaultBeat
	}
	if o.Dead <= 0 {
		o.Dead = DefaultDead
	}
	return o
}

// SQLite is a ledger in an SQLite file. It is safe for concurrent use, and
// several processes on one machine may have the same file open.
type SQLite struct {
	view
	db      *sqlx.DB // of the writer's connection
	writer  *writer
	stamp   stamp
	created bool
	knows   bool
	head    atomic.Pointer[reconcile.LedgerHead]
	host    string
	beat    time.Duration

	mu     sync.Mutex
	leases map[reconcile.RunID]*lease
}

var _ reconcile.Ledger = (*SQLite)(nil)

// Open opens a ledger for runs. It creates the file when it is absent (its
// folder must exist), stamps it with the environment, and brings an older
// schema up to date. Errors are ErrNewerSchema, ErrNoLedger, ErrNetworkFS and
// ErrOtherKey, and those of the file. The caller closes it.
func Open(ctx context.Context, path string, o Options) (*SQLite, error) {
	o = o.filled()
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*SQLite, error) {
	if len(o.Key) != KeySize {
		return nil, fmt.Errorf("the person key has %d bytes, want %d", len(o.Key), KeySize)
	}
	if err := refuseNetwork(filepath.Dir(path)); err != nil {
		return nil, err
	}
	s := &SQLite{host: o.Host, beat: o.Beat, leases: map[reconcile.RunID]*lease{}}
	err := withSchemaLock(ctx, path, func() (err error) {
		s.db, s.created, err = prepare(ctx, path, o)
		return err
	})
	if err == nil {
		err = s.start(ctx, path, o)
	}
	if err != nil {
		return nil, errors.Join(err, s.closePools())
	}
	return s, nil
}

// prepare opens the file for writing and makes a ledger of it where it is none
// yet. The caller holds the schema lock.
func prepare(ctx context.Context, path string, o Options) (db *sqlx.DB, created bool, err error) {
	if err := touch(path); err != nil {
		return nil, false, err
	}
	if db, err = openPool(ctx, path, writing()); err != nil {
		return nil, false, err
	}
	if err = migrate(ctx, db); err == nil {
		created, err = stampNew(ctx, db, o)
	}
	return db, created, err
}

// touch makes an empty file that only its owner can read. A file that is there
// is not opened: closing it would give up the locks that SQLite holds on it in
// this process.
func touch(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// start reads the stamp, opens the readers' pool and starts the writer.
func (s *SQLite) start(ctx context.Context, path string, o Options) (err error) {
	if s.stamp, s.knows, err = readStamp(ctx, s.db); err != nil {
		return err
	}
	if s.view, err = newView(path, o); err != nil {
		return err
	}
	if !s.seal.fits(s.stamp.KeyMark) {
		return ErrOtherKey
	}
	if s.pool, err = openPool(ctx, path, reading()); err != nil {
		return err
	}
	conn, err := s.db.Connx(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	s.setSequence(s.stamp.Sequence)
	s.writer = startWriter(conn, s.setSequence)
	return nil
}

func (s *SQLite) setSequence(sequence int64) {
	s.head.Store(&reconcile.LedgerHead{Ledger: s.stamp.Ledger, Epoch: s.stamp.Epoch, Sequence: sequence})
}

// Created reports whether Open made this ledger.
func (s *SQLite) Created() bool { return s.created }

// Environment is what the ledger was stamped with when it was made.
func (s *SQLite) Environment() string { return s.stamp.Environment }

// KnowsRuns reports whether the ledger had seen a run before it was opened.
func (s *SQLite) KnowsRuns() bool { return s.knows }

// Head says which ledger this is, and the sequence of the last commit of this
// handle (of anybody, right after opening).
func (s *SQLite) Head() reconcile.LedgerHead { return *s.head.Load() }

// Close waits for what is queued, gives back the locks of runs that have not
// ended (they are dead from then on), and closes. Requests that come later get
// ErrClosed; closing again does nothing.
func (s *SQLite) Close() error {
	leases, open := s.takeLeases()
	if !open {
		return nil
	}
	for _, l := range leases {
		l.stopBeating()
	}
	s.writer.close()
	var errs []error
	for _, l := range leases {
		errs = append(errs, l.lock.Unlock())
	}
	errs = append(errs, s.writer.conn.Close(), s.closePools())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// closePools closes the writing pool last: it then moves everything into the
// file itself and removes the write-ahead log.
func (s *SQLite) closePools() error {
	var errs []error
	for _, db := range []*sqlx.DB{s.pool, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
