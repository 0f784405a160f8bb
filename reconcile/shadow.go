package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// modeLooked is under what the ledger keeps, beside the coverage of modes, up to
// which completion a target was looked at in shadow or on trial.
const modeLooked = "looked"

// TooEarly counts what runs in shadow would have sent and what evidence named
// only after that: sent at once, it would have gone twice.
type TooEarly struct {
	Events  int `json:"events"`
	Earlier int `json:"earlier,omitempty"` // of Events: earlier runs told of them
	// Unseen of the events had been delivered by then: the record names them late.
	// The others the live integration delivered later, by itself.
	Unseen int `json:"unseen,omitempty"`
	// Longest is the longest time from a completion to the delivery, of those that
	// were delivered later: a longer min_age would have waited for them. Nanoseconds
	// in a plan.
	Longest time.Duration `json:"longest,omitempty"`
}

func (e *TooEarly) add(o TooEarly) {
	e.Events += o.Events
	e.Earlier += o.Earlier
	e.Unseen += o.Unseen
	e.Longest = max(e.Longest, o.Longest)
}

// What is noted of an event that shadow would have sent too early. The ledger
// keeps it: by that a later run knows it again.
const (
	earlyWords  = "makegood would have sent it too early: "
	unseenWords = ", before the record named it"
)

// WasTooEarly reports whether a decision in shadow says that the event would
// have gone twice.
func (d Decision) WasTooEarly() bool { return strings.HasPrefix(d.Detail, earlyWords) }

// Waits reports whether a decision says that only the mode of its target keeps
// an event from being sent: shadow, a trial, or that nobody has said yet that
// what both left may go.
func (d Decision) Waits() bool {
	switch d.Place {
	case Place{BucketLeft, ReasonShadow}, Place{BucketLeft, ReasonTrial}, Place{BucketLeft, ReasonShadowPeriod}:
		return true
	}
	return false
}

// Recalls reports whether a decision says that evidence once named an event as
// sent. No other decision takes its place.
func (d Decision) Recalls() bool {
	return d.Place.Bucket == BucketAlreadySent || d.Place == Place{BucketHeldBack, ReasonWasSent}
}

// remember looks up what earlier runs said of the events of a batch that were
// never begun. What evidence named counts before anything else; then the newest.
func (p *planner) remember(ctx context.Context, t *targetPlan, ids []EventID, have map[EventID]Entry) error {
	t.before = map[EventID]Decision{}
	if !t.decides {
		return nil
	}
	var unknown []EventID
	for _, id := range ids {
		if have[id].Version == 0 {
			unknown = append(unknown, id)
		}
	}
	known, err := p.decided(ctx, t, unknown)
	for _, d := range known {
		was, had := t.before[d.ID]
		if !had || d.Recalls() && !was.Recalls() || d.Recalls() == was.Recalls() && d.At.After(was.At) {
			t.before[d.ID] = d
		}
	}
	return err
}

func (p *planner) decided(ctx context.Context, t *targetPlan, ids []EventID) ([]Decision, error) {
	if len(ids) == 0 || !t.decides {
		return nil, nil
	}
	known, err := p.led.Decided(ctx, t.Name(), ids)
	if err != nil {
		return nil, fmt.Errorf("look up what was decided for %s: %w", t.Name(), err)
	}
	return known, nil
}

// asksFor reports whether a person named the period, or the orders: then what
// shadow left is asked for.
func (p *planner) asksFor() bool { return p.named && p.asked == nil }

// keepBack leaves what shadow or a trial left for a person, whatever it was held
// or left for meanwhile: going live sends what is new, and proposes the rest as a
// backfill. What may cost customers money goes by a person's approval alone.
func (p *planner) keepBack(t *targetPlan, o ordered, s *Step) {
	begun := s.Entry.Attempts > 0 || s.Entry.State == StateDoubtful // else it was claimed, and nothing left
	if !s.Send || t.Mode != ModeLive || t.NeedsApproval || p.asksFor() || begun || s.Want.ID.Revision() > 1 {
		return
	}
	if o.waits || t.before[s.Want.ID].Waits() || o.head.CompletedAt.Before(t.lookedAt(o.head.Source)) {
		s.Place, s.Send = Place{BucketLeft, ReasonShadowPeriod}, false
		t.backlog.include(o.head.CompletedAt)
		if p.falls(o.head.CompletedAt) {
			t.feeds[o.head.Source].falling++
		}
	}
}

// lookedAt is up to when a source was looked at. One that was not, or not under
// this name, may hold what others showed then.
func (t *targetPlan) lookedAt(source string) (at time.Time) {
	if at, known := t.looked[source]; known {
		return at
	}
	for _, other := range t.looked {
		if other.After(at) {
			at = other
		}
	}
	return at
}

// falls reports whether the runs of the next days no longer reach back to an
// order.
func (p *planner) falls(completed time.Time) bool {
	return p.ReachBack > 0 && completed.Before(p.daysBefore(p.asOf, p.ReachBack-fallWarning))
}

// fallWarning is how many days before a person is called again.
const fallWarning = 2

// include widens a period by a moment.
func (w *Window) include(at time.Time) {
	if w.From.IsZero() || at.Before(w.From) {
		w.From = at
	}
	if !at.Before(w.To) {
		w.To = at.Add(time.Second)
	}
}

// recall tells where an event ends that evidence named once and names no longer:
// a record that speaks of a later time only was purged, and what it said still
// holds. One that speaks of that time, or that is asked no more, was wrong then
// or is now: a person knows. Orders that a person lists go.
func (p *planner) recall(s SourceSpec, t *targetPlan, step Step, h Head) (By, Place) {
	was := t.before[step.Want.ID]
	apart := was.CompletedAt.Sub(h.CompletedAt).Abs()
	if !was.Recalls() || s.EditWindow > 0 && apart > s.EditWindow {
		return "", Place{}
	}
	if was.Place.Bucket == BucketAlreadySent && len(t.Evidence) > 0 && !p.speaksOf(t, h.CompletedAt) {
		return By(was.Place.Reason), Place{BucketAlreadySent, was.Place.Reason}
	}
	if p.lists() {
		return "", Place{}
	}
	return "", Place{BucketHeldBack, ReasonWasSent}
}

// lists reports whether a person listed the orders.
func (p *planner) lists() bool { return p.list != nil && p.list.asked != nil }

// deliveredWithin is how long after an order its row in a record is expected at
// least, to tell from where on a record speaks.
const deliveredWithin = time.Hour

// speaksOf reports whether evidence that settles the target's events has rows
// from as early as those of an order.
func (p *planner) speaksOf(t *targetPlan, completed time.Time) bool {
	at := completed.Add(deliveredWithin)
	for _, name := range t.Evidence {
		if k := p.evidence[name]; k != nil && k.settles(t.Target) && !k.oldest.IsZero() && !k.oldest.After(at) {
			return true
		}
	}
	return false
}

// tooEarly tells what is noted of an event that evidence settles in shadow, and
// counts it when an earlier night would have sent it.
func (p *planner) tooEarly(t *targetPlan, f *feed, h Head, id EventID) string {
	was := t.before[id]
	var delivered time.Time
	if k := p.settledBy(t, h.Key); k != nil {
		delivered = k.orders[h.Key]
	}
	one := TooEarly{Events: 1}
	text := was.Detail
	switch {
	case was.WasTooEarly():
		one.Earlier = 1
		if strings.HasSuffix(text, unseenWords) {
			one.Unseen = 1
		}
	case was.Place == Place{BucketLeft, ReasonShadow}:
		text = earlyWords + "on " + was.At.In(p.Zone).Format("2 Jan 2006 15:04")
		if delivered.After(was.At) {
			text += ", and the live integration delivered it by itself"
		} else {
			one.Unseen, text = 1, text+unseenWords
		}
	case was.Recalls():
		return was.Detail
	default:
		return ""
	}
	if one.Unseen == 0 && !delivered.IsZero() {
		one.Longest = max(delivered.Sub(h.CompletedAt), 0)
	}
	f.tooEarly.add(one)
	return text
}

// look is up to which completion a run in shadow or on trial looked at each
// source: a later run that is live knows by it what nobody has asked for yet.
func (r *Runner) look(ctx context.Context, led Reader, plan *Plan, tr *TargetResult) error {
	t := r.target(tr.Target)
	if t.Mode == ModeLive || plan.Listed {
		return nil
	}
	before, err := led.Covered(ctx, t.Name(), modeLooked)
	if err != nil {
		return fmt.Errorf("read up to when %s was looked at: %w", t.Name(), err)
	}
	tr.looked = map[string]time.Time{}
	for _, s := range plan.Sources {
		if s.Error != "" || !t.Reads(s.Source) {
			continue
		}
		to := plan.Window.To
		if young := plan.AsOf.Add(-t.MinAge); to.After(young) {
			to = young
		}
		if to.After(before[s.Source]) {
			tr.looked[s.Source] = to
		}
	}
	return nil
}
