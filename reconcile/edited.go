package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What -1 behind a known order number means (RULES R3). The zero value is that
// nobody has said it.
const (
	EditedSameOrder  = "same_order"  // the order, after it was edited: one purchase
	EditedOtherOrder = "other_order" // an order of its own
)

// maxEdits is how many times an order is taken to be edited at most.
const maxEdits = 99

// uneditedNumber tells from which number an edited one was made: 1001 and 2
// of "1001-2".
func uneditedNumber(order string) (base string, edit int, ok bool) {
	i := strings.LastIndexByte(order, '-')
	if i <= 0 || i+1 == len(order) || order[i+1] == '0' {
		return "", 0, false
	}
	n, err := strconv.ParseUint(order[i+1:], 10, 8)
	if err != nil || n > maxEdits {
		return "", 0, false
	}
	return order[:i], int(n), true
}

// kin lists the numbers that an order may have had before it was edited.
func (s SourceSpec) kin(key OrderKey) []OrderKey {
	base, edit, ok := uneditedNumber(key.Order)
	if !ok || s.EditedSuffix == EditedOtherOrder {
		return nil
	}
	list := []OrderKey{{key.Shop, base}}
	for n := 1; n < edit && s.EditedSuffix == EditedSameOrder; n++ {
		list = append(list, OrderKey{key.Shop, base + "-" + strconv.Itoa(n)})
	}
	return list
}

// editedReason is why an order that is seen beside the one from which it was
// edited is held back.
func (s SourceSpec) editedReason() Reason {
	if s.EditedSuffix == EditedSameOrder {
		return ReasonEdited
	}
	return ReasonEditedSuffix
}

// edit is an order that may be another one after it was edited, though that
// one was not sent before.
type edit struct {
	kin  []OrderKey
	hold Reason // when one of its kin goes in the same run
}

// eventsOf are the ids under which a target may know an order: its purchase,
// and, where carts are charged, the steps of its chain.
func (t *Target) eventsOf(key OrderKey) []EventID {
	return append([]EventID{NewEventID(KindPurchase, key)}, t.chargesOf(key)...)
}

// holdEdits holds back the orders whose number is an edited one of a purchase
// that was sent before. The others are remembered, in case that one goes now.
func (p *planner) holdEdits(ctx context.Context, s SourceSpec, t *targetPlan, batch []ordered, have map[EventID]Entry) error {
	var ids []EventID
	for i, o := range batch {
		kin := s.kin(o.head.Key)
		done := func(w Want) bool { return w.Kind != KindCart && have[w.ID].State == StateDone }
		if len(kin) == 0 || slices.ContainsFunc(o.wants, done) {
			continue
		}
		batch[i].kin = kin
		for _, key := range kin {
			ids = append(ids, t.eventsOf(key)...)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	known, err := p.led.Find(ctx, t.Name(), ids)
	if known == nil {
		known = map[EventID]Entry{}
	}
	if err == nil {
		err = FindRevisions(ctx, p.led, t.Name(), known)
	}
	if err != nil {
		return fmt.Errorf("look up what %s was sent: %w", t.Name(), err)
	}
	decided, err := p.decided(ctx, t, ids)
	if err != nil {
		return err
	}
	for i := range batch {
		p.rememberKin(t, &batch[i], decided, known)
		p.holdEdit(s, t, &batch[i], known)
	}
	return nil
}

// rememberKin takes in what runs in shadow said of the orders from which one may
// have been edited: evidence named them then, or they wait for a person.
func (p *planner) rememberKin(t *targetPlan, o *ordered, decided []Decision, known map[EventID]Entry) {
	for _, d := range decided {
		key, err := d.ID.Key()
		if err != nil || !slices.Contains(o.kin, key) || known[d.ID].Version > 0 {
			continue
		}
		if d.Recalls() {
			known[d.ID] = Entry{ID: d.ID, State: StateDone, By: By(d.Place.Reason), Value: d.Value} // as far as an edit asks
		}
		waiting := d.Place.Bucket == BucketLeft || d.Place.Bucket == BucketHeldBack
		o.waits = o.waits || waiting && d.CompletedAt.Before(t.lookedAt(d.Source))
	}
}

// leaveEdited leaves an order that may be another one after it was edited, while
// others plan or send what may be that one.
func (p *planner) leaveEdited(o ordered, s *Step) {
	if p.beside && s.Send && len(o.kin) > 0 {
		s.Place, s.Send = Place{BucketLeft, ReasonMoved}, false
	}
}

func (p *planner) holdEdit(s SourceSpec, t *targetPlan, o *ordered, known map[EventID]Entry) {
	for _, key := range o.kin {
		e := known[NewEventID(KindPurchase, key)]
		sent := slices.ContainsFunc(t.eventsOf(key), func(id EventID) bool {
			state := known[id].State
			return state == StateDone || state == StateDoubtful || state == StateClaimed
		})
		if !sent && p.settledBy(t, key) == nil {
			continue
		}
		o.hold(s.editedReason())
		if e.State == StateDone && s.EditedSuffix == EditedSameOrder {
			sentLast, _ := newest(e, known)
			t.feeds[s.Name()].noteEdit(o, sentLast)
		}
		return
	}
	if len(o.kin) > 0 {
		t.edits[o.head.Key] = edit{o.kin, s.editedReason()}
	}
}

// noteEdit lists the edit of an order that was sent.
func (f *feed) noteEdit(o *ordered, e Entry) {
	for _, w := range o.wants {
		if w.Kind != KindPurchase {
			continue
		}
		change := ChangeCorrection
		if lower(w.Value, e.Value) {
			change = ChangeRefund
		}
		f.note(Correction{ID: e.ID, Change: change, Before: e.Value, After: w.Value, Origin: o.head.Origin})
	}
}

// editedFrom names the order that goes in this run and from which o was edited.
func (t *targetPlan) editedFrom(o Order) (OrderKey, bool) {
	for _, key := range t.edits[o.Key].kin {
		for _, f := range t.feeds {
			if _, goes := f.orders[key]; goes {
				return key, true
			}
		}
	}
	return OrderKey{}, false
}
