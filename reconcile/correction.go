package reconcile

import (
	"context"
	"time"
)

// FindRevisions adds to what a ledger knows of a target's events the
// corrections that were sent, or begun, of the purchases among them.
func FindRevisions(ctx context.Context, led Reader, target string, have map[EventID]Entry) error {
	var firsts []EventID
	for id, e := range have {
		if e.State == StateDone && id.Kind() == KindPurchase {
			firsts = append(firsts, id)
		}
	}
	for n := 2; len(firsts) > 0; n++ {
		ids := make([]EventID, len(firsts))
		for i, id := range firsts {
			ids[i] = id.Revised(n)
		}
		found, err := led.Find(ctx, target, ids)
		if err != nil {
			return err
		}
		var done []EventID
		for i, id := range ids {
			e, known := found[id]
			if known {
				have[id] = e
			}
			if e.State == StateDone {
				done = append(done, firsts[i])
			}
		}
		firsts = done
	}
	return nil
}

// newest gives the newest version of an event that is done, and the id of the
// one after it. First is the first version.
func newest(first Entry, have map[EventID]Entry) (last Entry, next EventID) {
	last, next = first, first.ID.Revised(2)
	for n := 3; have[next].State == StateDone; n++ {
		last, next = have[next], first.ID.Revised(n)
	}
	return last, next
}

// recall takes from the ledger what it knows of an order: the amount that was
// sent last, and that an order with an entry needs no evidence. It gives the
// steps of corrections.
func (t *targetPlan) recall(f *feed, o ordered, have map[EventID]Entry, now time.Time) []Step {
	var steps []Step
	for i, w := range o.wants {
		e := have[w.ID]
		if e.Version > 0 && w.mayGo() {
			o.wants[i].Hold, w.Hold = "", ""
		}
		if e.State != StateDone {
			continue
		}
		if w.Kind == KindPurchase {
			f.before++
		}
		last, next := newest(e, have)
		change, resends := Changed(w, last), false
		if c, made := t.correction(w, change, e, have[next]); made {
			c.ID = next
			step := Diff([]Want{c}, have, t.Traits(), now)[0]
			step.shown, resends = last.Shown, step.Send
			steps = append(steps, step)
		}
		f.note(Correction{ID: w.ID, Change: change, Before: last.Value, After: w.Value, Origin: o.head.Origin, Resend: resends})
		o.wants[i].Value = last.Value
	}
	return steps
}

// correction gives the want by which a target is told what became of an order
// after it was sent. There is none where nothing has changed, or where the
// change must only be reported. A correction that was begun is carried on
// whatever the order is now: the target may have an older version of it.
func (t *targetPlan) correction(w Want, change string, first, begun Entry) (c Want, made bool) {
	c, c.After = w, nil
	if c.Hold == "" && !t.resends(w, first, begun) {
		c.Hold = ReasonChangeNotSent
	}
	return c, begun.Version > 0 || c.Hold == "" && (change == ChangeCorrection || change == ChangeRefund)
}

// resends reports whether the target's policy lets a change be sent again.
// What somebody else sent may differ from what the ledger was told of it, so
// it is left to them; nothing is sent in place of a purchase that is worth
// nothing any more. What is in doubt goes as the kind's repeats do.
func (t *targetPlan) resends(w Want, first, begun Entry) bool {
	policy := t.Resend && t.Traits()[w.Kind].MergesRepeats || begun.State == StateDoubtful
	return policy && w.Kind == KindPurchase && first.By == BySentHere && w.Value.Amount != nil && w.Value.Amount.IsPos()
}

// note keeps a change after sending; the order stays sent, with the amount
// that was sent.
func (f *feed) note(c Correction) {
	if c.Change == "" {
		return
	}
	f.changed++
	if c.Resend {
		f.resent++
	}
	if len(f.corrections) < MaxExamples {
		f.corrections = append(f.corrections, c)
	}
}

// holdCorrections holds back corrections that would reach the platform under
// another order number than what they correct, for they would be second
// purchases, and all of them where too many orders have changed at once.
func (p *planner) holdCorrections(f *feed, events []Event, holds map[EventID]Held) {
	for _, e := range events {
		if e.ID.Revision() == 1 {
			continue
		}
		if was := f.sends[e.ID].before().shown; was != "" && was != e.Shown {
			holds[e.ID] = Held{ID: e.ID, Reason: ReasonChangeNotSent, Text: "the platform knows it as " + was}
		}
		if p.manyChanges(f) {
			holds[e.ID] = Held{ID: e.ID, Reason: ReasonManyChanges}
		}
	}
}

// fewChanges is how many orders may change at once without any question.
const fewChanges = 20

// manyChanges reports whether more than half of the orders that were sent
// before have changed: then it is the source, or how it is read, that has
// changed, and what the platform has may well be right.
func (p *planner) manyChanges(f *feed) bool {
	return f.resent > fewChanges && 2*f.resent > f.before && !p.ChangesAreRight
}
