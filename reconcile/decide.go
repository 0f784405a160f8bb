package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// ordered is one head with what one target wants of it.
type ordered struct {
	head  Head
	wants []Want
	// foreign says that the order's number may be another order's: what ledger
	// and evidence know by that number is not about it.
	foreign bool
	// kin are the numbers that the order may have had before it was edited.
	kin []OrderKey
	// waits says that shadow left the order from which it was edited.
	waits bool
}

// elsewhere is why an order is not for a target as this source has it: the
// target has the same order from an earlier source.
const elsewhere Reason = "other_source"

// decide works out, for every target that reads the source, where each event
// of the given heads ends. met is what other sources with the same numbering
// show, nil without any.
func (p *planner) decide(ctx context.Context, s SourceSpec, heads []Head, met *sightings) error {
	wanted := make(map[OrderKey]bool, len(heads))
	for i, h := range heads {
		heads[i].Hold = p.undo.hold(h)
	}
	p.sample(s.Name(), heads)
	for _, t := range p.used(s.Name()) {
		batch, ids, err := p.expect(t, s, heads, met)
		if err != nil {
			return err
		}
		slices.Sort(ids)
		have, err := p.led.Find(ctx, t.Name(), slices.Compact(ids))
		if err != nil {
			return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
		}
		if err := FindRevisions(ctx, p.led, t.Name(), have); err != nil {
			return err
		}
		if err := cmp.Or(p.holdEdits(ctx, s, t, batch, have), p.remember(ctx, t, ids, have)); err != nil {
			return err
		}
		if p.adopting != nil {
			if err := p.adopting.decide(ctx, s, t, adoptable{heads, batch, have}); err != nil {
				return err
			}
			continue
		}
		for _, o := range batch {
			wanted[o.head.Key] = true
			if err := p.settleOrder(s, t, o, have); err != nil {
				return err
			}
		}
		if err := p.recallTwins(ctx, t); err != nil {
			return err
		}
	}
	return cmp.Or(p.noteStray(s, heads, wanted, met), p.first.catchUp(ctx))
}

// noteStray counts the orders that no target of their source wants, although
// one of them had begun by then, and keeps examples.
func (p *planner) noteStray(s SourceSpec, heads []Head, wanted map[OrderKey]bool, met *sightings) error {
	res := p.sources[s.Name()]
	if p.Scope.partial() || p.Scope != nil && p.Scope.Part {
		return nil
	}
	for _, h := range heads {
		begun := func(t *targetPlan) bool { return !h.CompletedAt.Before(t.Since) }
		elsewhere := func(t *targetPlan) bool { return met.earlier(t, s, h.Key) }
		if wanted[h.Key] || p.list.excludes(h.Key.Order) != "" || !slices.ContainsFunc(p.used(s.Name()), begun) || slices.ContainsFunc(p.used(s.Name()), elsewhere) {
			continue
		}
		res.NoDestination++
		if len(res.Stray) < MaxExamples {
			amount := h.Amount
			value := Value{Amount: &amount, Currency: h.Currency, Of: h.AmountOf}
			res.Stray = append(res.Stray, exampleOf(h, Want{Value: value}, ""))
		}
		if p.asked == nil {
			p.tell(Decision{Source: h.Source, ID: NewEventID(KindOrder, h.Key), Place: Place{BucketNotForTarget, ReasonNoDestination}, Origin: h.Origin})
			continue
		}
		if err := p.decideHead("", h, Place{BucketNotForTarget, ReasonNoDestination}, ""); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) expect(t *targetPlan, s SourceSpec, heads []Head, met *sightings) ([]ordered, []EventID, error) {
	batch, ids := make([]ordered, 0, len(heads)), make([]EventID, 0, len(heads))
	for _, h := range heads {
		if reason := p.list.excludes(h.Key.Order); reason != "" {
			if err := t.feeds[s.Name()].balance.Exclude(h, reason); err != nil {
				return nil, nil, err
			}
			continue
		}
		wants, err := p.wants(t, h)
		if err != nil {
			return nil, nil, err
		}
		reason, err := t.Excludes(h, wants)
		if err != nil {
			return nil, nil, err
		}
		expected := len(wants)
		wants = p.Scope.kept(wants)
		if left := p.Scope.excludes(h, expected, len(wants)); reason == "" && left != "" { // another entry's: nothing is decided about it
			if err := t.feeds[s.Name()].balance.Exclude(h, left); err != nil {
				return nil, nil, err
			}
			continue
		}
		clash := met.clash(h.Key)
		if reason == "" && !clash && met.earlier(t, s, h.Key) {
			reason = elsewhere
		}
		if reason != "" {
			if err := t.feeds[s.Name()].balance.Exclude(h, reason); err != nil {
				return nil, nil, err
			}
			if p.asked == nil { // whole shops may be another target's: the ledger does not list them
				p.tell(Decision{Target: t.Name(), Source: h.Source, ID: NewEventID(KindOrder, h.Key), Place: Place{BucketNotForTarget, reason}, Origin: h.Origin})
				continue
			}
			if err := p.decideHead(t.Name(), h, Place{BucketNotForTarget, reason}, ""); err != nil {
				return nil, nil, err
			}
			continue
		}
		o := ordered{head: h, wants: wants}
		if clash {
			o.disown(ReasonIDCollision)
		}
		for _, w := range wants {
			ids = append(ids, w.ID)
		}
		if o.chargeable() {
			ids = append(ids, t.chargesOf(h.Key)...)
		}
		batch = append(batch, o)
	}
	return batch, ids, nil
}

// disown holds an order back whose number may be another order's.
func (o *ordered) disown(reason Reason) {
	o.foreign = true
	o.hold(reason)
}

// hold holds an order back for its number. What speaks against the order
// itself comes first (RULES R15).
func (o *ordered) hold(reason Reason) {
	for i, w := range o.wants {
		if !addressReason(w.Hold) && w.Hold != ReasonNotPermitted && w.Hold != ReasonSuppressed {
			o.wants[i].Hold = reason
		}
	}
}

// Excludes tells why an order is not for this target at all, or "". A channel
// of which the target is told nothing is such a reason.
func (t *Target) Excludes(h Head, wants []Want) (Reason, error) {
	switch {
	case len(t.Channels) > 0 && !slices.Contains(t.Channels, h.Channel):
		return ReasonChannel, nil
	case h.CompletedAt.Before(t.Since):
		return ReasonBeforeSince, nil
	case len(wants) == 0:
		return ReasonChannel, nil
	case t.When == nil:
		return "", nil
	}
	fits, err := t.When(h)
	switch {
	case err != nil:
		return "", fmt.Errorf("judge when of %s on order %s: %w", t.Name(), h.Key.Order, err)
	case !fits:
		return ReasonWhen, nil
	}
	return "", nil
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
		case h.Unpaid && !w.Kind.Charges() && (w.Hold == "" || w.Hold == ReasonNoGoods):
			wants[i].Hold = unpaidHold(h, p.asOf)
		case h.Hold == ReasonStatusUnknown, w.Hold == "" && h.Hold != "":
			wants[i].Hold = h.Hold
		case w.Hold == "" && h.CompletedAt.Before(t.pruned):
			wants[i].Hold = ReasonPruned
		case w.Hold == "" && p.uncovered(t, h.CompletedAt):
			wants[i].Hold = ReasonNoEvidence
		case w.Hold == "" && t.Limits.lacks(w.Value):
			wants[i].Hold = ReasonNoBudget
		}
	}
	return wants, nil
}

func addressReason(r Reason) bool {
	switch r {
	case ReasonNoEmail, ReasonNoContactKey, ReasonBadEmail, ReasonPlaceholder, ReasonAnonymised, ReasonMarketplace:
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
	for _, w := range o.wants {
		e := have[w.ID]
		delete(t.orphans, w.ID)
		if e.State == StateDone && len(t.orphans) > 0 {
			_, next := newest(e, have)
			delete(t.orphans, next)
		}
		if !o.foreign && (Reused(w, e, s.EditWindow) || Reissued(o.head, w, e)) {
			o.disown(ReasonIDReused)
		}
	}
	if o.foreign {
		have = nil
	}
	if o.chargeable() {
		charges := t.chargesOf(o.head.Key)
		o.holdChain(charges, have)
		o.holdOver(t.Limits.MaxCharge, charges, have)
	}
	corrections := t.recall(f, o, have, p.asOf)
	steps := Diff(o.wants, have, t.Traits(), p.asOf)
	for i := range steps {
		if !o.foreign {
			if err := p.overlay(s, t, &steps[i], o.head); err != nil {
				return err
			}
		}
		p.tooYoung(t, &steps[i])
		p.keepBack(t, o, &steps[i])
		p.leaveEdited(o, &steps[i])
		if steps[i].Send && awaitsPayment(o.head, steps[i].Want.Kind, p.asOf) {
			steps[i].Place, steps[i].Send = Place{BucketLeft, ReasonPaymentPending}, false
		}
	}
	p.noteLate(s, t, o.head, steps)
	p.meetEvidence(t, f, o.head, steps)
	p.meetFrontEnd(t, f, o.head, steps)
	if err := p.undoing(f, o.head, steps); err != nil {
		return err
	}
	steps = append(steps, corrections...)
	if err := f.balance.Meet(stepWants(steps)); err != nil {
		return err
	}
	if slices.ContainsFunc(steps, func(s Step) bool { return s.Send }) {
		t.crowd.meet(o.head)
	}
	t.twins.meet(o.head, steps)
	for _, s := range steps {
		if s.Send {
			continue
		}
		if s.Place.Bucket == BucketAlreadySent && s.Entry.State != StateDone && !t.live() {
			// A shadow adopts nothing: what evidence says stays a decision.
			if err := p.note(Decision{Target: t.Name(), Source: o.head.Source, ID: s.Want.ID, Place: s.Place, Detail: p.tooEarly(t, f, o.head, s.Want.ID), Value: s.Want.Value,
				CompletedAt: o.head.CompletedAt, Origin: o.head.Origin, Mark: o.head.Mark()}); err != nil {
				return err
			}
			continue
		}
		if s.Place.Bucket == BucketHeldBack || s.Place.Bucket == BucketLeft {
			if err := p.decideWant(t.Name(), o.head, s.Want, Held{Text: s.detail(o.head)}, s.Place); err != nil {
				return err
			}
			continue
		}
		p.first.entry(t.Name(), o.head.Source, s)
		p.tell(Decision{Target: t.Name(), Source: o.head.Source, ID: s.Want.ID, Place: s.Place, Value: s.Want.Value, CompletedAt: o.head.CompletedAt, Origin: o.head.Origin})
	}
	for _, s := range steps {
		if s.Send || !s.Place.unfinished() {
			continue
		}
		if err := f.expiring.note(s.Want, t.maxAge(s.Want.Kind), p.asOf); err != nil {
			return err
		}
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

func (p *planner) tooYoung(t *targetPlan, s *Step) {
	if s.Send && t.MinAge > 0 && s.Want.Facts.CompletedAt.After(p.asOf.Add(-t.MinAge)) {
		s.Place, s.Send = Place{BucketLeft, ReasonTooYoung}, false
	}
}

func (p *planner) addStep(s PlannedStep) error {
	s.Mark = s.Event.Facts.Mark
	sorted, err := newSortedStep(s)
	if err != nil {
		return fmt.Errorf("plan %s for %s: %w", s.Event.ID, s.Target, err)
	}
	if s.Do == DoSend {
		p.noteSend(s.Target, s.Event)
	}
	return p.steps.add(s.Target+"\x00"+string(s.Event.ID), sorted.record())
}

// noteSend keeps what must be known of all that is to be sent: when it was
// completed, for a trial to pick the newest, and what is new, in shadow.
func (p *planner) noteSend(target string, e Event) {
	switch p.target(target).Mode {
	case ModeTrial:
		of := pair{e.Facts.Source, target}
		if p.candidates[of] == nil {
			p.candidates[of] = candidates{}
		}
		p.candidates[of].add(e, p.asOf, p.named)
	case ModeShadow:
		p.first.await(problem{target, e.Facts.Source, Place{BucketLeft, ReasonShadow}}, e.ID)
	}
}
