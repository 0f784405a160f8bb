package ledger

import "context"

// EverSent reports whether the target is known to have accepted anything that was
// sent from here. What was pruned counts as sent.
func (v *view) EverSent(ctx context.Context, target string) (sent bool, err error) {
	pruned, err := v.Pruned(ctx, target)
	if err != nil || !pruned.IsZero() {
		return !pruned.IsZero(), err
	}
	err = v.read(ctx, "look whether "+target+" was sent anything", func(c *conn) error {
		return c.GetContext(ctx, &sent, `SELECT EXISTS (SELECT 1 FROM attempts WHERE target = ? AND verdict = 'sent')`, target)
	})
	return sent, err
}
