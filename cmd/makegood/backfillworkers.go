package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"makegood/cmd/makegood/workers"
	"makegood/reconcile"
	"makegood/reports"
)

// followEvery is how often a backfill that workers do is looked at.
const followEvery = time.Second

// followTries is how often in a row it may not be seen.
const followTries = 60

// checkWorkers says what does not go with --workers.
func (f *backfillFlags) checkWorkers() error {
	switch {
	case !f.workers && (f.detach || f.cancel):
		return errors.New("--detach and --cancel are about what workers do: write --workers, too")
	case !f.workers:
		return nil
	case f.plan:
		return errors.New("--plan shows what would be sent, here and now: leave --workers away")
	case f.parallel != 1:
		return errors.New("--parallel is said to each worker: makegood worker --parallel")
	}
	return nil
}

// cancelWorkers takes what has not begun out of the queue.
func (a *app) cancelWorkers(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if err := mayShare(cfg); err != nil {
		return err
	}
	q, err := workers.Open(ctx, cfg.Ledger, a.log)
	if err != nil {
		return err
	}
	defer q.Close()
	n, err := q.Cancel(ctx)
	if err == nil {
		fmt.Fprintf(a.io.out, "%s taken out of the queue. What was begun goes on to its end.\n", counted(n, "slice"))
	}
	return err
}

// byWorkers puts the slices into the queue, and follows them.
func (b *backfill) byWorkers(ctx context.Context) error {
	if err := mayShare(b.cfg); err != nil {
		return err
	}
	if err := b.openLedger(ctx); err != nil {
		return err
	}
	b.past = b.led
	if err := b.recall(ctx); err != nil {
		return err
	}
	b.stop() // one line a slice instead
	q, err := workers.Open(ctx, b.cfg.Ledger, b.log)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := tellForgotten(ctx, q, b.cfg); err != nil {
		return err
	}
	asked, err := b.ask(ctx, q)
	if err != nil {
		return err
	}
	if b.flags.detach {
		b.mention(fmt.Sprintf("%s put into the queue; makegood status tells how far they are, makegood backfill --workers --cancel takes out what has not begun", counted(len(asked), "slice")))
		return nil
	}
	if err := b.follow(ctx, q, asked); err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() != nil {
		b.mention("the workers go on: makegood status tells how far they are, makegood backfill --workers --cancel takes out what has not begun")
	}
	return b.report(ctx)
}

// ask puts the slices that are not done into the queue.
func (b *backfill) ask(ctx context.Context, q *workers.Queue) (map[int64]*slice, error) {
	options, err := json.Marshal(sliceOptions{AcceptEvidence: b.flags.acceptEvidence, Note: reports.Mask(b.flags.note), ChangesRight: b.flags.changesRight, Strict: b.flags.strict})
	if err != nil {
		return nil, err
	}
	a := workers.Asked{Settings: reports.NewSettings(b.cfg.Settings).Digest, Options: options, Targets: b.flags.targets, InTurn: b.flags.oneByOne}
	var todo []*slice
	for _, one := range b.slices {
		if one.State != sliceDoneBefore {
			todo = append(todo, one)
			a.Slices = append(a.Slices, reconcile.Window{From: one.From, To: one.To})
		}
	}
	asked := map[int64]*slice{}
	if len(todo) == 0 {
		return asked, nil
	}
	ids, err := q.Ask(ctx, a)
	for i, id := range ids {
		asked[id] = todo[i]
	}
	return asked, err
}

// follow tells of slices as they end, until all have or the backfill has.
func (b *backfill) follow(ctx context.Context, q *workers.Queue, asked map[int64]*slice) error {
	told, lonely, unseen := map[int64]bool{}, false, 0
	for {
		list, err := q.Slices(ctx, slices.Sorted(maps.Keys(asked)))
		if unseen++; err != nil && unseen < followTries && ctx.Err() == nil { // a connection was cut: the workers go on
			if err := pauseFor(ctx, followEvery); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		unseen = 0
		open := 0
		for _, s := range list {
			if s.State != workers.Done && s.State != workers.Cancelled {
				open++
			}
			if s.Ended != "" {
				b.ended = s.Ended
			}
			if s.State != workers.Done || told[s.ID] {
				continue
			}
			told[s.ID] = true
			if err := b.took(asked[s.ID], s); err != nil {
				return err
			}
		}
		if open == 0 {
			return nil
		}
		lonely = b.lonely(ctx, q, lonely)
		if err := pauseFor(ctx, followEvery); err != nil {
			return err
		}
	}
}

// took notes how a slice ended.
func (b *backfill) took(one *slice, s workers.Slice) error {
	window := one.Window
	if err := json.Unmarshal(s.Told, one); err != nil {
		return fmt.Errorf("read how a slice ended: %w", err)
	}
	one.Window = window
	b.over++
	b.mention(one.words(b.Zone) + b.estimate())
	return nil
}

// lonely says, once, that nobody works.
func (b *backfill) lonely(ctx context.Context, q *workers.Queue, said bool) bool {
	living, err := q.Living(ctx)
	if err != nil || len(living) > 0 {
		return false // what cannot be seen, the next look tells
	}
	if !said {
		b.mention("no worker is at work: start makegood worker, on this machine or on others")
	}
	return true
}

// pauseFor waits, or ends with ctx.
func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
