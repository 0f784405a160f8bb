package ledger

import (
	"context"
	"math"
	"slices"
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

// CommandTold is the command of a run that did nothing but keep what somebody was
// told of another one. Such runs are listed by Told alone.
const CommandTold = "notify"

// CommandWorker is the command of a run that did a part of what another run sums
// up. There may be thousands of them in a night.
const CommandWorker = "worker"

// Told lists the runs that keep what somebody was told until upTo, the newest
// first, at most limit.
func (v *view) Told(ctx context.Context, upTo time.Time, limit int) ([]LastRun, error) {
	return v.ended(ctx, `SELECT * FROM runs WHERE finished <= ? AND command = ? ORDER BY finished DESC, run DESC LIMIT ?`, micros(upTo), CommandTold, limit)
}

// Ended lists the runs that ended, the newest first, at most limit.
func (v *view) Ended(ctx context.Context, limit int) ([]LastRun, error) {
	return v.ended(ctx, `SELECT * FROM runs WHERE finished IS NOT NULL AND command <> ? ORDER BY finished DESC, run DESC LIMIT ?`, CommandTold, limit)
}

// EndedUpTo lists the runs that ended and whose ids do not come after upTo in
// the order of ids, the last of them first, at most limit.
func (v *view) EndedUpTo(ctx context.Context, upTo string, limit int) ([]LastRun, error) {
	return v.ended(ctx, `SELECT * FROM runs WHERE finished IS NOT NULL AND command <> ? AND run <= ? ORDER BY run DESC LIMIT ?`, CommandTold, upTo, limit)
}

func (v *view) ended(ctx context.Context, query string, args ...any) (list []LastRun, err error) {
	var rows []runRow
	err = v.read(ctx, "list runs", func(c *conn) error { return c.SelectContext(ctx, &rows, query, args...) })
	for _, r := range rows {
		list = append(list, r.last())
	}
	return list, err
}

// runsAtOnce is how many runs are read together.
const runsAtOnce = 200

// lastAtOnce is how many runs are read together where a few may do.
const lastAtOnce = 20

// EachEnded calls do for the runs that ended at since or later, the newest
// first, until it says that it has enough. Runs of parts are left out.
func (v *view) EachEnded(ctx context.Context, since time.Time, do func(LastRun) (enough bool, err error)) error {
	finished, run := int64(math.MaxInt64), ""
	for {
		list, err := v.ended(ctx, `SELECT * FROM runs WHERE command NOT IN (?, ?) AND (finished < ? OR finished = ? AND run < ?) AND finished >= ?
			ORDER BY finished DESC, run DESC LIMIT ?`, CommandTold, CommandWorker, finished, finished, run, micros(since), lastAtOnce)
		if err != nil {
			return err
		}
		for _, r := range list {
			if enough, err := do(r); enough || err != nil {
				return err
			}
			finished, run = micros(r.Finished), string(r.Run)
		}
		if len(list) < lastAtOnce {
			return nil
		}
	}
}

// EndedIn calls do for each run that ended in w, the oldest first.
func (v *view) EndedIn(ctx context.Context, w reconcile.Window, do func(LastRun) error) error {
	finished, run := micros(w.From), ""
	for {
		list, err := v.ended(ctx, `SELECT * FROM runs WHERE command <> ? AND (finished > ? OR finished = ? AND run > ?) AND finished < ?
			ORDER BY finished, run LIMIT ?`, CommandTold, finished, finished, run, micros(w.To), runsAtOnce)
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := do(r); err != nil {
				return err
			}
			finished, run = micros(r.Finished), string(r.Run)
		}
		if len(list) < runsAtOnce {
			return nil
		}
	}
}

const endedAmong = `SELECT r.run FROM json_each(?) AS j CROSS JOIN runs AS r WHERE r.run = j.value AND r.finished IS NOT NULL`

// RunsEnded implements reconcile.Reader.
func (v *view) RunsEnded(ctx context.Context, runs []reconcile.RunID) (ended []reconcile.RunID, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	err = v.read(ctx, "ask which runs came to their end", func(c *conn) error {
		for part := range slices.Chunk(runs, maxRows) {
			list, err := jsonText(part)
			if err != nil {
				return err
			}
			var found []reconcile.RunID
			if err := c.SelectContext(ctx, &found, endedAmong, list); err != nil {
				return err
			}
			ended = append(ended, found...)
		}
		return nil
	})
	return ended, err
}

// CutOff counts the runs that began in w and have no end: they were cut off, or
// still live.
func (v *view) CutOff(ctx context.Context, w reconcile.Window) (runs int, err error) {
	err = v.read(ctx, "count runs without an end", func(c *conn) error {
		return c.GetContext(ctx, &runs, `SELECT count(*) FROM runs WHERE finished IS NULL AND command <> ? AND started >= ? AND started < ?`, CommandTold, micros(w.From), micros(w.To))
	})
	return runs, err
}

// last is a run that ended.
func (r runRow) last() LastRun {
	last := LastRun{Run: reconcile.RunID(r.Run), Command: r.Command, Started: instant(r.Started), Finished: instant(*r.Finished),
		Window: reconcile.Window{From: instant(r.WindowFrom), To: instant(r.WindowTo)}, Summary: r.Summary}
	if r.Exit != nil {
		last.Exit = int(*r.Exit)
	}
	return last
}
