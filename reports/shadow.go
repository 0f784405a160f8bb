package reports

import (
	"fmt"
	"time"

	"makegood/reconcile"
)

// Shadow is what a night in shadow has to tell beside its balance, in messages:
// which are new, and what earlier nights would have sent too early.
type Shadow struct {
	New      int       `json:"new"`
	Known    int       `json:"known"` // earlier nights told of them, too
	Since    time.Time `json:"since,omitzero"`
	TooEarly *TooEarly `json:"too_early,omitempty"`
}

// TooEarly counts messages that earlier nights in shadow would have sent and
// that the live integration delivered by itself later.
type TooEarly struct {
	Messages int    `json:"messages"`
	New      int    `json:"new"`
	Longest  string `json:"longest,omitempty"` // from an order to its record, as Go writes durations
	MinAge   string `json:"min_age,omitempty"` // that would have waited for all of them
}

// Backlog is the period of what shadow or a trial left, and a live destination
// sends only when it is asked for.
type Backlog struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

var wouldBeSent = reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonShadow}

// nightInShadow makes what a night in shadow tells; nil where there is nothing.
func nightInShadow(t reconcile.TargetResult) *Shadow {
	if t.Mode != reconcile.ModeShadow {
		return nil
	}
	var s Shadow
	if place := t.Balance.Places[wouldBeSent]; place != nil {
		s.New = place.Events
	}
	for _, e := range t.Earlier {
		if e.Place == wouldBeSent {
			s.Known, s.Since = min(e.Count, s.New), seconds(e.Since)
		}
	}
	s.New -= s.Known
	if e := t.TooEarly; e.Events > 0 {
		s.TooEarly = &TooEarly{Messages: e.Events, New: e.Events - e.Earlier}
		if e.Longest > 0 {
			s.TooEarly.Longest, s.TooEarly.MinAge = e.Longest.Round(time.Second).String(), longer(e.Longest)
		}
	}
	if s == (Shadow{}) {
		return nil
	}
	return &s
}

// longer is the next whole hour after a time, as the configuration takes it.
func longer(d time.Duration) string { return fmt.Sprintf("%dh", int(d/time.Hour)+1) }

func backlog(w reconcile.Window) *Backlog {
	if w.From.IsZero() {
		return nil
	}
	return &Backlog{seconds(w.From), seconds(w.To)}
}

// shadowSteps says what a night in shadow found that others did not.
func (r Report) shadowSteps(t Target) []Step {
	s := t.Shadow
	if s == nil {
		return nil
	}
	var list []Step
	if s.Known > 0 {
		list = append(list, Step{What: fmt.Sprintf("in shadow: %s new; %s known since %s", areWords(s.New, "message"), areWords(s.Known, "message"), moment(s.Since, r.location()))})
	}
	if e := s.TooEarly; e != nil {
		step := Step{What: someWords(e.Messages, "message would have been too early: makegood would have sent it, and the live integration delivered it by itself later",
			"messages would have been too early: makegood would have sent them, and the live integration delivered them by itself later")}
		if e.New < e.Messages {
			step.Why = number(e.New) + " of them new"
		}
		if step.Next = "A longer min_age waits for the live integration."; e.MinAge != "" {
			step.Next = fmt.Sprintf("The longest took %s from the order to its record: min_age: %s waits for all of them.", e.Longest, e.MinAge)
		}
		list = append(list, step)
	}
	return list
}

// areWords gives "1 message is" and "3 messages are".
func areWords(n int, one string) string {
	if n == 1 {
		return "1 " + one + " is"
	}
	return plural(n, one) + " are"
}

// backlogStep proposes what shadow or a trial left as a plan of its period.
func (r Report) backlogStep(n Need) Step {
	step := Step{Next: "Nobody has asked for it since. Make a plan of that time, look at it, and apply it; a later since leaves it out for good:"}
	for _, t := range r.Targets {
		if t.Target == n.Target && t.Backlog != nil {
			from, to := t.Backlog.From.In(r.location()), t.Backlog.To.In(r.location()).AddDate(0, 0, 1)
			step.Command = r.command(fmt.Sprintf("plan --target %s --from %s --to %s", quoted(t.Target), from.Format(time.DateOnly), to.Format(time.DateOnly)))
		}
	}
	return step
}
