package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"makegood/reconcile"
	"makegood/reports"
)

// wordFlags are what every word of a person has.
type wordFlags struct {
	who, note string
	json      bool
}

func (f *wordFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.note, "note", "", "why; it is kept in the ledger")
	c.Flags().StringVar(&f.who, "who", "", "your `NAME`; it is kept in the ledger")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
}

// check refuses a word that says nothing, or that names a customer.
func (f *wordFlags) check(command string) error {
	var err error
	switch {
	case strings.TrimSpace(f.note) == "":
		err = errors.New("--note is missing: why?")
	case strings.Contains(f.note+f.who, "@"):
		err = errors.New("--note and --who are kept for good and hold no addresses")
	case len(f.who) > 200 || len(f.note) > 2000:
		err = errors.New("--note or --who is too long")
	}
	if err != nil {
		return &usageError{command: "makegood " + command, err: err}
	}
	return nil
}

// everything is what people say for all destinations.
const everything = "all"

func (a *app) pauseCommand() *cobra.Command {
	var f wordFlags
	var until string
	c := &cobra.Command{
		Use:   "pause [DESTINATION|all]",
		Short: "Keep every run, in every process, from sending to a destination from now on",
		Long: `From this moment on nothing is sent to the destination any more, by runs that are
on their way as well: what a run has in its hands by then (one message of each
worker, or a few seconds' worth where the platform merges repeats) is sent and
written down, everything else is left for a run after makegood resume. Plans and
reports go on. Without a destination the pauses are listed.`,
		GroupID: "service",
		Args:    arguments(cobra.MaximumNArgs(1)),
		Example: `  makegood pause activate --note "audience under repair"
  makegood pause all --until "2026-11-30 06:00" --note "sales weekend"
  makegood pause
  makegood resume activate --note "repaired"`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listPauses(c.Context(), &f)
			}
			return a.pause(c.Context(), &f, args[0], until)
		},
	}
	f.add(c)
	c.Flags().StringVar(&until, "until", "", "when it ends by itself, such as 2026-11-30 or \"2026-11-30 06:00\", in the configured zone")
	return c
}

func (a *app) resumeCommand() *cobra.Command {
	var f wordFlags
	c := &cobra.Command{
		Use:     "resume DESTINATION|all",
		Short:   "End a pause: the next run sends what was left",
		GroupID: "service",
		Args:    arguments(cobra.ExactArgs(1)),
		Example: `  makegood resume activate --note "repaired"`,
		RunE:    func(c *cobra.Command, args []string) error { return a.resume(c.Context(), &f, args[0]) },
	}
	f.add(c)
	return c
}

func (a *app) pause(ctx context.Context, f *wordFlags, name, until string) error {
	if err := f.check("pause"); err != nil {
		return err
	}
	return a.onLedger(ctx, func(s *session) error {
		target, err := s.destination("pause", name)
		if err != nil {
			return err
		}
		word := reconcile.Word{Kind: reconcile.WordPause, Target: target, Who: cmp.Or(f.who, "somebody"), Note: f.note}
		if until != "" {
			if word.Until, err = s.moment(until); err != nil {
				return &usageError{command: "makegood pause", err: err}
			}
		}
		if err := s.led.Say(ctx, []reconcile.Word{word}); err != nil {
			return err
		}
		return s.tellPauses(ctx, f)
	})
}

func (a *app) resume(ctx context.Context, f *wordFlags, name string) error {
	if err := f.check("resume"); err != nil {
		return err
	}
	return a.onLedger(ctx, func(s *session) error {
		target, err := s.destination("resume", name)
		if err != nil {
			return err
		}
		pauses, err := s.pauses(ctx, s.led)
		if err != nil {
			return err
		}
		var ends []reconcile.Word
		for _, w := range pauses {
			if w.Target == target || target == "" {
				w.Until, w.Who, w.Note = s.Clock(), cmp.Or(f.who, "somebody"), f.note
				ends = append(ends, w)
			}
		}
		if len(ends) == 0 {
			return &usageError{command: "makegood resume", err: fmt.Errorf("%s is not paused; makegood pause lists what is", name)}
		}
		if err := s.led.Say(ctx, ends); err != nil {
			return err
		}
		return s.tellPauses(ctx, f)
	})
}

// destination is the target that a person names; all of them is "".
func (s *session) destination(command, name string) (string, error) {
	switch {
	case name == everything && s.cfg.Targets[name] == nil:
		return "", nil
	case s.cfg.Targets[name] == nil:
		return "", &usageError{command: "makegood " + command, err: fmt.Errorf("there is no destination %q; there are %s, or all", name, strings.Join(slices.Sorted(maps.Keys(s.cfg.Targets)), ", "))}
	case s.cfg.Targets[name].Type == "emanage" && s.cfg.Targets[name].Mode == "trial":
		for _, t := range s.Targets {
			if strings.HasPrefix(t.Name(), name+".") {
				return t.Name(), nil
			}
		}
	}
	return name, nil
}

// moment reads a time in the configured zone, later than now.
func (s *session) moment(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		at, err := time.ParseInLocation(layout, text, s.Zone)
		if err != nil {
			continue
		}
		if !at.After(s.Clock()) {
			return at, fmt.Errorf("--until %s lies in the past", text)
		}
		return at.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("--until %q is no time such as 2026-11-30 or \"2026-11-30 06:00\"", text)
}

// wordBook is a ledger of which words alone are asked.
type wordBook interface {
	Words(ctx context.Context, kind reconcile.WordKind) ([]reconcile.Word, error)
}

// pauses lists the pauses that hold.
func (a *app) pauses(ctx context.Context, led wordBook) ([]reconcile.Word, error) {
	words, err := led.Words(ctx, reconcile.WordPause)
	now := a.clock()
	return slices.DeleteFunc(words, func(w reconcile.Word) bool { return !w.Holds(now) }), err
}

func (a *app) listPauses(ctx context.Context, f *wordFlags) error {
	return a.onLedger(ctx, func(s *session) error { return s.tellPauses(ctx, f) })
}

// pausedJSON is one pause.
type pausedJSON struct {
	Target string    `json:"target"` // "" is all
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"`
	Who    string    `json:"who"`
	Note   string    `json:"note"`
}

func (s *session) tellPauses(ctx context.Context, f *wordFlags) error {
	pauses, err := s.pauses(ctx, s.led)
	if err != nil {
		return err
	}
	list := []pausedJSON{}
	for _, w := range pauses {
		list = append(list, pausedJSON{w.Target, w.At, w.Until, w.Who, w.Note})
	}
	if f.json {
		return s.encode(map[string]any{"schema": 1, "paused": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.io.out, "Nothing is paused.")
	}
	for _, p := range list {
		fmt.Fprintln(s.io.out, p.words(s.Zone)+".")
	}
	return nil
}

// words gives "activate is paused since 21 Nov 2026 19:00 until ..., by the night
// desk: audience under repair".
func (p pausedJSON) words(zone *time.Location) string {
	const layout = "2 Jan 2006 15:04"
	text := cmp.Or(p.Target, "every destination") + " is paused since " + p.Since.In(zone).Format(layout)
	if !p.Until.IsZero() {
		text += " until " + p.Until.In(zone).Format(layout)
	}
	return text + ", by " + reports.Mask(p.Who) + ": " + reports.Mask(p.Note)
}
