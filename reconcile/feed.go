package reconcile

import (
	"hash/fnv"
	"slices"
	"time"
)

// recallTooOld is how long the goods of a checkout that is too old to touch its
// cart are looked up when another of the person does: a first run over years
// would otherwise read the lines of all.
const recallTooOld = 30 * 24 * time.Hour

// take counts an order's steps.
func (f *feed) take(h Head, steps []Step) error {
	var beside Place
	var ended []EventID
	sends := 0
	for _, s := range steps {
		if s.Send {
			sends++
			seen := seenOf(s)
			seen.at = h.CompletedAt.Unix()
			f.sends[s.Want.ID] = seen
			if s.Want.ID.Revision() > 1 {
				f.corrects[NewEventID(s.Want.Kind, h.Key)] = s.Want.ID
			}
			if s.Want.Kind == KindCart {
				f.carts[personMark(s.Want.Person)] = true
			}
			if err := f.waiting.CountEvent(Place{Bucket: BucketLeft}, h.CompletedAt, s.Want.ID.counted(s.Want.Value)); err != nil {
				return err
			}
			continue
		}
		place := f.counted(s)
		beside = Worse(beside, place)
		if s.Place.Bucket == BucketHeldBack {
			ended = append(ended, s.Want.ID)
		}
		if err := f.balance.CountEvent(place, h.CompletedAt, s.Want.ID.counted(s.Want.Value)); err != nil {
			return err
		}
		f.remember(h, s)
	}
	if sends == 0 {
		f.endOrder(h, beside)
		return nil
	}
	f.orders[h.Key] = nil
	if beside != (Place{}) {
		f.orders[h.Key] = &beside
	}
	for _, id := range ended {
		f.ended[id] = true
	}
	for _, s := range steps {
		switch adopted := s.Place.Bucket == BucketAlreadySent && s.Entry.State != StateDone; {
		case s.Want.ID.Position() == 0:
		case adopted: // recorded before anything is sent
			f.links[s.Want.ID] = Entry{State: StateDone, Receipt: s.receipt}
		case s.Entry.Version > 0:
			f.links[s.Want.ID] = s.Entry
		}
	}
	if f.earliestSend.IsZero() || h.CompletedAt.Before(f.earliestSend) {
		f.earliestSend = h.CompletedAt
	}
	return nil
}

// counted is where a step that sends nothing counts: what an earlier round of the
// same work sent was sent now.
func (f *feed) counted(s Step) Place {
	if s.Place == (Place{BucketAlreadySent, ReasonSentHere}) && slices.Contains(f.rounds, s.Entry.Run) {
		return Place{BucketSent, ReasonSent}
	}
	return s.Place
}

// endOrder counts an order that the plan sends nothing of.
func (f *feed) endOrder(h Head, worst Place) {
	f.balance.CountOrder(worst)
	if worst.Bucket == BucketHeldBack {
		f.held = append(f.held, h.CompletedAt.Unix())
	}
}

// seenOf is what a step's decision to send rests on.
func seenOf(s Step) seen {
	known, before := seen{version: s.Entry.Version}, past{doubt: doubtOf(s.Entry), shown: s.shown}
	if before.doubt != "" {
		before.doubted = s.Entry.At
	}
	if before != (past{}) {
		known.past = &before
	}
	return known
}

// orNone is a place that may not be there.
func orNone(p *Place) Place {
	if p == nil {
		return Place{}
	}
	return *p
}

// doubtOf is why an entry is in doubt, "" when it is not.
func doubtOf(e Entry) Reason {
	if e.State != StateDoubtful {
		return ""
	}
	return doubtReason(e)
}

// remember keeps what reports and coverage need of a step that sends nothing.
func (f *feed) remember(h Head, s Step) {
	if s.Want.Kind == KindCart && tookGoods(s.Place) && (s.Place.Reason != ReasonTooOld || h.CompletedAt.After(f.recalls)) {
		f.lines[h.Key] = personMark(s.Want.Person) // another checkout of the person is judged against it
	}
	switch {
	case s.Place.Bucket == BucketAlreadySent:
		return
	case s.Place.Bucket == BucketLeft && s.Place.Reason != ReasonTooYoung:
		f.leave(h.CompletedAt)
	}
	f.balance.Show(s.Place, exampleOf(h, s.Want, s.detail(h)))
}

// tookGoods reports whether a checkout whose cart event does not go took its
// goods out of the cart all the same: it went before, is too old to go, or was
// refused.
func tookGoods(p Place) bool {
	return p.Bucket == BucketAlreadySent || p.Bucket == BucketRefused || p.Bucket == BucketHeldBack && p.Reason == ReasonTooOld
}

// personMark stands for a person where many are remembered. Two persons may
// share one.
func personMark(p Person) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(p)) // never fails
	return h.Sum64()
}

// detail says more of a reason, where there is more to say.
func (s Step) detail(h Head) string {
	if s.Place.Reason == ReasonTotalMismatch {
		return mismatchText(h)
	}
	return ""
}

func exampleOf(h Head, w Want, text string) Example {
	return Example{Order: h.Key.Order, Kind: w.Kind, Origin: h.Origin, CompletedAt: h.CompletedAt, Value: w.Value, Text: text}
}
