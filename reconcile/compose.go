package reconcile

import (
	"context"
	"fmt"
	"slices"
)

// composeSource reads the orders that are needed of one source a second time,
// with their lines, and makes the bodies.
func (p *planner) composeSource(ctx context.Context, s SourceSpec) error {
	res := p.sources[s.Name()]
	if res.Err != nil {
		return nil
	}
	keys := p.needed(s.Name())
	if len(keys) == 0 {
		return nil
	}
	meter := p.begin(StageComposing+s.Name(), len(keys))
	defer meter.End()
	missing := len(keys)
	for o, err := range ahead(s.Orders(ctx, keys)) {
		if err != nil {
			return p.fail(ctx, s.Name(), err)
		}
		missing--
		meter.Add(1)
		for _, t := range p.used(s.Name()) {
			if err := p.composeOrder(t, o); err != nil {
				return err
			}
		}
		if err := p.first.catchUp(ctx); err != nil {
			return err
		}
	}
	if missing > 0 && ctx.Err() == nil {
		return p.fail(ctx, s.Name(), fmt.Errorf("%d orders were not there any more: %w", missing, ErrChanged))
	}
	return ctx.Err()
}

// needed lists the orders of a source whose lines a target needs.
func (p *planner) needed(source string) (keys []OrderKey) {
	used := p.used(source)
	for i, t := range used {
		before := func(key OrderKey) bool {
			return slices.ContainsFunc(used[:i], func(o *targetPlan) bool { return o.needs(source, key) })
		}
		f := t.feeds[source]
		for key := range f.orders {
			if !before(key) {
				keys = append(keys, key)
			}
		}
		for key, person := range f.lines {
			if _, sends := f.orders[key]; !sends && t.decidesCart(person) && !before(key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// needs reports whether the target needs the lines of an order of a source.
func (t *targetPlan) needs(source string, key OrderKey) bool {
	f := t.feeds[source]
	if _, sends := f.orders[key]; sends {
		return true
	}
	person, took := f.lines[key]
	return took && t.decidesCart(person)
}

// decidesCart reports whether a cart event of a person is to be decided: only
// then the lines of the person's other checkouts are needed.
func (t *targetPlan) decidesCart(person uint64) bool {
	for _, f := range t.feeds {
		if f.carts[person] {
			return true
		}
	}
	return false
}

func (p *planner) composeOrder(t *targetPlan, o Order) error {
	f := t.feeds[o.Source]
	_, sends := f.orders[o.Key]
	person, took := f.lines[o.Key]
	if took = took && t.decidesCart(person); !sends && !took {
		return nil
	}
	if held := p.notItself(t, o); held.Reason != "" {
		return p.holdAll(t, o, held)
	}
	o.mark = o.Mark() // of the order as the source has it
	o = t.crowd.without(o)
	var now []Want
	later := false
	for _, w := range p.wantsOf(t, o) {
		_, send := f.sends[w.ID]
		switch {
		case w.Kind == KindCart && (send || took):
			t.checkouts[w.Person] = append(t.checkouts[w.Person], checkout{order: o, want: w, send: send})
			later = later || send
		case send:
			now = append(now, w)
		}
	}
	if later || len(now) == 0 {
		return nil // its cart is decided when all orders of the person are known
	}
	return p.composeNow(t, o, now, Carts{})
}

// notItself tells why nothing of an order may go now that all orders are
// known: whose it is, or which, is not what it seems (RULES R12, R3). The zero
// Held is that nothing speaks against it.
func (p *planner) notItself(t *targetPlan, o Order) Held {
	if t.crowd.shared(o.Head) {
		return Held{Reason: ReasonSharedAddress}
	}
	if _, sends := t.feeds[o.Source].orders[o.Key]; !sends {
		return Held{}
	}
	if base, is := t.editedFrom(o); is {
		return Held{Reason: t.edits[o.Key].hold, Text: "beside " + base.Order}
	}
	if base, left := p.list.leaves(t.edits[o.Key].kin); left {
		return Held{Reason: t.edits[o.Key].hold, Text: "beside " + base.Order + ", which this run leaves out"}
	}
	for _, w := range p.sendsOf(t, o) {
		if w.ID.Revision() > 1 {
			continue // its order is known: that it looks like another one makes it no other
		}
		if key, is := t.damagedFrom(o, w); is {
			return Held{Reason: ReasonDamagedID, Text: "it can only be order " + key.Order}
		}
		if twin, is := t.twinOf(o, w); is {
			return Held{Reason: ReasonPossibleTwin, Text: "like " + twin.key.Order + " of " + twin.source}
		}
	}
	return Held{}
}

// holdAll holds back everything that would be sent of an order.
func (p *planner) holdAll(t *targetPlan, o Order, why Held) error {
	wants := p.sendsOf(t, o)
	if len(wants) == 0 {
		return nil
	}
	holds := map[EventID]Held{}
	for _, w := range wants {
		holds[w.ID] = Held{ID: w.ID, Reason: why.Reason, Text: why.Text}
	}
	return p.planOrder(t, o, wants, nil, holds)
}

// composeNow makes the events of one order and counts what is held back.
func (p *planner) composeNow(t *targetPlan, o Order, wants []Want, carts Carts) error {
	events, err := p.compose(t, o, wants, carts)
	return p.planOrder(t, o, wants, events, p.holdsOf(wants, events, err))
}

// holdsOf names why each want that gave no event is held back.
func (p *planner) holdsOf(wants []Want, events []Event, err error) map[EventID]Held {
	holds := map[EventID]Held{}
	named, ok := HeldIn(err)
	if !ok {
		for _, w := range wants {
			holds[w.ID] = Held{ID: w.ID, Reason: ReasonCannotCompose, Text: err.Error()}
		}
		return holds
	}
	for _, h := range named {
		holds[h.ID] = *h
	}
	for _, w := range wants {
		made := slices.ContainsFunc(events, func(e Event) bool { return e.ID == w.ID })
		if _, held := holds[w.ID]; !made && !held {
			holds[w.ID] = Held{ID: w.ID, Reason: ReasonCannotCompose}
		}
	}
	return holds
}

// planOrder counts the held wants of an order and writes its events as steps.
func (p *planner) planOrder(t *targetPlan, o Order, wants []Want, events []Event, holds map[EventID]Held) error {
	f := t.feeds[o.Source]
	beside := orNone(f.orders[o.Key])
	p.holdCorrections(f, events, holds)
	f.holdNeedy(t.Target, events, holds)
	for _, w := range wants {
		held, is := holds[w.ID]
		if !is {
			continue
		}
		place := placeOfHold(held.Reason, f.sends[w.ID].before().doubt)
		switch place.Bucket {
		case BucketLeft:
			f.leave(o.CompletedAt)
		case BucketHeldBack:
			f.ended[w.ID] = true
		}
		beside = Worse(beside, place)
		if err := f.balance.CountEvent(place, o.CompletedAt, w.ID.counted(w.Value)); err != nil {
			return err
		}
		f.balance.Show(place, exampleOf(o.Head, w, held.Text))
		if place.unfinished() {
			if err := f.expiring.note(w, t.maxAge(w.Kind), p.asOf); err != nil {
				return err
			}
		}
		if err := p.decideWant(t.Name(), o.Head, w, held, place); err != nil {
			return err
		}
	}
	events = slices.DeleteFunc(events, func(e Event) bool { _, held := holds[e.ID]; return held })
	if len(events) == 0 {
		f.endOrder(o.Head, beside)
		return nil
	}
	p.countFrontEnd(t, f, o.Key, events)
	for _, e := range events {
		e.Customer = o.Customer
		e.Facts.Goods, e.Facts.Mark = o.GoodsDigest, o.Mark()
		e.After = slices.DeleteFunc(slices.Clone(e.After), func(id EventID) bool { return f.ended[id] })
		known := f.sends[e.ID]
		step := PlannedStep{Do: DoSend, Doubt: known.before().doubt, DoubtAt: known.before().doubted, Event: e, Mates: len(events), Origin: &o.Origin,
			Seen: known.version, Target: t.Name()}
		if beside != (Place{}) {
			step.Beside = &beside
		}
		if err := p.addStep(step); err != nil {
			return err
		}
	}
	return nil
}

// placeOfHold gives the place of an event that is held back on the way to being
// sent. One that may have been accepted already is still in doubt; one whose
// open carts could not be read, or that needs another, waits for the next run.
func placeOfHold(reason, doubt Reason) Place {
	switch {
	case reason == ReasonSourceFailed, reason == ReasonCartsStale, reason == ReasonWaits:
		return Place{BucketLeft, reason}
	case doubt != "":
		return Place{BucketInDoubt, doubt}
	}
	return Place{BucketHeldBack, reason}
}

// countFrontEnd tells of a purchase that goes whether front-end evidence that
// settles nothing had it (RULES R4).
func (p *planner) countFrontEnd(t *targetPlan, f *feed, key OrderKey, events []Event) {
	if !slices.ContainsFunc(events, func(e Event) bool { return e.Kind == KindPurchase && e.ID.Revision() == 1 }) {
		return
	}
	asked, had := false, false
	for _, name := range t.Evidence {
		if k := p.evidence[name]; k != nil && !k.settles(t.Target) {
			asked = true
			_, has := k.orders[key]
			had = had || has
		}
	}
	switch {
	case had:
		f.balance.FrontEndHad++
	case asked:
		f.balance.FrontEndMissed++
	}
}

// sendsOf lists the wants of an order that are to be sent, without holds.
func (p *planner) sendsOf(t *targetPlan, o Order) []Want {
	f := t.feeds[o.Source]
	return slices.DeleteFunc(p.wantsOf(t, o), func(w Want) bool { _, send := f.sends[w.ID]; return !send })
}

// wantsOf lists the wants of an order that is read for its lines: a correction
// stands in place of what it corrects.
func (p *planner) wantsOf(t *targetPlan, o Order) []Want {
	wants := t.Expect(o.Head, p.asOf)
	for i, w := range wants {
		if id, corrects := t.feeds[o.Source].corrects[w.ID]; corrects {
			wants[i].ID = id
		}
	}
	return wants
}
