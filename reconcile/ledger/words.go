package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"makegood/reconcile"
)

// Say implements reconcile.Speaker.
func (s *Store) Say(ctx context.Context, words []reconcile.Word) error {
	return s.write(ctx, "keep what a person said", func(ctx context.Context, t *tx) error {
		for _, w := range words {
			if err := t.say(ctx, s.wordRow(w)); err != nil {
				return err
			}
		}
		return nil
	})
}

// wordRow keeps ids hidden, as decisions do.
func (s *Store) wordRow(w reconcile.Word) wordRow {
	if w.Kind == reconcile.WordAccept {
		w.About = string(s.seal.hide(reconcile.EventID(w.About)))
	}
	return wordRow{Kind: string(w.Kind), Target: w.Target, About: w.About, Value: w.Value, Until: micros(w.Until), Who: w.Who, Note: w.Note}
}

func (t *tx) say(ctx context.Context, is wordRow) error {
	var was wordRow
	err := t.GetContext(ctx, &was, `SELECT * FROM words WHERE kind = ? AND target = ? AND about = ?`, is.Kind, is.Target, is.About)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	is.At = micros(t.now)
	return t.put(was, is)
}

// Words implements reconcile.Speaker.
func (v *view) Words(ctx context.Context, kind reconcile.WordKind) (list []reconcile.Word, err error) {
	err = v.read(ctx, "read what people said", func(c *conn) error {
		var rows []wordRow
		err := c.SelectContext(ctx, &rows, `SELECT * FROM words WHERE kind = ? ORDER BY target, about`, string(kind))
		for _, r := range rows {
			list = append(list, r.word())
		}
		return err
	})
	return list, err
}

func (r wordRow) word() reconcile.Word {
	return reconcile.Word{Kind: reconcile.WordKind(r.Kind), Target: r.Target, About: r.About, Value: r.Value, Until: instant(r.Until),
		Who: r.Who, Note: r.Note, At: instant(r.At)}
}

// acceptedAmong finds what was accepted of a target's events.
const acceptedAmong = `SELECT w.* FROM json_each(?) AS j CROSS JOIN words AS w WHERE w.kind = 'accept' AND w.target = ? AND w.about = j.value`

// Accepted implements reconcile.Reader.
func (v *view) Accepted(ctx context.Context, target string, ids []reconcile.EventID) (map[reconcile.EventID]reconcile.Word, error) {
	hidden := make(map[string]reconcile.EventID, len(ids))
	for _, id := range ids {
		hidden[string(v.seal.hide(id))] = id
	}
	found := map[reconcile.EventID]reconcile.Word{}
	err := v.read(ctx, "look up what was accepted", func(c *conn) error {
		for part := range slices.Chunk(sorted(v.seal.hidden(ids)), maxRows) {
			list, err := idList(part)
			if err != nil {
				return err
			}
			var rows []wordRow
			if err := c.SelectContext(ctx, &rows, acceptedAmong, list, target); err != nil {
				return err
			}
			for _, r := range rows {
				found[hidden[r.About]] = r.word()
			}
		}
		return nil
	})
	return found, err
}

// mustFlow gives ErrPaused when a person keeps the target from being sent to. A
// pause holds for what is tried there, too.
func (t *tx) mustFlow(ctx context.Context, target string) error {
	var paused bool
	of, _ := reconcile.TriedAt(target)
	err := t.GetContext(ctx, &paused, `SELECT EXISTS (SELECT 1 FROM words WHERE kind = 'pause' AND target IN (?, ?, '') AND (until = ? OR until > ?))`,
		target, of, never(), micros(t.now))
	if err == nil && paused {
		err = reconcile.ErrPaused
	}
	return err
}
