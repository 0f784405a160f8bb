package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"makegood/reconcile"
)

// Reader is a ledger opened for planning. It changes nothing and is safe for
// concurrent use.
type Reader struct {
	view
	stamp stamp
	knows bool
}

var _ reconcile.Reader = (*Reader)(nil)

// OpenReader opens a ledger that is never written to: it creates no ledger,
// migrates nothing and registers nothing. An absent file reads as an empty
// ledger. Options.Key may be nil; NewestCart then fails as soon as somebody is
// asked for. Errors are ErrNewerSchema, ErrOlderSchema, ErrNoLedger,
// ErrNetworkFS and ErrOtherKey. The caller closes it.
func OpenReader(ctx context.Context, path string, o Options) (*Reader, error) {
	r, err := openReader(ctx, path, o.filled())
	if err != nil {
		return nil, fmt.Errorf("open ledger %s for reading: %w", path, err)
	}
	return r, nil
}

func openReader(ctx context.Context, path string, o Options) (*Reader, error) {
	if err := refuseNetwork(filepath.Dir(path)); err != nil {
		return nil, err
	}
	v, err := newView(path, o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &Reader{view: v}, nil
	}
	if v.pool, err = openPool(ctx, path, reading()); err != nil {
		return nil, err
	}
	r := &Reader{view: v}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.pool.Close())
	}
	return r, nil
}

func (r *Reader) start(ctx context.Context) error {
	have, older, err := checkSchema(ctx, r.pool)
	if err != nil {
		return err
	}
	if have == 0 { // somebody is just making it
		err := r.pool.Close()
		r.pool = nil
		return err
	}
	if older {
		return ErrOlderSchema
	}
	if r.stamp, r.knows, err = readStamp(ctx, r.pool); err != nil {
		return err
	}
	if r.seal.key != nil && !r.seal.fits(r.stamp.KeyMark) {
		return ErrOtherKey
	}
	return nil
}

// Absent reports whether there is no ledger yet.
func (r *Reader) Absent() bool { return r.pool == nil }

// Environment is what the ledger was stamped with, "" when it is absent.
func (r *Reader) Environment() string { return r.stamp.Environment }

// KnowsRuns reports whether the ledger had seen a run when it was opened.
func (r *Reader) KnowsRuns() bool { return r.knows }

// Head is the ledger's head as it was when it was opened, the zero value when
// it is absent.
func (r *Reader) Head() reconcile.LedgerHead {
	return reconcile.LedgerHead{Ledger: r.stamp.Ledger, Epoch: r.stamp.Epoch, Sequence: r.stamp.Sequence}
}

// Close closes the reader.
func (r *Reader) Close() error {
	if r.pool == nil {
		return nil
	}
	return r.pool.Close()
}
