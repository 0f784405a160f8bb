package ledger

import (
	"context"
	"time"

	"makegood/reconcile"
)

// LastRun is what is kept of a run that ended.
type LastRun struct {
	Run      reconcile.RunID
	Command  string
	Started  time.Time
	Finished time.Time
	Window   reconcile.Window
	Exit     int
	Summary  []byte // its report as JSON
}

// Ended lists the runs that ended, the newest first, at most limit.
func (v *view) Ended(ctx context.Context, limit int) ([]LastRun, error) {
	return v.ended(ctx, `SELECT * FROM runs WHERE finished IS NOT NULL ORDER BY finished DESC, run DESC LIMIT ?`, limit)
}

// EndedUpTo lists the runs that ended and whose ids do not come after upTo in
// the order of ids, the last of them first, at most limit.
func (v *view) EndedUpTo(ctx context.Context, upTo string, limit int) ([]LastRun, error) {
	return v.ended(ctx, `SELECT * FROM runs WHERE finished IS NOT NULL AND run <= ? ORDER BY run DESC LIMIT ?`, upTo, limit)
}

func (v *view) ended(ctx context.Context, query string, args ...any) (list []LastRun, err error) {
	var rows []runRow
	err = v.read(ctx, "list runs", func(c *conn) error { return c.SelectContext(ctx, &rows, query, args...) })
	for _, r := range rows {
		last := LastRun{Run: reconcile.RunID(r.Run), Command: r.Command, Started: instant(r.Started), Finished: instant(*r.Finished),
			Window: reconcile.Window{From: instant(r.WindowFrom), To: instant(r.WindowTo)}, Summary: r.Summary}
		if r.Exit != nil {
			last.Exit = int(*r.Exit)
		}
		list = append(list, last)
	}
	return list, err
}
