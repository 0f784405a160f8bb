package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
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

// Store is a ledger in an SQLite file or a PostgreSQL database. It is safe for
// concurrent use, and several processes may have the same one open: with
// SQLite on one machine, with PostgreSQL on many.
type Store struct {
	view
	writing *sqlx.DB
	writer  *writer
	meta    metaRow
	created bool
	knows   bool
	head    atomic.Pointer[reconcile.LedgerHead]
	host    string
	beat    time.Duration

	mu     sync.Mutex
	leases map[reconcile.RunID]*lease

	buying sync.Mutex
	lanes  *sqlx.DB // nil: nothing was bought yet
}

var _ reconcile.Ledger = (*Store)(nil)

// Open opens a ledger for runs: a file, or the URL of a PostgreSQL database
// (postgres://...). It creates what is absent (a file's folder must exist),
// stamps it with the environment, and brings an older schema up to date.
// Errors are ErrNewerSchema, ErrNoLedger, ErrNetworkFS and ErrOtherKey, and
// those of the place. The caller closes it.
func Open(ctx context.Context, place string, o Options) (*Store, error) {
	o = o.filled()
	db, err := databaseAt(place, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s, err := open(ctx, db, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", db.name(), err)
	}
	return s, nil
}

func open(ctx context.Context, db database, o Options) (*Store, error) {
	if len(o.Key) != KeySize {
		return nil, fmt.Errorf("the person key has %d bytes, want %d", len(o.Key), KeySize)
	}
	s := &Store{view: newView(db, o), host: o.Host, beat: o.Beat, leases: map[reconcile.RunID]*lease{}}
	err := db.migrating(ctx, func() (err error) {
		if err = db.prepare(ctx); err != nil {
			return err
		}
		if s.writing, err = db.openWriting(ctx); err != nil {
			return err
		}
		if err = migrate(ctx, s.writing, db.schema()); err != nil {
			return err
		}
		s.writer = newWriter(s.writing, db, s.seal, o.Clock)
		s.created, err = s.stampNew(ctx, o)
		return err
	})
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.closePools())
	}
	return s, nil
}

// start reads the stamp, opens the readers' pool and starts the writer.
func (s *Store) start(ctx context.Context) (err error) {
	if s.meta, s.knows, err = readMeta(ctx, s.writing); err != nil {
		return err
	}
	if !s.seal.fits(s.meta.KeyMark) {
		return ErrOtherKey
	}
	if s.pool, err = s.db.openReading(ctx); err != nil {
		return err
	}
	s.setHead(s.meta.Sequence, s.meta.Hash)
	s.writer.start(s.setHead)
	return nil
}

func (s *Store) setHead(sequence int64, hash blob) {
	s.head.Store(&reconcile.LedgerHead{Ledger: s.meta.Ledger, Epoch: s.meta.Epoch, Sequence: sequence, Hash: hex.EncodeToString(hash)})
}

// Created reports whether Open made this ledger.
func (s *Store) Created() bool { return s.created }

// Environment is what the ledger was stamped with when it was made.
func (s *Store) Environment() string { return s.meta.Environment }

// KnowsRuns reports whether the ledger had seen a run before it was opened.
func (s *Store) KnowsRuns() bool { return s.knows }

// Head says which ledger this is, and the sequence of the last commit of this
// handle (of anybody, right after opening).
func (s *Store) Head() reconcile.LedgerHead { return *s.head.Load() }

// Close waits for what is queued, gives back the locks of runs that have not
// ended (they are dead from then on), and closes. Requests that come later get
// ErrClosed; closing again does nothing.
func (s *Store) Close() error {
	leases, open := s.takeLeases()
	if !open {
		return nil
	}
	for _, l := range leases {
		l.stopBeating()
	}
	errs := []error{s.writer.close()}
	for _, l := range leases {
		errs = append(errs, l.lock.release())
	}
	if err := errors.Join(append(errs, s.closePools())...); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// closePools closes the writing pool last: SQLite then moves everything into
// the file itself and removes the write-ahead log.
func (s *Store) closePools() error {
	var errs []error
	for _, db := range []*sqlx.DB{s.lanes, s.pool, s.writing} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
