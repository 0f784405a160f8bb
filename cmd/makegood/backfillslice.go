package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reports"
)

// States of a slice.
const (
	sliceWaits      = "not_begun"
	sliceDone       = "done"        // nothing is left
	sliceDoneBefore = "done_before" // by an earlier start of the command
	sliceLeft       = "left"        // something is left, or a person is needed
	sliceFailed     = "failed"
	slicePlanned    = "planned"
)

// slice is a part of the period. Its JSON form is stable.
type slice struct {
	reconcile.Window
	State   string        `json:"state"`
	Run     string        `json:"run,omitempty"`
	Exit    int           `json:"exit"`
	Error   string        `json:"error,omitempty"`
	Targets []sliceTarget `json:"targets,omitempty"`
	unread  bool          // a source failed
	besides int           // messages that wait for slices beside it to be over
	rounds  []reconcile.RunID
}

// sliceTarget is the balance of one destination in a slice, and in all of them.
type sliceTarget struct {
	Target  string          `json:"target"`
	Mode    string          `json:"mode"`
	Stopped string          `json:"stopped,omitempty"`
	Error   string          `json:"error,omitempty"` // why it was not worked on
	Balance reports.Balance `json:"balance"`
	// ToSend of what is left a backfill would send now, of a plan alone.
	ToSend *reports.Count `json:"to_send,omitempty"`
	run    string         // of a slice that an earlier start ended
}

// maxSlices bounds how many parts a period has.
const maxSlices = 10_000

// slicesOf cuts a period. Calendar days begin at midnight of the zone, also where
// the period does not, so that a slice is the same in every period.
func slicesOf(w reconcile.Window, span config.Span, zone *time.Location) ([]*slice, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	var list []*slice
	for from := w.From.In(zone); from.Before(w.To); {
		to := from.Add(time.Duration(span.Exact))
		if span.Days > 0 {
			to = dayBegins(from, int(span.Days), zone)
		}
		if to.After(w.To) {
			to = w.To
		}
		if list = append(list, &slice{Window: reconcile.Window{From: from.UTC(), To: to.UTC()}, State: sliceWaits}); len(list) > maxSlices {
			return nil, fmt.Errorf("the period has more than %d slices; give a longer --slice", maxSlices)
		}
		from = to.In(zone)
	}
	return list, nil
}

// dayBegins is when the day begins that comes so many days after that of a time:
// midnight, or the first moment of the day where clocks skip midnight; where they
// skip the day, the beginning of the next. It is a time of the zone.
func dayBegins(of time.Time, days int, zone *time.Location) time.Time {
	of = of.In(zone)
	var day config.Date
	if err := day.UnmarshalText([]byte(time.Date(of.Year(), of.Month(), of.Day()+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))); err != nil {
		panic("makegood: a day of the calendar is no date") // years have four digits here
	}
	return day.In(zone).In(zone)
}

// rememberedFor is how long a slice that ended with nothing left is not worked on
// again.
const rememberedFor = 7 * 24 * time.Hour

// recall finds the slices that earlier starts of the command ended with nothing
// left at all destinations, when the configuration was what it is. The newest run
// over a slice counts. Where that is all of them, the backfill came to its end, and
// begins anew: orders may have come in since. With --again none is looked for.
func (b *backfill) recall(ctx context.Context) error {
	if b.flags.again {
		return nil
	}
	settings := reports.NewSettings(b.cfg.Settings).Digest
	by, judged := map[reconcile.Window]*slice{}, map[string]bool{}
	for _, one := range b.slices {
		by[one.Window] = one
	}
	found := map[*slice][]sliceTarget{}
	err := b.past.EachEnded(ctx, b.Clock().Add(-rememberedFor), func(run ledger.LastRun) (bool, error) {
		if run.Command != "backfill" {
			return false, nil
		}
		one := by[reconcile.Window{From: run.Window.From.UTC(), To: run.Window.To.UTC()}]
		report, err := reports.Read(bytes.NewReader(run.Summary))
		if one == nil || err != nil {
			return false, nil // one that cannot be read is worked on again
		}
		same := report.Settings != nil && report.Settings.Digest == settings
		for _, t := range report.Targets {
			key := fmt.Sprint(one.From.Unix(), " ", t.Target)
			if judged[key] {
				continue
			}
			judged[key] = true
			if same && run.Exit == exitDone && report.Error == "" && t.Balance.Left.Events+t.Balance.InDoubt.Events == 0 {
				found[one] = append(found[one], sliceTarget{Target: t.Target, Mode: t.Mode, Balance: t.Balance, run: string(run.Run)})
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	maps.DeleteFunc(found, func(_ *slice, list []sliceTarget) bool { return !b.allDone(list) })
	if len(found) == len(b.slices) {
		return nil
	}
	for one, list := range found {
		one.State, one.Run = sliceDoneBefore, list[0].run
		one.Targets = slices.DeleteFunc(list, func(t sliceTarget) bool { return !b.wants(t.Target) })
	}
	return nil
}

func (b *backfill) wants(target string) bool {
	return slices.ContainsFunc(b.Targets, func(t *reconcile.Target) bool { return t.Name() == target })
}

func (b *backfill) allDone(list []sliceTarget) bool {
	return !slices.ContainsFunc(b.Targets, func(t *reconcile.Target) bool {
		return !slices.ContainsFunc(list, func(done sliceTarget) bool { return done.Target == t.Name() })
	})
}

// take notes how a slice ended.
func (s *slice) take(res reconcile.Result, err error, plan bool) {
	cancelled := errors.Is(err, context.Canceled) // by a person: no error of the slice
	if cancelled {
		quiet(&res)
	}
	if err = advised(err); err != nil && !cancelled {
		s.Error = reports.Mask(err.Error())
	}
	if s.Exit = codeOf(err); err == nil || len(res.Sources) > 0 {
		res.Err = err
		s.Exit = resultCode(res)
		report := reports.Build(res, reports.Options{})
		s.Run = report.Run
		for i, t := range report.Targets {
			one := sliceTarget{Target: t.Target, Mode: t.Mode, Stopped: t.Stopped, Error: t.Error, Balance: t.Balance}
			if one.Stopped == "" && left(res.Targets[i], reconcile.ReasonPaused) > 0 {
				one.Stopped = "it is paused"
			}
			s.besides += left(res.Targets[i], reconcile.ReasonMoved)
			s.Targets = append(s.Targets, one)
		}
		for _, source := range report.Sources {
			if s.unread = s.unread || source.Error != ""; source.Error != "" && s.Error == "" {
				s.Error = source.Source + ": " + source.Error
			}
		}
	}
	if plan {
		s.Run = "" // nobody finds it
		for i := range s.Targets {
			t := &s.Targets[i]
			if t.ToSend = new(reports.Count); t.Error == "" {
				*t.ToSend = t.Balance.Left
			}
		}
	}
	switch {
	case s.Exit >= exitFailed:
		s.State = sliceFailed
	case cancelled:
		s.State = sliceLeft
	case plan:
		s.State = slicePlanned
	case s.Exit != exitDone || s.left() > 0:
		s.State = sliceLeft
	default:
		s.State = sliceDone
	}
}

// left counts what is left at a destination for a reason.
func left(tr reconcile.TargetResult, why reconcile.Reason) int {
	if count := tr.Balance.Places[reconcile.Place{Bucket: reconcile.BucketLeft, Reason: why}]; count != nil {
		return count.Events
	}
	return 0
}

// quiet takes from a result what only says that a person stopped it.
func quiet(res *reconcile.Result) {
	for i := range res.Sources {
		if errors.Is(res.Sources[i].Err, context.Canceled) {
			res.Sources[i].Err = nil
		}
	}
	for i := range res.Targets {
		if errors.Is(res.Targets[i].Err, context.Canceled) {
			res.Targets[i].Err = nil
		}
	}
}

func (s *slice) left() (n int) {
	for _, t := range s.Targets {
		n += t.Balance.Left.Events + t.Balance.InDoubt.Events
	}
	return n
}

// stopped says which destination took no more, not which was not worked on.
func (s *slice) stopped() string {
	for _, t := range s.Targets {
		if t.Stopped != "" && t.Error == "" {
			return t.Target + " was stopped: " + t.Stopped
		}
	}
	return ""
}

// errors are what kept the slice, or destinations in it, from being worked on.
func (s *slice) errors() (list []string) {
	if s.Error != "" {
		list = append(list, s.Error)
	}
	for _, t := range s.Targets {
		if t.Error != "" {
			list = append(list, t.Target+": "+t.Error)
		}
	}
	return list
}

// name is "2026-11-03", "2026-11-02 to 2026-11-09" or, of what does not begin at
// midnight, both ends with their times. The end is not in it.
func (s *slice) name(zone *time.Location) string {
	from, to := s.From.In(zone), s.To.In(zone)
	begins := func(t time.Time) bool { return t.Equal(dayBegins(t, 0, zone)) }
	switch {
	case !begins(from) || !begins(to):
		return from.Format("2006-01-02 15:04") + " to " + to.Format("2006-01-02 15:04")
	case dayBegins(from, 1, zone).Equal(to):
		return from.Format(time.DateOnly)
	}
	return from.Format(time.DateOnly) + " to " + to.Format(time.DateOnly)
}

// words says how a slice ended.
func (s *slice) words(zone *time.Location) string {
	var parts []string
	for _, t := range s.Targets {
		if t.Error != "" {
			parts = append(parts, t.Target+" was not worked on")
			continue
		}
		if s.State == slicePlanned {
			parts = append(parts, fmt.Sprintf("%s would be sent %d", t.Target, t.Balance.Left.Events))
			continue
		}
		text := fmt.Sprintf("%s was sent %d", t.Target, t.Balance.Sent.Events)
		if left := t.Balance.Left.Events + t.Balance.InDoubt.Events; left > 0 {
			text += fmt.Sprintf(", %d left", left)
		}
		parts = append(parts, text)
	}
	if s.Error != "" {
		parts = append(parts, s.Error)
	}
	return s.name(zone) + ": " + strings.Join(parts, "; ")
}
