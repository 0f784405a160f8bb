package ledger

import (
	"context"
	"fmt"

	"makegood/reconcile"
)

// Resolve implements reconcile.Ledger. It ends the doubt about a doubtful
// entry or the claim of a dead run, and reopens a refused one, or, by the word
// Lost alone, a done one. A Receipt is also taken for a done one. Any other entry gives ErrLedgerMoved. The note is kept as it is: it must not name a customer.
func (s *Store) Resolve(ctx context.Context, target string, id reconcile.EventID, res reconcile.Resolution) error {
	if res.State != reconcile.StateDone && res.State != reconcile.StateOpen {
		return fmt.Errorf("resolve %s at %s: a doubt ends as done or open, not %q", id, target, res.State)
	}
	if res.Lost && (res.State != reconcile.StateOpen || res.Note == "" || res.Who == "") {
		return fmt.Errorf("resolve %s at %s: what was lost is open again, on somebody's word with a note", id, target)
	}
	if res.Receipt != "" && (res.State != reconcile.StateDone || res.Note == "") {
		return fmt.Errorf("resolve %s at %s: a receipt is of what is done, on somebody's word with a note", id, target)
	}
	return s.write(ctx, "resolve for "+target, func(ctx context.Context, t *tx) error {
		p, err := s.openPage(ctx, t, target, []reconcile.EventID{id})
		if err != nil {
			return err
		}
		r, err := p.look(ctx, id)
		if err != nil {
			return err
		}
		if !r.endsBy(res) {
			return fmt.Errorf("entry %s is %s: %w", id, stateWord(r), reconcile.ErrLedgerMoved)
		}
		p.put(p.bury(r).resolved(res))
		return p.write()
	})
}

// endsBy reports whether a word fits what the entry is.
func (r row) endsBy(res reconcile.Resolution) bool {
	if res.Lost {
		return r.is(reconcile.StateDone)
	}
	if res.Receipt != "" && r.is(reconcile.StateDone) {
		return res.State == reconcile.StateDone
	}
	return r.is(reconcile.StateDoubtful) || r.is(reconcile.StateRefused)
}

// stateWord names a state in a sentence.
func stateWord(r row) string {
	if r.Version == 0 {
		return "not known"
	}
	return r.State
}

// resolved is the entry once somebody gave their word.
func (r row) resolved(res reconcile.Resolution) row {
	if res.Receipt != "" && r.is(reconcile.StateDone) { // it stays done by whoever said so
		r.Receipt, r.Note = res.Receipt, res.Note
		return r
	}
	r.State, r.By, r.Who, r.Note = string(res.State), string(res.By), res.Who, res.Note
	if res.State == reconcile.StateOpen {
		r.By = ""
	}
	if res.Receipt != "" {
		r.Receipt = res.Receipt
	}
	if res.Lost {
		r.Receipt, r.SaidAt = "", never()
	}
	r.Lost, r.NotBefore, r.Before = res.Lost, never(), ""
	return r
}
