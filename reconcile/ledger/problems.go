package ledger

import (
	"context"

	"makegood/reconcile"
)

// problemsOf lists, in the order of their ids, what somebody may have to look
// at of a target's events, or with target "" of orders.
const problemsOf = `SELECT * FROM decisions WHERE target = ? AND (event > ? OR event = ? AND source > ?) AND bucket IN ('bad', 'held_back')
	ORDER BY event, source LIMIT ?`

// Problems calls do for every decision of a target, and with target "" about
// orders at their sources, that a person has to look at.
func (v *view) Problems(ctx context.Context, target string, do func(reconcile.Decision) error) error {
	event, source := "", ""
	for {
		var rows []decisionRow
		if err := v.read(ctx, "list problems", func(c *conn) error {
			return c.SelectContext(ctx, &rows, problemsOf, target, event, event, source, eachAtOnce)
		}); err != nil {
			return err
		}
		for _, r := range rows {
			event, source = r.Event, r.Source
			d, err := r.decision()
			if err == nil && (d.Place.Bucket == reconcile.BucketBad || d.Place.Reason.NeedsLook()) {
				err = do(d)
			}
			if err != nil {
				return err
			}
		}
		if len(rows) < eachAtOnce {
			return nil
		}
	}
}
