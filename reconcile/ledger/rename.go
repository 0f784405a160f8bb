package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"makegood/reconcile"
)

// ErrLiveRun says that a run is at work, and that what was asked for must wait
// for it.
var ErrLiveRun = errors.New("a run is at work: wait for its end")

// RenameShop gives every event of a numbering another name, after its name was
// changed in the configuration, and raises the epoch. What an order's content
// was is compared by its amount from then on, because the digests cover the
// name. It refuses while a run lives, and where the new name is known already.
func (s *Store) RenameShop(ctx context.Context, old, renamed string) (events int, err error) {
	err = s.write(ctx, "rename shop "+old, func(ctx context.Context, t *tx) error {
		if err := s.alone(ctx, t.conn); err != nil {
			return err
		}
		var shops []string
		if err := t.SelectContext(ctx, &shops, `SELECT shop FROM shops WHERE shop IN (?, ?) ORDER BY shop`, old, renamed); err != nil {
			return err
		}
		if len(shops) != 1 || shops[0] != old {
			return fmt.Errorf("the ledger knows the shops %v: name one that it knows, and one that it does not", shops)
		}
		n, err := t.rename(ctx, old, renamed)
		events = n
		return err
	})
	if err != nil {
		return 0, err
	}
	return events, s.reread(ctx)
}

// alone refuses while a run lives.
func (v *view) alone(ctx context.Context, c *conn) error {
	var open []string
	if err := c.SelectContext(ctx, &open, `SELECT run FROM runs WHERE finished IS NULL`); err != nil {
		return err
	}
	deaths := v.newDeaths()
	for _, run := range open {
		dead, err := deaths.isDead(ctx, c, run)
		if err != nil {
			return err
		}
		if !dead {
			return fmt.Errorf("run %s: %w", run, ErrLiveRun)
		}
	}
	return nil
}

// reread takes over what another epoch changed in this handle.
func (s *Store) reread(ctx context.Context) (err error) {
	if s.meta, s.knows, err = readMeta(ctx, s.pool); err == nil {
		s.setHead(s.meta.Sequence, s.meta.Hash)
	}
	return err
}

// rename rewrites the rows of one numbering.
func (t *tx) rename(ctx context.Context, old, renamed string) (n int, err error) {
	other := func(event string) (string, bool) {
		key, err := reconcile.EventID(event).Key()
		if err != nil || key.Shop != old {
			return event, false
		}
		kind, rest, _ := strings.Cut(event, "/")
		_, order, _ := strings.Cut(rest, "/")
		id := string(reconcile.NewEventID(reconcile.Kind(kind), reconcile.OrderKey{Shop: renamed, Order: "x"}))
		return strings.TrimSuffix(id, "x") + order, true
	}
	for _, example := range []any{row{}, attempt{}, decisionRow{}} {
		err := t.each(ctx, example, func(was any) error {
			is, changed := renamedRow(was, other)
			if !changed {
				return nil
			}
			n++
			return t.replace(ctx, was, is)
		})
		if err != nil {
			return n, err
		}
	}
	if err := t.replace(ctx, shopRow{old}, shopRow{renamed}); err != nil {
		return n, err
	}
	return n, t.raise(ctx)
}

// renamedRow gives a row its new event.
func renamedRow(was any, other func(string) (string, bool)) (is any, changed bool) {
	switch r := was.(type) {
	case row:
		if r.Event, changed = other(r.Event); changed {
			r.Version++
			r.Digest, r.Mark, r.Before = blob{}, blob{}, ""
		}
		return r, changed
	case attempt:
		r.Event, changed = other(r.Event)
		return r, changed
	case decisionRow:
		r.Event, changed = other(r.Event)
		r.Mark = blob{}
		return r, changed
	}
	return was, false
}

// replace stores a row under another key, or with the same key anew.
func (t *tx) replace(ctx context.Context, was, is any) error {
	if err := t.drop(ctx, was); err != nil {
		return err
	}
	d, _ := t.seal.changed(zeroOf(is), is)
	t.pending = append(t.pending, stored{row: is})
	t.journal.Write(d.line())
	if len(t.pending) >= maxRows {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	if t.journal.Len() > baseRow {
		return t.link(ctx)
	}
	return nil
}
