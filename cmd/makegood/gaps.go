package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reconcile/ledger"
	"makegood/reconcile/outage"
	"makegood/reports"
)

// gapsReport is what gaps tells. Its JSON form is stable.
type gapsReport struct {
	Schema  int          `json:"schema"`
	Zone    string       `json:"zone"`
	From    time.Time    `json:"from"`
	To      time.Time    `json:"to"`
	Targets []targetGaps `json:"targets"`
	Notes   []string     `json:"notes,omitempty"`
}

// targetGaps is what one destination was sent of what was due, and the windows in
// which it was not.
type targetGaps struct {
	Target  string          `json:"target"`
	Mode    string          `json:"mode"`
	Due     int             `json:"due"`
	Sent    map[string]int  `json:"sent"` // by who says so: sent_here, proven, assumed
	Missing int             `json:"missing"`
	Money   reconcile.Money `json:"money"` // of what is missing
	// Coverage is by source and store, those with most missing first; Hours by
	// the hour of completion, by days where those are too many.
	Coverage []covered   `json:"coverage"`
	Hours    []covered   `json:"hours"`
	Windows  []gapWindow `json:"windows"`
	// Warning says why the destination's gaps may mislead.
	Warning string `json:"warning,omitempty"`
	// Unknown says that nothing can be said of it: what others sent was not read.
	Unknown bool `json:"unknown,omitempty"`
}

// covered counts what was due and what of it is missing.
type covered struct {
	Begin   time.Time `json:"begin,omitzero"`
	Source  string    `json:"source"`
	Store   string    `json:"store,omitempty"`
	Due     int       `json:"due"`
	Missing int       `json:"missing"`
}

// gapWindow is a window with what is known of it.
type gapWindow struct {
	outage.Window
	BucketMinutes int `json:"bucket_minutes"` // From and To are known to within so many that had orders
	// Places are where its missing messages are, and how many.
	Places []placed `json:"places"`
	// Tried are the answers that makegood got about them, most frequent first.
	Tried []tried `json:"tried,omitempty"`
	// Repair is the command that sends what is missing, where the destination is
	// live and takes it without an approval; Look shows it before. NoRepair says
	// why no command sends any of it.
	Repair   string `json:"repair,omitempty"`
	NoRepair string `json:"no_repair,omitempty"`
	Look     string `json:"look"`
}

type placed struct {
	Bucket   reconcile.Bucket `json:"bucket"`
	Reason   reconcile.Reason `json:"reason"`
	Messages int              `json:"messages"`
}

type tried struct {
	Answer   string `json:"answer"`
	Messages int    `json:"messages"`
}

func (a *app) gapsCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "gaps",
		Short: "Find the windows in which messages stopped or thinned out; send nothing",
		Long: `Reads the orders of a period and compares what each destination was sent of them,
by the ledger and by what others record as sent, hour by hour of their completion.
It names the windows in which messages stopped or thinned out: all of them, those
of one store, channel, country, language, source or kind; how many are missing and
what they are worth; what the platform answered, where makegood has tried; and the
command that repairs it.

Closed days and quiet nights are no outage, for no order was due then; nor is what
is lost every day, such as by ad blockers: a window is where far more is missing
than chance makes of the usual loss. All sources must be readable. No destination
is asked anything, and nothing is changed.

Without --from it looks at the last days of reach_back (60). Exit 1 says that a
window was found.`,
		GroupID: "outage",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood gaps\n  makegood gaps --from 2026-11-01 --to 2026-12-01\n  makegood gaps --target activate --json",
		RunE:    func(c *cobra.Command, _ []string) error { return a.gaps(c.Context(), &f) },
	}
	c.Flags().StringVar(&f.from, "from", "", "beginning of the period, such as 2026-11-01, in the configured zone")
	c.Flags().StringVar(&f.to, "to", "", "end of the period, itself not in it")
	c.Flags().StringSliceVar(&f.targets, "target", nil, "only this destination (may be repeated)")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON, with the coverage of every hour")
	f.evidence(c)
	return c
}

func (a *app) gaps(ctx context.Context, f *runFlags) (err error) {
	s, err := a.begin(ctx, f, "gaps")
	if err != nil {
		return err
	}
	defer s.end(&err)
	now := s.Clock().UTC().Truncate(time.Second)
	if s.req.From.IsZero() {
		s.req.From = dayBegins(now, -s.ReachBack, s.Zone)
	}
	if s.req.From.After(now) {
		return &usageError{command: "makegood gaps", err: fmt.Errorf("--from %s lies in the future: nothing of it can be missing yet", f.from)}
	}
	led, err := s.readLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	got, err := s.findGaps(ctx, led)
	if err != nil {
		return err
	}
	s.stop()
	a.code = got.exit()
	if f.json {
		return a.encode(got)
	}
	a.tellGaps(got, s.Zone)
	return nil
}

// exit is 3 where nothing can be said of a destination, 1 where there is a window.
func (got *gapsReport) exit() int {
	code := exitDone
	for _, t := range got.Targets {
		switch {
		case t.Unknown:
			return exitFailed
		case len(t.Windows) > 0:
			code = exitLeft
		}
	}
	return code
}

// findGaps plans the period, which tells where every message is, and removes the
// plan.
func (s *session) findGaps(ctx context.Context, led *ledger.Reader) (*gapsReport, error) {
	book := newGapsBook()
	s.Met, s.Seen = book.meet, book.see
	res, err := s.Plan(ctx, led, s.req)
	if res.Plan != nil {
		err = errors.Join(err, reconcile.RemovePlan(res.Plan.Path))
	}
	if err := errors.Join(err, book.failure); err != nil {
		return nil, err
	}
	got := &gapsReport{Schema: 1, Zone: s.Zone.String(), From: res.Window.From.UTC().Truncate(time.Second), To: res.Window.To.UTC().Truncate(time.Second)}
	for _, source := range res.Sources {
		if source.Err != nil {
			return nil, fmt.Errorf("read %s: %w; without it nothing can be said of the orders that it holds", source.Source, source.Err)
		}
		for _, note := range source.Tally.Notes {
			got.Notes = append(got.Notes, reports.Mask(note))
		}
	}
	for _, t := range res.Targets {
		one, err := s.gapsOf(ctx, led, book, t)
		if err != nil {
			return nil, err
		}
		if s.unreadRecord(res, t) {
			one.Unknown, one.Windows = true, []gapWindow{}
		}
		got.Targets = append(got.Targets, one)
	}
	return got, nil
}

// unreadRecord reports whether what others sent to a destination could not be
// read at all.
func (s *session) unreadRecord(res reconcile.Result, t reconcile.TargetResult) bool {
	for _, target := range s.Targets {
		if target.Name() != t.Target {
			continue
		}
		for _, name := range target.Evidence {
			if !slices.ContainsFunc(res.Lookups, func(l reconcile.Lookup) bool { return l.Name == name }) {
				return true
			}
		}
	}
	return false
}

// gapsOf finds the windows of one destination, and what is known of each.
func (s *session) gapsOf(ctx context.Context, led *ledger.Reader, book *gapsBook, t reconcile.TargetResult) (targetGaps, error) {
	list := book.of(t.Target)
	got := targetGaps{Target: t.Target, Mode: t.Mode, Sent: list.sent, Windows: []gapWindow{}}
	var err error
	if err = list.count(&got, s.Zone); err != nil {
		return got, err
	}
	if t.Err != nil {
		got.Warning = reports.Mask(t.Err.Error())
	}
	found, err := outage.Find(list.messages, s.Zone)
	if err != nil {
		return got, err
	}
	for _, w := range found {
		one := gapWindow{Window: w, BucketMinutes: int(w.Bucket.Minutes()), Places: list.places(w)}
		one.Value, one.From, one.To = reports.Mask(one.Value), w.From.UTC(), w.To.UTC()
		one.Began, one.Ended = utcBorder(w.Began), utcBorder(w.Ended)
		if one.Tried, err = list.tried(ctx, led, t.Target, w); err != nil {
			return got, err
		}
		one.Look, one.Repair = s.repair(list, w, t)
		if !slices.ContainsFunc(one.Places, func(p placed) bool { return p.Bucket == reconcile.BucketLeft }) {
			one.NoRepair, one.Repair = noRepair(one.Places), ""
		}
		got.Windows = append(got.Windows, one)
	}
	return got, nil
}

// repair gives the commands that show and send what is missing in a window, ""
// where no command sends it yet.
func (s *session) repair(list *gapList, w outage.Window, t reconcile.TargetResult) (look, repair string) {
	w = s.wholeDays(w)
	days := fmt.Sprintf(" --target %s --from %s --to %s", t.Target, w.From.Format(time.DateOnly), w.To.Format(time.DateOnly))
	if names := s.questioned(list, w, t); len(names) > 0 {
		days += " --accept-evidence " + strings.Join(names, ",") + fmt.Sprintf(" --note %q", "the outage of "+w.From.Format("2 January 2006"))
	}
	if config := s.named(); config != "" {
		days += " -c " + quotedArgument(config)
	}
	charges := slices.ContainsFunc(s.Targets, func(target *reconcile.Target) bool { return target.Name() == t.Target && target.NeedsApproval })
	switch {
	case charges: // that plan is approved and applied
		return "makegood plan" + days, ""
	case t.Mode != reconcile.ModeLive:
		return "makegood backfill --plan" + days, ""
	}
	return "makegood backfill --plan" + days, "makegood backfill" + days
}

// noRepair says why nothing of a window can be sent.
func noRepair(places []placed) string {
	var why []string
	for _, p := range places {
		why = append(why, p.words())
	}
	return "nothing of it can be sent now (" + strings.Join(why, "; ") + "); makegood explain ORDER tells of each"
}

// questioned lists the evidence that a repair would stop for, because it knows
// less than half of the orders of a day: the gap is a person's word that they are
// missing indeed.
func (s *session) questioned(list *gapList, w outage.Window, t reconcile.TargetResult) []string {
	i := slices.IndexFunc(s.Targets, func(target *reconcile.Target) bool { return target.Name() == t.Target })
	if i < 0 || len(s.Targets[i].Evidence) == 0 {
		return nil
	}
	due, missing := map[string]int{}, map[string]int{}
	for _, m := range list.messages {
		day := m.At.In(s.Zone).Format(time.DateOnly)
		if day < w.From.Format(time.DateOnly) || !m.At.Before(w.To) {
			continue
		}
		if due[day]++; m.Missing {
			missing[day]++
		}
	}
	for day := range due {
		if t.Err != nil || 2*missing[day] > due[day] {
			return s.Targets[i].Evidence
		}
	}
	return nil
}

// wholeDays gives a window the days of the zone that hold it, and all that can be
// of it.
func (s *session) wholeDays(w outage.Window) outage.Window {
	w.From, w.To = dayBegins(w.Since, 0, s.Zone), dayBegins(w.Until, 1, s.Zone)
	return w
}

func utcBorder(b outage.Border) outage.Border {
	if !b.After.IsZero() {
		b.After = b.After.UTC()
	}
	if !b.By.IsZero() {
		b.By = b.By.UTC()
	}
	return b
}
