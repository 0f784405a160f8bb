package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"makegood/reconcile"
)

// Reader is a ledger opened for planning. It changes nothing and is safe for
// concurrent use.
type Reader struct {
	view
	meta  metaRow
	knows bool
}

var _ reconcile.Reader = (*Reader)(nil)

// OpenReader opens a ledger that is never written to: it creates no ledger,
// migrates nothing and registers nothing. An absent place reads as an empty
// ledger. Options.Key may be nil; CartEvents then fails as soon as somebody is
// asked for. Errors are ErrNewerSchema, ErrOlderSchema, ErrNoLedger,
// ErrNetworkFS and ErrOtherKey. The caller closes it.
func OpenReader(ctx context.Context, place string, o Options) (*Reader, error) {
	o = o.filled()
	db, err := databaseAt(place, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger for reading: %w", err)
	}
	r := &Reader{view: newView(db, o)}
	if r.pool, err = db.openReading(ctx); err == nil && r.pool != nil {
		err = r.start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger %s for reading: %w", db.name(), errors.Join(err, r.Close()))
	}
	return r, nil
}

func (r *Reader) start(ctx context.Context) error {
	have, older, err := checkSchema(ctx, r.pool, r.db.schema())
	if err != nil {
		return err
	}
	var named bool
	if have > 0 {
		if err := r.pool.GetContext(ctx, &named, `SELECT EXISTS (SELECT 1 FROM meta)`); err != nil {
			return fmt.Errorf("read the ledger's stamp: %w", err)
		}
	}
	if !named { // somebody is just making it, or died meanwhile
		err := r.pool.Close()
		r.pool = nil
		return err
	}
	if older {
		return ErrOlderSchema
	}
	if r.meta, r.knows, err = readMeta(ctx, r.pool); err != nil {
		return err
	}
	if r.seal.key != nil && !r.seal.fits(r.meta.KeyMark) {
		return ErrOtherKey
	}
	return nil
}

// Absent reports whether there is no ledger yet.
func (r *Reader) Absent() bool { return r.pool == nil }

// Environment is what the ledger was stamped with, "" when it is absent.
func (r *Reader) Environment() string { return r.meta.Environment }

// KnowsRuns reports whether the ledger had seen a run when it was opened.
func (r *Reader) KnowsRuns() bool { return r.knows }

// Head is the ledger's head as it was when it was opened, the zero value when
// it is absent.
func (r *Reader) Head() reconcile.LedgerHead {
	return reconcile.LedgerHead{Ledger: r.meta.Ledger, Epoch: r.meta.Epoch, Sequence: r.meta.Sequence, Hash: hex.EncodeToString(r.meta.Hash)}
}

// Close closes the reader.
func (r *Reader) Close() error {
	if r.pool == nil {
		return nil
	}
	return r.pool.Close()
}
