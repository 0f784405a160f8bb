package table

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"makegood/reconcile"
)

// sought is an order of the second pass: what the first one knew of it.
type sought struct {
	file, rows int32
	digest     [16]byte
	known      bool
	given      bool
}

// Orders yields the whole orders of keys, which came from the last Heads, each
// once. Files that can be read twice are read again, for the others the first
// pass has kept its rows. What is not as it was then gives ErrChanged.
func (s *Source) Orders(ctx context.Context, keys []reconcile.OrderKey) iter.Seq2[reconcile.Order, error] {
	return func(yield func(reconcile.Order, error) bool) {
		err := s.orders(ctx, keys, func(o reconcile.Order) bool { return yield(o, nil) })
		if err != nil && !errors.Is(err, errStop) {
			yield(reconcile.Order{}, fmt.Errorf("read the lines of source %s: %w", s.cfg.Name, err))
		}
	}
}

func (s *Source) orders(ctx context.Context, keys []reconcile.OrderKey, yield func(reconcile.Order) bool) (err error) {
	if len(keys) == 0 {
		return nil
	}
	seek, err := s.look(keys)
	if err != nil {
		return err
	}
	p := s.newPass(&reconcile.Tally{LeftOut: map[reconcile.Reason]int{}})
	defer func() { err = errors.Join(err, p.spill.close()) }()
	out := &giver{pass: p, yield: yield}
	p.seek, p.deliver, p.whole, p.budget = seek, out.deliver, out.give, s.options.Budget
	files := wanted(seek)
	for i := range s.read {
		if !s.parts() && !files[i] {
			continue
		}
		p.at(i)
		if err := p.readAgain(ctx, &s.read[i]); err != nil {
			return err
		}
	}
	if err := p.finish(); err != nil {
		return err
	}
	for _, w := range seek {
		if !w.given {
			return fmt.Errorf("read the orders again: %w", reconcile.ErrChanged)
		}
	}
	return nil
}

// look finds what the first pass knew of the keys.
func (s *Source) look(keys []reconcile.OrderKey) (map[string]*sought, error) {
	seek := make(map[string]*sought, len(keys))
	byHash := make(map[uint64]*sought, len(keys))
	list := make([]sought, len(keys)) // in one piece
	for i, k := range keys {
		if k.Shop != s.cfg.Shop {
			return nil, fmt.Errorf("find order %q: its shop %q is not of this source", k.Order, k.Shop)
		}
		if seek[k.Order] == nil {
			w := &list[i]
			seek[k.Order], byHash[s.hasher.of(k.Order)] = w, w
		}
	}
	err := s.catalog.each(func(e entry) {
		if w := byHash[e.hash]; w != nil {
			*w = sought{file: int32(e.file), rows: int32(e.rows), digest: e.digest, known: true}
		}
	})
	if err != nil {
		return nil, err
	}
	for key, w := range seek {
		if !w.known {
			return nil, fmt.Errorf("find order %q: the last pass did not give it as one that can be sent", key)
		}
	}
	return seek, nil
}

// wanted lists the files whose versions are sought.
func wanted(seek map[string]*sought) map[int]bool {
	files := map[int]bool{}
	for _, w := range seek {
		files[int(w.file)] = true
	}
	return files
}

// sought reports whether the order of the row at hand is wanted, in the
// version of this file. A row of an order that was given already is one more
// than the first pass met.
func (p *pass) sought() (bool, error) {
	w := p.seek[p.id.key]
	if w == nil || int(w.file) != p.file {
		return false, nil
	}
	if w.given {
		return false, fmt.Errorf("read order %q again: %w", p.id.key, reconcile.ErrChanged)
	}
	return true, nil
}

// readAgain is the second pass over one file.
func (p *pass) readAgain(ctx context.Context, f *readFile) error {
	if f.spool != nil {
		cursor, err := f.spool.open()
		if err != nil {
			return err
		}
		return p.drain(ctx, f.Name(), cursor)
	}
	if err := unchanged(f, f.mark); err != nil {
		return err
	}
	if err := p.walk(ctx, f); err != nil {
		return err
	}
	return unchanged(f, f.mark)
}

// giver yields the orders of the second pass.
type giver struct {
	pass  *pass
	yield func(reconcile.Order) bool
}

func (g *giver) deliver(list []*partial) error {
	for i, p := range list {
		if p == nil {
			continue
		}
		list[i] = nil
		if err := g.give(p); err != nil {
			return err
		}
	}
	return nil
}

// give yields one order whose rows have all been met.
func (g *giver) give(p *partial) error {
	w := g.pass.seek[p.key]
	h := g.pass.head(p)
	if w.given || p.rows != int(w.rows) || len(h.Bad) > 0 || [16]byte(h.Digest[:16]) != w.digest {
		return fmt.Errorf("read order %q again: %w", p.key, reconcile.ErrChanged)
	}
	w.given = true
	if !g.yield(order(h, p.items)) {
		return errStop
	}
	return nil
}
