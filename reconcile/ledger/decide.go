package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"makegood/reconcile"
)

// decided finds the decisions about events at a target.
const decided = `SELECT e.* FROM json_each(?) AS j CROSS JOIN decisions AS e WHERE e.target = ? AND e.event = j.value`

// Decide implements reconcile.Ledger. A run that was not begun on this handle,
// or is no longer alive, gets ErrRunOver.
func (s *Store) Decide(ctx context.Context, run reconcile.RunID, decisions []reconcile.Decision) error {
	byTarget := map[string][]decisionRow{}
	for _, d := range decisions {
		r, err := s.decisionRow(d, run)
		if err != nil {
			return fmt.Errorf("keep why %s is where it is: %w", d.ID, err)
		}
		byTarget[d.Target] = append(byTarget[d.Target], r)
	}
	return s.write(ctx, "keep what was decided", func(ctx context.Context, t *tx) error {
		if err := s.mustLive(run); err != nil {
			return err
		}
		for target, rows := range byTarget {
			if err := t.decide(ctx, target, rows); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) decisionRow(d reconcile.Decision, run reconcile.RunID) (decisionRow, error) {
	origin, err := json.Marshal(d.Origin)
	r := decisionRow{Target: d.Target, Event: string(s.seal.hide(d.ID)), Source: d.Source, Bucket: string(d.Place.Bucket), Reason: string(d.Place.Reason),
		Detail: d.Detail, Origin: string(origin), Currency: d.Value.Currency, CompletedAt: micros(d.CompletedAt), Mark: s.seal.mark16(d.Mark), Run: string(run)}
	if d.Value.Amount != nil {
		text := canonical(*d.Value.Amount)
		r.Amount = &text
	}
	return r, err
}

// hidden hides each id.
func (s seal) hidden(ids []reconcile.EventID) []reconcile.EventID {
	list := make([]reconcile.EventID, len(ids))
	for i, id := range ids {
		list[i] = s.hide(id)
	}
	return list
}

// decide stores rows of one target that say something new.
func (t *tx) decide(ctx context.Context, target string, rows []decisionRow) error {
	slices.SortStableFunc(rows, func(a, b decisionRow) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Source, b.Source))
	})
	ids := make([]reconcile.EventID, len(rows))
	for i, r := range rows {
		ids[i] = reconcile.EventID(r.Event)
	}
	known, err := t.decisions(ctx, target, ids)
	if err != nil {
		return err
	}
	ended := map[string]bool{}
	for _, is := range rows {
		was := known[decisionKey{is.Event, is.Source}]
		is.At = micros(t.now)
		if was.Event != "" {
			told, err := t.told(ctx, ended, was.Run)
			if err != nil {
				return err
			}
			if was.recalls() && !is.recalls() {
				continue // what evidence named once is not forgotten
			}
			same := is
			same.Run, same.At = was.Run, was.At
			if _, differs := t.seal.changed(was, same); !differs && (told || was.Run == is.Run) {
				continue
			}
			if told && was.Bucket == is.Bucket && was.Reason == is.Reason { // it has been there since then
				is.Run, is.At = was.Run, was.At
			}
		}
		if err := t.put(was, is); err != nil {
			return err
		}
		known[decisionKey{is.Event, is.Source}] = is
	}
	return nil
}

// told reports whether a run came to its end and so told somebody what it
// decided. ended remembers the answers.
func (t *tx) told(ctx context.Context, ended map[string]bool, run string) (told bool, err error) {
	if told, known := ended[run]; known {
		return told, nil
	}
	err = t.GetContext(ctx, &told, `SELECT EXISTS (SELECT 1 FROM runs WHERE run = ? AND finished IS NOT NULL)`, run)
	ended[run] = told
	return told, err
}

// recalls is reconcile.Decision.Recalls.
func (r decisionRow) recalls() bool {
	return reconcile.Decision{Place: reconcile.Place{Bucket: reconcile.Bucket(r.Bucket), Reason: reconcile.Reason(r.Reason)}}.Recalls()
}

type decisionKey struct{ event, source string }

func (c *conn) decisions(ctx context.Context, target string, ids []reconcile.EventID) (map[decisionKey]decisionRow, error) {
	found := map[decisionKey]decisionRow{}
	for part := range slices.Chunk(sorted(ids), maxRows) {
		list, err := idList(part)
		if err != nil {
			return nil, err
		}
		var rows []decisionRow
		if err := c.SelectContext(ctx, &rows, decided, list, target); err != nil {
			return nil, fmt.Errorf("find decisions: %w", err)
		}
		for _, r := range rows {
			found[decisionKey{r.Event, r.Source}] = r
		}
	}
	return found, nil
}

// undecide ends what was decided about events that a claim takes, and about
// their orders.
func (t *tx) undecide(ctx context.Context, target string, ids []reconcile.EventID) error {
	orders := make([]reconcile.EventID, 0, len(ids))
	for _, id := range ids {
		key, err := id.Key()
		if err != nil {
			return err
		}
		orders = append(orders, reconcile.NewEventID(reconcile.KindOrder, key))
	}
	for _, of := range []struct {
		target string
		ids    []reconcile.EventID
	}{{target, slices.Concat(ids, orders)}, {"", orders}} {
		known, err := t.decisions(ctx, of.target, t.seal.hidden(of.ids))
		if err != nil {
			return err
		}
		for _, r := range known {
			if err := t.drop(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// HasDecided implements reconcile.Reader.
func (v *view) HasDecided(ctx context.Context, target string) (has bool, err error) {
	err = v.read(ctx, "see whether anything was decided", func(conn *conn) error {
		return conn.GetContext(ctx, &has, `SELECT EXISTS (SELECT 1 FROM decisions WHERE target = ?)`, target)
	})
	return has, err
}

// Decided lists what was decided about events at a target, or with target ""
// about orders at their sources.
func (v *view) Decided(ctx context.Context, target string, ids []reconcile.EventID) (list []reconcile.Decision, err error) {
	asked := make(map[reconcile.EventID]reconcile.EventID, len(ids))
	for _, id := range ids {
		asked[v.seal.hide(id)] = id
	}
	err = v.read(ctx, "look up what was decided", func(conn *conn) error {
		known, err := conn.decisions(ctx, target, v.seal.hidden(ids))
		if err != nil {
			return err
		}
		for _, r := range known {
			d, err := r.decision()
			if err != nil {
				return err
			}
			d.ID = asked[d.ID] // as it is known where the person key is
			list = append(list, d)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b reconcile.Decision) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Source, b.Source))
	})
	return list, err
}

func (r decisionRow) decision() (reconcile.Decision, error) {
	d := reconcile.Decision{Target: r.Target, Source: r.Source, ID: reconcile.EventID(r.Event), Detail: r.Detail,
		Place:       reconcile.Place{Bucket: reconcile.Bucket(r.Bucket), Reason: reconcile.Reason(r.Reason)},
		CompletedAt: instant(r.CompletedAt), Run: reconcile.RunID(r.Run), At: instant(r.At)}
	d.Value.Currency = r.Currency
	if r.Amount != nil {
		amount, err := reconcile.ParseDecimal(*r.Amount)
		if err != nil {
			return d, fmt.Errorf("read the amount of decision %s: %w", r.Event, err)
		}
		d.Value.Amount = &amount
	}
	if err := json.Unmarshal([]byte(r.Origin), &d.Origin); err != nil {
		return d, fmt.Errorf("read where order %s was read: %w", r.Event, err)
	}
	return d, nil
}
