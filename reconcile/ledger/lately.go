package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// clocksApart is how far the clocks of hosts are apart at most whose runs begin.
const clocksApart = 10 * time.Second

// SentLately counts, by target, the events that were accepted since so long ago by
// the clocks of the hosts that sent them, as far as they are settled. It reads
// what was written since, and a little more.
func (v *view) SentLately(ctx context.Context, since time.Duration) (map[string]int, error) {
	counts := map[string]int{}
	err := v.read(ctx, "count what was sent lately", func(c *conn) error {
		now, err := v.db.now(ctx, c)
		if err != nil {
			return err
		}
		begin := now.Add(-since)
		first, err := journalledBefore(ctx, c, begin.Add(-clocksApart))
		if err != nil {
			return err
		}
		var rows []struct {
			Target string `db:"target"`
			N      int    `db:"n"`
		}
		// The numbers of attempts begin with that of their transaction.
		err = c.SelectContext(ctx, &rows, `SELECT target, count(*) AS n FROM attempts
			WHERE attempt >= ? AND verdict = 'sent' AND at >= ? GROUP BY target`, first<<attemptBits, micros(begin))
		for _, r := range rows {
			counts[r.Target] = r.N
		}
		return err
	})
	return counts, err
}

// journalledBefore finds a row of the journal that is older than a time, not far
// before it.
func journalledBefore(ctx context.Context, c *conn, t time.Time) (sequence int64, err error) {
	var newest int64
	if err := c.GetContext(ctx, &newest, `SELECT coalesce(max(sequence), 0) FROM journal`); err != nil {
		return 0, err
	}
	for back := int64(1); ; back *= 4 {
		var at int64
		err := c.GetContext(ctx, &at, `SELECT at FROM journal WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1`, newest-back)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		if err != nil || at < micros(t) {
			return newest - back, err
		}
	}
}
