package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ordered is one head with what one target wants of it.
type ordered struct {
	head  Head
	wants []Want
}

// decide works out, for every target that reads the source, where each event
// of the given heads ends. clashes names ids that two sources show
// differently.
func (p *planner) decide(ctx context.Context, s SourceSpec, heads []Head, clashes map[OrderKey]bool) error {
	for _, t := range p.used(s.Name()) {
		f := t.feeds[s.Name()]
		batch, ids, err := p.expect(t, f, heads, clashes)
		if err != nil {
			return err
		}
		slices.Sort(ids)
		have, err := p.led.Find(ctx, t.Name(), ids)
		if err != nil {
			return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
		}
		for _, o := range batch {
			if err := p.settleOrder(s, t, o, have); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) expect(t *targetPlan, f *feed, heads []Head, clashes map[OrderKey]bool) ([]ordered, []EventID, error) {
	var batch []ordered
	var ids []EventID
	for _, h := range heads {
		if reason := t.excludes(h); reason != "" {
			if err := f.balance.Exclude(h, reason); err != nil {
				return nil, nil, err
			}
			continue
		}
		wants, err := p.wants(t, h)
		if err != nil {
			return nil, nil, err
		}
		for i := range wants {
			if clashes[h.Key] {
				wants[i].Hold = ReasonIDCollision
			}
			ids = append(ids, wants[i].ID)
		}
		batch = append(batch, ordered{h, wants})
	}
	return batch, ids, nil
}

// excludes tells why an order is not for this target at all.
func (t *targetPlan) excludes(h Head) Reason {
	switch {
	case len(t.Channels) > 0 && !slices.Contains(t.Channels, h.Channel):
		return ReasonChannel
	case h.CompletedAt.Before(t.Since):
		return ReasonBeforeSince
	}
	return ""
}

// wants gives the target's wants of a head with the holds that every target
// has in common. One reason per event, the first that fits of: address,
// permission, suppression, number, goods, money, age, cart.
func (p *planner) wants(t *targetPlan, h Head) ([]Want, error) {
	wants := t.Expect(h, p.asOf)
	for i, w := range wants {
		if addressReason(w.Hold) {
			continue
		}
		if !h.Permitted {
			wants[i].Hold = ReasonNotPermitted
			continue
		}
		hit, err := p.Suppress.Hits(w.Person, h.Customer, h.Key.Order)
		switch {
		case err != nil:
			return nil, err
		case hit:
			wants[i].Hold = ReasonSuppressed
		case w.Hold == "" && p.uncovered(t, h.CompletedAt):
			wants[i].Hold = ReasonNoEvidence
		}
	}
	return wants, nil
}

func addressReason(r Reason) bool {
	switch r {
	case ReasonNoEmail, ReasonBadEmail, ReasonPlaceholder, ReasonAnonymised, ReasonMarketplace:
		return true
	}
	return false
}

// uncovered reports whether an order is older than what an evidence source
// that could settle it speaks of.
func (p *planner) uncovered(t *targetPlan, completed time.Time) bool {
	return slices.ContainsFunc(t.Evidence, func(name string) bool {
		k := p.evidence[name]
		return k != nil && k.settles(t.Target) && completed.Before(k.CoversFrom)
	})
}

// settleOrder counts one order at one target: what ends here is counted here,
// what is to be sent is remembered for composing.
func (p *planner) settleOrder(s SourceSpec, t *targetPlan, o ordered, have map[EventID]Entry) error {
	f := t.feeds[s.Name()]
	f.eligible++
	if o.head.CompletedAt.After(f.newest) {
		f.newest = o.head.CompletedAt
	}
	for i, w := range o.wants {
		e := have[w.ID]
		delete(t.orphans, w.ID)
		if Reused(w, e, s.EditWindow) {
			o.wants[i].Hold = ReasonIDReused
		} else if e.State == StateDone {
			f.note(w, e, o.head.Origin)
			o.wants[i].Value = e.Value
		}
	}
	steps := Diff(o.wants, have, t.Traits(), p.asOf)
	for i := range steps {
		if err := p.overlay(t, &steps[i], o.head); err != nil {
			return err
		}
		p.tooYoung(t, &steps[i])
	}
	if err := f.balance.Meet(stepWants(steps)); err != nil {
		return err
	}
	return f.take(o.head, steps)
}

func stepWants(steps []Step) []Want {
	wants := make([]Want, len(steps))
	for i, s := range steps {
		wants[i] = s.Want
	}
	return wants
}

// note keeps a change after sending; the order stays sent, with the amount
// that was sent.
func (f *feed) note(w Want, e Entry, origin Origin) {
	change := Changed(w, e)
	if change == "" {
		return
	}
	f.changed++
	if len(f.corrections) < MaxExamples {
		f.corrections = append(f.corrections, Correction{ID: w.ID, Change: change, Before: e.Value, After: w.Value, Origin: origin})
	}
}

// overlay lets evidence end a purchase that the ledger does not know or knows
// as open. The plan keeps it, so that it is adopted before anything is sent.
func (p *planner) overlay(t *targetPlan, s *Step, h Head) error {
	if s.Want.Kind != KindPurchase || s.Entry.State != StateAbsent && s.Entry.State != StateOpen ||
		s.Place.Reason == ReasonIDReused || s.Place.Reason == ReasonIDCollision {
		return nil
	}
	for _, name := range t.Evidence {
		k := p.evidence[name]
		if k == nil {
			continue
		}
		at, has := k.orders[h.Key]
		if !has || !k.settles(t.Target) {
			continue
		}
		s.Place, s.Send = Place{BucketAlreadySent, Reason(k.Trust)}, false
		return p.addStep(PlannedStep{By: k.Trust, Do: DoAdopt, Origin: &h.Origin, Seen: s.Entry.Version, Target: t.Name(), Who: name,
			Event: Event{Action: ActionPurchase, Expiry: at, Facts: s.Want.Facts, ID: s.Want.ID, Kind: s.Want.Kind, Value: s.Want.Value}})
	}
	return nil
}

func (p *planner) tooYoung(t *targetPlan, s *Step) {
	if s.Send && t.MinAge > 0 && s.Want.Facts.CompletedAt.After(p.asOf.Add(-t.MinAge)) {
		s.Place, s.Send = Place{BucketLeft, ReasonTooYoung}, false
	}
}

// take counts an order's steps.
func (f *feed) take(h Head, steps []Step) error {
	var beside Place
	sends := 0
	for _, s := range steps {
		if s.Send {
			sends++
			f.sends[s.Want.ID] = s.Entry.Version
			if err := f.waiting.Add(countOf(s.Want.Value, 0)); err != nil {
				return err
			}
			continue
		}
		beside = Worse(beside, s.Place)
		if err := f.balance.CountEvent(s.Place, s.Want.Value); err != nil {
			return err
		}
		f.remember(h, s)
	}
	if sends == 0 {
		f.balance.CountOrder(beside)
		return nil
	}
	f.orders[h.Key] = beside
	if f.earliestSend.IsZero() || h.CompletedAt.Before(f.earliestSend) {
		f.earliestSend = h.CompletedAt
	}
	return nil
}

// remember keeps what reports and coverage need of a step that sends nothing.
func (f *feed) remember(h Head, s Step) {
	switch {
	case s.Place.Bucket == BucketAlreadySent:
		if s.Want.Kind == KindCart {
			f.lines[h.Key] = true // a later checkout of the person is judged against it
		}
		return
	case s.Place.Bucket == BucketHeldBack:
		f.held = append(f.held, h.CompletedAt.Unix())
	case s.Place.Bucket == BucketLeft && s.Place.Reason != ReasonTooYoung:
		f.leave(h.CompletedAt)
	}
	f.balance.Show(s.Place, exampleOf(h, s.Want, ""))
}

func exampleOf(h Head, w Want, text string) Example {
	return Example{Order: h.Key.Order, Kind: w.Kind, Origin: h.Origin, CompletedAt: h.CompletedAt, Value: w.Value, Text: text}
}

func (p *planner) addStep(s PlannedStep) error {
	line, err := canonicalJSON(s)
	if err != nil {
		return fmt.Errorf("plan %s for %s: %w", s.Event.ID, s.Target, err)
	}
	return p.steps.add(s.Target+"\x00"+string(s.Event.ID), line)
}

// Known is what judging a step again needs: who must not be sent, and the
// stored carts as they are now.
type Known struct {
	Suppress *Suppression
	Carts    Carts
}

// StillFit judges a step again just before it is claimed, and gives the reason
// why it must not be sent any more, or "". It never changes the step.
func StillFit(e Event, now time.Time, known Known) (Reason, error) {
	if !e.Expiry.IsZero() && !now.Before(e.Expiry) {
		return ReasonTooOld, nil
	}
	hit, err := known.Suppress.Hits(e.Person, e.Customer, orderOf(e.ID))
	switch {
	case err != nil:
		return "", err
	case hit:
		return ReasonSuppressed, nil
	}
	return cartStillFits(e, now, known.Carts), nil
}

func cartStillFits(e Event, now time.Time, carts Carts) Reason {
	c := e.Cart
	switch {
	case !c.Before.IsZero() && !now.Before(c.Before):
		return ReasonTooOld
	case c.Carts == "":
		return ""
	case !carts.Read(c.Carts):
		return ReasonCartUnknown
	}
	stored := carts.Of(c.Carts, e.Person)
	switch {
	case stored.Digest() == c.Digest:
		return ""
	case len(stored.Lines) == 0:
		return ReasonNoCart
	case stored.LastActivity.After(c.CheckedOut.Add(-c.Margin)):
		return ReasonCartNewer
	}
	return ReasonCartOrderUnknown
}

func orderOf(id EventID) string {
	key, err := id.Key()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(key.Order)
}
