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
	Unseen   int    `json:"unseen,omitempty"`  // of Messages: delivered before, and named by the record only later
	Longest  string `json:"longest,omitempty"` // from an order to its record, as Go writes durations
	MinAge   string `json:"min_age,omitempty"` // that would have waited for all of them
}

// Backlog is a period of what is sent only when it is asked for, such as what
// shadow or a trial left.
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
		s.TooEarly = &TooEarly{Messages: e.Events, New: e.Events - e.Earlier, Unseen: e.Unseen}
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
		list = append(list, earlySteps(*e)...)
	}
	return list
}

// earlySteps says what would have gone twice, and what would have kept it: the
// live integration delivered it later by itself, or had, and its record said so
// only later.
func earlySteps(e TooEarly) []Step {
	var list []Step
	if n := e.Messages - e.Unseen; n > 0 {
		step := Step{What: someWords(n, "message would have been too early: makegood would have sent it, and the live integration delivered it by itself later",
			"messages would have been too early: makegood would have sent them, and the live integration delivered them by itself later"),
			Next: "A longer min_age waits for the live integration."}
		if e.MinAge != "" {
			step.Next = fmt.Sprintf("The longest took %s from the order to its delivery: min_age: %s waits for all of them.", e.Longest, e.MinAge)
		}
		list = append(list, step)
	}
	if e.Unseen > 0 {
		list = append(list, Step{What: someWords(e.Unseen, "message would have gone twice: it had been delivered, and the record of it came later",
			"messages would have gone twice: they had been delivered, and the record of them came later"),
			Next: "Let makegood run after that record is written, or let min_age wait as long as it takes."})
	}
	if len(list) > 0 && e.New < e.Messages {
		list[0].Why = number(e.New) + " of them new"
		if e.Unseen > 0 && e.Unseen < e.Messages {
			list[0].Why = number(e.New) + " of all these new"
		}
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
			step.Command = r.command("plan --target " + quoted(t.Target) + backlogPeriod(t.Backlog.From, t.Backlog.To.Add(-time.Second), r.Started, r.location()))
		}
	}
	return step
}

// fallenStep says how a time is read that ordinary runs read no more.
func (r Report) fallenStep(n Need) Step {
	step := Step{Next: "No ordinary run reads it any more (reach_back). To send what is missing of it:"}
	for _, t := range r.Targets {
		if t.Target == n.Target && t.Fallen != nil {
			step.Command = r.command("run --target " + quoted(t.Target) + backlogPeriod(t.Fallen.From, t.Fallen.To, r.Started, r.location()))
		}
	}
	return step
}

// backlogPeriod gives the flags of a period of whole days; without an end where
// that would lie ahead.
func backlogPeriod(from, newest, now time.Time, zone *time.Location) string {
	text := " --from " + from.In(zone).Format(time.DateOnly)
	end := newest.In(zone).AddDate(0, 0, 1)
	if end.Format(time.DateOnly) <= now.In(zone).Format(time.DateOnly) {
		text += " --to " + end.Format(time.DateOnly)
	}
	return text
}

// BacklogOf is what shadow or a trial left at a destination by a report, and what
// to type for a plan of it.
func (r Report) BacklogOf(target string) (left Count, command string) {
	for _, t := range r.Targets {
		if t.Target == target && t.Backlog != nil {
			return t.unasked(), r.backlogStep(Need{Target: target}).Command
		}
	}
	return Count{}, ""
}
