package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"makegood/reconcile"
	"makegood/sources"
)

// waiting says that a source waits for a file.
func (w *wiring) waiting(source, file string, d time.Duration) {
	w.Log.Info("waiting until nobody writes the file any more", "source", source, "file", file, "for", d)
}

// moveRead moves the files that a finished run has read to their end, and says
// so in the report. A file that cannot be moved stays, and is read again.
func (w *wiring) moveRead(ctx context.Context, res *reconcile.Result) {
	for _, spec := range w.Sources {
		mover, ok := spec.Source.(sources.Mover)
		i := slices.IndexFunc(res.Sources, func(s reconcile.SourceResult) bool { return s.Source == spec.Name() })
		if !ok || i < 0 || !w.finished(ctx, res, i) {
			continue
		}
		n, err := mover.MoveRead(ctx)
		tally := &res.Sources[i].Tally
		if n > 0 {
			tally.Notes = append(tally.Notes, fmt.Sprintf("files that were read and moved: %d", n))
		}
		if err != nil {
			tally.Notes = append(tally.Notes, fmt.Sprintf("%v; it stays and is read again: see who may write to the folder of after_read", err))
		}
	}
}

// finished reports whether a source was read to its end and every destination
// of it was worked on.
func (w *wiring) finished(ctx context.Context, res *reconcile.Result, at int) bool {
	source := res.Sources[at]
	if ctx.Err() != nil || source.Err != nil {
		return false
	}
	return !slices.ContainsFunc(res.Targets, func(t reconcile.TargetResult) bool {
		return t.Err != nil && slices.ContainsFunc(w.Targets, func(one *reconcile.Target) bool {
			return one.Name() == t.Target && one.Reads(source.Source)
		})
	})
}
