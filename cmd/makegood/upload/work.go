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
// at a time.
func (p *Pages) work(id string, do func(ctx context.Context) error) {
	p.working.Go(func() {
		select {
		case p.one <- struct{}{}:
			defer func() { <-p.one }()
		case <-p.life.Done():
			p.end(id, p.life.Err())
			return
		}
		p.end(id, do(p.life))
	})
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
			u.State = Unusable
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

// look finds out what the columns could be.
func (p *Pages) look(id string) {
	p.work(id, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
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
	p.work(id, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, planTime)
		defer cancel()
		if err := p.clear(id, "checked"); err != nil {
			return err
		}
		report, err := p.o.Core.Plan(ctx, p.store.folder(id), func(text string) { p.store.say(id, text) })
		if err != nil {
			return err
		}
		made := preview(report)
		made.RowsBy = rowsOf(p.store.folder(id))
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
	p.work(u.ID, func(ctx context.Context) error {
		if err := p.clear(u.ID, "marked"); err != nil {
			return err
		}
		approval := Approval{By: u.ApprovedBy, Path: u.Planned.Path, Digest: u.Planned.Digest}
		report, err := p.o.Core.Apply(ctx, p.store.folder(u.ID), approval, func(text string) { p.store.say(u.ID, text) })
		if err != nil {
			return err
		}
		sent := preview(report)
		sent.RowsBy = rowsOf(p.store.folder(u.ID))
		_, err = p.store.change(u.ID, func(u *Upload) error {
			u.State, u.Sent, u.Problem, u.said = Done, sent, sent.Failed, ""
			return nil
		})
		return errors.Join(err, p.deed(Deed{User: u.ApprovedBy, Upload: u.ID, Did: "sent", Plan: approval.Digest, Run: sent.Run, Events: sent.events()}))
	})
}
