package ledger

import (
	"bytes"
	"context"

	"makegood/reconcile"
)

// Same reports whether an event is, byte for byte, what the ledger says was
// last sent about the event of an id at a target. What somebody else sent is
// not known, and never the same.
func (v *view) Same(ctx context.Context, target string, id reconcile.EventID, e reconcile.Event) (same bool, err error) {
	err = v.read(ctx, "compare with what "+target+" was sent", func(conn *conn) error {
		return eachRow(ctx, conn, target, []reconcile.EventID{id}, func(r row) error {
			same = len(r.Payload) > 0 && bytes.Equal(r.Payload, v.seal.payload(e))
			return nil
		})
	})
	return same, err
}
