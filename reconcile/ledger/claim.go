package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

// Claim implements reconcile.Ledger. A run that was not begun on this handle,
// or is no longer alive, gets ErrRunOver; a paused target ErrPaused. Of two tickets for one event the
// second finds it moved. moved is not nil.
func (s *Store) Claim(ctx context.Context, target string, run reconcile.RunID, tickets []reconcile.Ticket) (
	taken []reconcile.EventID, moved map[reconcile.EventID]reconcile.Entry, err error,
) {
	tickets = slices.SortedStableFunc(slices.Values(tickets), func(a, b reconcile.Ticket) int {
		return strings.Compare(string(a.Event.ID), string(b.Event.ID))
	})
	next := make([]row, len(tickets))
	for i, ticket := range tickets {
		next[i] = s.eventRow(target, ticket.Event)
	}
	moved = map[reconcile.EventID]reconcile.Entry{}
	err = s.write(ctx, "claim for "+target, func(ctx context.Context, t *tx) error {
		if err := s.mustLive(run); err != nil {
			return err
		}
		if err := t.mustFlow(ctx, target); err != nil {
			return err
		}
		p, err := s.openPage(ctx, t, target, ticketIDs(tickets))
		if err != nil {
			return err
		}
		for i, ticket := range tickets {
			r, err := p.look(ctx, ticket.Event.ID)
			if err != nil {
				return err
			}
			if !r.claimable(ticket.Seen) {
				moved[ticket.Event.ID], err = r.entry()
			} else {
				taken = append(taken, ticket.Event.ID)
				err = p.take(r, next[i], run)
			}
			if err != nil {
				return err
			}
		}
		if err := t.undecide(ctx, target, taken); err != nil {
			return err
		}
		return p.writeNew(ctx, taken)
	})
	if err != nil {
		return nil, map[reconcile.EventID]reconcile.Entry{}, err
	}
	return taken, moved, nil
}

// take claims seen, an entry as look gave it, for next.
func (p *page) take(seen, next row, run reconcile.RunID) error {
	claimed, err := p.bury(seen).claimed(next, run)
	if err == nil {
		p.put(claimed)
	}
	return err
}

// eventRow is what the ledger keeps of an event: no person, no body.
func (s *Store) eventRow(target string, e reconcile.Event) row {
	r := newRow(target, e.ID, e.Value, e.Facts)
	r.Action, r.Shown = string(e.Action), e.Shown
	r.Person, r.Payload = s.seal.person(e.Person), s.seal.payload(e)
	r.Twin, r.Mark = s.seal.twinOf(e.Kind, e.Person, e.Value, e.Facts.Goods), s.seal.mark16(e.Facts.Mark)
	return r
}

func ticketIDs(tickets []reconcile.Ticket) []reconcile.EventID {
	ids := make([]reconcile.EventID, len(tickets))
	for i, t := range tickets {
		ids[i] = t.Event.ID
	}
	return ids
}

// writeNew writes the page and remembers the shops of ids.
func (p *page) writeNew(ctx context.Context, ids []reconcile.EventID) error {
	if err := p.write(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range ids {
		key, err := id.Key()
		if err != nil {
			return err
		}
		if seen[key.Shop] {
			continue
		}
		seen[key.Shop] = true
		if err := p.know(ctx, key.Shop); err != nil {
			return fmt.Errorf("remember shop: %w", err)
		}
	}
	return nil
}

// know remembers a numbering.
func (t *tx) know(ctx context.Context, shop string) error {
	var known bool
	err := t.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM shops WHERE shop = ?)`, shop)
	if err != nil || known {
		return err
	}
	return t.put(shopRow{}, shopRow{shop})
}

// write runs work through the writer and says what was attempted.
func (s *Store) write(ctx context.Context, what string, work work) error {
	if err := s.writer.do(ctx, work); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
