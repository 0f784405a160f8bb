package upload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// How long looking at a file and making a plan may take. Sending takes as long
// as it takes.
const (
	lookTime = 5 * time.Minute
	planTime = 30 * time.Minute
)

// work does something with an upload after its request was answered, one file
// of a lane at a time. Who waits for another one is told so.
func (p *Pages) work(lane chan struct{}, id string, do func(ctx context.Context) error) {
	ctx, stop := context.WithCancelCause(p.life)
	p.stops.Store(id, &stop)
	p.working.Go(func() {
		defer stop(nil)
		defer p.stops.CompareAndDelete(id, &stop)
		if !p.turn(ctx, lane, id) {
			p.end(id, context.Cause(ctx))
			return
		}
		defer func() { <-lane }()
		p.end(id, do(ctx))
	})
}

// turn waits until nothing else is in a lane, and takes it. It reports false when
// ctx ended before.
func (p *Pages) turn(ctx context.Context, lane chan struct{}, id string) bool {
	select {
	case lane <- struct{}{}:
		return true
	default:
	}
	p.store.wait(id, true)
	defer p.store.wait(id, false)
	select {
	case lane <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// halt ends the work at an upload in order, and says on whose word.
func (p *Pages) halt(id, user string) {
	if stop, under := p.stops.Load(id); under {
		(*stop.(*context.CancelCauseFunc))(&Refused{user + " stopped this."})
	}
}

// end says what kept the work at an upload from its end.
func (p *Pages) end(id string, failed error) {
	if failed == nil {
		return
	}
	text := "This did not work, and the cause is in the log of this service. Nothing else was done."
	var refused *Refused
	switch {
	case errors.As(failed, &refused):
		text = refused.Text
	case errors.Is(failed, context.Canceled):
		text = "The service was stopped meanwhile."
	case errors.Is(failed, context.DeadlineExceeded):
		text = "This took too long and was given up. Upload a smaller file."
	default:
		p.o.Log.Error("the work at an upload failed", "upload", id, "error", failed)
	}
	_, err := p.store.change(id, func(u *Upload) error {
		switch u.State {
		case Looking:
			if u.State = Unusable; len(u.Look.Columns) > 0 { // it could be read as it was before
				u.State, text = Columns, text+" It is shown as it was read before."
				u.Problem, u.said = text, ""
				return writeJSON(filepath.Join(p.store.folder(id), ReadingFile), u.Look.Reading)
			}
		case Planning:
			u.State = Columns
		case Sending: // what went, the next preview shows as sent before
			u.State, u.Planned = Columns, nil
			text += " Make the preview again: it shows what was sent before, and what is still to send."
		}
		u.Problem, u.said = text, ""
		return nil
	})
	if err != nil {
		p.o.Log.Error("an upload could not be written down", "upload", id, "error", err)
	}
}

// look finds out what the columns could be. It waits for no file that is planned
// or sent.
func (p *Pages) look(id string) {
	p.work(p.looks, id, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		p.dropPlan(id) // of how it was read before
		look, err := p.o.Core.Look(ctx, p.store.folder(id))
		if err != nil {
			return err
		}
		if look.Refused != "" {
			return &Refused{"This export will not do: " + look.Refused}
		}
		mapping := look.Mapping
		if known, is := p.remembered(look); is {
			mapping = known.Mapping
		}
		_, err = p.store.change(id, func(u *Upload) error {
			u.State, u.Look, u.Mapping, u.Problem = Columns, look, mapping, ""
			return nil
		})
		return err
	})
}

// plan makes the preview. The upload is Planning already.
func (p *Pages) plan(id string) {
	p.work(p.one, id, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, planTime)
		defer cancel()
		if err := errors.Join(p.clear(id, "checked"), p.clear(id, PlanFolder)); err != nil {
			return err
		}
		report, err := p.o.Core.Plan(ctx, p.store.folder(id), func(text string) { p.store.say(id, text) })
		if err != nil {
			return err
		}
		made := preview(report, rowsOf(p.store.folder(id)), nil)
		if made.Failed != "" {
			return &Refused{made.Failed}
		}
		upload, err := p.store.change(id, func(u *Upload) error {
			u.State, u.Planned, u.Problem, u.said = Planned, made, "", ""
			return nil
		})
		if err == nil {
			err = p.deed(Deed{User: upload.PlannedBy, Upload: id, Did: "made a preview", Plan: made.Digest, Events: made.events()})
		}
		return err
	})
}

// clear takes away what an earlier step left about the rows, so that nobody takes
// it for what this one says.
func (p *Pages) clear(id, marked string) error {
	folder := p.store.folder(id)
	return errors.Join(os.RemoveAll(filepath.Join(folder, RowsFile)), os.RemoveAll(filepath.Join(folder, marked)))
}

// send carries the approved plan out. The upload is Sending already.
func (p *Pages) send(u Upload) {
	p.work(p.one, u.ID, func(ctx context.Context) error {
		if err := p.clear(u.ID, "marked"); err != nil {
			p.dropPlan(u.ID)
			return err
		}
		approval := Approval{By: u.ApprovedBy, Path: u.Planned.Path, Digest: u.Planned.Digest}
		report, err := p.o.Core.Apply(ctx, p.store.folder(u.ID), approval, func(text string) { p.store.say(u.ID, text) })
		p.dropPlan(u.ID) // before anybody reads that it is done
		if err != nil {
			return err
		}
		sent := preview(report, rowsOf(p.store.folder(u.ID)), u.Planned)
		_, err = p.store.change(u.ID, func(u *Upload) error {
			u.State, u.Sent, u.Problem, u.said = Done, sent, sent.Failed, ""
			return nil
		})
		return errors.Join(err, p.deed(Deed{User: u.ApprovedBy, Upload: u.ID, Did: outcomeOf(u.Planned, sent).deed(), Plan: approval.Digest, Run: sent.Run, Events: sent.events()}))
	})
}
