package ledger

import (
	"context"

	"makegood/reconcile"
)

// Adopt implements reconcile.Ledger. A run that was not begun on this handle,
// or is no longer alive, gets ErrRunOver.
func (s *Store) Adopt(ctx context.Context, target string, run reconcile.RunID, adoptions []reconcile.Adoption) (adopted int, err error) {
	ids := make([]reconcile.EventID, len(adoptions))
	for i, a := range adoptions {
		ids[i] = a.Want.ID
	}
	err = s.write(ctx, "adopt for "+target, func(ctx context.Context, t *tx) error {
		if err := s.mustLive(run); err != nil {
			return err
		}
		p, err := s.openPage(ctx, t, target, ids)
		if err != nil {
			return err
		}
		for _, a := range adoptions {
			r, err := p.look(ctx, a.Want.ID)
			if err != nil {
				return err
			}
			if r.claimable(a.Seen) {
				p.put(p.bury(r).adopted(s.adoptedRow(target, a), run))
				adopted++
			}
		}
		taken := sortedKeys(p.changed)
		if err := t.undecide(ctx, target, taken); err != nil {
			return err
		}
		return p.writeNew(ctx, taken)
	})
	if err != nil {
		return 0, err
	}
	return adopted, nil
}

func (s *Store) adoptedRow(target string, a reconcile.Adoption) row {
	r := newRow(target, a.Want.ID, a.Want.Value, a.Want.Facts)
	r.Person = s.seal.person(a.Want.Person)
	r.Twin = s.seal.twinOf(a.Want.Kind, a.Want.Person, a.Want.Value, a.Want.Facts.Goods)
	r.Mark = s.seal.mark16(a.Want.Facts.Mark)
	r.By, r.Who, r.SaidAt, r.Receipt = string(a.By), a.Who, micros(a.At), a.Receipt
	return r
}

// adopted is the entry once somebody else turned out to have sent next.
func (r row) adopted(next row, run reconcile.RunID) row {
	next.Version, next.Attempts = r.Version, r.Attempts
	next.State, next.Run = string(reconcile.StateDone), string(run)
	return next
}
