package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"makegood/reconcile"
)

// Settle implements reconcile.Ledger. Of an event that the ledger has no entry
// of, the attempts are kept and ErrLedgerMoved names it; all other outcomes
// are recorded all the same. Where the database ended the session before it kept
// anything, as it does with a machine that stands still while others wait to
// write, they are recorded once more: answers must not be lost to that.
func (s *Store) Settle(ctx context.Context, target string, run reconcile.RunID, outcomes []reconcile.Outcome) (
	repeats []reconcile.EventID, err error,
) {
	outcomes = slices.SortedStableFunc(slices.Values(outcomes), func(a, b reconcile.Outcome) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
	var unknown error
	record := func(ctx context.Context, t *tx) error {
		repeats, unknown = nil, nil
		p, err := s.openPage(ctx, t, target, outcomeIDs(outcomes))
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			if _, known := p.rows[o.ID]; !known {
				unknown = fmt.Errorf("settle for %s: %s was never claimed: %w", target, o.ID, reconcile.ErrLedgerMoved)
			}
			repeat, err := p.settle(ctx, run, o)
			if err != nil {
				return err
			}
			if repeat {
				repeats = append(repeats, o.ID)
			}
		}
		return p.write()
	}
	for range 2 {
		if err = s.write(context.WithoutCancel(ctx), "settle for "+target, record); err == nil || !s.db.cut(err) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return slices.Compact(repeats), unknown
}

func outcomeIDs(outcomes []reconcile.Outcome) []reconcile.EventID {
	ids := make([]reconcile.EventID, len(outcomes))
	for i, o := range outcomes {
		ids[i] = o.ID
	}
	return ids
}

// settle records one outcome. The claim it belongs to is still there even when
// others already read it as a dead run's.
func (p *page) settle(ctx context.Context, run reconcile.RunID, o reconcile.Outcome) (repeat bool, err error) {
	r, known := p.rows[o.ID]
	if !known || !r.is(reconcile.StateClaimed) || r.Run != string(run) || r.Version != o.Version {
		return p.settleLate(ctx, run, o)
	}
	r.Attempts += p.note(o, run, false)
	settled, err := r.settled(o)
	if err == nil {
		p.put(settled)
	}
	return false, err
}

// settleLate records an outcome whose entry has moved on. It leaves the state,
// but that the event was accepted ends a doubt.
func (p *page) settleLate(ctx context.Context, run reconcile.RunID, o reconcile.Outcome) (repeat bool, err error) {
	onWire := p.note(o, run, true)
	r, err := p.look(ctx, o.ID)
	if err != nil || r.Version == 0 || o.Verdict != reconcile.Sent {
		return false, err
	}
	if r.is(reconcile.StateDoubtful) {
		r = p.bury(r)
		r.Attempts += onWire
		p.put(r.sent(o))
	}
	return r.Run != string(run), nil
}
