package ledger

import (
	"context"

	"makegood/reconcile"
)

// decisionsOf lists, in the order of their ids, what was decided about a target's
// events, or with target "" about orders, in three buckets.
const decisionsOf = `SELECT * FROM decisions WHERE target = ? AND (event > ? OR event = ? AND source > ?) AND bucket IN (?, ?, ?)
	ORDER BY event, source LIMIT ?`

// Problems calls do for every decision of a target, and with target "" about
// orders at their sources, that a person has to look at.
func (v *view) Problems(ctx context.Context, target string, do func(reconcile.Decision) error) error {
	of := [3]reconcile.Bucket{reconcile.BucketBad, reconcile.BucketHeldBack, reconcile.BucketLeft}
	return v.eachDecision(ctx, target, of, func(d reconcile.Decision) error {
		unasked := d.Place.Reason == reconcile.ReasonShadowPeriod
		if d.Place.Bucket == reconcile.BucketBad || d.Place.Bucket == reconcile.BucketHeldBack && d.Place.Reason.NeedsLook() || unasked {
			return do(d)
		}
		return nil
	})
}

// Remembered calls do for what runs of a target in shadow or on trial left, and
// for what evidence had in a shadow night.
func (v *view) Remembered(ctx context.Context, target string, do func(reconcile.Decision) error) error {
	return v.eachDecision(ctx, target, [3]reconcile.Bucket{reconcile.BucketLeft, reconcile.BucketAlreadySent}, do)
}

func (v *view) eachDecision(ctx context.Context, target string, in [3]reconcile.Bucket, do func(reconcile.Decision) error) error {
	event, source := "", ""
	for {
		var rows []decisionRow
		if err := v.read(ctx, "list what was decided", func(c *conn) error {
			return c.SelectContext(ctx, &rows, decisionsOf, target, event, event, source, string(in[0]), string(in[1]), string(in[2]), eachAtOnce)
		}); err != nil {
			return err
		}
		for _, r := range rows {
			event, source = r.Event, r.Source
			d, err := r.decision()
			if err == nil {
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
