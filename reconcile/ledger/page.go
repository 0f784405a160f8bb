package ledger

import (
	"context"

	"makegood/reconcile"
)

// page holds the entries of one request: read once, changed in memory, and
// written back together, all inside the writer's transaction.
type page struct {
	*tx
	target  string
	deaths  *deaths
	rows    map[reconcile.EventID]row
	changed map[reconcile.EventID]row // what was there before
	made    []attempt
}

// openPage reads the entries of ids.
func (s *Store) openPage(ctx context.Context, t *tx, target string, ids []reconcile.EventID) (*page, error) {
	p := &page{
		tx: t, target: target, deaths: s.newDeaths(),
		rows: make(map[reconcile.EventID]row, len(ids)), changed: map[reconcile.EventID]row{},
	}
	err := eachRow(ctx, t.conn, target, sorted(ids), func(r row) error {
		p.rows[r.id()] = r
		return nil
	})
	return p, err
}

// look gives an entry as a reader sees it: the claim of a dead run is doubtful.
// An absent one has version 0.
func (p *page) look(ctx context.Context, id reconcile.EventID) (row, error) {
	r, known := p.rows[id]
	if !known {
		return row{Target: p.target, Event: string(id)}, nil
	}
	return p.deaths.resolve(ctx, p.conn, r)
}

// bury records the attempt of a dead run as in doubt if seen, which look gave,
// stands for its claim. It returns the entry with that attempt counted.
func (p *page) bury(seen row) row {
	if stored := p.rows[seen.id()]; !stored.is(reconcile.StateClaimed) || seen.is(reconcile.StateClaimed) {
		return seen
	}
	p.made = append(p.made, attempt{
		Target: p.target, Event: seen.Event, Run: seen.Run, Version: seen.Version,
		At: micros(p.now), Verdict: reconcile.InDoubt.String(), Lost: true,
	})
	seen.Attempts++
	seen.Before = ""
	return seen
}

// put keeps a changed entry; every write raises its version.
func (p *page) put(r row) {
	r.Version++
	r.At = micros(p.now)
	if _, again := p.changed[r.id()]; !again {
		p.changed[r.id()] = p.rows[r.id()]
	}
	p.rows[r.id()] = r
}

// note keeps the attempts behind an outcome and tells how many reached the
// wire, or may have.
func (p *page) note(o reconcile.Outcome, run reconcile.RunID, late bool) int {
	made := attemptsOf(o, p.now)
	for i, a := range made {
		stored := attempt{
			Target: p.target, Event: string(o.ID), Run: string(run), Version: o.Version,
			At: micros(a.At), Verdict: a.Verdict.String(), Status: a.Status, Code: codeOnly(a.Code), Late: late,
		}
		if i == len(made)-1 {
			stored.Receipt = o.Receipt
		}
		p.made = append(p.made, stored)
	}
	return onWire(made)
}

// write stores what changed.
func (p *page) write() error {
	for _, a := range p.made {
		if err := p.tx.put(attempt{}, p.number(a)); err != nil {
			return err
		}
	}
	for _, id := range sortedKeys(p.changed) {
		if err := p.tx.put(p.changed[id], p.rows[id]); err != nil {
			return err
		}
	}
	return nil
}
