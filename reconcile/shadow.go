package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// TooEarly counts what runs in shadow would have sent and the live integration
// delivered by itself later: sent at once, it would have gone twice. A min_age
// of Longest and more would have waited for all of them.
type TooEarly struct {
	Events  int `json:"events"`
	Earlier int `json:"earlier,omitempty"` // of Events: earlier runs told of them
	// Longest is the longest time from a completion to the live integration's
	// record, as far as that tells times; Unix nanoseconds in a plan.
	Longest time.Duration `json:"longest,omitempty"`
}

func (e *TooEarly) add(o TooEarly) {
	e.Events += o.Events
	e.Earlier += o.Earlier
	e.Longest = max(e.Longest, o.Longest)
}

// earlyWords begin what is noted of an event that shadow would have sent too
// early. The ledger keeps them: by them a later run knows it again.
const earlyWords = "makegood would have sent it too early: "

// WasTooEarly reports whether a decision in shadow says that the live
// integration delivered the event by itself, after makegood would have sent it.
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

// wasLooked reports whether a target that is live was in shadow or on trial.
func (p *planner) wasLooked(ctx context.Context, t *Target) (bool, error) {
	if t.Mode != ModeLive {
		return false, nil
	}
	for _, mode := range []string{ModeShadow, ModeTrial} {
		covered, err := p.led.Covered(ctx, t.Name(), mode)
		if err != nil {
			return false, fmt.Errorf("read whether %s was in shadow: %w", t.Name(), err)
		}
		if len(covered) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// remember looks up what earlier runs said of the events of a batch that were
// never begun: in shadow, and where a live target was in shadow or on trial.
func (p *planner) remember(ctx context.Context, t *targetPlan, ids []EventID, have map[EventID]Entry) error {
	t.before = nil
	if t.live() && !t.looked {
		return nil
	}
	var unknown []EventID
	for _, id := range ids {
		if have[id].Version == 0 {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	known, err := p.led.Decided(ctx, t.Name(), unknown)
	if err != nil {
		return fmt.Errorf("look up what was decided for %s: %w", t.Name(), err)
	}
	t.before = make(map[EventID]Decision, len(known))
	for _, d := range known {
		t.before[d.ID] = d
	}
	return nil
}

// keepBack leaves what shadow or a trial left already for a person: going live
// sends what is new, and proposes the rest as a backfill. A person who names the
// period or the orders has asked for it, and what may cost customers money goes
// by a person's approval alone. What evidence had in a shadow night waits, too,
// where nobody else sends by now.
func (p *planner) keepBack(t *targetPlan, s *Step) {
	asked := p.backfill && p.asked == nil || t.NeedsApproval
	was := t.before[s.Want.ID]
	if !s.Send || asked || !t.live() || !was.Waits() && was.Place.Bucket != BucketAlreadySent {
		return
	}
	s.Place, s.Send = Place{BucketLeft, ReasonShadowPeriod}, false
	t.backlog.include(s.Want.Facts.CompletedAt)
}

// include widens a period by a moment.
func (w *Window) include(at time.Time) {
	if w.From.IsZero() || at.Before(w.From) {
		w.From = at
	}
	if !at.Before(w.To) {
		w.To = at.Add(time.Second)
	}
}

// tooEarly tells what is noted of an event that evidence settles in shadow, and
// counts it when an earlier night would have sent it.
func (p *planner) tooEarly(t *targetPlan, f *feed, h Head, id EventID) string {
	switch was := t.before[id]; {
	case was.WasTooEarly():
		f.tooEarly.add(TooEarly{Events: 1, Earlier: 1, Longest: p.recorded(t, h)})
		return was.Detail
	case was.Place == Place{BucketLeft, ReasonShadow}:
		f.tooEarly.add(TooEarly{Events: 1, Longest: p.recorded(t, h)})
		return earlyWords + "on " + was.At.In(p.Zone).Format("2 Jan 2006 15:04") + ", and the live integration delivered it by itself"
	}
	return ""
}

// recorded is how long after its completion evidence has an order; 0 where it
// tells no time.
func (p *planner) recorded(t *targetPlan, h Head) time.Duration {
	if k := p.settledBy(t, h.Key); k != nil && !k.orders[h.Key].IsZero() {
		return max(k.orders[h.Key].Sub(h.CompletedAt), 0)
	}
	return 0
}
